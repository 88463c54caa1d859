#!/usr/bin/env bats
# What is forgotten of uploads by id: what is old, and the oldest where partial
# files are too many or take too much.

# shellcheck disable=SC2086 # ids are words

load lib/common
load lib/upload_common

# What is old is forgotten: partial files and kept receipts after --keep-partial,
# at most once an hour, nothing that is in use.

@test "partial files expire" {
    upload $ID hello
    aged '8 days'
    swept
    ask stat $ID
    commit $ID a 5
    serve
    expect 0 '' !stat:unknown-id !commit:unknown-id:a
    leaves 0
}

@test "partial files that are not old enough stay" {
    upload $ID hello
    aged '167 hours'
    swept
    ask stat $ID
    serve
    expect 0 '' stat@5
}

@test "kept receipts expire, the file does not" {
    part $ID 0 hello
    commit $ID a 5
    again
    touch -d '1 year ago' "$DIR/a"
    aged '8 days'
    swept
    ask stat $ID
    serve
    expect 0 'a=hello' !stat:unknown-id
    leaves 0
}

@test "a record whose bytes are gone expires" {
    upload $ID hello
    upload $OTHER hello
    rm "$DIR/.putd/$ID.part" "$DIR/.putd/$OTHER.part"
    aged '8 days' "$DIR/.putd/$ID.note"
    swept
    [[ ! -e $DIR/.putd/$ID.note && -e $DIR/.putd/$OTHER.note ]] || fail "$(ls "$DIR/.putd")"
}

@test "kept receipts that are not old enough stay" {
    part $ID 0 hello
    commit $ID a 5
    again
    aged '167 hours'
    swept
    commit $ID a 5
    serve
    expect 0 'a=hello' =a:5
}

@test "--keep-partial: one day" {
    upload $ID hello
    upload $OTHER hello
    aged '23 hours'
    aged '25 hours' "$DIR/.putd/$ID"*
    swept --keep-partial=1
    ask stat $ID
    ask stat $OTHER
    serve
    expect 0 '' !stat:unknown-id stat@5
}

@test "swept at most once an hour" {
    upload $ID hello
    aged '8 days'
    touch -d '50 minutes ago' "$DIR/.putd/swept"
    swept
    ask stat $ID
    serve
    expect 0 '' stat@5
}

@test "a clock that jumped: a last sweep in time to come does not stop all others" {
    upload $ID hello
    aged '8 days'
    touch -d '1 year' "$DIR/.putd/swept"
    swept
    ask stat $ID
    serve
    expect 0 '' !stat:unknown-id
}

# One sweep looks at 50,000 entries, and each began at the first: where there were
# more, what came behind them stayed for good.
@test "more receipts than one sweep looks at: the next one goes on" {
    upload $ID hello
    (
        cd "$DIR/.putd"
        seq -f 'expired-receipt-%03g.done' 150 | xargs touch -d '8 days ago'
        seq -f 'receipt-that-is-young-%05g.done' 60000 | xargs touch
        seq -f 'expired-receipt-%03g.done' 151 300 | xargs touch -d '8 days ago'
    )
    for _ in 1 2; do
        touch -d '2 hours ago' "$DIR/.putd/swept"
        swept
    done
    (($(find "$DIR/.putd" -name 'expired-*' | wc -l) == 0)) || fail "$(find "$DIR/.putd" -name 'expired-*' | wc -l) are left"
    (($(find "$DIR/.putd" -name 'receipt-*' | wc -l) == 60000)) || fail "young ones are gone"
}

@test "an upload whose last part is young is not old" {
    upload $ID hello
    aged '8 days'
    part $ID 5 world
    again
    swept
    touch -d '2 hours ago' "$DIR/.putd/swept"
    swept
    ask stat $ID
    serve
    expect 0 '' stat@10
}

part10="frame={\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":10,\"reply\":true}"
stat_nobody='frame={"cmd":"stat","id":"-----nobody-----","reply":true}'

@test "an upload that somebody is inside is not swept, however old it looks" {
    upload $ID ''
    talk a:"$part10" a:bytes=1234 a:waiting "age:$DIR/.putd/*:1000000" \
        b:"$stat_nobody" b:line b:shut b:ended=0 a:bytes=567890 a:line a:shut a:ended=0
    expect 0 '' !stat:unknown-id $ID@10
    ask stat $ID
    serve
    expect 0 '' stat@10
}

# --max-partial: the oldest that nobody is inside are forgotten first.

kib() { printf "%0$(($1 * 1024))d" 0; }

