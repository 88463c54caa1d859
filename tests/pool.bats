#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2034 # for the shell inside; for the library
#
# contrib/pool: workers that share one socket, under a real systemd. One boot;
# each test leaves it with four workers that wait.

load lib/common
load lib/launch_common
load lib/launch_systemd

setup_file() {
    prepared install_pool || return 0
    boot_tree "$TREE"
    booted || return 0
    inside systemd-sysusers
    inside systemctl enable putd-pool.target putd-pool@{1..4}.service
    inside systemctl start putd-pool.target
}

# As the README says, into a tree.
install_pool() {
    install_into_tree &&
        install -D -m 644 -t "$TREE/etc/systemd/system" "$ROOT"/contrib/pool/putd-pool*
}

teardown_file() { end_systemd; }

setup() {
    systemd_setup
    until_true workers_are 4
}

# Whatever a test did: the four are there again, with no option and nobody's file.
teardown() {
    local -i wrong=0

    common_teardown
    [[ -n ${STORE-} ]] || return 0
    [[ $(inside systemctl is-active putd-pool.socket) != failed ]] || wrong=1
    options_are ''
    inside systemctl reset-failed
    inside systemctl start putd-pool.target putd-pool@{1..4}.service
    inside systemctl restart 'putd-pool@*'
    until_true workers_are 4 || wrong=1
    find "$STORE" -mindepth 1 -delete
    return $wrong
}

options_are() {
    inside sh -c 'echo "PUTD_OPTIONS=$1" >/etc/default/putd-pool' sh "$1"
}

# Those that have come as far as to wait for a connection.
workers() {
    inside systemctl list-units --no-legend --plain --state=running 'putd-pool@*'
}

workers_are() {
    [[ $(workers | wc -l) == "$1" ]] && [[ $(inside pgrep -cx putd) == "$1" ]]
}

# only_one: one worker, so that it is known who serves.
only_one() {
    inside systemctl stop putd-pool@{2..4}.service
    until_true workers_are 1
}

property() { inside systemctl show -p "$1" --value "$2"; }

# pooled: what was built, to the pool; the answer is looked at.
pooled() {
    client timeout 60 nc.openbsd -N 127.0.0.1 8080 <"$IN" >"$T/out" 2>"$T/nc" || true
    : >"$T/err"
    # shellcheck disable=SC2034 # for look
    DIR=$STORE CODE=0
    look
}

# --- what is installed ------------------------------------------------------

@test "verify finds nothing; the exposure is at most 0.2" {
    run inside systemd-analyze verify --man=no putd-pool.socket putd-pool.target \
        putd-pool@1.service
    ((status == 0)) && [[ -z $output ]]
    inside systemd-analyze security --offline=true putd-pool@1.service |
        grep -q 'Overall exposure level .*: 0\.[0-2] '
}

# directives FILE: those of the walls, and of the user.
directives() {
    sed -n '/^User=/,/^\[Install\]/{/^[A-Z]/p}' "$1"
}

@test "the walls are those of putd@.service" {
    [[ $(directives "$ROOT/units/putd@.service.in" | wc -l) -gt 35 ]]
    diff <(directives "$ROOT/units/putd@.service.in") \
        <(directives "$ROOT/contrib/pool/putd-pool@.service")
}

@test "four workers hold one socket; each file is one record" {
    local -i i

    for ((i = 0; i < 12; i++)); do
        : >"$IN"
        asked "f$i" "hello $i"
        pooled
        judge "${RECEIPTS[0]}" "+f$i:$((6 + ${#i}))"
        [[ $(cat "$STORE/f$i") == "hello $i" ]]
    done
    [[ $(journal -t putd | grep -c 'stored f') == 12 ]]
    [[ $(property NRestarts putd-pool@1.service) == 0 ]]
}

@test "a connection starts the pool where only its socket is there" {
    inside systemctl stop putd-pool.target
    until_true workers_are 0
    run client nc.openbsd -z 127.0.0.1 8080
    ((status == 1))
    inside systemctl start putd-pool.socket
    workers_are 0
    asked a hello
    pooled
    expect 0 'a=hello' +a:5
    until_true workers_are 4
}

# --- nothing leaks ----------------------------------------------------------

# What one connection brings in all it may bring: bodies, names, ids, a digest, a
# half of a file, and bytes that are no frame.
canaries() {
    local id=canary-id-0123456789

    asked CANARYname CANARYbody ',"sha256":true,"mtime":1000000000'
    asked CANARYother CANARYbody
    asked ../CANARYrefused CANARYbody
    frame "{\"cmd\":\"put\",\"id\":\"$id\",\"offset\":0,\"filesize\":10,\"reply\":true}" CANARYpart
    frame '{"cmd":"CANARYcommand","reply":true}'
    text "$1"
}

