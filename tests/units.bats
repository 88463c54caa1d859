#!/usr/bin/env bats
# The units as an administrator meets them, under a real systemd: `make install`
# on the machine itself, `systemctl enable --now putd.socket`, and then each file
# of contrib/units where its first line says. One boot, as in systemd.bats.

load lib/common
load lib/launch_common
load lib/launch_systemd

setup_file() {
    boot_to_install
    booted || return 0
    inside make -C /opt/putd install >"$BATS_FILE_TMPDIR/installed" 2>&1 ||
        {
            cat "$BATS_FILE_TMPDIR/installed"
            exit 1
        }
    inside systemctl enable --now putd.socket
}

teardown_file() { end_systemd; }
setup() { systemd_setup; }

teardown() {
    local -i wrong=0

    systemd_teardown || wrong=1
    [[ -z ${STORE-} ]] || forget_drop_ins
    return $wrong
}

forget_drop_ins() {
    [[ -n $(inside find /etc/systemd/system -name 'putd*' ! -name putd.socket) ]] ||
        return 0
    inside sh -c 'cd /etc && rm -rf systemd/system/putd.socket.d \
        systemd/system/putd@.service.d systemd/system/putd-failed.service default/putd* \
        ../run/putd-failed'
    inside systemctl daemon-reload
    inside systemctl restart putd.socket
}

# use FILE: one of contrib/units, copied to where its head comment tells.
use() {
    local to

    to=$(sed -n '/^#/!q; s/^.*\(\/etc\/systemd\/system[a-z@./-]*\).*$/\1/p' \
        "$ROOT/contrib/units/$1" | head -n 1)
    to=${to%.}
    [[ $to == */"$1" ]] || fail "where does $1 go?"
    inside install -D -m 644 "/opt/putd/contrib/units/$1" "$to"
    inside systemctl daemon-reload
}

# --- make install -----------------------------------------------------------

@test "make install has told systemd all that it must know" {
    grep -qx 'Now: systemctl enable --now putd.socket' "$BATS_FILE_TMPDIR/installed"
    [[ $(inside getent passwd putd) == *:/var/lib/putd:/usr/sbin/nologin ]]
    [[ $(inside stat -c '%U:%G %a' /var/lib/putd) == 'putd:putd 2750' ]]
    inside journalctl --dump-catalog 7d26dbbefae64ec1b1a049a3f6937066 | grep -q putd
    asked a hello
    stream
    expect 0 'a=hello' +a:5
}

@test "make install again alters nothing, and closes nothing" {
    asked a hello
    hold kept
    until_true answered kept 1
    inside chmod 2755 /var/lib/putd # an administrator's
    inside make -C /opt/putd install
    [[ $(inside stat -c %a /var/lib/putd) == 2755 ]]
    [[ $(inside systemctl is-active putd.socket) == active ]]
    : >"$IN"
    asked b world
    go_on kept "$IN"
    judge "$(tail -n 1 "$T/kept.out")" +b:5
    inside chmod 2750 /var/lib/putd
}

@test "with DESTDIR, install and uninstall touch nothing of the machine" {
    inside sh -c 'touch /opt/before && make -C /opt/putd install DESTDIR=/opt/tree \
        >/opt/log && ! grep -q Now: /opt/log'
    [[ -z $(inside find /etc /usr/local /usr/lib/systemd /usr/lib/sysusers.d \
        /usr/lib/tmpfiles.d /var/lib/systemd -newer /opt/before -type f) ]]
    [[ -x $STORE/../../../opt/tree/usr/local/libexec/putd ]]
    inside make -C /opt/putd uninstall DESTDIR=/opt/tree
    [[ -z $(inside find /opt/tree -type f) ]]
    [[ $(inside systemctl is-active putd.socket) == active ]]
    inside rm -rf /opt/tree /opt/log /opt/before
}

@test "a reader group: usermod, and what arrives can be read" {
    inside useradd --system reader
    inside usermod -a -G putd reader
    asked a hello
    stream
    [[ $(inside setpriv --reuid reader --regid reader --init-groups --inh-caps=-all \
        cat /var/lib/putd/a) == hello ]]
    inside userdel reader
}

