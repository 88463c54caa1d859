#!/usr/bin/env bats
# Filesystems that cannot do everything: no unnamed files, no rename without
# clobbering (bindfs has neither); memory; and a machine without /proc.

# shellcheck disable=SC2030,SC2031,SC2034,SC2086 # for common.bash; ids are words

load lib/common
load lib/upload_common

# bound: $DIR is a bindfs mount.
bound() {
    need_tool bindfs mountpoint findmnt
    mkdir "$T/below"
    mounted "{ bindfs -f --no-allow-other below '$DIR' & echo \$! >mount/pid
        until mountpoint -q '$DIR'; do kill -0 \$! || exit 1
            findmnt --poll=mount --first-only --timeout=200 >/dev/null; done; }"
    PIDS+=("$(<"$T/mount/pid")")
}

@test "bindfs: whole puts, new and replacing, small and large" {
    bound
    random "$T/large" 3145729
    asked a hello
    asked a again
    body_of "$T/large" '{"cmd":"put","filename":"b","filesize":%s,"reply":true}'
    body_of "$T/large" "{\"cmd\":\"put\",\"filename\":\"b\",\"filesize\":%s,\"sha256\":\"$SHA\",\"reply\":true}"
    finish
    serve
    answered 0 +a:5 +a:5 +b:3145729 same+b:3145729 end:4:0:6291468
    [[ $(<"$DIR/a") == again && $(<"$T/below/a") == again ]]
    cmp "$T/large" "$DIR/b"
    leaves 0
}

@test "bindfs: by each policy" {
    bound
    echo -n old >"$DIR/a"
    asked a new ',"if_exists":"reject"'
    asked a new ',"if_exists":"keep"'
    asked a newer ',"if_exists":"keep"'
    asked a new
    serve
    expect 0 'a=new a.~1~=new a.~2~=newer' !put:exists:a ++a:3:a.~1~ ++a:5:a.~2~ +a:3
    leaves 0
}

@test "bindfs: what is refused or broken off leaves nothing" {
    bound
    mkdir "$DIR/d"
    asked d x
    asked a hello ",\"sha256\":\"$(printf '%064d' 0)\""
    frame '{"cmd":"put","filename":"a","filesize":10,"reply":true}' hello
    serve
    expect 65 'd/' !put:exists:d !put:mismatch:a !put:mismatch:a
    leaves 0
}

@test "bindfs: uploads by id, by each policy" {
    bound
    echo -n old >"$DIR/a"
    part $ID 0 hello
    commit $ID a 5 ',"if_exists":"reject"'
    commit $ID a 5 ',"if_exists":"keep"'
    commit $ID a 5 ',"if_exists":"keep"'
    ask stat $ID
    part $OTHER 0 world
    commit $OTHER a 5
    part ${ID}0 0 free
    commit ${ID}0 b 4 ',"if_exists":"reject"'
    serve
    expect 0 'a=world a.~1~=hello b=free' $ID@5 !commit:exists:a =a:5:a.~1~ =a:5:a.~1~ \
        '{"ok":true,"cmd":"stat","state":"stored",*' $OTHER@5 =a:5 ${ID}0@4 =b:4
    # Seen below, where no number is remembered.
    [[ $(stat -c %h "$T"/below/{a,a.~1~,b}) == $'1\n1\n1' ]] || fail "a second name is left"
    leaves 3
}

@test "bindfs: a commit that failed, then abort: not stored" {
    bound
    sha256 < <(echo -n hello)
    echo -n old >"$DIR/a"
    part $ID 0 hello
    commit $ID a 5 ",\"if_exists\":\"reject\",\"sha256\":\"$SHA\""
    ask abort $ID
    ask stat $ID
    serve
    expect 0 'a=old' $ID@5 !commit:exists:a aborted !stat:unknown-id
    leaves 0
}

