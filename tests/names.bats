#!/usr/bin/env bats
# put-protocol(7), FILE NAMES: refused, never repaired; and nothing outside of
# the root is read or written.

load lib/common

# bad NAME: refused, the name is not told back; the next frame is served. NAME is
# the text between the quotes of the header.
bad() {
    local before

    list "$DIR"
    before=$LISTING
    plain_named "$1" xyz ',"reply":true'
    asked zz 2
    serve
    expect 0 "$before${before:+ }zz=2" !put:bad-name +zz:1
    logged 2
}

# good NAME LISTED: stored under the bytes LISTED; the receipt tells NAME.
good() {
    plain_named "$1" xyz ',"reply":true'
    serve
    expect 0 "$2=xyz" "+$1:3"
}

plain_named() { frame "{\"cmd\":\"put\",\"filename\":\"$1\",\"filesize\":${#2}${3-}}" "$2"; }

# An accepted name.

@test "one letter" { good a a; }
@test "spaces at both ends" { good ' a ' ' a '; }
@test "one space" { good ' ' ' '; }
@test "what a shell would read" { good ';&|<>~#' ';&|<>~#'; }
@test "a dash first" { good --help --help; }
@test "a backslash" { good 'a\\b' 'a\b'; }
@test "a quote" { good 'a\"b' 'a"b'; }
@test "dots within and at the end" { good 'a..b.' a..b.; }
@test "a percent sign is not an escape" { good '%2e%2e%2fa' '%2e%2e%2fa'; }
@test "a name of 255 bytes" {
    printf -v name '%0255d' 0
    good "$name" "$name"
}

@test "a name of 255 bytes, of 3 bytes each" {
    printf -v name '\xe2\x82\xac%.0s' {1..85}
    printf -v told '\\u20ac%.0s' {1..85}
    good "$told" "$name"
}

@test "a name of 64 pairs of surrogates is 256 bytes" {
    printf -v told '\\ud83d\\ude00%.0s' {1..64}
    bad "$told"
}

@test "a name in UTF-8 is told escaped" {
    plain_named $'\xc3\xa9' x ',"reply":true'
    serve
    expect 0 $'\xc3\xa9=x' '+\u00e9:1'
}

@test "a name with a pair of surrogates" { good '\ud83d\ude00' $'\xf0\x9f\x98\x80'; }
@test "never normalised: composed and decomposed are two files" {
    plain_named $'\xc3\xa9' composed
    plain_named $'e\xcc\x81' decomposed
    serve
    expect 0 $'e\xcc\x81=decomposed \xc3\xa9=composed'
}

@test "case tells names apart" {
    asked A 1
    asked a 2
    serve
    expect 0 'A=1 a=2' +A:1 +a:1
}

@test "U+00A0, the first behind the control characters" { good '\u00a0' $'\xc2\xa0'; }
@test "U+FFFF" { good '\uffff' $'\xef\xbf\xbf'; }
@test "U+10FFFF" { good '\udbff\udfff' $'\xf4\x8f\xbf\xbf'; }
@test "U+202E, which is no control character here" { good '\u202e' $'\xe2\x80\xae'; }

