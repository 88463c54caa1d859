#!/usr/bin/env bats
# How much a connection may bring, how long and how fast; how much space stays
# free; and a disk that becomes full.

# shellcheck disable=SC2034,SC2086 # for common.bash; ids are words

load lib/common
load lib/upload_common

# --max-session: too-large with retry, and the stream ends.

over_put='{"ok":false,"cmd":"put","error":"too-large","retry":true,*'
over_last='{"ok":false,"error":"too-large","retry":true,*'

@test "--max-session: just as many bytes" {
    asked a 12345
    asked b 67890
    asked c ''
    frame '{"cmd":"hello","reply":true}'
    finish
    serve --max-session=10
    expect 0 'a=12345 b=67890 c=' +a:5 +b:5 +c:0 '{"ok":true,"cmd":"hello",*,"max_session":10}' end:3:0:10
}

@test "--max-session: one byte more ends the stream, what came before is stored" {
    asked a 12345
    plain x 67
    asked b 890a
    asked c 1
    finish
    serve --max-session=10
    expect 75 'a=12345 x=67' +a:5 "$over_put"
    [[ ${RECEIPTS[1]} == *'"filename":"b"'* ]]
}

@test "--max-session: a file that alone is more" {
    asked a 12345678901
    serve --max-session=10
    expect 75 '' "$over_put"
}

@test "--max-session: told before the body comes, and the stream ends then" {
    dialogue --socket --options=--max-session=10 \
        'frame={"cmd":"put","filename":"a","filesize":11,"reply":true}' line ended-held
    expect 75 '' "$over_put"
}

@test "--max-session: asked before, not now: the last line" {
    asked a 12345
    plain b 678901
    serve --max-session=10
    expect 75 'a=12345' +a:5 "$over_last"
}

@test "--max-session: who never asked is told nothing" {
    plain a 12345
    plain b 678901
    serve --max-session=10
    expect 75 'a=12345'
    [[ -z $RAW ]]
}

@test "--max-session: parts count, what they brought is held" {
    part $ID 0 12345
    part $ID 5 67890
    part $ID 10 x
    again --max-session=10
    expect 75 '' $ID@5 $ID@10 "$over_put"
    part $ID 10 x
    commit $ID a 11
    serve --max-session=10
    expect 0 'a=1234567890x' $ID@11 =a:11
}

@test "--max-session: a commit brings nothing" {
    part $ID 0 1234567890
    commit $ID a 10
    serve --max-session=10
    expect 0 'a=1234567890' $ID@10 =a:10
}

@test "--max-session: bodies of what is refused count too" {
    asked ../a 123456
    frame '{"cmd":"frob","filesize":4,"reply":true}' 7890
    frame '{"cmd":"hello","filesize":1,"reply":true}' x
    serve --max-session=10
    expect 75 '' !put:bad-name !frob:unknown-cmd '{"ok":false,"cmd":"hello","error":"too-large","retry":true,*'
}

@test "--max-session=0 is no limit, and hello tells none" {
    asked a 1234567890
    frame '{"cmd":"hello","reply":true}'
    serve --max-session=0
    expect 0 'a=1234567890' +a:10 '{"ok":true,*'
    [[ $RAW != *max_session* ]]
}

@test "--max-session: too large for a file is another thing: the stream goes on" {
    asked a 123456
    asked b 12345
    serve --max-size=5 --max-session=11
    expect 0 'b=12345' !put:too-large:a +b:5
}

@test "options of limits: what is none of their values" {
    for option in --max-session=-1 --max-session=x --max-session= --max-session=1KB --max-session=5% \
        --max-session=9007199254740992 --max-partial=x --max-partial= --max-partial=101% --max-partial=-1% \
        --max-partial=50%% --max-partial=9007199254740992 --min-free=101% --min-free=% --keep-partial=0 \
        --keep-partial=-1 --keep-partial= --keep-partial=3661 --keep-partial=1.5 --min-rate=x --min-rate=-1 \
        --min-rate= --session-timeout=-1 --session-timeout=x --session-timeout=31622401 --session-timeout=; do
        serve $option
        expect 64 ''
        logged 1
        [[ ${LOG[0]} == *"${option%%=*}"* ]] || fail "the option is not named: $option"
    done
}

