#!/usr/bin/env bats
# put over ssh and TLS: a real sshd and a real stunnel in the test root, with what
# contrib has, unchanged, and the sender's command lines as contrib's READMEs have
# them; also when what carries the connection is killed in the middle.
#
# shellcheck disable=SC2030,SC2031,SC2153 # each test is a subshell, and means it

load lib/common
load lib/put_common
load lib/table_common
load lib/table_launchers

LARGE=6000000 # bytes
MIDDLE=1000000

setup_file() { table_root_file; }

setup() {
    table_setup
    echo "--min-free=0 ${PUTD_OPTIONS-}" >"$SHARE/options"
    : >"$SHARE/put-options"
    # Where the READMEs' command lines are typed.
    FILES=$SHARE/files
    mkdir "$FILES"
    printf 'alpha\n' >"$FILES/a.txt"
    printf 'bravo!\n' >"$FILES/b.txt"
    printf 'read me\n' >"$FILES/README.md"
}

teardown() { table_teardown; }

# has_put: the sender's machine has the client.
has_put() {
    cp "$PUT" "$SHARE/put"
    # shellcheck disable=SC2016 # the inner shell's
    inside sh -c 'printf "%s\n" "#!/bin/sh" \
            "exec /table/put \$(cat /table/put-options) \"\$@\"" >/usr/local/bin/put &&
        chmod 755 /usr/local/bin/put'
}

# line FOLDER TEXT: the README's one command line with this in it.
line() {
    local -a lines

    mapfile -t lines < <(sed -n 's/^    //p' "$ROOT/contrib/$1/README.md" |
        grep -F -- "$2")
    ((${#lines[@]} == 1)) || fail "not one line in $1: $2" "${lines[@]}"
    echo "${lines[0]}"
}

# typed COMMAND: at the sender's shell. $STATUS, $ERR; output in $T/out.
typed() {
    STATUS=0
    inside sh -c "cd /table/files && $1" </dev/null >"$T/out" 2>"$T/err" 3>&- ||
        STATUS=$?
    # ssh ends its lines as on a terminal.
    sed -i 's/\r$//' "$T/err"
    read_err
}

# The name of the server in contrib/ssh's README is ours, and it knows our key.
ssh_sender() {
    launch_ssh
    has_put
    inside sh -c 'mkdir -p /root/.ssh && cp /root/key /root/.ssh/id_ed25519 &&
        sed "s/^127.0.0.1/host/" /root/known_hosts >/root/.ssh/known_hosts &&
        echo 127.0.0.1 HOST >>/etc/hosts'
}

tls_sender() {
    launch_stunnel
    has_put
    inside sh -c 'cat /etc/stunnel/alice-*.pem >/table/files/alice.pem &&
        cp /etc/stunnel/putd-ca.pem /table/files'
}

# arrived FILE...: just these, as they were sent.
arrived() {
    local file
    local -a there

    for file in "$@"; do
        cmp "$FILES/$file" "$STORE/$file"
    done
    there=("$STORE"/*)
    ((${#there[@]} == $#)) || fail "there: ${there[*]}"
    [[ -z $(find "$STORE/.putd" -name '*.part') ]]
}

@test "ssh: files, with receipts and an exit status" {
    ssh_sender
    typed "$(line ssh 'put -s exec:')"
    ended 0 "a.txt: stored, 6 bytes" "b.txt: stored, 7 bytes"
    [[ $TOTAL == "put: 2 stored, 13 bytes" ]]
    arrived a.txt b.txt
    typed "$(line ssh '| ssh')"
    [[ $(cat "$T/out") == '{"ok":true,"cmd":"end","files":2,"failed":0,"bytes":13}' ]]
    # Another key can do nothing, and is no server.
    inside sh -c 'rm /root/.ssh/id_ed25519'
    typed "$(line ssh 'put -s exec:')"
    [[ $STATUS == 75 && ${ERR[*]} == *"Permission denied"*"exit status 255"* ]]
}

@test "TLS: through the sender's own stunnel, socat, openssl" {
    local how
    local -i n=0

    tls_sender
    for how in 'put -s 127' 'socat -t' 's_client'; do
        rm -f "$STORE/README.md"
        typed "$(line stunnel "$how")"
        ended 0 "README.md: stored, 8 bytes"
        arrived README.md
        n+=1
    done
    ((n == 3))
    # A server of another name is none.
    typed "$(line stunnel s_client | sed 's/hostname drop/hostname other/')"
    [[ $STATUS == 75 && ${ERR[-1]} == "README.md: not sent" ]]
}

# --- cut in the middle ----------------------------------------------------------

half_there() {
    local size

    size=$(find "$STORE/.putd" -name '*.part' -printf '%s\n' 2>/dev/null)
    ((${size:-0} > MIDDLE))
}

# cut_while FILE COMMAND CUT...: CUT happens while the file, a large one, is sent by
# COMMAND, which goes on after it.
cut_while() {
    local file=$1 command=$2

    random_file "$FILES/$file" "$LARGE"
    echo "-v --bwlimit=4M" >"$SHARE/put-options"
    background inside sh -c "cd /table/files && $command" </dev/null \
        >"$T/out" 2>"$T/err"
    PUT_PID=$PID
    until_true half_there
    "${@:3}"
    STATUS=0
    wait "$PUT_PID" || STATUS=$?
    [[ $STATUS == 0 ]] || fail "$(cat "$T/err")"
    # Once, and from where it was.
    [[ $(grep -c "^$file: stored, $LARGE bytes" "$T/err") == 1 ]]
    grep -qE "^$file: goes on after [1-9][0-9]* bytes" "$T/err" ||
        fail "$(cat "$T/err")"
    grep -q '^put: trying again' "$T/err"
}

# kill_inside PATTERN: the processes there that pgrep finds by their command lines.
kill_inside() {
    local pids

    pids=$(inside pgrep -f "$1") || fail "nothing runs there as $1"
    # shellcheck disable=SC2086 # each is one
    inside kill -KILL $pids
}

@test "ssh: sshd's session is killed in the middle; put goes on over another" {
    ssh_sender
    cut_while a.txt "$(line ssh 'put -s exec:')" kill_inside '^sshd: drop'
    arrived a.txt b.txt
    grep -q '^put: the command ended with exit status 255$' "$T/err"
}

@test "TLS: the server's stunnel is killed in the middle, and started again" {
    tls_sender
    cut_while README.md "$(line stunnel s_client)" restart_stunnel
    arrived README.md
}

@test "TLS: the same through the sender's own stunnel" {
    tls_sender
    cut_while README.md "$(line stunnel 'put -s 127')" restart_stunnel
    arrived README.md
}

restart_stunnel() {
    kill_inside '^stunnel /etc/stunnel/putd.conf'
    start stunnel /etc/stunnel/putd.conf
}

@test "ssh: put is killed in the middle; another run goes on" {
    local size

    ssh_sender
    random_file "$FILES/a.txt" "$LARGE"
    echo "--bwlimit=4M" >"$SHARE/put-options"
    background inside sh -c "cd /table/files && $(line ssh 'put -s exec:')" </dev/null
    until_true half_there
    kill_inside '^/table/put '
    : >"$SHARE/put-options"
    typed "$(line ssh 'put -s exec:')"
    ended 0 "a.txt: stored, $LARGE bytes, resumed after *" "b.txt: stored, 7 bytes"
    size=${ERR[0]##* }
    ((size >= MIDDLE && size < LARGE))
    arrived a.txt b.txt
}
