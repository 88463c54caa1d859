#!/usr/bin/env bats
# put-protocol(7), RECEIPTS: who gets a line, what is in it, and when it comes.

load lib/common

# Nobody is ever sent a byte who did not ask: not even on error.

# silent EXIT LISTING: what was built gets no byte back.
silent() {
    serve
    expect "$1" "$2"
    [[ -z $RAW ]]
}

@test "not asked: a stored file" {
    plain a 1
    silent 0 a=1
}

@test "not asked: reply false" {
    plain a 1 ',"reply":false'
    silent 0 a=1
}

@test "not asked: a refused name" {
    plain ../a 1
    plain b 2
    silent 0 b=2
    logged 2
}

@test "not asked: a bad header" {
    frame '{"cmd":"put","filename":null,"filesize":3}' abc
    plain b 2
    silent 0 b=2
    logged 2
}

@test "not asked: an unknown command" {
    frame '{"cmd":"frob","filesize":3}' abc
    plain b 2
    silent 0 b=2
    logged 2
}

@test "not asked: a key that must be understood" {
    plain a 1 ',"need":["frob"]'
    plain b 2
    silent 0 b=2
}

@test "not asked: hello and end" {
    frame '{"cmd":"hello"}'
    plain b 2
    frame '{"cmd":"end"}'
    silent 0 b=2
}

@test "not asked: a directory at the target" {
    mkdir "$DIR/a"
    plain a 1
    plain b 2
    silent 0 'a/ b=2'
}

@test "not asked: a stream that cannot be read" {
    plain a 1
    text 'what is this, then'
    silent 65 a=1
    logged 2
}

@test "not asked: a stream that cannot be read from its start" {
    text 'what is this, then'
    silent 65 ''
    logged 1
}

@test "not asked: a header that is not JSON, which has reply in it" {
    frame '{"cmd":"put","filename":"a","filesize":1,"reply":true,}' x
    silent 65 ''
}

@test "not asked: a stream cut in a header" {
    plain a 1
    length 50
    text '{"cmd":"put","reply":true'
    silent 65 a=1
}

@test "not asked: a stream cut in a body" {
    plain a 1
    frame '{"cmd":"put","filename":"b","filesize":5}' 1234
    silent 65 a=1
}

@test "not asked: who asks later does not ask for earlier frames" {
    plain a 1
    plain ../b 2
    asked c 3
    plain d 4
    serve
    expect 0 'a=1 c=3 d=4' +c:1
}

# The line without `cmd`, told where an earlier frame asked.

@test "the last line: behind a refused frame that asked" {
    asked ../a 1
    text 'what is this, then'
    serve
    expect 65 '' !put:bad-name !bad-frame
}

@test "the last line: behind a hello that asked" {
    frame '{"cmd":"hello","reply":true}'
    length 0
    serve
    expect 65 '' '{"ok":true,"cmd":"hello",*' !bad-frame
}

@test "the last line: asked long ago" {
    asked a 1
    plain b 2
    plain c 3
    length -1
    serve
    expect 65 'a=1 b=2 c=3' +a:1 !bad-frame
}

@test "the last line: a stream cut in the length" {
    asked a 1
    text 12
    serve
    expect 65 'a=1' +a:1 '{"ok":false,"error":"bad-frame",*'
}

@test "the last line: a stream cut in a header" {
    asked a 1
    length 50
    text '{"cmd":"put"'
    serve
    expect 65 'a=1' +a:1 '{"ok":false,"error":"bad-frame",*'
}

@test "the last line: a stream cut in a body that did not ask" {
    asked a 1
    frame '{"cmd":"put","filename":"b","filesize":5}' 1234
    serve
    expect 65 'a=1' +a:1 '{"ok":false,"error":"*'
}

@test "a body cut short is a mismatch where the frame asked, and that is all" {
    frame '{"cmd":"put","filename":"b","filesize":5,"reply":true}' 1234
    serve
    expect 65 '' !put:mismatch:b
}

