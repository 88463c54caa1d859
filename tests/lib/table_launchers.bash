# shellcheck shell=bash disable=SC2034,SC2154 # shared with the tests
#
# One function for each launcher of the table: starts it in the test root with
# what contrib has for it, unchanged, and says how a sender reaches it and whom
# putd should take the sender for. Loaded after table_common.bash.

TCP=tcp:127.0.0.1:8080

# by_contrib FOLDER: its run script.
by_contrib() {
    plain_root
    start "/contrib/$1"
    CONNECT=("$TCP")
    until_true port_listens 8080
}

launch_pipe() {
    plain_root
    CONNECT=(exec /usr/local/libexec/putd /var/lib/putd)
    PEER=pipe
    LOGS=client
}

# --- by run scripts: stderr is the launcher's -------------------------------------

launch_tcpserver() { by_contrib tcpserver/run; }
launch_tcpsvd() { by_contrib busybox/run; }
launch_socat() { by_contrib socat/run; }
launch_socat_copying() {
    by_contrib socat/run-copying
    PEER=${SENDER//./\\.}
}

# ncat closes the connection as soon as the sender has ended its side.
launch_ncat() {
    by_contrib ncat/run
    PEER=${SENDER//./\\.}
    LOSES_ANSWERS=yes
}

launch_s6() {
    plain_root
    start /contrib/s6/run
    CONNECT=(unix:/run/putd.sock)
    until_true test -S "$INSIDE/run/putd.sock"
}

# --- inetds: stderr is the connection, so putd logs to syslog -------------------

launch_xinetd() {
    plain_root
    inside install -m 644 /contrib/xinetd/putd /etc/xinetd.d/putd
    start xinetd -dontfork
    CONNECT=("$TCP")
    LOGS=syslog
    until_true port_listens 8080
}

inetd() {
    plain_root
    inside sh -c 'cat /contrib/inetd/inetd.conf >>/etc/inetd.conf'
    start "$@" /etc/inetd.conf
    CONNECT=("$TCP")
    LOGS=syslog
    until_true port_listens 8080
}

launch_openbsd_inetd() { inetd /opt/openbsd-inetd/usr/sbin/inetd -i; }
launch_inetutils_inetd() { inetd /opt/inetutils-inetd/usr/sbin/inetutils-inetd; }

# --- systemd-socket-activate -------------------------------------------------------

socket_activate() {
    start setpriv --reuid=putd --regid=putd --init-groups \
        systemd-socket-activate "$@" --listen=127.0.0.1:8080 \
        /usr/local/libexec/putd /var/lib/putd
    CONNECT=("$TCP")
    until_true port_listens 8080
}

launch_activate_accept() {
    plain_root
    socket_activate --accept
}

launch_activate_inetd() {
    plain_root
    socket_activate --accept --inetd
}

# It becomes the program, which serves one connection.
launch_activate_listening() {
    plain_root
    BEFORE=socket_activate
}

# --- TLS and ssh -------------------------------------------------------------------

# The server is at an address of its own, from which the sender's stunnel reaches
# it; alice is the one sender with a certificate.
DROP=192.0.2.1

launch_stunnel() {
    plain_root
    inside sh -c "ip address add $DROP/32 dev lo &&
        echo $DROP drop.example >>/etc/hosts &&
        install -m 644 /contrib/stunnel/*.conf /etc/stunnel/ &&
        /contrib/stunnel/certificates /etc/stunnel drop.example alice" \
        >"$T/certificates" 2>&1 || fail "$(cat "$T/certificates")"
    start stunnel /etc/stunnel/putd.conf
    start stunnel /etc/stunnel/sender.conf
    CONNECT=("$TCP")
    PEER=${DROP//./\\.}
    LOGS=syslog
    until_true port_listens 8443
    until_true port_listens 8080
}

launch_ssh() {
    plain_root
    # shellcheck disable=SC2016 # the inner shell's
    inside sh -ec 'adduser --quiet --system --group --shell /bin/sh \
            --home /var/lib/drop drop
        install -d -o drop -g drop -m 2750 /var/lib/drop/files
        install -d -o drop -g drop -m 700 /var/lib/drop/.ssh
        ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
        ssh-keygen -q -t ed25519 -N "" -f /root/key
        sed "s|ssh-ed25519 THE.*|$(cat /root/key.pub)|" \
            /contrib/ssh/authorized_keys >/var/lib/drop/.ssh/authorized_keys
        printf "127.0.0.1 %s" "$(cat /etc/ssh/ssh_host_ed25519_key.pub)" \
            >/root/known_hosts
        mkdir -p /run/sshd'
    STORE=$INSIDE/var/lib/drop/files
    start /usr/sbin/sshd -D
    CONNECT=(exec ssh -T -F none -b "$SENDER" -i /root/key -o BatchMode=yes
        -o UserKnownHostsFile=/root/known_hosts drop@127.0.0.1)
    PEER=${SENDER//./\\.}
    LOGS=syslog
    until_true port_listens 22
}

# --- a real systemd --------------------------------------------------------------

# with_systemd: boots what `make install` installs, and what a row has put into
# $T/tree beside it. The sender runs out here, on its network.
with_systemd() {
    local unit

    make -s -C "$ROOT" install DESTDIR="$T/tree" >"$T/install" 2>&1 ||
        fail "$(cat "$T/install")"
    cp "$PUTD" "$T/tree/usr/local/libexec/putd"
    # In a strict unit LeakSanitizer, where putd was built with it, cannot look.
    for unit in putd.service putd@.service; do
        printf '[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n' |
            drop_in "$unit" sanitizer
    done
    RIG=$SDBOOT
    hold "$SDBOOT" boot "$T/tree" "$HELD"
    AT=$SHARE
    VIA=("$SDBOOT" client "$HELD" "$PYTHON")
    LOGS=journal
    BEFORE=systemd_before
    CONNECT=("$TCP")
    inside systemd-sysusers 2>/dev/null
    # That it tells the exit status of a success.
    inside systemctl log-level debug
    inside systemctl enable --now putd.socket 2>/dev/null
}

# Options go where an administrator puts them, after those that are there.
systemd_before() {
    local file=$INSIDE/etc/default/putd

    [[ -n ${OF_ADMINISTRATOR-} ]] ||
        OF_ADMINISTRATOR=$(cat "$file" 2>/dev/null || echo PUTD_OPTIONS=)
    echo "$OF_ADMINISTRATOR $(cat "$SHARE/options")" >"$file"
    # Not a cursor: --after-cursor of systemd 252 leaves out the first record that
    # matches, where there is a match.
    SINCE=@$(date +%s.%6N)
}

# drop_in UNIT [NAME]: stdin becomes one of the administrator's.
drop_in() {
    mkdir -p "$T/tree/etc/systemd/system/$1.d"
    cat >"$T/tree/etc/systemd/system/$1.d/${2-table}.conf"
}

launch_systemd() { with_systemd; }

launch_systemd_inetd() {
    drop_in putd@.service <<'UNIT'
[Service]
StandardInput=socket
StandardOutput=inherit
UNIT
    with_systemd
}

launch_systemd_listening() {
    drop_in putd.socket <<'UNIT'
[Socket]
Accept=no
UNIT
    # A process a connection, and so more than five in ten seconds.
    drop_in putd.service <<'UNIT'
[Unit]
StartLimitIntervalSec=0
UNIT
    # Where putd does not start, nobody accepts the connection.
    WITHOUT=usage
    sed 's|@LIBEXECDIR@|/usr/local/libexec|' "$ROOT/units/putd@.service.in" \
        >"$T/tree/etc/systemd/system/putd.service"
    with_systemd
}

# HAProxy in front of the shipped units, as contrib/haproxy has it.
launch_haproxy() {
    local etc=$T/tree/etc

    mkdir -p "$etc/systemd/system/putd.socket.d" "$etc/default" "$etc/haproxy"
    cp "$ROOT/contrib/haproxy/putd.socket.conf" \
        "$etc/systemd/system/putd.socket.d/haproxy.conf"
    cp "$ROOT/contrib/haproxy/putd.default" "$etc/default/putd"
    cp "$ROOT/contrib/haproxy/haproxy.cfg" "$etc/haproxy"
    with_systemd
    start haproxy -db -f /etc/haproxy/haproxy.cfg
    until_true port_listens 8080
}
