#!/usr/bin/env bats
# put-protocol(7), FRAME: what a header is. A header that can be read with more
# than one meaning ends the stream; whatever else is wrong with it is refused,
# skipped in step, and the next frame is served.
#
# In the rows, PUT stands for a put of the file "x", 1 byte, with reply, without
# its closing brace; and the last argument is what makes the row.

load lib/common

PUT_X='{"cmd":"put","filename":"x","filesize":1,"reply":true'

# bad HEADER: it ends the stream, and those who asked before are told.
bad() {
    asked a 1
    frame "$1" x
    asked b 2
    serve
    expect 65 'a=1' +a:1 !bad-frame
    logged 2
}

# bad_with TEXT: a put of "x" with TEXT behind its keys is not readable.
bad_with() { bad "$PUT_X$1"; }

# fine HEADER: it stores "x".
fine() {
    frame "$1" x
    asked b 2
    serve
    expect 0 'b=2 x=x' +x:1 +b:1
}

fine_with() { fine "$PUT_X$1"; }

# refused CMD:ERROR[:NAME] HEADER: refused, a body of 3 bytes is skipped.
refused() {
    frame "$2" '{"x'
    asked b 2
    serve
    expect 0 'b=2' "!$1" +b:1
    logged 2
}

# mute HEADER: the same of a frame that is not a valid request for a receipt.
mute() {
    frame "$1" '{"x'
    asked b 2
    serve
    expect 0 'b=2' +b:1
    logged 2
}

# bad_header TEXT: a put of "x" with TEXT behind its keys is refused.
bad_header() {
    refused put:bad-header:x "{\"cmd\":\"put\",\"filename\":\"x\",\"filesize\":3,\"reply\":true$1}"
}

# White space around the object: space, TAB, LF, CR and no other.

@test "white space before: space" { fine "   $PUT_X}"; }
@test "white space before: TAB, LF, CR" { fine $'\t\n\r'"$PUT_X}"; }
@test "white space after: space" { fine_with '}     '; }
@test "white space after: TAB, LF, CR" { fine_with $'}\r\n\t'; }
@test "white space between the tokens" {
    fine $' {\n"cmd"\t:\r"put" , "filename":"x","filesize": 1 ,"reply":\ntrue } '
}

@test "before the object: VT" { bad $'\x0b'"$PUT_X}"; }
@test "before the object: FF" { bad $'\x0c'"$PUT_X}"; }
@test "before the object: BOM" { bad $'\xef\xbb\xbf'"$PUT_X}"; }
@test "before the object: NBSP" { bad $'\xc2\xa0'"$PUT_X}"; }
@test "before the object: U+2028" { bad $'\xe2\x80\xa8'"$PUT_X}"; }
@test "before the object: U+FEFF escaped" { bad "\\ufeff$PUT_X}"; }
@test "before the object: 0x1f" { bad $'\x1f'"$PUT_X}"; }
@test "after the object: VT" { bad_with $'}\x0b'; }
@test "after the object: NBSP" { bad_with $'}\xc2\xa0'; }
@test "after the object: U+0085" { bad_with $'}\xc2\x85'; }
@test "after the object: a letter" { bad_with '}x'; }
@test "after the object: a comma" { bad_with '},'; }
@test "after the object: a second brace" { bad_with '}}'; }
@test "after the object: a second object" { bad_with '}{}'; }
@test "after the object: white space and a second object" {
    bad_with '} {"cmd":"end"}'
}

@test "after the object: a comment" { bad_with '}//x'; }
@test "between the tokens: VT" { bad_with $',\x0b"y":1}'; }

