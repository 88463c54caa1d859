#!/usr/bin/env bats
# put(1): the command line, and frames on standard output. tests/put_*.bats have what
# it says to servers and of them.
#
# shellcheck disable=SC2030,SC2031,SC2034 # each test is a subshell, and means it

load lib/common
load lib/put_common

setup() { put_setup; }

# --- the command line ---------------------------------------------------------

# wrong LINE ARG...: one line, exit 64.
wrong() {
    put "${@:2}"
    ended 64 "put: $1; see put --help"
    [[ ! -s $T/out ]]
}

@test "a wrong option gets one line that names it, and exit 64" {
    wrong "unknown option '-x'" -x a
    wrong "unknown option '-x'" --quiet -qx a
    wrong "unknown option '--frob'" --frob a
    wrong "unknown option '--frob=1'" --frob=1 a
    wrong "no argument belongs to '--quiet=3'" --quiet=3 a
    wrong "an argument is missing for '-s'" a -s
    wrong "an argument is missing for '--name'" a --name
    wrong "unknown option '--\\x1b[31m'" $'--\e[31m' a
}

@test "wrong arguments get one line that says why" {
    local why="not a number of seconds from 1 to 1000000" sec

    for sec in 0 -1 '' x 1.5 1s ' 1' 1000001 99999999999999999999; do
        wrong "invalid timeout '$sec': $why" --timeout="$sec" a
    done
    wrong "no FILE is given"
    wrong "no FILE is given" -q
    wrong "--name is for one FILE only" -n x a b
    wrong "--legacy without a server is for one FILE only" -l a b
    wrong "standard input needs a --name; a file named '-' is ./-" a -
    wrong "invalid number of retries '-1': not from 0 to 1000000" --retries=-1 a
    for sec in 0 x 1X 1KB '' 9007199254740992 9999999T; do
        wrong "invalid size '$sec': not a number of bytes, with K, M, G or T, from 1" --bwlimit="$sec" a
    done
    wrong "invalid policy 'Keep': not replace, reject or keep" -e Keep a
    wrong "invalid progress 'no': not auto, always or never" --progress=no a
    wrong "--from-command needs a --name" --from-command=true
    wrong "--from-command takes no FILE" --from-command=true -n x a
    wrong "--interactive needs a server" -i
    wrong "--interactive takes no FILE" -i a
    wrong "--receipts takes no FILE" --receipts a
    wrong "--json needs a server" --json a
    wrong "--legacy sends files of a known size only" -l -n x -
    wrong "--legacy receivers know no -p, -c or -e" -l -c a
}

@test "a wrong server address gets one line that says why" {
    local port="the port is not a number from 1 to 65535" address

    wrong "invalid server '': not HOST:PORT, *" -s '' a
    wrong "invalid server 'host': not HOST:PORT, *" -s host a
    for address in host: host:0 host:65536 host:99999999999999999999 '[::1]:'; do
        wrong "invalid server '$address': $port" -s "$address" a
    done
    wrong "invalid server ':80': the host is missing" -s :80 a
    wrong "invalid server '[]:80': the host is missing" -s '[]:80' a
    wrong "invalid server '::1:80': an IPv6 address stands in brackets: *" \
        -s ::1:80 a
    wrong "invalid server '[::1]80': not of the form [V6]:PORT" -s '[::1]80' a
    wrong "invalid server '[::1': not of the form [V6]:PORT" -s '[::1' a
    wrong "invalid server 'unix:': the path is missing" -s unix: a
    wrong "invalid server 'exec:': the command is missing" -s exec: a
    wrong "invalid server 'unix:/*': the path is too long for a socket *" \
        -s "unix:/$(printf '%0107d' 0)" a
    PUT_SERVER=nothing wrong "invalid server 'nothing': not HOST:PORT, *" a
}

@test "--help is on standard output and fits a screen" {
    for how in --help -h; do
        put "$how"
        ended 0
        [[ $(wc -l <"$T/out") -le 24 && $(wc -L <"$T/out") -le 80 ]]
        grep -q '^Usage: put ' "$T/out"
    done
    STATUS=0
    "$PUT" --help >/dev/full 2>"$T/err" || STATUS=$?
    read_err
    ended 74 "put: cannot write to standard output: No space left on device"
}

@test "--version" {
    for how in --version -V; do
        put "$how"
        ended 0
        grep -qE '^put [0-9.]+$' "$T/out"
    done
}

# options_helped: those of --help, one a line.
options_helped() {
    "$PUT" --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '-[-a-zA-Z]+' |
        LC_ALL=C sort
}

@test "--help and the manual have the same options, and put takes them all" {
    local option

    options_helped >"$T/helped"
    sed -n 's/^\.It //p' "$ROOT/src/put/put.1" | grep '^Fl' |
        grep -oE 'Fl -?[a-zA-Z-]+' | sed 's/^Fl /-/' |
        LC_ALL=C sort >"$T/manual"
    diff "$T/helped" "$T/manual"
    [[ $(wc -l <"$T/helped") == 33 ]]
    while read -r option; do
        put "$option"
        [[ ${ERR[0]-} != *"unknown option"* ]] || fail "$option is unknown"
    done <"$T/helped"
}