# --- contrib/units ----------------------------------------------------------

@test "address.conf: another port, and only this machine" {
    use address.conf
    inside systemctl restart putd.socket
    [[ $(inside systemctl show -p Listen --value putd.socket) == '127.0.0.1:7070 (Stream)' ]]
    inside systemd-analyze verify --man=no putd.socket
    printf 'hello' >"$T/a"
    client "$PUT" -q -s 127.0.0.1:7070 "$T/a"
    cmp "$T/a" "$STORE/a"
    run client nc.openbsd -z 127.0.0.1 8080
    ((status == 1))
}

# from ADDRESS NAME: a file is put from there to port 7070; its receipt, if any.
from() {
    : >"$IN"
    asked "$2" hello
    # Who is filtered hears nothing at all, and would wait for minutes.
    client timeout 30 nc.openbsd -w "${3-30}" -N -s "$1" 127.0.0.1 7070 <"$IN"
}

# The strangers' address is on the loopback interface, too: only the two lines of
# the file can tell it from this machine.
@test "address.conf: another source is not heard, and is where nobody filters" {
    client ip address add 192.0.2.1/32 dev lo
    use address.conf
    inside systemctl restart putd.socket
    judge "$(from 127.0.0.9 ours)" +ours:5
    run from 192.0.2.1 strange 1
    [[ $status != 0 && -z $output && ! -e $STORE/strange ]] || fail "it was heard"
    inside sed -i /^IPAddress/d /etc/systemd/system/putd.socket.d/address.conf
    inside systemctl daemon-reload
    inside systemctl restart putd.socket
    judge "$(from 192.0.2.1 strange)" +strange:5
    until_true instances_are 0
    client ip address delete 192.0.2.1/32 dev lo
}

# sends USER NAME: as somebody who may do nothing else; what came of it.
sends() {
    inside setpriv --reuid "$1" --regid "$1" --init-groups --inh-caps=-all --bounding-set=-all \
        put -s unix:/run/putd.sock -n "$2" /opt/hello 2>&1
}

@test "senders.conf: who is in the group stores, who is not is refused by the kernel" {
    use senders.conf
    inside groupadd --system putd-senders
    inside useradd --system --user-group --groups putd-senders allowed
    inside useradd --system --user-group stranger
    inside sh -c 'printf hello >/opt/hello'
    inside systemctl restart putd.socket
    inside systemd-analyze verify --man=no putd.socket
    [[ $(inside stat -c '%U:%G %a' /run/putd.sock) == 'root:putd-senders 660' ]]
    sends allowed a
    [[ $(cat "$STORE/a") == hello ]]
    run sends stranger b
    [[ $status == 69 && $output == *': Permission denied'* ]] || fail "status $status" "$output"
    run client nc.openbsd -z 127.0.0.1 8080
    ((status == 1))
    # The last word is the group's, not the user's.
    inside usermod -a -G putd-senders stranger
    sends stranger b
    until_true instances_are 0
    [[ $(ls "$STORE") == $'a\nb' ]]
    inside userdel allowed
    inside userdel stranger
    inside systemctl stop putd.socket
    inside test ! -e /run/putd.sock
    inside groupdel putd-senders
}

@test "directory.conf: another directory, and its own group" {
    local there=${STORE%/var/lib/putd}/srv/incoming

    inside groupadd --system incoming
    inside install -d -o putd -g incoming -m 2770 /srv/incoming
    use directory.conf
    asked a hello
    stream
    [[ $(cat "$there/a") == hello && ! -e $STORE/a ]]
    [[ $(inside stat -c '%U:%G %a' /srv/incoming/a) == putd:incoming\ 640 ]]
    inside systemd-analyze security --offline=true putd@x.service |
        grep -q ' 0\.[0-2] SAFE'
    inside rm -r /srv/incoming
    inside groupdel incoming
}

@test "directory.conf, and the directory is missing: the unit fails and says so" {
    use directory.conf
    asked a hello
    stream
    expect 0 ''
    journal_has '/srv/incoming: No such file or directory'
}