@test "options of limits: the greatest and the smallest" {
    asked a 1
    serve --max-session=9007199254740991 --max-partial=9007199254740991 --keep-partial=3660 \
        --min-rate=9007199254740991 --session-timeout=31622400
    expect 0 'a=1' +a:1
    serve --max-session=1 --max-partial=100% --max-partial=0% --keep-partial=1 --min-rate=0 --session-timeout=1
    expect 0 'a=1' +a:1
}

# --max-size, of parts and commits.

@test "--max-size: parts up to just as many bytes, not one more" {
    part $ID 0 12345
    part $ID 5 678901
    part $ID 5 67890
    part $ID 10 x
    part $ID 10 ''
    commit $ID a 10
    serve --max-size=10
    expect 0 'a=1234567890' $ID@5 !put:too-large $ID@10 !put:too-large $ID@10 =a:10
}

@test "--max-size: a first part that is more does not make the id" {
    part $ID 0 123456
    ask stat $ID
    serve --max-size=5
    expect 0 '' !put:too-large !stat:unknown-id
    leaves 0
}

@test "--max-size: a part that lies about itself at the end of all numbers" {
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":9007199254740991,\"reply\":true}"
    serve --max-size=9007199254740990
    expect 0 '' !put:too-large
}

# Deadlines of the session.

part10="frame={\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":1000,\"reply\":true}"
put_a='frame={"cmd":"put","filename":"a","filesize":1,"reply":true}'
put_large='frame={"cmd":"put","filename":"b","filesize":1000,"reply":true}'

@test "--session-timeout between frames: ends silently" {
    talk --session-timeout=1 a:"$put_a" a:bytes=1 a:line a:ended=75
    expect 0 'a=1' +a:1
}

@test "--session-timeout inside a body, however fast its bytes come" {
    talk --session-timeout=1 a:"$put_large" a:trickle=100 a:ended=75
    expect 0 '' !put:timeout:b
}

@test "--session-timeout inside a part: its prefix is held" {
    talk --session-timeout=1 a:"$part10" a:trickle=100 a:ended=75 \
        b:"frame={\"cmd\":\"stat\",\"id\":\"$ID\",\"reply\":true}" b:line b:shut b:ended=0
    answered 0 !put:timeout '{"ok":true,"cmd":"stat","state":"partial",*'
    [[ ${RECEIPTS[1]} != *'"offset":0}' ]] || fail "nothing is held"
}

@test "--session-timeout while frames follow each other without a pause" {
    talk --session-timeout=1 a:slowly='{"cmd":"stat","id":"0123456789abcdef"}' \
        a:slowly='{"cmd":"stat","id":"0123456789abcdef"}' a:ended=75
    expect 0 ''
}

# --min-rate, judged over half a second of waiting here.

rated() {
    OPTIONS=(--min-free=0)
    PUTD=${RATED_PUTD:-$ROOT/build/rate/putd}
    [[ -z ${RATED_PUTD-} ]] || return 0
    make -s -C "$ROOT" B=build/rate CPPFLAGS=-DRATE_WINDOW_MS=500 build/rate/putd >"$T/make" 2>&1 ||
        fail "$(<"$T/make")"
}

@test "--min-rate: a body that comes too slowly" {
    rated
    talk --min-rate=1K a:"$put_a" a:bytes=1 a:line a:"$put_large" a:trickle=200 a:ended=75
    expect 0 'a=1' +a:1 !put:timeout:b
}

@test "--min-rate: a part that comes too slowly, its prefix is held" {
    rated
    talk --min-rate=1K a:"$part10" a:trickle=200 a:ended=75 \
        b:"frame={\"cmd\":\"stat\",\"id\":\"$ID\",\"reply\":true}" b:line b:shut b:ended=0
    answered 0 !put:timeout '{"ok":true,"cmd":"stat","state":"partial",*'
    [[ ${RECEIPTS[1]} != *'"offset":0}' ]] || fail "nothing is held"
}

