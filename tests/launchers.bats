#!/usr/bin/env bats
# shellcheck disable=SC2153 # PORT and SOCKET are set by what is loaded
#
# Ring 2: the same bytes give the same files, receipts and exit status, whatever
# listens and whoever sends. Everything is on 127.0.0.1 or on a Unix socket.

bats_require_minimum_version 1.5.0
load lib/common
load lib/launch_common

# A file small and one large enough for whole blocks, a refusal between them,
# and the summary that lets every netcat end.
three_and_an_end() {
    asked small hello
    asked ../up no
    head -c 3000000 /dev/zero | tr '\0' x >"$T/large"
    frame '{"cmd":"put","filename":"large","filesize":3000000,"reply":true}'
    cat "$T/large" >>"$IN"
    frame '{"cmd":"end","reply":true}'
}

# row FORM NETCAT
row() {
    launch "$1"
    three_and_an_end
    send "$2"
    if [[ $1 == listen ]]; then
        background_status
        look
    else
        handler_ended
    fi
    expect 0 'large=(3000000 bytes) small=hello' \
        +small:5 !put:bad-name +large:3000000 \
        '{"ok":false,"cmd":"end","files":2,"failed":1,"bytes":3000005}'
    cmp "$T/large" "$DIR/large"
}

@test "connected socket on fd 3, openbsd netcat" { row accept openbsd; }
@test "connected socket on fd 3, traditional netcat" { row accept traditional; }
@test "connected socket on fd 3, ncat" { row accept ncat; }
@test "connected socket on fd 3, busybox nc" { row accept busybox; }
@test "fd 0 and 1, openbsd netcat" { row inetd openbsd; }
@test "fd 0 and 1, traditional netcat" { row inetd traditional; }
@test "fd 0 and 1, ncat" { row inetd ncat; }
@test "fd 0 and 1, busybox nc" { row inetd busybox; }
@test "listening socket on fd 3, openbsd netcat" { row listen openbsd; }
@test "listening socket on fd 3, traditional netcat" { row listen traditional; }
@test "listening socket on fd 3, ncat" { row listen ncat; }
@test "listening socket on fd 3, busybox nc" { row listen busybox; }

# A sender that asks for nothing is never sent a byte.

# silent_row FORM NETCAT
silent_row() {
    launch "$1"
    plain a hello
    plain ../up no
    plain b ''
    send "$2"
    if [[ $1 == listen ]]; then
        background_status
        look
    else
        handler_ended
    fi
    expect 0 'a=hello b='
}

@test "no byte for a legacy stream: fd 3, openbsd" { silent_row accept openbsd; }
@test "no byte for a legacy stream: fd 3, traditional" {
    silent_row accept traditional-leaving
}

@test "no byte for a legacy stream: fd 3, ncat" { silent_row accept ncat; }
@test "no byte for a legacy stream: fd 3, busybox" { silent_row accept busybox; }
@test "no byte for a legacy stream: fd 0 and 1" { silent_row inetd openbsd; }
@test "no byte for a legacy stream: listening" { silent_row listen openbsd; }

# What is wrong goes to the log, with the peer's address, and not to the peer.

# hostile_row FORM
hostile_row() {
    launch "$1" --log=auto
    text $'GET / HTTP/1.0\r\n\r\n'
    send openbsd
    if [[ $1 == listen ]]; then
        background_status
        look
    else
        handler_ended
    fi
    expect 65 ''
    grep -qE '^putd: 127\.0\.0\.1:[0-9]+: the stream cannot be read' "$T/err"
}

@test "hostile bytes: connected socket on fd 3" { hostile_row accept; }
@test "hostile bytes: fd 0 and 1" { hostile_row inetd; }
@test "hostile bytes: listening socket on fd 3" { hostile_row listen; }

@test "inetd and xinetd: stderr is the connection too, and stays silent" {
    # shellcheck disable=SC2016 # $@ is the inner shell's
    launch_command inetd /bin/sh -c 'exec "$@" 2>&1' sh \
        "$PUTD" "${OPTIONS[@]}" --verbose "$DIR"
    plain a hello
    plain ../up no
    text $'GET / HTTP/1.0\r\n\r\n'
    send openbsd
    handler_ended
    expect 65 'a=hello'
}

