#!/usr/bin/env bats
# put-protocol(7), FRAME: the length field, what a body is, and that the stream
# stays in step whatever a frame says.

load lib/common

# The length field. A stream that cannot be read ends with the line without
# `cmd`, which only those are told who asked before.

@test "nothing at all is served" {
    serve
    expect 0 ''
    logged 0
}

# length_refused N: as the length of a second frame.
length_refused() {
    asked a 1
    length "$1"
    text '{}' '{"cmd":"hello","reply":true}'
    asked b 2
    serve
    expect 65 'a=1' +a:1 !bad-frame
    logged 2
}

@test "length -1" { length_refused -1; }
@test "length -2147483648" { length_refused -2147483648; }
@test "length 0" { length_refused 0; }
@test "length 1" { length_refused 1; }
@test "length 65537" { length_refused 65537; }
@test "length 131072" { length_refused 131072; }
@test "length 16777216" { length_refused 16777216; }
@test "length 2147483647" { length_refused 2147483647; }
@test "length 2 is a header: {} is refused and skipped" {
    frame '{}'
    asked a 1
    serve
    expect 0 'a=1' +a:1
}

@test "length 2 that is no object" {
    asked a 1
    frame '[]'
    asked b 2
    serve
    expect 65 'a=1' +a:1 !bad-frame
}

@test "length in the wrong order of bytes" {
    escaped '\0\0\0\0057{"cmd":"put","filename":"a","filesize":1} '
    text xxxxx
    serve
    expect 65 ''
}

@test "text that is no frame" {
    text $'GET / HTTP/1.0\r\n\r\n'
    serve
    expect 65 ''
    logged 1
}

@test "a length of 65536 is a header" {
    printf -v pad '%65536s' '{"cmd":"put","filename":"a","filesize":1,"reply":true}'
    frame "$pad" x
    asked b 2
    serve
    expect 0 'a=x b=2' +a:1 +b:1
}

@test "a header of 65536 bytes, half of it one unknown key" {
    printf -v long '%032768d' 0
    printf -v pad '%-65536s' "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":1,\"reply\":true,\"x\":\"$long\"}"
    frame "$pad" x
    serve
    expect 0 'a=x' +a:1
}

@test "a well-formed object in a header of 65537 bytes" {
    printf -v pad '%-65537s' '{"cmd":"put","filename":"a","filesize":1,"reply":true}'
    frame "$pad" x
    serve
    expect 65 ''
}

# One of them lies across the end of what is read at once.
@test "thirty headers of 65536 bytes, pipelined" {
    local -i i

    printf -v pad '%-65536s' '{"cmd":"hello"}'
    for ((i = 0; i < 30; i++)); do
        frame "$pad"
    done
    asked a 1
    serve_from "$IN"
    expect 0 'a=1' +a:1
}

# Headers padded by a shell.
padded() { printf '\0\1\0\0%-256s' "$1" >>"$IN"; }
@test "the padded header of the manual" {
    padded '{"cmd":"put","filename":"a.txt","filesize":5}'
    text hello
    serve
    expect 0 'a.txt=hello'
}

@test "padded headers, one after another" {
    padded '{"cmd":"put","filename":"a.txt","filesize":5}'
    text hello
    padded '{"cmd":"put","filename":"b.txt","filesize":0}'
    padded '{"cmd":"end","reply":true}'
    serve
    expect 0 'a.txt=hello b.txt=' '{"ok":true,"cmd":"end","files":2,"failed":0,"bytes":5}'
}

# Bodies.
@test "a put in the legacy form" {
    frame '{"cmd":"put","filename":"a.txt","filesize":3}' abc
    serve
    expect 0 'a.txt=abc'
}

@test "a put of 0 bytes" {
    asked a ''
    serve
    expect 0 'a=' +a:0
}

@test "a body that looks like a frame is a body" {
    asked a '....{"cmd":"put","filename":"b","filesize":0}'
    serve
    expect 0 'a=....{"cmd":"put","filename":"b","filesize":0}' +a:45
}

@test "two puts in one stream" {
    plain a 1
    plain b 22
    serve
    expect 0 'a=1 b=22'
}

@test "the same name twice: the second one stays" {
    asked a first
    asked a second
    serve
    expect 0 'a=second' +a:5 +a:6
}

