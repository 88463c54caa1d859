#!/usr/bin/env bats
# Limits of size and space, deadlines, signals, and a disk that is full.

load lib/common

# --max-size

@test "a file of just the greatest size" {
    asked a 12345
    serve --max-size=5
    expect 0 'a=12345' +a:5
}

@test "a file of one byte more is refused and skipped" {
    asked a 123456
    asked b 12345
    serve --max-size=5
    expect 0 'b=12345' !put:too-large:a +b:5
    logged 2
}

@test "a file that is too large leaves the old one" {
    echo -n old >"$DIR/a"
    plain a 123456
    serve --max-size=5
    expect 0 'a=old'
}

# max_size SIZE BYTES: what SIZE means, told by hello, judged on both sides.
max_size() {
    local -i n=$2

    frame '{"cmd":"hello","reply":true}'
    frame "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":$((n + 1)),\"reply\":true}"
    serve --max-size="$1"
    expect 0 '' "{\"ok\":true,\"cmd\":\"hello\",*\"max_size\":$n*}" !put:too-large:a
}

@test "sizes: plain" { max_size 1000 1000; }
@test "sizes: K" { max_size 1K 1024; }
@test "sizes: M" { max_size 3M 3145728; }
@test "sizes: G" { max_size 2G 2147483648; }
@test "sizes: T" { max_size 1T 1099511627776; }

# --min-free

@test "below the floor of free space: refused, skipped, told" {
    plain a 123
    asked b 456
    frame '{"cmd":"end","reply":true}'
    serve --min-free=100%
    expect 0 '' !put:no-space:b '{"ok":false,"cmd":"end",*"files":0,"failed":2,"bytes":0}'
}

@test "below a floor that is given in bytes" {
    asked a 123
    serve --min-free=8191T
    expect 0 '' !put:no-space:a
}

@test "refused for space leaves the old file" {
    echo -n old >"$DIR/a"
    plain a 123
    serve --min-free=100%
    expect 0 'a=old'
}

# Deadlines. Small ones, and only what comes of them is judged.

put_a='frame={"cmd":"put","filename":"a","filesize":1,"reply":true}'
put_large='frame={"cmd":"put","filename":"b","filesize":500,"reply":true}'
plain_a='frame={"cmd":"put","filename":"a","filesize":1}'
plain_large='frame={"cmd":"put","filename":"b","filesize":500}'

@test "idle from the start: ends silently" {
    dialogue --options=--idle-timeout=1 --options=--stall-timeout=60 ended
    expect 75 ''
    logged 1
}

@test "idle after a receipt: ends silently" {
    dialogue --options=--idle-timeout=1 --options=--stall-timeout=60 "$put_a" bytes=1 line ended
    expect 75 'a=1' +a:1
}

@test "idle over a socket" {
    dialogue --socket --options=--idle-timeout=1 "$put_a" bytes=1 line ended
    expect 75 'a=1' +a:1
}

@test "a sender that stored a file and never asked has its own idle time" {
    dialogue --options=--idle-timeout=60 --options=--legacy-idle=1 "$plain_a" bytes=1 ended
    expect 75 'a=1'
}

@test "that idle time may be the longer one" {
    dialogue --options=--idle-timeout=1 --options=--legacy-idle=60 \
        "$plain_a" bytes=1 "exists=$DIR/a" start-twin twin=75 \
        'frame={"cmd":"put","filename":"b","filesize":1}' bytes=2 "exists=$DIR/b" shut ended
    expect 0 'a=1 b=2'
}

@test "that idle time is not for who asked" {
    dialogue --options=--idle-timeout=1 --options=--legacy-idle=60 "$plain_a" bytes=1 "$put_a" bytes=2 ended
    expect 75 'a=2' +a:1
}

@test "stalled in the length" {
    dialogue --options=--stall-timeout=1 bytes=12 ended
    expect 75 ''
    logged 1
}

@test "stalled in the length, asked before" {
    dialogue --options=--stall-timeout=1 "$put_a" bytes=1 bytes=12 ended
    expect 75 'a=1' +a:1 !timeout
}

@test "stalled in a header" {
    dialogue --options=--stall-timeout=1 "$plain_a" bytes=1 'frame={}' "$plain_a" bytes=2 $'bytes=0\x01' ended
    expect 75 'a=2'
}

@test "stalled in a body that asked" {
    dialogue --options=--stall-timeout=1 "$put_a" bytes=1 "$put_large" bytes=1234 ended
    expect 75 'a=1' +a:1 !put:timeout:b
}

