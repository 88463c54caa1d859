#!/usr/bin/env bats
# The legacy stream, both ways, over TCP: senders and receivers that know
# nothing but length, header and bytes (lib/legacy_sender.py, legacy_receiver.py).

load lib/common

BIG=$((300 * 1024 * 1024))

# pseudo_random FILE SIZE: bytes of every value, in lines of up to 9000 bytes,
# no two blocks alike.
pseudo_random() {
    "$PYTHON" - "$1" "$2" <<'PY'
import random, struct, sys

path, left = sys.argv[1], int(sys.argv[2])
random.seed(left)
block = bytearray(random.randbytes(1 << 20).replace(b"\n", b"\r"))
at = 0
while at < len(block):
    block[at] = 10
    at += random.randrange(1, 9000)
with open(path, "wb") as out:
    for n in range(0, left, 1 << 20):
        block[:8] = struct.pack("<q", n)
        out.write(block[: left - n])
PY
}

setup_file() {
    local -i size

    mkdir "$BATS_FILE_TMPDIR/files"
    for size in 0 1 8191 8192 8193; do
        pseudo_random "$BATS_FILE_TMPDIR/files/f$size" $size
    done
    pseudo_random "$BATS_FILE_TMPDIR/files/big" $BIG
    printf 'one\ntwo\r\n\nno newline' >"$BATS_FILE_TMPDIR/files/a text, caf"$'\xc3\xa9'
}

setup() {
    common_setup
    FILES=$BATS_FILE_TMPDIR/files
    TEXT='a text, caf'$'\xc3\xa9'
}

teardown() {
    common_teardown
    rm -rf "$DIR"
}

# handler [OPTION]...: putd on one TCP connection, on port $PORT.
handler() {
    background "$PYTHON" "$LIB/inetd.py" "$T/port" \
        "$PUTD" "${OPTIONS[@]}" "$@" "$DIR" 2>"$T/err"
    until_true test -e "$T/port"
    read -r PORT <"$T/port"
}

sender() {
    timeout 60 "$PYTHON" "$LIB/legacy_sender.py" "$@" 3>&-
}

receiver() {
    background "$PYTHON" "$LIB/legacy_receiver.py" "$DIR" "$T/port" "$T/log" 2>"$T/err"
    until_true test -e "$T/port"
    read -r PORT <"$T/port"
}

# put ARG...: the client, bounded; what it said in $SAID.
put() {
    CODE=0
    timeout 100 "$PUT" "$@" </dev/null >"$T/out" 2>&1 3>&- || CODE=$?
    SAID=$(<"$T/out")
}

