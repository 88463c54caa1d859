#!/usr/bin/env bats
# What is flushed, and when: files of pipelined frames become durable together,
# before their names, and these before their receipts. Seen from outside, by
# what the handler asks of the kernel.

# shellcheck disable=SC2034,SC2086,SC2317 # for common.bash; ids are words

load lib/common
load lib/upload_common

# traced [STRACE-OPTION]... -- [OPTION]...: what was built is served from a file,
# and the calls that matter are in $T/trace.
traced() {
    local -a how=()

    need_tool strace
    while [[ $# -gt 0 && $1 != -- ]]; do
        how+=("$1")
        shift
    done
    shift
    CODE=0
    ASAN_OPTIONS="detect_leaks=0:${ASAN_OPTIONS-}" strace -o "$T/trace" \
        -e trace=io_setup,io_submit,io_getevents,io_destroy,fdatasync,fsync,syncfs,sync,flock,linkat,renameat,renameat2,write,sendto,getpid \
        "${how[@]}" "$PUTD" "${OPTIONS[@]}" "$@" "$DIR" <"$IN" >"$T/out" 2>"$T/err" 3>&- || CODE=$?
    look
}

# calls PATTERN: how many lines of the trace match.
calls() { grep -cE "$1" "$T/trace" || true; }

# order: the calls in their order, each once where it is repeated; the log's
# writes left out.
order() {
    ORDER=$(grep -oE '^(io_submit|fdatasync|fsync|linkat|renameat2?|write\(1,|sendto\(1,)' "$T/trace" | tr -d , |
        uniq | paste -sd ' ')
}

# files COUNT [DIRECTORY]
files() {
    local -i i

    for ((i = 0; i < $1; i++)); do asked "${2:+$2/}f$i" "$i"; done
}

# all_stored COUNT [DIRECTORY]
all_stored() {
    local -i i

    ((${#RECEIPTS[@]} == $1)) || fail "${#RECEIPTS[@]} answers"
    for ((i = 0; i < $1; i++)); do
        judge "${RECEIPTS[i]}" "+${2:+$2/}f$i:${#i}" || fail "f$i: ${RECEIPTS[i]}"
        [[ $(<"$DIR/${2:+$2/}f$i") == "$i" ]] || fail "f$i is not whole"
    done
}

@test "two hundred small files: one batch, each flush once, in the order of the promise" {
    files 200
    traced --
    [[ $CODE == 0 ]] || fail "not served"
    all_stored 200
    (($(calls '^io_submit\(.*, 200, ') == 1 && $(calls '^io_submit') == 1)) || fail "$(grep ^io_ "$T/trace" | cut -c1-80)"
    (($(calls '^fdatasync') == 0 && $(calls '^fsync') == 1)) || fail "$(grep sync "$T/trace")"
    order
    [[ $ORDER == 'io_submit linkat fsync write(1' ]] || fail "order: $ORDER"
}

# --- turns --------------------------------------------------------------------

# turns: the calls of a batch that is flushed by turns, each once.
turns() {
    grep -oE '^(io_submit|fsync|linkat|flock\([0-9]+, LOCK_[A-Z]+)' "$T/trace" |
        sed 's/flock.*LOCK_//' | uniq | paste -sd ' '
}

@test "sixty-five files wait for their turn, at their data and at their names" {
    files 65
    traced --
    all_stored 65
    [[ $(turns) == 'EX io_submit UN linkat EX fsync UN' ]] || fail "$(turns)"
}

@test "sixty-four share the journal with others: no turn" {
    files 64
    traced --
    all_stored 64
    (($(calls '^flock') == 0)) || fail "$(grep ^flock "$T/trace")"
}

@test "--sync=none has nothing to wait for" {
    files 100
    traced -- --sync=none
    ((${#RECEIPTS[@]} == 100 && $(calls '^flock') == 0)) || fail "$(grep ^flock "$T/trace")"
}

# held COMMAND...: while a stranger has the lock of the directory.
held() {
    local lock

    exec {lock}<"$DIR"
    flock -x "$lock"
    "$@"
    exec {lock}<&-
}

@test "a turn that does not come: a second, once, and all is stored" {
    files 600
    list() { LISTING=''; }
    held traced --
    all_stored 600
    # Then it goes on by itself: no further try at a later batch.
    grep -E '^(flock|io_submit)' "$T/trace" | cut -d'(' -f1 | uniq -c >"$T/tries"
    [[ $(awk '{print $2}' "$T/tries" | paste -sd ' ') == 'flock io_submit' &&
    $(calls '^flock.*EAGAIN') -gt 10 ]] || fail "$(cat "$T/tries")"
}

@test "locks that are not to be had: no turns" {
    files 100
    traced -e inject=flock:error=ENOLCK:syscall=getpid --
    all_stored 100
    (($(calls '^flock') == 1)) || fail "$(grep ^flock "$T/trace")"
}

@test "sixteen that flush the same names at once: each is answered, all is whole" {
    local -i i
    local -a pids=()

    files 100
    for ((i = 0; i < 16; i++)); do
        background served_to "$T/out.$i"
        pids+=("$PID")
    done
    for ((i = 0; i < 16; i++)); do
        wait "${pids[i]}"
        (($(grep -c '"durable":true' "$T/out.$i") == 100)) || fail "$i: $(tail -n 1 "$T/out.$i")"
    done
    for ((i = 0; i < 100; i++)); do [[ $(<"$DIR/f$i") == "$i" ]]; done
}

served_to() { exec "$PUTD" "${OPTIONS[@]}" "$DIR" <"$IN" >"$1" 2>/dev/null; }

# --- directories and calls that fail --------------------------------------------

@test "three directories: one batch, each directory is flushed once" {
    local -i i

    mkdir "$DIR"/{d,e}
    for ((i = 0; i < 60; i++)); do
        plain f$i x
        plain d/f$i x
        plain e/f$i x
    done
    finish
    traced --
    answered 0 end:180:0:180
    (($(calls '^io_submit\(.*, 180, ') == 1)) || fail "$(grep ^io_ "$T/trace" | cut -c1-80)"
    (($(calls '^fsync') >= 3 && $(calls '^fsync') <= 4)) || fail "$(calls '^fsync') flushes"
}

@test "files that replace others: the same" {
    local -i i

    for ((i = 0; i < 50; i++)); do echo -n old >"$DIR/f$i"; done
    files 50
    traced --
    all_stored 50
    (($(calls '^io_submit\(.*, 50, ') == 1 && $(calls '^fsync') <= 2)) || fail "$(grep sync "$T/trace")"
    order
    [[ $ORDER == 'io_submit '*'fsync write(1' ]] || fail "order: $ORDER"
}

@test "six hundred: batches of at most 256, all in order" {
    files 600
    list() { LISTING=''; }
    traced --
    all_stored 600
    (($(calls '^io_submit') == 3 && $(calls '^fsync') == 3 && $(calls '^fdatasync') == 0)) ||
        fail "$(grep -E 'sync|^io_s' "$T/trace" | cut -c1-80)"
}

@test "one small put pays nothing for the batch" {
    asked a hello
    traced --
    expect 0 'a=hello' +a:5
    (($(calls '^io_') == 0 && $(calls '^fdatasync') == 1 && $(calls '^fsync') == 1)) ||
        fail "$(cat "$T/trace")"
    order
    [[ $ORDER == 'fdatasync linkat fsync write(1' ]] || fail "order: $ORDER"
}

@test "a put that waits for its receipt, again and again: no batch either" {
    local -i i
    local -a steps=() want=()

    need_tool strace
    cat >"$T/putd" <<-EOF
		#!/bin/sh
		exec strace -o ${T@Q}/trace -e trace=io_setup,io_submit,fdatasync,fsync ${PUTD@Q} "\$@"
	EOF
    chmod +x "$T/putd"
    export ASAN_OPTIONS="detect_leaks=0:${ASAN_OPTIONS-}"
    for i in 1 2 3; do
        steps+=('frame={"cmd":"put","filename":"a","filesize":1,"reply":true}' "bytes=$i" line)
        want+=(+a:1)
    done
    PUTD=$T/putd dialogue "${steps[@]}" shut ended
    expect 0 'a=3' "${want[@]}"
    (($(calls '^io_') == 0 && $(calls '^fdatasync') == 3)) || fail "$(cat "$T/trace")"
}

@test "--sync=none flushes nothing" {
    files 20
    part $ID 0 hello
    commit $ID a 5
    traced -- --sync=none
    [[ $(grep -c '"ok":true.*"durable":false' "$T/out") == 22 ]] || fail "not stored"
    (($(calls '^io_') == 0 && $(calls 'sync') == 0)) || fail "$(cat "$T/trace")"
}

# Where Linux AIO is not to be had: one flush each, the same answers.

# serially STRACE-OPTION...
serially() {
    files 40
    traced "$@" --
    [[ $CODE == 0 ]] || fail "not served"
    all_stored 40
    (($(calls '^fdatasync') == 40 && $(calls '^fsync') == 1)) || fail "$(grep sync "$T/trace")"
    order
    [[ $ORDER == *'fdatasync linkat fsync write(1' ]] || fail "order: $ORDER"
}

@test "io_setup: EAGAIN" { serially -e inject=io_setup:error=EAGAIN:syscall=getpid; }
@test "io_setup: ENOSYS" { serially -e inject=io_setup:error=ENOSYS:syscall=getpid; }
@test "io_setup: EPERM" { serially -e inject=io_setup:error=EPERM:syscall=getpid; }
@test "io_submit: EINVAL" { serially -e inject=io_submit:error=EINVAL:syscall=getpid; }
@test "io_submit: EAGAIN" { serially -e inject=io_submit:error=EAGAIN:syscall=getpid; }
@test "io_getevents: EINTR, once: asked again" {
    files 40
    traced -e inject=io_getevents:error=EINTR:syscall=getpid:when=1 --
    all_stored 40
    (($(calls '^io_submit') == 1 && $(calls '^fsync') == 1)) || fail "$(cat "$T/trace")"
}

# A flush that fails is never ok: neither the file, nor a name without it.

# The kernel tells a failed flush once, and then calls the pages clean: where the
# answer of Linux AIO was lost, another flush said that all was well.
@test "io_getevents: EINVAL: io for all that were handed in, the next batch goes one by one" {
    local -a want=()

    files 300
    traced -e inject=io_getevents:error=EINVAL:syscall=getpid --
    for ((i = 0; i < 256; i++)); do want+=("!put:io:f$i"); done
    for (( ; i < 300; i++)); do want+=("+f$i:3"); done
    answered 74 "${want[@]}"
    [[ $(find "$DIR" -type f | wc -l) == 44 ]] || fail "$(find "$DIR")"
    (($(calls '^io_submit') == 1 && $(calls '^fdatasync') == 44)) || fail "$(cat "$T/trace")"
}

@test "fdatasync fails once: io for that file alone, it is not there" {
    files 5
    traced -e inject=io_setup:error=EAGAIN:syscall=getpid -e inject=fdatasync:error=EIO:syscall=getpid:when=3 --
    expect 74 'f0=0 f1=1 f3=3 f4=4' +f0:1 +f1:1 !put:io:f2 +f3:1 +f4:1
}

@test "fdatasync is out of space: no-space" {
    asked a hello
    asked b hello
    traced -e inject=io_setup:error=EAGAIN:syscall=getpid -e inject=fdatasync:error=ENOSPC:syscall=getpid:when=1 --
    expect 0 'b=hello' !put:no-space:a +b:5
}

# ext4 says so after an error of its disk: it is nothing that anybody forbids.
@test "fdatasync finds all read only: io, and try again" {
    asked a hello
    asked b hello
    traced -e inject=io_setup:error=EAGAIN:syscall=getpid -e inject=fdatasync:error=EROFS:syscall=getpid:when=1 --
    expect 74 'b=hello' !put:io:a +b:5
    [[ ${RECEIPTS[0]} == *'"retry":true'* ]]
}

@test "the directory cannot be flushed: io for all of them" {
    files 3
    finish
    traced -e inject=fsync:error=EIO:syscall=getpid --
    answered 74 !put:io:f0 !put:io:f1 !put:io:f2 end:0:3:0
}

@test "a part that cannot be flushed is not told as held durable" {
    part $ID 0 hello
    traced -e inject=fdatasync:error=EIO:syscall=getpid --
    answered 74 !put:io
}

# Parts and commits.

@test "a part's receipt: the bytes are flushed before, and the directory of a new id" {
    part $ID 0 hello
    traced --
    expect 0 '' $ID@5
    order
    [[ $ORDER == *'fdatasync fsync write(1' ]] || fail "order: $ORDER"
}

@test "parts that nobody asked about are flushed once, at the end" {
    local -i i

    silent_part $ID 0 x
    for ((i = 1; i < 50; i++)); do silent_part $ID $i x; done
    traced --
    expect 0 ''
    (($(calls '^(fdatasync|fsync)') <= 4)) || fail "$(grep sync "$T/trace")"
}

@test "a part behind what a crash left of a forgotten upload is flushed as any other" {
    upload $ID hello
    rm "$DIR/.putd/$ID.part"
    part $ID 0 world
    traced --
    expect 0 '' $ID@5
    (($(calls '^fdatasync') >= 1)) || fail "never flushed"
    order
    [[ $ORDER == *'sync write(1'* ]] || fail "order: $ORDER"
}

@test "a commit: bytes and intent before the name, the name before the receipt" {
    upload $ID hello
    commit $ID a 5
    traced --
    expect 0 'a=hello' =a:5
    local name receipt

    name=$(grep -nE '"a"' "$T/trace" | head -n 1)
    receipt=$(grep -nE '^write\(1,' "$T/trace" | head -n 1)
    (($(head -n "${name%%:*}" "$T/trace" | grep -cE '^(fsync|fdatasync)') >= 2)) || fail "$(cat "$T/trace")"
    (($(sed -n "${name%%:*},${receipt%%:*}p" "$T/trace" | grep -cE '^fsync') >= 1)) || fail "$(cat "$T/trace")"
}

# Few descriptors.

# limited N
limited() {
    need_tool prlimit
    printf '#!/bin/sh\nexec prlimit --nofile=%d %q "$@"\n' "$1" "$PUTD" >"$T/putd"
    chmod +x "$T/putd"
    PUTD=$T/putd
}

# few N COUNT: so many files, then each in a directory of its own, then an upload.
few() {
    local -i i

    limited "$1"
    list() { LISTING=''; }
    files "$2"
    serve
    all_stored "$2"
    : >"$IN"
    for ((i = 0; i < $2; i++)); do plain d$i/f x; done
    part $ID 0 hello
    commit $ID a 5
    finish
    serve --mkdirs
    answered 0 $ID@5 =a:5 "end:$(($2 + 1)):0:$(($2 + 5))"
}

@test "RLIMIT_NOFILE 300" { few 300 150; }
@test "RLIMIT_NOFILE 100" { few 100 50; }
@test "RLIMIT_NOFILE 40" { few 40 40; }
@test "RLIMIT_NOFILE 25" { few 25 20; }
@test "RLIMIT_NOFILE 16" { few 16 20; }

# Each connection had a queue of its own, which nobody gave back: after 256 of
# them the kernel had none left for anybody on the machine (fs.aio-max-nr).
@test "a process that serves many connections takes one queue from the kernel" {
    local -i i

    need_tool systemd-socket-activate nc
    files 3
    background systemd-socket-activate -l "$T/socket" \
        "$PUTD" "${OPTIONS[@]}" --connections=4 "$DIR" 2>"$T/err"
    until_true test -S "$T/socket"
    for ((i = 0; i < 3; i++)); do
        nc -N -U "$T/socket" <"$IN" >"$T/out"
        [[ $(grep -c '"durable":true' "$T/out") == 3 ]] || fail "not served"
    done
    [[ $(grep -c '\[aio\]' "/proc/$PID/maps") == 1 ]] ||
        fail "$(grep aio "/proc/$PID/maps")"
}

# Found by the session fuzzer: while f waited in the batch for its flush, --mkdirs
# made a directory of its name, and f was refused `exists` for a frame behind it.
@test "a file that waits for its flush is there for the frame behind it" {
    asked f 1
    asked f/x 2
    serve --mkdirs
    expect 0 'f=1' +f:1 '!put:bad-name'
}

@test "and so for one that is deeper below" {
    asked a/f 1
    asked a/f/b/c 2
    asked a/fg/b 3
    serve --mkdirs
    expect 0 'a/ a/f=1 a/fg/ a/fg/b=3' +a/f:1 '!put:bad-name' +a/fg/b:1
}
