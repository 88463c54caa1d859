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

@test "fish completes options and values" {
    need_tool fish
    export HOME=$T
    [[ $(fish --no-config -c "source '$COMPLETION/put.fish'
        complete -C 'put -e re'" | cut -f 1 | paste -sd ' ') == 'reject replace' ]]
    [[ $(fish --no-config -c "source '$COMPLETION/put.fish'
        complete -C 'put --rec'" | cut -f 1 | paste -sd ' ') == '--receipts --recursive' ]]
}

# In zsh a completion runs in its line editor only: on a terminal of its own, where
# TAB is pressed and what stands there then is sent.
@test "zsh completes options" {
    need_tool zsh script
    mkdir "$T/functions"
    cp "$COMPLETION/_put" "$T/functions"
    cat >"$T/.zshrc" <<ZSHRC
PS1=
fpath=($T/functions \$fpath)
autoload -U compinit && compinit -u -d $T/dump
put() { printf '%s\n' "\$@" >$T/arguments; exit }
ZSHRC
    printf 'put --recu\t --if-exists=kee\t\n' |
        ZDOTDIR=$T TERM=dumb timeout 20 script -qec 'zsh -i' /dev/null >"$T/out" 2>&1 3>&- || true
    [[ $(paste -sd ' ' "$T/arguments") == '--recursive --if-exists=keep' ]]
}

@test "make install puts them where the shells look, and uninstall takes them away" {
    local tree=$T/tree

    make -s -C "$ROOT" install DESTDIR="$tree" PREFIX=/usr >/dev/null 2>&1
    cmp "$COMPLETION/put.bash" "$tree/usr/share/bash-completion/completions/put"
    cmp "$COMPLETION/_put" "$tree/usr/share/zsh/site-functions/_put"
    cmp "$COMPLETION/put.fish" "$tree/usr/share/fish/vendor_completions.d/put.fish"
    make -s -C "$ROOT" uninstall DESTDIR="$tree" PREFIX=/usr >/dev/null 2>&1
    [[ -z $(find "$tree" -type f) ]]
}
