#!/usr/bin/env bats
# What becomes of a name that is taken: --if-exists, the client's if_exists, the
# numbers of keep; for whole puts and for commits.

# shellcheck disable=SC2086 # ids are words

load lib/common
load lib/upload_common

# The server's policy and the client's: the stricter one holds, a looser wish is
# denied. replace < keep < reject.

# pair SERVER CLIENT OUTCOME: a whole put and a commit, each of a taken name and
# of a free one.
pair() {
    local wish=''

    [[ -z $2 ]] || wish=",\"if_exists\":\"$2\""
    echo -n old >"$DIR/a"
    echo -n old >"$DIR/b"
    part $ID 0 hello
    asked a hello "$wish"
    commit $ID b 5 "$wish"
    asked free 1 "$wish"
    finish
    serve --if-exists="$1"
    case $3 in
        replace)
            expect 0 'a=hello b=hello free=1' $ID@5 +a:5 =b:5 +free:1 end:3:0:11
            ;;
        keep)
            expect 0 'a=old a.~1~=hello b=old b.~1~=hello free=1' $ID@5 \
                ++a:5:a.~1~ =b:5:b.~1~ +free:1 end:3:0:11
            ;;
        reject)
            expect 0 'a=old b=old free=1' $ID@5 !put:exists:a !commit:exists:b +free:1 end:1:2:1
            ;;
        denied)
            expect 0 'a=old b=old' $ID@5 !put:denied:a !commit:denied:b !put:denied:free end:0:3:0
            ;;
    esac
}

@test "server replace, client none" { pair replace '' replace; }
@test "server replace, client replace" { pair replace replace replace; }
@test "server replace, client keep" { pair replace keep keep; }
@test "server replace, client reject" { pair replace reject reject; }
@test "server keep, client none" { pair keep '' keep; }
@test "server keep, client replace" { pair keep replace denied; }
@test "server keep, client keep" { pair keep keep keep; }
@test "server keep, client reject" { pair keep reject reject; }
@test "server reject, client none" { pair reject '' reject; }
@test "server reject, client replace" { pair reject replace denied; }
@test "server reject, client keep" { pair reject keep denied; }
@test "server reject, client reject" { pair reject reject reject; }

@test "replace is what happens without an option" {
    echo -n old >"$DIR/a"
    asked a new
    serve
    expect 0 'a=new' +a:3
}

@test "the policy is told by hello" {
    for policy in replace keep reject; do
        : >"$IN"
        frame '{"cmd":"hello","reply":true}'
        serve --if-exists=$policy
        expect 0 '' "{\"ok\":true,\"cmd\":\"hello\",*\"if_exists\":\"$policy\",*"
    done
}

@test "--if-exists of another word is wrong use" {
    for word in '' Replace overwrite 'keep ' keep,reject; do
        serve --if-exists="$word"
        expect 64 ''
        logged 1
    done
}

@test "if_exists of another word is a bad header" {
    for word in '""' '"Keep"' '"replace "' '"overwrite"' null true 1 '["keep"]'; do
        asked a 1 ",\"if_exists\":$word"
    done
    asked zz 2
    serve
    expect 0 'zz=2' !put:bad-header:a !put:bad-header:a !put:bad-header:a !put:bad-header:a \
        !put:bad-header:a !put:bad-header:a !put:bad-header:a !put:bad-header:a +zz:1
}

@test "a legacy put heeds the server's policy" {
    echo -n old >"$DIR/a"
    plain a new
    again --if-exists=keep
    expect 0 'a=old a.~1~=new'
    plain a third
    serve --if-exists=reject
    expect 0 'a=old a.~1~=new'
    [[ -z $RAW ]]
}

# When the refusal comes.

put_a='frame={"cmd":"put","filename":"a","filesize":3,"reply":true}'

@test "reject: refused before the body comes, which is skipped" {
    echo -n old >"$DIR/a"
    dialogue --options=--if-exists=reject "$put_a" line bytes=new \
        'frame={"cmd":"put","filename":"b","filesize":1,"reply":true}' bytes=1 line shut ended
    expect 0 'a=old b=1' !put:exists:a +b:1
}

@test "denied: before the body comes" {
    dialogue --options=--if-exists=reject \
        'frame={"cmd":"put","filename":"a","filesize":3,"if_exists":"keep","reply":true}' line shut ended
    expect 0 '' !put:denied:a
}

