#!/usr/bin/env bats
# shellcheck disable=SC2016 # what is written to files is expanded there
# What runs the tests must itself be able to fail: tests/run on files made here.

load lib/common

setup() {
    common_setup
    RUN=$LIB/../run
}

# ran CODE LAST [NAME=VALUE]...: tests/run on $T/*.bats ended so, and said so.
ran() {
    run env CI=true "${@:3}" "$RUN" "$T"/*.bats
    [[ $status == "$1" && ${lines[-1]} == "$2" ]] ||
        fail "status $status: $output"
}

# fails_once N: each test of one file, when it is first run.
fails_once() {
    local i

    printf 'once() { [[ -e %q/$1 ]] || ! : >%q/$1; }\n' "$T" "$T" >>"$T/flaky.bats"
    for ((i = 0; i < $1; i++)); do
        printf '@test "flaky %d" { once %d; }\n' "$i" "$i"
    done >>"$T/flaky.bats"
}

@test "what passes, passes" {
    echo '@test "fine" { true; }' >"$T/a.bats"
    ran 0 '1 passed, 0 failed'
}

@test "what fails, fails, and at a second try, too" {
    echo '@test "never (a|b)" { false; }' >"$T/a.bats"
    echo '@test "fine" { true; }' >"$T/b.bats"
    ran 1 '1 passed, 1 failed'
    [[ $output != *'second try'* ]]
}

@test "nothing that ran is a failure" {
    : >"$T/a.bats"
    ran 1 '0 passed, 0 failed'
}

@test "a file that is no shell is a failure" {
    echo '@test "open" {' >"$T/a.bats"
    run "$RUN" "$T/a.bats"
    [[ $status == 1 && ${lines[-1]} == '0 passed, '[1-9]*' failed' ]]
}

@test "a test that ends its file is a failure of what did not run" {
    echo '@test "gone" { kill -KILL $PPID; kill -KILL $$; }' >"$T/a.bats"
    echo '@test "never" { true; }' >>"$T/a.bats"
    run "$RUN" "$T/a.bats"
    [[ $status == 1 && ${lines[-1]} == *' passed, '[1-9]*' failed' ]]
}

@test "a file that hangs is ended, and has failed" {
    printf '@test "hangs" { read -r <>%q; }\n' "$T/fifo" >"$T/a.bats"
    mkfifo "$T/fifo"
    ran 1 '0 passed, 1 failed' FILE_SECONDS=2
    [[ $output == *'did not end in 2 s'* ]]
}

@test "a skip is a failure in CI" {
    echo '@test "skipped" { skip; }' >"$T/a.bats"
    ran 1 '0 passed, 1 failed'
    run env -u CI "$RUN" "$T/a.bats"
    [[ ${lines[-1]} == '0 passed, 0 failed, 1 skipped' ]]
}

@test "what passes at a second try passes, and is told" {
    fails_once 2
    ran 0 '2 passed, 0 failed'
    [[ $output == *'# passed at a second try: flaky 0'* ]]
}

@test "second tries are few" {
    fails_once 7
    ran 1 '5 passed, 2 failed'
}

@test "where the moments are chance there is one try" {
    echo '# bats file_tags=chance' >"$T/flaky.bats"
    fails_once 1
    ran 1 '0 passed, 1 failed'
}
