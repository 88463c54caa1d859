#!/usr/bin/env bats
# shellcheck disable=SC2016 # what with_mounts is given is expanded inside
#
# What a launcher hands over, and what it may get wrong: sockets and LISTEN_FDS,
# the three standard descriptors, the directory. Each mistake is one clear line
# and its exit status; nothing of it goes to the peer.

load lib/common

# passed [OPTION-OF-PASS]... KIND... [-- OPTION...]: putd with these descriptors
# (see lib/pass.py); what was built comes on the socket.
passed() {
    local -a how=()

    while (($# > 0)) && [[ $1 != -- ]]; do
        how+=("$1")
        shift
    done
    CODE=0
    "$PYTHON" "$LIB/pass.py" --connection="$IN" "${how[@]}" -- \
        "$PUTD" "${OPTIONS[@]}" "${@:2}" "$DIR" \
        <"$T/stdin" >"$T/out" 2>"$T/err" 3>&- || CODE=$?
    look
}

setup() {
    common_setup
    # What comes on stdin where that is the connection.
    asked stdin 1
    mv "$IN" "$T/stdin"
    : >"$IN"
}

# said WORD: the one line has it.
said() {
    logged 1
    [[ ${LOG[0]} == *"$1"* ]] || fail "expected a line with $1"
}

# wrong WORD ARGUMENT-OF-PASSED...: exit 64 and one line, nothing served.
wrong() {
    asked a 1
    passed "${@:2}"
    expect 64 ''
    said "$1"
}

# --- sockets ----------------------------------------------------------------

@test "a connected socket" {
    asked a 1
    passed stream
    expect 0 'a=1' +a:1
}

@test "a listening socket" {
    asked a 1
    passed listening
    expect 0 'a=1' +a:1
}

@test "a listening socket that nobody comes to any more: --idle-exit" {
    asked a 1
    passed listening -- --connections=3 --idle-exit=1
    expect 0 'a=1' +a:1
}

@test "a socket is served with stdin, stdout and stderr closed" {
    asked a 1
    passed --closed=0,1,2 stream
    expect 0 'a=1' +a:1
}

@test "two sockets" { wrong 'more than one' stream stream; }
@test "two sockets that listen" { wrong 'more than one' listening listening; }
@test "a datagram socket" { wrong 'not a stream socket' datagram; }
@test "a socket of packets" { wrong 'not a stream socket' seqpacket; }
@test "a file" { wrong 'not a stream socket' file; }
@test "a pipe" { wrong 'not a stream socket' pipe; }
@test "a descriptor that is closed" { wrong LISTEN_FDS closed; }
@test "a descriptor that is closed, and the log to syslog" {
    asked a 1
    passed closed -- --log=syslog
    expect 64 ''
}

@test "a stream socket that is neither connected nor listening" {
    passed unconnected
    expect 74 ''
    logged 1
}

@test "LISTEN_FDS of a word" { wrong LISTEN_FDS --fds=one stream; }
@test "LISTEN_FDS 0" { wrong LISTEN_FDS --fds=0 stream; }
@test "LISTEN_FDS -1" { wrong LISTEN_FDS --fds=-1 stream; }
@test "LISTEN_FDS 1x" { wrong LISTEN_FDS --fds=1x stream; }
@test "LISTEN_FDS of more than an int" { wrong LISTEN_FDS --fds=4294967297 stream; }
@test "LISTEN_FDS of more than there are" { wrong LISTEN_FDS --fds=2147483644 stream; }
@test "LISTEN_FDS of hostile bytes" { wrong LISTEN_FDS --fds=$'\e[31m' stream; }
@test "LISTEN_PID of a word" { wrong LISTEN_FDS --pid=me stream; }
@test "LISTEN_PID 0" { wrong LISTEN_FDS --pid=0 stream; }

# not_ours ARGUMENT-OF-PASSED...: the sockets are not for this process; stdin is
# the connection, as without them.
not_ours() {
    asked a 1
    passed "$@"
    expect 0 'stdin=1' +stdin:1
}

@test "LISTEN_PID of another process: stdin is the connection" { not_ours --pid=other stream; }
@test "LISTEN_PID not set: stdin is the connection" { not_ours --pid=none stream; }
@test "LISTEN_FDS set and empty: stdin is the connection" { not_ours --fds= stream; }

# --- without libsystemd -----------------------------------------------------

# Found before the real one, and no library: dlopen(3) fails.
without_libsystemd() {
    mkdir "$T/empty"
    : >"$T/empty/libsystemd.so.0"
    export LD_LIBRARY_PATH=$T/empty
}

@test "without libsystemd: LISTEN_FDS is one clear line" {
    without_libsystemd
    wrong 'libsystemd.so.0' stream
}

@test "without libsystemd: a file is served from a pipe" {
    without_libsystemd
    asked a 1
    serve
    expect 0 'a=1' +a:1
    said 'pipe: stored a, 1 bytes'
}

@test "without libsystemd: the journal and the manager are there, and not needed" {
    without_libsystemd
    export NOTIFY_SOCKET=$T/notify
    JOURNAL_STREAM=$(stat -L -c %d:%i /dev/stderr)
    export JOURNAL_STREAM
    asked a 1
    serve
    expect 0 'a=1' +a:1
    said 'pipe: stored a, 1 bytes'
}

@test "libsystemd is opened only where the environment shows systemd" {
    without_libsystemd
    need_tool strace
    asked a 1
    # A leak checker is a tracer too, and there can be one only.
    ASAN_OPTIONS=detect_leaks=0 strace -qq -e trace=openat,open -o "$T/trace" "$PUTD" "${OPTIONS[@]}" "$DIR" \
        <"$IN" >"$T/out" 2>"$T/err"
    run ! grep libsystemd "$T/trace"
}

# --- stdin, stdout, stderr --------------------------------------------------

# with_closed FDS: the stream from a file on stdin, with these closed.
with_closed() {
    asked a 1
    cp "$IN" "$T/stdin"
    passed --fds= --closed="$1" -- "${@:2}"
}

@test "stdin closed: there is no connection" {
    with_closed 0
    expect 64 ''
    logged 1
}

@test "stdout closed: there is no connection" {
    with_closed 1
    expect 64 ''
    logged 1
}

@test "stderr closed: served, and the log goes elsewhere" {
    with_closed 2
    expect 0 'a=1' +a:1
    logged 0
}

@test "stdin and stdout closed: there is no connection" {
    with_closed 0,1
    expect 64 ''
    logged 1
}

@test "all three closed: there is no connection" {
    with_closed 0,1,2
    expect 64 ''
}

@test "stderr closed: a file never gets the log" {
    # What is opened first takes the descriptor that is free.
    asked ../a 1
    cp "$IN" "$T/stdin"
    with_closed 2 --log=stderr
    expect 0 'a=1' !put:bad-name +a:1
}

# --- the directory ----------------------------------------------------------

# unusable DIRECTORY WORD: exit 73 and one line, with the path, nothing served.
unusable() {
    asked a 1
    # shellcheck disable=SC2034 # for serve
    DIR=$1 serve
    [[ $CODE == 73 && -z $RAW ]] || fail "expected exit status 73"
    said "$2"
    [[ ${LOG[0]} == *"${1%/}"* ]] || fail "expected the path"
}

@test "directory: missing" { unusable "$T/nowhere" 'No such file'; }
@test "directory: below a file" { unusable "$IN/dir" 'Not a directory'; }
@test "directory: a symbolic link" {
    ln -s dir "$T/link"
    unusable "$T/link" 'symbolic link'
    list "$DIR"
    [[ -z $LISTING ]]
}

@test "directory: a symbolic link with a slash behind it" {
    ln -s dir "$T/link"
    unusable "$T/link/" 'symbolic link'
    list "$DIR"
    [[ -z $LISTING ]]
}

@test "directory: below a symbolic link it is where it is" {
    ln -s . "$T/here"
    asked a 1
    DIR=$T/here/dir serve
    expect 0 'a=1' +a:1
}

@test "directory: may not be written to" {
    need_root
    need_tool setpriv
    chmod 555 "$DIR"
    chmod o+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T"
    cp "$PUTD" "$T/putd"
    printf '#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups "%s" "$@"\n' \
        "$T/putd" >"$T/as-nobody"
    chmod +x "$T/as-nobody"
    PUTD=$T/as-nobody unusable "$DIR" 'Permission denied'
}

# with_mounts SCRIPT: what was built is served after SCRIPT, which may mount on
# and below $DIR, in mounts of its own; the listing is that of inside.
with_mounts() {
    need_root
    need_tool unshare
    unshare --mount true 2>/dev/null || cannot "no mount namespace here"
    export -f list
    export DIR T
    CODE=0
    unshare --mount bash -c '
        eval "$1" || exit 99
        cat "$2" | "${@:3}" "$DIR"
        code=$?
        list "$DIR"
        echo "$LISTING" >"$T/listing"
        exit "$code"
    ' - "$1" "$IN" "$PUTD" "${OPTIONS[@]}" >"$T/out" 2>"$T/err" 3>&- || CODE=$?
    look
    read -r LISTING <"$T/listing" || true
}

@test "directory: read-only" {
    asked a 1
    with_mounts 'mount --bind "$DIR" "$DIR" && mount -o remount,bind,ro "$DIR"'
    expect 73 ''
    said 'Read-only file system'
}

@test "directory: itself a mount" {
    asked a 1
    with_mounts 'mount -t tmpfs none "$DIR"'
    expect 0 'a=1' +a:1
}

@test "a mount below the root: nothing goes through it, all else is served" {
    mkdir "$DIR/sub"
    asked a 1
    asked sub/b 2
    asked c 3
    with_mounts 'mount -t tmpfs none "$DIR/sub"'
    expect 0 'a=1 c=3 sub/' +a:1 !put:denied:sub/b +c:1
    logged 3
    [[ ${LOG[1]} == *'refused sub/b: denied'* ]]
}

@test "a mount below the root, of the same filesystem" {
    mkdir "$DIR/sub" "$T/elsewhere"
    asked sub/b 2
    asked c 3
    with_mounts 'mount --bind "$T/elsewhere" "$DIR/sub"'
    expect 0 'c=3 sub/' !put:denied:sub/b +c:1
    [[ -z $(ls "$T/elsewhere") ]]
}

@test "a mount further down" {
    mkdir -p "$DIR/sub/sub"
    asked sub/sub/b 2
    asked sub/c 3
    with_mounts 'mount -t tmpfs none "$DIR/sub" && mkdir "$DIR/sub/sub"'
    expect 0 'sub/ sub/sub/' !put:denied:sub/sub/b !put:denied:sub/c
}

@test "a file that is mounted is not replaced" {
    echo -n mine >"$T/mine"
    : >"$DIR/a"
    asked a 1
    asked c 3
    with_mounts 'mount --bind "$T/mine" "$DIR/a"'
    expect 0 'a=mine c=3' !put:denied:a +c:1
    [[ $(<"$T/mine") == mine ]]
}