@test "the manual is clean" {
    need_tool mandoc
    [[ -z $(mandoc -Tlint -Wwarning "$ROOT/src/put/put.1") ]]
}

# --- frames on standard output ----------------------------------------------

@test "without a server: frames that ask for nothing, and end, which asks" {
    put a b
    ended 0
    frame '{"cmd":"put","filename":"a","filesize":6}' $'alpha\n'
    frame '{"cmd":"put","filename":"b","filesize":7}' $'bravo!\n'
    frame '{"cmd":"end","reply":true}'
    cmp "$IN" "$T/out"
}

@test "an empty PUT_SERVER is none" {
    PUT_SERVER='' put a
    ended 0
    frame '{"cmd":"put","filename":"a","filesize":6}' $'alpha\n'
    frame '{"cmd":"end","reply":true}'
    cmp "$IN" "$T/out"
}

@test "never to a terminal" {
    need_tool script
    STATUS=0
    script -qfec "'$PUT' a" /dev/null </dev/null >"$T/out" 3>&- || STATUS=$?
    [[ $STATUS == 64 ]]
    [[ $(tr -d '\r' <"$T/out") == "put: frames are not for a terminal: "*"-s"*"nc"* ]]
}

@test "put a b | nc -N HOST PORT ends with the summary" {
    need_tool nc
    server honest
    "$PUT" a b 3>&- | nc -N "${SERVER%:*}" "${SERVER##*:}" >"$T/out" 3>&-
    [[ $(tail -n 1 "$T/out") == '{"ok":true,"cmd":"end","files":2,"failed":0,"bytes":13}' ]]
    [[ $(wc -l <"$T/out") == 1 ]]
    kept a b
}

@test "put a | tee frames, and put big >>frames" {
    random_file big 3000000
    "$PUT" big 3>&- | tee "$T/frames" >"$T/out" 3>&-
    "$PUT" big >>"$T/appended" 3>&-
    frame '{"cmd":"put","filename":"big","filesize":3000000}'
    cat big >>"$IN"
    frame '{"cmd":"end","reply":true}'
    cmp "$IN" "$T/out"
    cmp "$IN" "$T/frames"
    cmp "$IN" "$T/appended"
}

@test "a reader that goes away: one clear line, exit 74" {
    truncate -s 2M big
    {
        put_status=0
        "$PUT" big b 2>"$T/err" 3>&- || put_status=$?
        echo "$put_status" >"$T/status"
    } | true
    read -r STATUS <"$T/status"
    read_err
    ended 74 "put: whoever read the standard output has closed it: outcome unknown" \
        "b: not sent"
}

@test "standard output that cannot be written: exit 74" {
    STATUS=0
    "$PUT" a >/dev/full 2>"$T/err" 3>&- || STATUS=$?
    read_err
    ended 74 "put: cannot write to standard output: No space left on device"
    STATUS=0
    "$PUT" a >&- 2>"$T/err" 3>&- || STATUS=$?
    read_err
    ended 74 "put: cannot write to standard output: Bad file descriptor"
}

@test "with descriptors closed, nothing goes where it does not belong" {
    server honest
    STATUS=0
    "$PUT" -s "$SERVER" a nope b 0<&- 2>&- >"$T/out" 3>&- || STATUS=$?
    [[ $STATUS == 1 && ! -s $T/out ]]
    kept a b
}

@test "nothing to send is not the summary of nothing" {
    put nope
    ended 1 "nope: cannot be read: No such file or directory"
    [[ ! -s $T/out ]]
}

@test "-v tells what was written" {
    put -v a
    ended 0 "a: written, 6 bytes"
}

# to_fifo FILE...: put, blocked in the body of the first, of 8 MiB; the first 40
# bytes are in $T/got, the others can be read from 5.
to_fifo() {
    mkfifo "$T/fifo"
    background to "$T/fifo" "$PUT" "$@" 2>"$T/err"
    PUT_PID=$PID
    exec 5<"$T/fifo"
    head -c 40 <&5 >"$T/got"
}

@test "standard output: a file that shrinks ends the stream" {
    truncate -s 8M big
    to_fifo big b c
    truncate -s 1M big
    cat <&5 >>"$T/got"
    put_wait
    ended 74 "big: the stream ends here: it changed while it was sent and ended after 1048576 bytes of 8388608" \
        "b: not sent" "c: not sent"
    length 49
    text '{"cmd":"put","filename":"big","filesize":8388608}'
    cat big >>"$IN"
    cmp "$IN" "$T/got"
}

@test "standard output: a file that grows is sent as announced" {
    random_file big 8388608
    cp big before
    to_fifo big b
    printf more >>big
    cat <&5 >>"$T/got"
    put_wait
    ended 0 "big: written, 8388608 bytes (it grew while it was sent: its first bytes)"
    frame '{"cmd":"put","filename":"big","filesize":8388608}'
    cat before >>"$IN"
    frame '{"cmd":"put","filename":"b","filesize":7}' $'bravo!\n'
    frame '{"cmd":"end","reply":true}'
    cmp "$IN" "$T/got"
}
