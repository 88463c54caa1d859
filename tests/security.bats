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

@test "each threat has a test, or a target of make" {
    local row
    local -i rows=0

    while IFS= read -r row; do
        [[ $row =~ \.bats:\ \" || $row =~ \`make\ (fuzz|soak)\` ]] || fail "$row"
        rows+=1
    done < <(sed -n '/^## Threats/,/^## Telling/p' "$ROOT/SECURITY.md" |
        grep '^|' | tail -n +3)
    ((rows >= 20)) || fail "only $rows"
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
