#!/usr/bin/env bats
# shellcheck disable=SC2016 # expanded inside
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own
# shellcheck disable=SC2034,SC2153 # for lib/, and from there
#
# The Debian package from its build to its purge, under a real systemd and with
# uploads on their way. One boot; the tests are steps, and each needs those before
# it.

load lib/common
load lib/launch_common
load lib/launch_systemd

setup_file() {
    local tool

    for tool in dh dpkg-buildpackage dpkg-deb lintian; do
        command -v "$tool" >/dev/null ||
            echo "no $tool here" >"$BATS_FILE_TMPDIR/cannot"
    done
    [[ ! -s $BATS_FILE_TMPDIR/cannot ]] || return 0
    prepared build_packages || return 0
    boot_tree "$TREE"
    booted || return 0
    inside rm -f /usr/sbin/policy-rc.d # which starts and stops nothing
}

teardown_file() { end_systemd; }

setup() {
    systemd_setup
    INNER=${STORE%/var/lib/putd}
}

teardown() { common_teardown; }

# Two packages that differ in their versions only, in /opt.
build_packages() {
    local built=$BATS_FILE_TMPDIR/deb later=$BATS_FILE_TMPDIR/later

    "$ROOT/contrib/debian/build" 1.0 1700000000 "$built" || return
    mkdir "$TREE/opt" || return
    cp "$built"/putd_1.0-1_*.deb "$TREE/opt/putd.deb" || return
    dpkg-deb -R "$TREE/opt/putd.deb" "$later" || return
    sed -i 's/^Version: .*/Version: 1.1-1/' "$later/DEBIAN/control" || return
    dpkg-deb -b "$later" "$TREE/opt/later.deb"
}

apt_like() { inside env DEBIAN_FRONTEND=noninteractive dpkg "$@"; }

version() { inside dpkg-query -W -f '${Version}' putd; }

# socket_since: when the port was opened; it stays where nobody closed it.
socket_since() {
    inside systemctl show -p ActiveEnterTimestampMonotonic --value putd.socket
}

# send_to PORT NAME TEXT
send_to() {
    printf '%s' "$3" >"$T/$2"
    client "$PUT" -q -s "127.0.0.1:$1" "$T/$2"
}

# old_handlers: how many run a program that is no longer installed.
old_handlers() {
    inside sh -c 'for pid in $(pgrep -x putd); do readlink /proc/$pid/exe; done' |
        grep -c '/putd (deleted)$' || true
}

# start_halves NAME: three connections that are inside a body; end_halves NAME lets
# them end.
start_halves() {
    local name

    for name in "$1".{1..3}; do
        : >"$IN"
        frame "{\"cmd\":\"put\",\"filename\":\"$name\",\"filesize\":10,\"reply\":true}" hello
        hold "$name"
    done
    until_true bodies_are 3
}

end_halves() {
    local name

    printf world >"$T/world"
    for name in "$1".{1..3}; do
        go_on "$name" "$T/world"
        judge "$(cat "$T/$name.out")" "+$name:10"
        [[ $(cat "$STORE/$name") == helloworld ]]
    done
}

@test "make deb: the version in the name is the Makefile's" {
    local version

    version=$(sed -n 's/^VERSION := //p' "$ROOT/Makefile")
    run make -s -n -C "$ROOT" deb
    [[ $output == *"contrib/debian/build $version "* ]]
}