@test "reject: the name is taken while the body comes" {
    dialogue --options=--if-exists=reject "$put_a" bytes=n gone start-twin \
        'twin-frame={"cmd":"put","filename":"a","filesize":1}' twin-bytes=1 twin-shut twin=0 \
        bytes=ew line shut ended
    expect 0 'a=1' !put:exists:a
}

@test "keep: the name is taken while the body comes" {
    dialogue --options=--if-exists=keep "$put_a" bytes=n gone start-twin \
        'twin-frame={"cmd":"put","filename":"a","filesize":1}' twin-bytes=1 twin-shut twin=0 \
        bytes=ew line shut ended
    expect 0 'a=1 a.~1~=new' ++a:3:a.~1~
}

@test "one name twice in one stream, by each policy" {
    asked r 1
    asked r 2
    asked k 1 ',"if_exists":"keep"'
    asked k 2 ',"if_exists":"keep"'
    asked k 3 ',"if_exists":"keep"'
    asked j 1 ',"if_exists":"reject"'
    asked j 2 ',"if_exists":"reject"'
    finish
    serve
    expect 0 'j=1 k=1 k.~1~=2 k.~2~=3 r=2' +r:1 +r:1 +k:1 ++k:1:k.~1~ ++k:1:k.~2~ \
        +j:1 !put:exists:j end:6:1:6
}

# The numbers of keep.

# numbers FIRST NAME...: NAMEs are taken, `a` is put under keep and gets FIRST.
numbers() {
    for name in "${@:2}"; do echo -n "$name" >"$DIR/$name"; done
    asked a new
    again --if-exists=keep
    [[ ${RECEIPTS[0]} == *'"stored":"'"$1"'",'* ]] || fail "expected $1"
    for name in "${@:2}"; do [[ $(<"$DIR/$name") == "$name" ]] || fail "$name was altered"; done
    [[ $(<"$DIR/$1") == new ]] || fail "$1 is not it"
}

@test "keep: a free name is kept as it is" { numbers a; }
@test "keep: numbers alone do not take the name" { numbers a a.~1~ a.~2~; }
@test "keep: 1 is the first" { numbers a.~1~ a; }
@test "keep: 2 is the second" { numbers a.~2~ a a.~1~; }
@test "keep: 4 is the fourth" { numbers a.~4~ a a.~1~ a.~2~ a.~3~; }
@test "keep: a gap at the start" { numbers a.~1~ a a.~2~ a.~3~; }
@test "keep: numbers written otherwise do not count" { numbers a.~1~ a a.~01~ a.~0~ a.1 a.~1; }

@test "keep: any gap: a number that was free, and nothing is lost" {
    for n in '' .~1~ .~2~ .~4~ .~5~ .~7~ .~16~; do echo -n "old$n" >"$DIR/a$n"; done
    for n in 1 2 3; do asked a new; done
    serve --if-exists=keep
    [[ $(cat "$DIR"/a* | grep -o new | wc -l) == 3 ]] || fail "one is lost"
    for n in '' .~1~ .~2~ .~4~ .~5~ .~7~ .~16~; do [[ $(<"$DIR/a$n") == "old$n" ]]; done
}

@test "keep: a hundred in one stream, each under its own number" {
    local -i i

    for ((i = 0; i < 100; i++)); do plain a "$i"; done
    serve --if-exists=keep
    [[ $(<"$DIR/a") == 0 ]]
    for ((i = 1; i < 100; i++)); do [[ $(<"$DIR/a.~$i~") == "$i" ]] || fail "$i is not there"; done
}

@test "keep: a name that looks like a number gets one of its own" {
    echo -n old >"$DIR/a.~1~"
    asked a.~1~ new
    serve --if-exists=keep
    expect 0 'a.~1~=old a.~1~.~1~=new' ++a.~1~:3:a.~1~.~1~
}

@test "keep: in a directory" {
    mkdir "$DIR/d"
    echo -n old >"$DIR/d/a"
    part $ID 0 x
    asked d/a new
    commit $ID d/a 1
    serve --if-exists=keep
    expect 0 'd/ d/a=old d/a.~1~=new d/a.~2~=x' $ID@1 ++d/a:3:d/a.~1~ =d/a:1:d/a.~2~
}

