#!/usr/bin/env bats
# PROXY headers, versions 1 and 2 (haproxy.org, proxy-protocol.txt): required of
# the peers that --proxy-protocol names, and of nobody else believed.

load lib/common
load lib/peer_common

setup() {
    common_setup
    PROXY_OPTION=--options=--proxy-protocol=127.0.0.1
}

# --- building them ----------------------------------------------------------

# line WORDS: version 1.
line() { escaped "$1\r\n"; }

# v2 COMMAND FAMILY ADDRESSES [SIZE]: version 2; the first two are bytes in hex,
# ADDRESSES is escaped as for printf %b.
v2() {
    local addresses size

    printf -v addresses '%b' "${3//\\x00/_}"
    size=${4-${#addresses}}
    printf -v size '\\x%02x\\x%02x' $((size >> 8)) $((size & 255))
    escaped "\r\n\r\n\0\r\nQUIT\n\x$1\x$2$size$3"
}

# 192.0.2.7 and 192.0.2.1, 4711 and 8080; in IPv6 2001:db8::7 and ::1.
pair4='\xc0\x00\x02\x07\xc0\x00\x02\x01\x12\x67\x1f\x90'
zeros10='\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00'
pair6="\x20\x01\x0d\xb8$zeros10\x00\x07\x20\x01\x0d\xb8$zeros10\x00\x01\x12\x67\x1f\x90"

# --- judging them -----------------------------------------------------------

# told PEER: the header that was built, then a frame, from a proxy.
told() {
    plain a 1
    meet --over=tcp4 "$PROXY_OPTION" "file=$IN" ended
    expect 0 'a=1'
    named "$1"
}

# refused: what was built, and a frame that asks: not served, not answered.
refused() {
    asked a 1
    meet --over=tcp4 "$PROXY_OPTION" "file=$IN" ended
    expect 65 ''
    said 'a proxy that must send a PROXY header did not'
}

# refused_line WORDS
refused_line() {
    line "$1"
    refused
}

# --- version 1 --------------------------------------------------------------

@test "v1: TCP4" {
    line 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080'
    told 192.0.2.7:4711
}

@test "v1: TCP6" {
    line 'PROXY TCP6 2001:db8::7 2001:db8::1 4711 8080'
    told '\[2001:db8::7]:4711'
}

@test "v1: IPv4 inside TCP6 is the IPv4 address" {
    line 'PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.1 4711 8080'
    told 192.0.2.7:4711
}

@test "v1: the longest addresses and ports" {
    line 'PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535'
    told '\[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535'
}

@test "v1: ports 0 and 65535" {
    line 'PROXY TCP4 192.0.2.7 192.0.2.1 0 65535'
    told 192.0.2.7:0
}

@test "v1: UNKNOWN: the peer is the proxy" {
    line 'PROXY UNKNOWN'
    told '127.0.0.1:[0-9]*'
}

@test "v1: UNKNOWN, and words that are passed over" {
    line 'PROXY UNKNOWN ffff::1 anything at all'
    told '127.0.0.1:[0-9]*'
}

# long_line SIZE: an UNKNOWN line of so many bytes in all.
long_line() {
    local filler

    printf -v filler "%0$(($1 - 16))d" 0
    line "PROXY UNKNOWN $filler"
}

@test "v1: 107 bytes" {
    long_line 107
    told '127.0.0.1:[0-9]*'
}

@test "v1: 108 bytes" {
    long_line 108
    refused
}

@test "v1: 107 bytes without an end" {
    printf -v filler '%0107d' 0
    text "PROXY UNKNOWN $filler"
    refused
}

@test "v1: no CR" {
    escaped 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080\n'
    refused
}

@test "v1: CR and no LF" {
    escaped 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080\r'
    refused
}

@test "v1: LF CR" {
    escaped 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080\n\r'
    refused
}

@test "v1: a NUL in an address" {
    escaped 'PROXY TCP4 192.0.2.7\0 192.0.2.1 4711 8080\r\n'
    refused
}

@test "v1: a NUL in what UNKNOWN passes over" {
    escaped 'PROXY UNKNOWN a\0b\r\n'
    refused
}

@test "v1: nothing behind PROXY" { refused_line 'PROXY'; }
@test "v1: a space behind PROXY" { refused_line 'PROXY '; }
@test "v1: lower case proxy" { refused_line 'proxy TCP4 192.0.2.7 192.0.2.1 4711 8080'; }
@test "v1: lower case tcp4" { refused_line 'PROXY tcp4 192.0.2.7 192.0.2.1 4711 8080'; }
@test "v1: lower case unknown" { refused_line 'PROXY unknown'; }
@test "v1: UNKNOWNS" { refused_line 'PROXY UNKNOWNS'; }
@test "v1: UDP4" { refused_line 'PROXY UDP4 192.0.2.7 192.0.2.1 4711 8080'; }
@test "v1: TCP" { refused_line 'PROXY TCP 192.0.2.7 192.0.2.1 4711 8080'; }
@test "v1: two spaces" { refused_line 'PROXY TCP4 192.0.2.7  192.0.2.1 4711 8080'; }
@test "v1: two spaces behind PROXY" { refused_line 'PROXY  TCP4 192.0.2.7 192.0.2.1 4711 8080'; }
@test "v1: a space before PROXY" { refused_line ' PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080'; }
@test "v1: a space at the end" { refused_line 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080 '; }
@test "v1: a tab" { refused_line 'PROXY\tTCP4 192.0.2.7 192.0.2.1 4711 8080'; }
@test "v1: a word too many" { refused_line 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080 1'; }
@test "v1: a word too few" { refused_line 'PROXY TCP4 192.0.2.7 192.0.2.1 4711'; }
@test "v1: TCP4 with addresses of IPv6" { refused_line 'PROXY TCP4 2001:db8::7 2001:db8::1 4711 8080'; }
@test "v1: TCP6 with addresses of IPv4" { refused_line 'PROXY TCP6 192.0.2.7 192.0.2.1 4711 8080'; }
@test "v1: TCP6 with one address of IPv4" { refused_line 'PROXY TCP6 2001:db8::7 192.0.2.1 4711 8080'; }
@test "v1: a bad source" { refused_line 'PROXY TCP4 192.0.2.256 192.0.2.1 4711 8080'; }
@test "v1: a bad destination" { refused_line 'PROXY TCP4 192.0.2.7 192.0.2 4711 8080'; }
@test "v1: an address with a leading zero" { refused_line 'PROXY TCP4 192.0.02.7 192.0.2.1 4711 8080'; }
@test "v1: an address in hex" { refused_line 'PROXY TCP4 0xc0000207 192.0.2.1 4711 8080'; }
@test "v1: an address with a scope" { refused_line 'PROXY TCP6 fe80::1%lo 2001:db8::1 4711 8080'; }
@test "v1: an address in brackets" { refused_line 'PROXY TCP6 [2001:db8::7] 2001:db8::1 4711 8080'; }
@test "v1: a name" { refused_line 'PROXY TCP4 localhost 192.0.2.1 4711 8080'; }
@test "v1: an empty address" { refused_line 'PROXY TCP4  192.0.2.1 4711 8080'; }
@test "v1: port 65536" { refused_line 'PROXY TCP4 192.0.2.7 192.0.2.1 65536 8080'; }
@test "v1: destination port 65536" { refused_line 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 65536'; }
@test "v1: port 2^32 + 1" { refused_line 'PROXY TCP4 192.0.2.7 192.0.2.1 4294967297 8080'; }
@test "v1: a port with a leading zero" { refused_line 'PROXY TCP4 192.0.2.7 192.0.2.1 04711 8080'; }
@test "v1: port 00" { refused_line 'PROXY TCP4 192.0.2.7 192.0.2.1 00 8080'; }
@test "v1: port -1" { refused_line 'PROXY TCP4 192.0.2.7 192.0.2.1 -1 8080'; }
@test "v1: port +1" { refused_line 'PROXY TCP4 192.0.2.7 192.0.2.1 +1 8080'; }
@test "v1: a port with a letter" { refused_line 'PROXY TCP4 192.0.2.7 192.0.2.1 47a 8080'; }
@test "v1: no port" { refused_line 'PROXY TCP4 192.0.2.7 192.0.2.1  8080'; }

# --- version 2 --------------------------------------------------------------

@test "v2: TCP over IPv4" {
    v2 21 11 "$pair4"
    told 192.0.2.7:4711
}

@test "v2: TCP over IPv6" {
    v2 21 21 "$pair6"
    told '\[2001:db8::7]:4711'
}

@test "v2: IPv4 inside IPv6 is the IPv4 address" {
    mapped="$zeros10\xff\xff\xc0\x00\x02\x07"
    v2 21 21 "$mapped$mapped\x12\x67\x1f\x90"
    told 192.0.2.7:4711
}

@test "v2: LOCAL: the peer is the proxy" {
    v2 20 00 ''
    told '127.0.0.1:[0-9]*'
}

@test "v2: LOCAL with addresses, which are passed over" {
    v2 20 11 "$pair4"
    told '127.0.0.1:[0-9]*'
}

@test "v2: LOCAL with bytes that are too few for its family" {
    v2 20 11 'xyz'
    told '127.0.0.1:[0-9]*'
}

@test "v2: what is behind the addresses is passed over" {
    # PP2_TYPE_ALPN and PP2_TYPE_NOOP
    v2 21 11 "$pair4\x01\x00\x02h2\x04\x00\x03abc"
    told 192.0.2.7:4711
}

@test "v2: what is behind the addresses of IPv6" {
    v2 21 21 "$pair6\x01\x00\x02h2"
    told '\[2001:db8::7]:4711'
}

@test "v2: 65535 bytes" {
    printf -v filler '%065523d' 0
    v2 21 11 "$pair4$filler"
    told 192.0.2.7:4711
}

@test "v2: a family that is not known to the proxy: the peer is the proxy" {
    v2 21 00 ''
    told '127.0.0.1:[0-9]*'
}

@test "v2: a Unix socket: the peer is the proxy" {
    printf -v filler '%0216d' 0
    v2 21 31 "$filler"
    told '127.0.0.1:[0-9]*'
}

@test "v2: UDP over IPv4: the peer is the proxy" {
    v2 21 12 "$pair4"
    told '127.0.0.1:[0-9]*'
}

@test "v2: UDP over IPv6: the peer is the proxy" {
    v2 21 22 "$pair6"
    told '127.0.0.1:[0-9]*'
}

# refused_v2 ARGUMENT...
refused_v2() {
    v2 "$@"
    refused
}

@test "v2: version 1 in binary" { refused_v2 11 11 "$pair4"; }
@test "v2: version 3" { refused_v2 31 11 "$pair4"; }
@test "v2: command 2" { refused_v2 22 11 "$pair4"; }
@test "v2: command 15" { refused_v2 2f 11 "$pair4"; }
@test "v2: a family that does not exist" { refused_v2 21 41 "$pair4"; }
@test "v2: a transport that does not exist" { refused_v2 21 13 "$pair4"; }
@test "v2: IPv4 in 11 bytes" { refused_v2 21 11 "${pair4%\\x90}"; }
@test "v2: IPv4 in no bytes" { refused_v2 21 11 ''; }
@test "v2: IPv6 in 35 bytes" { refused_v2 21 21 "${pair6%\\x90}"; }
@test "v2: IPv6 in the bytes of IPv4" { refused_v2 21 21 "$pair4"; }

@test "v2: a signature that is wrong in its last byte" {
    escaped "\r\n\r\n\0\r\nQUIT\r\x21\x11\x00\x0c$pair4"
    refused
}

@test "v2: a header that says more than comes" {
    v2 21 11 "$pair4" 4000
    refused
}

# --- how it comes -----------------------------------------------------------

@test "a byte at a time: v1" {
    line 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080'
    plain a 1
    meet --over=tcp4 "$PROXY_OPTION" "bytewise=$IN" ended
    expect 0 'a=1'
    named 192.0.2.7:4711
}

@test "a byte at a time: v2" {
    v2 21 21 "$pair6\x01\x00\x02h2"
    plain a 1
    meet --over=tcp4 "$PROXY_OPTION" "bytewise=$IN" ended
    expect 0 'a=1'
    named '\[2001:db8::7]:4711'
}

@test "alone, read, and the frame after it" {
    line 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080'
    meet --over=tcp4 "$PROXY_OPTION" "file=$IN" read \
        'frame={"cmd":"put","filename":"a","filesize":1}' bytes=1 ended
    expect 0 'a=1'
    named 192.0.2.7:4711
}

@test "in one segment with a frame of 3 MB" {
    v2 21 11 "$pair4"
    frame '{"cmd":"put","filename":"a","filesize":3000000,"reply":true}'
    head -c 3000000 /dev/zero | tr '\0' x >>"$IN"
    asked b 2
    meet --over=tcp4 "$PROXY_OPTION" "file=$IN" ended
    expect 0 'a=(3000000 bytes) b=2' +a:3000000 +b:1
    [[ ${LOG[0]} == putd:\ 192.0.2.7:4711:* ]]
}

@test "each connection of a listening socket has its own" {
    line 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080'
    plain a 1
    cp "$IN" "$T/first"
    : >"$IN"
    line 'PROXY TCP4 192.0.2.8 192.0.2.1 4712 8080'
    plain a 1
    meet --over=tcp4 --listening "$PROXY_OPTION" --options=--connections=3 \
        connect "file=$T/first" shut answered close \
        connect 'frame={"cmd":"put","filename":"b","filesize":1,"reply":true}' bytes=1 shut answered close \
        connect "file=$IN" ended
    expect 0 'a=1'
    logged 3
    [[ ${LOG[0]} == 'putd: 192.0.2.7:4711: stored a, 1 bytes' ]]
    [[ ${LOG[1]} == 'putd: 127.0.0.1:'*': a proxy that must'* ]]
    [[ ${LOG[2]} == 'putd: 192.0.2.8:4712: stored a, 1 bytes' ]]
}

@test "only one: a second one is no frame" {
    line 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080'
    line 'PROXY TCP4 203.0.113.66 192.0.2.1 4711 8080'
    asked a 1
    meet --over=tcp4 "$PROXY_OPTION" "file=$IN" ended
    expect 65 ''
    said '192.0.2.7:4711: the stream cannot be read as frames'
}

@test "hostile bytes after it are those of the client" {
    v2 21 11 "$pair4"
    text $'GET / HTTP/1.0\r\n\r\n'
    meet --over=tcp4 "$PROXY_OPTION" "file=$IN" ended
    expect 65 ''
    said '192.0.2.7:4711: the stream cannot be read as frames'
}

# --- required ---------------------------------------------------------------

@test "required: a frame without one" { refused; }

@test "required: garbage" {
    text 'GET / HTTP/1.0'
    refused
}

@test "required: a stream of nothing is a check of health" {
    meet --over=tcp4 "$PROXY_OPTION" ended
    expect 0 ''
    logged 0
}

@test "required: a header and no frame" {
    v2 20 00 ''
    meet --over=tcp4 "$PROXY_OPTION" "file=$IN" ended
    expect 0 ''
    logged 0
}

# cut: what was built, up to each of its bytes.
cut() {
    local -i n size

    cp "$IN" "$T/whole"
    size=$(wc -c <"$T/whole")
    for ((n = 1; n < size; n++)); do
        head -c "$n" "$T/whole" >"$IN"
        meet --over=tcp4 "$PROXY_OPTION" "file=$IN" ended
        expect 65 ''
        said 'PROXY header'
    done
}

@test "required: v1 cut at every byte" {
    line 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080'
    cut
}

@test "required: v2 cut at every byte" {
    v2 21 11 "$pair4"
    cut
}

@test "required: stalled before it" {
    meet --over=tcp4 "$PROXY_OPTION" --options=--stall-timeout=1 ended-held
    expect 75 ''
    logged 1
}

@test "required: stalled inside v1" {
    text 'PROXY TCP4 192'
    meet --over=tcp4 "$PROXY_OPTION" --options=--stall-timeout=1 "file=$IN" ended-held
    expect 75 ''
    logged 1
}

@test "required: stalled inside v2" {
    v2 21 11 "$pair4" 13
    meet --over=tcp4 "$PROXY_OPTION" --options=--stall-timeout=1 "file=$IN" ended-held
    expect 75 ''
    logged 1
}

# --- of nobody else believed ------------------------------------------------

# spoofed MEETING...: from a peer that is no proxy a header is bad-frame.
spoofed() {
    asked a 1
    meet "$@" "file=$IN" ended
    expect 65 ''
    said 'the stream cannot be read as frames'
}

other=--options=--proxy-protocol=192.0.2.0/24,2001:db8::/32

@test "spoofed: v1 without the option" {
    line 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080'
    spoofed --over=tcp4
}

@test "spoofed: v1 from another address" {
    line 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080'
    spoofed --over=tcp4 "$other"
    [[ ${LOG[0]} == 'putd: 127.0.0.1:'* ]]
}

@test "spoofed: v2 from another address" {
    v2 21 11 "$pair4"
    spoofed --over=tcp4 "$other"
}

@test "spoofed: over IPv6" {
    v2 21 11 "$pair4"
    spoofed --over=tcp6 "$other"
}

@test "spoofed: over a Unix socket" {
    v2 21 11 "$pair4"
    spoofed --over=unix --options=--proxy-protocol=0.0.0.0/0,::/0
}

@test "spoofed: over a pipe, whatever the environment says" {
    line 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 8080'
    REMOTE_ADDR=127.0.0.1 spoofed --options=--proxy-protocol=0.0.0.0/0,::/0
}

@test "an address that the environment says does not make a proxy" {
    asked a 1
    REMOTE_ADDR=192.0.2.7 meet --over=tcp4 "$other" "file=$IN" ended
    expect 0 'a=1' +a:1
}

@test "after its client was told, a proxy is not asked again for its own address" {
    # A client inside the networks of proxies is a client all the same.
    line 'PROXY TCP4 127.0.0.1 192.0.2.1 4711 8080'
    told 127.0.0.1:4711
}

# --- networks ---------------------------------------------------------------

# in_network NETWORK ADDRESS...: from each a header is required and believed.
in_network() {
    local address

    for address in "${@:2}"; do
        : >"$IN"
        line 'PROXY TCP4 203.0.113.5 192.0.2.1 4711 8080'
        plain a 1
        meet_from "$address" --options=--proxy-protocol="$1" "file=$IN" ended
        expect 0 'a=1'
        named 203.0.113.5:4711
    done
}

# not_in NETWORK ADDRESS...: from none of them.
not_in() {
    local address

    for address in "${@:2}"; do
        : >"$IN"
        plain a 1
        meet_from "$address" --options=--proxy-protocol="$1" "file=$IN" ended
        expect 0 'a=1'
        logged 1
        [[ ${LOG[0]} == "putd: $address:"[0-9]* ||
            ${LOG[0]} == "putd: [$address]:"[0-9]* ]]
    done
}

@test "networks: an address" {
    in_network 192.0.2.7 192.0.2.7
    not_in 192.0.2.7 192.0.2.6 192.0.2.8
}

@test "networks: /32" {
    in_network 192.0.2.7/32 192.0.2.7
    not_in 192.0.2.7/32 192.0.2.6
}

@test "networks: /31" {
    in_network 192.0.2.6/31 192.0.2.6 192.0.2.7
    not_in 192.0.2.6/31 192.0.2.5 192.0.2.8
}

@test "networks: /24" {
    in_network 192.0.2.0/24 192.0.2.0 192.0.2.255
    not_in 192.0.2.0/24 192.0.1.255 192.0.3.0
}

@test "networks: /23" {
    in_network 192.0.2.0/23 192.0.2.0 192.0.3.255
    not_in 192.0.2.0/23 192.0.1.255 192.0.4.0
}

@test "networks: /1" {
    in_network 0.0.0.0/1 126.255.255.255
    not_in 0.0.0.0/1 128.0.0.1
}

@test "networks: /0" { in_network 0.0.0.0/0 192.0.2.7 223.255.255.255; }
@test "networks: /0 of IPv4 is not of IPv6" { not_in 0.0.0.0/0 2001:db8::7; }
@test "networks: /0 of IPv6 is not of IPv4" { not_in ::/0 192.0.2.7; }
@test "networks: bits behind the prefix do not matter" { in_network 192.0.2.77/24 192.0.2.7; }

@test "networks: /128" {
    in_network 2001:db8::7/128 2001:db8::7
    not_in 2001:db8::7/128 2001:db8::6 2001:db8::8
}

@test "networks: /64" {
    in_network 2001:db8:0:5::/64 2001:db8:0:5::1 2001:db8:0:5:ffff:ffff:ffff:ffff
    not_in 2001:db8:0:5::/64 2001:db8:0:4:ffff:ffff:ffff:ffff 2001:db8:0:6::1
}

@test "networks: /127" {
    in_network 2001:db8::6/127 2001:db8::6 2001:db8::7
    not_in 2001:db8::6/127 2001:db8::5 2001:db8::8
}

@test "networks: /0 of IPv6" { in_network ::/0 2001:db8::7; }

@test "networks: several, of both kinds" {
    list=192.0.2.0/24,2001:db8::/32,198.51.100.7
    in_network "$list" 192.0.2.7 2001:db8::7 198.51.100.7
    not_in "$list" 198.51.100.8 2001:db9::7
}

# numbers FIRST COUNT: so many networks of one address, in $LIST.
numbers() {
    local -i i

    LIST=''
    for ((i = $1; i < $1 + $2; i++)); do LIST+=,198.51.100.$i; done
    LIST=${LIST#,}
}

@test "networks: 32 of them" {
    numbers 1 32
    in_network "$LIST" 198.51.100.1 198.51.100.32
    not_in "$LIST" 198.51.100.33
}

# mapped NETWORK: a proxy of IPv4 that meets a socket for both.
mapped() {
    v2 21 11 "$pair4"
    plain a 1
    meet --over=mapped --options=--proxy-protocol="$1" "file=$IN" ended
    expect 0 'a=1'
    named 192.0.2.7:4711
}

@test "networks: IPv4 to a socket for both is in a network of IPv4" { mapped 127.0.0.0/8; }
@test "networks: IPv4 written inside IPv6" { mapped ::ffff:127.0.0.1; }
@test "networks: a network of IPv4 written inside IPv6" { mapped ::ffff:127.0.0.0/104; }

# --- the option -------------------------------------------------------------

# wrong_networks VALUE: one line, nothing served.
wrong_networks() {
    asked a 1
    serve --proxy-protocol="$1"
    expect 64 ''
    said --proxy-protocol
}

@test "option: nothing" { wrong_networks ''; }
@test "option: a word" { wrong_networks proxy; }
@test "option: a name" { wrong_networks localhost; }
@test "option: /33" { wrong_networks 192.0.2.0/33; }
@test "option: /129" { wrong_networks 2001:db8::/129; }
@test "option: IPv4 inside IPv6, and part of the rest" { wrong_networks ::ffff:192.0.2.0/95; }
@test "option: / and nothing" { wrong_networks 192.0.2.0/; }
@test "option: /-1" { wrong_networks 192.0.2.0/-1; }
@test "option: /+8" { wrong_networks 192.0.2.0/+8; }
@test "option: /8x" { wrong_networks 192.0.2.0/8x; }
@test "option: / and a space" { wrong_networks '192.0.2.0/ 8'; }
@test "option: / and 2^64" { wrong_networks 192.0.2.0/18446744073709551616; }
@test "option: /8/8" { wrong_networks 192.0.2.0/8/8; }
@test "option: a mask" { wrong_networks 192.0.2.0/255.255.255.0; }
@test "option: three numbers" { wrong_networks 192.0.2/24; }
@test "option: 256" { wrong_networks 192.0.2.256; }
@test "option: a port" { wrong_networks 192.0.2.7:80; }
@test "option: brackets" { wrong_networks '[2001:db8::1]'; }
@test "option: a scope" { wrong_networks fe80::1%lo; }
@test "option: a space" { wrong_networks '192.0.2.7, 192.0.2.8'; }
@test "option: a comma at the end" { wrong_networks 192.0.2.7,; }
@test "option: a comma at the start" { wrong_networks ,192.0.2.7; }
@test "option: two commas" { wrong_networks 192.0.2.7,,192.0.2.8; }
@test "option: 33 networks" {
    numbers 1 33
    wrong_networks "$LIST"
}

@test "option: 10000 letters" {
    printf -v long '%010000d' 0
    wrong_networks "$long"
}

@test "option: hostile bytes" { wrong_networks $'\e[31m\n'; }
@test "option: no value" {
    code=0
    "$PUTD" "$DIR" --proxy-protocol 2>"$T/err" </dev/null || code=$?
    mapfile -t LOG <"$T/err"
    ((code == 64))
    said --proxy-protocol
}
