#!/usr/bin/env bats
# bats tests/bench/launchers.bats: connections per second under each launcher of
# the table, with contrib's own configuration in the test root: 1 KiB each, with
# a receipt and flushed, four at a time. Each row is measured for about three
# seconds and printed as a row of a table. Root; about two minutes. No row fails
# by its figure. Read them as ratios of one run.

load ../lib/common
load ../lib/table_common
load ../lib/table_launchers

COUNT=1000
LASTS=3 # seconds

setup_file() {
    printf '%s\n' '| launcher | connections/s |' '|---|---|' >&3
}

setup() {
    table_setup
    # The program itself, without the one that tells a status.
    cp "$PUTD" "$SHARE/table_putd"
    cp "$BATS_TEST_DIRNAME/connect.py" "$SHARE"
}

teardown() { table_teardown; }

# rate NAME: of the launcher that is up.
rate() {
    run --separate-stderr "${VIA[@]}" "$AT/connect.py" --seconds=$LASTS $COUNT \
        "${CONNECT[@]}"
    # shellcheck disable=SC2154 # run sets it
    ((status == 0)) || fail "$stderr"
    printf '| %s | %s |\n' "$1" "$output" >&3
}

row() {
    "launch_$1"
    # The rows of the table log in debug, to see exit statuses.
    [[ $LOGS != journal ]] || inside systemctl log-level info
    rate "$BATS_TEST_DESCRIPTION"
}

@test "a plain pipe, no launcher" { row pipe; }
@test "tcpserver" { row tcpserver; }
@test "busybox tcpsvd" { row tcpsvd; }
@test "s6-ipcserver" { row s6; }
@test "socat, nofork" { row socat; }
@test "socat, copying" { row socat_copying; }
@test "ncat --exec" { row ncat; }
# contrib's entry closes the port above 200 a second.
@test "xinetd, without its bound of connections a second" {
    plain_root
    inside sh -c \
        'sed "s/cps.*/cps = 100000 1/" /contrib/xinetd/putd >/etc/xinetd.d/putd'
    start xinetd -dontfork
    CONNECT=("$TCP")
    until_true port_listens 8080
    rate "$BATS_TEST_DESCRIPTION"
}
@test "openbsd-inetd" { row openbsd_inetd; }
# It ends a service that is asked for too often.
@test "inetutils-inetd, with another bound" {
    inetd /opt/inetutils-inetd/usr/sbin/inetutils-inetd -R 1000000
    rate "$BATS_TEST_DESCRIPTION"
}
@test "systemd-socket-activate --accept" { row activate_accept; }
@test "systemd, the shipped unit" { row systemd; }
@test "systemd, StandardInput=socket" { row systemd_inetd; }
@test "HAProxy in front of the shipped unit" { row haproxy; }
@test "stunnel exec, with client certificates" { row stunnel; }
@test "sshd, forced command" { row ssh; }

@test "systemd, with contrib/units/light.conf" {
    drop_in putd@.service light <"$ROOT/contrib/units/light.conf"
    row systemd
}

# It serves one connection after another in one process.
@test "systemd, Accept=no" {
    mkdir -p "$T/tree/etc/default"
    echo 'PUTD_OPTIONS=--connections=1000000' >"$T/tree/etc/default/putd"
    row systemd_listening
}