@test "stalled in a body that did not ask" {
    dialogue --options=--stall-timeout=1 "$plain_a" bytes=1 "$plain_large" bytes=1234 ended
    expect 75 'a=1'
}

@test "stalled in a body that did not ask, asked before" {
    dialogue --options=--stall-timeout=1 "$put_a" bytes=1 "$plain_large" bytes=1234 ended
    expect 75 'a=1' +a:1 !timeout
}

@test "stalled in a body of which nothing came" {
    dialogue --options=--stall-timeout=1 "$put_large" ended
    expect 75 '' !put:timeout:b
}

@test "stalled in the body of a refused frame: its receipt was sent, none more" {
    dialogue --options=--stall-timeout=1 \
        'frame={"cmd":"put","filename":"../a","filesize":500,"reply":true}' line bytes=1234 ended
    [[ $CODE == 75 && -z $LISTING ]] || fail "expected exit status 75"
    judge "${RECEIPTS[0]}" !put:bad-name
}

@test "stalled in a body leaves the old file" {
    echo -n old >"$DIR/b"
    dialogue --options=--stall-timeout=1 "$plain_large" bytes=1234 ended
    expect 75 'b=old'
}

@test "stalled over a socket, in a body of 10 MiB" {
    dialogue --socket --options=--stall-timeout=1 \
        'frame={"cmd":"put","filename":"b","filesize":10485760,"reply":true}' zeros=5000000 line ended
    expect 75 '' !put:timeout:b
}

@test "who does not read its receipts stalls" {
    dialogue --socket --options=--stall-timeout=1 'until-stuck={"cmd":"hello","reply":true}' dead
    [[ $CODE == 75 && -z $LISTING ]] || fail "expected exit status 75"
}

# Behind the end: what is still sent is read within a bound, and its last line is not
# lost to a reset.

MIB=1048576
ends='{"ok":true,"cmd":"end","files":1,"failed":0,"bytes":1}'

# flood OPTION...: what was built, and see lib/flood.py. $TAKEN bytes were read behind
# it, or are in buffers.
flood() {
    read -r CODE TAKEN < <("$PYTHON" "$LIB/flood.py" --out="$T/out" "$@" -- \
        "$PUTD" "${OPTIONS[@]}" "$DIR" <"$IN" 2>"$T/err" 3>&-) ||
        fail "it did not end: $(<"$T/err")"
    look
}

after_end() {
    : >"$IN"
    asked a 1
    frame '{"cmd":"end","reply":true}'
    flood "$@"
    expect 0 'a=1' +a:1 "$ends"
}

after_bad_frame() {
    : >"$IN"
    asked a 1
    length 1
    flood "$@"
    expect 65 'a=1' +a:1 !bad-frame
}

# all_read KIND: 32 MiB behind the end are read, so that the answer, which is read
# last, is still there.
all_read() {
    after_end --over="$1" --bytes=$((32 * MIB)) --reads-last
    ((TAKEN == 32 * MIB)) || fail "only $TAKEN bytes were taken"
    after_bad_frame --over="$1" --bytes=$((32 * MIB)) --reads-last
    ((TAKEN == 32 * MIB)) || fail "only $TAKEN bytes were taken"
}

@test "what is sent behind the end is read, the answer stays: pipe" { all_read pipe; }
@test "what is sent behind the end is read, the answer stays: unix" { all_read unix; }
@test "what is sent behind the end is read, the answer stays: tcp" { all_read tcp; }

# 256 MiB are read, and what then is in buffers of the kernel is not.
@test "who floods on behind the end is left, after so many bytes" {
    local kind

    for kind in pipe unix tcp; do
        after_end --over="$kind"
        ((TAKEN < 288 * MIB)) || fail "$TAKEN bytes were taken over $kind"
        after_bad_frame --over="$kind"
        ((TAKEN < 288 * MIB)) || fail "$TAKEN bytes were taken over $kind"
    done
}

@test "who sends on for ever behind the end, a byte now and then, is left in time" {
    after_end --over=tcp --slowly
    ((TAKEN > 1)) || fail "not one byte was taken"
}

@test "the same behind a frame that cannot be read" {
    after_bad_frame --slowly
    ((TAKEN > 1)) || fail "not one byte was taken"
}

# SIGTERM: what arrived is answered, what did not is not visible.

@test "SIGTERM between frames" {
    dialogue "$put_a" bytes=1 line gone term ended
    expect 0 'a=1' +a:1
}