@test "bindfs: digest, mtime, mode, directories" {
    bound
    sha256 < <(echo -n hello)
    part $ID 0 hello
    asked d/e/a hello ",\"mtime\":1234567890.5,\"sha256\":\"$SHA\""
    commit $ID d/e/b 5 ",\"mtime\":1234567890.5,\"sha256\":\"$SHA\""
    serve --mkdirs --file-mode=0604
    expect 0 'd/ d/e/ d/e/a=hello d/e/b=hello' $ID@5 sha+d/e/a:5 sha=d/e/b:5
    [[ $(stat -c '%a %.1Y' "$DIR/d/e/a" "$DIR/d/e/b") == $'604 1234567890.5\n604 1234567890.5' ]] ||
        fail "$(stat -c '%n %a %.1Y' "$DIR"/d/e/*)"
}

@test "bindfs: two hundred files in one stream" {
    local -i i

    bound
    list() { LISTING=''; }
    for ((i = 0; i < 200; i++)); do asked "f$i" "$i"; done
    finish
    serve
    ((${#RECEIPTS[@]} == 201)) || fail "an answer is missing"
    for ((i = 0; i < 200; i++)); do
        judge "${RECEIPTS[i]}" "+f$i:${#i}" || fail "f$i: ${RECEIPTS[i]}"
        [[ $(<"$DIR/f$i") == "$i" ]] || fail "f$i is not whole"
    done
    leaves 0
}

@test "bindfs: killed in a part, resumed" {
    bound
    upload $ID hello
    talk a:"frame={\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":5,\"filesize\":10}" a:bytes=wrong a:waiting a:kill
    : >"$IN"
    ask stat $ID
    part $ID 5 world
    commit $ID a 10
    serve
    expect 0 'a=helloworld' stat@5 $ID@10 =a:10
}

@test "bindfs: sixteen under keep, and sixteen under reject" {
    local -i i

    bound
    for ((i = 0; i < 16; i++)); do
        : >"$IN"
        asked k "$i" ',"if_exists":"keep"'
        asked r "$i" ',"if_exists":"reject"'
        cp "$IN" "$T/in.$i"
    done
    sixteen_at_once
    (($(grep -c '"ok":true.*"filename":"k"' "$T/all") == 16)) || fail "$(cat "$T/all")"
    (($(grep -c '"ok":true.*"filename":"r"' "$T/all") == 1)) || fail "$(cat "$T/all")"
    (($(for f in "$DIR"/k*; do echo "$(<"$f")"; done | sort -u | wc -l) == 16)) || fail "one is lost"
}

# What a killed handler leaves: the sweep takes it when it is an hour old and
# nobody has it open. Its age is that of its inode, which nobody can set: the
# sweeping handler's clock is put forward.

put10='frame={"cmd":"put","filename":"a","filesize":10,"reply":true}'
stat_nobody='frame={"cmd":"stat","id":"-----nobody-----","reply":true}'

# late SECONDS: handlers from now on live so much later.
late() {
    [[ -e $T/clock.so ]] || cc -shared -fPIC -o "$T/clock.so" "$LIB/upload_clock.c"
    export UPLOAD_CLOCK_LATE=$1
    OPTIONS_OF_LD=(LD_PRELOAD="$T/clock.so" ASAN_OPTIONS="verify_asan_link_order=0:${ASAN_OPTIONS-}")
}

killed_in_a_put() {
    bound
    talk a:"$put10" a:bytes=hello a:waiting a:kill
    expect 0 ''
    leaves 1
}

# swept_late SECONDS
swept_late() {
    late "$1"
    env "${OPTIONS_OF_LD[@]}" "$PUTD" "${OPTIONS[@]}" "$DIR" < <(
        : >"$IN"
        ask stat -----nobody-----
        cat "$IN"
    ) >"$T/out" 2>"$T/err" 3>&-
    grep -q unknown-id "$T/out" || fail "no connection: $(cat "$T/err")"
}

@test "the temporary of a killed handler is not swept while it is young" {
    killed_in_a_put
    swept_late 0
    touch -d '2 hours ago' "$DIR/.putd/swept"
    swept_late 3300
    leaves 1
}

@test "the temporary of a killed handler is swept when it is old" {
    killed_in_a_put
    swept_late 0
    swept_late 4000
    leaves 0
}

@test "the temporary of a handler that lives is not swept, however old" {
    bound
    late 40000
    cat >"$T/late" <<-EOF
		#!/bin/sh
		exec env ${OPTIONS_OF_LD[@]@Q} ${PUTD@Q} "\$@"
	EOF
    chmod +x "$T/late"
    PUTD=$T/late
    talk a:"$put10" a:bytes=hello a:waiting b:"$stat_nobody" b:line b:shut b:ended=0 \
        "age:$DIR/.putd/swept:100000" c:"$stat_nobody" c:line c:shut c:ended=0 \
        a:bytes=world a:line a:shut a:ended=0
    expect 0 'a=helloworld' !stat:unknown-id !stat:unknown-id +a:10
}

# Memory.

@test "tmpfs: puts, replacing, keeping, uploads by id" {
    mounted "mount -t tmpfs none '$DIR'"
    random "$T/large" 3145729
    asked a hello
    asked a again
    asked a third ',"if_exists":"keep"'
    asked a fourth ',"if_exists":"reject"'
    body_of "$T/large" "{\"cmd\":\"put\",\"filename\":\"b\",\"filesize\":%s,\"sha256\":\"$SHA\",\"reply\":true}"
    body_of "$T/large" "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":%s,\"reply\":true}"
    commit $ID c 3145729 ",\"sha256\":\"$SHA\""
    serve
    answered 0 +a:5 +a:5 ++a:5:a.~1~ !put:exists:a sha+b:3145729 $ID@3145729 sha=c:3145729
    cmp "$T/large" "$DIR/b"
    cmp "$T/large" "$DIR/c"
    leaves 1
}

# Another filesystem below the root is none of ours.

@test "a mount point below the root is not entered" {
    mkdir "$DIR/d"
    mounted "mount -t tmpfs none '$DIR/d'"
    asked d/a 1
    asked d/e/a 1
    asked b 2
    serve --mkdirs
    [[ $LISTING == 'b=2 d/' && $CODE == 0 ]] || fail "it was entered"
    judge "${RECEIPTS[2]}" +b:1
    [[ ${RECEIPTS[0]} == '{"ok":false,'* && ${RECEIPTS[1]} == '{"ok":false,'* ]]
}

@test "a filesystem that is read only: never ok; the stream in step" {
    mounted "mount -t tmpfs none '$DIR' && mount -o remount,ro '$DIR'"
    asked a 1
    part $ID 0 x
    serve
    if [[ $CODE != 73 ]]; then
        [[ $RAW != *'"ok":true'* && ${#RECEIPTS[@]} == 2 ]] || fail "something was stored"
    fi
}

# turning COMMAND: what is asked on a connection once COMMAND was run in the
# mount's namespace: the disk failed, and nobody forbids anything.
turning() {
    local step

    need_tool mkfs.ext4 nsenter
    truncate -s 16M "$T/image"
    mkfs.ext4 -q -F "$T/image"
    mounted "mount -o loop image '$DIR'"
    printf -v step 'frame={"cmd":"put","filename":"%s","filesize":2,"reply":true}' a
    dialogue "$step" bytes=aa line "frame={\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":2,\"reply\":true}" bytes=bb line \
        sh="nsenter -m -t $HOLDER sh -c 'cd $T && $1'" \
        "${step/:\"a/:\"b}" bytes=cc line "$step" bytes=cc line \
        "frame={\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":2,\"filesize\":2,\"reply\":true}" bytes=dd line \
        "frame={\"cmd\":\"commit\",\"id\":\"$ID\",\"filename\":\"c\",\"size\":2,\"reply\":true}" line \
        "frame={\"cmd\":\"abort\",\"id\":\"$ID\",\"reply\":true}" line shut ended
    expect 74 'a=aa lost+found/' +a:2 $ID@2 !put:io:b !put:io:a !put:io !commit:io:c !abort:io
}

@test "ext4 after an error of its disk, which makes it read only: io, and try again" {
    turning "mount -o remount,abort dir"
}

@test "a filesystem that is made read only meanwhile: io, and try again" {
    turning "mount -o remount,ro dir"
}

# No /proc, and nobody in particular.

# unprivileged COMMAND: handlers run as user 65534 in a mount namespace in which
# COMMAND was run before.
unprivileged() {
    need_root
    need_tool unshare setpriv
    chown 65534:65534 "$DIR"
    # The way to the directory is closed to that user: it is the current one.
    cat >"$T/putd" <<-EOF
		#!/bin/sh
		for last; do :; done
		cd "\$last" || exit
		exec unshare -m --propagation private sh -c '$1
		    set -- "\$@"
		    exec setpriv --reuid=65534 --regid=65534 --clear-groups "\$0" "\$@" .' \\
		    ${PUTD@Q} ${OPTIONS[@]@Q}
	EOF
    chmod +x "$T/putd"
    PUTD=$T/putd
}

everything() {
    random "$T/large" 3145729
    asked a hello
    asked a again
    asked a third ',"if_exists":"keep"'
    asked a fourth ',"if_exists":"reject"'
    body_of "$T/large" "{\"cmd\":\"put\",\"filename\":\"b\",\"filesize\":%s,\"sha256\":\"$SHA\",\"reply\":true}"
    asked b2 '' ',"mtime":7'
    part $ID 0 hello
    commit $ID c 5
    part $OTHER 0 world
    commit $OTHER c 5 ',"if_exists":"keep"'
    serve
    answered 0 +a:5 +a:5 ++a:5:a.~1~ !put:exists:a sha+b:3145729 +b2:0 $ID@5 =c:5 $OTHER@5 =c:5:c.~1~
    cmp "$T/large" "$DIR/b"
    [[ $(cat "$DIR"/{a,a.~1~,c,c.~1~}) == againthirdhelloworld ]]
    leaves 2
}

@test "an unprivileged user, /proc being there" {
    unprivileged :
    everything
}

@test "an unprivileged user, /proc being closed" {
    local closed='mount -t tmpfs none /proc;'

    # A sanitizer's runtime cannot do without: only what putd uses is closed.
    # shellcheck disable=SC2016 # $$ is the inner shell, which becomes putd
    ! grep -q __asan_init "$PUTD" || closed='mount -t tmpfs none /proc/$$/fd;'
    unprivileged "$closed"
    everything
}

# unlinkable N: the first N calls that would give an unnamed file its name are
# refused, as older kernels refuse them.
unlinkable() {
    need_tool strace
    export ASAN_OPTIONS="detect_leaks=0:${ASAN_OPTIONS-}"
    cat >"$T/putd" <<-EOF
		#!/bin/sh
		exec strace -f -o ${T@Q}/trace -e trace=linkat \
		    -e inject=linkat:error=$2:syscall=getpid:when=$1 ${PUTD@Q} "\$@"
	EOF
    chmod +x "$T/putd"
    PUTD=$T/putd
}

@test "unnamed files can be linked by descriptor only" {
    unlinkable 1 ENOENT
    asked a hello
    serve
    expect 0 'a=hello' +a:5
    leaves 0
}

@test "unnamed files cannot be linked at all: they are copied, once" {
    unlinkable 1..2 ENOENT
    everything
}

@test "unnamed files cannot be linked at all, being replaced" {
    unlinkable 1..2 EPERM
    echo -n old >"$DIR/a"
    random "$T/large" 1500000
    body_of "$T/large" "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":%s,\"sha256\":true,\"mtime\":5,\"reply\":true}"
    serve --file-mode=0604
    answered 0 sha+a:1500000
    cmp "$T/large" "$DIR/a"
    [[ $(stat -c '%a %Y' "$DIR/a") == '604 5' ]] || fail "$(stat -c '%a %Y' "$DIR/a")"
    leaves 0
}
