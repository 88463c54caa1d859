#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2153 # expanded inside; set by what is loaded
#
# contrib/zone: a second drop zone, made and taken away under a real systemd. One
# boot, as in systemd.bats.

load lib/common
load lib/launch_common
load lib/launch_systemd

setup_file() {
    boot_systemd
    booted || return 0
    cp "$ROOT/contrib/zone/putd-zone" "$(inner_root)/usr/local/bin/putd-zone"
}

teardown_file() { end_systemd; }

setup() {
    systemd_setup
    INNER=$(inner_root)
    before=$(state)
}

# Whatever a test did: its zones go, and nothing of them is left but directories.
teardown() {
    local -i wrong=0
    local name

    [[ -n ${INNER-} ]] || return 0
    while read -r name _; do
        inside putd-zone remove "$name" >"$T/removed" || wrong=1
    done < <(zone list)
    [[ $(state) == "$before" ]] || {
        diff <(state) - <<<"$before"
        wrong=1
    }
    rm -rf "$INNER"/srv/* "$INNER"/run/zone.sock
    systemd_teardown || wrong=1
    return $wrong
}

inner_root() { echo "/proc/$(cat "$PIDFILE")/root"; }

# What a zone may leave traces in.
state() {
    inside find /etc/systemd /etc/default -printf '%p %y %m %l\n' | sort
    inside systemctl list-units --all --no-legend --plain 'putd*.socket' | sort
}

zone() { inside putd-zone "$@" 2>&1; }

# put_to ADDRESS NAME CONTENT
put_to() {
    printf '%s' "$3" >"$T/$2"
    client "$PUT" -q -s "$1" "$T/$2"
}

# refused TEXT ARGUMENT...: with that in the message, and nothing is made.
refused() {
    run inside putd-zone "${@:2}"
    ((status == 1)) || fail "status $status" "$output"
    [[ $output == *'putd-zone: '*"$1"* ]] || fail "$output"
    [[ $(state) == "$before" ]] || fail "something was made"
}

@test "add: another address and directory, listening at once and after a boot" {
    zone add scans 127.0.0.1:7001 /srv/scans
    put_to 127.0.0.1:7001 a hello
    put_to "$ADDRESS" b world
    [[ $(cat "$INNER/srv/scans/a") == hello && $(cat "$STORE/b") == world ]]
    [[ $(inside stat -c '%U:%G %a' /srv/scans) == 'putd:putd 2750' ]]
    [[ $(inside systemctl is-enabled putd-scans.socket) == enabled ]]
    [[ $(zone list) == 'scans 127.0.0.1:7001 /srv/scans' ]]
}

@test "a zone is as strict as the first: verify, exposure, limits, one directory" {
    zone add scans 7001 /srv/scans
    [[ -z $(inside systemd-analyze verify --man=no putd-scans.socket putd-scans@.service) ]]
    inside systemd-analyze security --offline=true putd-scans@x.service |
        grep -q 'Overall exposure level .*: 0\.[0-2] '
    [[ $(inside systemctl show -p MaxConnections -p MaxConnectionsPerSource \
        -p TriggerLimitIntervalUSec --value putd-scans.socket | sort | xargs) == '0 256 32' ]]
    [[ $(inside systemctl show -p ReadWritePaths --value putd-scans@x.service) == /srv/scans ]]
    [[ -z $(inside systemctl show -p StateDirectory --value putd-scans@x.service) ]]
}

@test "add with options: only for this zone" {
    zone add small 7001 /srv/small --max-size=3 --if-exists=keep
    [[ $(inside cat /etc/default/putd-small) == *'PUTD_OPTIONS=--max-size=3 --if-exists=keep' ]]
    put_to 127.0.0.1:7001 a abc
    put_to 127.0.0.1:7001 a abc
    run put_to 127.0.0.1:7001 large hello
    ((status == 1))
    [[ $(inside sh -c 'ls /srv/small') == $'a\na.~1~' ]]
    put_to "$ADDRESS" large hello
}

@test "addresses: IPv6, and the path of a Unix socket" {
    zone add six '[::1]:7001' /srv/six
    put_to '[::1]:7001' a hello
    zone add local /run/zone.sock /srv/local
    printf hello >"$T/u"
    asked u hello
    inside sh -c 'cat >/opt/in' <"$IN"
    inside "$PYTHON" -c '
import socket
s = socket.socket(socket.AF_UNIX); s.connect("/run/zone.sock")
s.sendall(open("/opt/in", "rb").read()); s.shutdown(socket.SHUT_WR)
print(s.makefile().read(), end="")' >"$T/out"
    judge "$(cat "$T/out")" +u:5
    [[ $(cat "$INNER/srv/local/u") == hello ]]
    zone remove local
    [[ ! -e $INNER/run/zone.sock ]]
}

# local_put USER NAME: through the path, as somebody who may do nothing else.
local_put() {
    inside setpriv --reuid "$1" --regid nogroup --init-groups --inh-caps=-all --bounding-set=-all \
        put -s unix:/run/zone.sock -n "$2" /etc/hostname 2>&1
}

# As its README says: the lines of contrib/units/senders.conf but for the address.
@test "a zone on a path, for a group only" {
    zone add local /run/zone.sock /srv/local
    inside groupadd --system putd-senders
    inside useradd --system --groups putd-senders allowed
    [[ $(inside stat -c %a /run/zone.sock) == 666 ]]
    local_put nobody everybody
    grep -v ^ListenStream= "$ROOT/contrib/units/senders.conf" \
        >"$INNER/etc/systemd/system/putd-local.socket.d/senders.conf"
    inside systemctl daemon-reload
    inside systemctl restart putd-local.socket
    local_put allowed ours
    run local_put nobody strange
    [[ $status == 69 && $output == *': Permission denied'* ]] || fail "status $status" "$output"
    [[ $(ls "$INNER/srv/local") == $'everybody\nours' ]]
    [[ $(zone list) == 'local /run/zone.sock /srv/local' ]]
    zone remove local
    inside rm -r /etc/systemd/system/putd-local.socket.d
    inside systemctl daemon-reload
    inside userdel allowed
    inside groupdel putd-senders
}

@test "remove: its units go, connections end by themselves, the files stay" {
    zone add gone 7001 /srv/gone
    put_to 127.0.0.1:7001 a hello
    asked b world
    cp "$IN" "$T/first"
    mkfifo "$T/more"
    background client sh -c 'cat "$1/first" "$1/more" | nc.openbsd -N 127.0.0.1 7001 >"$1/out"' sh "$T"
    until_true test -s "$T/out"
    [[ $(zone remove gone) == 'Zone gone is gone; what is in /srv/gone stays.' ]]
    run client nc.openbsd -z 127.0.0.1 7001
    ((status == 1))
    : >"$IN"
    asked c again
    cat "$IN" >"$T/more"
    wait "$PID"
    [[ $(sort "$INNER"/srv/gone/* | xargs) == 'again hello world' ]]
    [[ $(state) == "$before" && -z $(zone list) ]]
}

@test "renew: the units are those that are installed now" {
    zone add old 7001 /srv/old --max-size=9
    inside sed -i 's/^LimitCORE=0/LimitCORE=1/' /lib/systemd/system/putd@.service
    zone renew old
    inside sed -i 's/^LimitCORE=1/LimitCORE=0/' /lib/systemd/system/putd@.service
    inside grep -q '^LimitCORE=1' /etc/systemd/system/putd-old@.service
    put_to 127.0.0.1:7001 a hello
    [[ $(cat "$INNER/srv/old/a") == hello ]]
    [[ $(zone list) == 'old 7001 /srv/old' ]]
}

@test "a zone's own drop-ins are left alone" {
    zone add mine 7001 /srv/mine
    inside sh -c 'printf "[Socket]\nMaxConnections=7\n" \
        >/etc/systemd/system/putd-mine.socket.d/limit.conf'
    zone renew mine
    [[ $(inside systemctl show -p MaxConnections --value putd-mine.socket) == 7 ]]
    zone remove mine
    inside test -f /etc/systemd/system/putd-mine.socket.d/limit.conf
    inside rm -r /etc/systemd/system/putd-mine.socket.d
}

@test "bad names" {
    local name

    for name in '' A 1a a_b a.b a/b ../a a--b a- 'a b' 'a@' @ é \
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa $'a\nb'; do
        refused 'not a name for a zone' add "$name" 7001 /srv/x
    done
    refused 'not a name for a zone' remove ../etc
    refused 'not a name for a zone' renew '*'
}

@test "bad addresses" {
    local address

    for address in '' 0 65536 080 999999 a:1 1.2.3.4 1.2.3.4: 1.2.3.4:0 ::1:7001 \
        '[::1]' '[::1]:' '[%eth0]:1' '7001 7002' $'7001\nAccept=no' '/run/%n' '/run/a b'; do
        refused 'not an address' add x "$address" /srv/x
    done
    [[ ! -e $INNER/srv/x ]]
}

@test "bad directories" {
    local directory

    for directory in '' srv/x / /srv/../etc /srv/./x /srv//x '/srv/a b' '/srv/%n' \
        $'/srv/a\nb' /srv/\$x; do
        refused 'not a directory for a zone' add x 7001 "$directory"
    done
    for directory in /home/x /root/x /tmp/x /var/tmp/x /dev/shm/x /run/user/x; do
        refused 'hides that' add x 7001 "$directory"
    done
}

@test "bad options: what putd refuses, and what a unit would read otherwise" {
    refused 'no such option: --no-such-option' add x 7001 /srv/x --no-such-option
    refused 'max-size' add x 7001 /srv/x --max-size=few
    refused 'not an option for a unit' add x 7001 /srv/x '--max-size=$(id)'
    refused 'not an option' add x 7001 /srv/x /srv/y
    refused 'serves nothing' add x 7001 /srv/x --help
    [[ ! -e $INNER/srv/x ]]
}

@test "directories that putd cannot serve" {
    mkdir "$INNER/srv/theirs"
    refused 'would not serve /srv/theirs as the user putd' add x 7001 /srv/theirs
    inside ln -s theirs /srv/link
    refused 'symbolic link' add x 7001 /srv/link
    inside touch /srv/file
    refused 'would not serve' add x 7001 /srv/file
    [[ $(inside stat -c '%U %a' /srv/theirs) == 'root 755' ]]
}

@test "a directory that is there keeps its owner, mode and files" {
    inside install -d -o putd -g daemon -m 2770 /srv/there
    inside sh -c 'echo old >/srv/there/old'
    zone add there 7001 /srv/there
    put_to 127.0.0.1:7001 a hello
    [[ $(inside stat -c '%U:%G %a' /srv/there) == 'putd:daemon 2770' ]]
    [[ $(inside stat -c %G /srv/there/a) == daemon && $(cat "$INNER/srv/there/old") == old ]]
}

@test "a zone that is there, and an address that is taken" {
    zone add one 7001 /srv/one
    before=$(state)
    refused 'there is a zone one already' add one 7002 /srv/two
    refused 'cannot listen on 7001: nothing was added' add two 7001 /srv/one
    refused 'there is no zone three' remove three
    put_to 127.0.0.1:7001 a hello
    before=$(zone remove one >"$T/removed" && state)
}

@test "it never overwrites or removes what it did not make" {
    local file

    for file in systemd/system/putd-x.socket systemd/system/putd-x@.service default/putd-x; do
        inside sh -c 'echo mine >/etc/$1' sh "$file"
        before=$(state)
        refused "/etc/$file is there" add x 7001 /srv/x
        [[ $(inside cat "/etc/$file") == mine ]]
        refused 'there is no zone x' remove x
        inside rm "/etc/$file"
    done
    inside ln -s /etc/passwd /etc/default/putd-x
    before=$(state)
    refused '/etc/default/putd-x is there' add x 7001 /srv/x
    inside rm /etc/default/putd-x
    inside sh -c 'printf "[Socket]\nListenStream=1\n" >/lib/systemd/system/putd-x.socket
        systemctl daemon-reload'
    before=$(state)
    refused 'there is a unit putd-x.socket already' add x 7001 /srv/x
    inside sh -c 'rm /lib/systemd/system/putd-x.socket; systemctl daemon-reload'
    before=$(state)
}

@test "a file of a zone that was replaced since is left" {
    zone add x 7001 /srv/x
    inside sh -c 'echo PUTD_OPTIONS=--verbose >/etc/default/putd-x'
    [[ $(zone remove x) == *'/etc/default/putd-x stays: not by putd-zone'* ]]
    [[ $(inside cat /etc/default/putd-x) == PUTD_OPTIONS=--verbose ]]
    inside rm /etc/default/putd-x
}

@test "wrong use: 64 and the help; not root: a clear line" {
    local -a arguments

    for arguments in '' help 'add' 'add x' 'add x 7001' remove 'remove a b' 'list x'; do
        # shellcheck disable=SC2086 # words
        run inside putd-zone $arguments
        ((status == 64))
        [[ $output == *'putd-zone add NAME ADDRESS DIRECTORY [OPTION]...'* ]]
    done
    run inside setpriv --reuid nobody --clear-groups --inh-caps=-all putd-zone add x 7001 /srv/x
    ((status == 1))
    [[ $output == 'putd-zone: only root can do that' ]]
}
