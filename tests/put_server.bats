#!/usr/bin/env bats
# put, and a server that answers: one line for each file, refusals, commands as
# servers (exec:), many files at once. tests/put_legacy.bats has --legacy.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # shared with lib/put_common.bash

load lib/common
load lib/put_common

setup() { put_setup; }

# --- a server that answers -----------------------------------------------------

@test "HOST:PORT: every file asks, then end; one line for each" {
    server honest
    put -s "$SERVER" a b
    ended 0 "a: stored, 6 bytes" "b: stored, 7 bytes"
    kept a b
    saw end
    [[ $(grep -c asked "$SEEN") == 3 && $(grep -c connection "$SEEN") == 1 ]]
    saw keys\ cmd,filename,filesize,reply
}

@test "a name of a host, in PUT_SERVER; -s goes before it" {
    server honest
    PUT_SERVER=localhost:${SERVER##*:} put a
    ended 0 "a: stored, 6 bytes"
    PUT_SERVER=unix:$T/nobody put --server="$SERVER" b
    ended 0 "b: stored, 7 bytes"
    kept a b
}

@test "[V6]:PORT" {
    server --host=::1 honest
    [[ $SERVER == "[::1]:"* ]]
    put -s "$SERVER" a
    ended 0 "a: stored, 6 bytes"
    kept a
}

@test "unix:PATH" {
    server --unix="$T/socket" honest
    put -s "unix:$T/socket" a
    ended 0 "a: stored, 6 bytes"
    kept a
}

@test "exec:COMMAND, with the handler itself" {
    random_file big 3000000
    put -s "exec:exec $PUTD_EXEC '$KEEP' 2>'$T/log'" a big b
    ended 0 "a: stored, 6 bytes" "big: stored, 3000000 bytes" "b: stored, 7 bytes"
    kept a big b
}

@test "files of every size between memory and sendfile" {
    local size
    local -a names=() lines=()

    for size in 0 1 65536 1048575 1048576 1048577 9000000; do
        random_file "f$size" "$size"
        names+=("f$size")
        lines+=("f$size: stored, $size bytes")
    done
    lines[1]='f1: stored, 1 byte'
    server honest
    put -s "$SERVER" "${names[@]}"
    ended 0 "${lines[@]}"
    kept "${names[@]}"
    rm "$KEEP"/*
    put -s "exec:exec $PUTD_EXEC '$KEEP' 2>'$T/log'" "${names[@]}"
    ended 0 "${lines[@]}"
    kept "${names[@]}"
}

@test "a file that tells no size, under /proc, is sent whole" {
    server honest
    put -s "$SERVER" /proc/self/status
    ended 0 "/proc/self/status: stored, * bytes"
    grep -q '^Name:.put$' "$KEEP/status"
}

@test "--name" {
    server honest
    put -s "$SERVER" --name=other a
    ended 0 "a: stored as other, 6 bytes"
    cmp a "$KEEP/other"
    mkdir "$KEEP/dir"
    put -s "$SERVER" -n dir/x "$W/a"
    ended 0 "$W/a: stored as dir/x, 6 bytes"
    cmp a "$KEEP/dir/x"
}

@test "the name is the last component" {
    mkdir -p some/dir
    cp a some/dir
    server honest
    put -s "$SERVER" some/dir/a
    ended 0 "some/dir/a: stored, 6 bytes"
    cmp a "$KEEP/a"
}

@test "a small frame does not wait for the receipt of the one before" {
    need_tool strace
    server honest
    ASAN_OPTIONS=detect_leaks=0 strace -f -o "$T/trace" -e trace=setsockopt \
        "$PUT" -q -s "$SERVER" a 3>&- || cannot "strace does not work here"
    grep -q 'TCP_NODELAY, \[1\]' "$T/trace"
}

@test "a large body goes in whole segments, and its end does not wait" {
    need_tool strace
    truncate -s 2M big
    server honest
    ASAN_OPTIONS=detect_leaks=0 strace -o "$T/trace" -e trace=setsockopt,sendfile \
        "$PUT" -q -s "$SERVER" big 3>&- || cannot "strace does not work here"
    # Before the first byte of the body, and after the last.
    sed -n '/TCP_CORK\|sendfile/s/.*\(sendfile\|CORK, .1\|CORK, .0\).*/\1/p' "$T/trace" | uniq >"$T/order"
    printf '%s\n' 'CORK, [1' sendfile 'CORK, [0' | diff - "$T/order"
}

@test "-q says only what went wrong" {
    server --refuse=b:exists:false honest
    put -q -s "$SERVER" a nope b
    ended 1 "nope: cannot be read: No such file or directory" \
        "b: refused: exists: told by the server"
    put --quiet -s "$SERVER" a
    ended 0
}

@test "-v says more" {
    server honest
    put -v -s "$SERVER" a b
    ended 0 "put: connected to $SERVER" "a: stored, 6 bytes, durable" \
        "b: stored, 7 bytes, durable" \
        "put: the server counts 2 stored, 0 refused, 13 bytes"
    [[ $TOTAL == "put: 2 stored, 13 bytes" ]]
    put -q --verbose -s "$SERVER" a
    [[ ${#ERR[@]} == 3 && -z $TOTAL ]]
}

@test "not durable, and another name, are told" {
    server --alter='put:{"durable":false,"stored":"a.~1~"}' honest
    put -s "$SERVER" a
    ended 0 "a: stored as a.~1~, 6 bytes, not yet durable"
}

@test "a receipt that tells no durable is not durable" {
    server --alter='put:{"durable":null}' honest
    put -s "$SERVER" a
    ended 0 "a: stored, 6 bytes, not yet durable"
}

# --- refusals ---------------------------------------------------------------------

@test "a refusal: exit 1, or 75 where trying again may help" {
    server --refuse=a:exists:false --refuse=b:no-space:true \
        --refuse=c:not-known-here:true honest
    put -s "$SERVER" a
    ended 1 "a: refused: exists: told by the server"
    put -s "$SERVER" a b
    ended 75 "a: refused: exists: told by the server" \
        "b: refused: no-space: told by the server"
    put -s "$SERVER" c
    ended 75 "c: refused: not-known-here: told by the server"
}

@test "after io and timeout the outcome is unknown" {
    server --refuse=a:io:false --refuse=b:timeout:true honest
    put -s "$SERVER" a
    ended 75 "a: outcome unknown: io: told by the server"
    put -s "$SERVER" a b c
    ended 75 "a: outcome unknown: io: told by the server" \
        "b: outcome unknown: timeout: told by the server" "c: stored, 7 bytes"
}

@test "a refusal without file name and message" {
    server --refuse=a:bad-name:false \
        --alter='put:{"filename":null,"message":null}' honest
    put -s "$SERVER" a
    ended 1 "a: refused: bad-name"
}

@test "a refusal by the handler itself" {
    cp a .hidden
    put -s "exec:exec $PUTD_EXEC '$KEEP' 2>'$T/log'" a .hidden b
    ended 1 "a: stored, 6 bytes" \
        ".hidden: refused: bad-name: the file name is refused" "b: stored, 7 bytes"
    kept a b
}

@test "a refusal that comes before the body keeps the stream in step" {
    random_file some 900000
    server --unix="$T/socket" --refuse=some:too-large:false --gate-at=some early
    put_background -s "$SERVER" some
    until_true grep -q '^some: refused: too-large' "$T/err"
    kill -0 "$PUT_PID"
    open_gate
    put_wait
    ended 1 "some: refused: too-large: told by the server"
    saw "put some 900000"
}

@test "the long rest of what is refused is not sent; the others go on" {
    truncate -s 100M big
    server --refuse=big:too-large:false --gate-at=big honest
    put_background -v -s "$SERVER" a big b
    until_true grep -q '^big: refused: too-large' "$T/err"
    # On a busy machine the refusal is there before a byte of the body went out:
    # then the server is not at the gate, and never comes to it.
    open_gate
    put_wait
    ended 1 "put: connected to *" "a: stored, *" "big: refused: too-large: *" \
        "put: the connection was cut, since the rest of a file is not wanted" \
        "put: connected to *" "b: stored, *" "put: the server counts *"
    kept a b
}

# --- exec ----------------------------------------------------------------------------

@test "exec: a command that fails is mentioned" {
    put -s "exec:exit 3" a
    ended 75 "put: exec:exit 3: the server closed the connection too early" \
        "put: the command ended with exit status 3" "a: *"
    put -s "exec:$PUTD_EXEC '$KEEP' 2>/dev/null; exit 5" a
    ended 0 "a: stored, 6 bytes" "put: the command ended with exit status 5"
}

@test "exec: a command that is not there is no server" {
    put -s "exec:exec nosuchcommand 2>/dev/null" a
    ended 69 "put: exec:*: the server closed the connection too early" \
        "put: the command ended with exit status 127" "a: *"
}

@test "exec: the command has SIGPIPE as usual" {
    put -s 'exec:kill -s PIPE $$; exit 9' a
    ended 75 "put: exec:*" "put: the command was ended by signal 13 (Broken pipe)" "a: *"
}

@test "exec: a command that does not end is terminated" {
    put --timeout=1 -s "exec:$PUTD_EXEC '$KEEP' 2>/dev/null; echo \$\$ >'$T/pid'; exec sleep 1000 >&-" a
    ended 0 "a: stored, 6 bytes" "put: the command did not end and was terminated"
    read -r pid <"$T/pid"
    until_true gone "$pid"
}

gone() { ! kill -0 "$1" 2>/dev/null; }

@test "exec: a command that says more after its receipts is heard out" {
    put -s "exec:$PUTD_EXEC '$KEEP' 2>/dev/null; head -c 200000 /dev/zero" a
    ended 0 "a: stored, 6 bytes"
}

@test "exec: no descriptor of put's own reaches the command" {
    put -s "exec:ls /proc/self/fd >'$T/fds'" a
    sh -c "ls /proc/self/fd >'$T/expected'" 3>&-
    diff "$T/expected" "$T/fds"
}

# --- many files, windows ------------------------------------------------------------

# many N: files 1 to N, in $FILES.
many() {
    local -i i

    FILES=()
    mkdir many
    for ((i = 1; i <= $1; i++)); do
        echo "number $i" >"many/$i"
        FILES+=("many/$i")
    done
}

@test "300 files in one go, to the handler itself" {
    many 300
    put -s "exec:exec $PUTD_EXEC '$KEEP' 2>'$T/log'" "${FILES[@]}"
    [[ $STATUS == 0 && ${#ERR[@]} == 300 ]]
    [[ "$(printf '%s\n' "${ERR[@]}" | grep -c ': stored, ')" == 300 ]]
    diff -r many "$KEEP"
}

@test "a server that reads nothing while its receipts are not read" {
    many 300
    server --fat=30000 --buffer=4096 honest
    put -q -s "$SERVER" "${FILES[@]}"
    ended 0
    diff -r many "$KEEP"
}

@test "the same with a large file before it reads on" {
    many 20
    truncate -s 20M big
    server --fat=30000 --buffer=4096 --unix="$T/socket" honest
    put -q -s "$SERVER" "${FILES[@]}" big "${FILES[@]}"
    ended 0
    cmp big "$KEEP/big"
}

@test "no more than 1024 files are in flight" {
    many 1100
    server --say-put='' honest
    # Time enough for the server to read them all.
    put -s "$SERVER" --timeout=10 "${FILES[@]}"
    [[ $STATUS == 75 ]]
    [[ $(grep -c '^put ' "$SEEN") == 1024 ]]
    [[ $(grep -c 'outcome unknown' "$T/err") == 1024 ]]
    [[ $(grep -c ': not sent$' "$T/err") == 76 ]]
}

@test "no further part is begun above 256 MiB in flight" {
    truncate -s 200M x1 x2 x3
    server --keep= --say-put='' --say-stat='' --say-commit='' honest
    put -s "$SERVER" --timeout=1 x1 x2 x3
    [[ $STATUS == 75 ]]
    # x1 in two parts; of x2 the first, of 128 MiB, is begun below the bound.
    [[ $(grep -c '^part ' "$SEEN") == 3 ]]
    [[ ${ERR[-1]} == "x3: not sent" ]]
}
