#!/usr/bin/env bats
# put-protocol(7), COMMANDS: parts of uploads by id: which are taken, what is
# held of them, and who may write. commit, stat and abort are in commit.bats.

# shellcheck disable=SC2086 # ids are words

load lib/common
load lib/upload_common

# A part, and where it must start.

@test "a part of 0 bytes at offset 0 makes the id" {
    part $ID 0 ''
    ask stat $ID
    serve
    expect 0 '' $ID@0 stat@0
}

@test "nothing is published by parts" {
    part $ID 0 hello
    part $ID 5 ''
    part $ID 5 world
    serve
    expect 0 '' $ID@5 $ID@5 $ID@10
}

@test "parts that nobody asked about are held" {
    silent_part $ID 0 hello
    silent_part $ID 5 world
    ask stat $ID
    commit $ID a 10
    serve
    expect 0 'a=helloworld' stat@10 =a:10
}

# offset_refused HELD OFFSET: a part at OFFSET is told HELD, its body skipped,
# nothing of it kept; asked in the same stream as the parts before, and later.
offset_refused() {
    local -a want=()
    local body

    printf -v body '%*s' "$1" ''
    body=${body// /x}
    if (($1 > 0)); then
        part $ID 0 "$body"
        want=("$ID@$1")
    fi
    part $ID "$2" zzz
    part $ID "$1" y
    again
    expect 0 '' "${want[@]}" "!put:bad-offset@$1" "$ID@$(($1 + 1))"
    part $ID "$(($2 > $1 ? $2 + 1 : $2))" zzz
    commit $ID a "$(($1 + 1))"
    again
    expect 0 "a=${body}y" "!put:bad-offset@$(($1 + 1))" "=a:$(($1 + 1))"
}

@test "offset 1 of an unknown id" { offset_refused 0 1; }
@test "offset 2^53-1 of an unknown id" { offset_refused 0 9007199254740990; }
@test "offset one below what is held" { offset_refused 5 4; }
@test "offset one above what is held" { offset_refused 5 6; }
@test "offset 0 of an id that has bytes" { offset_refused 5 0; }
@test "offset 0 of an id that has one byte" { offset_refused 1 0; }

@test "an offset that is refused does not make the id" {
    part $ID 1 x
    ask stat $ID
    serve
    expect 0 '' !put:bad-offset@0 !stat:unknown-id
    leaves 0
}

@test "a refusal of the offset comes before the body, which may then not come" {
    part $ID 0 hello
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":4,\"filesize\":1000,\"reply\":true}"
    again
    expect 0 '' $ID@5 !put:bad-offset@5
    ask stat $ID
    serve
    expect 0 '' stat@5
}

@test "a part of 0 bytes at a wrong offset is refused too" {
    part $ID 0 hello
    part $ID 4 ''
    part $ID 6 ''
    serve
    expect 0 '' $ID@5 !put:bad-offset@5 !put:bad-offset@5
}

# Many of them.

@test "eighty parts, pipelined, of 1 to 80 bytes" {
    local -i i at=0
    local -a want=()

    head -c 3240 /dev/urandom >"$T/all"
    for ((i = 1; i <= 80; i++)); do
        frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":$at,\"filesize\":$i,\"reply\":true}"
        tail -c +$((at + 1)) "$T/all" | head -c "$i" >>"$IN"
        at+=i
        want+=("$ID@$at")
    done
    sha256 <"$T/all"
    commit $ID a $at ",\"sha256\":\"$SHA\""
    serve
    answered 0 "${want[@]}" '{"ok":true,"cmd":"commit",*'
    cmp "$T/all" "$DIR/a"
}

@test "one part on each of twenty connections" {
    local -i i

    for ((i = 0; i < 20; i++)); do
        part $ID $i x
        again
        judge "${RECEIPTS[0]}" "$ID@$((i + 1))" || fail "not held"
    done
    commit $ID a 20
    again
    expect 0 "a=xxxxxxxxxxxxxxxxxxxx" =a:20
    leaves 1
}

@test "two ids, their parts in turn" {
    part $ID 0 a
    part $OTHER 0 1
    part $ID 1 b
    part $OTHER 1 2
    part $ID 2 c
    commit $OTHER two 2
    part $ID 3 d
    commit $ID one 4
    serve
    expect 0 'one=abcd two=12' $ID@1 $OTHER@1 $ID@2 $OTHER@2 $ID@3 =two:2 $ID@4 =one:4
}

@test "receipts of parts, whole puts and commits come in order" {
    asked a 1
    part $ID 0 x
    asked b 22
    asked c 333
    commit $ID d 1
    asked e 4444
    ask stat $ID
    asked ../f 1
    ask abort $OTHER
    asked g 55555
    finish
    serve
    expect 0 'a=1 b=22 c=333 d=x e=4444 g=55555' +a:1 $ID@1 +b:2 +c:3 =d:1 +e:4 \
        stat=d:1 !put:bad-name aborted +g:5 end:6:1:16
}

@test "hello tells all six commands" {
    frame '{"cmd":"hello","reply":true}'
    serve --keep-partial=3
    expect 0 '' '{"ok":true,"cmd":"hello",*"commands":["put","commit","stat","abort","end","hello"],*"keep":259200*}'
}

# Large ones, that go another way to the disk: sizes around its blocks.

# in_parts SIZE...: the file arrives whole.
in_parts() {
    local -i at=0
    local -a want=()

    random "$T/all" $((${*/%/+}0))
    for size in "$@"; do
        frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":$at,\"filesize\":$size,\"reply\":true}"
        tail -c +$((at + 1)) "$T/all" | head -c "$size" >>"$IN"
        at+=size
        want+=("$ID@$at")
    done
    commit $ID a $at ",\"sha256\":\"$SHA\""
    serve
    answered 0 "${want[@]}" '{"ok":true,"cmd":"commit",*,"sha256":"'"$SHA"'"}'
    cmp "$T/all" "$DIR/a"
}

@test "parts of a block each" { in_parts 1048576 1048576 1048576; }
@test "parts of a block, a byte, a block" { in_parts 1048576 1 1048576; }
@test "parts of a byte, ten blocks and a byte, a block less one" { in_parts 1 10485761 1048575; }
@test "parts of 4095 bytes, then two blocks, then 4097 bytes, then a block" {
    in_parts 4095 2097152 4097 1048576
}

# Breaking off: the prefix is kept.

# broken STREAM-LENGTH: the body of a part of 10 bytes behind 5 held ones ends
# after so many of them.
broken() {
    part $ID 0 hello
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":5,\"filesize\":10,\"reply\":true}"
    printf '%.*s' "$1" abcdefghij >>"$IN"
    again
    expect 65 '' $ID@5 !put:mismatch
    ask stat $ID
    part $ID $((5 + $1)) klm
    commit $ID a $((8 + $1))
    again
    expect 0 "a=hello$(printf '%.*s' "$1" abcdefghij)klm" "stat@$((5 + $1))" \
        "$ID@$((8 + $1))" "=a:$((8 + $1))"
}

@test "the stream ends before the first byte of a part" { broken 0; }
@test "the stream ends behind the first byte of a part" { broken 1; }
@test "the stream ends before the last byte of a part" { broken 9; }

@test "the stream ends in the first part: the id is made, its prefix held" {
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":10}" abc
    again
    expect 65 ''
    ask stat $ID
    serve
    expect 0 '' stat@3
}

@test "the stream ends in the middle of a large part" {
    random "$T/all" 7000001
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":7000001,\"reply\":true}"
    head -c 3333333 "$T/all" >>"$IN"
    again
    expect 65 '' !put:mismatch
    ask stat $ID
    again
    expect 0 '' stat@3333333
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":3333333,\"filesize\":3666668}"
    tail -c +3333334 "$T/all" >>"$IN"
    commit $ID a 7000001 ",\"sha256\":\"$SHA\""
    serve
    answered 0 '{"ok":true,"cmd":"commit",*'
    cmp "$T/all" "$DIR/a"
}

part10="frame={\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":10,\"reply\":true}"
part_at() { PART="frame={\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":$1,\"filesize\":$2,\"reply\":true}"; }
stat_it="frame={\"cmd\":\"stat\",\"id\":\"$ID\",\"reply\":true}"
commit10="frame={\"cmd\":\"commit\",\"id\":\"$ID\",\"filename\":\"a\",\"size\":10,\"reply\":true}"
abort_it="frame={\"cmd\":\"abort\",\"id\":\"$ID\",\"reply\":true}"

@test "the stall deadline in a part: the prefix is held" {
    talk --stall-timeout=1 a:"$part10" a:bytes=1234 a:ended=75 \
        b:"$stat_it" b:line b:shut b:ended=0
    expect 0 '' !put:timeout stat@4
}

@test "SIGTERM in a part: the prefix is held" {
    talk a:"$part10" a:bytes=1234 a:waiting a:term a:ended=0 \
        b:"$stat_it" b:line b:shut b:ended=0
    [[ ${RECEIPTS[*]} == *'"state":"partial","offset":4}'* ]] || fail "not held"
}

@test "SIGTERM in a large part: the prefix is held" {
    part_at 0 100000000
    talk a:"$PART" a:zeros=3000001 a:waiting a:term a:ended=0 \
        b:"$stat_it" b:line b:shut b:ended=0
    [[ ${RECEIPTS[*]} == *'"state":"partial","offset":3000001}'* ]] || fail "not held"
}

# held_now: what is held of $ID, in $HELD.
held_now() {
    : >"$IN"
    ask stat $ID
    again
    [[ ${RECEIPTS[0]} =~ ^'{"ok":true,"cmd":"stat","state":"partial","offset":'([0-9]+)'}'$ ]] ||
        fail "nothing held"
    HELD=${BASH_REMATCH[1]}
}

# resumed FILE: the rest of it, from what is held, and the commit.
resumed() {
    local size

    size=$(stat -c %s "$1")
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":$HELD,\"filesize\":$((size - HELD))}"
    tail -c +$((HELD + 1)) "$1" >>"$IN"
    commit $ID a $size ",\"sha256\":\"$SHA\""
    again
    answered 0 "sha=a:$size"
    cmp "$1" "$DIR/a"
}

@test "killed in a part: what a receipt told is held, at most what came; the rest resumes right" {
    random "$T/all" 5000000
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":2000000}"
    head -c 2000000 "$T/all" >>"$IN"
    again
    part_at 2000000 3000000
    talk a:"$PART" a:file="$T/all:2000000:1500000" a:waiting a:kill
    held_now
    ((HELD >= 2000000 && HELD <= 3500000)) || fail "held: $HELD"
    resumed "$T/all"
}

@test "killed in a large part: at most 64 MiB of it are lost" {
    random "$T/all" 75000000
    part_at 0 75000000
    talk a:"$PART" a:file="$T/all:0:70000000" a:waiting a:kill
    held_now
    ((HELD >= 70000000 - 67108864 && HELD <= 70000000)) || fail "held: $HELD"
    resumed "$T/all"
}

@test "killed in a slow part: what came more than two seconds ago is held" {
    part_at 0 1000
    talk a:"$PART" a:trickle=26 a:waiting a:kill
    held_now
    ((HELD > 0 && HELD <= 26)) || fail "held: $HELD"
}

@test "killed ten times in the same upload, each time a little further" {
    local -i i size=20000

    random "$T/all" $size
    HELD=0
    for ((i = 1; i <= 10; i++)); do
        frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":$HELD,\"filesize\":1500,\"reply\":true}"
        tail -c +$((HELD + 1)) "$T/all" | head -c 1500 >>"$IN"
        again
        part_at $((HELD + 1500)) 1000
        talk a:"$PART" a:bytes=wrong a:waiting a:kill
        held_now
        ((HELD == 1500 * i)) || fail "held: $HELD"
    done
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":$HELD,\"filesize\":$((size - HELD))}"
    tail -c +$((HELD + 1)) "$T/all" >>"$IN"
    commit $ID a $size ",\"sha256\":\"$SHA\""
    serve
    answered 0 '{"ok":true,"cmd":"commit",*'
}

@test "a part that was made and killed at once holds nothing, and the id is usable" {
    talk a:"$part10" a:bytes=1234 a:waiting a:kill
    upload $ID hello
    commit $ID a 5
    serve
    expect 0 'a=hello' =a:5
}

# A header that lies reserves nothing once its part has broken off.

# reserved FILE...: none of them has much more disk than bytes.
reserved() {
    local size blocks

    while read -r size blocks; do
        ((blocks * 512 < size + 1048576)) || fail "$size bytes take $((blocks * 512))"
    done < <(stat -c '%s %b' "$@")
}

@test "what a part announced and did not bring takes no disk, nor does its file" {
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":50000000}"
    head -c 2000000 /dev/zero >>"$IN"
    again
    reserved "$DIR"/.putd/*
    commit $ID a 2000000
    serve
    answered 0 =a:2000000
    reserved "$DIR/a"
}

@test "what a killed part announced takes no disk once its id is used again" {
    part_at 0 50000000
    talk a:"$PART" a:zeros=2000000 a:waiting a:kill
    ask stat $ID
    again
    reserved "$DIR"/.putd/*
}

# Hostile ids, and headers that mix what does not go together.

# id_refused ID [ERROR]: on every command that takes one; ends in step.
id_refused() {
    part "$1" 0 x
    commit "$1" a 1
    ask stat "$1"
    ask abort "$1"
    asked zz 2
    serve
    expect 0 'zz=2' !put:bad-header '{"ok":false,"cmd":"commit","error":"bad-header",*' \
        !stat:bad-header !abort:bad-header +zz:1
    leaves 0
}

@test "an id of 15 characters" { id_refused 0123456789abcde; }
@test "an id of 65 characters" { id_refused "$(printf '%065d' 0)"; }
@test "an id of 60000 characters" { id_refused "$(printf '%060000d' 0)"; }
@test "the empty id" { id_refused ''; }
@test "an id in upper case" { id_refused 0123456789ABCDEF; }
@test "an id with one upper-case letter" { id_refused 0123456789abcdeF; }
@test "an id of dots" { id_refused ................; }
@test "an id with a dot" { id_refused 0123456789abcde.part; }
@test "an id with a slash" { id_refused 01234567/9abcdef; }
@test "an id that leads elsewhere" { id_refused ../../../../../../etc/passwd; }
@test "an id with a space" { id_refused '0123456789 abcdef'; }
@test "an id with a newline at its end" { id_refused '0123456789abcdef\n'; }
@test "an id with U+00E9" { id_refused '0123456789abcd\u00e9'; }
@test "an id with raw UTF-8" { id_refused $'0123456789abcde\xc3\xa9'; }
@test "an id with DEL" { id_refused '0123456789abcdef\u007f'; }
@test "an id with U+FF10, a digit elsewhere" { id_refused '0123456789abcdef\uff10'; }
@test "an id with a percent sign" { id_refused '%30123456789abcdef'; }
@test "an id with a plus sign" { id_refused '+0123456789abcdef'; }
@test "an id with an equals sign" { id_refused '0123456789abcdef='; }

@test "an id with U+0000 cannot be read with one meaning" {
    asked a 1
    ask stat '0123456789abcdef\u0000'
    serve
    expect 65 'a=1' +a:1 !bad-frame
}

# id_taken ID
id_taken() {
    part "$1" 0 x
    commit "$1" a 1
    ask stat "$1"
    serve
    expect 0 'a=x' "$1@1" =a:1 stat=a:1
}

@test "an id of 16 characters" { id_taken 0123456789abcdef; }
@test "an id of 64 characters" { id_taken "$(printf '%064d' 0)"; }
@test "an id of every character there is" { id_taken abcdefghijklmnopqrstuvwxyz0123456789_-; }
@test "an id of dashes" { id_taken ----------------; }
@test "an id that looks like an option" { id_taken --if-exists-keep; }
@test "an id told with escapes is the same id" {
    frame '{"cmd":"put","id":"\u0030123456789abcdef","offset":0,"filesize":1,"reply":true}' x
    ask stat $ID
    serve
    expect 0 '' $ID@1 stat@1
}

@test "ids of 16 and of 17 characters are two" {
    part $ID 0 x
    part ${ID}0 0 yy
    ask stat $ID
    ask stat ${ID}0
    serve
    expect 0 '' $ID@1 ${ID}0@2 stat@1 stat@2
}

# mixed KEYS [CMD]: refused as bad-header, its body skipped.
mixed() {
    frame "{\"cmd\":\"${2:-put}\",$1,\"filesize\":3,\"reply\":true}" abc
    ask stat $ID
    asked zz 2
    serve
    expect 0 'zz=2' "{\"ok\":false,\"cmd\":\"${2:-put}\",\"error\":\"bad-header\",\"retry\":false,*" \
        !stat:unknown-id +zz:1
    leaves 0
}

@test "put: id, offset and filename" { mixed "\"id\":\"$ID\",\"offset\":0,\"filename\":\"a\""; }
@test "put: id and filename" { mixed "\"id\":\"$ID\",\"filename\":\"a\""; }
@test "put: offset and filename" { mixed '"offset":0,"filename":"a"'; }
@test "put: id alone" { mixed "\"id\":\"$ID\""; }
@test "put: offset alone" { mixed '"offset":0'; }
@test "put: none of the three" { mixed '"x":0'; }
@test "a part with sha256 in hex" { mixed "\"id\":\"$ID\",\"offset\":0,\"sha256\":\"$(printf '%064d' 0)\""; }
@test "a part with sha256 true" { mixed "\"id\":\"$ID\",\"offset\":0,\"sha256\":true"; }
@test "a part with mtime" { mixed "\"id\":\"$ID\",\"offset\":0,\"mtime\":1"; }
@test "a part with mtime 0" { mixed "\"id\":\"$ID\",\"offset\":0,\"mtime\":0"; }
@test "a part with if_exists" { mixed "\"id\":\"$ID\",\"offset\":0,\"if_exists\":\"replace\""; }
@test "a part with filename null" { mixed "\"id\":\"$ID\",\"offset\":0,\"filename\":null"; }
@test "a part with offset null" { mixed "\"id\":\"$ID\",\"offset\":null"; }
@test "a part with an offset that is a string" { mixed "\"id\":\"$ID\",\"offset\":\"0\""; }
@test "a part with offset -1" { mixed "\"id\":\"$ID\",\"offset\":-1"; }
@test "a part with offset 0.0" { mixed "\"id\":\"$ID\",\"offset\":0.0"; }
@test "a part with offset 1e3" { mixed "\"id\":\"$ID\",\"offset\":1e3"; }
@test "a part with offset 2^53" { mixed "\"id\":\"$ID\",\"offset\":9007199254740992"; }
@test "a part with an id that is a number" { mixed '"id":1234567890123456,"offset":0'; }
@test "a part with an id that is null" { mixed '"id":null,"offset":0'; }
@test "commit without id" { mixed '"filename":"a","size":0' commit; }
@test "commit without filename" { mixed "\"id\":\"$ID\",\"size\":0" commit; }
@test "commit without size" { mixed "\"id\":\"$ID\",\"filename\":\"a\"" commit; }
@test "commit with size -1" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":-1" commit; }
@test "commit with size 0.0" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":0.0" commit; }
@test "commit with size 1.5" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":1.5" commit; }
@test "commit with size 1e3" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":1e3" commit; }
@test "commit with size 0e0" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":0e0" commit; }
@test "commit with size -0" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":-0" commit; }
@test "commit with size 2^53" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":9007199254740992" commit; }
@test "commit with size null" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":null" commit; }
@test "commit with sha256 false" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":0,\"sha256\":false" commit; }
@test "commit with if_exists of another word" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":0,\"if_exists\":\"overwrite\"" commit; }
@test "stat without id" { mixed '"filename":"a"' stat; }
@test "stat with a size that is a string" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":\"1\"" stat; }
@test "stat with size 1.0" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":1.0" stat; }
@test "stat with size 1.5" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":1.5" stat; }
@test "stat with size 1E3" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":1E3" stat; }
@test "stat with size -1" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":-1" stat; }
@test "stat with size 2^53" { mixed "\"id\":\"$ID\",\"filename\":\"a\",\"size\":9007199254740992" stat; }
@test "stat with if_exists null" { mixed "\"id\":\"$ID\",\"if_exists\":null" stat; }
@test "abort without id" { mixed '"x":1' abort; }

@test "keys of uploads may be named in need" {
    part $ID 0 x ',"need":["id","offset","filesize","reply"]'
    commit $ID a 1 ',"need":["id","size","sha256","mtime","if_exists","filename"]'
    serve
    expect 0 'a=x' $ID@1 =a:1
}

# busy: only while another connection is inside.

@test "inside a part: busy for a part, a commit, stat and abort of others" {
    part_at 0 1
    talk a:"$part10" a:bytes=12345 a:waiting \
        b:"$PART" b:line b:bytes=x b:"$commit10" b:line b:"$stat_it" b:line b:"$abort_it" b:line \
        a:bytes=67890 a:line a:waiting \
        b:"$stat_it" b:line b:"$commit10" b:line b:shut b:ended=0 a:shut a:ended=0
    expect 0 'a=1234567890' !put:busy !commit:busy:a !stat:busy !abort:busy \
        $ID@10 stat@10 =a:10
}

@test "between two parts, while nobody writes: free for others, who may go on" {
    part_at 5 3
    local more=$PART

    part_at 0 5
    talk a:"$PART" a:bytes=hello a:line a:waiting b:"$more" b:bytes=you b:line b:waiting \
        a:"$more" a:line a:bytes=xxx a:"$stat_it" a:line a:shut a:ended=0 b:shut b:ended=0
    expect 0 '' $ID@5 $ID@8 !put:bad-offset@8 stat@8
}

# Ten times: who is slow to let go is not always caught.
@test "free as soon as the part's receipt is there" {
    local -i i
    local -a steps=() want=()

    for ((i = 0; i < 10; i++)); do
        part_at $i 1
        steps+=(a:"$PART" a:bytes=x a:line b:"$stat_it" b:line)
        want+=("$ID@$((i + 1))" "stat@$((i + 1))")
    done
    talk "${steps[@]}" b:shut b:ended=0 a:shut a:ended=0
    expect 0 '' "${want[@]}"
}

@test "committed by another one between two parts: exists, and its state" {
    part_at 10 1
    talk a:"$part10" a:bytes=1234567890 a:line a:waiting b:"$commit10" b:line b:shut b:ended=0 \
        a:"$PART" a:line a:bytes=x a:"$commit10" a:line a:shut a:ended=0
    expect 0 'a=1234567890' $ID@10 =a:10 \
        '{"ok":false,"cmd":"put","error":"exists","retry":false,*,"state":"stored"}' =a:10
}

@test "forgotten by another one between two parts: bad-offset, from 0 again" {
    part_at 10 1
    talk a:"$part10" a:bytes=1234567890 a:line a:waiting b:"$abort_it" b:line b:shut b:ended=0 \
        a:"$PART" a:line a:bytes=x a:"$part10" a:bytes=0987654321 a:line a:"$commit10" a:line a:shut a:ended=0
    expect 0 'a=0987654321' $ID@10 aborted !put:bad-offset@0 $ID@10 =a:10
}

@test "in the length of the next frame: free for others" {
    talk a:"$part10" a:bytes=1234567890 a:line a:bytes=x a:waiting b:"$commit10" b:line \
        b:shut b:ended=0 a:kill
    expect 0 'a=1234567890' $ID@10 =a:10
}

@test "inside a whole put behind a part: free for others" {
    talk a:"$part10" a:bytes=1234567890 a:'frame={"cmd":"put","filename":"b","filesize":5}' \
        a:bytes=abc a:line a:waiting b:"$commit10" b:line b:shut b:ended=0 a:bytes=de a:shut a:ended=0
    expect 0 'a=1234567890 b=abcde' $ID@10 =a:10
}

@test "inside a part of one id: another id is free" {
    talk a:"$part10" a:bytes=12345 a:waiting \
        b:"frame={\"cmd\":\"put\",\"id\":\"$OTHER\",\"offset\":0,\"filesize\":1,\"reply\":true}" b:bytes=x b:line \
        b:shut b:ended=0 a:shut a:ended=65
    expect 0 '' $OTHER@1 !put:mismatch
}

@test "a connection that is killed in a part is busy no more" {
    talk a:"$part10" a:bytes=12345 a:waiting a:kill b:"$stat_it" b:line b:shut b:ended=0
    [[ ${RECEIPTS[0]} == *'"state":"partial"'* ]] || fail "still busy"
}

@test "the body of a refused part does not make its id busy" {
    part_at 3 10
    talk a:"$PART" a:line a:bytes=12345 a:waiting b:"$part10" b:bytes=1234567890 b:line \
        b:"$commit10" b:line b:shut b:ended=0 a:shut a:ended=0
    expect 0 'a=1234567890' !put:bad-offset@0 $ID@10 =a:10
}

# A private directory that is not one: nothing leads out of the root.

# no_private COMMAND: it puts something in the place of .putd.
no_private() {
    mkdir "$T/outside"
    (cd "$DIR" && eval "$1")
    part $ID 0 hello
    ask stat $ID
    asked a 1
    commit $ID b 5
    ask abort $ID
    asked c 3
    serve
    ((${#RECEIPTS[@]} == 6)) || fail "an answer is missing"
    [[ ${RECEIPTS[0]} == '{"ok":false,'* && ${RECEIPTS[3]} == '{"ok":false,'* ]] || fail "a part was taken"
    judge "${RECEIPTS[2]}" +a:1 || fail "a put was not"
    judge "${RECEIPTS[5]}" +c:1 || fail "a put was not"
    list "$T/outside"
    [[ -z $LISTING ]] || fail "outside: $LISTING"
}

@test ".putd is a link to the outside" { no_private 'ln -s ../outside .putd'; }
@test ".putd is a link to a directory of the root" { no_private 'mkdir d; ln -s d .putd'; }
@test ".putd is a file" { no_private 'echo >.putd'; }
@test ".putd is a dangling link" { no_private 'ln -s ../outside/new .putd'; }

@test "sixteen connections on one id: no byte of one among those of another" {
    local -i i
    local letter

    for ((i = 0; i < 16; i++)); do
        printf -v letter '%x' $i
        : >"$IN"
        frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":200000,\"reply\":true}"
        head -c 200000 /dev/zero | tr '\0' "$letter" >>"$IN"
        cp "$IN" "$T/in.$i"
    done
    sixteen_at_once
    (($(wc -l <"$T/all") == 16)) || fail "an answer is missing"
    (($(grep -c '"ok":true' "$T/all") == 1)) || fail "not one of them was taken"
    run ! grep -vE '"ok":true|"busy"|"bad-offset",.*"offset":200000' "$T/all"
    : >"$IN"
    commit $ID a 200000
    serve
    answered 0 =a:200000
    (($(tr -s 0-9a-f <"$DIR/a" | wc -c) == 1)) || fail "mixed bytes"
}
