#!/usr/bin/env bats
# Signals in every state. SIGTERM: what has arrived whole is durable and
# answered, what has not is not there, and the exit status is 0. What ends the
# process by default leaves nothing that is not whole.

# bats file_tags=chance

# shellcheck disable=SC2086 # ids are words

load lib/common
load lib/peer_common
load lib/upload_common

put_a='frame={"cmd":"put","filename":"a","filesize":1,"reply":true}'
put_b='frame={"cmd":"put","filename":"b","filesize":500,"reply":true}'
put_large='frame={"cmd":"put","filename":"b","filesize":10485760,"reply":true}'
refused_b='frame={"cmd":"put","filename":"../b","filesize":500,"reply":true}'
end='frame={"cmd":"end","reply":true}'

# --- SIGTERM, state by state ------------------------------------------------

# term [KIND]... -- STEP...: a file, and the state; then it is told to end. An
# old file of the name that is under way stays.
term() {
    local -a kinds=()

    while [[ $1 != -- ]]; do
        kinds+=("$1")
        shift
    done
    echo -n old >"$DIR/b"
    meet "${kinds[@]}" "$put_a" bytes=1 line "${@:2}" read asleep signal=TERM ended
    expect 0 'a=1 b=old' +a:1
}

# in_each STEP...: over a pipe, a Unix socket and TCP.
in_each() {
    local kind

    for kind in pipe unix tcp4; do
        rm -f "$DIR/a"
        term --over="$kind" -- "$@"
    done
}

@test "SIGTERM: before the first byte" {
    for kind in pipe unix tcp4; do
        meet --over="$kind" asleep signal=TERM ended
        expect 0 ''
    done
}

@test "SIGTERM: between frames" { in_each; }
@test "SIGTERM: inside a length" { in_each bytes=12; }
@test "SIGTERM: inside a header" { in_each "bytes=$(printf '\x40')" bytes=; }
@test "SIGTERM: behind a header" { in_each "$put_b"; }
@test "SIGTERM: inside a body" { in_each "$put_b" bytes=1234; }
@test "SIGTERM: one byte before the end of a body" { in_each "$put_b" zeros=499; }
@test "SIGTERM: inside the first block of a large body" { in_each "$put_large" zeros=500000; }
@test "SIGTERM: inside a large body" { in_each "$put_large" zeros=5000000; }
@test "SIGTERM: in the tail of a large body" { in_each "$put_large" zeros=10485759; }

@test "SIGTERM: in a header of which a part is there" {
    length 64
    text '{"cmd":"put","filename":"b",'
    in_each "file=$IN"
}

@test "SIGTERM: while it skips the body of a refused frame" {
    meet "$put_a" bytes=1 line "$refused_b" line bytes=1234 read asleep signal=TERM ended
    expect 0 'a=1' +a:1 !put:bad-name
}

@test "SIGTERM: while it skips the body of a frame that has no use for it" {
    term -- 'frame={"cmd":"hello","filesize":500,"reply":true}' bytes=1234
}

@test "SIGTERM: inside a PROXY header" {
    meet --over=tcp4 --options=--proxy-protocol=127.0.0.1 bytes='PROXY TCP4 19' \
        read asleep signal=TERM ended
    expect 0 ''
}

@test "SIGTERM: after a file that nobody asked for" {
    meet 'frame={"cmd":"put","filename":"a","filesize":1}' bytes=1 read asleep \
        signal=TERM ended
    expect 0 'a=1'
}

@test "SIGTERM: twice" {
    meet "$put_a" bytes=1 line "$put_b" bytes=1234 read asleep signal=TERM \
        signal=TERM ended
    expect 0 'a=1' +a:1
}

@test "SIGTERM: while nobody reads its receipts: they are sent when somebody does" {
    meet --over=unix 'stuck={"cmd":"hello","reply":true}' asleep signal=TERM ended
    [[ $CODE == 0 ]] || fail "expected exit status 0"
    ((${#RECEIPTS[@]} > 100)) || fail "expected many receipts"
    [[ $(sort -u "$T/out" | wc -l) == 1 ]] || fail "receipts that differ"
}

@test "SIGTERM: while it waits for the peer to close" {
    meet --over=tcp4 "$put_a" bytes=1 "$end" line line answered asleep signal=TERM shut
    expect 0 'a=1' +a:1 '{"ok":true,"cmd":"end",*}'
}

@test "SIGTERM: while it listens, before the first client" {
    meet --over=tcp4 --listening asleep signal=TERM
    expect 0 ''
}

@test "SIGTERM: while it listens, between clients" {
    meet --over=tcp4 --listening --options=--connections=9 \
        connect "$put_a" bytes=1 line shut answered close asleep signal=TERM
    expect 0 'a=1' +a:1
}

@test "SIGTERM: while it listens, inside a client's body: no further client" {
    meet --over=tcp4 --listening --options=--connections=9 \
        connect "$put_a" bytes=1 line "$put_b" bytes=1234 asleep signal=TERM ended
    expect 0 'a=1' +a:1
}

# --- SIGTERM, at every system call ------------------------------------------
# The same stream, once for each of putd's calls, with the signal just there
# (strace): it must be as if the stream had ended behind some frame.

# pipelined N: the first N of seven frames.
pipelined() {
    local -i i

    : >"$IN"
    for ((i = 1; i <= $1; i++)); do
        case $i in
            1) asked a 1 ;;
            2) plain b 22 ;;
            3) asked ../c 333 ;;
            4) asked d 4444 ;;
            5) asked e 55555 ;;
            6) asked f '' ;;
            7)
                frame '{"cmd":"put","filename":"large","filesize":1200000,"reply":true}'
                head -c 1200000 /dev/zero | tr '\0' x >>"$IN"
                ;;
        esac
    done
}