@test "a body cut short behind a frame that asked too" {
    asked a 1
    frame '{"cmd":"put","filename":"b","filesize":5,"reply":true}'
    serve
    expect 65 'a=1' +a:1 !put:mismatch:b
}

# What is in a line.

@test "a stored file: the line of the manual" {
    asked a.txt "$(printf '%0123d' 0)"
    serve
    expect 0 'a.txt=(123 bytes)' '{"ok":true,"cmd":"put","filename":"a.txt","filesize":123,"stored":"a.txt","durable":true}'
}

@test "a refusal tells the name, the bad name's is not told" {
    mkdir "$DIR/d"
    asked d 1
    asked d/.. 1
    serve
    expect 0 'd/' !put:exists:d !put:bad-name
}

@test "retry is as the table of errors says: no-space" {
    asked a 1
    serve --min-free=100%
    expect 0 '' !put:no-space:a
}

@test "retry is as the table of errors says: too-large" {
    asked a 12
    serve --max-size=1
    expect 0 '' !put:too-large:a
}

@test "every line is one JSON object, its names are those that were sent" {
    local -a names=('a b' 'a\"b' 'a\\b' '\u00e9' '\ud83d\ude00' '\uffff' "it's" '\/x' '.x')
    local name

    for name in "${names[@]}"; do
        frame "{\"cmd\":\"put\",\"filename\":\"$name\",\"filesize\":1,\"reply\":true}" 1
    done
    plain d 4
    asked d/e 5
    frame '{"cmd":"hello","reply":true}'
    frame '{"cmd":"\u001b[31m\u00e9\"\\","reply":true}'
    frame '{"cmd":"end","reply":true}'
    serve
    [[ $CODE == 0 ]]
    "$PYTHON" - "$T/out" <<'PY'
import json, sys

lines = [json.loads(line) for line in open(sys.argv[1], "rb")]
told = [line["filename"] for line in lines if line["ok"] and line["cmd"] == "put"]
assert told == ["a b", 'a"b', "a\\b", "\u00e9", "\U0001f600", "\uffff", "it's"], told
assert [line["stored"] for line in lines if "stored" in line] == told
assert [line.get("cmd") for line in lines[-4:]] == ["put", "hello", '\x1b[31m\u00e9"\\', "end"]
for line in lines:
    keys = list(line)
    assert keys[:2] == ["ok", "cmd"], keys
    assert line["ok"] or line["cmd"] == "end" or keys[2] == "error", keys
PY
}

