# shellcheck shell=bash disable=SC2034,SC2154 # shared with the tests
#
# The table launchers x scenarios: what the same bytes leave behind under each
# launcher is held against what they leave behind on a plain pipe. Loaded after
# common.bash. Knows the test root, observations and their comparison; scenarios
# and launchers are in files of their own.
#
# A scenario is a directory in $TABLE/scenarios: `in` (the bytes), `options` (of
# putd, beyond those of the launcher's configuration) and `hold` where the sender
# keeps its own side open. An observation is a text of lines:
#
#     status 0
#     file 640 SHA256 NAME       all that is in the directory, sorted
#     answer {"ok":true,...      what came back to the sender
#     log PEER: stored a, ...    what putd logged; PEER where it told the right one

TABLE=${BATS_FILE_TMPDIR-}
INROOT=$ROOT/tests/rig/inroot
SDBOOT=$ROOT/tests/rig/sdboot.sh

# Whom a sender over TCP is: not the address that launchers and proxies have.
SENDER=127.0.0.5

# What a launcher's function sets: how a sender reaches putd, whom putd should
# take it for (an expression; of-sender: what the sender says), where putd logs,
# and what is done before each scenario; whether it may lose what is answered once
# the sender has ended its side, and a scenario that has no meaning there.
CONNECT=() PEER=of-sender LOGS=stderr BEFORE=: LOSES_ANSWERS=no WITHOUT=''

# Where the sender is started, and where the share is for it.
VIA=(inside python3) AT=/table

# Why the table cannot be made here, or nothing.
why_no_table() {
    local tool reason

    reason=$("$ROOT/tests/rig/testroot" why-not)
    [[ -z $reason ]] || {
        echo "$reason"
        return
    }
    for tool in nsenter setpriv mountpoint make tar; do
        command -v "$tool" >/dev/null || echo "no $tool here"
    done
}

# For setup_file: the test root, or why there is none.
table_root_file() {
    why_no_table >"$TABLE/cannot"
    [[ ! -s $TABLE/cannot ]] || return 0
    # It may take a minute, once.
    "$ROOT/tests/rig/testroot" >/dev/null 2>"$TABLE/testroot" ||
        echo "no test root: $(tail -n 1 "$TABLE/testroot")" >"$TABLE/cannot"
}

# The same, with the scenarios, and what they are on a plain pipe.
table_setup_file() {
    table_root_file
    [[ ! -s $TABLE/cannot ]] || return 0
    make_scenarios
    BATS_TEST_TMPDIR=$TABLE/pipe
    mkdir "$BATS_TEST_TMPDIR"
    table_setup
    launch_pipe
    observe_all
    mv "$T/observed" "$TABLE/reference"
    table_teardown
}

# For setup: a share, and nothing else yet.
table_setup() {
    common_setup
    [[ ! -s $TABLE/cannot ]] || cannot "$(cat "$TABLE/cannot")"
    SHARE=$T/share # /table inside
    HELD=$T/held   # the pid of the namespaces' first process
    mkdir -m 1777 "$SHARE"
    cp "$LIB"/table_{client,syslog}.py "$LIB/table_putd" "$SHARE"
    cp "$PUTD" "$SHARE/putd"
    : >"$SHARE/stderr"
    : >"$SHARE/syslog"
    RIG=$INROOT
}

# For teardown: all that runs in the namespaces ends with their first process.
table_teardown() {
    if [[ -n ${HOLDER-} ]]; then
        kill "$HOLDER" 2>/dev/null || true
        wait "$HOLDER" || true
    fi
    common_teardown
}

# --- the test root ------------------------------------------------------------------

inside() { "$RIG" enter "$HELD" "$@"; }

held_or_gone() {
    [[ -s $HELD ]] || ! kill -0 "$HOLDER" 2>/dev/null
}

# hold COMMAND...: the rig's, in the background, until it has written $HELD.
hold() {
    local pid

    "$@" 2>"$T/rig" 3>&- &
    HOLDER=$!
    until_true held_or_gone
    [[ -s $HELD ]] || fail "no root: $(cat "$T/rig")"
    read -r pid <"$HELD"
    INSIDE=/proc/$pid/root
    STORE=$INSIDE/var/lib/putd
    NETWORK=/proc/$pid/net
}

# plain_root: namespaces with what contrib's READMEs say a machine has: the user,
# the directory, the program; and a syslogd.
plain_root() {
    hold "$INROOT" --bind="$SHARE:/table" \
        --bind="$SHARE/table_putd:/usr/local/libexec/putd" \
        --bind="$ROOT/units/putd.sysusers:/usr/lib/sysusers.d/putd.conf" \
        --bind="$ROOT/contrib:/contrib" \
        hold "$HELD"
    inside sh -c 'systemd-sysusers 2>/dev/null &&
        install -d -o putd -g putd -m 2750 /var/lib/putd'
    start python3 /table/table_syslog.py /table/syslog
    until_true test -S "$INSIDE/dev/log"
}

# start COMMAND...: in there, in the background, stderr into the share.
start() {
    background inside "$@" </dev/null >>"$SHARE/stdout" 2>>"$SHARE/stderr"
}

