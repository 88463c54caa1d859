#!/usr/bin/env bats
#
# SECURITY.md names the test of each threat: they are there.

load lib/common

# named: FILE.bats and the title of each test that the text names.
named() {
    grep -oE '[a-z_-]+\.bats: "[^"]+"' "$1" | sed -E 's/: "(.*)"$/\t\1/'
}

# missing FILE: those that are not.
missing() {
    local file title

    while IFS=$'\t' read -r file title; do
        grep -qxF -e "@test \"$title\" {" \
            <(sed -E 's/^(@test ".*" \{).*/\1/' "$ROOT/tests/$file" 2>/dev/null) ||
            echo "$file: $title"
    done < <(named "$1")
}

@test "each test that SECURITY.md names is there" {
    (($(named "$ROOT/SECURITY.md" | wc -l) >= 20))
    run missing "$ROOT/SECURITY.md"
    [[ -z $output ]] || fail "$output"
}

@test "nothing is named in another way, which nobody would look for" {
    [[ $(grep -o '[a-z_-]*\.bats' "$ROOT/SECURITY.md" | sort) == "$(named "$ROOT/SECURITY.md" | cut -f 1 | sort)" ]]
}

# rows FROM TO: those of the table between the two headings, one a line.
rows() {
    sed -n "/^$1/,/^$2/p" "$ROOT/SECURITY.md" | sed 's/^ *//' | grep '^|' | tail -n +3
}

# A row is WHAT, AGAINST and TEST: the tests are looked for in the last of them.
@test "each threat has a test, or a target of make" {
    local row tests
    local -i n=0

    while IFS= read -r row; do
        [[ $row =~ ^\|\ [^|]+\ \|\ [^|]+\ \|\ ([^|]+)\ \|$ ]] || fail "not three cells: $row"
        tests=${BASH_REMATCH[1]}
        if [[ $tests =~ ^\`make\ ([a-z]+)\`$ ]]; then
            "${MAKE:-make}" -C "$ROOT" -n "${BASH_REMATCH[1]}" >"$T/made" || fail "$row"
        else
            [[ $tests =~ ^([a-z_-]+\.bats:\ \"[^\"]+\"(;\ |$))+$ ]] || fail "$row"
        fi
        n+=1
    done < <(rows '## Threats' '## Telling')
    ((n >= 20)) || fail "only $n"
}

@test "each way to say who may connect has an example and a test" {
    local row
    local -i n=0

    while IFS= read -r row; do
        [[ $row =~ ^\|[^|]+\|[^|]*contrib/[^|]+\|\ [a-z_-]+\.bats:\ \"[^|]+\|$ ]] || fail "$row"
        n+=1
    done < <(rows '## What is not' '## Threats')
    ((n >= 5)) || fail "only $n"
}

# Each is in a file of tests/: CI runs all of those, and there a skip is a failure.
@test "what is named runs in CI" {
    grep -qx 'suite plain tests/\*\.bats' "$ROOT/tests/check"
    grep -qx 'export CI=true' "$ROOT/.ci/run"
    grep -q 'make deps check' "$ROOT/.ci/run"
}

@test "a test that is not there is found" {
    echo '| x | y | names.bats: "no such test" |' >"$T/text"
    [[ $(missing "$T/text") == 'names.bats: no such test' ]]
}

@test "each example that SECURITY.md names is there" {
    local path
    local -i n=0

    while IFS= read -r path; do
        [[ -e $ROOT/$path ]] || fail "$path"
        n+=1
    done < <(grep -oE 'contrib/[a-z/.-]+' "$ROOT/SECURITY.md")
    ((n >= 4))
}
