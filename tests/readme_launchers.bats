#!/usr/bin/env bats
# shellcheck disable=SC2016 # what is typed is expanded there
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own
# shellcheck disable=SC2034 # for lib/
#
# What the READMEs of contrib's launchers have to be typed is typed, in the test
# root, which has these launchers, under a real systemd. Where the root has no unit
# for a daemon (Debian's is an init script, or the package is only unpacked), one
# that starts it stands in.

load lib/common
load lib/launch_common
load lib/launch_systemd
load lib/readme

setup_file() {
    prepared fill_tree || return 0
    boot_tree "$TREE"
    booted || return 0
    inside /opt/putd/units/register installed >"$BATS_FILE_TMPDIR/registered"
}

fill_tree() {
    install_into_tree && mkdir -p "$TREE/opt/putd" "$TREE/lib/systemd/system" "$TREE/etc" &&
        cp -a "$ROOT"/{contrib,units,README.md} "$TREE/opt/putd" &&
        echo '127.0.0.1 localhost HOST drop.example' >"$TREE/etc/hosts" &&
        echo text >"$TREE/opt/putd/a.txt" && cp "$TREE/opt/putd"/{a,b}.txt &&
        unit_of xinetd '/usr/sbin/xinetd -dontfork' &&
        unit_of openbsd-inetd '/opt/openbsd-inetd/usr/sbin/inetd -i /etc/inetd.conf' &&
        unit_of stunnel4 '/bin/sh -c "exec stunnel /etc/stunnel/*.conf"' Type=forking
}

unit_of() { # NAME COMMAND [LINE]
    printf '%s\n' '[Service]' "ExecStart=$2" 'ExecReload=/bin/kill -HUP $MAINPID' "${3-}" \
        >"$TREE/lib/systemd/system/$1.service"
}

teardown_file() { end_systemd; }
setup() { systemd_setup; }

teardown() {
    [[ -z ${STORE-} ]] || {
        inside systemctl stop xinetd openbsd-inetd stunnel4 haproxy putd.socket
        inside sh -c 'pkill -x "xinetd|inetd|tcpserver|tcpsvd|s6-ipcserver.*|socat|ncat|stunnel4?|sshd"
            rm -rf /etc/default/putd /etc/systemd/system/putd.socket.d
            systemctl daemon-reload' || true
    }
    systemd_teardown
}

# tested N [COMMAND]: block N sends README.md, which arrives.
tested() {
    runs "$@"
    [[ $# == 2 ]] || grep -q README.md "$T/ran"
    until_true arrived README.md
    cmp "$ROOT/README.md" "$STORE/README.md"
}

@test "contrib/xinetd" {
    readme contrib/xinetd/README.md
    inside systemctl start xinetd
    runs 1
    until_true listens
    tested 2
    all_ran
}

@test "contrib/inetd" {
    readme contrib/inetd/README.md
    inside sh -c ': >/etc/inetd.conf'
    inside systemctl start openbsd-inetd
    runs 1
    until_true listens
    tested 2
    all_ran
    inside rm /etc/inetd.conf
}

# foreground NAME: its first block ends with a server.
foreground() {
    readme "$1"
    runs_on 1
    until_true listens
    tested 2
    all_ran
}

@test "contrib/tcpserver" {
    readme contrib/tcpserver/README.md
    foreground contrib/tcpserver/README.md
}

@test "contrib/socat" {
    readme contrib/socat/README.md
    foreground contrib/socat/README.md
}

@test "contrib/ncat" {
    readme contrib/ncat/README.md
    foreground contrib/ncat/README.md
}

@test "contrib/busybox" {
    readme contrib/busybox/README.md
    foreground contrib/busybox/README.md
}

@test "contrib/s6" {
    readme contrib/s6/README.md
    runs_on 1
    until_true inside test -S /run/putd.sock
    tested 2
    all_ran
}

@test "contrib/haproxy" {
    readme contrib/haproxy/README.md
    runs 1
    until_true listens
    tested 2
    all_ran
}

@test "contrib/stunnel" {
    readme contrib/stunnel/README.md
    runs 1
    until_true listens 8443
    # The sender: its certificates are here already.
    as_pasted <<<'cat /etc/stunnel/alice-cert.pem /etc/stunnel/alice-key.pem >alice.pem
        cp /etc/stunnel/putd-ca.pem contrib/stunnel/sender.conf .'
    # Nobody types so fast that stunnel is not there yet.
    background "$RIG" enter "$PIDFILE" sh -c "cd /opt/putd && $(block 2 | sed 's/ &$//;q')" \
        >"$T/sender" 2>&1
    until_true listens
    block 2 | tail -n 1 | as_pasted >"$T/ran" 2>&1 || fail "$(cat "$T/sender" "$T/ran")"
    arrived README.md
    RAN+=(2)
    rm "$STORE/README.md"
    tested 3 ':'
    rm "$STORE/README.md"
    RAN+=(4) # tests/put_transports.bats has openssl
    all_ran
}

@test "contrib/ssh" {
    local drop=${STORE%/var/lib/putd}/var/lib/drop

    readme contrib/ssh/README.md
    runs 1
    inside sh -c 'rm -f /run/nologin && mkdir -p /run/sshd /root/.ssh && ssh-keygen -A &&
        ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id_ed25519 && /usr/sbin/sshd &&
        echo "StrictHostKeyChecking accept-new" >/root/.ssh/config &&
        cd /var/lib/drop/.ssh && umask 077 &&
        sed "s|ssh-ed25519 .*|$(cat /root/.ssh/id_ed25519.pub)|" \
            /opt/putd/contrib/ssh/authorized_keys >authorized_keys &&
        chown drop:drop authorized_keys' >"$T/ssh" 2>&1 || fail "$(cat "$T/ssh")"
    runs 2
    [[ -s $drop/files/a.txt && -s $drop/files/b.txt ]]
    rm "$drop"/files/*.txt
    runs 3
    grep -q '"files":2' "$T/ran"
    [[ -s $drop/files/a.txt && -s $drop/files/b.txt ]]
    all_ran
}
