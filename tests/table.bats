#!/usr/bin/env bats
# Ring 2 and 3: the same bytes give the same files, receipts, log records and
# exit status under every launcher, started by the configuration that contrib has
# for it, in the test root. See lib/table_common.bash for what is compared.

load lib/common
load lib/table_common
load lib/table_scenarios
load lib/table_launchers

setup_file() { table_setup_file; }
setup() { table_setup; }
teardown() { table_teardown; }

@test "plain pipe: what the others are held against" {
    local line

    on_a_pipe legacy 0 'a b'
    on_a_pipe receipts 0 'empty large small' +small:5 +empty:0 +large:3145728
    on_a_pipe refused 0 'a b' +a:3 !put:bad-name !put:bad-name +b:4
    on_a_pipe hostile 65 ''
    on_a_pipe broken 65 'a' +a:5 !bad-frame
    on_a_pipe cut 65 'a' +a:5 !put:mismatch:b
    on_a_pipe end 0 'a b' +a:5 \
        '{"ok":false,"cmd":"end","files":2,"failed":1,"bytes":10}'
    on_a_pipe idle 75 'a'
    on_a_pipe binary 0 'café "1"' '{"ok":true,*"filesize":65536,*}'
    on_a_pipe usage 64 ''
    [[ ${LOG[*]} == 'no such option: --no-such-option'* ]]
    for line in 'stored a, 5 bytes' 'refused ../up: bad-name'; do
        grep -qFx "log PEER: $line" "$TABLE/reference/legacy"
    done
}

@test "tcpserver" { row tcpserver; }
@test "tcpsvd" { row tcpsvd; }
@test "s6-ipcserver" { row s6; }
@test "socat, nofork" { row socat; }
@test "socat, copying" { row socat_copying; }
@test "ncat --exec" { row ncat; }
@test "xinetd" { row xinetd; }
@test "openbsd-inetd" { row openbsd_inetd; }
@test "inetutils-inetd" { row inetutils_inetd; }
@test "systemd-socket-activate --accept" { row activate_accept; }
@test "systemd-socket-activate --accept --inetd" { row activate_inetd; }
@test "systemd-socket-activate, listening" { row activate_listening; }
@test "systemd, Accept=yes: fd 3" { row systemd; }
@test "systemd, Accept=yes: StandardInput=socket" { row systemd_inetd; }
@test "systemd, Accept=no" { row systemd_listening; }
@test "HAProxy with PROXY v2 in front of systemd" { row haproxy; }
@test "stunnel exec, with client certificates" { row stunnel; }
@test "sshd, forced command" { row ssh; }

# --- what stands before putd ------------------------------------------------------

# nothing_came: no putd was started, and nothing is stored.
nothing_came() {
    [[ ! -e $SHARE/status && -z $(ls -A "$STORE") ]]
}

# over_tls CERTIFICATE: three files to putd, with a sender's own TLS; '' is none.
over_tls() {
    run inside timeout 20 socat -t 10 - \
        "OPENSSL:$DROP:8443,${1:+cert=$1,}cafile=/etc/stunnel/putd-ca.pem,commonname=drop.example" \
        <"$TABLE/scenarios/receipts/in"
}

@test "stunnel: a sender without a certificate is refused" {
    local certificate

    launch_stunnel
    cp "$TABLE/scenarios/receipts/options" "$SHARE/options"
    # mallory has one of another authority.
    inside sh -c '/contrib/stunnel/certificates /root drop.example mallory &&
        cat /root/mallory-*.pem >/root/mallory.pem &&
        cat /etc/stunnel/alice-*.pem >/root/alice.pem' 2>/dev/null
    for certificate in '' /root/mallory.pem; do
        over_tls "$certificate"
        [[ $output != *'"ok"'* ]]
        nothing_came
    done
    over_tls /root/alice.pem
    ((status == 0)) && [[ $(grep -c '"ok":true' <<<"$output") == 3 ]]
}

@test "ssh: a key can do nothing but put, and sees putd's exit status" {
    launch_ssh
    cp "$TABLE/scenarios/legacy/options" "$SHARE/options"
    run inside "${CONNECT[@]:1}" cat /etc/passwd </dev/null
    [[ $status == 0 && $output == '' ]]
    run inside "${CONNECT[@]:1}" <"$TABLE/scenarios/hostile/in"
    [[ $status == 65 && $output == '' ]]
    run inside "${CONNECT[@]:1:1}" -W 127.0.0.1:22 "${CONNECT[@]:2}" </dev/null
    [[ $status != 0 && $output == *prohibited* ]]
}

@test "HAProxy: who comes past it is refused" {
    launch_haproxy
    cp "$TABLE/scenarios/receipts/options" "$SHARE/options"
    CONNECT=(tcp:127.0.0.1:8081)
    export SENDER=127.0.0.1
    $BEFORE
    table_sender "$TABLE/scenarios/receipts"
    until_true journal_tells_status
    [[ $(cat "$SHARE/status") == 65 && ! -s $SHARE/answer ]]
    [[ -z $(find "$STORE" -mindepth 1 ! -path "$STORE/.putd") ]]
}
