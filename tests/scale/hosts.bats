#!/usr/bin/env bats
# shellcheck disable=SC2016 # for the shell inside
#
# contrib/haproxy/hosts: HAProxy before three hosts that serve one GlusterFS
# volume. `make scale-check`; not part of `make check`. One boot for all.

load ../lib/common
load ../lib/scale_common

setup_file() { boot_hosts; }
teardown_file() { end_hosts; }
setup() { hosts_setup; }
teardown() { hosts_teardown; }

# talk SCENARIO...: into $T/talk.
talk() {
    client "$PYTHON" "$LIB/scale_talk.py" "$@" >"$T/talk" || fail "$(cat "$T/talk")"
}

# background_talk SCENARIO...: the same while something happens to the hosts.
background_talk() {
    background "$RIG" client "$BATS_FILE_TMPDIR/pid0" "$PYTHON" "$LIB/scale_talk.py" "$@" \
        >"$T/talk" 2>"$T/talk.err"
}

talk_ended() {
    background_status
    [[ $CODE == 0 ]] || fail "$(cat "$T/talk" "$T/talk.err")"
}

# --- by HAProxy ---------------------------------------------------------------

@test "put through HAProxy: the file is on all hosts, the journal tells who sent it" {
    local host

    head -c 5000000 /dev/urandom >"$T/a"
    client "$PUT" -c -s "$ADDRESS" "$T/a"
    [[ $(see a) == "$(sha256sum <"$T/a" | cut -d' ' -f1)" ]]
    for host in "${HOSTS[@]}"; do
        at "$host" journalctl --sync
        at "$host" journalctl -q -o cat -t putd --since="$SINCE"
    done | grep -qE '^10\.89\.0\.100:[0-9]+: stored a, 5000000 bytes$'
}

@test "who does not come through HAProxy is not heard" {
    at 0 ip addr add 10.89.0.200/24 dev front
    run client timeout 5 "$PYTHON" -c 'import socket
s = socket.create_connection(("10.89.0.1", 8080), 2, ("10.89.0.200", 0))'
    at 0 ip addr del 10.89.0.200/24 dev front
    ((status != 0))
}

# files_of CLIENT: its files are here and on all hosts.
files_of() {
    local file

    for file in "$T/send$1"/*; do
        [[ $(see "${file##*/}") == "$(sha256sum <"$file" | cut -d' ' -f1)" ]] ||
            fail "${file##*/} differs" "$(see "${file##*/}")"
    done
}

