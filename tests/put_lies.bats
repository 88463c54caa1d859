#!/usr/bin/env bats
# put, and servers that answer and lie, fall silent, or go away.
# tests/put_hostile.bats has servers that are none.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # shared with lib/put_common.bash

load lib/common
load lib/put_common

setup() { put_setup; }

server_again() {
    rm -f "$T/gate"
    server "$@"
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