# uploaded N: the first N of nine frames of uploads by id. The second commit's name
# is taken, and kept.
uploaded() {
    local -i i

    : >"$IN"
    sha256 < <(echo -n helloworld)
    for ((i = 1; i <= $1; i++)); do
        case $i in
            1) part $ID 0 hello ;;
            2) part $ID 5 world ;;
            3) commit $ID new/dir/a 10 ",\"sha256\":\"$SHA\"" ;;
            4) asked new/b 22 ",\"sha256\":true,\"mtime\":5" ;;
            5) part $OTHER 0 kept ;;
            6) commit $OTHER d 4 ',"if_exists":"keep"' ;;
            7) ask stat $ID ;;
            8) ask abort aaaaaaaaaaaaaaaa ;;
            9) finish ;;
        esac
    done
}

# fresh: the directory, with a file that one of the frames replaces or meets.
fresh() {
    rm -rf "$DIR"
    mkdir "$DIR"
    echo -n old >"$DIR/d"
}

# files: the listing without its directories; one of them alone is no part of a file.
files() { sed -E 's|[^ ]+/( \|$)||g; s| $||' <<<"$LISTING"; }

# what_may_be STREAM FRAMES: into $MAY, what is there and what was answered if the
# stream ends behind each frame; into $ENDS the files alone. The last of all is
# $WHOLE.
what_may_be() {
    local -i n

    MAY=$'\n' ENDS=$'\n'
    for ((n = 0; n <= $2; n++)); do
        "$1" "$n"
        fresh
        serve --mkdirs
        WHOLE="$LISTING|${RAW//$'\n'/,}"
        MAY+=$WHOLE$'\n' ENDS+=$(files)$'\n'
    done
}

