#!/usr/bin/env bats
# put, and connections that break: at every frame and in between, with the
# server killed, with answers lost. Whatever happens, each file is there once, and
# so is its line. lib/put_cuts.py runs the places of one test.

load lib/common
load lib/put_common

setup() { put_setup; }

# cuts PLACES OPTION...: at least so many places, and nothing wrong at any.
cuts() {
    printf 'a small one\n' >small
    random_file big 2500000
    "$PYTHON" "$LIB/put_cuts.py" --put="$PUT" --putd="$PUTD" \
        --server="${PUTD_OPTIONS:+$PUTD_OPTIONS,}--min-free=0,$SERVER_POLICY" \
        "${@:2}" "$T/cuts" >"$T/out" 2>&1 3>&- || fail "$(cat "$T/out")"
    [[ $(cat "$T/out") =~ ^places\ ([0-9]+)$ ]] || fail "$(cat "$T/out")"
    ((BASH_REMATCH[1] >= $1)) || fail "only $(cat "$T/out")"
}

@test "cut at every frame, and at 50 random places; keep would show a repeat" {
    SERVER_POLICY=--if-exists=keep cuts 65 --how=cut --random=50
}

@test "the same with digests, where files may be replaced" {
    SERVER_POLICY=--if-exists=replace cuts 60 --how=cut --random=50 \
        --options=-c
}

@test "where files may not be replaced" {
    SERVER_POLICY=--if-exists=reject cuts 30 --how=cut --random=20
}

@test "the server is killed in the middle, and is another one afterwards" {
    SERVER_POLICY=--if-exists=keep cuts 35 --how=kill --random=20 \
        --options=-c
}

@test "answers are lost, at every line and in between" {
    SERVER_POLICY=--if-exists=keep cuts 25 --how=lose --random=20
    SERVER_POLICY=--if-exists=replace cuts 15 --how=lose --random=10
    SERVER_POLICY=--if-exists=reject cuts 15 --how=lose --random=10
}

@test "a bit that changes on its way is found with -c, and the file sent again" {
    SERVER_POLICY=--if-exists=keep cuts 10 --how=flip --random=12 --options=-c
    SERVER_POLICY=--if-exists=reject cuts 10 --how=flip --random=12 --options=-c
}