@test "keep: numbers that are taken by what is no file" {
    echo -n old >"$DIR/a"
    mkdir "$DIR/a.~1~"
    ln -s nowhere "$DIR/a.~2~"
    mkfifo "$DIR/a.~3~"
    asked a new
    serve --if-exists=keep
    expect 0 'a=old a.~1~/ a.~2~->nowhere a.~3~| a.~4~=new' ++a:3:a.~4~
}

# long LENGTH TAKEN STORED|'': a name of so many bytes that is taken, and so are
# its numbers up to TAKEN; the number it gets, or none that fits.
long() {
    local name
    local -i i

    printf -v name "%0$1d" 0
    echo -n old >"$DIR/$name"
    for ((i = 1; i <= $2; i++)); do echo -n old >"$DIR/$name.~$i~"; done
    part $ID 0 new
    asked $name new
    commit $ID $name 3
    ask stat $ID
    asked $name new ',"if_exists":"reject"'
    serve --if-exists=keep
    if [[ -n $3 ]]; then
        answered 0 $ID@3 "++$name:3:$name.~$3~" '{"ok":*,"cmd":"commit",*' '{"ok":*,"cmd":"stat",*' "!put:exists:$name"
        [[ $(<"$DIR/$name.~$3~") == new ]]
    else
        answered 0 $ID@3 !put:bad-name !commit:bad-name stat@3 "!put:exists:$name"
    fi
    [[ $(<"$DIR/$name") == old ]]
}

@test "keep: 255 bytes have room for no number" { long 255 0 ''; }
@test "keep: 252 bytes have room for no number" { long 252 0 ''; }
@test "keep: 251 bytes have room for number 1" { long 251 0 1; }
@test "keep: 251 bytes have room for number 8" { long 251 7 8; }
@test "keep: 251 bytes have room for number 9" { long 251 8 9; }
@test "keep: 251 bytes have no room for number 10" { long 251 9 ''; }
@test "keep: 250 bytes have room for number 10" { long 250 9 10; }

@test "keep: 255 bytes that are free need no number" {
    local name

    printf -v name '%0255d' 0
    asked $name 1
    serve --if-exists=keep
    expect 0 "$name=1" +$name:1
}

# deep LENGTH: a name of so many bytes in all, that is taken.
deep() {
    local -i i
    local part

    printf -v part '%0250d' 0
    DEEP=''
    for ((i = 0; i < 16; i++)); do DEEP+=$part/; done
    printf -v part "%0$(($1 - ${#DEEP}))d" 1
    (cd "$DIR" && for ((i = 0; i < 16; i++)); do mkdir "${DEEP%%/*}" && cd "${DEEP%%/*}"; done && : >"$part")
    DEEP+=$part
}

@test "keep: 4092 bytes in all have room for no number" {
    deep 4092
    asked $DEEP new
    serve --if-exists=keep
    answered 0 !put:bad-name
}

@test "keep: 4091 bytes in all have room for number 1" {
    deep 4091
    asked $DEEP new
    serve --if-exists=keep
    answered 0 "++$DEEP:3:$DEEP.~1~"
}

# taken_numbers N: `a` and its first N numbers are taken. They are not listed.
taken_numbers() {
    list() { LISTING=''; }
    "$PYTHON" - "$DIR" "$1" <<'PY'
import os, sys

directory, count = sys.argv[1], int(sys.argv[2])
for name in ["a"] + ["a.~%d~" % n for n in range(1, count + 1)]:
    os.close(os.open(os.path.join(directory, name), os.O_CREAT | os.O_WRONLY))
PY
}

@test "keep: 9,999 numbers are taken: 10,000 is the last one" {
    taken_numbers 9999
    asked a new
    asked a newer
    asked zz 2
    serve --if-exists=keep
    expect 0 '' ++a:3:a.~10000~ !put:exists:a +zz:1
}

