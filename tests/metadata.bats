#!/usr/bin/env bats
# What a file has besides its bytes: mtime, mode, group and ACL; the directories
# that are made for it; hidden names.

# shellcheck disable=SC2086 # ids are words

load lib/common
load lib/upload_common

# time_of NUMBER TOLD: a small put, a large one and a commit get this mtime.
time_of() {
    head -c 2097153 /dev/zero >"$T/large"
    part $ID 0 hello
    asked a hello ",\"mtime\":$1"
    commit $ID b 5 ",\"mtime\":$1"
    body_of "$T/large" "{\"cmd\":\"put\",\"filename\":\"c\",\"filesize\":%s,\"mtime\":$1,\"reply\":true}"
    asked d hello ",\"mtime\":$1,\"sha256\":true,\"if_exists\":\"keep\""
    serve
    answered 0 $ID@5 +a:5 =b:5 +c:2097153 '{"ok":true,*'
    for name in a b c d; do
        [[ $(stat -c %.9Y "$DIR/$name") == "$2" ]] || fail "$name: $(stat -c %.9Y "$DIR/$name")"
    done
}

@test "mtime 0" { time_of 0 0.000000000; }
@test "mtime 1" { time_of 1 1.000000000; }
@test "mtime of a microsecond" { time_of 0.000001 0.000001000; }
@test "mtime with a fraction" { time_of 1700000000.5 1700000000.500000000; }
@test "mtime with a fraction of six digits" { time_of 1234567890.123456 1234567890.123456000; }
@test "mtime 2^32" { time_of 4294967296 4294967296.000000000; }
@test "mtime 2^33 less a microsecond" { time_of 8589934591.999999 8589934591.999999000; }
@test "mtime 2^33 less a second" { time_of 8589934591 8589934591.000000000; }

# Kept to the microsecond: the nearest one.
@test "mtime with a seventh digit, rounded down" { time_of 1234567890.1234564 1234567890.123456000; }
@test "mtime with a seventh digit, rounded up" { time_of 1234567890.1234566 1234567890.123457000; }
@test "mtime of less than half a microsecond" { time_of 0.0000004 0.000000000; }
@test "mtime in the form of an exponent" { time_of 1.5e9 1500000000.000000000; }

@test "mtime out of range or of another type is a bad header" {
    local -a want=()

    for word in -1 -0.000001 8589934592 8589934592.5 8589934591.9999999 1e10 '"1"' null true '[1]'; do
        asked a hello ",\"mtime\":$word"
        want+=(!put:bad-header:a)
    done
    part $ID 0 hello
    commit $ID a 5 ',"mtime":8589934592'
    commit $ID a 5 ',"mtime":-1'
    serve
    expect 0 '' "${want[@]}" $ID@5 '{"ok":false,"cmd":"commit","error":"bad-header",*' \
        '{"ok":false,"cmd":"commit","error":"bad-header",*'
}

@test "without mtime a file is of now" {
    touch "$T/before"
    part $ID 0 hello
    asked a hello
    commit $ID b 5
    serve
    expect 0 'a=hello b=hello' $ID@5 +a:5 =b:5
    touch "$T/after"
    for name in a b; do
        [[ ! $DIR/$name -ot $T/before && ! $DIR/$name -nt $T/after ]] || fail "$name is of another time"
    done
}

# --file-mode

# mode OCTAL WHAT: by put, by a large put, over an old file, by commit; the umask
# is not heeded.
mode() {
    head -c 2097153 /dev/zero >"$T/large"
    echo -n old >"$DIR/c"
    chmod 0777 "$DIR/c"
    part $ID 0 hello
    plain a hello
    body_of "$T/large" '{"cmd":"put","filename":"b","filesize":%s}'
    plain c new
    commit $ID d 5
    umask 0077
    serve --file-mode="$1"
    umask 0022
    [[ $CODE == 0 ]] || fail "not served"
    for name in a b c d; do
        [[ $(stat -c %a "$DIR/$name") == "$2" ]] || fail "$name: $(stat -c %a "$DIR/$name")"
    done
}

