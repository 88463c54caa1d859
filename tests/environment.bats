#!/usr/bin/env bats
#
# Surroundings that nobody should have made: a clock that jumps, other time
# zones and languages, masks and limits. The end is clear, and nothing partial.

# shellcheck disable=SC2030,SC2031,SC2086 # each test is a shell of its own; ids are words
# shellcheck disable=SC2153 # PUT is the common library's

load lib/common
load lib/upload_common

# mtime NAME: of the file, in seconds.
mtime() { stat -c %.Y "$DIR/$1"; }

# in_zone ZONE [LOCALE]: a time is told and kept to the microsecond.
in_zone() {
    export TZ=$1 LC_ALL=${2:-C}
    asked a 1 ',"mtime":1234567890.25'
    serve
    expect 0 'a=1' +a:1
    [[ $(LC_ALL=C mtime a) == 1234567890.250000000 ]] || fail "$(mtime a)"
}

@test "TZ: far east" { in_zone Pacific/Kiritimati; }
@test "TZ: far west" { in_zone Etc/GMT+12; }
@test "TZ: none such" { in_zone Nowhere/Atall; }
@test "TZ: a path" { in_zone :/etc/passwd; }
@test "TZ: a thousand bytes" {
    in_zone "$(printf '%1000s' x)"
}

# decimal_comma: de_DE.UTF-8 is a locale here, made once.
decimal_comma() {
    need_tool localedef
    export LOCPATH=$BATS_FILE_TMPDIR
    [[ -d $LOCPATH/de_DE.UTF-8 ]] ||
        localedef -i de_DE -f UTF-8 "$LOCPATH/de_DE.UTF-8" >/dev/null 2>&1 ||
        cannot "no locale can be made here"
    [[ $(LC_ALL=de_DE.UTF-8 bash -c 'printf %.1f 0' 2>/dev/null) == 0,0 ]] ||
        cannot "the locale is not used"
}

@test "LC_ALL with a decimal comma: times, and the receipts' numbers" {
    decimal_comma
    in_zone UTC de_DE.UTF-8
}

# put_in LOCALE OPTION...: two files; what was said in $T/LOCALE, and what was drawn
# of progress in $DRAWN.
put_in() {
    LC_ALL=$1 XDG_STATE_HOME=$T/state "$PUT" -s "exec:exec '$PUTD' ${OPTIONS[*]} '$DIR'" \
        -pc "${@:2}" "$T/a" "$T/big" >"$T/$1" 2>"$T/err" 3>&-
    DRAWN=$(grep '%' "$T/err" || true)
    grep -v '%' "$T/err" | tr -d '\r' >>"$T/$1"
}

