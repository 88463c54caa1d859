#!/usr/bin/env bats
# Ring 3: the installed units under a real systemd as PID 1. All tests of this
# file share one boot; each leaves it without a connection, a failed unit or a
# file.

load lib/common
load lib/launch_common
load lib/launch_systemd

setup_file() { boot_systemd; }
teardown_file() { end_systemd; }
setup() { systemd_setup; }
teardown() { systemd_teardown; }

# stream: what was built, sent through a netcat; the answer is looked at.
stream() {
    need_tool nc.openbsd
    client timeout 30 nc.openbsd -N 127.0.0.1 8080 \
        <"$IN" >"$T/out" 2>"$T/nc" || true
    : >"$T/err"
    within instances_are 0
    # shellcheck disable=SC2034 # for look
    DIR=$STORE CODE=0
    look
}

# --- what is installed ------------------------------------------------------

@test "systemd-analyze verify finds nothing" {
    run inside systemd-analyze verify --man=no putd.socket putd@.service
    ((status == 0)) && [[ -z $output ]]
}

@test "systemd-analyze security: an exposure of at most 0.4" {
    inside systemd-analyze security --offline=true putd@.service |
        grep -q 'Overall exposure level .*: 0\.[0-4] '
}

@test "the user putd cannot log in" {
    [[ $(inside getent passwd putd) == *:/var/lib/putd:/usr/sbin/nologin ]]
    [[ $(inside id -Gn putd) == putd ]]
}

@test "enabled: the socket comes with sockets.target" {
    [[ $(inside systemctl is-enabled putd.socket) == enabled ]]
    inside systemctl list-dependencies --plain sockets.target |
        grep -q putd.socket
}

# --- a connection -----------------------------------------------------------

@test "nothing runs until somebody connects; then a file is stored" {
    instances_are 0
    printf 'hello' >"$T/a"
    client "$PUT" -s "$ADDRESS" "$T/a"
    cmp "$T/a" "$STORE/a"
}

@test "over IPv6" {
    printf 'hello' >"$T/a"
    client "$PUT" -s '[::1]:8080' "$T/a"
    cmp "$T/a" "$STORE/a"
    journal_has '^\[::1\]:[0-9]+: stored a, 5 bytes$'
}

@test "the receipts, and a body of many blocks" {
    head -c 20000000 /dev/zero | tr '\0' x >"$T/large"
    asked a hello
    frame '{"cmd":"put","filename":"large","filesize":20000000,"reply":true}'
    cat "$T/large" >>"$IN"
    frame '{"cmd":"end","reply":true}'
    stream
    expect 0 'a=hello large=(20000000 bytes)' +a:5 +large:20000000 \
        '{"ok":true,"cmd":"end","files":2,"failed":0,"bytes":20000005}'
    cmp "$T/large" "$STORE/large"
}

@test "files belong to putd, and its group may read them" {
    asked a hello
    stream
    asked a again # over the first, by another way of publishing
    stream
    [[ $(inside stat -c '%U:%G %a' /var/lib/putd) == 'putd:putd 2750' ]]
    [[ $(inside stat -c '%U:%G %a' /var/lib/putd/a) == 'putd:putd 640' ]]
    [[ $(inside stat -c '%U:%G %a' /var/lib/putd/.putd) == 'putd:putd '*700 ]]
}

@test "ten uploads at the same time, each with its receipt" {
    local -i i size

    for ((i = 0; i < 10; i++)); do
        ((size = 1 + i * 300000))
        head -c $size /dev/urandom >"$T/f$i"
        : >"$IN"
        frame "{\"cmd\":\"put\",\"filename\":\"f$i\",\"filesize\":$size,\"reply\":true}"
        hold "f$i"
    done
    within bodies_are 10
    instances_are 10
    list "$STORE"
    [[ $LISTING == '' ]]
    for ((i = 0; i < 10; i++)); do
        go_on "f$i" "$T/f$i"
        cmp "$T/f$i" "$STORE/f$i"
        judge "$(cat "$T/f$i.out")" "+f$i:$((1 + i * 300000))"
    done
}

@test "a legacy stream is not sent a byte" {
    plain a hello
    plain ../up no
    plain b ''
    stream
    expect 0 'a=hello b='
}

@test "/etc/default/putd: PUTD_OPTIONS" {
    inside sh -c 'echo "PUTD_OPTIONS=--max-size=3 --verbose" >/etc/default/putd'
    asked a hello
    asked b two
    stream
    inside rm /etc/default/putd
    expect 0 'b=two' !put:too-large:a +b:3
    journal_has ': end: 1 files, 3 bytes, 1 refused$'
}

# --- the journal ------------------------------------------------------------

@test "a stored file is one line, with the peer's address" {
    asked a hello
    stream
    journal_has '127\.0\.0\.1\]?:[0-9]+: stored a, 5 bytes$' -p info
    [[ $(journal -t putd | wc -l) == 1 ]]
}

@test "a refused file is one line, a warning, and escaped" {
    plain '../up' hello
    plain 'a\u001b[31m' hello
    plain b ok
    stream
    expect 0 'b=ok'
    journal_has '127\.0\.0\.1\]?:[0-9]+: refused \.\./up: bad-name$' -p warning
    journal_has ': refused a\\x1b\[31m: bad-name$' -p warning
    [[ $(journal -t putd -p warning | wc -l) == 2 ]]
}

@test "the unit of a line tells the connection" {
    asked a hello
    stream
    journal -o json -t putd |
        grep -qE '"_SYSTEMD_UNIT":"putd@[^"]*127\.0\.0\.1:8080[^"]*\.service"'
}

