#!/usr/bin/env bats
# The end of a stream, wherever it falls: between frames it is the normal end,
# inside one nothing of that frame is ever visible.

load lib/common
load lib/peer_common

# cut_everywhere FIRST SECOND: the stream of two puts ("a", 5 bytes; "b", 5
# bytes) is ended at each of its bytes; FIRST and SECOND are `asked` or `plain`.
cut_everywhere() {
    local -i one two header cut
    local -a told=()

    "$1" a 12345
    one=$(stat -c %s "$IN")
    "$2" b 67890
    two=$(stat -c %s "$IN")
    header=$((two - 5))
    mv "$IN" "$T/whole"
    [[ $1 != asked ]] || told=(+a:5)
    for ((cut = 0; cut <= two; cut++)); do
        head -c "$cut" "$T/whole" >"$IN"
        serve
        if ((cut == 0)); then
            expect 0 ''
        elif ((cut < one - 5)); then
            expect 65 ''
        elif ((cut < one)); then
            cut_in_body "$1" a ''
        elif ((cut == one)); then
            expect 0 'a=12345' "${told[@]}"
        elif ((cut < header)); then
            [[ $1 == plain ]] || told=(+a:5 !bad-frame)
            expect 65 'a=12345' "${told[@]}"
        elif ((cut < two)); then
            [[ $1 == plain ]] || told=(+a:5)
            cut_in_body "$2" b 'a=12345' "${told[@]}"
        else
            [[ $2 == plain ]] || told+=(+b:5)
            expect 0 'a=12345 b=67890' "${told[@]}"
        fi
        rm -rf "$DIR" && mkdir "$DIR"
    done
}

# cut_in_body HOW NAME LISTING [RECEIPT]...: after the receipts before it.
cut_in_body() {
    if [[ $1 == asked ]]; then
        expect 65 "$3" "${@:4}" "!put:mismatch:$2"
    elif (($# > 3)); then
        expect 65 "$3" "${@:4}" '{"ok":false,"error":"*'
    else
        expect 65 "$3"
    fi
}

@test "the stream ends at every byte of two frames, nobody asked" { cut_everywhere plain plain; }
@test "the stream ends at every byte of two frames, both asked" { cut_everywhere asked asked; }
@test "the stream ends at every byte of two frames, the first asked" { cut_everywhere asked plain; }
@test "the stream ends at every byte of two frames, the second asked" { cut_everywhere plain asked; }

# cut_at ASKED SIZE CUT: a large body, cut.
cut_at() {
    frame "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":$1}"
    head -c "$2" /dev/zero >>"$IN"
    serve
    expect 65 ''
    logged 1
}

@test "a body of 1 MiB without its last byte" { cut_at 1048576 1048575; }
@test "a body of 10 MiB without its last byte" { cut_at 10485760 10485759; }
@test "a body of 10 MiB of which nothing came" { cut_at 10485760 0; }
@test "a body of 10 MiB of which 4096 bytes came" { cut_at 10485760 4096; }
@test "a cut body leaves the old file as it was" {
    echo -n old >"$DIR/a"
    frame '{"cmd":"put","filename":"a","filesize":5,"reply":true}' 1234
    serve
    expect 65 'a=old' !put:mismatch:a
}

@test "a cut body in a directory leaves nothing there" {
    mkdir "$DIR/d"
    frame '{"cmd":"put","filename":"d/a","filesize":5}' 1234
    serve
    expect 65 'd/'
}

# The body of a refused frame may be left out.

@test "the end inside the body of a refused name is a normal end" {
    frame '{"cmd":"put","filename":"../a","filesize":500,"reply":true}' 1234
    serve
    expect 0 '' !put:bad-name
}

@test "the end inside the body of a bad header is a normal end" {
    frame '{"cmd":"put","filename":null,"filesize":500,"reply":true}'
    serve
    expect 0 '' !put:bad-header
}

@test "the end inside the body of an unknown command is a normal end" {
    asked a 1
    frame '{"cmd":"frob","filesize":500}' 1234
    serve
    expect 0 'a=1' +a:1
}

# reset_in EXIT STEP...: the peer goes away with a receipt unread, which TCP
# tells as a reset.
reset_in() {
    meet --over=tcp4 'frame={"cmd":"put","filename":"a","filesize":1,"reply":true}' bytes=1 \
        "${@:2}" read asleep close ended
    expect "$1" 'a=1'
}

@test "a reset between frames is the normal end" { reset_in 0; }
@test "a reset inside a length" { reset_in 65 bytes=12; }
@test "a reset inside a body" {
    reset_in 65 'frame={"cmd":"put","filename":"b","filesize":5}' bytes=1234
}

# One byte at a time: what is read at once is not a frame's business.
byte_by_byte() {
    "$PYTHON" -c 'import os, sys
for byte in open(sys.argv[1], "rb").read():
    os.write(1, bytes((byte,)))' "$1"
}

@test "two frames, a byte at a time" {
    asked a 12345
    asked b 67890
    mv "$IN" "$T/whole"
    serve_from <(byte_by_byte "$T/whole")
    expect 0 'a=12345 b=67890' +a:5 +b:5
}

@test "stdin is a file" {
    asked a 12345
    asked b 67890
    serve_from "$IN"
    expect 0 'a=12345 b=67890' +a:5 +b:5
}

@test "stdin is /dev/null" {
    serve_from /dev/null
    expect 0 ''
    logged 0
}
