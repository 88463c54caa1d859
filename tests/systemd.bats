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

# --- what is installed ------------------------------------------------------

@test "systemd-analyze verify finds nothing" {
    run inside systemd-analyze verify --man=no putd.socket putd@.service
    ((status == 0)) && [[ -z $output ]]
}

@test "systemd-analyze security: an exposure of at most 0.2" {
    inside systemd-analyze security --offline=true putd@.service |
        grep -q 'Overall exposure level .*: 0\.[0-2] '
}

@test "the command line bounds slow and endless peers; PUTD_OPTIONS win" {
    local start

    start=$(inside systemctl show -p ExecStart --value putd@x.service)
    # shellcheck disable=SC2016 # as systemd shows it
    [[ $start == *'argv[]=/usr/local/libexec/putd --min-rate=1K --session-timeout=86400 $PUTD_OPTIONS ${PUTD_DIRECTORY} ; ignore_errors=no ;'* ]]
    inside sh -c 'echo "PUTD_OPTIONS=--session-timeout=1" >/etc/default/putd'
    asked a hello
    hold long
    until_true instances_are 1
    until_true instances_are 0 # our side is open all the time
    inside rm /etc/default/putd
    journal_has ': idle for too long$'
    run journal_has "Failed with result" # the exit status is 75
    ((status == 1))
    go_on long
}

@test "the user putd cannot log in" {
    [[ $(inside getent passwd putd) == *:/var/lib/putd:/usr/sbin/nologin ]]
    [[ $(inside id -Gn putd) == putd ]]
}

