#!/usr/bin/env bats
# shellcheck disable=SC2016 # expanded inside
#
# contrib/judge: what it says of the installed units, and of drop-ins that spoil
# them, under a real systemd. One boot, as in systemd.bats.

load lib/common
load lib/launch_common
load lib/launch_systemd

setup_file() {
    boot_systemd
    booted || return 0
    inside sh -c 'cat >/usr/local/bin/putd-judge && chmod 755 /usr/local/bin/putd-judge' \
        <"$ROOT/contrib/judge/putd-judge"
    # The directory is the unit's to make, or systemd-tmpfiles'.
    inside systemd-tmpfiles --create putd.conf
}

teardown_file() { end_systemd; }
setup() { systemd_setup; }

teardown() {
    local -i wrong=0

    systemd_teardown || wrong=1
    [[ -z ${STORE-} ]] || undo
    return $wrong
}

undo() {
    inside sh -c 'cd /etc && rm -rf systemd/system/putd.socket.d \
        systemd/system/putd@.service.d default/putd'
    inside systemctl daemon-reload
    inside systemctl restart putd.socket
}

# spoil SECTION LINE...: by a drop-in, of the socket where that has it.
spoil() {
    local unit=putd@.service

    [[ $1 != Socket ]] || unit=putd.socket
    inside mkdir -p "/etc/systemd/system/$unit.d"
    inside sh -c 'cat >"$1"' sh "/etc/systemd/system/$unit.d/spoiled.conf" \
        < <(printf '[%s]\n' "$1" && printf '%s\n' "${@:2}")
    inside systemctl daemon-reload
    [[ $unit != putd.socket ]] || inside systemctl restart putd.socket
}

# finds TEXT [ARGUMENT]...: that and nothing else is bad.
finds() {
    run inside putd-judge "${@:2}"
    ((status == 1)) || fail "status $status" "$output"
    [[ $(grep '^bad ' <<<"$output") == 'bad   '*"$1"* ]] || fail "$output"
    [[ $(grep -c '^bad ' <<<"$output") == 1 ]] || fail "$output"
}

# is_well [ARGUMENT]...
is_well() {
    run inside putd-judge "$@"
    ((status == 0)) || fail "$output"
    [[ $output != *'bad '* ]]
}

@test "the shipped units are well, and what an administrator must know is noted" {
    is_well
    [[ $(grep -c '^ok  ' <<<"$output") -ge 17 ]]
    [[ $output == *'ok    exposure of systemd-analyze security: 0.2 (at most 0.5)'* ]]
    [[ $output == *'note  whoever can reach [::]:8080 (Stream) may send'* ]]
    [[ $output == *'note  nobody is told of a failure'* ]]
    [[ $output == *'connections now: 0'* ]]
}

@test "connections of this moment" {
    asked a hello
    hold one
    hold two
    until_true answered one 1
    until_true answered two 1
    is_well
    [[ $output == *'ok    connections now: 2; each confined'* ]]
    go_on one
    go_on two
}

@test "a live instance that is not confined: not by the unit, not by putd" {
    spoil Service SystemCallFilter= SystemCallArchitectures= RestrictAddressFamilies= \
        RestrictNamespaces=no RestrictRealtime=no RestrictSUIDSGID=no LockPersonality=no \
        MemoryDenyWriteExecute=no ProtectClock=no ProtectHostname=no ProtectKernelLogs=no \
        ProtectKernelModules=no ProtectKernelTunables=no PrivateDevices=no NoNewPrivileges=no
    inside sh -c 'echo PUTD_OPTIONS=--no-sandbox >/etc/default/putd'
    asked a hello
    hold open
    until_true answered open 1
    run inside putd-judge
    ((status == 1))
    [[ $output == *'bad   process '*': Seccomp:'* ]]
    [[ $output == *'bad   putd confines itself'* ]]
    [[ $output == *'bad   exposure of systemd-analyze security: '* ]]
    go_on open
}

@test "the trigger limit" {
    spoil Socket TriggerLimitIntervalSec=2s
    finds 'does not close putd.socket for good: TriggerLimitIntervalSec=2s'
}

@test "the limits of connections" {
    spoil Socket MaxConnectionsPerSource=0
    finds 'MaxConnectionsPerSource=0'
    spoil Socket MaxConnections=100000
    finds 'MaxConnections=100000'
}

@test "fd 2: stderr that goes to the client, said or inherited" {
    spoil Service StandardInput=socket StandardError=socket
    finds 'StandardError=socket'
    spoil Service StandardInput=socket StandardOutput=inherit StandardError=inherit
    finds 'StandardError=socket'
    spoil Service StandardError=null
    finds 'StandardError=null'
    spoil Service StandardInput=socket StandardOutput=socket # stderr: the journal
    is_well
}

