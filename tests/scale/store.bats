#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2034 # for the shell inside; for the library
#
# contrib/ingest/rclone: finished files go to an object store, a real OpenStack
# Swift, and are removed only then. Whatever is killed, and when: each file is in
# putd's directory, in the state of putd-ship, or in the store. `make scale-check`.

load ../lib/common
load ../lib/launch_common
load ../lib/launch_systemd

setup_file() {
    prepared install_ship || return 0
    SDBOOT_LOWER=$("$ROOT/tests/rig/testroot" scale)
    export SDBOOT_LOWER
    boot_tree "$TREE"
    booted || return 0
    inside systemd-sysusers
    inside systemd-tmpfiles --create putd.conf
    inside /opt/scale_store make
    inside sh -c 'chgrp putd /etc/putd-ship.conf; chmod 640 /etc/putd-ship.conf'
    inside /opt/scale_store start
    until_true inside /opt/scale_store answers
    inside systemctl start putd.socket
}

# As the README says, into a tree.
install_ship() {
    local from=$ROOT/contrib/ingest/rclone

    install_into_tree &&
        install -D -m 755 "$from/putd-ship" "$TREE/usr/local/libexec/putd-ship" &&
        install -D -m 644 -t "$TREE/etc/systemd/system" "$from"/putd-ship.{service,path,timer} &&
        install -D -m 755 "$LIB/scale_store" "$TREE/opt/scale_store" &&
        mkdir -p "$TREE/etc/default"
}

teardown_file() { end_systemd; }

setup() {
    systemd_setup
    # One of its own: what Swift's lists have not yet, no purge takes away.
    BUCKET=bucket$BATS_TEST_NUMBER
    inside sh -c 'echo "PUTD_SHIP_REMOTE=store:$1/in" >/etc/default/putd-ship' sh "$BUCKET"
}

teardown() {
    local -i wrong=0

    [[ -n ${STORE-} ]] || return 0
    inside systemctl stop putd-ship.path putd-ship.timer putd-ship.service
    inside systemctl reset-failed
    until_true inside /opt/scale_store answers || {
        inside /opt/scale_store stop
        inside /opt/scale_store start
        until_true inside /opt/scale_store answers
    }
    remote purge "store:$BUCKET" || true
    inside rm -rf /var/lib/putd-ship /opt/bin
    systemd_teardown || wrong=1
    return $wrong
}

remote() { inside timeout 60 rclone --config /etc/putd-ship.conf --retries 1 "$@" 2>/dev/null; }

# ship: one run, as its unit. Its status.
ship() { timeout 150 "$RIG" enter "$PIDFILE" systemctl start putd-ship.service 2>/dev/null || {
    local status=$?
    inside journalctl -q -o cat -u putd-ship -n 8
    return $status
}; }

# ship_all: as the timer does: a store may refuse one of many, and takes it then.
ship_all() { ship || ship || ship; }

# files N: of different sizes, sent by put; their digests in $T/sums.
files() {
    local -i i

    mkdir "$T/files"
    for ((i = 0; i < $1; i++)); do
        head -c $((i * i * 50)) /dev/urandom >"$T/files/f$i"
    done
    (cd "$T/files" && md5sum -- * | sort) >"$T/sums"
    client "$PUT" -q -s "$ADDRESS" "$T/files"/*
}

# Object by object: Swift's lists are late for what came while a server of it was
# away.
in_store() {
    inside sh -c 'cat >/opt/names' < <(cut -c 35- "$T/sums")
    remote md5sum --files-from-raw /opt/names --no-traverse "store:$BUCKET/in" | sort
}

# What is here, in the directory or in the state.
here() {
    inside sh -c 'cd /var/lib && find putd putd-ship/outgoing -name .putd -prune -o -type f -print 2>/dev/null'
}

# none_is_lost: each file is here or there, with its bytes.
none_is_lost() {
    {
        in_store
        inside sh -c 'find /var/lib/putd /var/lib/putd-ship/outgoing -name .putd -prune -o \
            -type f -exec md5sum {} + 2>/dev/null' | sed 's,  .*/,  ,'
    } | sort -u >"$T/everywhere"
    [[ -z $(comm -23 "$T/sums" "$T/everywhere") ]] || fail "lost: $(comm -23 "$T/sums" "$T/everywhere")"
}

