#!/usr/bin/env bats
# The command line, and what is said of a directory or a stdin that will not do:
# one specific line on stderr, an exit status of its own, nothing on stdout.

load lib/common

# wrong WORD ARGUMENT...: usage; the one line has WORD in it.
wrong() {
    run_putd "${@:2}"
    [[ $CODE == 64 ]] || fail "expected exit status 64"
    logged 1
    [[ -z $RAW ]] || fail "expected nothing on stdout"
    [[ ${LOG[0]} == *"$1"* ]] || fail "expected a line with $1"
}

# unusable DIRECTORY
unusable() {
    run_putd "$1"
    [[ $CODE == 73 ]] || fail "expected exit status 73"
    logged 1
    [[ -z $RAW ]] || fail "expected nothing on stdout"
    [[ ${LOG[0]} == *"$1"* ]] || fail "expected a line with $1"
}

run_putd() { run_it "$PUTD" "$@"; }

run_it() {
    code_of "$@" </dev/null >"$T/out" 2>"$T/err"
    look
}

# code_of COMMAND...: its exit status, in $CODE.
code_of() {
    CODE=0
    "$@" || CODE=$?
}

@test "--verbose: the end of a connection is told, with its counts" {
    plain a hello
    serve --verbose
    logged 2
    [[ $CODE == 0 && ${LOG[1]} == *'end: 1 files, 5 bytes, 0 refused' ]] || fail "${LOG[@]}"
    serve
    logged 1
}

@test "no directory" { wrong DIRECTORY; }
@test "two directories" { wrong '' "$DIR" "$T"; }
@test "an unknown option" { wrong --frob --frob "$DIR"; }
@test "an unknown option with a value" { wrong --frob --frob=5 "$DIR"; }
@test "an unknown short option" { wrong -x -x "$DIR"; }
@test "an unknown short option among others" { wrong -x -xy "$DIR"; }
@test "an option behind the directory is an option" { wrong --frob "$DIR" --frob; }
@test "a value is missing" { wrong --max-size "$DIR" --max-size; }
@test "a value that is not wanted" { wrong --verbose --verbose=yes "$DIR"; }
@test "--max-size of nothing" { wrong --max-size --max-size= "$DIR"; }
@test "--max-size of a word" { wrong --max-size --max-size=big "$DIR"; }
@test "--max-size -1" { wrong --max-size --max-size=-1 "$DIR"; }
@test "--max-size +1" { wrong --max-size --max-size=+1 "$DIR"; }
@test "--max-size 1.5G" { wrong --max-size --max-size=1.5G "$DIR"; }
@test "--max-size 1X" { wrong --max-size --max-size=1X "$DIR"; }
@test "--max-size 1KB" { wrong --max-size --max-size=1KB "$DIR"; }
@test "--max-size with a space" { wrong --max-size --max-size=' 1' "$DIR"; }
@test "--max-size in percent" { wrong --max-size --max-size=5% "$DIR"; }
@test "--max-size of more than 2^64" { wrong --max-size --max-size=18446744073709551617 "$DIR"; }
@test "--max-size of more than 2^64 by its unit" { wrong --max-size --max-size=16777217T "$DIR"; }
@test "--min-free of a word" { wrong --min-free --min-free=much "$DIR"; }
@test "--min-free 101%" { wrong --min-free --min-free=101% "$DIR"; }
@test "--min-free -1%" { wrong --min-free --min-free=-1% "$DIR"; }
@test "--min-free %" { wrong --min-free --min-free=% "$DIR"; }
@test "--min-free 5%%" { wrong --min-free --min-free=5%% "$DIR"; }
@test "--idle-timeout of a word" { wrong --idle-timeout --idle-timeout=long "$DIR"; }
@test "--idle-timeout -1" { wrong --idle-timeout --idle-timeout=-1 "$DIR"; }
@test "--idle-timeout 1.5" { wrong --idle-timeout --idle-timeout=1.5 "$DIR"; }
@test "--idle-timeout of more than an int" { wrong --idle-timeout --idle-timeout=99999999999 "$DIR"; }
@test "--legacy-idle of a word" { wrong --legacy-idle --legacy-idle=long "$DIR"; }
@test "--stall-timeout of a word" { wrong --stall-timeout --stall-timeout=long "$DIR"; }
@test "--stall-timeout of nothing" { wrong --stall-timeout --stall-timeout= "$DIR"; }
@test "--sync of a word" { wrong --sync --sync=half "$DIR"; }
@test "--connections 0" { wrong --connections --connections=0 "$DIR"; }
@test "--connections of a word" { wrong --connections --connections=many "$DIR"; }
@test "--idle-exit of a word" { wrong --idle-exit --idle-exit=soon "$DIR"; }
@test "--log of a word" { wrong --log --log=file "$DIR"; }