@test "compact: no space between the tokens" {
    asked a 1
    asked ../a 1
    frame '{"cmd":"hello","reply":true}'
    frame '{"cmd":"end","reply":true}'
    serve
    [[ $RAW != *': '* && $RAW != *', '* && $RAW != *'{ '* ]]
    ((${#RECEIPTS[@]} == 4))
}

@test "a command of 60000 characters does not make a long line" {
    frame "{\"cmd\":\"$(printf '%060000d' 0)\",\"reply\":true}"
    asked a 1
    serve
    expect 0 'a=1' '{"ok":false,"cmd":"*","error":"unknown-cmd",*' +a:1
}

@test "a command of 10000 escapes does not make a long line" {
    frame "{\"cmd\":\"$(printf '\\u001b%.0s' {1..10000})\",\"reply\":true}"
    asked a 1
    serve
    expect 0 'a=1' '{"ok":false,"cmd":"*","error":"unknown-cmd",*' +a:1
}

@test "a file name of 20000 characters in a bad header does not make a long line" {
    frame "{\"cmd\":\"put\",\"filesize\":0,\"filename\":\"$(printf '\\u00e9%.0s' {1..10000})\",\"reply\":true,\"mtime\":null}"
    asked a 1
    serve
    expect 0 'a=1' '{"ok":false,"cmd":"put","error":"bad-header",*' +a:1
}

# hello

@test "hello: the keys of protocol 1" {
    frame '{"cmd":"hello","reply":true}'
    serve
    expect 0 '' '{"ok":true,"cmd":"hello","protocol":1,"commands":[*],"if_exists":"replace","mkdirs":false,"hidden":false,"durable":true,"stall":60,"keep":*}'
    [[ ${RECEIPTS[0]} =~ \"commands\":\[([^]]*)\] ]]
    for command in put end hello; do
        [[ ",${BASH_REMATCH[1]}," == *",\"$command\","* ]] || fail "no $command"
    done
    [[ ${RECEIPTS[0]} != *max_s* ]]
}

@test "hello: every command it names is served, no other" {
    frame '{"cmd":"hello","reply":true}'
    for command in put commit stat abort end hello frob; do
        [[ $command == end ]] || frame "{\"cmd\":\"$command\",\"filesize\":0,\"reply\":true}"
    done
    serve
    for command in put commit stat abort hello frob; do
        if [[ ${RECEIPTS[0]} == *\[*"\"$command\""*\]* ]]; then
            [[ $RAW != *"\"cmd\":\"$command\",\"error\":\"unknown-cmd\""* ]]
        else
            [[ $RAW == *"\"cmd\":\"$command\",\"error\":\""* ]]
        fi
    done
}

@test "hello: max_size where it is set" {
    frame '{"cmd":"hello","reply":true}'
    serve --max-size=2K
    expect 0 '' '{"ok":true,"cmd":"hello",*,"max_size":2048*}'
}

@test "hello: stall as it is set" {
    frame '{"cmd":"hello","reply":true}'
    serve --stall-timeout=7
    expect 0 '' '{"ok":true,"cmd":"hello",*,"stall":7,*}'
}

@test "hello: durable false where nothing is flushed, in receipts too" {
    frame '{"cmd":"hello","reply":true}'
    asked a 1
    serve --sync=none
    expect 0 'a=1' '{"ok":true,"cmd":"hello",*,"durable":false,*}' '{"ok":true,"cmd":"put","filename":"a","filesize":1,"stored":"a","durable":false}'
}

@test "hello: twice, and between files" {
    frame '{"cmd":"hello","reply":true}'
    asked a 1
    frame '{"cmd":"hello","reply":true}'
    asked b 2
    serve
    expect 0 'a=1 b=2' '{"ok":true,"cmd":"hello",*}' +a:1 '{"ok":true,"cmd":"hello",*}' +b:1
}

# end

ends='{"cmd":"end","reply":true}'

@test "end: nothing came" {
    frame "$ends"
    serve
    expect 0 '' '{"ok":true,"cmd":"end","files":0,"failed":0,"bytes":0}'
}

@test "end: files and bytes count those that did not ask" {
    plain a 12345
    asked b 678
    plain c ''
    frame "$ends"
    serve
    expect 0 'a=12345 b=678 c=' +b:3 '{"ok":true,"cmd":"end","files":3,"failed":0,"bytes":8}'
}

@test "end: a file that is replaced counts each time" {
    plain a 12345
    plain a 678
    frame "$ends"
    serve
    expect 0 'a=678' '{"ok":true,"cmd":"end","files":2,"failed":0,"bytes":8}'
}

@test "end: a refused put is failed" {
    plain a 12345
    plain ../b 678
    frame "$ends"
    serve
    expect 0 'a=12345' '{"ok":false,"cmd":"end",*"files":1,"failed":1,"bytes":5}'
}

@test "end: bad headers, unknown commands and keys are failed" {
    frame '{}'
    frame '{"cmd":"put","filename":5,"filesize":1}' x
    frame '{"cmd":"frob","filesize":1}' x
    frame '{"cmd":"hello","need":["frob"]}'
    frame '{"cmd":"hello","reply":7}'
    plain d/a x
    frame "$ends"
    serve
    expect 0 '' '{"ok":false,"cmd":"end",*"files":0,"failed":6,"bytes":0}'
}

@test "end: hello and end do not count" {
    frame '{"cmd":"hello"}'
    frame '{"cmd":"hello"}'
    plain a 1
    frame "$ends"
    serve
    expect 0 'a=1' '{"ok":true,"cmd":"end","files":1,"failed":0,"bytes":1}'
}

@test "end: what follows is discarded: a frame" {
    plain a 1
    frame "$ends"
    asked b 2
    serve
    expect 0 'a=1' '{"ok":true,"cmd":"end","files":1,"failed":0,"bytes":1}'
}

@test "end: what follows is discarded: no frame at all" {
    plain a 1
    frame "$ends"
    text 'what is this, then'
    serve
    expect 0 'a=1' '{"ok":true,"cmd":"end","files":1,"failed":0,"bytes":1}'
}

@test "end: what follows is discarded: a megabyte" {
    frame "$ends"
    head -c 1000000 /dev/zero >>"$IN"
    serve
    expect 0 '' '{"ok":true,"cmd":"end","files":0,"failed":0,"bytes":0}'
}

@test "end: without reply it ends all the same" {
    asked a 1
    frame '{"cmd":"end"}'
    asked b 2
    serve
    expect 0 'a=1' +a:1
}

@test "end: with a body" {
    plain a 1
    frame '{"cmd":"end","filesize":5,"reply":true}' 12345
    serve
    expect 0 'a=1' '{"ok":true,"cmd":"end","files":1,"failed":0,"bytes":1}'
}

@test "end: what a script looks for" {
    plain a 1
    frame "$ends"
    serve
    grep -q '^{"ok":true,"cmd":"end"' "$T/out"
    : >"$IN"
    plain ../a 1
    frame "$ends"
    serve
    run ! grep -q '^{"ok":true,"cmd":"end"' "$T/out"
}

# Order, and when a line comes. A dialogue reads a line before it goes on, so it
# ends only where the line does not wait for more of the stream.

@test "receipts come in the order of the frames" {
    asked a 1
    asked ../x 2
    asked b 3
    frame '{"cmd":"frob","reply":true}'
    frame '{"cmd":"hello","reply":true}'
    plain c 4
    asked d 5
    frame '{"reply":true,"cmd":"put","filesize":1}' x
    frame "$ends"
    serve
    expect 0 'a=1 b=3 c=4 d=5' +a:1 !put:bad-name +b:1 !frob:unknown-cmd \
        '{"ok":true,"cmd":"hello",*}' +d:1 !put:bad-header \
        '{"ok":false,"cmd":"end",*"files":4,"failed":3,"bytes":4}'
}

put_a='frame={"cmd":"put","filename":"a","filesize":1,"reply":true}'

@test "a receipt comes while the stream stays open" {
    dialogue "$put_a" bytes=1 line "$put_a" bytes=2 line shut ended
    expect 0 'a=2' +a:1 +a:1
}

@test "a receipt comes while the stream stays open, over a socket" {
    dialogue --socket "$put_a" bytes=1 line "$put_a" bytes=2 line shut ended
    expect 0 'a=2' +a:1 +a:1
}

@test "the file is there when its receipt comes, though the stream goes on" {
    dialogue "$put_a" bytes=1 line "exists=$DIR/a" shut ended
    expect 0 'a=1' +a:1
}

@test "a file nobody asked about is there before the stream ends" {
    dialogue 'frame={"cmd":"put","filename":"a","filesize":1}' bytes=1 "exists=$DIR/a" shut ended
    expect 0 'a=1'
}

@test "a refusal comes before the body: its bytes are skipped then" {
    dialogue 'frame={"cmd":"put","filename":"../a","filesize":3,"reply":true}' \
        line bytes=123 "$put_a" bytes=4 line shut ended
    expect 0 'a=4' !put:bad-name +a:1
}

@test "a refusal comes before the body: the client may end the stream" {
    dialogue 'frame={"cmd":"put","filename":"../a","filesize":3,"reply":true}' line shut ended
    expect 0 '' !put:bad-name
}

@test "a refusal comes before the body: each kind of it" {
    mkdir "$DIR/d"
    dialogue --options=--max-size=2 \
        'frame={"cmd":"put","filename":"a","filesize":3,"reply":true}' line bytes=123 \
        'frame={"cmd":"put","filename":"d","filesize":2,"reply":true}' line bytes=12 \
        'frame={"cmd":"put","filename":5,"filesize":3,"reply":true}' line bytes=123 \
        'frame={"cmd":"frob","filesize":3,"reply":true}' line bytes=123 \
        'frame={"cmd":"put","filename":"a","filesize":1,"reply":true,"need":["frob"]}' line bytes=1 \
        'frame={"cmd":"put","filename":"x/a","filesize":1,"reply":true}' line bytes=1 \
        "$put_a" bytes=4 line shut ended
    expect 0 'a=4 d/' !put:too-large:a !put:exists:d !put:bad-header \
        !frob:unknown-cmd !put:unsupported:a !put:bad-name +a:1
}

@test "earlier receipts come before a refusal" {
    dialogue "$put_a" bytes=1 'frame={"cmd":"frob","filesize":1000,"reply":true}' \
        line line shut ended
    expect 0 'a=1' +a:1 !frob:unknown-cmd
}

@test "a bad frame is told while the client's side is still open" {
    dialogue "$put_a" bytes=1 line bytes=xxxxxxxx line shut ended
    expect 65 'a=1' +a:1 !bad-frame
}

@test "the last line is not lost to a reset: unread input over a socket" {
    dialogue --socket "$put_a" bytes=1 bytes=xxxx zeros=100000 line line ended
    expect 65 'a=1' +a:1 !bad-frame
}

@test "end closes while the client's side is still open" {
    dialogue --socket "$put_a" bytes=1 "frame=$ends" line line ended-held
    expect 0 'a=1' +a:1 '{"ok":true,"cmd":"end","files":1,"failed":0,"bytes":1}'
}

@test "end: the summary is not lost to what follows it" {
    dialogue --socket "frame=$ends" zeros=200000 line ended
    expect 0 '' '{"ok":true,"cmd":"end","files":0,"failed":0,"bytes":0}'
}

@test "a thousand receipts that are read late" {
    local -i i

    for ((i = 0; i < 1000; i++)); do asked a "$i"; done
    serve
    [[ $CODE == 0 && $LISTING == a=999 ]] || fail "not all"
    ((${#RECEIPTS[@]} == 1000))
    judge "${RECEIPTS[999]}" +a:3
}

# More of them at once than are sent at once.
@test "receipts of 250 names of 250 bytes, pipelined" {
    local -i i

    printf -v long '%0247d' 0
    for ((i = 100; i < 350; i++)); do asked "$long$i" x; done
    serve_from "$IN"
    [[ $CODE == 0 ]] && ((${#RECEIPTS[@]} == 250))
    for ((i = 100; i < 350; i++)); do judge "${RECEIPTS[i - 100]}" "+$long$i:1" || fail "not stored"; done
}

@test "a client that goes away without reading: its files are whole or not there" {
    dialogue --socket "$put_a" bytes=1 deaf "$put_a" bytes=2 \
        'frame={"cmd":"put","filename":"b","filesize":3,"reply":true}' bytes=345 shut ended
    [[ $LISTING == @(|a=1|a=2|a=2 b=345) ]] || fail "expected whole files"
}

@test "stdout that takes nothing: the file is there, exit 74" {
    asked a 1
    CODE=0
    "$PUTD" "${OPTIONS[@]}" "$DIR" <"$IN" >/dev/full 2>"$T/err" || CODE=$?
    list "$DIR"
    [[ $CODE == 74 && $LISTING == a=1 ]] || fail "expected exit status 74"
}

@test "stdout that is closed is not mistaken for the file" {
    asked a 1
    asked b 2
    CODE=0
    "$PUTD" "${OPTIONS[@]}" "$DIR" <"$IN" >&- 2>"$T/err" || CODE=$?
    list "$DIR"
    [[ $LISTING == @(|a=1|a=1 b=2) ]] || fail "expected nothing but the files"
}

@test "stdin, stdout and stderr closed" {
    CODE=0
    "$PUTD" "${OPTIONS[@]}" "$DIR" <&- >&- 2>&- || CODE=$?
    list "$DIR"
    [[ $CODE -lt 128 && -z $LISTING ]]
}
