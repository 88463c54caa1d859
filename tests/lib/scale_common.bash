# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # shared with the tests
#
# Several hosts and one tree, for tests/scale: three systemds that serve a
# replicated GlusterFS volume with putd, and a fourth with HAProxy before them, by
# the files of contrib/haproxy/hosts. Host 0 is HAProxy's, and where clients are;
# it is both networks' switch: 10.89.0.0/24 for clients, 10.89.1.0/24 for the
# volume. Bricks are in memory. Loaded after common.bash.

RIG=$ROOT/tests/rig/sdboot.sh
HOSTS=(1 2 3)
FRONT=10.89.0.100
ADDRESS=$FRONT:8080

# at HOST COMMAND...: as root, there. client COMMAND...: with this machine's files,
# on the network of host 0. tree HOST: the shared tree as that host sees it.
at() { "$RIG" enter "$BATS_FILE_TMPDIR/pid$1" "${@:2}" </dev/null; }
client() { "$RIG" client "$BATS_FILE_TMPDIR/pid0" "$@"; }
tree() { echo "/proc/$(cat "$BATS_FILE_TMPDIR/pid$1")/root/srv/putd"; }

# --- making them --------------------------------------------------------------

hosts_why_not() {
    local tool

    [[ $EUID == 0 ]] || {
        echo 'only root can boot hosts'
        return
    }
    "$ROOT/tests/rig/testroot" why-not
    for tool in unshare nsenter setpriv mountpoint ip make tar; do
        command -v "$tool" >/dev/null || echo "no $tool here"
    done
    [[ -c /dev/fuse ]] || echo 'no FUSE here'
}

lay_trees() {
    local from=$ROOT/contrib/haproxy/hosts to=$BATS_FILE_TMPDIR/tree

    mkdir -p "$BATS_FILE_TMPDIR/tree0" "$to"
    make -s -C "$ROOT" install DESTDIR="$to" >/dev/null
    install -D -m 644 "$from/putd.socket.conf" "$to/etc/systemd/system/putd.socket.d/hosts.conf"
    install -D -m 644 "$from/shared.conf" "$to/etc/systemd/system/putd@.service.d/shared.conf"
    install -D -m 644 "$from/srv-putd.mount" "$to/etc/systemd/system/srv-putd.mount"
    install -D -m 644 "$from/putd.default" "$to/etc/default/putd"
    install -D -m 755 "$from/volume" "$to/opt/volume"
    install -D -m 644 "$from/haproxy.cfg" "$BATS_FILE_TMPDIR/tree0/etc/haproxy/haproxy.cfg"
}

boot_one() { # HOST TREE
    "$RIG" boot "$2" "$BATS_FILE_TMPDIR/pid$1" 2>"$BATS_FILE_TMPDIR/boot$1" 3>&- &
    echo $! >"$BATS_FILE_TMPDIR/booter$1"
}

has_booted() {
    [[ -s $BATS_FILE_TMPDIR/pid$1 ]]
}

# Two cables from each host to host 0.
wire() {
    local host=$1 pid network
    local -A name=([0]=front [1]=store)

    read -r pid <"$BATS_FILE_TMPDIR/pid$host"
    for network in 0 1; do
        nsenter --net -t "$(cat "$BATS_FILE_TMPDIR/pid0")" ip link add \
            "${name[$network]}$host" type veth peer name "eth$network" netns "$pid"
        at 0 ip link set "${name[$network]}$host" master "${name[$network]}" up
        at "$host" ip addr add "10.89.$network.$host/24" dev "eth$network"
        at "$host" ip link set "eth$network" up
    done
}

prepare_host() {
    at "$1" hostname "host$1"
    at "$1" systemd-sysusers
    at "$1" sh -c '[ -e /dev/fuse ] || mknod /dev/fuse c 10 229
        mkdir -p /srv/brick /srv/putd
        mount -t tmpfs none /srv/brick && mkdir /srv/brick/b
        systemctl start glusterd'
}

make_volume() {
    at 1 gluster peer probe 10.89.1.2
    at 1 gluster peer probe 10.89.1.3
    until_true at 1 gluster --mode=script volume create putd replica 3 \
        10.89.1.{1,2,3}:/srv/brick/b force
    at 1 /opt/volume putd
    at 1 gluster --mode=script volume start putd
}

is_mounted() { at "$1" mountpoint -q /srv/putd; }