@test "--file-mode=0600" { mode 0600 600; }
@test "--file-mode=600" { mode 600 600; }
@test "--file-mode=0640" { mode 0640 640; }
@test "--file-mode=0660" { mode 0660 660; }
@test "--file-mode=0666" { mode 0666 666; }
@test "--file-mode=0604" { mode 0604 604; }
@test "--file-mode=0755" { mode 0755 755; }
@test "--file-mode=0777" { mode 0777 777; }

@test "--file-mode: what is no mode, or no mode for a file of ours" {
    for word in '' 0 0400 0200 0440 0177 01777 1640 4755 2640 00640 0800 8 64x x -1 0x1a0 u=rw '0640 ' 6400; do
        serve --file-mode="$word"
        expect 64 ''
        logged 1
        [[ ${LOG[0]} == *--file-mode* ]] || fail "the option is not named"
    done
}

# --mkdirs

@test "without --mkdirs no directory is made" {
    asked d/a 1
    asked d/e/a 1
    serve
    expect 0 '' !put:bad-name !put:bad-name
}

@test "--mkdirs: one, many, some of which are there" {
    mkdir -p "$DIR/x/y"
    asked d/a 1
    asked d/b 2
    asked e/f/g/h/a 3
    asked x/y/z/a 4
    asked x/a 5
    serve --mkdirs
    expect 0 'd/ d/a=1 d/b=2 e/ e/f/ e/f/g/ e/f/g/h/ e/f/g/h/a=3 x/ x/a=5 x/y/ x/y/z/ x/y/z/a=4' \
        +d/a:1 +d/b:1 +e/f/g/h/a:1 +x/y/z/a:1 +x/a:1
}

@test "--mkdirs: for a commit" {
    part $ID 0 hello
    commit $ID d/e/a 5
    serve --mkdirs
    expect 0 'd/ d/e/ d/e/a=hello' $ID@5 =d/e/a:5
}

@test "--mkdirs, told by hello" {
    frame '{"cmd":"hello","reply":true}'
    serve --mkdirs --allow-hidden
    expect 0 '' '{"ok":true,"cmd":"hello",*"mkdirs":true,"hidden":true,*'
}

# in_the_way COMMAND LISTED: refused, nothing is made below it.
in_the_way() {
    (cd "$DIR" && eval "$1")
    part $ID 0 hello
    asked d/a 1
    asked d/e/f/a 1
    commit $ID d/e/a 5
    asked zz 2
    serve --mkdirs
    expect 0 "$2 zz=2" $ID@5 !put:bad-name !put:bad-name !commit:bad-name +zz:1
}

@test "--mkdirs: a file in the way" { in_the_way 'echo -n file >d' 'd=file'; }
@test "--mkdirs: a fifo in the way" { in_the_way 'mkfifo d' 'd|'; }
@test "--mkdirs: a dangling link in the way" { in_the_way 'ln -s no d' 'd->no'; }
@test "--mkdirs: a link to a directory in the way" { in_the_way 'mkdir x; ln -s x d' 'd->x x/'; }
@test "--mkdirs: a link to the outside in the way" {
    mkdir "$T/outside"
    in_the_way 'ln -s ../outside d' 'd->../outside'
    list "$T/outside"
    [[ -z $LISTING ]] || fail "outside: $LISTING"
}

@test "--mkdirs: a file in the way, further down" {
    mkdir "$DIR/d"
    echo -n file >"$DIR/d/e"
    asked d/e/f/a 1
    serve --mkdirs
    expect 0 'd/ d/e=file' !put:bad-name
}

@test "--mkdirs: a name that is refused makes nothing" {
    local -a names=(d/../a d/./a d//a d/ d/.a .d/a ../d/a /d/a d/.. .putd/d/a .PUTD/d/a 'd\u0007/a' 'd/a\u0007'
        "d/$(printf '%0256d' 0)" "$(printf '%0256d' 0)/a" "d/$(printf '%0256d' 0)/a" "d/$(printf '%04100d' 0)/a")
    local -a want=()

    for name in "${names[@]}"; do
        asked "$name" 1
        want+=(!put:bad-name)
    done
    serve --mkdirs
    expect 0 '' "${want[@]}"
    [[ ! -e $DIR/.putd/d && ! -e $T/d ]]
}