@test "a wrong option is told before the directory is looked at" { wrong --frob --frob "$T/nowhere"; }
@test "hostile bytes in an argument do not reach the terminal" { wrong max-size $'--max-size=\e[31m' "$DIR"; }
@test "hostile bytes in an option do not reach the terminal" { wrong '' $'--\e[31m\nx' "$DIR"; }

@test "a directory that is not there" { unusable "$T/nowhere"; }
@test "a directory that is a file" { unusable "$IN"; }
@test "a directory that is a fifo" {
    mkfifo "$T/fifo"
    unusable "$T/fifo"
}

@test "a directory with an empty name" { unusable ''; }
@test "a directory that may not be read" {
    chmod 0 "$DIR"
    if [[ $EUID != 0 ]]; then
        unusable "$DIR"
        return
    fi
    need_tool setpriv
    # Where others can reach both the directory and the program.
    chmod o+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T"
    cp "$PUTD" "$T/putd"
    run_it setpriv --reuid=65534 --regid=65534 --clear-groups "$T/putd" "$DIR"
    [[ $CODE == 73 ]] || fail "expected exit status 73"
    logged 1
}

@test "--help is on stdout, and names every option" {
    run_putd --help
    [[ $CODE == 0 ]] || fail "expected exit status 0"
    logged 0
    for option in max-size min-free idle-timeout legacy-idle stall-timeout \
        connections idle-exit log version help; do
        [[ $RAW == *"--$option"* ]] || fail "no $option"
    done
}

@test "--version is on stdout" {
    run_putd --version
    [[ $CODE == 0 && ${RECEIPTS[0]} == putd\ [0-9]* ]] || fail "expected a version"
    logged 0
}

@test "--help that cannot be written: exit 74" {
    code_of "$PUTD" --help >/dev/full 2>"$T/err"
    [[ $CODE == 74 ]] || fail "expected exit status 74"
}

@test "-- ends the options" {
    mkdir "$T/--max-size"
    cd "$T"
    "$PUTD" "${OPTIONS[@]}" -- --max-size </dev/null
}

@test "a terminal on stdin is refused with one helpful line" {
    need_tool script
    code_of script -qec "'$PUTD' ${OPTIONS[*]} '$DIR' >'$T/out' 2>'$T/err'" \
        /dev/null >"$T/typescript" </dev/null
    look
    expect 64 ''
    logged 1
    [[ ${LOG[0]} == *terminal* ]] || fail "expected a line about the terminal"
}

@test "a terminal all around is refused with one line" {
    need_tool script
    code_of script -qec "'$PUTD' ${OPTIONS[*]} '$DIR'" /dev/null \
        >"$T/typescript" </dev/null
    [[ $CODE == 64 && $(grep -c . "$T/typescript") == 1 ]] || fail "$(<"$T/typescript")"
}

# What a peer sends reaches the log escaped; common.bash looks at every line.

@test "log: a refused name with ESC, LF, C1 and a change of direction" {
    plain 'a\u001b[31m\nputd: stored b\u009b\u202e\u2028' x
    serve
    expect 0 ''
    logged 1
    [[ ${LOG[0]} == *'a\x1b[31m\x0a'* ]]
}

@test "log: a stored name that looks like a line of the log cannot end its own" {
    plain 'a\\nputd: b' x
    serve
    [[ $CODE == 0 ]]
    logged 1
}

@test "log: an unknown command with ESC and LF" {
    frame '{"cmd":"\u001b[31m\nfrob\u0085"}'
    serve
    expect 0 ''
    logged 1
}

@test "log: invalid UTF-8" {
    frame $'{"cmd":"put","filename":"\xff\x1b[31m","filesize":1}' x
    serve
    expect 65 ''
    logged 1
}

@test "log: a very long name is one line" {
    plain "$(printf '%030000d' 0)" x
    plain "$(printf '\\u001b%.0s' {1..9000})" x
    serve
    expect 0 ''
    logged 2
    ((${#LOG[0]} < 5000 && ${#LOG[1]} < 9000)) || fail "too long"
}

@test "log: a long name in UTF-8 is not cut inside a character" {
    plain "$(printf '\xe2\x82\xac%.0s' {1..3000})" x
    plain "a$(printf '\xe2\x82\xac%.0s' {1..3000})" x
    plain "aa$(printf '\xe2\x82\xac%.0s' {1..3000})" x
    serve
    expect 0 ''
    logged 3
}

@test "log: none says nothing" {
    plain ../a 1
    text 'what is this, then'
    serve --log=none
    expect 65 ''
    logged 0
}

@test "log: never to the client where stderr is the client" {
    asked ../a 1
    text 'what is this, then'
    : >"$T/err"
    code_of "$PUTD" "${OPTIONS[@]}" "$DIR" <"$IN" >"$T/out" 2>&1
    look
    expect 65 '' !put:bad-name !bad-frame
}