@test "--max-partial: the oldest are forgotten, no more than needed" {
    local -i i

    for i in 1 2 3 4; do upload $ID-$i "$(kib 20)"; done
    touch -d '1 hour ago' "$DIR/.putd/$ID-3"*
    touch -d '3 hours ago' "$DIR/.putd/$ID-2"*
    touch -d '2 hours ago' "$DIR/.putd/$ID-4"*
    upload $OTHER "$(kib 30)" --max-partial=80K
    for i in 1 2 3 4; do ask stat $ID-$i; done
    ask stat $OTHER
    serve
    expect 0 '' stat@20480 !stat:unknown-id stat@20480 !stat:unknown-id stat@30720
}

@test "--max-partial: just enough, nothing is forgotten" {
    upload $ID "$(kib 40)"
    upload $OTHER "$(kib 40)" --max-partial=80K
    ask stat $ID
    ask stat $OTHER
    serve
    expect 0 '' stat@40960 stat@40960
}

@test "--max-partial: one block too many" {
    upload $ID "$(kib 40)"
    upload $OTHER "$(kib 40)" --max-partial=79K
    ask stat $ID
    ask stat $OTHER
    serve
    expect 0 '' !stat:unknown-id stat@40960
}

@test "--max-partial: a part that alone is more is refused, and costs nobody else's" {
    upload $OTHER "$(kib 40)"
    part $ID 0 "$(kib 81)"
    ask stat $ID
    ask stat $OTHER
    serve --max-partial=80K
    expect 0 '' !put:no-space !stat:unknown-id stat@40960
}

@test "--max-partial: an upload that grows past it in parts is refused" {
    part $ID 0 "$(kib 40)"
    part $ID 40960 "$(kib 40)"
    part $ID 81920 "$(kib 4)"
    ask stat $ID
    serve --max-partial=80K
    expect 0 '' $ID@40960 $ID@81920 !put:no-space stat@81920
}

@test "--max-partial: an upload that grows past it on many connections is refused" {
    local -i i

    upload $ID ''
    for ((i = 0; i < 4; i++)); do
        part $ID $((i * 20480)) "$(kib 20)"
        again --max-partial=80K
        judge "${RECEIPTS[0]}" "$ID@$(((i + 1) * 20480))" || fail "not taken"
    done
    part $ID 81920 "$(kib 4)"
    serve --max-partial=80K
    expect 0 '' !put:no-space
}

@test "--max-partial: what is refused can be committed, and the next one has room" {
    part $ID 0 "$(kib 70)"
    commit $ID a 71680
    part $OTHER 0 "$(kib 70)"
    ask stat $OTHER
    serve --max-partial=80K
    answered 0 $ID@71680 =a:71680 $OTHER@71680 stat@71680
}

@test "--max-partial: an upload that somebody is inside is not forgotten: no-space" {
    local part="frame={\"cmd\":\"put\",\"id\":\"$OTHER\",\"offset\":0,\"filesize\":40000,\"reply\":true}"

    upload $ID ''
    talk --max-partial=60K \
        a:"frame={\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":40001,\"reply\":true}" \
        a:zeros=40000 a:waiting b:"$part" b:line b:zeros=40000 \
        a:bytes=x a:line a:waiting b:"$part" b:zeros=40000 b:line b:shut b:ended=0 a:shut a:ended=0
    expect 0 '' !put:no-space $ID@40001 $OTHER@40000
    ask stat $ID
    serve
    expect 0 '' !stat:unknown-id
}

@test "--max-partial=0: no part but empty ones" {
    part $ID 0 ''
    part $OTHER 0 x
    serve --max-partial=0
    expect 0 '' $ID@0 !put:no-space
}

@test "--max-partial does not touch kept receipts" {
    part $ID 0 "$(kib 40)"
    commit $ID a 40960
    again
    touch -d '1 hour ago' "$DIR/.putd/$ID"*
    upload $OTHER "$(kib 80)" --max-partial=80K
    ask stat $ID
    serve
    answered 0 stat=a:40960
}

@test "10,000 ids: one more makes the oldest go" {
    upload $ID x
    "$PYTHON" - "$DIR/.putd" $ID 9998 <<'PY'
import os, sys

directory, first, count = sys.argv[1:]
names = [name for name in os.listdir(directory) if first in name]
for name in names:
    with open(os.path.join(directory, name), "rb") as f:
        content = f.read()
    for i in range(int(count)):
        with open(os.path.join(directory, name.replace(first, "copy-%016d" % i)), "wb") as f:
            f.write(content)
PY
    touch -d '1 hour ago' "$DIR/.putd/$ID"*
    upload $OTHER y
    ask stat $ID
    again
    expect 0 '' stat@1
    upload $OTHER$OTHER z
    ask stat $ID
    ask stat $OTHER
    ask stat $OTHER$OTHER
    ask stat copy-0000000000000000
    ask stat copy-0000000000009997
    serve
    expect 0 '' !stat:unknown-id stat@1 stat@1 stat@1 stat@1
}