@test "SIGTERM between frames, nobody asked" {
    dialogue "$plain_a" bytes=1 "exists=$DIR/a" term ended
    expect 0 'a=1'
}

@test "SIGTERM before the first frame" {
    # It has read what is not yet a frame, so it is there to be told.
    dialogue bytes=1 gone term ended
    expect 0 ''
}

@test "SIGTERM inside a body" {
    dialogue "$put_a" bytes=1 line "$plain_large" bytes=1234 gone term ended
    expect 0 'a=1' +a:1
}

@test "SIGTERM inside a body of 10 MiB, over a socket" {
    dialogue --socket 'frame={"cmd":"put","filename":"b","filesize":10485760}' \
        zeros=5000000 gone term ended
    expect 0 ''
}

@test "SIGTERM inside the body of a refused frame" {
    dialogue 'frame={"cmd":"put","filename":"../a","filesize":500,"reply":true}' line bytes=1234 gone term ended
    expect 0 '' !put:bad-name
}

@test "SIGTERM inside a body leaves the old file" {
    echo -n old >"$DIR/b"
    dialogue "$plain_large" bytes=1234 gone term ended
    expect 0 'b=old'
}

# Two connections at once.

@test "two connections with the same name: the later one's file, whole" {
    dialogue 'frame={"cmd":"put","filename":"a","filesize":4,"reply":true}' bytes=12 gone \
        start-twin twin-frame='{"cmd":"put","filename":"a","filesize":3,"reply":true}' twin-bytes=xyz twin-line \
        bytes=34 line shut ended
    expect 0 'a=1234' +a:4
}

# A disk that is full: a tmpfs of our own, in a mount namespace of our own.

# on_small_disk OPTIONS-OF-TMPFS: serves what was built on it; the listing and
# what came out are as after `serve`.
on_small_disk() {
    need_root
    need_tool unshare
    unshare --mount true 2>/dev/null || cannot "no mount namespace here"
    export -f list
    CODE=0
    # shellcheck disable=SC2016 # expanded inside
    unshare --mount bash -c '
        mount -t tmpfs -o "$1" none "$2" || exit 99
        cat "$3" | "${@:4}" "$2"
        code=$?
        list "$2"
        echo "$LISTING" >"$3.listing"
        exit "$code"
    ' - "$1" "$DIR" "$IN" "$PUTD" "${OPTIONS[@]}" >"$T/out" 2>"$T/err" 3>&- ||
        CODE=$?
    look
    [[ -z $LISTING ]] || fail "something was stored beside the small disk"
    read -r LISTING <"$IN.listing" || true
}

# put_of NAME SIZE
put_of() {
    local body

    printf -v body "%0$2d" 0
    asked "$1" "$body"
}

@test "a full disk: refused, the earlier files stay, a later small one is stored" {
    put_of a 400000
    put_of b 900000
    put_of c 5
    frame '{"cmd":"end","reply":true}'
    on_small_disk size=1m
    expect 0 "a=(400000 bytes) c=00000" +a:400000 !put:no-space:b +c:5 \
        '{"ok":false,"cmd":"end",*"files":2,"failed":1,"bytes":400005}'
}

@test "a full disk: files until nothing fits, then none, all in step" {
    local -i i

    for i in 1 2 3 4 5 6; do put_of "f$i" 300000; done
    asked a 1
    on_small_disk size=1m
    expect 0 "a=1 f1=(300000 bytes) f2=(300000 bytes) f3=(300000 bytes)" \
        +f1:300000 +f2:300000 +f3:300000 \
        !put:no-space:f4 !put:no-space:f5 !put:no-space:f6 +a:1
}

@test "a full disk: nobody asked, nobody is told" {
    plain a "$(printf '%02000000d' 0)"
    plain b 2
    on_small_disk size=1m
    expect 0 "b=2"
    logged 2
}

@test "a full disk: a file is not replaced by what does not fit" {
    put_of a 400000
    put_of a 900000
    on_small_disk size=1m
    expect 0 "a=(400000 bytes)" +a:400000 !put:no-space:a
}

@test "a disk without a free inode" {
    local -i i

    for i in 1 2 3 4 5 6 7 8; do asked "f$i" "$i"; done
    on_small_disk size=1m,nr_inodes=6
    [[ $CODE == 0 && $LISTING == 'f1=1 f2=2'* ]] || fail "expected exit status 0"
    ((${#RECEIPTS[@]} == 8)) || fail "expected 8 receipts"
    judge "${RECEIPTS[0]}" +f1:1
    judge "${RECEIPTS[7]}" !put:no-space:f8
}