# --- what goes wrong --------------------------------------------------------

@test "hostile bytes: exit 65, one line, no failed unit, nothing for the peer" {
    inside systemctl log-level debug # that it tells the exit status of a success
    text $'GET / HTTP/1.0\r\n\r\n'
    stream
    inside systemctl log-level info
    expect 0 ''
    journal_has 'code=exited, status=65/DATAERR'
    journal_has '127\.0\.0\.1\]?:[0-9]+: the stream cannot be read as frames$'
    [[ $(journal -t putd | wc -l) == 1 ]]
    journal_has 'Deactivated successfully'
    run journal_has 'Failed with result'
    ((status == 1))
}

@test "a wrong option: the journal says so, the client gets no text" {
    inside sh -c 'echo "PUTD_OPTIONS=--no-such-option" >/etc/default/putd'
    asked a hello
    stream
    inside rm /etc/default/putd
    expect 0 ''
    journal_has 'no such option: --no-such-option'
    journal_has "Failed with result 'exit-code'"
}

@test "systemctl stop in the middle of an upload" {
    asked a hello
    frame '{"cmd":"put","filename":"b","filesize":9000000,"reply":true}'
    head -c 4000000 /dev/zero >>"$IN"
    hold stopped
    within bodies_are 1
    until_true answered stopped 1
    timeout 20 "$RIG" enter "$PIDFILE" systemctl stop 'putd@*'
    instances_are 0
    go_on stopped
    list "$STORE"
    [[ $LISTING == 'a=hello' ]]
    judge "$(head -n 1 "$T/stopped.out")" +a:5
    run journal_has "Failed with result|SIGKILL"
    ((status == 1))
}

@test "systemctl stop between two files" {
    asked a hello
    hold stopped
    until_true answered stopped 1
    timeout 20 "$RIG" enter "$PIDFILE" systemctl stop 'putd@*'
    instances_are 0
    go_on stopped
    list "$STORE"
    [[ $LISTING == 'a=hello' ]]
    run journal_has "Failed with result|SIGKILL"
    ((status == 1))
}

@test "a connection cut in the middle of a body" {
    frame '{"cmd":"put","filename":"a","filesize":9000000}'
    head -c 4000000 /dev/zero >>"$IN"
    stream
    expect 0 ''
    journal_has ': the stream ended inside a body$'
}

@test "a process killed in the middle of a body" {
    frame '{"cmd":"put","filename":"a","filesize":9000000}'
    hold killed
    within bodies_are 1
    inside pkill -KILL -x putd
    within instances_are 0
    go_on killed
    [[ -z $(ls -A "$STORE") ]]
    journal_has "Failed with result 'signal'"
}

# --- limits -----------------------------------------------------------------

# crowd N: N connections at once from one address, held until `release`.
crowd() {
    mkfifo "$T/release"
    background "$RIG" client "$PIDFILE" "$PYTHON" "$LIB/launch_crowd.py" "$1" "$T/release" \
        >"$T/crowd"
    until_true test -s "$T/crowd"
}

release() {
    : >"$T/release"
    wait "$PID"
}

@test "32 connections from one address, and no more" {
    crowd 35
    [[ $(cat "$T/crowd") == 'closed 3' ]]
    within instances_are 32
    release
    within instances_are 0
    asked a hello
    stream
    expect 0 'a=hello' +a:5
}

# The default trigger limit, 200 in 2 s, made a socket unit fail for good.
@test "400 connections in a burst do not close the socket" {
    crowd 400
    [[ $(cat "$T/crowd") == 'closed 368' ]]
    release
    within instances_are 0
    [[ $(inside systemctl is-active putd.socket) == active ]]
    asked a hello
    stream
    expect 0 'a=hello' +a:5
}

@test "a connection has no privileges and no other network" {
    local pid

    asked a hello
    hold idle
    until_true answered idle 1
    pid=$(inside pgrep -x putd)
    inside grep -qE '^CapEff:\s0+$' "/proc/$pid/status"
    inside grep -qE '^NoNewPrivs:\s1$' "/proc/$pid/status"
    inside grep -qE '^Seccomp:\s2$' "/proc/$pid/status"
    [[ $(inside stat -c %U "/proc/$pid") == putd ]]
    [[ $(inside readlink "/proc/$pid/ns/net") != "$(inside readlink /proc/1/ns/net)" ]]
    go_on idle
}

@test "stopping the socket closes the port and lets connections end" {
    asked a hello
    hold kept
    until_true answered kept 1
    inside systemctl stop putd.socket
    run client "$PUT" -q -s "$ADDRESS" "$IN"
    ((status == 69))
    : >"$IN"
    asked b world
    go_on kept "$IN"
    judge "$(tail -n 1 "$T/kept.out")" +b:5
    inside systemctl start putd.socket
    list "$STORE"
    [[ $LISTING == 'a=hello b=world' ]]
}

# --- the rig ----------------------------------------------------------------

leftovers() {
    ls -d "${TMPDIR:-/tmp}"/sdboot.* 2>/dev/null
    grep sdboot /proc/mounts
    find /sys/fs/cgroup -maxdepth 2 -name 'sdboot.*'
}

@test "the rig leaves nothing behind" {
    local before

    mkdir "$T/tree"
    before=$(leftovers || true) # those of the boot that this file shares
    run "$RIG" run "$T/tree" sh -c 'exit 7'
    ((status == 7))
    [[ $(leftovers || true) == "$before" ]]
}