# bad_nul HEADER: with \0 in it for a NUL.
bad_nul() {
    local header

    asked a 1
    printf -v header '%b' "${1//\\0/_}"
    length ${#header}
    escaped "$1"
    text x
    serve
    expect 65 'a=1' +a:1 !bad-frame
}

@test "a NUL before the object" { bad_nul '\0{"cmd":"hello"}'; }
@test "a NUL after the object" { bad_nul '{"cmd":"hello"}\0'; }
@test "a NUL after the object, then spaces" { bad_nul '{"cmd":"hello"}\0   '; }
@test "a NUL between the tokens" { bad_nul '{"cmd":\0"hello"}'; }
@test "a NUL in a string" { bad_nul '{"cmd":"hello","x":"a\0b"}'; }
@test "a NUL in a key" { bad_nul '{"cmd":"hello","x\0":1}'; }
@test "a NUL at the end of a file name" { bad_nul '{"cmd":"put","filename":"x\0","filesize":1}'; }
@test "nothing but NULs" { bad_nul '\0\0\0\0'; }

# Exactly one JSON object.

@test "no object but white space" { bad '      '; }
@test "no object but an array" { bad "[$PUT_X}]"; }
@test "no object but a string" { bad '"put"'; }
@test "no object but a number" { bad '12345'; }
@test "no object but null" { bad 'null'; }
@test "no object but true" { bad 'true'; }
@test "an object that is not closed" { bad_with ''; }
@test "an object that is not opened" { bad "${PUT_X#?}}"; }
@test "an array closed by a brace" { bad_with ',"y":[1}}'; }
@test "a comma at the end of an object" { bad_with ',}'; }
@test "a comma at the end of an array" { bad_with ',"y":[1,]}'; }
@test "a comma at the start" { bad '{,"cmd":"hello"}'; }
@test "two commas" { bad_with ',,"y":1}'; }
@test "no comma" { bad_with ' "y":1}'; }
@test "no colon" { bad_with ',"y" 1}'; }
@test "no value" { bad_with ',"y":}'; }
@test "no key" { bad_with ',:1}'; }
@test "a key without a value" { bad_with ',"y"}'; }
@test "a key without quotes" { bad_with ',y:1}'; }
@test "a key that is a number" { bad_with ',1:1}'; }
@test "single quotes" { bad_with ",'y':1}"; }
@test "a comment" { bad_with '/**/}'; }
@test "a string that is not closed" { bad_with ',"y":"}'; }
@test "literals: True" { bad_with ',"y":True}'; }
@test "literals: nul" { bad_with ',"y":nul}'; }
@test "literals: nullx" { bad_with ',"y":nullx}'; }
@test "literals: truetrue" { bad_with ',"y":truetrue}'; }
@test "literals: NaN" { bad_with ',"y":NaN}'; }
@test "literals: Infinity" { bad_with ',"y":Infinity}'; }
@test "literals: undefined" { bad_with ',"y":undefined}'; }

# Numbers are JSON numbers, also where nobody looks at them.

@test "a number with a leading zero" { bad_with ',"y":01}'; }
@test "a number with a leading zero and a sign" { bad_with ',"y":-01}'; }
@test "a number with a leading zero and a fraction" { bad_with ',"y":00.5}'; }
@test "a number with a plus sign" { bad_with ',"y":+1}'; }
@test "a number that ends in its point" { bad_with ',"y":1.}'; }
@test "a number that starts with its point" { bad_with ',"y":.5}'; }
@test "a number without digits before the point" { bad_with ',"y":-.5}'; }
@test "a number that is a sign" { bad_with ',"y":-}'; }
@test "a number without an exponent's digits" { bad_with ',"y":1e}'; }
@test "a number without an exponent's digits after the sign" { bad_with ',"y":1e+}'; }
@test "a number in hexadecimal" { bad_with ',"y":0x10}'; }
@test "a number with two points" { bad_with ',"y":1.2.3}'; }
@test "a number with an underscore" { bad_with ',"y":1_000}'; }
@test "numbers of every valid shape" { fine_with ',"y":[0,-0,1,-1,0.5,-0.5,1e5,1E+5,1e-5,0e0,1.25e2]}'; }
@test "a number of 100 digits" { fine_with ",\"y\":1$(printf '%0100d' 0)}"; }
@test "a number of 100 digits after the point" { fine_with ",\"y\":0.$(printf '%0100d' 7)}"; }
@test "a number of 60000 digits" { fine_with ",\"y\":1$(printf '%060000d' 0)}"; }
@test "a number that no double can hold" { fine_with ',"y":1e999}'; }

# A key twice in one object, compared after unescaping.

@test "twice: cmd" { bad_with ',"cmd":"put"}'; }
@test "twice: filename" { bad_with ',"filename":"y"}'; }
@test "twice: filesize" { bad_with ',"filesize":1}'; }
@test "twice: an unknown key" { bad_with ',"y":1,"y":1}'; }
@test "twice: the empty key" { bad_with ',"":1,"":2}'; }
@test "twice: once escaped" { bad_with ',"\u0063md":"end"}'; }
@test "twice: both escaped, in either case" { bad_with ',"\u00e9":1,"\u00E9":2}'; }
@test "twice: raw and escaped" { bad_with $',"\xc3\xa9":1,"\\u00e9":2}'; }
@test "twice: raw and as a pair of surrogates" { bad_with $',"\xf0\x9f\x98\x80":1,"\\ud83d\\ude00":2}'; }
@test "twice: solidus and its escape" { bad_with ',"a/b":1,"a\/b":2}'; }
@test "twice: LF escaped in two ways" { bad_with ',"\n":1,"\u000a":2}'; }
@test "twice: quotes escaped in two ways" { bad_with ',"\"":1,"\u0022":2}'; }
@test "twice: with others between" { bad_with ',"y":1,"z":2,"w":3,"y":4}'; }
@test "twice: with null" { bad_with ',"y":null,"y":null}'; }
@test "twice: at depth 2" { bad_with ',"y":{"a":1,"a":2}}'; }
@test "twice: at depth 2, once escaped" { bad_with ',"y":{"a":1,"\u0061":2}}'; }
@test "twice: in an object in an array" { bad_with ',"y":[{"b":1},{"a":1,"a":2}]}'; }
@test "twice: at depth 5" { bad_with ',"y":{"y":{"y":{"a":1,"a":2}}}}'; }
@test "twice: at depth 8" { bad_with ',"y":[[[[[[{"a":1,"a":2}]]]]]]}'; }
@test "twice: behind an object" { bad_with ',"y":{"z":1},"y":1}'; }
@test "the same key in two objects" { fine_with ',"y":{"cmd":1,"filename":2},"z":[{"a":1},{"a":1}]}'; }
@test "keys that begin alike" { fine_with ',"y":1,"yy":2,"yyy":3,"":4}'; }
@test "composed and decomposed are two keys" { fine_with $',"\xc3\xa9":1,"e\xcc\x81":2}'; }
@test "3000 keys, all different" {
    local -i i
    local many=''
    for ((i = 0; i < 3000; i++)); do many+=",\"k$i\":$i"; done
    fine_with "$many}"
}

@test "3000 keys, the last one twice" {
    local -i i
    local many=''
    for ((i = 0; i < 3000; i++)); do many+=",\"k$i\":$i"; done
    bad_with "$many,\"k2999\":0}"
}

# Case tells keys apart; what is not known is ignored.

@test "keys in another case are unknown" { fine_with ',"Filename":5,"FILENAME":null,"CMD":"end","Filesize":-1,"Reply":7}'; }
@test "a put with Filename only lacks its filename" { refused put:bad-header '{"cmd":"put","Filename":"x","filesize":3,"reply":true}'; }
@test "a put with Filesize only lacks its filesize" { bad '{"cmd":"put","filename":"x","Filesize":1,"reply":true}'; }
@test "Cmd is no cmd" { mute '{"Cmd":"put","filename":"x","filesize":3}'; }
@test "Reply is no reply" { mute '{"cmd":"frob","Reply":true,"filesize":3}'; }
@test "unknown keys of every type are ignored" { fine_with ',"a":null,"b":true,"c":false,"d":-1.5e3,"e":"s","f":[],"g":{},"h":[{}]}'; }
@test "keys in any order" { fine '{"reply":true,"filesize":1,"y":0,"filename":"x","cmd":"put"}'; }
@test "a known key, escaped" { fine '{"\u0063\u006d\u0064":"\u0070\u0075\u0074","filename":"\u0078","filesize":1,"reply":true}'; }

# Depth: the object is level 1, and 8 is the deepest.

@test "depth 8: arrays" { fine_with ',"y":[[[[[[[1]]]]]]]}'; }
@test "depth 8: objects" { fine_with ',"y":{"y":{"y":{"y":{"y":{"y":{"y":{"y":1}}}}}}}}'; }
@test "depth 8: empty" { fine_with ',"y":[[[[[[[]]]]]]]}'; }
@test "depth 8, many times" { fine_with ',"y":[[[[[[[]]]]]]],"z":[[[[[[[]]]]]]],"w":[[],[[]],[[[[[[]]]]]]]}'; }
@test "depth 9: arrays" { bad_with ',"y":[[[[[[[[1]]]]]]]]}'; }
@test "depth 9: objects" { bad_with ',"y":{"y":{"y":{"y":{"y":{"y":{"y":{"y":{"y":1}}}}}}}}}'; }
@test "depth 9: mixed and empty" { bad_with ',"y":[{"y":[{"y":[{"y":[{}]}]}]}]}'; }
@test "depth 1000" {
    bad_with ",\"y\":$(printf '[%.0s' {1..999})$(printf ']%.0s' {1..999})}"
}

@test "depth 60000, never closed" { bad "{\"y\":$(printf '%060000d' 0 | tr 0 '[')"; }
@test "brackets in a string have no depth" { fine_with ',"y":"[[[[[[[[[[{{{{{{{{"}'; }

# filesize, the one key that the framing hangs on.

# bad_filesize VALUE: in a put, in a hello, and in a command nobody knows.
bad_filesize() {
    local rest listing=''
    local -i i=0

    for rest in '"cmd":"put","filename":"x"' '"cmd":"hello"' '"cmd":"frob"' '"y":1'; do
        : >"$IN"
        asked "a$((++i))" 1
        frame "{$rest,\"reply\":true,\"filesize\":$1}" 12345
        asked b 2
        serve
        listing+="${listing:+ }a$i=1"
        expect 65 "$listing" "+a$i:1" !bad-frame
    done
}

@test "filesize -1" { bad_filesize -1; }
@test "filesize -0" { bad_filesize -0; }
@test "filesize 1.0" { bad_filesize 1.0; }
@test "filesize 1.5" { bad_filesize 1.5; }
@test "filesize 1e3" { bad_filesize 1e3; }
@test "filesize 5E0" { bad_filesize 5E0; }
@test "filesize +1" { bad_filesize +1; }
@test "filesize 01" { bad_filesize 01; }
@test "filesize 00" { bad_filesize 00; }
@test "filesize \"5\"" { bad_filesize '"5"'; }
@test "filesize null" { bad_filesize null; }
@test "filesize true" { bad_filesize true; }
@test "filesize [5]" { bad_filesize '[5]'; }
@test "filesize {}" {
    bad_filesize '{}'
}

@test "filesize 2^53" { bad_filesize 9007199254740992; }
@test "filesize 2^53+1" { bad_filesize 9007199254740993; }
@test "filesize 9007199254740990.9999" { bad_filesize 9007199254740990.9999; }
@test "filesize 2^63" { bad_filesize 9223372036854775808; }
@test "filesize 2^64" { bad_filesize 18446744073709551616; }
@test "filesize 2^64+5" { bad_filesize 18446744073709551621; }
@test "filesize of 100 digits" { bad_filesize "1$(printf '%099d' 0)"; }
@test "filesize 1e999" { bad_filesize 1e999; }
@test "filesize missing from a put" { bad '{"cmd":"put","filename":"x","reply":true}'; }
@test "filesize missing from a put that is refused anyway" { bad '{"cmd":"put","reply":true,"filename":5}'; }
@test "filesize missing from a part" { bad '{"cmd":"put","id":"0123456789abcdef","offset":0}'; }
@test "filesize missing elsewhere is 0" {
    frame '{"cmd":"frob","reply":true}'
    asked b 2
    serve
    expect 0 'b=2' !frob:unknown-cmd +b:1
}

@test "filesize 2^53-1 is refused, and skipped until the end" {
    frame '{"cmd":"put","filename":"x","filesize":9007199254740991,"reply":true}' 'some bytes of it'
    serve --max-size=1M
    expect 0 '' !put:too-large:x
}

@test "filesize 2^53-1 without a limit of size" {
    frame '{"cmd":"put","filename":"x","filesize":9007199254740991,"reply":true}' 'some bytes of it'
    serve
    expect 0 '' !put:no-space:x
}

@test "filesize 2^53-1 in an unknown command is skipped until the end" {
    frame '{"cmd":"frob","filesize":9007199254740991,"reply":true}' 'some bytes of it'
    serve
    expect 0 '' !frob:unknown-cmd
}

# Strings: no raw control character, valid UTF-8, no U+0000, no half pairs.

@test "raw in a string: LF" { bad_with $',"y":"a\nb"}'; }
@test "raw in a string: TAB" { bad_with $',"y":"a\tb"}'; }
@test "raw in a string: CR" { bad_with $',"y":"a\rb"}'; }
@test "raw in a string: 0x01" { bad_with $',"y":"a\x01b"}'; }
@test "raw in a string: 0x1f" { bad_with $',"y":"a\x1fb"}'; }
@test "raw in a key: TAB" { bad_with $',"a\tb":1}'; }
@test "raw in a string: 0x7f is allowed" { fine_with $',"y":"\x7f"}'; }
@test "UTF-8 of 2, 3 and 4 bytes" { fine_with $',"y":"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"}'; }
@test "UTF-8 just below and above the surrogates" { fine_with $',"y":"\xed\x9f\xbf\xee\x80\x80"}'; }
@test "UTF-8: a lone continuation byte" { bad_with $',"y":"\x80"}'; }
@test "UTF-8: ff" { bad_with $',"y":"\xff"}'; }
@test "UTF-8: fe" { bad_with $',"y":"\xfe"}'; }
@test "UTF-8: Latin-1" { bad_with $',"y":"caf\xe9"}'; }
@test "UTF-8: overlong, 2 bytes" { bad_with $',"y":"\xc0\xaf"}'; }
@test "UTF-8: overlong NUL" { bad_with $',"y":"\xc0\x80"}'; }
@test "UTF-8: overlong, c1" { bad_with $',"y":"\xc1\xbf"}'; }
@test "UTF-8: overlong, 3 bytes" { bad_with $',"y":"\xe0\x9f\xbf"}'; }
@test "UTF-8: overlong, 4 bytes" { bad_with $',"y":"\xf0\x8f\xbf\xbf"}'; }
@test "UTF-8: a raw high surrogate" { bad_with $',"y":"\xed\xa0\x80"}'; }
@test "UTF-8: a raw low surrogate" { bad_with $',"y":"\xed\xbf\xbf"}'; }
@test "UTF-8: a raw pair of surrogates (CESU-8)" { bad_with $',"y":"\xed\xa0\xbd\xed\xb8\x80"}'; }
@test "UTF-8: above U+10FFFF" { bad_with $',"y":"\xf4\x90\x80\x80"}'; }
@test "UTF-8: f5" { bad_with $',"y":"\xf5\x80\x80\x80"}'; }
@test "UTF-8: 5 bytes" { bad_with $',"y":"\xf8\x88\x80\x80\x80"}'; }
@test "UTF-8: cut after 1 of 2 bytes" { bad_with $',"y":"\xc3"}'; }
@test "UTF-8: cut after 2 of 3 bytes" { bad_with $',"y":"\xe2\x82"}'; }
@test "UTF-8: cut after 3 of 4 bytes" { bad_with $',"y":"\xf0\x9f\x98"}'; }
@test "UTF-8: cut by the end of the header" { bad_with $',"y":"\xf0\x9f'; }
@test "UTF-8: invalid in a key" { bad_with $',"\xff":1}'; }
@test "UTF-8: invalid in the file name" { bad $'{"cmd":"put","filename":"\xff","filesize":1,"reply":true}'; }
@test "UTF-8: invalid between the tokens" { bad_with $',\xff"y":1}'; }
@test "escaped: every simple escape" { fine_with ',"y":"\"\\\/\b\f\n\r\t\u0001\u001f\u007f\u0080"}'; }
@test "escaped: a pair of surrogates" { fine_with ',"y":"\ud83d\ude00\uDBFF\uDFFF\uD800\uDC00"}'; }
@test "escaped: U+FFFF and U+FFFE" { fine_with ',"y":"\uffff\ufffe"}'; }
@test "escaped: a lone high surrogate" { bad_with ',"y":"\ud83d"}'; }
@test "escaped: a lone low surrogate" { bad_with ',"y":"\ude00"}'; }
@test "escaped: a high surrogate before a letter" { bad_with ',"y":"\ud83dx"}'; }
@test "escaped: a high surrogate before another escape" { bad_with ',"y":"\ud83d\n"}'; }
@test "escaped: two high surrogates" { bad_with ',"y":"\ud83d\ud83d"}'; }
@test "escaped: a pair in the wrong order" { bad_with ',"y":"\ude00\ud83d"}'; }
@test "escaped: a pair and a lone one" { bad_with ',"y":"\ud83d\ude00\ude00"}'; }
@test "escaped: a high surrogate before a raw low one" { bad_with $',"y":"\\ud83d\xed\xb8\x80"}'; }
@test "escaped: a high surrogate before BMP" { bad_with ',"y":"\ud83d\u0041"}'; }
@test "escaped: a lone surrogate in a key" { bad_with ',"\ud83d":1}'; }
@test "escaped: U+0000 in a value" { bad_with ',"y":"a\u0000b"}'; }
@test "escaped: U+0000 in a key" { bad_with ',"a\u0000b":1}'; }
@test "escaped: U+0000 in a file name" { bad '{"cmd":"put","filename":"x\u0000","filesize":1,"reply":true}'; }
@test "escaped: U+0000 in cmd" { bad '{"cmd":"put\u0000","filename":"x","filesize":1,"reply":true}'; }
@test "escaped: U+0000 in a known key" { bad '{"cmd":"put","filename":"x","filename\u0000":"y","filesize":1,"reply":true}'; }
@test "escaped: U+0000 at depth 3" { bad_with ',"y":[["\u0000"]]}'; }
@test "escaped: six characters that are no escape" { fine_with ',"y":"\\u0000\\ud800"}'; }
@test "escape: x" { bad_with ',"y":"\x41"}'; }
@test "escape: 0" { bad_with ',"y":"\0"}'; }
@test "escape: a single quote" { bad_with ",\"y\":\"\\'\"}"; }
@test "escape: u with 3 digits" { bad_with ',"y":"\u004"}'; }
@test "escape: u with a letter that is no digit" { bad_with ',"y":"\u00g0"}'; }
@test "escape: u with a sign" { bad_with ',"y":"\u+041"}'; }
@test "escape: u with a space" { bad_with ',"y":"\u 041"}'; }
@test "escape: capital U" { bad_with ',"y":"\U00000041"}'; }
@test "escape: at the end of the header" { bad_with ",\"y\":\"\\"; }
@test "escape: of a raw LF" { bad_with $',"y":"\\\n"}'; }

# bad-header: a known key with null, of another type, or out of range.

@test "cmd missing" { refused_somehow '{"filename":"x","filesize":3,"reply":true}'; }
@test "cmd null" { refused_somehow '{"cmd":null,"filename":"x","filesize":3,"reply":true}'; }
@test "cmd a number" { refused_somehow '{"cmd":5,"filename":"x","filesize":3,"reply":true}'; }
@test "cmd an array" { refused_somehow '{"cmd":["put"],"filename":"x","filesize":3,"reply":true}'; }

# refused_somehow HEADER: bad-header, where there is no command to tell.
refused_somehow() {
    frame "$1" '{"x'
    asked b 2
    serve
    expect 0 'b=2' '{"ok":false,*"error":"bad-header",*"retry":false*' +b:1
}

@test "reply null" { mute '{"cmd":"put","filename":"x","filesize":3,"reply":null}'; }
@test "reply 1" { mute '{"cmd":"put","filename":"x","filesize":3,"reply":1}'; }
@test "reply \"true\"" { mute '{"cmd":"put","filename":"x","filesize":3,"reply":"true"}'; }
@test "reply []" { mute '{"cmd":"put","filename":"x","filesize":3,"reply":[true]}'; }
@test "need null" { bad_header ',"need":null'; }
@test "need a string" { bad_header ',"need":"filename"'; }
@test "need an object" { bad_header ',"need":{"filename":1}'; }
@test "need an array with a number" { bad_header ',"need":["filename",1]'; }
@test "need an array with null" { bad_header ',"need":[null]'; }
@test "need an array in an array" { bad_header ',"need":[["filename"]]'; }
@test "filename missing" { refused put:bad-header '{"cmd":"put","filesize":3,"reply":true}'; }
@test "filename null" { refused put:bad-header '{"cmd":"put","filename":null,"filesize":3,"reply":true}'; }
@test "filename a number" { refused put:bad-header '{"cmd":"put","filename":5,"filesize":3,"reply":true}'; }
@test "filename an array" { refused put:bad-header '{"cmd":"put","filename":["x"],"filesize":3,"reply":true}'; }
@test "filename an object" { refused put:bad-header '{"cmd":"put","filename":{},"filesize":3,"reply":true}'; }
@test "filename true" { refused put:bad-header '{"cmd":"put","filename":true,"filesize":3,"reply":true}'; }
@test "sha256 null" { bad_header ',"sha256":null'; }
@test "sha256 false" { bad_header ',"sha256":false'; }
@test "sha256 a number" { bad_header ',"sha256":5'; }
@test "sha256 empty" { bad_header ',"sha256":""'; }
@test "sha256 of 63 digits" { bad_header ",\"sha256\":\"$(printf '%063d' 1)\""; }
@test "sha256 of 65 digits" { bad_header ",\"sha256\":\"$(printf '%065d' 1)\""; }
@test "sha256 with a letter that is no digit" { bad_header ",\"sha256\":\"$(printf '%063d' 1)g\""; }
@test "mtime null" { bad_header ',"mtime":null'; }
@test "mtime a string" { bad_header ',"mtime":"5"'; }
@test "mtime true" { bad_header ',"mtime":true'; }
@test "mtime -1" { bad_header ',"mtime":-1'; }
@test "mtime 2^33" { bad_header ',"mtime":8589934592'; }
@test "mtime 2^64" { bad_header ',"mtime":18446744073709551616'; }
@test "if_exists null" { bad_header ',"if_exists":null'; }
@test "if_exists a number" { bad_header ',"if_exists":1'; }
@test "if_exists another word" { bad_header ',"if_exists":"maybe"'; }
@test "if_exists in capitals" { bad_header ',"if_exists":"REPLACE"'; }
@test "if_exists empty" { bad_header ',"if_exists":""'; }
@test "size null" { bad_header ',"size":null'; }
@test "size a string" { bad_header ',"size":"3"'; }
@test "size -1" { bad_header ',"size":-1'; }
@test "size 2^53" { bad_header ',"size":9007199254740992'; }
@test "filename with id" { bad_header ',"id":"0123456789abcdef"'; }
@test "filename with offset" { bad_header ',"offset":0'; }
@test "filename with id and offset" { bad_header ',"id":"0123456789abcdef","offset":0'; }

# bad_part KEYS: a put without a file name.
bad_part() { refused put:bad-header "{\"cmd\":\"put\",\"filesize\":3,\"reply\":true,$1}"; }

@test "id without offset" { bad_part '"id":"0123456789abcdef"'; }
@test "offset without id" { bad_part '"offset":0'; }
@test "id null" { bad_part '"id":null,"offset":0'; }
@test "id a number" { bad_part '"id":1234567890123456,"offset":0'; }
@test "id of 15 characters" { bad_part '"id":"0123456789abcde","offset":0'; }
@test "id of 65 characters" { bad_part "\"id\":\"$(printf '%065d' 1)\",\"offset\":0"; }
@test "id with a capital" { bad_part '"id":"0123456789abcdeF","offset":0'; }
@test "id with a slash" { bad_part '"id":"../../../../etc/x","offset":0'; }
@test "offset null" { bad_part '"id":"0123456789abcdef","offset":null'; }
@test "offset a string" { bad_part '"id":"0123456789abcdef","offset":"0"'; }
@test "offset -1" { bad_part '"id":"0123456789abcdef","offset":-1'; }
@test "offset 1.0" { bad_part '"id":"0123456789abcdef","offset":1.0'; }
@test "offset 2^53" { bad_part '"id":"0123456789abcdef","offset":9007199254740992'; }
@test "a part with sha256" { bad_part '"id":"0123456789abcdef","offset":0,"sha256":true'; }
@test "a part with mtime" { bad_part '"id":"0123456789abcdef","offset":0,"mtime":5'; }
@test "a part with if_exists" { bad_part '"id":"0123456789abcdef","offset":0,"if_exists":"reject"'; }
@test "a known key of the wrong type where it is not used" { refused hello:bad-header '{"cmd":"hello","filesize":3,"reply":true,"filename":5}'; }
@test "known keys of the right type where they are not used" {
    for cmd in hello end; do
        frame "{\"cmd\":\"$cmd\",\"reply\":true,\"filename\":\"/x\",\"offset\":900,\"size\":5,\"mtime\":1.5,\"sha256\":true,\"if_exists\":\"keep\"}"
    done
    serve
    expect 0 '' '{"ok":true,"cmd":"hello",*}' '{"ok":true,"cmd":"end","files":0,"failed":0,"bytes":0}'
}
@test "an end that is refused does not end" { refused end:bad-header '{"cmd":"end","filesize":3,"reply":true,"mtime":"now"}'; }

# need: keys that must be understood.

@test "need: nothing" { fine_with ',"need":[]}'; }
@test "need: what every server knows" { fine_with ',"need":["cmd","filename","filesize","reply","need"]}'; }
@test "need: one key nobody knows" { refused put:unsupported:x '{"cmd":"put","filename":"x","filesize":3,"reply":true,"need":["frob"]}'; }
@test "need: known ones and one nobody knows" { refused put:unsupported:x '{"cmd":"put","filename":"x","filesize":3,"reply":true,"need":["filename","frob"],"frob":1}'; }
@test "need: a key in another case" { refused put:unsupported:x '{"cmd":"put","filename":"x","filesize":3,"reply":true,"need":["Filename"]}'; }
@test "need: the empty key" { refused put:unsupported:x '{"cmd":"put","filename":"x","filesize":3,"reply":true,"need":[""]}'; }
@test "need: in a hello" { refused hello:unsupported '{"cmd":"hello","filesize":3,"reply":true,"need":["frob"]}'; }
@test "need: not asked, refused all the same" { mute '{"cmd":"put","filename":"x","filesize":3,"need":["frob"]}'; }
