#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own
#
# The first minutes of somebody who has the sources: what `make run` says, and one
# line that says what to do where something is missing, taken or wrong.

load lib/common

# free_port: one on which nobody listens.
free_port() {
    "$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

setup() {
    common_setup
    cd "$ROOT" || return
}

# make_run PORT: in the background, out of the way.
make_run() {
    background make -s run RUN_ADDRESS="127.0.0.1:$1" RUN_DIRECTORY="$DIR" \
        >"$T/said" 2>"$T/log"
    until_true grep -q '^Listening' "$T/log"
}

# make_one WORDS [ARGUMENT]...: make fails, and says in one line what to do.
make_one() {
    run --separate-stderr make -s "${@:2}"
    # shellcheck disable=SC2154 # run sets it
    [[ $status != 0 && $stderr == *"$1"* ]] || fail "$stderr"
    [[ $(grep -vc '^make: \*\*\*' <<<"$stderr") == 1 ]] || fail "$stderr"
}

@test "make run: what it serves, where files go, and a line to try that works" {
    local port line

    need_tool systemd-socket-activate
    port=$(free_port)
    make_run "$port"
    grep -qF "serves 127.0.0.1:$port and puts what arrives into $DIR/" "$T/said"
    line=$(sed -n 's/^  \(.*put -s .*\)$/\1/p' "$T/said")
    [[ -n $line ]]
    run bash -c "$line"
    [[ $status == 0 && $output == *README.md* ]] || fail "$output"
    cmp README.md "$DIR/README.md"
    pkill -P "$PID" # which has become systemd-socket-activate
}

@test "make run: the port is taken" {
    local port

    need_tool systemd-socket-activate
    port=$(free_port)
    background "$PYTHON" -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
open(sys.argv[2], "w").close()
time.sleep(600)' "$port" "$T/up"
    until_true test -e "$T/up"
    make_one "make run RUN_ADDRESS=127.0.0.1:8081 takes another port" \
        run RUN_ADDRESS="127.0.0.1:$port" RUN_DIRECTORY="$DIR"
}

@test "make run: a directory that cannot be made" {
    : >"$T/file"
    run --separate-stderr make -s run RUN_DIRECTORY="$T/file/sub"
    # shellcheck disable=SC2154 # run sets it
    [[ $status != 0 && $stderr == *'make run: choose another directory: make run RUN_DIRECTORY='* ]]
}

@test "make run: no systemd-socket-activate" {
    mkdir "$T/bin"
    for tool in sh bash make mkdir printf cat grep; do
        ln -s "$(command -v "$tool")" "$T/bin/$tool"
    done
    run --separate-stderr env PATH="$T/bin" units/try build 127.0.0.1:1 "$DIR"
    # shellcheck disable=SC2154 # run sets it
    [[ $status == 69 && $stderr == 'make run: no systemd-socket-activate here; make deps installs it'* ]]
}

@test "make: no compiler, no library" {
    make_one 'make deps installs what building needs' B="$T/b" CC=no-such-compiler
    make_one 'cJSON or nettle is missing here; make deps installs' B="$T/b" CPPFLAGS=-nostdinc
}

@test "a wrong option: one line, and where to look" {
    run --separate-stderr "$PUTD" --frob "$DIR"
    # shellcheck disable=SC2154 # run sets it
    [[ $status == 64 && $stderr == 'putd: no such option: --frob (see putd --help)' ]]
    run --separate-stderr "$PUT" --frob
    # shellcheck disable=SC2154 # run sets it
    [[ $status == 64 && $stderr == "put: unknown option '--frob'; see put --help" ]]
}

@test "make deps run installs what running needs; make deps all that tests need" {
    run make -s deps run -n SUDO=echo
    [[ $output == *' libcjson-dev '* && $output != *' clang '* ]]
    run make -s deps SUDO=echo
    [[ $output == *' libcjson-dev '* && $output == *' clang '* ]]
}
