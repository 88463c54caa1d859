#!/usr/bin/env bats
# put(1): the command line, frames on standard output, and files to a server
# that answers. tests/put_legacy.bats has --legacy.
#
# shellcheck disable=SC2030,SC2031,SC2034 # each test is a subshell, and means it

load lib/common
load lib/put_common

setup() { put_setup; }

server_again() {
    rm -f "$T/gate"
    server "$@"
}

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

# --- a server that answers -----------------------------------------------------

@test "HOST:PORT: every file asks, then end; one line for each" {
    server honest
    put -s "$SERVER" a b
    ended 0 "a: stored, 6 bytes" "b: stored, 7 bytes"
    kept a b
    saw end
    [[ $(grep -c asked "$SEEN") == 3 && $(grep -c connection "$SEEN") == 1 ]]
    saw keys\ cmd,filename,filesize,reply
}

@test "a name of a host, in PUT_SERVER; -s goes before it" {
    server honest
    PUT_SERVER=localhost:${SERVER##*:} put a
    ended 0 "a: stored, 6 bytes"
    PUT_SERVER=unix:$T/nobody put --server="$SERVER" b
    ended 0 "b: stored, 7 bytes"
    kept a b
}

@test "[V6]:PORT" {
    server --host=::1 honest
    [[ $SERVER == "[::1]:"* ]]
    put -s "$SERVER" a
    ended 0 "a: stored, 6 bytes"
    kept a
}

@test "unix:PATH" {
    server --unix="$T/socket" honest
    put -s "unix:$T/socket" a
    ended 0 "a: stored, 6 bytes"
    kept a
}

@test "exec:COMMAND, with the handler itself" {
    random_file big 3000000
    put -s "exec:exec $PUTD_EXEC '$KEEP' 2>'$T/log'" a big b
    ended 0 "a: stored, 6 bytes" "big: stored, 3000000 bytes" "b: stored, 7 bytes"
    kept a big b
}

@test "files of every size between memory and sendfile" {
    local size
    local -a names=() lines=()

    for size in 0 1 65536 1048575 1048576 1048577 9000000; do
        random_file "f$size" "$size"
        names+=("f$size")
        lines+=("f$size: stored, $size bytes")
    done
    lines[1]='f1: stored, 1 byte'
    server honest
    put -s "$SERVER" "${names[@]}"
    ended 0 "${lines[@]}"
    kept "${names[@]}"
    rm "$KEEP"/*
    put -s "exec:exec $PUTD_EXEC '$KEEP' 2>'$T/log'" "${names[@]}"
    ended 0 "${lines[@]}"
    kept "${names[@]}"
}

@test "a file that tells no size, under /proc, is sent whole" {
    server honest
    put -s "$SERVER" /proc/self/status
    ended 0 "/proc/self/status: stored, * bytes"
    grep -q '^Name:.put$' "$KEEP/status"
}

@test "--name" {
    server honest
    put -s "$SERVER" --name=other a
    ended 0 "a: stored as other, 6 bytes"
    cmp a "$KEEP/other"
    mkdir "$KEEP/dir"
    put -s "$SERVER" -n dir/x "$W/a"
    ended 0 "$W/a: stored as dir/x, 6 bytes"
    cmp a "$KEEP/dir/x"
}

@test "the name is the last component" {
    mkdir -p some/dir
    cp a some/dir
    server honest
    put -s "$SERVER" some/dir/a
    ended 0 "some/dir/a: stored, 6 bytes"
    cmp a "$KEEP/a"
}

@test "a small frame does not wait for the receipt of the one before" {
    need_tool strace
    server honest
    ASAN_OPTIONS=detect_leaks=0 strace -f -o "$T/trace" -e trace=setsockopt \
        "$PUT" -q -s "$SERVER" a 3>&- || cannot "strace does not work here"
    grep -q 'TCP_NODELAY, \[1\]' "$T/trace"
}

@test "a large body goes in whole segments, and its end does not wait" {
    need_tool strace
    truncate -s 2M big
    server honest
    ASAN_OPTIONS=detect_leaks=0 strace -o "$T/trace" -e trace=setsockopt,sendfile \
        "$PUT" -q -s "$SERVER" big 3>&- || cannot "strace does not work here"
    # Before the first byte of the body, and after the last.
    sed -n '/TCP_CORK\|sendfile/s/.*\(sendfile\|CORK, .1\|CORK, .0\).*/\1/p' "$T/trace" | uniq >"$T/order"
    printf '%s\n' 'CORK, [1' sendfile 'CORK, [0' | diff - "$T/order"
}

@test "-q says only what went wrong" {
    server --refuse=b:exists:false honest
    put -q -s "$SERVER" a nope b
    ended 1 "nope: cannot be read: No such file or directory" \
        "b: refused: exists: told by the server"
    put --quiet -s "$SERVER" a
    ended 0
}

@test "-v says more" {
    server honest
    put -v -s "$SERVER" a b
    ended 0 "put: connected to $SERVER" "a: stored, 6 bytes, durable" \
        "b: stored, 7 bytes, durable" \
        "put: the server counts 2 stored, 0 refused, 13 bytes"
    [[ $TOTAL == "put: 2 stored, 13 bytes" ]]
    put -q --verbose -s "$SERVER" a
    [[ ${#ERR[@]} == 3 && -z $TOTAL ]]
}

@test "not durable, and another name, are told" {
    server --alter='put:{"durable":false,"stored":"a.~1~"}' honest
    put -s "$SERVER" a
    ended 0 "a: stored as a.~1~, 6 bytes, not yet durable"
}

@test "a receipt that tells no durable is not durable" {
    server --alter='put:{"durable":null}' honest
    put -s "$SERVER" a
    ended 0 "a: stored, 6 bytes, not yet durable"
}

# --- files that cannot be sent ---------------------------------------------------

@test "missing, directory, fifo, socket, device: a line each, the others are sent" {
    mkdir dir
    mkfifo fifo
    "$PYTHON" -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
    server honest
    put -s "$SERVER" nope a dir fifo b sock /dev/null c '' a/ dir/.
    [[ $STATUS == 1 && ${#ERR[@]} == 11 ]]
    # Receipts and complaints come as they happen.
    said "nope: cannot be read: No such file or directory"
    said "dir: not sent: is a directory"
    said "fifo: not sent: is a fifo, not a regular file"
    said "sock: not sent: is a socket, not a regular file"
    said "/dev/null: not sent: is a device, not a regular file"
    said ": cannot be read: No such file or directory"
    said "a/: cannot be read: Not a directory"
    said "dir/.: not sent: is a directory"
    said "a: stored, 6 bytes"
    said "b: stored, 7 bytes"
    said "c: stored, 7 bytes"
    kept a b c
}

said() { grep -qxF -- "$1" "$T/err" || fail "not said: $1"; }

@test "a file that cannot be opened, and one that cannot be read" {
    server honest
    put -s "$SERVER" /proc/self/mem a
    ended 1 "/proc/self/mem: cannot be read: Input/output error" "a: stored, 6 bytes"
    if [[ $EUID != 0 ]]; then
        chmod 0 b
        put -s "$SERVER" b
        ended 1 "b: cannot be read: Permission denied"
    fi
}

@test "where no file can be sent, no connection is made" {
    server honest
    put -s "$SERVER" nope
    ended 1 "nope: cannot be read: No such file or directory"
    saw_not connection
}

@test "a file too large for the protocol" {
    truncate -s 8E huge 2>/dev/null || truncate -s 9P huge 2>/dev/null ||
        huge_on_tmpfs
    put "${HUGE:-huge}"
    ended 1 "${HUGE:-huge}: not sent: is larger than the protocol can tell"
}

huge_on_tmpfs() {
    HUGE=$(mktemp /dev/shm/put.XXXXXX) || skip "no large sparse file here"
    truncate -s 9P "$HUGE" || {
        rm "$HUGE"
        skip "no large sparse file here"
    }
}

teardown() {
    [[ -z ${HUGE-} ]] || rm -f "$HUGE"
    common_teardown
}

@test "names that cannot be sent get a line, and the others are sent" {
    local long

    printf -v long '%0256d' 0
    touch $'\xff' $'a\nb' $'\xc2\x9bm'
    server honest
    put -s "$SERVER" $'\xff' $'a\nb' $'\xc2\x9bm' a
    ended 1 '\xff: not sent: its name is not UTF-8' \
        'a\x0ab: not sent: its name has a control character' \
        '\u009bm: not sent: its name has a control character' \
        "a: stored, 6 bytes"
    for name in '' / /a a//b a/ . .. ../a a/../b ./a a/.; do
        put -s "$SERVER" -n "$name" a
        ended 1 "a: not sent: its name is empty or absolute, or has an empty, '.' or '..' component"
    done
    put -s "$SERVER" -n "$long" a
    ended 1 "a: not sent: its name is longer than 4095 bytes, or 255 between slashes"
    kept a
}

@test "the longest name, of 4095 bytes that all need escapes" {
    local name i part

    printf -v part '\xc3\xa9%.0s' {1..127}
    for i in {1..15}; do name+=$part/; done
    printf -v part '%0100d/%0169d' 0 0
    name+=$part
    [[ ${#name} == 4095 ]]
    server --keep= honest
    put -s "$SERVER" -n "$name" a
    ended 0 "a: stored as *, 6 bytes"
    saw "put $name 6"
    put -s "$SERVER" -n "${name}x" a
    ended 1 "a: not sent: its name is longer than 4095 bytes, or 255 between slashes"
}

@test "what a terminal must not see is escaped" {
    local name=$'back\\slash \xe2\x80\xae\xc3\xa9'

    cp a "$name"
    server --alter='put:{"message":"\u001b[31m\u009b\u202e"}' \
        --refuse=b:$'\e[2J':false honest
    put -s "$SERVER" "$name" b
    ended 1 $'back\\\\slash \\u202e\xc3\xa9: stored, 6 bytes' \
        'b: refused: \x1b[2J: \x1b[31m\u009b\u202e'
    cmp a "$KEEP/$name"
}

# --- refusals ---------------------------------------------------------------------

@test "a refusal: exit 1, or 75 where trying again may help" {
    server --refuse=a:exists:false --refuse=b:no-space:true \
        --refuse=c:not-known-here:true honest
    put -s "$SERVER" a
    ended 1 "a: refused: exists: told by the server"
    put -s "$SERVER" a b
    ended 75 "a: refused: exists: told by the server" \
        "b: refused: no-space: told by the server"
    put -s "$SERVER" c
    ended 75 "c: refused: not-known-here: told by the server"
}

@test "after io and timeout the outcome is unknown" {
    server --refuse=a:io:false --refuse=b:timeout:true honest
    put -s "$SERVER" a
    ended 75 "a: outcome unknown: io: told by the server"
    put -s "$SERVER" a b c
    ended 75 "a: outcome unknown: io: told by the server" \
        "b: outcome unknown: timeout: told by the server" "c: stored, 7 bytes"
}

@test "a refusal without file name and message" {
    server --refuse=a:bad-name:false \
        --alter='put:{"filename":null,"message":null}' honest
    put -s "$SERVER" a
    ended 1 "a: refused: bad-name"
}

@test "a refusal by the handler itself" {
    cp a .hidden
    put -s "exec:exec $PUTD_EXEC '$KEEP' 2>'$T/log'" a .hidden b
    ended 1 "a: stored, 6 bytes" \
        ".hidden: refused: bad-name: the file name is refused" "b: stored, 7 bytes"
    kept a b
}

@test "a refusal that comes before the body keeps the stream in step" {
    random_file some 900000
    server --unix="$T/socket" --refuse=some:too-large:false --gate-at=some early
    put_background -s "$SERVER" some
    until_true grep -q '^some: refused: too-large' "$T/err"
    kill -0 "$PUT_PID"
    open_gate
    put_wait
    ended 1 "some: refused: too-large: told by the server"
    saw "put some 900000"
}

@test "the long rest of what is refused is not sent; the others go on" {
    truncate -s 100M big
    server --refuse=big:too-large:false --gate-at=big honest
    put_background -v -s "$SERVER" a big b
    until_true grep -q '^big: refused: too-large' "$T/err"
    # On a busy machine the refusal is there before a byte of the body went out:
    # then the server is not at the gate, and never comes to it.
    open_gate
    put_wait
    ended 1 "put: connected to *" "a: stored, *" "big: refused: too-large: *" \
        "put: the connection was cut, since the rest of a file is not wanted" \
        "put: connected to *" "b: stored, *" "put: the server counts *"
    kept a b
}

# --- lies and garbage -----------------------------------------------------------------

# lie WHAT OPTION...: a receipt that cannot be true: exit 74, and nobody is told
# that the file is stored.
lie() {
    server "${@:2}" honest
    put -s "$SERVER" a
    ended 74 "put: the server gave a receipt that cannot be true, $1: '{*}'" \
        "a: outcome unknown: there was no receipt"
}

@test "lie: another name" { lie "it tells another file name" --alter='put:{"filename":"b"}'; }
@test "lie: no name" { lie "it tells no file name" --alter='put:{"filename":null}'; }
@test "lie: another size" { lie "it tells another size" --alter='put:{"filesize":7}'; }
@test "lie: no size" { lie "it tells another size" --alter='put:{"filesize":null}'; }
@test "lie: nothing stored" { lie "it does not tell the name it stored" --alter='put:{"stored":null}'; }
@test "lie: no size, of an empty file" {
    : >a
    lie "it tells another size" --alter='put:{"filesize":null}'
}
@test "lie: stored as nothing" { lie "it does not tell the name it stored" --alter='put:{"stored":""}'; }
@test "lie: another command" { lie "it is for a command that was not sent" --alter='put:{"cmd":"stat"}'; }
@test "lie: no command" { lie "it tells no command" --alter='put:{"cmd":null}'; }
@test "lie: an end instead" {
    lie "it *" --alter='put:{"cmd":"end","files":1,"failed":0,"bytes":6}'
}

@test "lie: a refusal of another file" {
    lie "it tells another file name" --refuse=a:exists:false \
        --alter='put:{"filename":"b"}'
}

@test "lie: a refusal without an error" {
    lie "it tells no error" --refuse=a:exists:false \
        --alter='put:{"error":null,"failed":1}'
}

# summary_lie WHAT CHANGE: the file has its receipt; the connection does not end
# well.
summary_lie() {
    server --alter="end:$2" honest
    put -s "$SERVER" a
    ended 74 "a: stored, 6 bytes" \
        "put: the server gave a receipt that cannot be true, $1: '{*}'"
}

@test "lie: fewer files" { summary_lie "it counts other files stored" '{"files":0}'; }
@test "lie: more refused" { summary_lie "it counts other files refused" '{"failed":1,"ok":false}'; }
@test "lie: other bytes" { summary_lie "it counts other bytes stored" '{"bytes":5}'; }
@test "lie: no count" { summary_lie "a count is missing" '{"bytes":null}'; }

@test "lie: a summary that is ok though a file was refused" {
    server --refuse=a:exists:false --alter='end:{"ok":true}' honest
    put -s "$SERVER" a
    ended 74 "a: refused: exists: told by the server" \
        "put: the server gave a receipt that cannot be true, it is ok though files were refused: '{*}'"
}

@test "lie: stored before it was sent" {
    truncate -s 64M big
    server --gate-at=big --alter='put:{"ok":true,"id":null}' early
    put -s "$SERVER" big
    ended 74 "put: the server gave a receipt that cannot be true, it tells another id: '{*}'" \
        "big: not stored: it could not be sent whole"
    random_file some 900000
    rm "$T/gate"
    server --unix="$T/socket" --gate-at=some early
    put -s "$SERVER" some
    ended 74 "put: the server gave a receipt that cannot be true, it came before the file was sent: '{*}'" \
        "some: not stored: it could not be sent whole"
}

@test "lie: a summary before end was sent" {
    truncate -s 64M big
    server --gate-at=big early \
        --say-put='{"ok":false,"cmd":"put","error":"exists"}\n{"ok":false,"cmd":"end","files":0,"failed":1,"bytes":0}\n'
    put -s "$SERVER" big
    ended 74 "big: refused: exists" \
        "put: the server gave a receipt that cannot be true, it is for an end that was not sent: '{*}'"
}

@test "lie: a second receipt for the same file" {
    local receipt='{"ok":true,"cmd":"put","filename":"a","filesize":6,"stored":"a","durable":true}\n'

    server --say-put="$receipt$receipt" honest
    put -s "$SERVER" a
    ended 74 "a: stored, 6 bytes" \
        "put: the server gave a receipt that cannot be true, it is for no file that was sent: '{*}'"
}

@test "a summary that could not flush: outcome unknown, exit 75" {
    server --alter='end:{"ok":false,"error":"io","retry":true,"message":"disk"}' honest
    put -s "$SERVER" a
    ended 75 "a: stored, 6 bytes" \
        "put: the server could not finish: io: disk: outcome unknown"
}

# garbage SHOWN TEXT: instead of a receipt.
garbage() {
    server --say-put="$2" honest
    put -s "$SERVER" a
    ended 74 "put: the server does not speak this protocol, it said $1" \
        "a: outcome unknown: there was no receipt"
}

@test "garbage: another protocol" { garbage "'HTTP/1.1 400 Bad Request\\x0d'" 'HTTP/1.1 400 Bad Request\r\n\r\n'; }
@test "garbage: no newline" { garbage "'\\xff\\x01*" '\xff\x01'; }
@test "garbage: an empty line" { garbage "''" '\n'; }
@test "garbage: not JSON" { garbage "'{\"ok\":true'" '{"ok":true\n'; }
@test "garbage: no ok" { garbage "'{\"cmd\":\"put\"}'" '{"cmd":"put"}\n'; }
@test "garbage: ok is no boolean" { garbage "'{\"ok\":1}'" '{"ok":1}\n'; }
@test "garbage: a key twice" { garbage "'{\"ok\":true,\"ok\":true}'" '{"ok":true,"ok":true}\n'; }
@test "garbage: a line without end" {
    garbage "'{xxxxx*'..." "{$(printf '%032768d' 0 | tr 0 x)"
}

@test "garbage: a banner" {
    server --say-put='220 welcome\r\n' banner
    put -s "$SERVER" a
    [[ $STATUS == 74 ]]
    [[ ${ERR[0]} == "put: the server does not speak this protocol, it said '220 welcome\\x0d'" ]]
    [[ "${ERR[*]}" != *stored,* ]]
}

# --- silence and broken connections -----------------------------------------------

@test "no answer: perhaps a legacy server" {
    server silent
    RETRIES=''
    put -s "$SERVER" --timeout=1 a b
    ended 75 "put: $SERVER: no answer for 1 s: perhaps a legacy server, try --legacy" \
        "a: not sent" "b: not sent"
}

@test "no answer any more" {
    server --say-end='' --stay honest
    put -s "$SERVER" --timeout=1 a
    ended 75 "a: stored, 6 bytes" "put: $SERVER: no receipt for 1 s"
}

@test "a server that takes nothing" {
    truncate -s 64M big
    server deaf
    put -s "$SERVER" --timeout=1 big b
    ended 75 "put: $SERVER: no answer for 1 s: perhaps a legacy server, try --legacy" \
        "big: not sent" "b: not sent"
}

@test "a server that takes nothing any more" {
    truncate -s 64M big
    server --gate-at=big honest
    put -s "$SERVER" --timeout=1 big b
    ended 75 "put: $SERVER: took no byte for 1 s" \
        "big: not stored: it could not be sent whole" "b: not sent"
}

@test "a receipt that trickles is no progress" {
    server trickle
    put -s "$SERVER" --timeout=1 a
    ended 75 "put: $SERVER: no answer for 1 s: *" "a: not sent"
    saw_not trickled
}

@test "closed early: which files have no receipt" {
    local -i i
    local -a names=()

    truncate -s 64M big
    server --frames=2 leaving
    put -s "$SERVER" a b big c
    [[ $STATUS == 75 && ${ERR[0]} == "a: stored, 6 bytes" ]] || fail "$STATUS: ${ERR[*]}"
    [[ ${ERR[1]} == "put: $SERVER: the server closed the connection too early" ||
        ${ERR[1]} == "put: $SERVER: the connection broke: "* ]] || fail "${ERR[*]}"
    # The close is seen before big is begun, or in the middle of it.
    [[ "${ERR[*]:2}" == "b: outcome unknown: there was no receipt big: not "@(sent|stored: it could not be sent whole)" c: not sent" ]] ||
        fail "${ERR[*]}"
}

@test "closed or reset without any answer: perhaps a legacy server" {
    server --rude --frames=1 leaving
    RETRIES=''
    put -s "$SERVER" a
    ended 75 "put: $SERVER: the *: perhaps a legacy server, try --legacy" \
        "put: trying again (1 of 5)" \
        "put: $SERVER: the *: perhaps a legacy server, try --legacy" \
        "a: not sent"
}

@test "a reset" {
    server --rude dying
    put -s "$SERVER" a
    ended 75 "put: $SERVER: the connection broke: Connection reset by peer: perhaps a legacy server, try --legacy" \
        "a: not sent"
    server_again dying
    put -s "$SERVER" a
    ended 75 "put: $SERVER: the connection broke: Connection reset by peer" \
        "a: outcome unknown: there was no receipt"
}

@test "the line that ends the stream is told" {
    server --say-put='{"ok":false,"error":"timeout","retry":true,"message":"too slow"}\n' honest
    put -s "$SERVER" a
    ended 75 "put: the server ended the connection: timeout: too slow" \
        "a: outcome unknown: there was no receipt"
}

@test "nobody there: one line, exit 69" {
    RETRIES=''
    put -s 127.0.0.1:1 a
    ended 69 "put: cannot connect to 127.0.0.1:1: Connection refused" "a: not sent"
    put -s nosuch.invalid:8080 a
    ended 69 "put: cannot connect to nosuch.invalid:8080: *" "a: not sent"
    put -s "unix:$T/nobody" a
    ended 69 "put: cannot connect to unix:$T/nobody: No such file or directory" \
        "a: not sent"
}

@test "a server that never accepts: exit 69 after --timeout" {
    server --unix="$T/socket" full
    put -s "$SERVER" --timeout=1 a
    ended 69 "put: cannot connect to unix:$T/socket: Connection timed out" \
        "a: not sent"
}

@test "each address of a host is tried" {
    unshare -rmn true 2>/dev/null || cannot "no namespaces"
    printf '%s multi\n' ::1 127.0.0.2 127.0.0.1 >"$T/hosts"
    cat >"$T/inside" <<'END'
mount --bind "$T/hosts" /etc/hosts && ip link set lo up || exit 1
mkfifo "$T/address"
"$PYTHON" "$LIB/put_server.py" --log="$SEEN" --keep="$KEEP" honest >"$T/address" &
read -r address <"$T/address"
"$PUT" -s "multi:${address##*:}" a 2>"$T/err"
status=$?
kill $!
exit $status
END
    export T SEEN KEEP
    STATUS=0
    unshare -rmn sh "$T/inside" 3>&- || STATUS=$?
    read_err
    ended 0 "a: stored, 6 bytes"
    kept a
}

@test "an address that never answers leaves time for the next" {
    need_tool strace
    unshare -rmn true 2>/dev/null || cannot "no namespaces"
    export ASAN_OPTIONS=detect_leaks=0
    printf '%s multi\n' 127.0.0.1 127.0.0.2 >"$T/hosts"
    cat >"$T/inside" <<'END'
mount --bind "$T/hosts" /etc/hosts && ip link set lo up || exit 1
mkfifo "$T/address" "$T/full"
"$PYTHON" "$LIB/put_server.py" --log="$SEEN" --keep="$KEEP" \
    --host=127.0.0.2 honest >"$T/address" &
read -r address <"$T/address"
# One whose queue is full drops what comes: as behind a firewall. A fifo of its own:
# the other may not have closed its yet.
"$PYTHON" "$LIB/put_server.py" --log="$SEEN" --port="${address##*:}" full >"$T/full" &
read -r full <"$T/full"
strace -o "$T/trace" -e trace=connect \
    "$PUT" --timeout=4 -v -s "multi:${address##*:}" a 2>"$T/err"
status=$?
kill %1 %2
exit $status
END
    export T SEEN KEEP
    STATUS=0
    unshare -rmn bash "$T/inside" 3>&- || STATUS=$?
    read_err
    [[ $STATUS == 0 && ${ERR[*]} == *"a: stored, 6 bytes"* ]] || fail "$STATUS" "${ERR[@]}"
    kept a
    # The one that does not answer was the first.
    grep -q 'inet_addr("127.0.0.1").* = -1 EINPROGRESS' "$T/trace" || fail "$(cat "$T/trace")"
}

# --- exec ----------------------------------------------------------------------------

@test "exec: a command that fails is mentioned" {
    put -s "exec:exit 3" a
    ended 75 "put: exec:exit 3: the server closed the connection too early" \
        "put: the command ended with exit status 3" "a: *"
    put -s "exec:$PUTD_EXEC '$KEEP' 2>/dev/null; exit 5" a
    ended 0 "a: stored, 6 bytes" "put: the command ended with exit status 5"
}

@test "exec: a command that is not there is no server" {
    put -s "exec:exec nosuchcommand 2>/dev/null" a
    ended 69 "put: exec:*: the server closed the connection too early" \
        "put: the command ended with exit status 127" "a: *"
}

@test "exec: the command has SIGPIPE as usual" {
    put -s 'exec:kill -s PIPE $$; exit 9' a
    ended 75 "put: exec:*" "put: the command was ended by signal 13 (Broken pipe)" "a: *"
}

@test "exec: a command that does not end is terminated" {
    put --timeout=1 -s "exec:$PUTD_EXEC '$KEEP' 2>/dev/null; echo \$\$ >'$T/pid'; exec sleep 1000 >&-" a
    ended 0 "a: stored, 6 bytes" "put: the command did not end and was terminated"
    read -r pid <"$T/pid"
    until_true gone "$pid"
}

gone() { ! kill -0 "$1" 2>/dev/null; }

@test "exec: a command that says more after its receipts is heard out" {
    put -s "exec:$PUTD_EXEC '$KEEP' 2>/dev/null; head -c 200000 /dev/zero" a
    ended 0 "a: stored, 6 bytes"
}

@test "exec: no descriptor of put's own reaches the command" {
    put -s "exec:ls /proc/self/fd >'$T/fds'" a
    sh -c "ls /proc/self/fd >'$T/expected'" 3>&-
    diff "$T/expected" "$T/fds"
}

# --- many files, windows ------------------------------------------------------------

# many N: files 1 to N, in $FILES.
many() {
    local -i i

    FILES=()
    mkdir many
    for ((i = 1; i <= $1; i++)); do
        echo "number $i" >"many/$i"
        FILES+=("many/$i")
    done
}

@test "300 files in one go, to the handler itself" {
    many 300
    put -s "exec:exec $PUTD_EXEC '$KEEP' 2>'$T/log'" "${FILES[@]}"
    [[ $STATUS == 0 && ${#ERR[@]} == 300 ]]
    [[ "$(printf '%s\n' "${ERR[@]}" | grep -c ': stored, ')" == 300 ]]
    diff -r many "$KEEP"
}

@test "a server that reads nothing while its receipts are not read" {
    many 300
    server --fat=30000 --buffer=4096 honest
    put -q -s "$SERVER" "${FILES[@]}"
    ended 0
    diff -r many "$KEEP"
}

@test "the same with a large file before it reads on" {
    many 20
    truncate -s 20M big
    server --fat=30000 --buffer=4096 --unix="$T/socket" honest
    put -q -s "$SERVER" "${FILES[@]}" big "${FILES[@]}"
    ended 0
    cmp big "$KEEP/big"
}

@test "no more than 1024 files are in flight" {
    many 1100
    server --say-put='' honest
    # Time enough for the server to read them all.
    put -s "$SERVER" --timeout=10 "${FILES[@]}"
    [[ $STATUS == 75 ]]
    [[ $(grep -c '^put ' "$SEEN") == 1024 ]]
    [[ $(grep -c 'outcome unknown' "$T/err") == 1024 ]]
    [[ $(grep -c ': not sent$' "$T/err") == 76 ]]
}

@test "no further part is begun above 256 MiB in flight" {
    truncate -s 200M x1 x2 x3
    server --keep= --say-put='' --say-stat='' --say-commit='' honest
    put -s "$SERVER" --timeout=1 x1 x2 x3
    [[ $STATUS == 75 ]]
    # x1 in two parts; of x2 the first, of 128 MiB, is begun below the bound.
    [[ $(grep -c '^part ' "$SEEN") == 3 ]]
    [[ ${ERR[-1]} == "x3: not sent" ]]
}

# --- files that change ----------------------------------------------------------------

@test "a file that shrinks: the others are stored, over another connection" {
    truncate -s 64M big
    server --gate-at=big honest
    put_background -s "$SERVER" a big b
    saw "header big"
    truncate -s 1M big
    open_gate
    put_wait
    ended 1 "a: stored, 6 bytes" \
        "big: not stored: it changed while it was sent and ended after * bytes of 67108864" \
        "b: stored, 7 bytes"
    kept a b
    saw "connection 2"
    grep -qE '^reset big [0-9]+$' "$SEEN"
}

@test "before the cut, the receipts of earlier files are awaited" {
    truncate -s 64M big
    server --unix="$T/socket" --gate-at=big --late-at=1048576 honest
    put_background -v -s "$SERVER" a big b
    saw "header big"
    truncate -s 1M big
    open_gate
    put_wait
    ended 1 "put: connected to $SERVER" "a: stored, 6 bytes, durable" \
        "big: not stored: it changed while it was sent and ended after 1048576 bytes of 67108864" \
        "put: the connection was cut, since the frame of a file could not be completed" \
        "put: connected to $SERVER" "b: stored, 7 bytes, durable" \
        "put: the server counts 1 stored, 0 refused, 7 bytes"
}

@test "a file that shrinks, to the handler itself: nothing of it is published" {
    truncate -s 64M big
    put_background --bwlimit=4M -s "exec:exec $PUTD_EXEC '$KEEP' 2>'$T/log'" a big
    until_true test -s "$KEEP/a"
    truncate -s 1M big
    put_wait
    ended 1 "a: stored, 6 bytes" \
        "big: not stored: it changed while it was sent and ended after * bytes of 67108864"
    kept a
}

@test "a file that shrinks while the server is silent: the timeout still holds" {
    truncate -s 64M big
    server --gate-at=big --say-put='' --say-stat='' honest
    put_background --timeout=1 -s "$SERVER" a big b
    saw "header big"
    truncate -s 1M big
    open_gate
    put_wait
    ended 75 "put: $SERVER: no receipt for 1 s" \
        "a: outcome unknown: there was no receipt" \
        "big: not stored: it could not be sent whole" "b: not sent"
}

@test "a file that grows is sent as announced, and it is told" {
    random_file big 67108864
    server --gate-at=big honest
    put_background -s "$SERVER" big b
    saw "header big"
    printf more >>big
    open_gate
    put_wait
    ended 0 "big: stored, 67108864 bytes (it grew while it was sent: its first bytes)" \
        "b: stored, 7 bytes"
    truncate -s 67108864 big
    kept big b
}

@test "a file that is altered while it is sent: it is told" {
    truncate -s 64M big
    server --gate-at=big honest
    put_background -s "$SERVER" big
    saw "header big"
    printf x | dd of=big bs=1 seek=60000000 conv=notrunc status=none
    open_gate
    put_wait
    ended 0 "big: stored, 67108864 bytes (it was altered while it was sent)"
}

@test "a file under 1 MiB arrives as it was, whatever happens to it" {
    random_file small 1048575
    cp small before
    server --unix="$T/socket" --gate-at=small honest
    put_background -s "$SERVER" small
    saw "header small"
    : >small
    open_gate
    put_wait
    ended 0 "small: stored, 1048575 bytes"
    cmp before "$KEEP/small"
}