# State 0A is LISTEN.
port_listens() {
    local hex

    printf -v hex ':%04X' "$1"
    grep -qE "^ *[0-9]+: [0-9A-F]+$hex 0+:0000 0A" "$NETWORK/tcp" "$NETWORK/tcp6"
}

# --- an observation -----------------------------------------------------------------

table_sender() {
    local -a how=()

    [[ ! -e $1/hold ]] || how=(--hold)
    "${VIA[@]}" "$AT/table_client.py" "${how[@]}" --from="$SENDER" \
        --out="$AT/answer" --peer="$AT/peer" --err="$AT/stderr-here" \
        "${CONNECT[@]}" <"$1/in"
}

syslog_has() { grep -q "marker: $1\$" "$SHARE/syslog"; }

# What putd logged, a message a line.
log_stderr() { sed -n 's/^putd: //p' "$SHARE/stderr"; }
log_client() { sed -n 's/^putd: //p' "$SHARE/stderr-here"; }
log_syslog() {
    # Messages come in order: when ours is there, putd's are.
    inside logger -t marker "$$"
    until_true syslog_has "$$"
    sed -n 's/^<[0-9]*>.\{15\} putd\[[0-9]*\]: //p' "$SHARE/syslog"
}

log_journal() {
    inside journalctl --sync
    inside journalctl -q -o cat --since="$SINCE" -t putd
}

# An exit status is told by tests/lib/table_putd, or by the journal.
has_status() {
    [[ -s $SHARE/status ]]
}

journal_tells_status() {
    inside journalctl --sync
    inside journalctl -q -o cat --since="$SINCE" |
        sed -n 's/^putd[@.].*: Main process exited, code=exited, status=\([0-9]*\).*/\1/p' \
            >"$SHARE/status"
    has_status
}

# The right peer becomes the word PEER.
with_peer() {
    local peer=$PEER line

    [[ $peer != of-sender ]] || {
        read -r peer <"$SHARE/peer"
        peer=${peer//./\\.}
    }
    while IFS= read -r line; do
        [[ ! $line =~ ^$peer:\ (.*)$ ]] || line="PEER: ${BASH_REMATCH[-1]}"
        printf 'log %s\n' "$line"
    done
}

files() {
    (cd "$STORE" && find . -mindepth 1 ! -path ./.putd -printf '%m %y %P\n') |
        sort -k 3 | while read -r mode kind name; do
        if [[ $kind == f ]]; then
            kind=$(sha256sum <"$STORE/$name")
            kind=${kind%% *}
        fi
        printf 'file %s %s %s\n' "$mode" "$kind" "$name"
    done
}

observe() {
    printf 'status %s\n' "$(cat "$SHARE/status")"
    files
    sed 's/^/answer /' "$SHARE/answer"
    [[ $LOGS == client || ! -e $SHARE/stderr-here ]] ||
        sed 's/^/stderr /' "$SHARE/stderr-here"
    "log_$LOGS" | with_peer
}

# cell SCENARIO: its observation, on stdout.
cell() {
    local scenario=$TABLE/scenarios/$1

    rm -f "$SHARE"/{status,answer,peer,stderr-here}
    [[ ! -d $STORE ]] || find "${STORE:?}" -mindepth 1 -delete
    : >"$SHARE/stderr"
    : >"$SHARE/syslog"
    cp "$scenario/options" "$SHARE/options"
    $BEFORE
    table_sender "$scenario"
    if [[ $LOGS == journal ]]; then
        until_true journal_tells_status
    else
        until_true has_status
    fi
    observe
}

scenarios() { ls -I "$WITHOUT" "$TABLE/scenarios"; }

# observe_all: every scenario, into $T/observed.
observe_all() {
    local scenario

    mkdir "$T/observed"
    for scenario in $(scenarios); do
        echo "in $scenario"
        cell "$scenario" >"$T/observed/$scenario"
    done
}

# --- the table -----------------------------------------------------------------------

# comparable OBSERVATION SCENARIO
comparable() {
    if [[ $LOSES_ANSWERS == yes && ! -e $TABLE/scenarios/$2/hold ]]; then
        grep -v -e '^answer ' -e '^log PEER: the peer went away before its' "$1"
    else
        cat "$1"
    fi
}

# row LAUNCHER: every scenario under it; all that differ are told.
row() {
    local scenario
    local -a different=()

    "launch_$1"
    observe_all
    for scenario in $(scenarios); do
        diff -u --label "$scenario on a pipe" --label "$scenario: $1" \
            <(comparable "$TABLE/reference/$scenario" "$scenario") \
            <(comparable "$T/observed/$scenario" "$scenario") ||
            different+=("$scenario")
    done
    ((${#different[@]} == 0)) || fail "$1 differs: ${different[*]}"
}

# on_a_pipe SCENARIO STATUS FILES [RECEIPT]...: the reference itself. Receipts are
# written as expect() wants them.
on_a_pipe() {
    local reference=$TABLE/reference/$1
    local -a names

    read -r _ CODE <"$reference"
    mapfile -t names < <(sed -n 's/^file 640 [0-9a-f]* //p' "$reference")
    LISTING=${names[*]}
    mapfile -t RECEIPTS < <(sed -n 's/^answer //p' "$reference")
    mapfile -t LOG < <(sed -n 's/^log //p' "$reference")
    echo "in $1"
    expect "${@:2}"
}