@test "LC_ALL with a decimal comma: put's lines, rates and times are those of C" {
    local how

    decimal_comma
    printf hello >"$T/a"
    touch -d @1234567890.25 "$T/a"
    head -c 1500000 /dev/zero >"$T/big"
    for how in --verbose --json; do
        rm -rf "${DIR:?}"/*
        put_in C "$how"
        rm -rf "${DIR:?}"/*
        put_in de_DE.UTF-8 "$how" --progress=always --bwlimit=1M
        diff "$T/C" "$T/de_DE.UTF-8"
        [[ $DRAWN =~ [0-9]\.[0-9]\ MiB && ! $DRAWN =~ [0-9],[0-9] ]] || fail "$DRAWN"
        [[ $(mtime a) == 1234567890.250000000 ]] || fail "$(mtime a)"
    done
}

@test "LC_ALL that does not exist" { in_zone UTC xx_XX; }

# under COMMAND...: putd behind it.
under() {
    printf '#!/bin/bash\n%s\nexec %q "$@"\n' "$*" "$PUTD" >"$T/putd"
    chmod +x "$T/putd"
    PUTD=$T/putd
}

# masked MASK: modes do not depend on it.
masked() {
    under umask "$1"
    asked a 1
    asked d/b 2
    frame '{"cmd":"put","id":"0123456789abcdef","offset":0,"filesize":1}' x
    frame '{"cmd":"commit","id":"0123456789abcdef","filename":"c","size":1}'
    serve --mkdirs
    [[ $CODE == 0 ]]
    [[ $(stat -c %a "$DIR"/a "$DIR"/d "$DIR"/d/b "$DIR"/c | paste -sd ' ') == '640 750 640 640' ]]
    [[ $(stat -c %a "$DIR/.putd") == 700 ]]
}

@test "umask 0" { masked 0; }
@test "umask 077" { masked 077; }
@test "umask 0777" { masked 0777; }

@test "RLIMIT_FSIZE of 1 KiB: refused, in step, nothing is left" {
    under ulimit -f 1
    asked a "$(printf %2000s x)"
    plain b "$(printf %1025s x)"
    frame '{"cmd":"hello","reply":true}'
    serve --log=none
    expect 0 '' '!put:too-large:a' '{"ok":true,"cmd":"hello",*'
}

@test "RLIMIT_FSIZE in the middle of a part: what fits is held" {
    under ulimit -f 4
    length 90
    printf '%-90s' '{"cmd":"put","id":"0123456789abcdef","offset":0,"filesize":9000,"reply":true}' >>"$IN"
    head -c 9000 /dev/zero >>"$IN"
    ask stat $ID
    serve --log=none
    expect 0 '' !put:too-large stat@4096
    [[ $(stat -c %s "$DIR/.putd/$ID.part") == 4096 ]]
}

# with_memory KIB: $SERVED is how far it came with so much: not loaded, told, a
# file, everything. What was promised is there, and what is there is whole.
with_memory() {
    local PUTD=$PUTD

    rm -rf "${DIR:?}"
    mkdir "$DIR"
    under ulimit -v "$1"
    serve
    case $CODE in
        0)
            SERVED=everything
            expect 0 'a=hello b=x c=3' +a:5 +c:1 +b:1 end:3:0:7
            ;;
        74)
            SERVED=told
            ((${#LOG[@]} > 0)) || fail "not a word"
            if [[ -z $LISTING ]]; then
                expect 74 ''
            else
                SERVED='a file'
                expect 74 'a=hello' +a:5 !io
            fi
            ;;
        127) # the loader's
            SERVED=nothing
            expect 127 ''
            [[ ${LOG[0]} == *': error while loading shared libraries: '* ]] ||
                fail "not the loader"
            ;;
        *) fail "an end of another kind" ;;
    esac
}

# In steps of ten pages, until ten more make no difference. The header of 6000
# keys is what needs most.
@test "RLIMIT_AS: from too little to enough" {
    local SERVED seen=' '
    local -i kib enough=0

    [[ " ${PUTD_OPTIONS-} " != *--no-sandbox* ]] ||
        skip "a sanitizer reserves what it may need"
    [[ -z ${GCOV_ERROR_FILE-} ]] ||
        skip "libgcov takes memory when a program ends, and dies of having none"
    asked a hello
    asked c 3 "$(printf ',"k%d":0' {1..6000})"
    asked b x
    finish
    for ((kib = 2000; enough < 10; kib += 40)); do
        ((kib < 64000)) || fail "never enough"
        with_memory "$kib"
        seen+="$SERVED "
        if [[ $SERVED == everything ]]; then enough+=1; else enough=0; fi
    done
    [[ $seen == *' told '* && $seen == *' a file '* ]] || fail "only:$seen"
}

# A clock that is set between two connections: what the first one left is so much
# older, or younger, for a sweep and for the second.

# jumped SECONDS: by which what is there is younger now; and swept.
jumped() {
    upload $ID hello
    asked a 1
    again
    touch -d "@$(($(date +%s) + $1))" "$DIR/.putd"/* "$DIR/a"
    swept --keep-partial=7
    part $ID 5 '!'
    commit $ID b 6
    asked a 2
    serve
}

@test "the clock is set back by a year between two connections: an upload goes on" {
    jumped $((60 * 60 * 24 * 365))
    expect 0 'a=2 b=hello!' $ID@6 =b:6 +a:1
}

@test "the clock is put ahead by six days: nothing young is forgotten" {
    jumped $((-60 * 60 * 24 * 6))
    expect 0 'a=2 b=hello!' $ID@6 =b:6 +a:1
}

@test "the clock is put ahead by eight days: an upload is forgotten, and nothing else" {
    jumped $((-60 * 60 * 24 * 8))
    expect 0 'a=2' !put:bad-offset@0 !commit:unknown-id:b +a:1
}

# A clock that is set while putd runs (lib/jumping_clock.c).

YEARS=$((10 * 31557600)) # seconds of ten

# clocked [OPTION]...: it reads what sent() sends; set_clock sets its clock.
clocked() {
    [[ -e $T/clock.so ]] || cc -shared -fPIC -o "$T/clock.so" "$LIB/jumping_clock.c"
    rm -f "$T/fifo"
    mkfifo "$T/fifo"
    printf '%-31s\n%-31s\n' 0 0 >"$T/clock"
    background fed_by "$T/fifo" env LD_PRELOAD="$T/clock.so" JUMPING_CLOCK="$T/clock" \
        "$PUTD" "${OPTIONS[@]}" "$@" "$DIR" >"$T/out" 2>"$T/err"
    exec 9>"$T/fifo"
    until_true waited 0
}

# fed_by FILE COMMAND...
fed_by() { exec "${@:2}" <"$1"; }

# set_clock SECONDS: so wrong it is from now on.
set_clock() { printf '%-31s' "$1" 1<>"$T/clock"; }

# waits: how often it has begun to wait, and waited N: more often than that.
waits() { sed -n 2p "$T/clock"; }
waited() { (($(waits) > $1)); }

# sent: what was built; on return all of it was read, and it waits for more.
sent() {
    local -i before

    before=$(waits)
    cat "$IN" >&9
    : >"$IN"
    until_true waited "$before"
}

gone() { ! kill -0 "$PID" 2>/dev/null; }

# shut: the end of the stream, and that of the process, as after serve.
shut() {
    exec 9>&-
    until_true gone
    background_status
    look
}

@test "the clock jumps by years in bodies, waits and a batch: as if it had not" {
    clocked --session-timeout=600 --min-rate=1
    set_clock $YEARS
    part $ID 0 hello
    sent
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":5,\"filesize\":5,\"reply\":true}" wo
    sent
    set_clock -$YEARS
    text rld
    sent
    set_clock $((2 * YEARS))
    commit $ID b 10
    asked a 1
    asked c 333
    frame '{"cmd":"put","filename":"d","filesize":4,"reply":true}' fo
    sent
    set_clock $((-2 * YEARS))
    text ur
    length 26
    sent
    set_clock 0
    text '{"cmd":"end","reply":true}'
    cat "$IN" >&9
    shut
    expect 0 'a=1 b=helloworld c=333 d=four' $ID@5 $ID@10 =b:10 +a:1 +c:3 +d:4 end:4:0:18
    : >"$IN"
    commit $ID b 10
    serve
    expect 0 'a=1 b=helloworld c=333 d=four' =b:10
}

@test "a clock that is set back by years puts no deadline off" {
    clocked --session-timeout=3
    asked a 1
    sent
    set_clock -$YEARS
    # It may be over before this is there.
    frame '{"cmd":"hello"}'
    cat "$IN" >&9 || true
    until_true gone
    shut
    expect 75 'a=1' +a:1
}

# swept_at SECONDS: by a clock that is so wrong at the end, and was years ahead.
swept_at() {
    upload $ID hello
    part $OTHER 0 other
    commit $OTHER a 5
    again
    touch -d '2 hours ago' "$DIR/.putd/swept"
    clocked
    set_clock $YEARS
    ask stat $ID
    sent
    set_clock "$1"
    shut
    expect 0 'a=other' stat@5
    : >"$IN"
    ask stat $ID
    ask stat $OTHER
    serve
}

@test "a clock that was years ahead, and is right at the sweep: nothing is forgotten" {
    swept_at 0
    expect 0 'a=other' stat@5 stat=a:5
}

@test "a clock that is years back at the sweep: nothing is forgotten" {
    swept_at -$YEARS
    expect 0 'a=other' stat@5 stat=a:5
}

@test "a clock that is six days ahead at the sweep: nothing is forgotten" {
    swept_at $((60 * 60 * 24 * 6))
    expect 0 'a=other' stat@5 stat=a:5
}

@test "a clock that is eight days ahead at the sweep: what is private is forgotten" {
    swept_at $((60 * 60 * 24 * 8))
    expect 0 'a=other' !stat:unknown-id !stat:unknown-id
}
