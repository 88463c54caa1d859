# shellcheck shell=bash disable=SC2034,SC2154 # shared with the tests
#
# What put*.bats share, on top of common.bash: a directory of
# files to send, a server of put_server.py, and what put said.

# Runs before each test, after common_setup.
put_setup() {
    common_setup
    W=$T/work
    KEEP=$T/keep
    SEEN=$T/seen
    ERR=()
    # The handler, for exec:, with what this build of it needs (see check).
    PUTD_EXEC="'$PUTD' ${PUTD_OPTIONS-} --min-free=0"
    mkdir "$W" "$KEEP"
    : >"$SEEN"
    # What put keeps between its runs; and no test waits for a second try.
    export XDG_STATE_HOME=$T/state PUT_BACKOFF_MS=1
    RETRIES=0
    cd "$W" || return 1
    printf 'alpha\n' >a
    printf 'bravo!\n' >b
    printf 'charlie' >c
}

# server [OPTION]... MODE: in the background; $SERVER is its address, $SEEN what
# it saw, $KEEP what it got.
server() {
    mkfifo "$T/address" "$T/gate"
    # A fifo is opened in the background, or nobody would be there to read it.
    background to "$T/address" "$PYTHON" "$LIB/put_server.py" --log="$SEEN" \
        --keep="$KEEP" --gate="$T/gate" "$@"
    read -r SERVER <"$T/address"
    rm "$T/address"
}

# to FILE COMMAND...: its standard output.
to() {
    exec "${@:2}" >"$1"
}

# from FILE COMMAND...: its standard input.
from() {
    exec "${@:2}" <"$1"
}

# saw LINE: the server did; waits for it.
saw() {
    until_true grep -qxF -- "$1" "$SEEN"
}

saw_not() {
    ! grep -qE -- "$1" "$SEEN" || fail "the server saw: $1" "$(cat "$SEEN")"
}

# put ARG...: to its end, with --retries=$RETRIES, or without that option where
# that is empty. $STATUS; $ERR its lines, but
# for the last where it sums all up, which is $TOTAL; standard output in $T/out;
# standard input from $INPUT, where it is set.
put() {
    STATUS=0
    "$PUT" ${RETRIES:+--retries="$RETRIES"} "$@" <"${INPUT:-/dev/null}" >"$T/out" 2>"$T/err" 3>&- || STATUS=$?
    read_err
}

# put_background ARG...: the same until put_wait.
put_background() {
    background from "${INPUT:-/dev/null}" "$PUT" ${RETRIES:+--retries="$RETRIES"} "$@" \
        >"$T/out" 2>"$T/err"
    PUT_PID=$PID
}

put_wait() {
    STATUS=0
    wait "$PUT_PID" || STATUS=$?
    read_err
}

read_err() {
    local line

    TOTAL=
    mapfile -t ERR <"$T/err"
    if ((${#ERR[@]} > 0)) && [[ ${ERR[-1]} =~ ^put:\ [0-9]+\ stored, ]]; then
        TOTAL=${ERR[-1]}
        unset 'ERR[-1]'
    fi
    for line in "${ERR[@]}"; do
        harmless "$line" || fail "a line that is not escaped: $line"
    done
}

# ended STATUS [LINE]...: the exit status, and all that was said; * in a LINE
# stands for anything.
ended() {
    local -i i
    local -a lines=("${@:2}")

    if [[ $STATUS != "$1" ]] || ((${#ERR[@]} != ${#lines[@]})); then
        printf 'expected exit status %s and %d lines\n' "$1" ${#lines[@]}
        printf 'got %s and:\n' "$STATUS"
        printf '    %s\n' "${ERR[@]}"
        return 1
    fi
    for ((i = 0; i < ${#lines[@]}; i++)); do
        like "${ERR[i]}" "${lines[i]}" || {
            printf 'expected: %s\ngot:      %s\n' "${lines[i]}" "${ERR[i]}"
            return 1
        }
    done
}

# like TEXT PATTERN: of which only * is special.
like() {
    local pattern=${2//\\/\\\\}

    pattern=${pattern//\[/\\[} pattern=${pattern//\?/\\?}
    # shellcheck disable=SC2053 # the asterisks are meant
    [[ $1 == $pattern ]]
}

# kept FILE...: the server has just these, byte for byte.
kept() {
    local file
    local -a there

    for file in "$@"; do
        cmp "$W/$file" "$KEEP/$file"
    done
    there=("$KEEP"/*)
    ((${#there[@]} == $#)) || fail "kept: ${there[*]}"
}

# open_gate: the server may read the body it waits before. A fifo is opened when
# both ends are: not by this shell, since a server whose client was told first
# never comes to the gate.
open_gate() {
    background to "$T/gate" true
}

# random_file NAME SIZE
random_file() {
    head -c "$2" /dev/urandom >"$1"
}

# no_putd: none serves $KEEP any more.
# is_ours_and_alive /proc/PID: one that is exiting has lost its command line, and
# still holds its descriptors.
is_ours_and_alive() {
    local state command

    state=$(sed -n 's/^State:\t\(.\).*/\1/p' "$1/status" 2>/dev/null) || return 1
    command=$(tr '\0' ' ' <"$1/cmdline" 2>/dev/null) || return 1
    [[ -n $state && $state != Z && (-z $command || $command == *"$KEEP"*) ]]
}

no_putd() {
    local process

    for process in /proc/[0-9]*/comm; do
        [[ $(cat "$process" 2>/dev/null) != putd ]] ||
            ! is_ours_and_alive "${process%/comm}" || return 1
    done
}
