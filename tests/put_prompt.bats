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

# netcat NAME PROGRAM: what README has typed for it, once with the end frame in
# plain shell and once with put on both sides. `nc` is PROGRAM.
netcat() {
    local line port

    need_tool "${2%% *}" socat
    mkdir "$T/bin"
    printf '#!/bin/sh\nexec timeout 20 %s "$@"\n' "$2" >"$T/bin/${1%% *}"
    ln -s "$PUT" "$T/bin/put"
    chmod +x "$T/bin/${1%% *}"
    background socat -d -d -lf "$T/socat" "tcp-listen:0,bind=127.0.0.1,fork" \
        "exec:$PUTD ${PUTD_OPTIONS-} --min-free=0 $KEEP,nofork"
    until_true grep -q 'listening on' "$T/socat"
    port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' "$T/socat")
    line=$(sed -n "/^put -v a b | $3 .*put --receipts/{s/  *#.*//;p}" "$ROOT/README.md")
    [[ $(wc -l <<<"$line") == 1 && $line == *' HOST 8080 '* ]]
    STATUS=0
    PATH=$T/bin:$PATH sh -c "${line/HOST 8080/127.0.0.1 $port}" \
        </dev/null >"$T/out" 2>"$T/err" 3>&- || STATUS=$?
    # What was written is told by one put, what was stored by the other.
    sed -i '/: written, /d' "$T/err"
    read_err
    ended 0 "a: stored, 6 bytes" "b: stored, 7 bytes"
    [[ $TOTAL == "put: 2 stored, 13 bytes" ]]
    kept a b
    rm "$KEEP"/*
    # A refusal is the pipeline's exit status, too.
    cp a .hidden
    STATUS=0
    line=${line/HOST 8080/127.0.0.1 $port}
    PATH=$T/bin:$PATH sh -c "${line/ b / .hidden }" </dev/null >/dev/null 2>"$T/err" 3>&- ||
        STATUS=$?
    [[ $STATUS == 1 ]]
    kept a
}

@test "README's pipeline with netcat-openbsd" { netcat nc nc.openbsd 'nc -N'; }
@test "README's pipeline with netcat-traditional" { netcat nc nc.traditional 'nc -q'; }
@test "README's pipeline with ncat" { netcat ncat "$(command -v ncat)" ncat; }
@test "README's pipeline with busybox nc" { netcat busybox "$(command -v busybox)" 'busybox nc'; }

# README's lines in plain shell, as they stand there.
@test "README's frames in plain shell, and the answer to their end" {
    local port

    need_tool nc.openbsd socat
    mkdir "$T/bin"
    ln -s "$(command -v nc.openbsd)" "$T/bin/nc"
    background socat -d -d -lf "$T/socat" "tcp-listen:0,bind=127.0.0.1,fork" \
        "exec:$PUTD ${PUTD_OPTIONS-} --min-free=0 $KEEP,nofork"
    until_true grep -q 'listening on' "$T/socat"
    port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' "$T/socat")
    awk '/^```sh$/ { text = ""; taking = 1; next }
        /^```$/ { if (taking && text ~ /printf/) print text; taking = 0 }
        taking { text = text $0 "\n" }' "$ROOT/README.md" |
        sed "s/127.0.0.1 8080/127.0.0.1 $port/" >"$T/typed"
    [[ $(grep -c '| nc -N 127' "$T/typed") == 2 ]]
    PATH=$T/bin:$PATH timeout 20 sh -e "$T/typed" >"$T/out" 3>&-
    [[ $(cat "$T/out") == '{"ok":true,"cmd":"end","files":1,"failed":0,"bytes":6}' ]]
    [[ $(cat "$KEEP/hello.txt") == hello ]]
}
