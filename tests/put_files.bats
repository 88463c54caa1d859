#!/usr/bin/env bats
# put, and files that cannot be sent, or that change while they are sent.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # shared with lib/put_common.bash

load lib/common
load lib/put_common

setup() { put_setup; }

# --- files that cannot be sent ---------------------------------------------------

@test "missing, directory, fifo, socket, device: a line each, the others are sent" {
    mkdir dir
    mkfifo fifo
    "$PYTHON" -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
    server honest
    put -s "$SERVER" nope a dir fifo b sock /dev/null c '' a/ dir/.
    [[ $STATUS == 1 && ${#ERR[@]} == 11 ]]
    # Receipts and complaints come as they happen.
    said "nope: cannot be read: No such file or directory"
    said "dir: not sent: is a directory"
    said "fifo: not sent: is a fifo, not a regular file"
    said "sock: not sent: is a socket, not a regular file"
    said "/dev/null: not sent: is a device, not a regular file"
    said ": cannot be read: No such file or directory"
    said "a/: cannot be read: Not a directory"
    said "dir/.: not sent: is a directory"
    said "a: stored, 6 bytes"
    said "b: stored, 7 bytes"
    said "c: stored, 7 bytes"
    kept a b c
}

said() { grep -qxF -- "$1" "$T/err" || fail "not said: $1"; }

@test "a file that cannot be opened, and one that cannot be read" {
    server honest
    put -s "$SERVER" /proc/self/mem a
    ended 1 "/proc/self/mem: cannot be read: Input/output error" "a: stored, 6 bytes"
    if [[ $EUID != 0 ]]; then
        chmod 0 b
        put -s "$SERVER" b
        ended 1 "b: cannot be read: Permission denied"
    fi
}

@test "where no file can be sent, no connection is made" {
    server honest
    put -s "$SERVER" nope
    ended 1 "nope: cannot be read: No such file or directory"
    saw_not connection
}

@test "a file too large for the protocol" {
    truncate -s 8E huge 2>/dev/null || truncate -s 9P huge 2>/dev/null ||
        huge_on_tmpfs
    put "${HUGE:-huge}"
    ended 1 "${HUGE:-huge}: not sent: is larger than the protocol can tell"
}

huge_on_tmpfs() {
    HUGE=$(mktemp /dev/shm/put.XXXXXX) || skip "no large sparse file here"
    truncate -s 9P "$HUGE" || {
        rm "$HUGE"
        skip "no large sparse file here"
    }
}

teardown() {
    [[ -z ${HUGE-} ]] || rm -f "$HUGE"
    common_teardown
}

@test "names that cannot be sent get a line, and the others are sent" {
    local long

    printf -v long '%0256d' 0
    touch $'\xff' $'a\nb' $'\xc2\x9bm'
    server honest
    put -s "$SERVER" $'\xff' $'a\nb' $'\xc2\x9bm' a
    ended 1 '\xff: not sent: its name is not UTF-8' \
        'a\x0ab: not sent: its name has a control character' \
        '\u009bm: not sent: its name has a control character' \
        "a: stored, 6 bytes"
    for name in '' / /a a//b a/ . .. ../a a/../b ./a a/.; do
        put -s "$SERVER" -n "$name" a
        ended 1 "a: not sent: its name is empty or absolute, or has an empty, '.' or '..' component"
    done
    put -s "$SERVER" -n "$long" a
    ended 1 "a: not sent: its name is longer than 4095 bytes, or 255 between slashes"
    kept a
}

@test "the longest name, of 4095 bytes that all need escapes" {
    local name i part

    printf -v part '\xc3\xa9%.0s' {1..127}
    for i in {1..15}; do name+=$part/; done
    printf -v part '%0100d/%0169d' 0 0
    name+=$part
    [[ ${#name} == 4095 ]]
    server --keep= honest
    put -s "$SERVER" -n "$name" a
    ended 0 "a: stored as *, 6 bytes"
    saw "put $name 6"
    put -s "$SERVER" -n "${name}x" a
    ended 1 "a: not sent: its name is longer than 4095 bytes, or 255 between slashes"
}

@test "what a terminal must not see is escaped" {
    local name=$'back\\slash \xe2\x80\xae\xc3\xa9'

    cp a "$name"
    server --alter='put:{"message":"\u001b[31m\u009b\u202e"}' \
        --refuse=b:$'\e[2J':false honest
    put -s "$SERVER" "$name" b
    ended 1 $'back\\\\slash \\u202e\xc3\xa9: stored, 6 bytes' \
        'b: refused: \x1b[2J: \x1b[31m\u009b\u202e'
    cmp a "$KEEP/$name"
}

# --- files that change ----------------------------------------------------------------

@test "a file that shrinks: the others are stored, over another connection" {
    truncate -s 64M big
    server --gate-at=big honest
    put_background -s "$SERVER" a big b
    saw "header big"
    truncate -s 1M big
    open_gate
    put_wait
    ended 1 "a: stored, 6 bytes" \
        "big: not stored: it changed while it was sent and ended after * bytes of 67108864" \
        "b: stored, 7 bytes"
    kept a b
    saw "connection 2"
    grep -qE '^reset big [0-9]+$' "$SEEN"
}

@test "before the cut, the receipts of earlier files are awaited" {
    truncate -s 64M big
    server --unix="$T/socket" --gate-at=big --late-at=1048576 honest
    put_background -v -s "$SERVER" a big b
    saw "header big"
    truncate -s 1M big
    open_gate
    put_wait
    ended 1 "put: connected to $SERVER" "a: stored, 6 bytes, durable" \
        "big: not stored: it changed while it was sent and ended after 1048576 bytes of 67108864" \
        "put: the connection was cut, since the frame of a file could not be completed" \
        "put: connected to $SERVER" "b: stored, 7 bytes, durable" \
        "put: the server counts 1 stored, 0 refused, 7 bytes"
}

@test "a file that shrinks, to the handler itself: nothing of it is published" {
    truncate -s 64M big
    put_background --bwlimit=4M -s "exec:exec $PUTD_EXEC '$KEEP' 2>'$T/log'" a big
    until_true test -s "$KEEP/a"
    truncate -s 1M big
    put_wait
    ended 1 "a: stored, 6 bytes" \
        "big: not stored: it changed while it was sent and ended after * bytes of 67108864"
    kept a
}

@test "a file that shrinks while the server is silent: the timeout still holds" {
    truncate -s 64M big
    server --gate-at=big --say-put='' --say-stat='' honest
    put_background --timeout=1 -s "$SERVER" a big b
    saw "header big"
    truncate -s 1M big
    open_gate
    put_wait
    ended 75 "put: $SERVER: no receipt for 1 s" \
        "a: outcome unknown: there was no receipt" \
        "big: not stored: it could not be sent whole" "b: not sent"
}

@test "a file that grows is sent as announced, and it is told" {
    random_file big 67108864
    server --gate-at=big honest
    put_background -s "$SERVER" big b
    saw "header big"
    printf more >>big
    open_gate
    put_wait
    ended 0 "big: stored, 67108864 bytes (it grew while it was sent: its first bytes)" \
        "b: stored, 7 bytes"
    truncate -s 67108864 big
    kept big b
}

@test "a file that is altered while it is sent: it is told" {
    truncate -s 64M big
    server --gate-at=big honest
    put_background -s "$SERVER" big
    saw "header big"
    printf x | dd of=big bs=1 seek=60000000 conv=notrunc status=none
    open_gate
    put_wait
    ended 0 "big: stored, 67108864 bytes (it was altered while it was sent)"
}

@test "a file under 1 MiB arrives as it was, whatever happens to it" {
    random_file small 1048575
    cp small before
    server --unix="$T/socket" --gate-at=small honest
    put_background -s "$SERVER" small
    saw "header small"
    : >small
    open_gate
    put_wait
    ended 0 "small: stored, 1048575 bytes"
    cmp before "$KEEP/small"
}