# every NAME...: in UTF-8 or with \u and \U; each is stored under its bytes as a
# file of its own: nothing is folded together, normalised or cut, and each line of
# the log is harmless (see look).
every() {
    local -i i
    local -a there names=("$0") # from 1 on, as $1
    local name

    for name; do
        LC_ALL=C.UTF-8 printf -v name %b "$name"
        names+=("$name")
    done
    for ((i = 1; i <= $#; i++)); do plain_named "${names[i]}" "<$i>" ',"reply":true'; done
    serve
    [[ $CODE == 0 && $RAW != *'"ok":false'* ]] || fail "refused"
    ((${#RECEIPTS[@]} == $#)) || fail "a receipt is missing"
    for ((i = 1; i <= $#; i++)); do
        [[ $(<"$DIR/${names[i]}") == "<$i>" ]] || fail "not as it was sent: ${!i}"
    done
    shopt -s nullglob
    there=("$DIR"/*)
    shopt -u nullglob
    ((${#there[@]} == $#)) || fail "expected $# files"
}

@test "names in every script" {
    every 'plain.txt' 'żółć' 'Straße' 'STRASSE' 'ΑΒΓ.txt' 'αβγ' 'σς' 'Кириллица' 'Հայերեն' 'ქართული' \
        'שלום' 'مرحبا' 'ܫܠܡܐ' 'ދިވެހި' 'ߒߞߏ' 'नमस्ते' 'বাংলা' 'ਪੰਜਾਬੀ' 'ગુજરાતી' 'ଓଡ଼ିଆ' 'தமிழ்' \
        'తెలుగు' 'ಕನ್ನಡ' 'മലയാളം' 'සිංහල' 'ไทย' 'ລາວ' 'བོད་ཡིག' 'မြန်မာ' 'አማርኛ' 'ᏣᎳᎩ' 'ᐃᓄᒃᑎᑐᑦ' \
        'ភាសាខ្មែរ' 'ᠮᠣᠩᠭᠣᠯ' '漢字' '汉字' 'ひらがな' 'カタカナ' 'ｶﾀｶﾅ' '한글' '\u1112\u1161\u11ab' 'ꆈꌠꉙ' \
        'ⴰⵎⴰⵣⵉⵖ' 'ᚠᚢᚦ' 'Ωμέγα' '\u2126' '\u00c5' '\u212b' 'A\u030a' 'ﬁ' 'fi' 'İ' 'ı' \
        '\U12000\U12001' '\U1D400' '\U20000' '\U1F469\u200d\U1F4BB' '\U1F1F5\U1F1F1' \
        'Z\u0351\u036b\u0343\u036a\u0302\u036b' '\ue000' '\U10fffd' '\ufdd0' '\U1ffff'
}

# shellcheck disable=SC2016 # nothing is expanded
@test "names that look like others: marks of direction, of no width, of another shape" {
    every 'a\u200e' 'a\u200f' '\u200fa' 'a\u061c' 'gpj.\u202eexe' '\u202aa\u202c' '\u202da' \
        '\u2066a\u2069' '\u2067a' '\u2068a' 'a\u200bb' 'a\u200cb' 'a\u200db' 'a\u2060b' \
        '\ufeffa' 'a\u00adb' 'a\u2028b' 'a\u2029b' 'a\u180eb' '\ufe0fa' '\U0001f3fba' \
        '\U000e0041' '\u2000' '\u3000' '\u00a0' 'a\uff0fb' 'a\u2044b' 'a\u2215b' 'a\u29f8b' \
        '\uff0e' '\uff0e\uff0e' '\u2024\u2024' '\u2025' '\u2026' '\uff0eputd' 'a\uff3cb' \
        'a\u037eb' '\uff5e' 'con' 'NUL.txt' 'a:b' 'a ' 'a.' 'a~' '~' '*' '?' '$(id)' '`id`' '-' '--'
}

# A byte below 0x80 has one way to be written; two that decode to a dot or a
# slash are no UTF-8 at all, so there is no name to be refused.
@test "overlong dots and slashes in a name: the stream ends" {
    local name

    for name in $'\xc0\xae\xc0\xae/a' $'..\xc0\xafa' $'..\xe0\x80\xafa' $'..\xf0\x80\x80\xafa' \
        $'\xc0\xaf' $'\xe0\x80\xae' $'a\xc0\x80' $'\xc0\xaeputd/a' $'a\xc1\x9cb' $'\xfc\x80\x80\x80\x80\xaf'; do
        : >"$IN"
        asked a 1
        plain_named "$name" x ',"reply":true'
        serve
        expect 65 'a=1' +a:1 !bad-frame
    done
    [[ ! -e $T/a ]]
}

# A refused one.

@test "the empty name" { bad ''; }
@test "." { bad .; }
@test ".." { bad ..; }
@test "..." { bad ...; }
@test "/" { bad /; }
@test "//" { bad //; }
@test "absolute" { bad /a; }
@test "absolute, to the root itself" { bad "$DIR/a"; }
@test "absolute, escaped" { bad '\/a'; }
@test "../a" { bad ../a; }
@test "a/.. at the end" { bad_in_d d/..; }
@test "a/../b" { bad_in_d d/../a; }
@test "a/../../b" { bad_in_d d/../../a; }
@test "./a" { bad ./a; }
@test "a/." { bad_in_d d/.; }
@test "a/./b" { bad_in_d d/./a; }
@test "a//b" { bad_in_d d//a; }
@test "a trailing slash" { bad a/; }
@test "a trailing slash behind a directory" { bad_in_d d/; }
@test "two trailing slashes" { bad_in_d d//; }
@test "a dot first" { bad .a; }
@test "a dot first in a directory" { bad_in_d d/.a; }
@test "a directory with a dot first" {
    mkdir "$DIR/.d"
    bad .d/a
}

@test ".putd" { bad .putd; }
@test "below .putd" { bad .putd/a; }
@test "below .putd, which is there" {
    mkdir "$DIR/.putd"
    bad .putd/a
}

@test ".PutD in another case" { bad .PutD; }
@test "below .PUTD" { bad .PUTD/a; }
@test "256 bytes" { bad "$(printf '%0256d' 0)"; }
@test "a directory of 256 bytes" { bad "$(printf '%0256d' 0)/a"; }
@test "a name of 60000 bytes" { bad "$(printf '%060000d' 0)"; }
@test "30000 slashes" { bad "a$(printf '%030000d' 0 | tr 0 /)"; }
@test "U+0001" { bad 'a\u0001b'; }
@test "LF" { bad 'a\nb'; }
@test "CR at the end" { bad 'a\r'; }
@test "TAB first" { bad '\ta'; }
@test "ESC" { bad 'a\u001b[31mb'; }
@test "U+001F" { bad '\u001f'; }
@test "U+007F escaped" { bad '\u007f'; }
@test "U+007F raw" { bad $'a\x7f'; }
@test "U+0080 escaped" { bad 'a\u0080'; }
@test "U+0080 raw" { bad $'a\xc2\x80'; }
@test "U+0085 raw" { bad $'a\xc2\x85b'; }
@test "U+009B, the CSI of terminals" { bad '\u009b31m'; }
@test "U+009F raw" { bad $'\xc2\x9f'; }
@test "a control character in a directory" { bad 'd\u0007/a'; }

bad_in_d() {
    mkdir "$DIR/d"
    bad "$1"
}

# Every control character there is.
@test "all of U+0001 to U+001F and U+007F to U+009F" {
    local -i i
    local -a want=()

    for ((i = 1; i < 160; i++)); do
        ((i < 32 || i >= 127)) || continue
        printf -v name 'a\\u%04xb' "$i"
        plain_named "$name" x ',"reply":true'
        want+=(!put:bad-name)
    done
    serve
    expect 0 '' "${want[@]}"
    logged 64
}

# Directories on the way.

@test "a file in a directory" {
    mkdir "$DIR/d"
    asked d/a 1
    serve
    expect 0 'd/ d/a=1' +d/a:1
}

@test "a file eight directories down" {
    mkdir -p "$DIR/1/2/3/4/5/6/7/8"
    asked 1/2/3/4/5/6/7/8/a 1
    serve
    [[ $CODE == 0 && $LISTING == *' 1/2/3/4/5/6/7/8/a=1' ]] || fail "not there"
}

@test "a directory on the way is not there" { bad d/a; }
@test "a directory on the way is a file" {
    echo -n file >"$DIR/d"
    bad d/a
}

@test "a directory on the way is a fifo" {
    mkfifo "$DIR/d"
    bad d/a
}

@test "a directory on the way is a socket" {
    "$PYTHON" -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$DIR/d"
    bad d/a
}

@test "a directory on the way is a device" {
    need_root
    mknod "$DIR/d" c 1 3
    bad d/a
}

@test "a directory on the way is a link to a directory in the root" {
    mkdir "$DIR/real"
    ln -s real "$DIR/d"
    bad d/a
}

@test "a directory on the way is a link to one outside" {
    mkdir "$T/out.d"
    ln -s "$T/out.d" "$DIR/d"
    bad d/a
    list "$T/out.d"
    [[ -z $LISTING ]]
}

@test "a directory on the way is a dangling link" {
    ln -s nowhere "$DIR/d"
    bad d/a
}

@test "a link two steps down" {
    mkdir "$DIR/d"
    ln -s / "$DIR/d/l"
    bad d/l/tmp/putd-was-here
    [[ ! -e /tmp/putd-was-here ]]
}

@test "the root itself is a link: refused with one line, nothing is stored" {
    ln -s dir "$T/link"
    asked a 1
    DIR=$T/link serve
    expect 73 ''
    logged 1
}

@test "the root may be named relatively, and by a dot" {
    asked a 1
    PUTD=$(realpath "$PUTD")
    cd "$DIR"
    DIR=. serve
    expect 0 'a=1' +a:1
}

# A name of 4095 bytes in all: fifteen directories of 255, each with its slash,
# and what is left.
deep() {
    local -i i
    local part

    printf -v part '%0255d' 0
    DEEP=''
    for ((i = 0; i < 15; i++)); do DEEP+=$part/; done
    mkdir -p "$DIR/$DEEP"
}

@test "a name of 4095 bytes" {
    deep
    printf -v name '%0255d' 1
    asked "$DEEP$name" 1
    serve
    judge "${RECEIPTS[0]}" "+$DEEP$name:1" || fail "not stored"
    cd "$DIR/$DEEP"
    [[ $(<"$name") == 1 ]]
}

@test "a name of 4096 bytes" {
    deep
    printf -v part '%0127d' 0
    printf -v name '%0128d' 1
    mkdir "$DIR/$DEEP/$part"
    asked "$DEEP$part/$name" 1
    asked zz 2
    serve
    [[ $LISTING == *"$part/ zz=2" ]] || fail "not refused"
    judge "${RECEIPTS[0]}" !put:bad-name
    judge "${RECEIPTS[1]}" +zz:1
}

@test "a name of 4095 bytes in UTF-8 fits a receipt, told twice" {
    local -i i
    local part

    local deep='' told=''
    printf -v part '\xc2\xa1%.0s' {1..127}
    for ((i = 0; i < 15; i++)); do deep+=$part/; done
    mkdir -p "$DIR/$deep"
    plain_named "$deep$part" x ',"reply":true'
    serve
    printf -v part '\\u00a1%.0s' {1..127}
    for ((i = 0; i < 15; i++)); do told+=$part/; done
    judge "${RECEIPTS[0]}" "+$told$part:1" || fail "not stored"
}

# What stands at the target already.

# taken NAME: refused as `exists`, the name told; the next frame is served.
taken() {
    local before

    list "$DIR"
    before=$LISTING
    asked "$1" xyz
    asked zz 2
    serve
    expect 0 "$before zz=2" "!put:exists:$1" +zz:1
    logged 2
}

@test "an existing file is replaced" {
    echo -n old >"$DIR/a"
    asked a new
    serve
    expect 0 'a=new' +a:3
}

@test "an existing file that cannot be written is replaced" {
    echo -n old >"$DIR/a"
    chmod 0400 "$DIR/a"
    asked a new
    serve
    expect 0 'a=new' +a:3
}

@test "a directory at the target is there to stay" {
    mkdir "$DIR/d"
    taken d
}

@test "a directory with files at the target" {
    mkdir "$DIR/d"
    echo -n x >"$DIR/d/x"
    taken d
}

@test "a link to a file is replaced itself" {
    echo -n precious >"$T/target"
    ln -s "$T/target" "$DIR/a"
    asked a new
    serve
    expect 0 'a=new' +a:3
    [[ $(<"$T/target") == precious ]]
}

@test "a link to a directory is replaced itself" {
    mkdir "$DIR/d"
    ln -s d "$DIR/a"
    asked a new
    serve
    expect 0 'a=new d/' +a:3
}

@test "a dangling link is replaced itself" {
    ln -s "$T/nowhere" "$DIR/a"
    asked a new
    serve
    expect 0 'a=new' +a:3
    [[ ! -e $T/nowhere ]]
}

@test "a link to itself is replaced" {
    ln -s a "$DIR/a"
    asked a new
    serve
    expect 0 'a=new' +a:3
}

@test "a fifo is replaced, and nobody waits for a reader" {
    mkfifo "$DIR/a"
    asked a new
    serve
    expect 0 'a=new' +a:3
}

@test "a hard link: the other name keeps the old content" {
    echo -n old >"$DIR/a"
    ln "$DIR/a" "$DIR/b"
    asked a new
    serve
    expect 0 'a=new b=old' +a:3
}

@test "who has the old file open reads the old content" {
    echo -n old >"$DIR/a"
    exec 9<"$DIR/a"
    asked a new
    serve 9<&-
    IFS= read -r -d '' old <&9 || true
    exec 9<&-
    expect 0 'a=new' +a:3
    [[ $old == old ]]
}

@test "a target in a directory: as in the root" {
    mkdir "$DIR/d"
    ln -s "$T/nowhere" "$DIR/d/l"
    echo -n old >"$DIR/d/f"
    asked d/l 1
    asked d/f 2
    serve
    expect 0 'd/ d/f=2 d/l=1' +d/l:1 +d/f:1
}

@test "a file is 0640 whatever the umask, the old file's mode is not kept" {
    (umask 0 && echo -n old >"$DIR/a" && chmod 0777 "$DIR/a")
    plain a new
    plain b new
    umask 0
    serve
    expect 0 'a=new b=new'
    [[ $(stat -c %a "$DIR/a" "$DIR/b") == $'640\n640' ]]
}

@test "a set-group-ID directory hands its group down" {
    need_root
    mkdir "$DIR/d"
    chgrp 12345 "$DIR/d"
    chmod 2770 "$DIR/d"
    plain d/a 1
    plain d/a 2
    plain d/b 1
    serve
    expect 0 'd/ d/a=2 d/b=1'
    [[ $(stat -c %g "$DIR/d/a" "$DIR/d/b") == $'12345\n12345' ]]
}