# Found by doubling: a file behind the last number made the name `exists`.
@test "keep: 1, 2, 4 and so on to 16,384 are taken: a free one is found" {
    local -i n

    for ((n = 1; n <= 16384; n *= 2)); do echo -n old >"$DIR/a.~$n~"; done
    echo -n old >"$DIR/a"
    asked a new
    serve --if-exists=keep
    [[ ${RECEIPTS[0]} =~ '"stored":"a.~'([0-9]+)'~"' ]] || fail "refused"
    ((BASH_REMATCH[1] <= 10000)) && [[ $(<"$DIR/a.~${BASH_REMATCH[1]}~") == new ]]
}

@test "keep: 10,000 numbers are taken: exists, for a commit too" {
    taken_numbers 10000
    part $ID 0 new
    asked a new
    commit $ID a 3
    ask stat $ID
    serve --if-exists=keep
    expect 0 '' $ID@3 !put:exists:a !commit:exists:a stat@3
    [[ ! -e $DIR/a.~10001~ ]]
}

# What else may stand at the target. By each policy, a whole put, then a commit.

# directory_stays POLICY
directory_stays() {
    mkdir "$DIR/d"
    echo -n x >"$DIR/d/x"
    part $ID 0 new
    asked d new
    commit $ID d 3
    ask stat $ID
    serve --if-exists="$1"
    expect 0 'd/ d/x=x' $ID@3 !put:exists:d !commit:exists:d stat@3
}

@test "a directory is exists: replace" { directory_stays replace; }
@test "a directory is exists: keep" { directory_stays keep; }
@test "a directory is exists: reject" { directory_stays reject; }

@test "an empty directory is exists too" {
    mkdir "$DIR/d"
    asked d new
    serve
    expect 0 'd/' !put:exists:d
}

# other_stands POLICY COMMAND LISTED: COMMAND makes `a` and `b`, listed as LISTED
# (with @ for the name).
other_stands() {
    local a=${3//@/a} b=${3//@/b}

    echo -n precious >"$T/target"
    (cd "$DIR" && eval "$2")
    part $ID 0 new
    asked a new
    commit $ID b 3
    serve --if-exists="$1"
    case $1 in
        replace) expect 0 'a=new b=new' $ID@3 +a:3 =b:3 ;;
        keep) expect 0 "$a a.~1~=new $b b.~1~=new" $ID@3 ++a:3:a.~1~ =b:3:b.~1~ ;;
        reject) expect 0 "$a $b" $ID@3 !put:exists:a !commit:exists:b ;;
    esac
    [[ $(<"$T/target") == precious ]] || fail "what it points to was altered"
}

links="ln -s ../target a; ln -s ../target b"

@test "a link to a file: replace" { other_stands replace "$links" '@->../target'; }
@test "a link to a file: keep" { other_stands keep "$links" '@->../target'; }
@test "a link to a file: reject" { other_stands reject "$links" '@->../target'; }
@test "a dangling link: replace" { other_stands replace 'ln -s no a; ln -s no b' '@->no'; }
@test "a dangling link: keep" { other_stands keep 'ln -s no a; ln -s no b' '@->no'; }
@test "a dangling link: reject" { other_stands reject 'ln -s no a; ln -s no b' '@->no'; }
@test "a link to a directory: replace" { other_stands replace 'ln -s / a; ln -s / b' '@->/'; }
@test "a link to a directory: keep" { other_stands keep 'ln -s / a; ln -s / b' '@->/'; }
@test "a link to a directory: reject" { other_stands reject 'ln -s / a; ln -s / b' '@->/'; }
@test "a fifo: replace" { other_stands replace 'mkfifo a b' '@|'; }
@test "a fifo: keep" { other_stands keep 'mkfifo a b' '@|'; }
@test "a fifo: reject" { other_stands reject 'mkfifo a b' '@|'; }
@test "a hard link: replace" { other_stands replace 'ln ../target a; ln ../target b' '@=precious'; }
@test "a hard link: keep" { other_stands keep 'ln ../target a; ln ../target b' '@=precious'; }
@test "a hard link: reject" { other_stands reject 'ln ../target a; ln ../target b' '@=precious'; }

# shellcheck disable=SC2016 # expanded where they are made
# sockets: two; devices: the two of /dev/null, which anybody reads as empty.
sockets='"$PYTHON" -c "import socket
for name in \"ab\": socket.socket(socket.AF_UNIX).bind(name)"'
devices='mknod a c 1 3 && mknod b c 1 3'