@test "--mkdirs: a file where a directory was made a moment ago" {
    asked d/a 1
    asked d 2
    asked d/a/b 3
    serve --mkdirs
    expect 0 'd/ d/a=1' +d/a:1 !put:exists:d !put:bad-name
}

@test "--mkdirs: a name of 4095 bytes in 2048 directories" {
    local name

    printf -v name 'd/%.0s' {1..2047}
    asked "${name}a" 1
    serve --mkdirs
    judge "${RECEIPTS[0]}" "+${name}a:1" || fail "not stored"
}

@test "--mkdirs: the modes are those of files, with x where they have r" {
    for mode in 0640 0600 0664 0644; do
        : >"$IN"
        plain d$mode/e/a 1
        serve --mkdirs --file-mode=$mode
    done
    for row in 0640:750 0600:700 0664:775 0644:755; do
        [[ $(stat -c %a "$DIR/d${row%:*}" "$DIR/d${row%:*}/e") == "${row#*:}"$'\n'"${row#*:}" ]] ||
            fail "$row: $(stat -c %a "$DIR/d${row%:*}")"
    done
}

@test "--mkdirs: sixteen at once make the same directories" {
    local -i i

    for ((i = 0; i < 16; i++)); do
        : >"$IN"
        asked "d/e/f/g/$i" x
        asked "d/$i/f/g/$i" x
        cp "$IN" "$T/in.$i"
    done
    sixteen_at_once --mkdirs
    (($(grep -c '"ok":true' "$T/all") == 32)) || fail "$(cat "$T/all")"
}

@test "--mkdirs: the directory was moved away between two frames" {
    local put='frame={"cmd":"put","filename":"d/a","filesize":1,"reply":true}'

    talk --mkdirs a:"$put" a:bytes=1 a:line a:waiting "move:$DIR/d:$T/moved" \
        a:"$put" a:bytes=2 a:line a:shut a:ended=0
    expect 0 'd/ d/a=2' +d/a:1 +d/a:1
    [[ $(<"$T/moved/a") == 1 ]]
}

# --allow-hidden

@test "--allow-hidden: components that start with a dot" {
    mkdir "$DIR/d" "$DIR/.d"
    for name in .a d/.a .d/a .d/.a ... ..a .putd2 .put d/.putd; do asked $name 1; done
    serve --allow-hidden
    expect 0 '...=1 ..a=1 .a=1 .d/ .d/.a=1 .d/a=1 .put=1 .putd2=1 d/ d/.a=1 d/.putd=1' \
        +.a:1 +d/.a:1 +.d/a:1 +.d/.a:1 +...:1 +..a:1 +.putd2:1 +.put:1 +d/.putd:1
}

@test "--allow-hidden: . and .. and .putd are refused all the same" {
    local -a want=()

    mkdir "$DIR/d"
    part $ID 0 x
    for name in . .. d/. d/.. ./a ../a d/./a d/../a .putd .putd/a .PUTD .PutD/a .pUTd/x/y; do
        asked $name 1
        commit $ID $name 1
        want+=(!put:bad-name !commit:bad-name)
    done
    serve --allow-hidden --mkdirs
    expect 0 'd/' $ID@1 "${want[@]}"
}

@test "--allow-hidden: a commit" {
    part $ID 0 x
    commit $ID .a 1
    serve --allow-hidden
    expect 0 '.a=x' $ID@1 =.a:1
}

@test "--allow-hidden and --mkdirs: hidden directories are made" {
    asked .d/.e/.f 1
    serve --allow-hidden --mkdirs
    expect 0 '.d/ .d/.e/ .d/.e/.f=1' +.d/.e/.f:1
}

# The directory's group and default ACL.

