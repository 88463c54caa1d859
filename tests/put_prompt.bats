#!/usr/bin/env bats
# put, with a prompt (-i), and as a judge of receipts (--receipts), behind the
# netcats.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # shared with lib/put_common.bash

load lib/common
load lib/put_common

setup() { put_setup; }

# prompt TEXT ARG...: put -i with this as its input.
prompt() {
    STATUS=0
    printf '%b' "$1" | "$PUT" -i -s "exec:exec $PUTD_EXEC '$KEEP' 2>>'$T/log'" "${@:2}" \
        >"$T/out" 2>"$T/err" 3>&- || STATUS=$?
    read_err
}

@test "put, help, quit" {
    cp a 'a b'
    prompt 'put a\nhelp\n\nput "a b" b\nquit\nput c\n'
    ended 0 "a: stored, 6 bytes" "a b: stored, 6 bytes" "b: stored, 7 bytes"
    [[ $(cat "$T/out") == '>>: >>: put FILE...   send files'*'>>: >>: >>: ' ]]
    kept a 'a b' b
}

@test "a bad line gets one clear answer, and the prompt again" {
    prompt 'frob\nput\nput "a\nput nope\nput a'
    ended 1 "file nope does not exist" "a: stored, 6 bytes"
    [[ $(head -n 1 "$T/out") == '>>: no such command; there are put FILE..., help, quit' ]]
    [[ $(sed -n 2p "$T/out") == '>>: put: which file? put FILE...' ]]
    [[ $(sed -n 3p "$T/out") == '>>: a quote is not closed' ]]
}

@test "what is there and cannot be sent is told as elsewhere" {
    mkdir dir
    prompt 'put dir no\\where "no where" a\n'
    ended 1 "dir: not sent: is a directory" "file nowhere does not exist" \
        "file no where does not exist" "a: stored, 6 bytes"
}

# judged TEXT: put --receipts reads it.
judged() {
    STATUS=0
    printf '%b' "$1" | "$PUT" --receipts "${@:2}" >"$T/out" 2>"$T/err" 3>&- || STATUS=$?
    read_err
}

@test "--receipts" {
    local end='{"ok":true,"cmd":"end","files":2,"failed":0,"bytes":13}\n'
    local put='{"ok":true,"cmd":"put","filename":"a","filesize":6,"stored":"a","durable":true}\n'

    judged "$put$end"
    ended 0 "a: stored, 6 bytes"
    [[ $TOTAL == "put: 2 stored, 13 bytes" ]]
    judged "$put"
    ended 75 "a: stored, 6 bytes" "put: the summary did not come: what is stored is not known"
    judged ''
    ended 75 "put: the summary did not come: what is stored is not known"
    judged '{"ok":false,"cmd":"put","error":"exists","retry":false,"filename":"\\u001b"}\n{"ok":false,"cmd":"end","files":0,"failed":1,"bytes":0}\n'
    ended 1 '\x1b: refused: exists'
    judged 'HTTP/1.1 400\n'
    ended 74 "put: the server does not speak this protocol, it said 'HTTP/1.1 400'"
    judged "$put$end" -q
    ended 0
}

# with_nc COMMAND...: put -v a b, through this netcat, to the handler, judged.
with_nc() {
    need_tool "$1" socat
    rm -rf "$KEEP" "$T/port"
    mkdir "$KEEP"
    background socat -d -d -lf "$T/socat" "tcp-listen:0,bind=127.0.0.1" \
        "exec:$PUTD ${PUTD_OPTIONS-} --min-free=0 $KEEP,nofork"
    until_true grep -q 'listening on' "$T/socat"
    PORT=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' "$T/socat")
    STATUS=0
    "$PUT" -v a b 2>/dev/null 3>&- | timeout 20 "$@" 127.0.0.1 "$PORT" 3>&- |
        "$PUT" --receipts 2>"$T/err" 3>&- || STATUS=$?
    rm "$T/socat"
    read_err
    ended 0 "a: stored, 6 bytes" "b: stored, 7 bytes"
    [[ $TOTAL == "put: 2 stored, 13 bytes" ]]
    kept a b
}

@test "put a b | nc -N HOST PORT | put --receipts, with netcat-openbsd" { with_nc nc.openbsd -N; }
@test "the same with netcat-traditional, -q 900" { with_nc nc.traditional -q 900; }
@test "the same with ncat" { with_nc ncat; }
@test "the same with busybox nc" { with_nc busybox nc; }
