#!/usr/bin/env bats
# put, uploads by id: retries, resuming in a later run, what makes a file the same
# file, and what is kept for that. tests/put_cut.bats breaks connections.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2153 # shared with lib/put_common.bash

load lib/common
load lib/put_common

setup() { put_setup; }

@test "a large file goes by id: stat, part and commit in one flight" {
    random_file big 3000000
    server honest
    put -s "$SERVER" big
    ended 0 "big: stored, 3000000 bytes"
    kept big
    diff - <(grep -E '^(keys|part|commit|stat)' "$SEEN") <<'SEEN'
keys cmd,reply
keys cmd,id,filename,size,reply
stat big
keys cmd,id,offset,filesize,reply
part big 0 3000000
keys cmd,id,filename,size,reply
commit big
keys cmd,reply
SEEN
}

@test "a server without uploads gets whole files" {
    random_file big 3000000
    server --alter='hello:{"commands":["put","end","hello"]}' honest
    put -s "$SERVER" big
    ended 0 "big: stored, 3000000 bytes"
    saw "put big 3000000"
    saw_not '^(stat|part)'
}

@test "under keep everything goes by id" {
    server --alter='hello:{"if_exists":"keep"}' honest
    put -s "$SERVER" a
    ended 0 "a: stored, 6 bytes"
    saw "part  0 6"
    saw "commit a"
    put -s "$SERVER" -e keep b
    saw "part  0 7"
}

# interrupted N OPTION...: a put of big, killed after N bytes of the part.
interrupted() {
    put_background --bwlimit=2M -s "exec:exec $PUTD_EXEC '$KEEP' 2>>'$T/log'" "${@:2}"
    until_true part_has "$1"
    kill -KILL "$PUT_PID"
    wait "$PUT_PID" || true
    until_true no_putd
}

part_has() {
    local size=0

    size=$(find "$KEEP/.putd" -name '*.part' -printf '%s\n' 2>/dev/null)
    ((${size:-0} >= $1))
}