@test "--min-rate: the body of a refused frame that comes too slowly" {
    rated
    talk --min-rate=1K a:'frame={"cmd":"put","filename":"../b","filesize":1000,"reply":true}' a:line \
        a:trickle=200 a:ended=75
    expect 0 '' !put:bad-name
}

@test "--min-rate: a header that comes too slowly" {
    rated
    talk --min-rate=1K a:"$put_a" a:bytes=1 a:line a:length=1000 a:trickle=200 a:ended=75
    expect 0 'a=1' +a:1 !timeout
}

@test "--min-rate: a body that is just fast enough" {
    rated
    talk --min-rate=1 a:'frame={"cmd":"put","filename":"b","filesize":12,"reply":true}' a:trickle=12 \
        a:line a:shut a:ended=0
    expect 0 'b=xxxxxxxxxxxx' +b:12
}

@test "--min-rate does not judge the time between frames" {
    rated
    talk --min-rate=1M a:slowly='{"cmd":"abort","id":"0123456789abcdef"}' a:"$put_a" a:bytes=1 a:line \
        a:shut a:ended=0
    expect 0 'a=1' +a:1
}

# Free space, on a filesystem of 4 MiB.

# free_space: of the small filesystem, in bytes.
free_space() {
    local blocks size

    read -r blocks size < <(stat -f -c '%a %S' "$DIR")
    FREE=$((blocks * size))
}

small() {
    mounted "mount -t tmpfs -o size=4M none '$DIR'"
    free_space
}

# sized NAME BYTES
sized() {
    frame "{\"cmd\":\"put\",\"filename\":\"$1\",\"filesize\":$2,\"reply\":true}"
    head -c "$2" /dev/zero >>"$IN"
}

@test "--min-free: as much as leaves just the floor" {
    small
    sized a $((FREE - 1048576))
    again --min-free=1M
    answered 0 +a:$((FREE - 1048576))
    free_space
    ((FREE >= 1048576)) || fail "only $FREE are free"
    asked b 1
    serve --min-free=1M
    answered 0 !put:no-space:b
}

@test "--min-free: a byte more is refused before its body, which is skipped" {
    small
    sized a $((FREE - 1048576 + 1))
    asked b 12
    serve --min-free=1M
    expect 0 'b=12' !put:no-space:a +b:2
}

@test "--min-free in percent" {
    small
    sized a $((FREE / 2))
    sized b $((FREE / 4 + 4096))
    sized c $((FREE / 4 - 8192))
    serve --min-free=25%
    answered 0 +a:$((FREE / 2)) !put:no-space:b +c:$((FREE / 4 - 8192))
}

@test "--min-free: parts are judged by what they bring" {
    small
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":2097152,\"reply\":true}"
    head -c 2097152 /dev/zero >>"$IN"
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":2097152,\"filesize\":1048576,\"reply\":true}"
    head -c 1048576 /dev/zero >>"$IN"
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":2097152,\"filesize\":524288,\"reply\":true}"
    head -c 524288 /dev/zero >>"$IN"
    commit $ID a 2621440
    serve --min-free=1M --max-partial=100%
    answered 0 $ID@2097152 !put:no-space $ID@2621440 =a:2621440
}

@test "--min-free: below it an upload that is all there can still be committed" {
    small
    upload $ID hello
    sized a 3000000
    commit $ID b 5
    again
    answered 0 +a:3000000 =b:5
    rm "$DIR/b"
    upload $OTHER hello
    commit $OTHER b 5
    serve --min-free=3M
    answered 0 =b:5
}

@test "--min-free: stat tells what would be refused, of what is still to come" {
    small
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":2097152}"
    head -c 2097152 /dev/zero >>"$IN"
    ask stat $ID ',"size":2621440'
    ask stat $ID ',"size":3670016'
    ask stat $OTHER ',"size":524288'
    ask stat $OTHER ',"size":1572864'
    serve --min-free=1M --max-partial=100%
    answered 0 stat@2097152 !stat:no-space !stat:unknown-id !stat:no-space
}

