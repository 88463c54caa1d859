#!/usr/bin/env bats
# put, streams and what is told of files: standard input, --from-command, -c, -p,
# -e, --bwlimit.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # shared with lib/put_common.bash

load lib/common
load lib/put_common

setup() { put_setup; }

# to_handler ARG...: put, to a handler that serves $KEEP.
to_handler() {
    put -s "exec:exec $PUTD_EXEC ${SERVE-} '$KEEP' 2>>'$T/log'" "$@"
}

# piped COMMAND ARG...: the same, with the command's output as standard input.
piped() {
    STATUS=0
    bash -c "$1" 3>&- | "$PUT" -s "exec:exec $PUTD_EXEC ${SERVE-} '$KEEP' 2>>'$T/log'" \
        "${@:2}" >"$T/out" 2>"$T/err" 3>&- || STATUS=$?
    read_err
}

@test "standard input, of any length" {
    random_file big 40000000
    piped 'cat big' -c -n big -
    ended 0 "-: stored as big, 40000000 bytes"
    kept big
    piped 'printf x' -n one -
    ended 0 "-: stored as one, 1 byte"
    piped : -n none -
    ended 0 "-: stored as none, 0 bytes"
    [[ -f $KEEP/none && ! -s $KEEP/none ]]
}

@test "nothing is visible before the stream has ended" {
    mkfifo "$T/stream"
    background bash -c "'$PUT' -s \"exec:exec $PUTD_EXEC '$KEEP' 2>>'$T/log'\" -n x - <'$T/stream' 2>'$T/err'"
    PUT_PID=$PID
    exec 6>"$T/stream"
    printf 'first ' >&6
    until_true has_part 6
    [[ ! -e $KEEP/x ]]
    printf 'last' >&6
    exec 6>&-
    put_wait
    ended 0 "-: stored as x, 10 bytes"
    [[ $(cat "$KEEP/x") == "first last" ]]
}

has_part() { [[ $(find "$KEEP/.putd" -name '*.part' -printf '%s' 2>/dev/null) == "$1" ]]; }

@test "a stream that is silent for longer than the server waits" {
    # More than the second for which put gathers what comes in small pieces.
    mkfifo "$T/stream"
    background bash -c "'$PUT' -s \"exec:exec $PUTD_EXEC --idle-timeout=3 '$KEEP' 2>>'$T/log'; true\" -n x - <'$T/stream' 2>'$T/err'"
    PUT_PID=$PID
    exec 6>"$T/stream"
    printf 'first ' >&6
    until_true has_part 6
    until_true no_putd
    printf 'last' >&6
    exec 6>&-
    put_wait
    ended 0 "-: stored as x, 10 bytes"
    [[ $(cat "$KEEP/x") == "first last" ]]
}

@test "a stream over connections that break" {
    RETRIES=5
    random_file big 3000000
    server --frames=3 --leave=1 leaving
    STATUS=0
    # shellcheck disable=SC2002 # a pipe is meant
    cat big | "$PUT" -c -s "$SERVER" -n big - 2>"$T/err" 3>&- || STATUS=$?
    read_err
    [[ $STATUS == 0 && ${ERR[-1]} == "-: stored as big, 3000000 bytes" ]]
    kept big
}

@test "standard input that is a file: from where it stands, with its size" {
    random_file big 3000000
    { head -c 1 >/dev/null && dd bs=1000000 count=0 skip=0 status=none; } <big
    STATUS=0
    {
        dd bs=1000 count=7 of=/dev/null status=none
        "$PUT" -s "exec:exec $PUTD_EXEC '$KEEP' 2>>'$T/log'" -n rest -
    } <big 2>"$T/err" 3>&- || STATUS=$?
    read_err
    ended 0 "-: stored as rest, 2993000 bytes"
    tail -c +7001 big | cmp - "$KEEP/rest"
}

@test "--from-command stores only what ended well" {
    to_handler -n x --from-command='echo one; echo two'
    ended 0 "x: stored, 8 bytes"
    to_handler -n y --from-command='echo one; exit 3'
    ended 1 "y: not stored: its command ended with exit status 3"
    to_handler -n y --from-command='head -c 3000000 /dev/zero; kill -TERM $$'
    ended 1 "y: not stored: its command was ended by signal 15 (Terminated)"
    [[ ! -e $KEEP/y && -z $(find "$KEEP/.putd" -name '*.part') ]]
    to_handler -n ../y --from-command='yes'
    [[ $STATUS == 1 && ${ERR[0]} == "../y: not sent: its name is "* ]]
    to_handler -n no/dir --from-command='yes'
    ended 1 "no/dir: refused: bad-name: the file name is refused"
}

@test "-c: the server tells the digest, and a wrong one is never stored" {
    local sum

    sum=$(sha256sum <a)
    to_handler --json -c a
    [[ $(cat "$T/out") == *'"sha256":"'"${sum%% *}"'"'* ]]
    random_file big 3000000
    sum=$(sha256sum <big)
    to_handler --json -c big
    [[ $(cat "$T/out") == *'"sha256":"'"${sum%% *}"'"'* ]]
}

@test "-p: the time of modification, to the microsecond" {
    random_file big 1500000
    touch -d '2020-02-03 04:05:06.123456 UTC' a big
    to_handler -p a big
    [[ $(stat -c %.6Y "$KEEP/a" "$KEEP/big" | sort -u) == 1580702706.123456 ]]
    touch -d '1960-01-01 UTC' a
    to_handler -p a
    ended 0 "a: stored, 6 bytes"
}

@test "-e" {
    random_file big 1500000
    to_handler a big
    to_handler -e reject a big
    ended 1 "a: refused: exists: the name is taken" \
        "big: refused: exists: the name is taken"
    to_handler -e keep a big
    ended 0 "a: stored as a.~1~, 6 bytes" "big: stored as big.~1~, 1500000 bytes*"
    SERVE=--if-exists=reject to_handler -e replace a
    ended 1 "a: refused: denied: not permitted here"
}

@test "--bwlimit" {
    local -i start end

    random_file some 300000
    start=$(date +%s%N)
    to_handler --bwlimit=500K some
    end=$(date +%s%N)
    ended 0 "some: stored, 300000 bytes"
    # 586 ms at that rate, less the first tenth of a second's bytes.
    ((end - start > 400000000))
}

@test "on standard output: a stream in parts, and a digest before its file" {
    random_file big 1500000
    # shellcheck disable=SC2002 # a pipe is meant
    cat big | "$PUT" -n big - >"$IN" 3>&-
    serve
    [[ ${RECEIPTS[0]} == '{"ok":true,"cmd":"end","files":1,"failed":0,"bytes":1500000}' ]]
    cmp big "$DIR/big"
    "$PUT" -v -c -p -e reject a >"$IN" 2>/dev/null 3>&-
    serve
    [[ ${#RECEIPTS[@]} == 2 && ${RECEIPTS[0]} == *'"sha256"'* ]]
}