# by_all_ways DIRECTORY: a file by each way into it.
by_all_ways() {
    head -c 2097153 /dev/zero >"$T/large"
    echo -n old >"$DIR/$1/over"
    echo -n old >"$DIR/$1/committed-over"
    part $ID 0 hello
    part $OTHER 0 hello
    plain "$1/put" hello
    plain "$1/over" hello
    body_of "$T/large" "{\"cmd\":\"put\",\"filename\":\"$1/large\",\"filesize\":%s}"
    commit $ID "$1/committed" 5
    commit $OTHER "$1/committed-over" 5 ',"sha256":true'
    serve "${@:2}"
    answered 0 $ID@5 $OTHER@5 "=$1/committed:5" '{"ok":true,*'
}

@test "a set-group-ID directory hands its group down, by each way" {
    need_root
    mkdir "$DIR/d"
    chgrp 12345 "$DIR/d"
    chmod 2770 "$DIR/d"
    by_all_ways d
    for name in put over large committed committed-over; do
        [[ $(stat -c '%g %a' "$DIR/d/$name") == '12345 640' ]] || fail "$name: $(stat -c '%g %a' "$DIR/d/$name")"
    done
}

@test "a directory without it does not, though the root has it" {
    need_root
    chgrp 12345 "$DIR"
    chmod 2770 "$DIR"
    mkdir "$DIR/d"
    chgrp 0 "$DIR/d"
    chmod 00770 "$DIR/d"
    by_all_ways d
    for name in put over large committed committed-over; do
        [[ $(stat -c '%g %a' "$DIR/d/$name") == '0 640' ]] || fail "$name: $(stat -c '%g %a' "$DIR/d/$name")"
    done
}

# as_nobody: putd is a user who is in no group of the root.
as_nobody() {
    need_root
    need_tool setpriv
    chmod o+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T"
    cp "$PUTD" "$T/putd"
    printf '#!/bin/sh\nexec setpriv --reuid=54321 --regid=54321 --clear-groups "%s" "$@"\n' \
        "$T/putd" >"$T/nobody"
    chmod +x "$T/nobody"
    PUTD=$T/nobody
}

# A file by id is made in .putd, and fchown(2) to the group is refused: it came
# with the group of the root, where a put of the same name came with its own.
@test "a set-group-ID directory of a group that putd is not in" {
    as_nobody
    mkdir "$DIR/d"
    chown -R 54321:54321 "$DIR"
    chgrp 12345 "$DIR/d"
    chmod 2770 "$DIR/d"
    by_all_ways d
    for name in put over large committed committed-over; do
        [[ $(stat -c '%g %a' "$DIR/d/$name") == '12345 640' ]] || fail "$name: $(stat -c '%g %a' "$DIR/d/$name")"
    done
    [[ $(ls -A "$DIR/.putd") != *tmp.* ]] || fail "left: $(ls -A "$DIR/.putd")"
}

# It is copied, then: the whole of it, with its time, and a repeat knows it.
@test "the same: a large upload with an mtime, by each policy" {
    as_nobody
    head -c 5000001 /dev/urandom >"$T/large"
    mkdir "$DIR/d"
    echo -n old | tee "$DIR/d/keep" >"$DIR/d/replace"
    chown -R 54321:54321 "$DIR"
    chgrp 12345 "$DIR/d"
    chmod 2770 "$DIR/d"
    for policy in replace reject keep; do
        body_of "$T/large" "{\"cmd\":\"put\",\"id\":\"an-upload-by-$policy\",\"offset\":0,\"filesize\":%s}"
        for _ in 1 2; do
            commit "an-upload-by-$policy" "d/$policy" 5000001 ",\"mtime\":5,\"if_exists\":\"$policy\""
        done
    done
    serve
    answered 0 =d/replace:5000001 =d/replace:5000001 =d/reject:5000001 =d/reject:5000001 \
        '{"ok":true,*"stored":"d/keep.~1~"*' '{"ok":true,*"stored":"d/keep.~1~"*'
    for name in replace reject keep.~1~; do
        [[ $(stat -c '%g %a %Y' "$DIR/d/$name") == '12345 640 5' ]] || fail "$name: $(stat -c '%g %a %Y' "$DIR/d/$name")"
        cmp "$T/large" "$DIR/d/$name"
    done
}