@test "--max-partial in percent of what is free" {
    small
    sized a 1048576
    : >"$T/body"
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":1310720,\"reply\":true}"
    head -c 1310720 /dev/zero >>"$IN"
    frame "{\"cmd\":\"put\",\"id\":\"$OTHER\",\"offset\":0,\"filesize\":1835008,\"reply\":true}"
    head -c 1835008 /dev/zero >>"$IN"
    serve
    answered 0 +a:1048576 $ID@1310720 !put:no-space
}

# The disk becomes full while a body comes: what is announced was there before.

fill="frame={\"cmd\":\"put\",\"filename\":\"fill\",\"filesize\":3000000,\"reply\":true}"

@test "full in the middle of a body: no-space, in step, the old file is there" {
    small
    echo -n old >"$DIR/b"
    talk a:'frame={"cmd":"put","filename":"b","filesize":2000000,"reply":true}' a:zeros=200000 a:waiting \
        b:"$fill" b:zeros=3000000 b:line b:shut b:ended=0 a:zeros=1800000 a:line a:"$put_a" a:bytes=1 a:line \
        a:'frame={"cmd":"end","reply":true}' a:line a:ended=0
    [[ $(<"$DIR/b") == old ]]
    answered 0 +fill:3000000 !put:no-space:b +a:1 end:1:1:1
}

@test "full in the middle of a part: no-space, its prefix is held, the rest finds room later" {
    small
    talk --max-partial=100% a:"frame={\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":2000000,\"reply\":true}" \
        a:zeros=200000 a:waiting b:"$fill" b:zeros=3000000 b:line b:shut b:ended=0 a:zeros=1800000 a:line \
        a:"frame={\"cmd\":\"stat\",\"id\":\"$ID\",\"reply\":true}" a:line a:shut a:ended=0
    answered 0 +fill:3000000 !put:no-space '{"ok":true,"cmd":"stat","state":"partial",*'
    [[ ${RECEIPTS[2]} =~ \"offset\":([0-9]+) ]]
    local held=${BASH_REMATCH[1]}
    ((held < 2000000)) || fail "held: $held"
    rm "$DIR/fill"
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":$held,\"filesize\":$((2000000 - held))}"
    head -c $((2000000 - held)) /dev/zero >>"$IN"
    sha256 < <(head -c 2000000 /dev/zero)
    commit $ID a 2000000 ",\"sha256\":\"$SHA\""
    serve --max-partial=100%
    answered 0 sha=a:2000000
}

@test "full: a hundred small puts, each ok is there and each refusal is not" {
    local -i i ok=0

    small
    for ((i = 0; i < 100; i++)); do
        printf '%060000d' $i >"$T/body"
        body_of "$T/body" "{\"cmd\":\"put\",\"filename\":\"f$i\",\"filesize\":%s,\"reply\":true}"
    done
    serve
    ((${#RECEIPTS[@]} == 100)) || fail "an answer is missing"
    for ((i = 0; i < 100; i++)); do
        if [[ -e $DIR/f$i ]]; then
            judge "${RECEIPTS[i]}" "+f$i:60000" || fail "f$i is there and not told"
            cmp <(printf '%060000d' $i) "$DIR/f$i"
            ok+=1
        else
            judge "${RECEIPTS[i]}" "!put:no-space:f$i" || fail "f$i is told and not there"
        fi
    done
    ((ok > 50 && ok < 100)) || fail "$ok were stored"
}

@test "full of inodes: no-space, the old files are there" {
    local -i i

    mounted "mount -t tmpfs -o size=4M,nr_inodes=20 none '$DIR'"
    for ((i = 0; i < 40; i++)); do asked f$i $i; done
    part $ID 0 hello
    serve
    for ((i = 0; i < 40; i++)); do
        if [[ -e $DIR/f$i ]]; then
            [[ ${RECEIPTS[i]} == *'"ok":true'* && $(<"$DIR/f$i") == "$i" ]] || fail "f$i"
        else
            judge "${RECEIPTS[i]}" "!put:no-space:f$i" || fail "f$i is told and not there"
        fi
    done
    judge "${RECEIPTS[40]}" !put:no-space || fail "a part"
}