# same NAME...: byte for byte; and there is nothing else.
same() {
    local name
    local -a there

    for name in "$@"; do cmp "$FILES/$name" "$DIR/$name"; done
    shopt -s dotglob nullglob
    there=("$DIR"/*)
    shopt -u dotglob nullglob
    [[ -e $DIR/.putd ]] && rmdir "$DIR/.putd" && unset 'there[0]'
    ((${#there[@]} == $#)) || fail "more than was sent: ${there[*]}"
}

# A legacy sender, to putd.

# from_sender [OPTION]... -- NAME...: all arrive, and it is not sent a byte.
from_sender() {
    local -a how=()

    while [[ $1 != -- ]]; do
        how+=("$1")
        shift
    done
    shift
    handler
    sender ${how[@]+"${how[@]}"} --expect-silence "$PORT" "${@/#/$FILES/}"
    background_status
    same "$@"
    [[ $CODE == 0 ]] || fail "expected exit status 0"
    [[ $(wc -l <"$T/err") == "$#" ]] || fail "expected $# lines: $(<"$T/err")"
}

@test "from a legacy sender: 0 bytes" { from_sender -- f0; }
@test "from a legacy sender: 1 byte" { from_sender -- f1; }
@test "from a legacy sender: 8191 bytes" { from_sender -- f8191; }
@test "from a legacy sender: 8192 bytes" { from_sender -- f8192; }
@test "from a legacy sender: 8193 bytes" { from_sender -- f8193; }
@test "from a legacy sender: text, and a name that it escapes" { from_sender -- "$TEXT"; }
@test "from a legacy sender: several on one connection" { from_sender -- f0 f1 f8191 f8192 f8193 "$TEXT"; }
@test "from a legacy sender: in any order" { from_sender -- f8193 f0 "$TEXT" f8192 f1 f8191; }
@test "from a legacy sender: pipelined, headers in the segments of bodies" { from_sender --pipelined -- f8193 f0 "$TEXT" f8192 f1 f8191; }
@test "from a legacy sender: 300 MiB" { from_sender -- big; }
@test "from a legacy sender: 300 MiB among others, pipelined" { from_sender --pipelined -- f1 big f0 f8193; }

@test "from a legacy sender that goes without a word, as they do" {
    handler
    sender "$PORT" "$FILES/f8192" "$FILES/f1"
    background_status
    same f8192 f1
    [[ $CODE == 0 ]]
}

@test "from a legacy sender at its prompt: each file is there while it waits" {
    handler
    mkfifo "$T/prompt"
    sender --expect-silence "$PORT" <"$T/prompt" &
    PIDS+=($!)
    local pid=$!
    exec 9>"$T/prompt"
    echo "$FILES/f8193" >&9
    until_true test -e "$DIR/f8193"
    cmp "$FILES/f8193" "$DIR/f8193"
    echo "$FILES/f0" >&9
    until_true test -e "$DIR/f0"
    echo "$FILES/$TEXT" >&9
    until_true test -e "$DIR/$TEXT"
    exec 9>&-
    wait "$pid"
    background_status
    same f8193 f0 "$TEXT"
    [[ $CODE == 0 ]]
}

@test "from a legacy sender: refused names get no byte, the others arrive" {
    handler
    mkdir "$T/sent"
    cp "$FILES/f1" "$T/sent/.hidden"
    cp "$FILES/f8192" "$T/sent/"$'esc\e[31m'
    sender --expect-silence "$PORT" "$FILES/f8191" "$T/sent/.hidden" \
        "$T/sent/"$'esc\e[31m' "$FILES/f8193"
    background_status
    same f8191 f8193
    [[ $CODE == 0 ]]
}

@test "from a legacy sender: no byte also where it is too large" {
    handler --max-size=8192
    sender --expect-silence --pipelined "$PORT" "$FILES/f8192" "$FILES/f8193" "$FILES/f1"
    background_status
    same f8192 f1
    [[ $CODE == 0 ]]
}

@test "from a legacy sender that breaks off: nothing of that file" {
    handler
    plain whole 123
    frame '{"cmd":"put","filename":"cut","filesize":100000}' 'not all of it'
    exec 9<>"/dev/tcp/127.0.0.1/$PORT"
    cat "$IN" >&9
    until_true test -e "$DIR/whole"
    exec 9>&-
    background_status
    list "$DIR"
    [[ $CODE == 65 && $LISTING == whole=123 ]] || fail "expected exit status 65"
}

# put, to a legacy receiver.

# to_receiver NAME...: all arrive.
to_receiver() {
    receiver
    put --legacy -s "127.0.0.1:$PORT" "${@/#/$FILES/}"
    [[ $CODE == 0 ]] || fail "put ended with $CODE: $SAID"
    [[ $SAID == *sent* && $SAID != *stored* ]] || fail "put said: $SAID"
    until_true received "$#"
    same "$@"
}

received() {
    [[ $(grep -c '^received ' "$T/log") == "$1" ]]
}

@test "to a legacy receiver: 0 bytes" { to_receiver f0; }
@test "to a legacy receiver: 1 byte" { to_receiver f1; }
@test "to a legacy receiver: 8191 bytes" { to_receiver f8191; }
@test "to a legacy receiver: 8192 bytes" { to_receiver f8192; }
@test "to a legacy receiver: 8193 bytes" { to_receiver f8193; }
@test "to a legacy receiver: several files" { to_receiver f8193 f0 "$TEXT" f8192 f1 f8191; }
@test "to a legacy receiver: 300 MiB, and others behind it" { to_receiver f1 big f0 f8193; }

# no_answer NAME [WORD]: without --legacy put ends, and claims nothing.
no_answer() {
    receiver
    put --timeout=1 -s "127.0.0.1:$PORT" "$FILES/$1"
    [[ $CODE == 75 ]] || fail "put ended with $CODE: $SAID"
    [[ -n $SAID && $SAID == *"${2-}"* ]] || fail "put said: $SAID"
    [[ $SAID != *stored* ]] || fail "put said: $SAID"
}

@test "to a legacy receiver without --legacy: 8193 bytes" { no_answer f8193 --legacy; }
@test "to a legacy receiver without --legacy: 300 MiB" { no_answer big --legacy; }
@test "to a legacy receiver without --legacy: 0 bytes, the next frame is its end" { no_answer f0; }
@test "put --legacy to putd, which answers nothing then" {
    handler
    put --legacy -s "127.0.0.1:$PORT" "$FILES/f8193"
    [[ $CODE == 0 && $SAID == *sent* ]] || fail "put ended with $CODE: $SAID"
    background_status
    same f8193
    [[ $CODE == 0 ]]
}
