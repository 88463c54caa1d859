#!/usr/bin/env bats
# The completions of put know the options that --help does, and bash's completes.

load lib/common

COMPLETION=${BATS_TEST_DIRNAME%/tests*}/contrib/completion

helped() {
    "$PUT" --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '-[-a-zA-Z]+' |
        LC_ALL=C sort
}

@test "bash, zsh and fish have the options of --help" {
    diff <(helped) <(sed -n '/local options=/,/--help/p' "$COMPLETION/put.bash" |
        grep -oE -- '-[-a-zA-Z]+' | LC_ALL=C sort)
    diff <(helped) <(sed -n "s/^ *'\\([^[]*\\)[^ ].*/\\1/p" "$COMPLETION/_put" |
        sed 's/^([^)]*)//' | grep -oE -- '--?[a-zA-Z][-a-zA-Z]*' | LC_ALL=C sort)
    diff <(helped) <(grep -oE -- '-[sl] [a-zA-Z-]+' "$COMPLETION/put.fish" |
        sed 's/^-s /-/; s/^-l /--/' | LC_ALL=C sort)
}

# completes WORD... EXPECTED: bash, with the last of the words to be completed.
completes() {
    local expected=${*: -1}

    [[ $(bash -c '
        source "$1"
        compopt() { :; }
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _put
        echo "${COMPREPLY[*]}"' - "$COMPLETION/put.bash" "${@:1:$#-1}") == "$expected" ]]
}

@test "bash completes options, values and files" {
    cd "$T"
    touch some.txt
    completes put --rec '--recursive --receipts'
    completes put -e re 'replace reject'
    completes put --progress = a 'auto always'
    completes put som some.txt
    completes put -n x ''
}

@test "zsh and fish can read theirs" {
    need_tool zsh fish
    zsh -n "$COMPLETION/_put"
    fish -n "$COMPLETION/put.fish"
}