@test "a hundred puts in one stream" {
    local -a want=()
    local -i i
    for ((i = 100; i < 200; i++)); do
        asked "f$i" "$i"
        want+=("f$i=$i")
    done
    serve
    ((${#RECEIPTS[@]} == 100))
    for ((i = 100; i < 200; i++)); do judge "${RECEIPTS[i - 100]}" "+f$i:3"; done
    [[ $CODE == 0 ]]
    [[ $LISTING == "${want[*]}" ]] || fail "not all of them"
}

@test "bytes of every value arrive as they are" {
    local -i i
    frame '{"cmd":"put","filename":"a","filesize":512}'
    : >"$T/all"
    for ((i = 0; i < 512; i++)); do
        printf -v octal '\\0%03o' $((i & 255))
        printf '%b' "$octal" >>"$T/all"
    done
    cat "$T/all" >>"$IN"
    plain b 2
    serve
    [[ $CODE == 0 ]]
    cmp "$T/all" "$DIR/a"
    cmp <(printf 2) "$DIR/b"
}

# Sizes around what a program may read at once.
@test "bodies of 4095 to 1048577 bytes, pipelined" {
    local -i n
    local -a sizes=(4095 4096 4097 8191 8192 8193 65535 65536 65537 262144 1048575 1048576 1048577)
    head -c 1048577 /dev/urandom >"$T/random"
    for n in "${sizes[@]}"; do
        frame "{\"cmd\":\"put\",\"filename\":\"f$n\",\"filesize\":$n,\"reply\":true}"
        head -c "$n" "$T/random" >>"$IN"
    done
    serve
    [[ $CODE == 0 ]] || fail "expected exit status 0"
    ((${#RECEIPTS[@]} == ${#sizes[@]})) || fail "a receipt is missing"
    for n in "${sizes[@]}"; do
        cmp <(head -c "$n" "$T/random") "$DIR/f$n"
    done
}

@test "a file that is shorter than the one it replaces" {
    head -c 300000 /dev/zero >"$DIR/a"
    asked a short
    serve
    expect 0 'a=short' +a:5
}

# Framing never depends on meaning: the body of what is refused is skipped.
@test "an unknown command's body is skipped" {
    frame '{"cmd":"frob","filesize":5,"reply":true}' 12345
    asked a 1
    serve
    expect 0 'a=1' !frob:unknown-cmd +a:1
}

@test "an unknown command's body that looks like a frame is skipped" {
    frame '{"cmd":"frob","filesize":50}'
    length 46
    text '{"cmd":"put","filename":"evil","filesize":0}  '
    asked a 1
    serve
    expect 0 'a=1' +a:1
}

@test "an unknown command without a body" {
    frame '{"cmd":"frob","reply":true}'
    asked a 1
    serve
    expect 0 'a=1' !frob:unknown-cmd +a:1
}

@test "an unknown command of one megabyte" {
    frame '{"cmd":"frob","filesize":1048576,"reply":true}'
    head -c 1048576 /dev/zero >>"$IN"
    asked a 1
    serve
    expect 0 'a=1' !frob:unknown-cmd +a:1
}

@test "a refused name's body is skipped" {
    asked ../a 12345
    asked b 2
    serve
    expect 0 'b=2' !put:bad-name +b:1
}

@test "hello with a body" {
    frame '{"cmd":"hello","filesize":5,"reply":true}' 12345
    asked a 1
    serve
    expect 0 'a=1' '{"ok":true,"cmd":"hello",*}' +a:1
}

@test "a missing cmd is refused, its body skipped" {
    frame '{"filesize":5}' 12345
    asked a 1
    serve
    expect 0 'a=1' +a:1
}

@test "the empty command is unknown" {
    frame '{"cmd":"","filesize":2,"reply":true}' 12
    asked a 1
    serve
    expect 0 'a=1' !:unknown-cmd +a:1
}

@test "commands are told apart by case" {
    frame '{"cmd":"PUT","filename":"x","filesize":2,"reply":true}' 12
    asked a 1
    serve
    expect 0 'a=1' !PUT:unknown-cmd +a:1
}

# Uploads by id are not served everywhere; they never break the framing.
@test "a part of a file is never published" {
    frame '{"cmd":"put","id":"0123456789abcdef","offset":0,"filesize":2}' 12
    asked a 1
    serve --log=none
    [[ $CODE == 0 && $LISTING == *a=1 ]]
    judge "${RECEIPTS[0]}" +a:1
}

@test "stat, abort and commit of an unknown id are refused" {
    local command
    for command in stat abort commit; do
        frame "{\"cmd\":\"$command\",\"id\":\"0123456789abcdef\",\"filename\":\"f\",\"size\":2,\"filesize\":2}" 12
    done
    asked a 1
    serve
    expect 0 'a=1' +a:1
}

@test "a digest that does not match publishes nothing" {
    printf -v digest '%064d' 7
    asked a 1 ",\"sha256\":\"$digest\""
    asked b 2
    serve
    [[ $CODE == 0 && $LISTING == 'b=2' ]]
    [[ ${RECEIPTS[0]} == '{"ok":false,"cmd":"put","error":'* ]]
    judge "${RECEIPTS[1]}" +b:1
}

@test "if_exists reject never replaces" {
    echo -n old >"$DIR/a"
    asked a new ',"if_exists":"reject"'
    asked b 2
    serve
    [[ $CODE == 0 && $LISTING == 'a=old b=2' ]]
    [[ ${RECEIPTS[0]} == '{"ok":false,"cmd":"put","error":'* ]]
    judge "${RECEIPTS[1]}" +b:1
}