# A commit that failed behind the change of the group left it changed.
@test "a commit that is refused, then one into the root: the root's group" {
    need_root
    mkdir "$DIR/d"
    chgrp 12345 "$DIR/d"
    chmod 2770 "$DIR/d"
    echo -n old >"$DIR/d/taken"
    part $ID 0 hello
    commit $ID d/taken 5 ',"if_exists":"reject","sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"'
    commit $ID a 5
    serve
    expect 0 'a=hello d/ d/taken=old' $ID@5 '{"ok":false,"cmd":"commit","error":"exists",*' =a:5
    [[ $(stat -c '%g %a' "$DIR/a") == '0 640' ]] || fail "$(stat -c '%g %a' "$DIR/a")"
}

@test "--mkdirs: made directories inherit group and set-group-ID" {
    need_root
    chgrp 12345 "$DIR"
    chmod 2770 "$DIR"
    plain d/e/a 1
    part $ID 0 hello
    commit $ID f/g/a 5
    again --mkdirs
    [[ $(stat -c '%g %a' "$DIR/d" "$DIR/d/e" "$DIR/f/g") == $'12345 2750\n12345 2750\n12345 2750' ]]
    [[ $(stat -c '%g' "$DIR/d/e/a" "$DIR/f/g/a") == $'12345\n12345' ]]
}

# entries FILE: its ACL in one line.
entries() { getfacl -cnE --absolute-names "$1" | sed '/^$/d' | paste -sd ' '; }

@test "a default ACL is handed down, by each way" {
    need_root
    need_tool setfacl getfacl
    mkdir "$DIR/d"
    setfacl -d -m u:12345:rw,g:23456:r,o::- "$DIR/d"
    by_all_ways d --file-mode=0660
    for name in put over large committed committed-over; do
        [[ $(entries "$DIR/d/$name") == *'user:12345:rw- '*'group:23456:r-- '*'mask::rw- other::---' ]] ||
            fail "$name: $(entries "$DIR/d/$name")"
        [[ $(entries "$DIR/d/$name") == "$(entries "$DIR/d/put")" ]] || fail "$name differs"
    done
}

@test "a default ACL does not give more than --file-mode" {
    need_root
    need_tool setfacl getfacl
    mkdir "$DIR/d"
    setfacl -d -m u:12345:rwx "$DIR/d"
    by_all_ways d --file-mode=0640
    for name in put over large committed committed-over; do
        [[ $(entries "$DIR/d/$name") == *'user:12345:rwx '*'mask::r-- other::---' ]] ||
            fail "$name: $(entries "$DIR/d/$name")"
    done
}

@test "the root's default ACL is not handed to a directory that has none" {
    need_root
    need_tool setfacl getfacl
    mkdir "$DIR/d"
    setfacl -d -m u:12345:rw "$DIR"
    by_all_ways d
    for name in put over large committed committed-over; do
        [[ $(entries "$DIR/d/$name") == 'user::rw- group::r-- other::---' ]] ||
            fail "$name: $(entries "$DIR/d/$name")"
    done
}

@test "the root's default ACL does not open what is private" {
    need_root
    need_tool setfacl getfacl
    setfacl -d -m u:12345:rwx,o::rwx "$DIR"
    upload $ID hello
    [[ $(stat -c %a "$DIR/.putd") == 700 ]] || fail "$(entries "$DIR/.putd")"
}

@test "--mkdirs: made directories inherit the default ACL" {
    need_root
    need_tool setfacl getfacl
    setfacl -d -m u:12345:rw "$DIR"
    plain d/e/a 1
    serve --mkdirs
    [[ $(entries "$DIR/d/e") == *'user:12345:rw-'*'default:user:12345:rw-'* ]] || fail "$(entries "$DIR/d/e")"
    [[ $(entries "$DIR/d/e/a") == *'user:12345:rw-'* ]] || fail "$(entries "$DIR/d/e/a")"
}
