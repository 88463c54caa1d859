#!/usr/bin/env bats
# put --legacy: to a receiver that reads length, header and bytes with one
# recv() each, never answers and never closes (lib/put_server.py legacy).
#
# shellcheck disable=SC2153 # STATUS and ERR come from lib/put_common.bash

load lib/common
load lib/put_common

setup() { put_setup; }

NO_RECEIPT='(a legacy receiver gives no receipt)'

@test "any number of files of awkward sizes arrive, each on its own connection" {
    local size
    local -a names=() lines=()

    for size in 0 1 8191 8192 8193 1048576 3000000; do
        random_file "f$size" "$size"
        names+=("f$size")
        lines+=("f$size: sent, $size bytes $NO_RECEIPT")
    done
    lines[1]="f1: sent, 1 byte $NO_RECEIPT"
    server legacy
    put --legacy -s "$SERVER" "${names[@]}"
    ended 0 "${lines[@]}"
    saw "put f3000000 3000000"
    kept "${names[@]}"
    [[ $(grep -c connection "$SEEN") == 7 ]]
    [[ $(grep keys "$SEEN" | sort -u) == "keys cmd,filename,filesize" ]]
}

@test "over a Unix socket, and through a command" {
    server --unix="$T/socket" legacy
    put -l -s "$SERVER" a b
    ended 0 "a: sent, 6 bytes $NO_RECEIPT" "b: sent, 7 bytes $NO_RECEIPT"
    saw "put b 7"
    kept a b
    put -l -s "exec:cat >>'$T/through'" a
    ended 0 "a: sent, 6 bytes $NO_RECEIPT"
    frame '{"cmd":"put","filename":"a","filesize":6}' $'alpha\n'
    cmp "$IN" "$T/through"
}

@test "length and header are in one write" {
    need_tool strace
    truncate -s 2M big
    server legacy
    ASAN_OPTIONS=detect_leaks=0 strace -f -o "$T/trace" -e trace=write,writev,sendto,sendmsg,sendfile \
        "$PUT" -q -l -s "$SERVER" a big 3>&- || cannot "strace does not work here"
    grep -E '^[0-9]+ +(write|send)' "$T/trace" | grep -v '(2,' >"$T/writes"
    [[ $(sed -n 1p "$T/writes") == *'\0\0\0{\"cmd\":\"put\"'* ]]
    [[ $(sed -n 2p "$T/writes") == *'\0\0\0{\"cmd\":\"put\"'* ]]
    [[ $(sed -n 3p "$T/writes") == *sendfile* ]]
}

@test "on standard output: one frame and nothing after it" {
    put -l a
    ended 0
    frame '{"cmd":"put","filename":"a","filesize":6}' $'alpha\n'
    cmp "$IN" "$T/out"
}

@test "the header is ASCII" {
    cp a $'\xc3\xa9\xf0\x9f\x98\x80"'
    put -l $'\xc3\xa9\xf0\x9f\x98\x80"'
    ended 0
    frame '{"cmd":"put","filename":"\u00e9\ud83d\ude00\"","filesize":6}' $'alpha\n'
    cmp "$IN" "$T/out"
}

# name_of N: a name that makes length and header N bytes together.
name_of() {
    local -i rest=$(($1 - 4 - 40))
    local part

    NAME=
    while ((rest > 200)); do
        printf -v part '%0199d/' 0
        NAME+=$part
        rest=$((rest - 200))
    done
    printf -v part "%0${rest}d" 0
    NAME+=$part
}

@test "a header of 1399 bytes is sent, one of 1400 is refused" {
    name_of 1399
    put -l -n "$NAME" a
    ended 0
    [[ $(wc -c <"$T/out") == $((1399 + 6)) ]]
    name_of 1400
    put -l -n "$NAME" a
    ended 1 "a: not sent: the name is too long for a legacy receiver, which reads its header at once"
    [[ ! -s $T/out ]]
    server legacy
    put -l -s "$SERVER" -n "$NAME" a
    ended 1 "a: not sent: the name is too long for a legacy receiver, which reads its header at once"
    saw_not connection
}

@test "-q is silent, -v too says sent and never stored" {
    server legacy
    put -q -l -s "$SERVER" a
    ended 0
    put -v -l -s "$SERVER" b
    [[ $STATUS == 0 && "${ERR[*]}" == *"b: sent, 7 bytes"* ]]
    [[ "${ERR[*]}" != *stored* ]]
}

@test "missing files: a line each, the others are sent" {
    server legacy
    put -l -s "$SERVER" nope a . b
    ended 1 "nope: cannot be read: No such file or directory" \
        "a: sent, 6 bytes $NO_RECEIPT" ".: not sent: is a directory" \
        "b: sent, 7 bytes $NO_RECEIPT"
    saw "put b 7"
    kept a b
}

@test "without --legacy such a receiver gives no answer: exit 75, never stored" {
    server legacy
    put --timeout=1 -s "$SERVER" a
    ended 75 "put: $SERVER: no answer for 1 s: perhaps a legacy server, try --legacy" \
        "a: not sent"
}

@test "a file that shrinks is ended by a reset, the others are sent" {
    truncate -s 64M big
    server --gate-at=big legacy
    put_background -l -s "$SERVER" a big b
    saw "header big"
    truncate -s 1M big
    open_gate
    put_wait
    ended 1 "a: sent, 6 bytes $NO_RECEIPT" \
        "big: not sent whole, and the receiver may hold a cut file: it changed while it was sent and ended after * bytes of 67108864" \
        "b: sent, 7 bytes $NO_RECEIPT"
    saw "put b 7"
    kept a b
    grep -qE '^reset big [0-9]+$' "$SEEN"
    saw_not loops
}

@test "sent means that the kernel's queue is empty" {
    random_file some 150000
    server --unix="$T/socket" deaf
    put -l --timeout=1 -s "$SERVER" some
    ended 75 "some: outcome unknown: the receiver stopped taking bytes"
    server_again --buffer=4096 deaf
    put -l --timeout=1 -s "$SERVER" some
    ended 75 "some: outcome unknown: the receiver stopped taking bytes"
}

server_again() {
    rm -f "$T/gate"
    server "$@"
}

@test "a receiver that goes away: exit 75, the next file is tried" {
    truncate -s 20M big
    server --rude dying
    put -l -s "$SERVER" big a
    [[ $STATUS == 75 ]]
    [[ ${ERR[0]} == "big: outcome unknown: "*"; the receiver may hold a cut file" ]]
    saw "header a"
}

@test "a receiver that goes away before it has taken what the kernel holds" {
    random_file some 150000
    server --buffer=4096 --gate-at=some --rude dying
    put_background -l -s "$SERVER" some
    saw "header some"
    open_gate
    put_wait
    ended 75 "some: outcome unknown: Connection reset by peer; the receiver may hold a cut file"
}

@test "nobody there: one line, exit 69, the rest is not sent" {
    put -l -s 127.0.0.1:1 a b
    ended 69 "put: cannot connect to 127.0.0.1:1: Connection refused" \
        "a: not sent" "b: not sent"
}

@test "a command that fails: outcome unknown" {
    put -l -s "exec:cat >/dev/null; exit 4" a
    ended 75 "a: outcome unknown: the command failed" \
        "put: the command ended with exit status 4"
    put -l -s "exec:exec nosuchcommand 2>/dev/null" a
    [[ $STATUS == 69 ]]
}