# send CLIENT: 6 small and 6 larger files, which go by id. It tries for long.
send() {
    local i

    mkdir "$T/send$1"
    for i in {1..6}; do
        head -c $((i * 700)) /dev/urandom >"$T/send$1/small-$1-$i"
        head -c $((1500000 * i)) /dev/urandom >"$T/send$1/large-$1-$i"
    done
    background "$RIG" client "$BATS_FILE_TMPDIR/pid0" "$PUT" -c --retries=60 --bwlimit=2M \
        --json -s "$ADDRESS" "$T/send$1"/* >"$T/said$1" 2>&1
    SENDERS+=("$PID")
}

all_sent() {
    local sender

    for sender in "${SENDERS[@]}"; do
        wait "$sender" || fail "a sender failed" "$(grep -hv '"ok":true' "$T"/said*)"
    done
}

all_answered() {
    [[ $(grep -l '"ok":true' "$T"/said? | wc -l) == 4 ]]
}

@test "a host is cut off and comes back, HAProxy moves connections: all is stored, everywhere" {
    local i
    local -a SENDERS=()

    for i in 1 2 3 4; do
        send "$i"
    done
    # All are in the middle of it.
    until_true all_answered
    cut_off front 3
    cut_off store 3
    until_true is_down 3
    only 1
    only 2
    put_back store 3
    put_back front 3
    only 1 2 3
    all_sent
    for i in "${HOSTS[@]}"; do
        until_true is_healthy "$i"
    done
    for i in 1 2 3 4; do
        [[ $(grep -c '"ok":true.*"durable":true' "$T/said$i") == 12 ]] || fail "$(cat "$T/said$i")"
        files_of "$i"
    done
}

# --- one tree -----------------------------------------------------------------

@test "a part on one host, its end on another, the commit on a third" {
    talk moved moved
    [[ $(see moved) == "$(cat "$T/talk")" ]]
}

@test "a part that broke off is gone on with on another host" {
    talk broken broken
    [[ $(see broken) == "$(tail -n 1 "$T/talk")" ]]
}

@test "stat and commit after a lost answer: every host tells the same" {
    talk lost_answer once
    [[ $(at 1 find /srv/putd -name 'once*' | wc -l) == 1 ]]
}

@test "reject: of three hosts exactly one wins, and it is that file" {
    local name winner

    talk race reject 20 r
    [[ $(wc -l <"$T/talk") == 20 && $(cut -d' ' -f1 "$T/talk" | sort -u | wc -l) == 20 ]]
    while read -r name winner _; do
        [[ $(see "$name") == "$(printf '%01000d' 0 | tr 0 "$winner" | sha256sum | cut -d' ' -f1)" ]]
    done <"$T/talk"
}

@test "keep: three hosts, three files, none is lost" {
    local winner stored

    talk race keep 20 k
    [[ $(wc -l <"$T/talk") == 60 && $(cut -d' ' -f3 "$T/talk" | sort -u | wc -l) == 60 ]]
    (! grep -v True "$T/talk")
    while read -r _ winner stored _; do
        [[ $(cat "$(tree 1)/$stored") == "$(printf '%01000d' 0 | tr 0 "$winner")" ]]
    done <"$T/talk"
}

@test "replace: three hosts, one whole file" {
    talk race replace 20 w
    [[ $(wc -l <"$T/talk") == 60 ]]
    for name in w{0..19}; do
        grep -qxE '1{1000}|2{1000}|3{1000}' "$(tree 2)/$name"
        [[ $(see "$name" | wc -l) == 1 ]]
    done
}

@test "two hosts inside one id: busy, and the bytes are one's" {
    talk both
}

# client.strict-locks: without it the stale host writes on, with the lock gone.
@test "a host cut off from the volume inside a part does not mix its bytes in later" {
    background_talk stale "$T/ready" "$T/go" stale
    until_true test -e "$T/ready"
    cut_off store 1
    until_true test -e "$T/go"
    put_back store 1
    talk_ended
    cat "$T/talk"
    [[ $(see stale) == "$(tail -n 1 "$T/talk")" ]]
}

# --- when the volume is not there -----------------------------------------------

@test "a volume without quorum: io and try again; HAProxy sees it; the client goes elsewhere" {
    background_talk no_quorum "$T/ready" q
    until_true test -e "$T/ready"
    cut_off store 3
    : >"$T/ready.cut"
    talk_ended
    [[ $(grep -c ' io True$' "$T/talk") == 9 && $(wc -l <"$T/talk") == 9 ]] || fail "$(cat "$T/talk")"
    until_true is_down 3
    printf hello >"$T/a"
    # The others may stand still for as long as they wait for the one that is gone.
    client "$PUT" -q --retries=60 -s "$ADDRESS" "$T/a"
    put_back store 3
    until_true is_up 3
    [[ $(see a) == "$(sha256sum <"$T/a" | cut -d' ' -f1)" ]]
}

parts() { at 3 find /srv/putd/.putd -name '*.part' | wc -l; }
more_parts_than() { (($(parts) > $1)); }
# A host that has just come back may take a moment to find what it missed.
all_see() { [[ $(see "$1") == "$2" ]]; }

@test "the host of an upload loses the volume: the client goes on on another" {
    local before

    before=$(parts)
    head -c 8000000 /dev/urandom >"$T/a"
    only 3
    background "$RIG" client "$BATS_FILE_TMPDIR/pid0" "$PUT" -q -c --bwlimit=1M --retries=60 \
        -s "$ADDRESS" "$T/a" 2>"$T/put.err"
    until_true more_parts_than "$before"
    tell 'set server putd/host1 state ready'
    tell 'set server putd/host2 state ready'
    until_true is_up 1
    cut_off store 3
    background_status
    [[ $CODE == 0 ]] || fail "$(cat "$T/put.err")"
    put_back store 3
    until_true is_healthy 3
    until_true all_see a "$(sha256sum <"$T/a" | cut -d' ' -f1)" || fail "$(see a)"
}

@test "a host without the mount serves nothing, and does not fill its own disk" {
    # An administrator who forgot the mount unit.
    at 3 systemctl stop srv-putd.mount
    at 3 sh -c 'mv /etc/systemd/system/srv-putd.mount /opt && systemctl daemon-reload'
    until_true is_down 3
    run client "$PYTHON" -c 'import socket
s = socket.create_connection(("10.89.0.3", 8080), 10)
s.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n\x38\0\0\0{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":1,\"reply\":true}x")
print(s.makefile("rb").read())'
    [[ $output != *ok* ]]
    [[ -z $(at 3 ls -A /srv/putd) ]]
    at 3 sh -c 'mv /opt/srv-putd.mount /etc/systemd/system && systemctl daemon-reload'
    # The next connection mounts it: HAProxy's own.
    until_true is_mounted 3
    until_true is_up 3
}

@test "a host that boots without its volume: nothing; with it: by itself" {
    at 3 systemctl stop srv-putd.mount glusterd
    until_true is_down 3
    [[ -z $(at 3 ls -A /srv/putd) ]]
    at 3 systemctl start glusterd
    until_true is_up 3
    is_mounted 3
}