# find_calls RUNNER: into $CALLS, NAME:n for the n-th call of its name, of those
# after the handlers are set.
find_calls() {
    need_tool strace
    # A leak checker is a tracer too, and there can be one only.
    export ASAN_OPTIONS=detect_leaks=0
    fresh
    traced "$1" -o "$T/trace" -e signal=none
    mapfile -t CALLS < <(awk -F'(' '{
        n[$1]++
        if (handled) print $1 ":" n[$1]
        if (/^rt_sigaction\(SIGXFSZ/) handled = 1
    }' "$T/trace" | grep -v exit_group)
    ((${#CALLS[@]} > 40)) || fail "too few calls"
}

# at_each SIGNAL JUDGE RUNNER [STREAM FRAMES]: putd with the signal at each of its
# calls. What it came to is in $SEEN, a line each.
at_each() {
    local call
    local -i sent=0

    what_may_be "${4-pipelined}" "${5-7}"
    find_calls "$3"
    SEEN=''
    for call in "${CALLS[@]}"; do
        fresh
        traced "$3" -o "$T/trace" -e "inject=${call%:*}:signal=$1:when=${call#*:}"
        ! grep -q "^--- $1 " "$T/trace" || sent+=1
        SEEN+=$LISTING$'\n'
        "$2" || fail "at call $call: $(tail -n 5 "$T/trace")"
    done
    # Over a socket there are sometimes fewer reads than at first.
    ((sent > ${#CALLS[@]} * 3 / 4)) || fail "only $sent signals"
}

# ends_it ARG-OF-AT_EACH...: the signal did something: not all came to the same end.
ends_it() {
    at_each "$@"
    (($(sort -u <<<"${SEEN%$'\n'}" | wc -l) > 1)) || fail "it did nothing"
}

# over_socket COMMAND...: with a socket as stdin and stdout.
over_socket() {
    "$PYTHON" "$LIB/peer.py" --over=unix --out="$T/out" --status="$T/status" \
        "file=$IN" ended -- "$@" || return 1
    return "$(<"$T/status")"
}

# traced RUNNER OPTION-OF-STRACE...: RUNNER gets the command.
traced() {
    CODE=0
    "$1" strace -qq "${@:2}" "$PUTD" "${OPTIONS[@]}" --mkdirs "$DIR" \
        <"$IN" >"$T/out" 2>"$T/err" 3>&- || CODE=$?
    RAW=''
    IFS= read -r -d '' RAW <"$T/out" || true
    list "$DIR"
}

as_if_ended() {
    [[ $CODE == 0 && $MAY == *$'\n'"$LISTING|${RAW//$'\n'/,}"$'\n'* ]]
}

# Ended by the signal, or just before it: what is there is whole, temporaries
# of its own aside, and nothing was promised that is not.
nothing_partial() {
    local line name

    [[ $ENDS == *$'\n'"$(files)"$'\n'* ]] || return 1
    while read -r line; do
        [[ $line == '{"ok":true,'*'"stored":"'*'}' ]] || continue
        name=${line#*\"stored\":\"} name=${name%%\"*}
        [[ -e $DIR/$name ]] || return 1
    done <"$T/out"
}

# The stream once more, to its end: all of it is there, and nothing twice.
and_again() {
    uploaded 9
    serve --mkdirs
    [[ $CODE == 0 && $LISTING == "${WHOLE%%|*}" ]]
}

as_if_ended_and_again() {
    as_if_ended && and_again
}

nothing_partial_and_again() {
    nothing_partial && and_again
}

as_if_nothing() {
    [[ $CODE == 0 && $WHOLE == "$LISTING|${RAW//$'\n'/,}" ]]
}

@test "SIGTERM at every call, from a file" { ends_it SIGTERM as_if_ended env; }
@test "SIGTERM at every call, over a socket" {
    ends_it SIGTERM as_if_ended over_socket
}

@test "SIGTERM at every call of uploads by id: as if ended, and it goes on" {
    ends_it SIGTERM as_if_ended_and_again env uploaded 9
}

@test "SIGHUP at every call: nothing partial, nothing promised" { ends_it SIGHUP nothing_partial env; }
@test "SIGHUP at every call of uploads by id: nothing partial, and it goes on" {
    ends_it SIGHUP nothing_partial_and_again env uploaded 9
}

@test "SIGPIPE at every call: as if nothing had been" { at_each SIGPIPE as_if_nothing env; }
@test "SIGXFSZ at every call: as if nothing had been" { at_each SIGXFSZ as_if_nothing env; }
@test "SIGXFSZ at every call of uploads by id: as if nothing had been" {
    at_each SIGXFSZ as_if_nothing env uploaded 9
}

# --- signals that end it ----------------------------------------------------

# ended_by NAME STATUS: inside a body, after a file.
ended_by() {
    echo -n old >"$DIR/b"
    CODE=''
    "$PYTHON" "$LIB/peer.py" --out="$T/out" --status="$T/status" \
        "$put_a" bytes=1 line "$put_b" bytes=1234 read asleep "signal=$1" ended -- \
        "$PUTD" "${OPTIONS[@]}" "$DIR" 2>"$T/err" 3>&-
    list "$DIR"
    [[ $(<"$T/status") == "$2" && $LISTING == 'a=1 b=old' ]] ||
        fail "$(<"$T/status") $LISTING"
}

@test "SIGHUP ends it" { ended_by HUP 129; }
@test "SIGINT ends it" { ended_by INT 130; }
@test "SIGQUIT ends it" {
    ulimit -c 0
    ended_by QUIT 131
}

@test "SIGKILL ends it" { ended_by KILL 137; }

# --- signals that do not ----------------------------------------------------

@test "SIGPIPE: a peer that goes away does not end it" {
    meet "$put_a" bytes=1 line deaf 'frame={"cmd":"put","filename":"b","filesize":1,"reply":true}' \
        bytes=2 'frame={"cmd":"put","filename":"c","filesize":1,"reply":true}' bytes=3 \
        "exists=$DIR/c" shut
    expect 0 'a=1 b=2 c=3' +a:1
}

@test "SIGPIPE sent to it" {
    meet "$put_a" bytes=1 line signal=PIPE \
        'frame={"cmd":"put","filename":"b","filesize":1,"reply":true}' bytes=2 line ended
    expect 0 'a=1 b=2' +a:1 +b:1
}

# with_file_limit BYTES: what was built, where no file may be larger.
with_file_limit() {
    need_tool prlimit
    CODE=0
    prlimit --fsize="$1" "$PUTD" "${OPTIONS[@]}" "$DIR" \
        <"$IN" >"$T/out" 2>"$T/err" 3>&- || CODE=$?
    look
}

@test "SIGXFSZ: a file over the limit of the process is too large, all in step" {
    asked a 1
    asked b "$(printf '%02000d' 0)"
    asked c 3
    with_file_limit 1024
    expect 0 'a=1 c=3' +a:1 !put:too-large:b +c:1
}

@test "SIGXFSZ: a large file" {
    echo -n old >"$DIR/b"
    frame '{"cmd":"put","filename":"b","filesize":3000000,"reply":true}'
    head -c 3000000 /dev/zero >>"$IN"
    asked c 3
    with_file_limit 1500000
    expect 0 'b=old c=3' !put:too-large:b +c:1
}

@test "SIGXFSZ: a file of just the limit" {
    asked b "$(printf '%01024d' 0)"
    with_file_limit 1024
    expect 0 'b=(1024 bytes)' +b:1024
}