# stranger: what the next one is told, and what is told of it.
stranger() {
    local port pid

    : >"$IN"
    SINCE=@$(date +%s.%6N)
    frame '{"cmd":"hello","reply":true}'
    asked b world
    frame '{"cmd":"stat","id":"stranger-id-0123456","reply":true}'
    frame '{"cmd":"end","reply":true}'
    pooled
    ((${#RECEIPTS[@]} == 4))
    [[ $RAW != *[Cc][Aa][Nn][Aa][Rr][Yy]* ]]
    judge "${RECEIPTS[1]}" +b:5
    judge "${RECEIPTS[2]}" !stat:unknown-id
    [[ ${RECEIPTS[3]} == '{"ok":true,"cmd":"end","files":1,"failed":0,"bytes":5}' ]]
    [[ $(cat "$STORE/b") == world && $(stat -c %Y "$STORE/b") != 1000000000 ]]
    journal -t putd -o json >"$T/records"
    [[ $(wc -l <"$T/records") -ge 1 ]] && grep -q 'stored b' "$T/records"
    (! grep -i canary "$T/records")
    # All that is told of it is told of one peer, and that is not the one before.
    port=$(grep -o '"PUTD_PEER":"[^"]*"' "$T/records" | sort -u)
    [[ $(wc -l <<<"$port") == 1 && $port != "$FORMER" ]]
    pid=$(inside pgrep -x putd)
    (! inside tr '\0' '\n' <"$STORE/../../../proc/$pid/environ" | grep -iE 'canary|^REMOTE')
    [[ -z $(property StatusText putd-pool@1.service) ]]
}

# canary END: a connection that ends so, and then a stranger's, by the same process.
canary() {
    local before

    only_one
    before=$(inside pgrep -x putd)
    canaries "$1"
    pooled
    ((${#RECEIPTS[@]} >= 5))
    FORMER=$(journal -t putd -o json | grep -o '"PUTD_PEER":"[^"]*"' | sort -u)
    stranger
    [[ $(inside pgrep -x putd) == "$before" ]]
}

@test "nothing leaks: a connection that ended well" { canary ''; }

@test "nothing leaks: bytes that are no frame" { canary 'CANARY CANARY CANARY'; }

@test "nothing leaks: a body cut short" {
    canary "$(printf '\x3a')" # and NULs, which bash drops: a length cut short
    : >"$IN"
    canaries ''
    frame '{"cmd":"put","filename":"CANARYcut","filesize":1000,"reply":true}' CANARYhalf
    pooled
    FORMER=''
    stranger
}

# Data of one must not even be there to be leaked by a bug.
@test "nothing is left in memory: bodies, receipts, what is no frame" {
    local pid

    only_one
    pid=$(inside pgrep -x putd)
    asked before 1
    pooled
    : >"$IN"
    asked name "QUACKERbody"
    frame '{"cmd":"put","filename":"large","filesize":3000000,"reply":true}'
    yes QUACKERlarge | head -c 3000000 >>"$IN"
    text 'QUACKERtail'
    pooled
    ((${#RECEIPTS[@]} == 3))
    # What is there, that is found: its command line.
    [[ $("$PYTHON" "$LIB/pool.py" memory "$(host_pid "$pid")" QUACKER '"stored":"large"' \
        --connections=100000) == '0 0 '[1-9]* ]]
}

# host_pid PID: the process PID of in there, as it is called out here.
host_pid() {
    local status

    for status in /proc/[0-9]*/status; do
        ! grep -qE "^NSpid:.*\s$1\$" "$status" 2>/dev/null ||
            ! grep -qx 'Name:	putd' "$status" || {
            status=${status%/status}
            [[ $(readlink "$status/ns/pid") != "$(readlink "/proc/$(cat "$PIDFILE")/ns/pid")" ]] || {
                echo "${status#/proc/}"
                return
            }
        }
    done
}

@test "nothing grows: descriptors and memory of a worker after 300 connections" {
    local pid before
    local -i i

    only_one
    pid=$(host_pid "$(inside pgrep -x putd)")
    # Of each kind one, so that what is made once is there.
    for ((i = 0; i < 2; i++)); do
        : >"$IN"
        canaries ''
        pooled
        before=$(ls "/proc/$pid/fd")
    done
    for ((i = 0; i < 3; i++)); do
        client "$PYTHON" "$LIB/pool.py" waiting 100 "$T/ready" >"$T/answered"
        [[ $(cat "$T/answered") == 100 ]]
    done
    [[ $(ls "/proc/$pid/fd") == "$before" ]]
    # About 300 KiB are there at first: a leak of 3 KiB a connection would show.
    (($(sed -n 's/^Anonymous: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup") < 1200))
}

# --- crashes ----------------------------------------------------------------

# waiting N: so many clients have sent their file, and nobody serves them yet.
waiting() {
    background "$RIG" client "$PIDFILE" "$PYTHON" "$LIB/pool.py" waiting "$1" "$T/ready" \
        >"$T/answered"
    until_true test -e "$T/ready"
}

@test "a worker is killed: those that wait are served by its successor" {
    only_one
    asked held 1
    frame '{"cmd":"put","filename":"cut","filesize":1000,"reply":true}' half
    hold busy
    until_true answered busy 1
    waiting 30
    [[ ! -s $T/answered ]]
    inside pkill -KILL -x putd
    wait "$PID"
    [[ $(cat "$T/answered") == 30 ]]
    [[ $(property NRestarts putd-pool@1.service) == 1 ]]
    [[ ! -e $STORE/cut && $(cat "$STORE/w29") == 'waited 29' ]]
    go_on busy
}

restarts() {
    local -i i sum=0

    for i in {1..4}; do
        sum+=$(property NRestarts "putd-pool@$i.service")
    done
    echo "$sum"
}

restarts_are_over() { (($(restarts) > $1)); }

# A limit of starts, or of triggers, would close the socket for good.
@test "workers that cannot start: no spinning, no end of it, and nobody is lost" {
    local -i begun=$SECONDS before

    options_are --no-such-option
    inside systemctl restart 'putd-pool@*'
    before=$(restarts)
    waiting 50
    until_true restarts_are_over $((before + 24)) # more than any limit allows
    # One a second each, at most.
    (($(restarts) - before <= 4 * (SECONDS - begun + 2)))
    [[ $(inside systemctl is-active putd-pool.socket) != failed ]]
    [[ ! -s $T/answered ]]
    options_are ''
    wait "$PID"
    [[ $(cat "$T/answered") == 50 ]]
    until_true workers_are 4
    journal_has 'no such option'
}

@test "after --connections= a worker is replaced, and nobody notices" {
    options_are --connections=3
    inside systemctl restart 'putd-pool@*'
    until_true workers_are 4
    waiting 40
    wait "$PID"
    [[ $(cat "$T/answered") == 40 ]]
    (($(restarts) > 0))
}

# --- how many, and for how long ---------------------------------------------

@test "more workers, and fewer, while files come" {
    local -i i

    printf hello >"$T/a"
    background "$RIG" client "$PIDFILE" sh -c 'for i in $(seq 40); do
            "$1" -q -s 127.0.0.1:8080 -n "n$i" "$2" || echo "$i failed"; done >"$3"' \
        sh "$PUT" "$T/a" "$T/failed"
    inside systemctl enable --now putd-pool@{5..6}.service
    until_true workers_are 6
    inside systemctl disable --now putd-pool@{3..6}.service
    until_true workers_are 2
    inside systemctl restart 'putd-pool@*'
    wait "$PID"
    [[ ! -s $T/failed ]]
    [[ $(find "$STORE" -name 'n*' | wc -l) == 40 ]]
    # What is enabled is what comes with the target.
    inside systemctl restart putd-pool.target
    until_true workers_are 2
    inside systemctl enable --now putd-pool@{3..4}.service
    until_true workers_are 4
}

@test "stop: what has arrived whole is answered, and the port is closed" {
    asked a hello
    frame '{"cmd":"put","filename":"b","filesize":1000,"reply":true}' half
    hold stopped
    until_true answered stopped 1
    timeout 30 "$RIG" enter "$PIDFILE" systemctl stop putd-pool.target
    until_true workers_are 0
    go_on stopped
    [[ $(ls "$STORE") == a ]]
    run client nc.openbsd -z 127.0.0.1 8080
    ((status == 1))
    run journal_has 'SIGKILL|Failed with result'
    ((status == 1))
}

@test "idle clients occupy workers, for --idle-timeout= and no longer" {
    [[ $(property ExecStart putd-pool@1.service) == *' --idle-timeout=10 --legacy-idle=10 '* ]]
    options_are '--idle-timeout=1 --legacy-idle=1'
    only_one
    inside systemctl restart putd-pool@1.service
    asked first 1
    hold idle
    until_true answered idle 1
    waiting 1
    wait "$PID" # our side is open all the time
    [[ $(cat "$T/answered") == 1 ]]
    journal_has ': idle for too long$'
    go_on idle
}

@test "who may connect is for the socket to say" {
    inside install -d /run/systemd/system/putd-pool.socket.d
    inside sh -c 'printf "[Socket]\nIPAddressDeny=any\n" \
        >/run/systemd/system/putd-pool.socket.d/deny.conf'
    inside systemctl daemon-reload
    inside systemctl restart putd-pool.target
    until_true workers_are 4
    asked a hello
    # A client that is filtered hears nothing at all.
    run client timeout 2 nc.openbsd -w 1 -N 127.0.0.1 8080 <"$IN"
    [[ $status != 0 && -z $output && ! -e $STORE/a ]]
    inside rm -r /run/systemd/system/putd-pool.socket.d
    inside systemctl daemon-reload
    inside systemctl restart putd-pool.target
    until_true workers_are 4
    pooled
    expect 0 'a=hello' +a:5
}