@test "a wrong option is told to the log, not to the client" {
    launch accept --no-such-option
    plain a hello
    send openbsd || true # it may see a reset
    handler_ended
    expect 64 ''
    grep -q 'putd: no such option' "$T/err"
}

# One process that accepts.

@test "--connections=3: three are served, then it ends" {
    launch listen --connections=3
    asked a 1
    send openbsd
    : >"$IN"
    text 'not a frame'
    send openbsd
    kill -0 "$PID"
    : >"$IN"
    asked c 3
    send openbsd
    background_status
    look
    expect 0 'a=1 c=3' +c:1
    run ! port_listens "$PORT"
}

# Each connection made one of its own, and the kernel has 65536 requests' worth of
# them for all processes: a long-lived one used them up.
@test "--connections=4: one AIO context for all of them" {
    local name

    need_tool strace
    launch_command listen strace -D -o "$T/trace" -e trace=io_setup,io_submit \
        "$PUTD" "${OPTIONS[@]}" --connections=4 "$DIR"
    for name in a b c d; do
        : >"$IN"
        asked "${name}1" 1
        asked "${name}2" 2
        send openbsd
    done
    background_status
    ((CODE == 0))
    grep -q '^io_submit' "$T/trace" || fail "$(cat "$T/trace")" # there were batches
    (($(grep -c '^io_setup' "$T/trace") == 1))
}

@test "--idle-exit: nobody comes any more" {
    launch listen --connections=100 --idle-exit=1
    asked a 1
    send openbsd
    background_status
    look
    expect 0 'a=1' +a:1
}

@test "SIGTERM ends one that listens" {
    launch listen --connections=100
    asked a 1
    send openbsd
    kill "$PID"
    background_status
    look
    expect 0 'a=1' +a:1
}

# Unix sockets.

@test "unix socket, connected: put -s unix:" {
    launch_unix accept
    printf 'hello' >"$T/a"
    run "$PUT" -s "unix:$SOCKET" "$T/a"
    ((status == 0)) || fail "$output"
    handler_ended
    expect 0 'a=hello'
    grep -qE "^putd: uid $EUID pid [0-9]+: stored a, 5 bytes" "$T/err"
}

@test "unix socket, listening: put -s unix:" {
    launch_unix listen --connections=2
    printf 'hello' >"$T/a"
    printf 'world' >"$T/b"
    "$PUT" -s "unix:$SOCKET" "$T/a"
    "$PUT" -s "unix:$SOCKET" "$T/b"
    background_status
    list "$DIR"
    [[ $CODE == 0 && $LISTING == 'a=hello b=world' ]]
}

@test "unix socket, fd 0 and 1: openbsd netcat" {
    need_tool nc.openbsd
    launch_unix inetd
    asked a hello
    timeout "$SEND_SECONDS" nc.openbsd -N -U "$SOCKET" <"$IN" >"$T/out"
    handler_ended
    expect 0 'a=hello' +a:5
}

# The client, through every launcher.

two_files() {
    printf 'hello' >"$T/a"
    head -c 2500000 /dev/urandom >"$T/b"
}

two_stored() {
    cmp "$T/a" "$DIR/a"
    cmp "$T/b" "$DIR/b"
    [[ $(ls -A -I .putd "$DIR") == $'a\nb' ]]
}

# put_row FORM
put_row() {
    launch "$1"
    two_files
    "$PUT" -s "127.0.0.1:$PORT" "$T/a" "$T/b"
    two_stored
}

@test "put -s HOST:PORT: connected socket on fd 3" { put_row accept; }
@test "put -s HOST:PORT: fd 0 and 1" { put_row inetd; }
@test "put -s HOST:PORT: listening socket on fd 3" { put_row listen; }

# framed_row NETCAT: what put writes where it has no server.
framed_row() {
    launch accept
    two_files
    "$PUT" "$T/a" "$T/b" >"$IN"
    send "$1"
    handler_ended
    [[ $CODE == 0 ]]
    grep -q '^{"ok":true,"cmd":"end","files":2,' "$T/out"
    two_stored
}

@test "put | openbsd netcat" { framed_row openbsd; }
@test "put | traditional netcat" { framed_row traditional; }
@test "put | ncat" { framed_row ncat; }
@test "put | busybox nc" { framed_row busybox; }