@test "lintian: no error" {
    run lintian --allow-root --fail-on error "$BATS_FILE_TMPDIR"/deb/*.changes
    [[ $status == 0 && $output != *E:* ]] || fail "$output"
}

@test "libsystemd is recommended, and nothing is linked to it" {
    local deb=$INNER/opt/putd.deb

    dpkg-deb -f "$deb" Recommends | grep -qw libsystemd0
    run dpkg-deb -f "$deb" Depends
    [[ $output == *libcjson1* && $output != *libsystemd* ]]
}

@test "installed: user, group and directory are there, and nothing listens" {
    apt_like -i /opt/putd.deb
    [[ $(version) == 1.0-1 ]]
    [[ $(inside getent passwd putd) == *:/var/lib/putd:/usr/sbin/nologin ]]
    [[ $(inside stat -c '%U:%G %a' /var/lib/putd) == 'putd:putd 2750' ]]
    inside journalctl --dump-catalog 7d26dbbefae64ec1b1a049a3f6937066 | grep -q putd
    [[ $(inside systemctl is-enabled putd.socket || true) == disabled ]]
    [[ $(inside systemctl is-active putd.socket || true) == inactive ]]
    [[ $(inside systemctl show -p ExecStart --value putd@x.service) == *path=/usr/libexec/putd\ * ]]
    [[ -z $(inside grep -r /usr/local/libexec /usr/share/doc/putd) ]]
    inside sh -c 'gzip -dcf /usr/share/doc/putd/SECURITY.md*' | grep -q '^# Security$'
}

@test "systemctl enable --now putd.socket, and files arrive" {
    inside systemctl enable --now putd.socket
    send_to 8080 first hello
    [[ $(cat "$STORE/first") == hello ]]
}

@test "upgraded with uploads on their way: all arrive, the port stays open" {
    local since

    since=$(socket_since)
    start_halves old
    # 3 MiB by id, in 3 s at least, while dpkg works.
    head -c 3145728 /dev/urandom >"$T/large"
    background "$RIG" client "$PIDFILE" "$PUT" -q -s 127.0.0.1:8080 --bwlimit=1M "$T/large"
    until_true instances_are 4
    # And new connections all the time, each of which must be answered.
    background sender
    until_true grep -q . "$T/sent"
    apt_like -i /opt/later.deb
    : >"$T/enough"
    wait "${PIDS[-1]}" || fail "$(tail -n 3 "$T/sent")"
    (($(wc -l <"$T/sent") >= 3))
    [[ $(version) == 1.1-1 ]]
    (($(old_handlers) >= 3))
    end_halves old
    wait "${PIDS[-2]}"
    cmp "$T/large" "$STORE/large"
    [[ $(socket_since) == "$since" ]]
    [[ $(inside systemctl show -p NeedDaemonReload --value putd.socket) == no ]]
    # The next connection gets the new program.
    start_halves new
    [[ $(old_handlers) == 0 ]]
    end_halves new
    inside systemctl --failed --no-legend --plain | (! grep .)
}

# sender: one small file after another, until $T/enough; its status is 0 if each
# was answered at the first try.
sender() {
    local -i i

    for ((i = 0; i < 2000; i++)); do
        [[ ! -e $T/enough ]] || return 0
        printf '%s' "$i" >"$T/small.$i"
        client "$PUT" -s 127.0.0.1:8080 --retries=0 "$T/small.$i" >>"$T/sent" 2>&1 ||
            return 1
    done
}

@test "another port, as README.Debian has it, outlives an upgrade" {
    inside mkdir -p /etc/systemd/system/putd.socket.d
    inside sh -c 'gzip -dcf /usr/share/doc/putd/README.Debian* |
        sed -n "/^    \[Socket\]/,/^    ListenStream=1/s/^    //p" \
            >/etc/systemd/system/putd.socket.d/override.conf
        echo PUTD_OPTIONS=--if-exists=keep >>/etc/default/putd'
    inside systemctl daemon-reload
    inside systemctl restart putd.socket
    send_to 7070 a first
    apt_like -i /opt/putd.deb # down again, which is an upgrade as well
    [[ $(version) == 1.0-1 ]]
    send_to 7070 a second
    [[ $(cat "$STORE/a" "$STORE/a.~1~") == firstsecond ]]
    run client nc.openbsd -z 127.0.0.1 8080
    ((status == 1))
    inside rm -r /etc/systemd/system/putd.socket.d
    inside systemctl daemon-reload
    inside systemctl restart putd.socket
}

@test "removed with uploads on their way: they end well, the port is closed" {
    start_halves last
    apt_like -r putd
    run client nc.openbsd -z 127.0.0.1 8080
    ((status == 1))
    end_halves last
    [[ $(inside systemctl show -p LoadState --value putd.socket) == not-found ]]
    inside test ! -e /usr/libexec/putd
    inside test -e /etc/default/putd
    [[ $(cat "$STORE/first") == hello ]]
}

@test "installed again: it listens after the same command" {
    apt_like -i /opt/putd.deb
    inside systemctl enable --now putd.socket
    inside grep -q if-exists=keep /etc/default/putd
    send_to 8080 back hello
}

@test "purged: what arrived stays, all else is gone" {
    # An upload that never ends leaves a partial file.
    : >"$IN"
    frame '{"cmd":"put","id":"0123456789abcdef","offset":0,"filesize":2}' ab
    stream
    [[ -n $(ls -A "$STORE/.putd") ]]
    apt_like --purge putd
    [[ $(cat "$STORE/first") == hello && ! -e $STORE/.putd ]]
    inside test ! -e /etc/default/putd
    [[ -z $(inside find /etc /usr /lib/systemd -name '*putd*') ]]
    run inside dpkg-query -W putd
    ((status == 1)) || [[ $output == *not-installed* ]]
    [[ $(inside stat -c %U /var/lib/putd/first) == putd ]]
}

@test "purged where nothing had arrived: the directory is gone, too" {
    inside find /var/lib/putd -mindepth 1 -delete
    apt_like -i /opt/putd.deb
    apt_like --purge putd
    inside test ! -e /var/lib/putd
}
