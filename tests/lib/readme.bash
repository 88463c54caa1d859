# shellcheck shell=bash disable=SC2034,SC2154 # shared with the tests
#
# For the tests that run what the READMEs say, as root beside a booted systemd.
# Loaded after launch_systemd.bash. It takes the text of a block from the file and
# never has a copy of it; lib/readme.py tells what a block is.

# readme FILE: whose blocks this test runs.
readme() {
    README=$ROOT/$1
    RAN=()
}

block() { "$PYTHON" "$LIB/readme.py" show "$README" "$1"; }

# as_pasted [COMMAND]: bash, which ends at the first failure, on standard input, in
# /opt/putd; COMMAND is run before.
as_pasted() {
    { echo "cd /opt/putd && ${1-:}" && cat; } >"$T/pasted"
    inside env HOME=/root bash -e -o pipefail -c "$(cat "$T/pasted")"
}

# runs N [COMMAND]: block N, as it stands there.
runs() {
    RAN+=("$1")
    block "$1" | as_pasted "${2-}" >"$T/ran" 2>&1 || fail "block $1:" "$(cat "$T/ran")"
}

# runs_on N [COMMAND]: the same in the background, for a block that ends with a
# server.
runs_on() {
    RAN+=("$1")
    { echo "cd /opt/putd && ${2-:}" && block "$1"; } >"$T/pasted.$1"
    background "$RIG" enter "$PIDFILE" env HOME=/root bash -e -c "$(cat "$T/pasted.$1")" \
        >"$T/ran.$1" 2>&1
}

# edits N: block N, whose last line is `systemctl edit`, with block N+1 typed there.
edits() {
    RAN+=("$1" "$(($1 + 1))")
    block $(($1 + 1)) | inside sh -c 'cat >/opt/typed'
    {
        block "$1" | sed '$d'
        # Without a terminal there is no editing.
        echo "SYSTEMD_EDITOR='cp /opt/typed' script -qec '$(block "$1" | tail -n 1)' /dev/null"
    } | as_pasted >"$T/ran" 2>&1 || fail "block $1:" "$(cat "$T/ran")"
}

# all_ran: no block of this file is left that has no reason.
all_ran() {
    local number language mark

    while read -r number language mark; do
        [[ " ${RAN[*]} " == *" $number "* || $mark != - ]] ||
            fail "block $number ($language) was not run"
        [[ " ${RAN[*]} " != *" $number "* || $mark == - ]] ||
            fail "block $number was run: it needs no reason"
    done < <("$PYTHON" "$LIB/readme.py" list "$README")
}

listens() { client nc.openbsd -z 127.0.0.1 "${1-8080}"; }

# arrived NAME...: in /var/lib/putd.
arrived() {
    local name

    for name; do
        [[ -s $STORE/$name ]] || fail "$name did not arrive:" "$(cat "$T/ran")"
    done
}