@test "connections are bounded: 256, of one address 32, in any burst" {
    [[ $(inside systemctl show -p MaxConnections --value putd.socket) == 256 ]]
    [[ $(inside systemctl show -p MaxConnectionsPerSource --value putd.socket) == 32 ]]
    [[ $(inside systemctl show -p TriggerLimitIntervalUSec --value putd.socket) == 0 ]]
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

# as COMMAND...: what a reader does who is in the group putd, and a stranger.
as_reader() { inside setpriv --reuid nobody --regid nogroup --groups putd --inh-caps=-all "$@"; }
as_stranger() { inside setpriv --reuid nobody --regid nogroup --clear-groups --inh-caps=-all "$@"; }

@test "a member of the group reads what arrives, and alters nothing; others see nothing" {
    inside sh -c 'echo PUTD_OPTIONS=--mkdirs >/etc/default/putd'
    asked a hello
    asked d/e/b world
    stream
    inside rm /etc/default/putd
    [[ $(as_reader cat /var/lib/putd/a /var/lib/putd/d/e/b) == helloworld ]]
    run as_reader sh -c 'echo >>/var/lib/putd/a'
    ((status != 0))
    run as_reader rm -f /var/lib/putd/a
    ((status != 0))
    run as_reader touch /var/lib/putd/d/new
    ((status != 0))
    run as_stranger ls /var/lib/putd
    ((status != 0))
    [[ $(inside stat -c '%G %a' /var/lib/putd/d/e) == 'putd 2750' ]]
}

# Each way to a name, inside the unit's filter of system calls: a walk, a link, a
# rename, directories that are made, times, digests, uploads by id.
@test "every command inside the strict unit" {
    local id=abcdefghijklmnop1234

    inside sh -c 'echo PUTD_OPTIONS="--mkdirs --if-exists=keep" >/etc/default/putd'
    asked d/e/a one ',"mtime":1000000000.5,"sha256":true'
    asked d/e/a two
    asked .hidden no
    frame "{\"cmd\":\"put\",\"id\":\"$id\",\"offset\":0,\"filesize\":3,\"reply\":true}" abc
    frame "{\"cmd\":\"put\",\"id\":\"$id\",\"offset\":3,\"filesize\":3,\"reply\":true}" def
    frame "{\"cmd\":\"stat\",\"id\":\"$id\",\"reply\":true}"
    frame "{\"cmd\":\"commit\",\"id\":\"$id\",\"filename\":\"d/c\",\"size\":6,\"sha256\":true,\"reply\":true}"
    frame "{\"cmd\":\"put\",\"id\":\"${id}x\",\"offset\":0,\"filesize\":1,\"reply\":true}" x
    frame "{\"cmd\":\"abort\",\"id\":\"${id}x\",\"reply\":true}"
    frame '{"cmd":"hello","reply":true}'
    frame '{"cmd":"end","reply":true}'
    stream
    inside rm /etc/default/putd
    [[ $LISTING == *'d/c=abcdef d/e/ d/e/a=one d/e/a.~1~=two'* ]]
    ((${#RECEIPTS[@]} == 11))
    [[ ${RECEIPTS[1]} == *'"stored":"d/e/a.~1~"'* ]]
    [[ ${RECEIPTS[2]} == *'"error":"bad-name"'* ]]
    [[ ${RECEIPTS[5]} == *'"state":"partial","offset":6'* ]]
    [[ ${RECEIPTS[10]} == '{"ok":false,"cmd":"end","files":3,"failed":1,"bytes":12}' ]]
    [[ $(grep -c '^{"ok":true' "$T/out") == 9 ]]
    [[ $(inside stat -c %Y /var/lib/putd/d/e/a) == 1000000000 ]]
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
    until_true bodies_are 10
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
    until_true bodies_are 1
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

@test "systemctl stop in the middle of a part: what came of it is held" {
    local id=stopped-in-the-middle

    frame "{\"cmd\":\"put\",\"id\":\"$id\",\"offset\":0,\"filesize\":9,\"reply\":true}" abc
    hold part
    until_true instances_are 1
    # shellcheck disable=SC2016 # $1 is the inner shell's
    until_true inside sh -c '[ "$(stat -c %s /var/lib/putd/.putd/$1.part 2>/dev/null)" = 3 ]' sh "$id"
    inside systemctl stop 'putd@*'
    until_true instances_are 0
    go_on part
    : >"$IN"
    frame "{\"cmd\":\"stat\",\"id\":\"$id\",\"reply\":true}"
    frame "{\"cmd\":\"abort\",\"id\":\"$id\",\"reply\":true}"
    stream
    [[ ${RECEIPTS[0]} == '{"ok":true,"cmd":"stat","state":"partial","offset":3}' ]]
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
    until_true bodies_are 1
    inside pkill -KILL -x putd
    until_true instances_are 0
    go_on killed
    [[ -z $(ls -A "$STORE") ]]
    journal_has "Failed with result 'signal'"
}

# --- limits -----------------------------------------------------------------

# crowd N [SOURCES]: N connections at once from one address or as many, held until
# `release`.
crowd() {
    mkfifo "$T/release"
    background "$RIG" client "$PIDFILE" "$PYTHON" "$LIB/launch_crowd.py" "$1" "$T/release" \
        "${2-1}" >"$T/crowd"
    until_true test -s "$T/crowd"
}

release() {
    : >"$T/release"
    wait "$PID"
}

@test "32 connections from one address, and no more" {
    crowd 35
    [[ $(cat "$T/crowd") == 'closed 3' ]]
    until_true instances_are 32
    release
    until_true instances_are 0
    asked a hello
    stream
    expect 0 'a=hello' +a:5
}

# 26 of each address, which is less than it may have.
@test "256 connections from ten addresses, and no more; then others have room" {
    crowd 260 10
    [[ $(cat "$T/crowd") == 'closed 4' ]]
    until_true instances_are 256
    release
    until_true instances_are 0
    asked a hello
    stream
    expect 0 'a=hello' +a:5
}

# The default trigger limit, 200 in 2 s, made a socket unit fail for good.
@test "400 connections in a burst do not close the socket" {
    crowd 400
    [[ $(cat "$T/crowd") == 'closed 368' ]]
    release
    until_true instances_are 0
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

# The unit alone lets a process read /etc and fork: putd's own sandbox does not.
@test "the sandbox of a live instance: Landlock and the filter are around it" {
    [[ $(attempt read_passwd) == EACCES ]]
    [[ $(attempt read_passwd --no-sandbox) == 'done' ]]
    [[ $(attempt fork_process) == EPERM ]]
    [[ $(attempt fork_process --no-sandbox) == 'done' ]]
    [[ $(attempt create_outside --no-sandbox) == EROFS ]] # the unit's own
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