@test "a socket: replace" { other_stands replace "$sockets" '@='; }
@test "a socket: keep" { other_stands keep "$sockets" '@='; }
@test "a socket: reject" { other_stands reject "$sockets" '@='; }
@test "a device: replace" {
    need_root
    other_stands replace "$devices" '@='
}

@test "a device: keep" {
    need_root
    other_stands keep "$devices" '@='
}

@test "a device: reject" {
    need_root
    other_stands reject "$devices" '@='
}

# Sixteen at once.

# feed COUNT: handler N puts COUNT files, all named `a`, with contents of its own.
feed() {
    local -i i n

    for ((i = 0; i < 16; i++)); do
        : >"$IN"
        for ((n = 0; n < $1; n++)); do asked a "<$i.$n>"; done
        cp "$IN" "$T/in.$i"
    done
}

# feed_commits: each commits an upload of its own as `a`.
feed_commits() {
    local -i i

    for ((i = 0; i < 16; i++)); do
        : >"$IN"
        printf -v id 'upload-%09d' $i
        part $id 0 "<$i>"
        commit $id a $((i < 10 ? 3 : 4))
        cp "$IN" "$T/in.$i"
    done
}

# contents: of all that is published, sorted.
contents() { (cd "$DIR" && cat a*) | grep -o '<[^>]*>' | sort; }

@test "sixteen under keep: none is lost, each receipt tells where its file is" {
    feed 20
    sixteen_at_once --if-exists=keep
    (($(grep -c '"ok":true' "$T/all") == 320)) || fail "$(grep -v '"ok":true' "$T/all")"
    (($(grep -o '"stored":"[^"]*"' "$T/all" | sort -u | wc -l) == 320)) || fail "a name twice"
    (($(contents | sort -u | wc -l) == 320)) || fail "one is lost"
}

@test "sixteen under reject: exactly one wins, and it is there" {
    feed 1
    sixteen_at_once --if-exists=reject
    (($(grep -c '"ok":true' "$T/all") == 1)) || fail "$(cat "$T/all")"
    (($(grep -c '"error":"exists"' "$T/all") == 15)) || fail "$(cat "$T/all")"
    for ((i = 0; i < 16; i++)); do
        ! grep -q '"ok":true' "$T/out.$i" || [[ $(<"$DIR/a") == "<$i.0>" ]] || fail "not the winner's"
    done
}

@test "sixteen under replace: all are told ok, one whole file is there" {
    feed 20
    sixteen_at_once
    (($(grep -c '"ok":true' "$T/all") == 320)) || fail "$(grep -v '"ok":true' "$T/all")"
    [[ $(<"$DIR/a") =~ ^'<'[0-9]+\.19'>'$ ]] || fail "not the last of any: $(<"$DIR/a")"
    leaves 0
}

@test "sixteen commits under keep: none is lost" {
    feed_commits
    sixteen_at_once --if-exists=keep
    (($(grep -c '"ok":true,"cmd":"commit"' "$T/all") == 16)) || fail "$(cat "$T/all")"
    (($(contents | sort -u | wc -l) == 16)) || fail "one is lost"
    leaves 16
}

@test "sixteen commits under reject: exactly one wins" {
    feed_commits
    sixteen_at_once --if-exists=reject
    (($(grep -c '"ok":true,"cmd":"commit"' "$T/all") == 1)) || fail "$(cat "$T/all")"
    (($(grep -c '"error":"exists"' "$T/all") == 15)) || fail "$(cat "$T/all")"
    for ((i = 0; i < 16; i++)); do
        ! grep -q '"ok":true,"cmd":"commit"' "$T/out.$i" || [[ $(<"$DIR/a") == "<$i>" ]] || fail "not the winner's"
    done
}

@test "sixteen commit one id: one file, the same receipt or busy" {
    upload $ID hello
    : >"$IN"
    commit $ID a 5
    for ((i = 0; i < 16; i++)); do cp "$IN" "$T/in.$i"; done
    sixteen_at_once --if-exists=keep
    grep '"ok":true' "$T/all" | sort -u >"$T/ok"
    (($(wc -l <"$T/ok") == 1)) || fail "$(cat "$T/all")"
    run ! grep -vE '"ok":true|"error":"busy"' "$T/all"
    list "$DIR"
    [[ $LISTING == a=hello ]] || fail "stored twice: $LISTING"
}
