#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154 # expanded inside; run sets status
#
# The README's first command, as pasted, in a fresh Debian that has git and apt
# only: as root, and as a user with sudo. (The second one takes half an hour; by
# hand: CI=true tests/rig/newcomer machine root 'the line'.)
# Packages are fetched with this machine's network, so the port is a free one of
# its loopback.

load lib/common

setup() {
    local reason

    common_setup
    reason=$("$ROOT/tests/rig/newcomer" why-not)
    [[ -z $reason ]] || cannot "$reason"
    PORT=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
}

# newcomer USER COMMAND: types it, waits until it serves, types the line that it
# says, and Ctrl-C.
newcomer() {
    "$ROOT/tests/rig/newcomer" run "$1" "export RUN_ADDRESS=127.0.0.1:$PORT
        ! command -v make cc || exit 99
        { $2; } >~/log 2>&1 &
        until grep -q ^Listening ~/log; do
            kill -0 \$! || { tail -n 30 ~/log; exit 98; }
            sleep 0.2
        done
        try=\$(sed -n 's/^  \\(.*put -s .*\\)\$/\\1/p' ~/log)
        echo \"try: \$try\"
        eval \"\$try\" && cmp README.md file_upload/README.md && echo it works" >"$T/said" 2>&1 3>&- ||
        fail "$(cat "$T/said")"
    grep -qx 'try: build/put -s 127.0.0.1:'"$PORT"' README.md && ls -l file_upload' "$T/said"
    grep -qx 'it works' "$T/said"
}

# The one line of README that does this.
pasted() {
    local command

    command=$(grep -x 'apt-get install -y make && make deps run' "$ROOT/README.md")
    [[ -n $command ]] || fail 'README has no such line'
    # "a user with sudo types sudo before apt-get, and nothing else"
    [[ $1 == root ]] || command="sudo $command"
    echo "$command"
}

@test "as root" { newcomer root "$(pasted root)"; }

@test "as a user with sudo" { newcomer guest "$(pasted guest)"; }