@test "put -s exec: a pipe each way" {
    two_files
    "$PUT" -s "exec:'$PUTD' ${OPTIONS[*]} '$DIR'" "$T/a" "$T/b"
    two_stored
}

@test "put -s exec: a refusal is told, the other file is stored" {
    printf 'hello' >"$T/a"
    printf 'too large' >"$T/c"
    run "$PUT" -s "exec:'$PUTD' ${OPTIONS[*]} --max-size=5 '$DIR' 2>'$T/log'" \
        "$T/c" "$T/a"
    ((status == 1)) || fail "$output"
    list "$DIR"
    [[ $LISTING == 'a=hello' ]]
    grep -q 'refused c: too-large' "$T/log"
}

@test "put -s exec: a handler that cannot be started is no success" {
    printf 'hello' >"$T/a"
    run "$PUT" -s 'exec:exit 3' "$T/a"
    ((status != 0)) || fail "$output"
}

@test "twenty senders at once" {
    local -i i
    local -a senders=()

    launch accept
    for ((i = 0; i < 20; i++)); do
        head -c $((i * 50000)) /dev/urandom >"$T/f$i"
        "$PUT" -q -s "127.0.0.1:$PORT" "$T/f$i" 3>&- &
        senders+=($!)
    done
    for i in "${senders[@]}"; do
        wait "$i"
    done
    for ((i = 0; i < 20; i++)); do
        cmp "$T/f$i" "$DIR/f$i"
    done
    handler_ended 20
}

# --- contrib ----------------------------------------------------------------

# localized FILE: a contrib file's text, for this build and this test.
localized() {
    sed -e "s|/usr/local/libexec/putd|$PUTD ${OPTIONS[*]}|" \
        -e "s|/var/lib/putd|$DIR|" -e "s|/var/lib/drop/files|$DIR|" \
        "$ROOT/contrib/$1"
}

@test "contrib/ssh: the forced command, as sshd runs it" {
    local forced

    forced=$(localized ssh/authorized_keys |
        sed -n 's/^restrict,command="\([^"]*\)" ssh-.*/\1/p')
    [[ -n $forced ]]
    two_files
    SSH_CONNECTION='192.0.2.7 5 192.0.2.1 22' \
        "$PUT" -s "exec:/bin/sh -c '$forced'" "$T/a" "$T/b"
    two_stored
}

@test "contrib/inetd: the line, as inetd runs it" {
    local port socket protocol wait user program arguments

    read -r port socket protocol wait user program arguments < <(
        grep -v '^#' "$ROOT/contrib/inetd/inetd.conf"
    )
    [[ $port == 8080 && $socket == stream && $protocol == tcp ]]
    [[ $wait == nowait.* && $user == putd ]]
    [[ $program == /usr/local/libexec/putd ]]
    [[ $arguments == 'putd --min-rate=1K --session-timeout=86400 /var/lib/putd' ]]
}

# Those that anybody reaches: a peer that sent a byte a minute held its place for
# ever where only the unit had these.
@test "contrib: each launcher bounds a slow peer, as the unit does" {
    local file bounds='--min-rate=1K --session-timeout=86400 '

    grep -qF "/putd $bounds" "$ROOT/units/putd@.service.in"
    for file in inetd/inetd.conf xinetd/putd tcpserver/run busybox/run s6/run ncat/run \
        socat/run socat/run-copying; do
        grep -qF -e "$bounds/var/lib/putd" "$ROOT/contrib/$file" || fail "$file"
    done
}

# of_entry KEY: its value in the xinetd entry.
of_entry() {
    sed -n "s/^\t$1\t*[ \t]*= //p" "$ROOT/contrib/xinetd/putd"
}

@test "contrib/xinetd: the entry, as xinetd runs it" {
    [[ $(of_entry socket_type) == stream && $(of_entry wait) == no ]]
    [[ $(of_entry user) == putd && $(of_entry port) == 8080 ]]
    [[ $(of_entry server) == /usr/local/libexec/putd ]]
    [[ $(of_entry server_args) == '--min-rate=1K --session-timeout=86400 /var/lib/putd' ]]
    [[ $(of_entry per_source) == 32 && $(of_entry instances) == 256 ]]
}
