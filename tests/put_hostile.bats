#!/usr/bin/env bats
# put, and servers that are none (lib/put_liar.py), for a small file and a large one:
# it says why in one clear line, ends with the right status, and never hangs past
# --timeout. tests/put_lies.bats has servers that answer and lie.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # shared with lib/put_common.bash

load lib/common
load lib/put_common

# Longer than every timeout of a row together; what takes longer hangs.
BOUND=60

setup() {
    put_setup
    truncate -s 3M big
    RETRIES=2
    printf '#!/bin/sh\nexec timeout %s "%s" "$@"\n' "$BOUND" "$PUT" >"$T/put"
    chmod +x "$T/put"
    PUT=$T/put
}

# meets ROW STATUS LINE [AGAIN]: what is said first; and no file is ever stored.
# AGAIN is how often it tries again.
meets() {
    local file

    mkfifo "$T/address"
    background to "$T/address" "$PYTHON" "$LIB/put_liar.py" "$1"
    read -r SERVER <"$T/address"
    for file in a big; do
        put --timeout=1 -s "$SERVER" "$file"
        if [[ $STATUS != "$2" ]] || ! like "${ERR[0]}" "put: $3"; then
            fail "$file: expected $2 and: $3" "got $STATUS and:" "${ERR[@]:0:9}"
        fi
        [[ ${ERR[-1]} == "$file: "* && ${ERR[*]} != *": stored"* ]]
        # No line but what happened, each time, and what became of the file.
        (($(grep -c 'trying again' "$T/err") == ${4:-0})) || fail "${ERR[@]}"
        ((${#ERR[@]} == 2 + 2 * ${4:-0})) || fail "${ERR[@]}"
    done
}

# What never answered, and nobody said how often to try.
unsaid() { RETRIES='' meets "$@"; }
silence() { unsaid "$1" 75 "127.*: no answer for 1 s: perhaps a legacy server, try --legacy"; }
garbage() { meets "$1" 74 "the server does not speak this protocol, it said '$2"; }
untrue() { meets "$1" 74 "the server gave a receipt that cannot be true, $2: '{*}'"; }

@test "half a receipt, and silence" { silence "half a receipt, and silence"; }
@test "a drip" { silence "a drip"; }
@test "hello, half a receipt, and silence" {
    meets "hello, half a receipt, and silence" 75 "127.*: no receipt for 1 s" 2
}
@test "hello, and a drip" { meets "hello, and a drip" 75 "127.*: no receipt for 1 s" 2; }
@test "half a receipt, and the end" {
    unsaid "half a receipt, and the end" 75 "127.*: the *" 1
}
@test "hello, half a receipt, and the end" {
    meets "hello, half a receipt, and the end" 75 "127.*: the *" 2
}
@test "bytes without a newline" { garbage "bytes without a newline" "xxxx*'..."; }
@test "a line without end" { garbage "a line without end" "{\"xxx*'..."; }
@test "hello, and a line without end" { garbage "hello, and a line without end" "{\"xxx*'..."; }
@test "empty lines" { garbage "empty lines" "'"; }
@test "zeros" { garbage "zeros" "?????*'..."; }
@test "frames" { garbage "frames" "\\x0e*'"; }
@test "deep" { garbage "deep" "{*'..."; }
@test "hello again and again" {
    untrue "hello again and again" "it is for a command that was not sent"
}
@test "another protocol" {
    untrue "another protocol" "it tells a protocol that is not known here"
    rm "$T/address"
    untrue "a protocol of no number" "it tells a protocol that is not known here"
}
@test "the end before all" {
    untrue "the end before all" "it is for an end that was not sent"
}
@test "ends that may pass, without end" {
    unsaid "ends that may pass" 75 "the server ended the connection: timeout" 1
}

# --- commands that are no server -----------------------------------------------

@test "exec: a command that says yes for ever" {
    put --timeout=1 -s "exec:yes" a
    ended 74 "put: the server does not speak this protocol, it said 'y'" \
        "put: the command *" "a: not sent"
}

@test "exec: a command that does nothing for ever, and one that cannot be ended" {
    RETRIES=''
    put --timeout=1 -s "exec:exec sleep 1000" a
    ended 75 "put: exec:exec sleep 1000: no answer for 1 s: *" \
        "put: the command did not end and was terminated" "a: not sent"
    put --timeout=1 -s "exec:trap '' TERM; echo \$\$ >'$T/pid'; while :; do sleep 1; done" a
    ended 75 "put: exec:*: no answer for 1 s: *" \
        "put: the command did not end and was terminated" "a: not sent"
    kill -KILL "$(cat "$T/pid")"
}

# --- honest to begin with -----------------------------------------------------------

@test "a server that holds more than there is, always" {
    server --say-commit='' --say-end='' --alter='stat:{"ok":true,"state":"partial","offset":1099511627776}' honest
    put --timeout=1 -s "$SERVER" big
    [[ $STATUS == 75 && ${ERR[-1]} == "big: "* && ${ERR[*]} != *": stored"* ]] ||
        fail "$STATUS" "${ERR[@]:0:9}"
    (($(grep -c '^connection' "$SEEN") <= 4))
}

@test "a server that is busy for as long as it likes" {
    server --alter='hello:{"stall":9007199254740991}' --refuse=big:busy:true honest
    put_background -s "$SERVER" big
    until_true grep -qxF "big: another connection is sending it: waiting, 3610 s at most" "$T/err"
    kill "$PUT_PID"
}

@test "a digest that is always wrong" {
    server --refuse=big:mismatch:true honest
    put -c --timeout=1 -s "$SERVER" big
    [[ $STATUS == 75 && ${ERR[-1]} == "big: refused: mismatch: told by the server" ]]
    (($(grep -c '^connection' "$SEEN") <= 4))
}