@test "fd 2 of a live instance, where the unit says well" {
    spoil Service 'ExecStart=' \
        "ExecStart=/bin/sh -c 'exec \"\$@\" 2>&3' sh /usr/local/libexec/putd --min-rate=1K --session-timeout=86400 \${PUTD_DIRECTORY}"
    asked a hello
    hold open
    until_true answered open 1
    run inside putd-judge
    ((status == 1))
    [[ $output == *"fd 2 is the client's connection"* ]]
    go_on open
}

@test "the command line" {
    local start=/usr/local/libexec/putd

    spoil Service 'ExecStart=' "ExecStart=$start --min-rate=1K \${PUTD_DIRECTORY}"
    finds 'a slow peer is bounded'
    spoil Service 'ExecStart=' "ExecStart=-$start --min-rate=1K --session-timeout=9 \${PUTD_DIRECTORY}"
    finds 'ExecStart=-'
    undo
    inside sh -c 'echo "PUTD_OPTIONS=--no-sandbox --verbose" >/etc/default/putd'
    finds '--no-sandbox'
    inside sh -c 'echo "PUTD_OPTIONS=--sync=none" >/etc/default/putd'
    is_well
    [[ $output == *'note  receipts say durable false: --sync=none'* ]]
}

@test "a program that is not there" {
    spoil Service 'ExecStart=' 'ExecStart=/nowhere/putd --min-rate=1K --session-timeout=9 ${PUTD_DIRECTORY}'
    run inside putd-judge
    ((status == 1))
    [[ $output == *'bad   there is a program: /nowhere/putd'* ]]
}

@test "what is a failure, and who is told" {
    spoil Service SuccessExitStatus=
    finds 'SuccessExitStatus=65 75'
    undo
    spoil Unit CollectMode=inactive OnFailure=somebody.service
    finds 'CollectMode=inactive'
    [[ $output == *'ok    somebody is told of a failure: OnFailure=somebody.service'* ]]
}

@test "the user" {
    spoil Service User=nosuchuser
    run inside putd-judge
    ((status == 1))
    [[ $output == *'bad   it runs as a user that is there: User=nosuchuser'* ]]
    spoil Service User=root
    run inside putd-judge
    [[ $output == *'bad   it does not run as root'* ]]
    spoil Service DynamicUser=yes
    run inside putd-judge
    [[ $output == *'bad   the files are where others can read them: DynamicUser=yes'* ]]
}

@test "the exposure, and another bound for it" {
    inside install -D -m 644 /dev/null /etc/systemd/system/putd@.service.d/light.conf
    inside sh -c 'cat >/etc/systemd/system/putd@.service.d/light.conf' <"$ROOT/contrib/units/light.conf"
    inside systemctl daemon-reload
    finds 'exposure of systemd-analyze security: 3.0 (at most 0.5)'
    is_well --exposure=3.0
}

@test "the directory" {
    inside chown root /var/lib/putd
    finds 'putd --check /var/lib/putd: putd: /var/lib/putd: Permission denied'
    inside chown putd /var/lib/putd
    is_well
}

@test "a socket that does not listen, or not after a boot" {
    inside systemctl stop putd.socket
    finds 'putd.socket is active: inactive'
    inside systemctl start putd.socket
    inside systemctl disable putd.socket
    finds 'not enabled'
    inside systemctl enable putd.socket
    is_well
}

@test "addresses that are filtered are told" {
    spoil Socket IPAddressDeny=any IPAddressAllow=localhost
    is_well
    [[ $output == *'ok    putd.socket has a filter of addresses'* ]]
}

@test "a socket with Accept=no: the trigger limit must be there" {
    inside sh -c 'sed "s|putd --min-rate|putd --connections=100 --min-rate|" \
        /lib/systemd/system/putd@.service >/etc/systemd/system/putd-many.service'
    spoil Socket Accept=no Service=putd-many.service TriggerLimitIntervalSec=2s
    is_well
    spoil Socket Accept=no Service=putd-many.service TriggerLimitIntervalSec=0
    finds 'does not spin: TriggerLimitIntervalSec=0'
    inside rm /etc/systemd/system/putd-many.service
}

@test "zones are judged by their name" {
    inside sh -s -- add scans 7001 /srv/scans <"$ROOT/contrib/zone/putd-zone"
    is_well putd.socket putd-scans.socket
    [[ $output == *'putd --check /srv/scans'* && $output == *'putd.socket:'* ]]
    inside sh -s -- remove scans <"$ROOT/contrib/zone/putd-zone"
}

@test "wrong use, and nothing to judge" {
    run inside putd-judge --exposure=x
    ((status == 64))
    run inside putd-judge --what
    ((status == 64))
    [[ $output == *'putd-judge [--exposure=N] [SOCKET]...'* ]]
    run inside putd-judge none.socket
    ((status == 69))
    [[ $output == *'putd-judge: there is no none.socket' ]]
}

@test "without root: a clear line" {
    run inside setpriv --reuid nobody --clear-groups --inh-caps=-all putd-judge
    ((status == 69))
    [[ $output == 'putd-judge: only root can see all of it' ]]
}