@test "light.conf: exposure 3.0, no namespace, and still confined" {
    local pid namespace

    use light.conf
    [[ -z $(inside systemd-analyze verify --man=no putd@.service) ]]
    inside systemd-analyze security --offline=true putd@x.service |
        grep -q ' [0-3]\.0 OK'
    asked a hello
    hold light
    until_true answered light 1
    pid=$(inside pgrep -x putd)
    for namespace in mnt net user ipc uts; do
        [[ $(inside readlink "/proc/$pid/ns/$namespace") == "$(inside readlink "/proc/1/ns/$namespace")" ]]
    done
    inside grep -qE '^CapBnd:\s0+$' "/proc/$pid/status"
    inside grep -qE '^NoNewPrivs:\s1$' "/proc/$pid/status"
    inside grep -qE '^Seccomp:\s2$' "/proc/$pid/status"
    go_on light
    [[ $(attempt read_passwd) == EACCES ]]
    [[ $(attempt read_passwd --no-sandbox) == 'done' ]]
}

tells() { # ERE
    inside grep -qE -- "$1" /opt/told 2>/dev/null
}

tells_times() {
    [[ $(inside grep -c told /opt/told) == "$1" ]]
}

# is_gone UNIT: systemd keeps nothing of it.
is_gone() {
    [[ -z $(inside systemctl list-units --all --no-legend --plain "$1") ]]
}

@test "failure.conf: somebody is told of a failure, with what the journal has" {
    use failure.conf
    use putd-failed.service
    inside systemd-analyze verify --man=no putd-failed.service putd@.service
    inside sh -c 'echo "PUTD_TELL=cat >/opt/told.new; mv /opt/told.new /opt/told" \
        >/etc/default/putd-failed; echo PUTD_OPTIONS=--no-such-option >/etc/default/putd'
    stream
    until_true tells 'no such option: --no-such-option'
    tells "Failed with result 'exit-code'"
    inside rm /opt/told
}

@test "failure.conf: nobody is told of what a peer can cause" {
    use failure.conf
    use putd-failed.service
    text XXXX
    stream
    inside sh -c 'echo PUTD_OPTIONS=--idle-timeout=1 >/etc/default/putd'
    : >"$IN"
    hold idle
    until_true instances_are 1
    until_true instances_are 0
    go_on idle
    journal_has ': idle for too long'
    [[ $(inside systemctl show -p InactiveEnterTimestampMonotonic --value putd-failed.service) == 0 ]]
}

# StartLimitBurst= in putd-failed.service kept every failed instance loaded.
@test "failure.conf: of twenty failures the first is told, and nothing is kept" {
    local -i i

    use failure.conf
    use putd-failed.service
    inside sh -c 'echo "PUTD_TELL=echo told >>/opt/told" >/etc/default/putd-failed
        echo PUTD_OPTIONS=--no-such-option >/etc/default/putd'
    for ((i = 0; i < 20; i++)); do
        client timeout 10 nc.openbsd -N 127.0.0.1 8080 </dev/null >"$T/out" || true
    done
    until_true instances_are 0
    until_true is_gone putd-failed.service
    [[ $(inside cat /opt/told) == told ]]
    inside touch -d '-16 min' /run/putd-failed # as if time had passed
    client timeout 10 nc.openbsd -N 127.0.0.1 8080 </dev/null >"$T/out" || true
    until_true tells_times 2
    inside rm /opt/told
}

# --- and away ---------------------------------------------------------------

@test "make uninstall: the units are gone, the files that arrived are not" {
    asked a hello
    stream
    inside make -C /opt/putd uninstall
    [[ -z $(inside find /etc/systemd /usr/lib/systemd /lib/systemd /usr/lib/tmpfiles.d \
        /usr/lib/sysusers.d /usr/local -name '*putd*' ! -type d) ]]
    [[ $(inside systemctl show -p LoadState --value putd.socket) == not-found ]]
    run inside journalctl --dump-catalog 7d26dbbefae64ec1b1a049a3f6937066
    [[ $output != *Defined-By:\ putd* ]]
    [[ $(cat "$STORE/a") == hello ]]
    inside make -C /opt/putd install
    inside systemctl enable --now putd.socket
}