all_shipped() {
    [[ $(in_store) == "$(cat "$T/sums")" ]]
    [[ -z $(here) ]] || fail "still here: $(here)"
    [[ -z $(inside find /var/lib/putd-ship/outgoing -mindepth 1) ]]
}

is_shipped() { [[ $(in_store | wc -l) == $(wc -l <"$T/sums") && -z $(here) ]]; }

# --- the store is there -----------------------------------------------------------

@test "what arrives is in the store, by itself, and then no longer here" {
    inside systemctl start putd-ship.path
    files 12
    until_true is_shipped
    all_shipped
    # And again, once it slept.
    echo more >"$T/files/more"
    client "$PUT" -q -s "$ADDRESS" "$T/files/more"
    (cd "$T/files" && md5sum -- * | sort) >"$T/sums"
    until_true is_shipped
    [[ $(inside systemctl show -p Result --value putd-ship.service) == success ]]
}

@test "what is still arriving is left alone, and uploads by id" {
    frame '{"cmd":"put","filename":"half","filesize":9000000,"reply":true}'
    head -c 4000000 /dev/zero >>"$IN"
    hold arriving
    until_true bodies_are 1
    files 1
    frame_id
    ship
    all_shipped
    [[ -e $STORE/.putd/some-upload-0123456.part ]]
    go_on arriving
}

frame_id() {
    : >"$IN"
    frame '{"cmd":"put","id":"some-upload-0123456","offset":0,"filesize":3,"reply":true}' abc
    client timeout 30 nc.openbsd -N 127.0.0.1 8080 <"$IN" >"$T/out"
    grep -q '"ok":true' "$T/out"
}

@test "trees keep their names; odd names too" {
    inside sh -c 'echo PUTD_OPTIONS=--mkdirs >/etc/default/putd'
    mkdir -p "$T/tree/-d/e f"
    echo 1 >"$T/tree/-d/e f/*"
    echo 2 >"$T/tree/-d/é[1]{2}"
    echo 3 >"$T/tree/-x"
    client "$PUT" -q -r -s "$ADDRESS" "$T/tree"
    inside rm /etc/default/putd
    ship
    [[ $(remote lsf -R --files-only "store:$BUCKET/in" | sort) == "$(cd "$T" && find tree -type f | sort)" ]]
    [[ -z $(here) ]]
}

@test "an object that is there is never altered: the file is set aside" {
    echo old >"$T/name"
    client "$PUT" -q -s "$ADDRESS" "$T/name"
    ship
    echo new >"$T/name"
    echo other >"$T/other"
    client "$PUT" -q -s "$ADDRESS" "$T/name" "$T/other"
    run ship
    ((status != 0))
    [[ $(remote cat "store:$BUCKET/in/name") == old ]]
    [[ $(remote cat "store:$BUCKET/in/other") == other ]]
    [[ $(inside sh -c 'cat /var/lib/putd-ship/refused/*/name') == new ]]
    inside journalctl --sync
    inside journalctl -q -o cat -u putd-ship --since="$SINCE" | grep -q 'the store has another name'
    ship # it is not tried again
    # The same once more is no conflict.
    echo old >"$T/name"
    client "$PUT" -q -s "$ADDRESS" "$T/name"
    ship
    [[ -z $(here) ]]
}

# --- the store goes, and comes back --------------------------------------------------

@test "the store is not there: nothing is lost, nothing spins; then all goes by itself" {
    inside /opt/scale_store stop
    inside systemctl start putd-ship.path
    files 10
    until_true failed_once
    [[ $(here | wc -l) == 10 ]]
    [[ $(inside systemctl is-active putd-ship.path) == active ]]
    inside /opt/scale_store start
    until_true inside /opt/scale_store answers
    ship
    all_shipped
}

