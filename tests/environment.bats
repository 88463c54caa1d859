#!/usr/bin/env bats
#
# Surroundings that nobody should have made: a clock that jumps, other time
# zones and languages, masks and limits. The end is clear, and nothing partial.

# shellcheck disable=SC2030,SC2031 # each test is a shell of its own

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

@test "LC_ALL with a decimal comma: times, and the receipts' numbers" {
    need_tool localedef
    localedef -i de_DE -f UTF-8 "$T/de_DE.UTF-8" >/dev/null 2>&1 ||
        cannot "no locale can be made here"
    export LOCPATH=$T
    [[ $(LC_ALL=de_DE.UTF-8 bash -c 'printf %.1f 0' 2>/dev/null) == 0,0 ]] ||
        cannot "the locale is not used"
    in_zone UTC de_DE.UTF-8
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

@test "the clock is set back between two connections: an upload goes on" {
    jumped $((60 * 60 * 24 * 365))
}

@test "the clock was far ahead: nothing young is forgotten" {
    jumped -$((60 * 60 * 24))
}

# jumped SECONDS: what the first connection left is so much older, or younger,
# for the second, as if the clock had been set in between.
jumped() {
    local -i now

    now=$(date +%s)
    frame '{"cmd":"put","id":"0123456789abcdef","offset":0,"filesize":5,"reply":true}' hello
    asked a 1
    serve
    touch -d "@$((now + $1))" "$DIR/.putd"/* "$DIR/a"
    : >"$IN"
    frame '{"cmd":"put","id":"0123456789abcdef","offset":5,"filesize":1,"reply":true}' '!'
    frame '{"cmd":"commit","id":"0123456789abcdef","filename":"b","size":6,"reply":true}'
    asked a 2
    serve --keep-partial=7
    [[ $CODE == 0 ]]
    [[ ${RECEIPTS[*]} == *'"cmd":"commit","filename":"b","size":6,"stored":"b"'* ]] ||
        fail "the upload did not go on"
    [[ $(<"$DIR/b") == 'hello!' && $(<"$DIR/a") == 2 ]]
}