# again [OPTION]... [FILE]: FILE is big where none is named.
again() {
    local last=${*:$#}

    [[ $# -gt 0 && ($last == - || $last == */*) ]] || set -- "$@" big
    put -s "exec:exec $PUTD_EXEC '$KEEP' 2>>'$T/log'" "$@"
}

@test "a later run goes on where one that was killed left off, with a digest of all" {
    random_file big 3000000
    interrupted 1 big
    again -c
    ended 0 "big: stored, 3000000 bytes, resumed after *"
    kept_big
    [[ -z $(find "$KEEP/.putd" -name '*.part') ]]
}

kept_big() { cmp big "$KEEP/big"; }

# Server and client name the same directory only as it is written.
again_same() { again; }

@test "a file that changed since starts anew" {
    random_file big 3000000
    interrupted 1 big
    random_file big 3000000
    again
    ended 0 "big: stored, 3000000 bytes"
    kept_big
    # Of what it was nothing stays, there or here.
    [[ -z $(find "$KEEP/.putd" -name '*.part') ]]
    [[ $(ls "$XDG_STATE_HOME/put/uploads") == swept ]]
}

@test "what is given to standard input changes as well" {
    random_file big 3000000
    INPUT=big interrupted 1 -n big -
    printf x >>big
    INPUT=big again -n big -
    ended 0 "-: stored as big, 3000001 bytes"
    kept_big
    [[ -z $(find "$KEEP/.putd" -name '*.part') ]]
}

@test "a file that is moved to another directory goes on" {
    random_file big 3000000
    interrupted 1 big
    mkdir elsewhere
    mv big elsewhere
    again elsewhere/big
    ended 0 "elsewhere/big: stored, 3000000 bytes, resumed after *"
    [[ -z $(find "$KEEP/.putd" -name '*.part') ]]
}

@test "a file that changes between two attempts starts anew, and the old upload is ended" {
    RETRIES=5
    random_file big 3000000
    server --gate-at=big --frames=3 --leave=1 leaving
    put_background -v -s "$SERVER" big
    saw "keys cmd,id,offset,filesize,reply"
    touch -d yesterday big
    open_gate
    saw "connection 2"
    open_gate
    put_wait
    [[ $STATUS == 0 && ${ERR[*]} != *"goes on after"* ]]
    kept big
    saw "abort big"
    [[ $(ls "$XDG_STATE_HOME/put/uploads") == swept ]]
}

@test "the same file once more is sent once more" {
    random_file big 1500000
    again
    rm "$KEEP/big"
    again
    ended 0 "big: stored, 1500000 bytes"
    kept_big
}

@test "what is kept is private, and gone once the file is stored" {
    random_file big 1500000
    again
    [[ $(stat -c %a:%s "$XDG_STATE_HOME/put/secret") == 600:32 ]]
    [[ $(ls "$XDG_STATE_HOME/put/uploads") == swept ]]
    chmod 644 "$XDG_STATE_HOME/put/secret"
    again -v
    [[ ${ERR[*]} == *"cannot go on in a later run: its secret is not private"* ]]
    [[ $STATUS == 0 ]]
}

@test "without a home nothing is kept, and -v says so" {
    random_file big 1500000
    unset XDG_STATE_HOME
    HOME='' again -v
    [[ $STATUS == 0 && ${ERR[*]} == *"there is no home directory"* ]]
    HOME=relative again
    ended 0 "big: stored, 1500000 bytes"
}

@test "what is given up leaves no note for ever" {
    random_file big 1500000
    again
    touch -d '40 days ago' "$XDG_STATE_HOME/put/uploads/"{old,swept}
    again
    [[ ! -e $XDG_STATE_HOME/put/uploads/old ]]
}

@test "the answer of a former run was lost: it is asked for, not sent again" {
    random_file big 1500000
    server --say-commit='' --say-end='' honest
    put --timeout=1 -s "$SERVER" big
    [[ $STATUS == 75 && ${ERR[-1]} == "big: outcome unknown: there was no receipt" ]]
    put --timeout=1 -s "$SERVER" big
    [[ ${ERR[0]} == "big: stored, 1500000 bytes" ]]
    [[ $(grep -c '^part ' "$SEEN") == 1 && $(grep -c '^put ' "$SEEN") == 1 ]]
}

@test "refusals that may pass are tried again, and others are not" {
    RETRIES=5
    server --refuse=a:no-space:true:3 --refuse=b:exists:false honest
    put -s "$SERVER" a b c
    ended 1 "b: refused: exists: told by the server" "c: stored, 7 bytes" \
        "put: trying again (1 of 5)" "put: trying again (2 of 5)" \
        "put: trying again (3 of 5)" "a: stored, 6 bytes"
}

@test "-q: what went well in the end is not told" {
    RETRIES=5
    server --frames=2 --leave=1 --refuse=c:no-space:true:2 leaving
    put -q -s "$SERVER" a b c
    ended 0
    kept a b c
}

@test "-q: what did not is told, and why, once" {
    RETRIES=2
    server --frames=1 leaving
    put -q -s "$SERVER" a
    ended 75 "put: $SERVER: the *" "a: outcome unknown: there was no receipt"
    [[ ${ERR[*]} != *"trying again"* ]]
    put -q -s 127.0.0.1:1 a
    ended 69 "put: cannot connect to 127.0.0.1:1: Connection refused" "a: not sent"
}

# Once put gave up after one try where no server had answered yet, also where it
# was told to go on: a file lost with a cron job that met a server being restarted.
@test "--retries=N: N times, also where nobody ever answered" {
    local again='put: trying again (1 of 2)' and='put: trying again (2 of 2)'
    local refused='put: cannot connect to 127.0.0.1:1: Connection refused'
    local silent closed

    RETRIES=2
    put -s 127.0.0.1:1 a
    ended 69 "$refused" "$again" "$refused" "$and" "$refused" "a: not sent"
    server silent
    silent="put: $SERVER: no answer for 1 s: perhaps a legacy server, try --legacy"
    put -s "$SERVER" --timeout=1 a
    ended 75 "$silent" "$again" "$silent" "$and" "$silent" "a: not sent"
    server_again --rude --frames=1 leaving
    closed="put: $SERVER: the *: perhaps a legacy server, try --legacy"
    put -s "$SERVER" a
    ended 75 "$closed" "$again" "$closed" "$and" "$closed" "a: not sent"
    put -s "exec:echo x >>'$T/runs'" a
    [[ $STATUS == 75 && $(wc -l <"$T/runs") == 3 ]] || fail "$STATUS" "${ERR[@]}"
    RETRIES=0
    put -s 127.0.0.1:1 a
    ended 69 "$refused" "a: not sent"
}

@test "--retries=N: who comes late is met" {
    RETRIES=2
    put -s "exec:test -e '$T/late' || { : >'$T/late'; exit 1; }; exec $PUTD_EXEC '$KEEP' 2>>'$T/log'" a
    [[ $STATUS == 0 && ${ERR[-1]} == "a: stored, 6 bytes" ]] || fail "$STATUS" "${ERR[@]}"
    kept a
}

@test "--retries is an end to it" {
    RETRIES=2
    server --refuse=a:no-space:true honest
    put -s "$SERVER" a
    ended 75 "put: trying again (1 of 2)" "put: trying again (2 of 2)" \
        "a: refused: no-space: told by the server"
}

@test "a lost connection is no failure in the end" {
    RETRIES=5
    server --frames=2 --leave=1 leaving
    put -s "$SERVER" a b c
    ended 0 "a: stored, 6 bytes" "put: $SERVER: the *" \
        "put: trying again (1 of 5)" "b: stored, 7 bytes" "c: stored, 7 bytes"
}

@test "busy is waited for without an end of retries" {
    RETRIES=1
    random_file big 1500000
    server --refuse=big:busy:true:6 honest
    put -s "$SERVER" big
    ended 0 "big: another connection is sending it: waiting, 70 s at most" \
        "big: stored, 1500000 bytes"
}

@test "lies about parts and uploads" {
    random_file big 1500000
    server --alter='put:{"offset":7}' honest
    put -s "$SERVER" big
    [[ $STATUS == 74 && ${ERR[0]} == *"it tells another offset: "* ]]
    server_again --alter='commit:{"size":7}' honest
    put -s "$SERVER" big
    [[ $STATUS == 74 && ${ERR[0]} == *"it tells another size: "* ]]
    server_again --alter='commit:{"sha256":"00"}' honest
    put -c -s "$SERVER" big
    [[ $STATUS == 74 && ${ERR[0]} == *"it tells another digest: "* ]]
    server_again --alter='put:{"sha256":null}' honest
    put -c -s "$SERVER" a
    [[ $STATUS == 74 && ${ERR[0]} == *"it tells no digest: "* ]]
}

server_again() {
    rm -f "$T/gate"
    server "$@"
}

@test "more than a connection may bring goes over several" {
    random_file big 3000000
    put -s "exec:exec $PUTD_EXEC --max-session=1M '$KEEP' 2>>'$T/log'" a big b
    ended 0 "a: stored, 6 bytes" "big: stored, 3000000 bytes" "b: stored, 7 bytes"
    kept_big
}

# That server's `end` says that it could not finish; what the next one says counts.
@test "a disk that fails in the middle of a part: tried again, and all is well" {
    random_file big 3000000
    cat >"$T/server" <<SERVER
#!/bin/sh
if mkdir '$T/failed' 2>/dev/null; then
    exec strace -qq -o '$T/trace' -e trace=pwrite64 \
        -e inject=pwrite64:error=EIO:when=3 $PUTD_EXEC --no-sandbox '$KEEP'
fi
exec $PUTD_EXEC '$KEEP'
SERVER
    chmod +x "$T/server"
    put --retries=5 -s "exec:exec '$T/server' 2>>'$T/log'" big
    grep -q INJECTED "$T/trace"
    ended 0 "put: the command ended with exit status *" "put: trying again (1 of 5)" \
        "big: stored, 3000000 bytes"
    kept big
}
