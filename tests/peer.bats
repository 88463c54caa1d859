#!/usr/bin/env bats
# Who the peer is, as the log tells: what the kernel knows before what a launcher
# says in the environment, and each variable before the next.

load lib/common
load lib/peer_common

# known_as PEER MEETING...: a file is stored, and the log says by whom.
known_as() {
    : >"$IN"
    plain a 1
    meet "${@:2}" "file=$IN" ended
    expect 0 'a=1'
    named "$1"
}

# --- what the kernel knows --------------------------------------------------

@test "TCP over IPv4: address and port" { known_as '127.0.0.1:[0-9]*' --over=tcp4; }
@test "TCP over IPv6: address and port" { known_as '\[::1]:[0-9]*' --over=tcp6; }
@test "IPv4 to a socket for both: the IPv4 address" { known_as '127.0.0.1:[0-9]*' --over=mapped; }
@test "a socket passed on descriptor 3" { known_as '127.0.0.1:[0-9]*' --over=tcp4 --passed; }
@test "a Unix socket: user and process" { known_as "uid $EUID pid [0-9]*" --over=unix; }
@test "a pipe" { known_as pipe; }

@test "a listening socket: each client is its own" {
    plain a 1
    meet --over=tcp4 --listening --options=--connections=2 \
        connect "file=$IN" shut answered close connect "file=$IN" ended
    expect 0 'a=1'
    logged 2
    [[ ${LOG[0]} == 'putd: 127.0.0.1:'[0-9]*': stored a, 1 bytes' ]]
    [[ ${LOG[1]} == 'putd: 127.0.0.1:'[0-9]*': stored a, 1 bytes' ]]
    [[ ${LOG[0]} != "${LOG[1]}" ]]
}

@test "an address of 39 letters" {
    plain a 1
    meet_from 2001:db8:1111:2222:3333:4444:5555:6666 "file=$IN" ended
    expect 0 'a=1'
    named '\[2001:db8:1111:2222:3333:4444:5555:6666]:[0-9]*'
}

@test "the process of a Unix socket is the one that connected" {
    # shellcheck disable=SC2016,SC2034 # expanded inside; for meet
    NAMESPACE=(sh -c 'echo $$ >"$T/pid" && exec "$@"' sh)
    export T
    plain a 1
    meet --over=unix "file=$IN" ended
    named "uid $EUID pid $(<"$T/pid")"
}

# --- what a launcher says, in the order in which it is believed -------------

variables=(REMOTE_ADDR REMOTE_HOST TCPREMOTEIP SOCAT_PEERADDR NCAT_REMOTE_ADDR
    SSH_CONNECTION)

# says VARIABLE: on a pipe and on a Unix socket.
says() {
    export "$1=192.0.2.7"
    known_as 192.0.2.7
    known_as 192.0.2.7 --over=unix
}

@test "REMOTE_ADDR" { says REMOTE_ADDR; }
@test "REMOTE_HOST" { says REMOTE_HOST; }
@test "TCPREMOTEIP" { says TCPREMOTEIP; }
@test "SOCAT_PEERADDR" { says SOCAT_PEERADDR; }
@test "NCAT_REMOTE_ADDR" { says NCAT_REMOTE_ADDR; }
@test "SSH_CONNECTION: the first word" {
    export SSH_CONNECTION='192.0.2.7 4711 192.0.2.1 22'
    known_as 192.0.2.7
}

@test "an address of IPv6, as each launcher writes it" {
    SSH_CONNECTION='2001:db8::7 4711 2001:db8::1 22' known_as 2001:db8::7
    REMOTE_ADDR=fe80::1%eth0 known_as fe80::1%eth0
    SOCAT_PEERADDR='[2001:0db8:0000:0000:0000:0000:0000:0007]' \
        known_as '\[2001:0db8:0000:0000:0000:0000:0000:0007]'
}

@test "the name of a host" { REMOTE_HOST=client-1.example.org known_as client-1.example.org; }

# before LEFT RIGHT: both set, the left one is believed.
before() {
    export "$1=192.0.2.1" "$2=192.0.2.2"
    known_as 192.0.2.1
}

@test "REMOTE_ADDR before REMOTE_HOST" { before REMOTE_ADDR REMOTE_HOST; }
@test "REMOTE_HOST before TCPREMOTEIP" { before REMOTE_HOST TCPREMOTEIP; }
@test "TCPREMOTEIP before SOCAT_PEERADDR" { before TCPREMOTEIP SOCAT_PEERADDR; }
@test "SOCAT_PEERADDR before NCAT_REMOTE_ADDR" { before SOCAT_PEERADDR NCAT_REMOTE_ADDR; }
@test "NCAT_REMOTE_ADDR before SSH_CONNECTION" { before NCAT_REMOTE_ADDR SSH_CONNECTION; }

@test "a variable that is set and empty says nothing" {
    REMOTE_ADDR='' REMOTE_HOST='' SSH_CONNECTION=192.0.2.7 known_as 192.0.2.7
    REMOTE_ADDR='' known_as pipe
}

# --- not believed where the kernel knows better -----------------------------

# lie: every variable says something else.
lie() {
    local variable

    for variable in "${variables[@]}"; do
        export "$variable=203.0.113.66"
    done
}

@test "the environment is not believed over IPv4" {
    lie
    known_as '127.0.0.1:[0-9]*' --over=tcp4
}

@test "the environment is not believed over IPv6" {
    lie
    known_as '\[::1]:[0-9]*' --over=tcp6
}

@test "the environment is not believed over a passed socket" {
    lie
    known_as '127.0.0.1:[0-9]*' --over=tcp4 --passed
}

@test "the environment is not believed of a listening socket's clients" {
    lie
    plain a 1
    meet --over=tcp4 --listening connect "file=$IN" ended
    expect 0 'a=1'
    named '127.0.0.1:[0-9]*'
}

# stunnel talks to what it executes over the loopback interface, and sets both.
@test "stunnel: its two variables are believed over the loopback, one is not" {
    REMOTE_PORT=4711 REMOTE_HOST=192.0.2.7 known_as '192.0.2.7*' --over=tcp4
    REMOTE_HOST=192.0.2.7 known_as '127.0.0.1:[0-9]*' --over=tcp4
    REMOTE_PORT=4711 known_as '127.0.0.1:[0-9]*' --over=tcp4
}

# --- hostile values ---------------------------------------------------------
# common.bash judges every line of the log: nothing in it moves a terminal.

# hostile VALUE PEER: whatever it is, in each variable.
hostile() {
    local variable

    for variable in "${variables[@]}"; do
        export "$variable=$1"
        known_as "$2"
        unset "$variable"
    done
}

@test "hostile: escapes behind an address" { hostile $'192.0.2.7\e[31m' 192.0.2.7; }
@test "hostile: a line end and a second line" { hostile $'192.0.2.7\nputd: stored b' 192.0.2.7; }
@test "hostile: a colon and words" { hostile '192.0.2.7: stored b, 5 bytes' 192.0.2.7:; }
@test "hostile: format directives" { hostile '%s%n%99999999d' '%s%n%99999999d'; }
@test "hostile: no address at all says nothing" { hostile $'\e[31m' pipe; }
@test "hostile: UTF-8 and bytes that are none say nothing" { hostile $'\xff\xe2\x80\xae' pipe; }
@test "hostile: 100000 letters are cut" {
    local name

    printf -v name '%0100000d' 0
    hostile "$name" "${name:0:79}"
}