serve_from_all() {
    local host

    until_true at 1 systemctl start srv-putd.mount
    at 1 sh -c 'chown putd:putd /srv/putd && chmod 2750 /srv/putd'
    for host in "${HOSTS[@]}"; do
        at "$host" systemctl enable srv-putd.mount putd.socket
        until_true at "$host" systemctl start srv-putd.mount
        at "$host" systemctl start putd.socket
    done
}

# boot_hosts: for setup_file; half a minute.
boot_hosts() {
    local host
    local -a preparing=()

    hosts_why_not >"$BATS_FILE_TMPDIR/cannot"
    [[ ! -s $BATS_FILE_TMPDIR/cannot ]] || return 0
    SDBOOT_LOWER=$("$ROOT/tests/rig/testroot" scale)
    export SDBOOT_LOWER
    lay_trees
    boot_one 0 "$BATS_FILE_TMPDIR/tree0"
    for host in "${HOSTS[@]}"; do
        boot_one "$host" "$BATS_FILE_TMPDIR/tree"
    done
    for host in 0 "${HOSTS[@]}"; do
        until_true has_booted "$host"
    done
    at 0 sh -c 'for n in front store; do ip link add $n type bridge
        ip link set $n up; done; ip addr add 10.89.0.100/24 dev front'
    for host in "${HOSTS[@]}"; do
        wire "$host"
        prepare_host "$host" 3>&- &
        preparing+=("$!")
    done
    for host in "${preparing[@]}"; do
        wait "$host"
    done
    make_volume
    serve_from_all
    at 0 systemctl start haproxy
    until_true servers_up_are 3
}

end_hosts() {
    local booter

    for booter in "$BATS_FILE_TMPDIR"/booter?; do
        [[ -s $booter ]] || continue
        kill "$(cat "$booter")" 2>/dev/null || true
        wait "$(cat "$booter")" 2>/dev/null || true
    done
}

# --- HAProxy --------------------------------------------------------------------

# tell COMMAND: to its socket for the administrator.
tell() {
    at 0 python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect("/run/haproxy/admin.sock")
s.sendall(sys.argv[1].encode() + b"\n"); print(s.makefile().read(), end="")' "$1"
}

servers_up() {
    tell 'show stat' | awk -F, '$1 == "putd" && $2 ~ /^host/ && $18 == "UP" {print $2}'
}

servers_up_are() { [[ $(servers_up | wc -l) == "$1" ]]; }
is_up() { servers_up | grep -qx "host$1"; }
is_down() { ! is_up "$1"; }

# only HOST...: new connections go to these; those on others are cut off.
only() {
    local host

    for host in "${HOSTS[@]}"; do
        if [[ " $* " == *" $host "* ]]; then
            tell "set server putd/host$host state ready"
        else
            tell "set server putd/host$host state maint"
            tell "shutdown sessions server putd/host$host"
        fi
    done >/dev/null
    for host; do
        until_true is_up "$host"
    done
}

# --- what happens to hosts --------------------------------------------------------

# cut_off NETWORK HOST, put_back NETWORK HOST: front, store.
cut_off() { at 0 ip link set "$1$2" down; }
put_back() { at 0 ip link set "$1$2" up; }

# Whether a host reads and writes the tree: with locks, as they come back last.
is_healthy() {
    at "$1" timeout 10 sh -c 'cd /srv/putd && touch .probe && rm .probe' 2>/dev/null
}

all_healthy() {
    local host

    for host in "${HOSTS[@]}"; do
        put_back front "$host"
        put_back store "$host"
    done
    for host in "${HOSTS[@]}"; do
        until_true is_healthy "$host" || return
    done
}

hosts_setup() {
    common_setup
    [[ ! -s $BATS_FILE_TMPDIR/cannot ]] || cannot "$(cat "$BATS_FILE_TMPDIR/cannot")"
    SINCE=@$(date +%s.%6N)
    all_healthy
    only 1 2 3
}

# Nothing is left of a test but the private directory.
hosts_teardown() {
    common_teardown
    [[ ! -s $BATS_FILE_TMPDIR/cannot ]] || return 0
    all_healthy
    at 1 find /srv/putd -mindepth 1 ! -path '/srv/putd/.putd*' -delete
}

# see NAME: the digest of a file, as each host sees it; one line where all agree.
see() {
    local host

    for host in "${HOSTS[@]}"; do
        at "$host" sha256sum "/srv/putd/$1" 2>&1 | cut -d' ' -f1
    done | sort -u
}