failed_once() {
    [[ $(inside systemctl show -p Result --value putd-ship.service) == exit-code ]]
}

some_are_there() { [[ $(in_store | wc -l) -ge $1 ]]; }

# In the middle: some have been shipped, some have not.
@test "the store is killed in the middle, and comes back" {
    local -i round

    files 150
    for round in 1 2 3; do
        background ship
        until_true some_are_there $((round * 20))
        inside /opt/scale_store stop
        inside /opt/scale_store start
        until_true inside /opt/scale_store answers
        background_status
        none_is_lost
    done
    ship_all
    all_shipped
}

@test "rclone is killed in the middle, and so is the whole unit" {
    files 150
    background ship
    until_true some_are_there 20
    inside pkill -KILL -x rclone
    background_status
    none_is_lost
    background ship
    until_true some_are_there 40
    inside systemctl kill -s KILL putd-ship.service
    background_status
    none_is_lost
    ship_all
    all_shipped
}

# wrapped WHERE: an rclone that kills its caller before or after its work.
wrapped() {
    inside sh -c 'mkdir -p /opt/bin && cat >/opt/bin/rclone && chmod 755 /opt/bin/rclone' <<END
#!/bin/bash
[[ " \$* " == *" move "* ]] || exec /usr/bin/rclone "\$@"
[[ $1 == before ]] || /usr/bin/rclone "\$@"
kill -KILL \$PPID
END
}

# Each command of the script that alters something, and the moment before it.
@test "killed at every step: none is lost, and the next run ends it" {
    local step

    files 5
    for step in mktemp mkdir mv find; do
        wrapped_step "$step"
        run ship_wrapped
        ((status != 0))
        none_is_lost
    done
    for step in before after; do
        inside rm -rf /opt/bin
        wrapped "$step"
        run ship_wrapped
        ((status != 0))
        none_is_lost
    done
    ship
    all_shipped
}

wrapped_step() {
    inside sh -c 'rm -rf /opt/bin; mkdir -p /opt/bin && cat >"/opt/bin/$1" && chmod 755 "/opt/bin/$1"' sh "$1" <<END
#!/bin/bash
kill -KILL \$(pgrep -f 'putd-ship /var/lib/putd')
END
}

# As the unit does, with /opt/bin before all else.
ship_wrapped() {
    inside setpriv --reuid putd --regid putd --clear-groups env \
        PATH=/opt/bin:/usr/bin:/bin RCLONE_CONFIG=/etc/putd-ship.conf \
        /usr/local/libexec/putd-ship /var/lib/putd /var/lib/putd-ship "store:$BUCKET/in"
}

# --- what it refuses -------------------------------------------------------------------

@test "a remote without digests: nothing is shipped, nothing is removed" {
    inside sh -c 'printf "[bare]\ntype = memory\n[crypt]\ntype = crypt\nremote = /opt/crypt\npassword = uWvZRwyCwPVLqmeZcaNCKS8x5uSf\n" \
        >>/etc/putd-ship.conf'
    files 2
    run inside setpriv --reuid putd --regid putd --clear-groups env \
        RCLONE_CONFIG=/etc/putd-ship.conf \
        /usr/local/libexec/putd-ship /var/lib/putd /var/lib/putd-ship crypt:x
    ((status == 1)) && [[ $output == *'has no digests'* ]]
    none_is_lost
    ship
    all_shipped
}

@test "a state behind a mount, and wrong use" {
    run inside /usr/local/libexec/putd-ship /var/lib/putd /dev/shm/state store:b
    ((status == 69)) && [[ $output == *'is not in the mounted filesystem'* ]]
    run inside /usr/local/libexec/putd-ship /var/lib/putd /var/lib/x bucket
    ((status == 64))
    run inside /usr/local/libexec/putd-ship /var/lib/putd
    ((status == 64))
    run inside systemd-analyze verify --man=no putd-ship.service putd-ship.path putd-ship.timer
    ((status == 0)) && [[ -z $output ]]
}
