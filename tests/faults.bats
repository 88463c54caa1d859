#!/usr/bin/env bats
# shellcheck disable=SC2086,SC2030,SC2031 # ids are words; each test has its own PUTD
#
# Calls that fail, one at a time (strace), memory that is not there, and what a
# crash left in the private directory: which answer that gives, and that nothing
# partial is visible. tests/torture tries every call; here each has its answer.

load lib/common
load lib/peer_common
load lib/upload_common

# failing INJECTION...: from here on putd is one whose calls fail so. A word that
# starts with @ names a path: only calls on these fail.
failing() {
    local word
    local -a how=()

    need_tool strace
    for word; do
        case $word in
            @*) how+=(-P "${word#@}") ;;
            *) how+=(-e "inject=$word") ;;
        esac
    done
    # -D: putd itself has the process id that a launcher told it.
    printf '#!/bin/bash\nexec strace -D -qq -y -o %q' "$T/trace" >"$T/failing"
    printf ' %q' "${how[@]}" "$PUTD" >>"$T/failing"
    echo ' "$@"' >>"$T/failing"
    chmod +x "$T/failing"
    SOUND=$PUTD PUTD=$T/failing
}

# met [PATTERN]: the fault was met, the last one in a call that PATTERN matches,
# which tells the paths, too; from here on putd is the sound one again.
met() {
    local last

    until_true grep -q INJECTED "$T/trace"
    last=$(grep -a INJECTED "$T/trace" | tail -n 1)
    [[ $last =~ ${1-.} ]] || fail "met: $last"
    PUTD=$SOUND
}

# --- what stands at the target, and how a file is dressed --------------------

@test "the other file cannot be read to the end: nothing is judged the same" {
    echo -n hellO >"$DIR/a"
    cp "$DIR/a" "$DIR/b"
    sha256 < <(echo -n hello)
    failing "@$DIR/a" "@$DIR/b" pread64:error=EIO
    part $ID 0 hello
    asked a hello ",\"sha256\":\"$SHA\""
    commit $ID b 5 ",\"sha256\":\"$SHA\""
    serve
    met
    expect 74 'a=hellO b=hellO' $ID@5 !put:io:a !commit:io:b
}

@test "reading the other file is interrupted: read on" {
    echo -n hello >"$DIR/a"
    sha256 < <(echo -n hello)
    failing "@$DIR/a" pread64:error=EINTR:when=1
    asked a hello ",\"sha256\":\"$SHA\""
    serve
    met
    expect 0 'a=hello' same+a:5
}

@test "the same file, which cannot be flushed, is not said to be durable" {
    echo -n hello >"$DIR/a"
    sha256 < <(echo -n hello)
    failing "@$DIR/a" fdatasync:error=EIO
    asked a hello ",\"sha256\":\"$SHA\""
    serve
    met
    expect 74 'a=hello' !put:io:a
}

@test "a number that cannot be looked up is not taken for free" {
    echo -n old >"$DIR/a"
    asked a hello ',"if_exists":"keep"'
    failing "@$DIR" newfstatat:error=EIO:when=2
    serve
    met 'a\.~1~'
    expect 74 'a=old' !put:io:a
}

@test "a number that cannot be looked up: stat says so, too" {
    echo -n old >"$DIR/a"
    upload $ID hello
    ask stat $ID ',"filename":"a","size":5,"if_exists":"keep"'
    failing "@$DIR" newfstatat:error=EIO:when=4+
    serve
    met 'a\.~1~'
    expect 74 'a=old' !stat:io
}

@test "a default ACL without a mask" {
    need_root
    need_tool setfacl getfacl
    mkdir "$DIR/d"
    setfacl -d -m u::rw,g::rw,o::r "$DIR/d"
    part $ID 0 hello
    commit $ID d/a 5
    serve --file-mode=0640
    expect 0 'd/ d/a=hello' $ID@5 =d/a:5
    [[ $(stat -c %a "$DIR/d/a") == 640 ]] || fail "$(stat -c %a "$DIR/d/a")"
}

@test "the ACL cannot be set, or is none" {
    need_root
    need_tool setfacl
    mkdir "$DIR/d"
    setfacl -d -m u:12345:rw "$DIR/d"
    part $ID 0 hello
    commit $ID d/a 5
    failing fsetxattr:error=EIO
    serve
    met
    expect 74 'd/' $ID@5 !commit:io:d/a
    : >"$IN"
    commit $ID d/a 5
    failing fgetxattr:retval=0
    serve
    met
    expect 0 'd/ d/a=hello' =d/a:5
}

@test "a large body that O_DIRECT does not take" {
    failing pwrite64:error=EINVAL:when=1
    random "$T/large" 3000000
    body_of "$T/large" '{"cmd":"put","filename":"a","filesize":%s,"reply":true}'
    serve
    met
    answered 0 +a:3000000
    cmp "$T/large" "$DIR/a"
}

# --- files without a name, and how they get one ------------------------------

@test "an unnamed file is linked by its path where the other way is closed" {
    failing linkat:error=ENOENT:when=1
    asked a hello ',"if_exists":"reject"'
    asked b hello ',"if_exists":"reject"'
    serve
    met
    expect 0 'a=hello b=hello' +a:5 +b:5
}

@test "a file can be made neither without a name nor with one" {
    failing "@$DIR" "@$DIR/.putd" openat:error=EOPNOTSUPP:when=2..3
    asked a hello
    serve
    met '/\.putd>, "tmp\.'
    expect 74 '' !put:io:a
}

@test "its bytes are copied where it gets no name, though that is interrupted" {
    failing linkat:error=EPERM:when=1..2 copy_file_range:error=EXDEV
    asked a hello ',"if_exists":"reject"'
    serve
    met
    expect 0 'a=hello' +a:5
    : >"$IN"
    failing linkat:error=EPERM:when=1..2 copy_file_range:error=EXDEV pwrite64:error=EINTR:when=2
    asked b hello ',"if_exists":"reject"'
    serve
    met
    expect 0 'a=hello b=hello' +b:5
}

@test "the disk is full while its bytes are copied" {
    failing linkat:error=EPERM:when=1..2 copy_file_range:error=EXDEV pwrite64:error=ENOSPC:when=2
    asked a hello ',"if_exists":"reject"'
    serve
    met
    expect 0 '' !put:no-space:a
    leaves 0
}

# another_group INJECTION...: an upload into a directory of a group that putd is
# not in is copied; then these fail, too.
another_group() {
    need_root
    mkdir "$DIR/d"
    chgrp 12345 "$DIR/d"
    chmod 2770 "$DIR/d"
    failing fchown:error=EPERM:when=1 "$@"
    part $ID 0 hello
    commit $ID d/a 5
    serve
    met '^getrandom|/d/#[0-9]+>|"tmp\.[0-9a-f]+", (AT|.*\.part")|O_TMPFILE'
}

@test "another group: the copy gets no name, so the file itself is published" {
    another_group linkat:error=EPERM
    expect 0 'd/ d/a=hello' $ID@5 =d/a:5
}

# copy_fails INJECTION: io, nothing is published, and what is held is still there.
copy_fails() {
    another_group "$@"
    expect 74 'd/' $ID@5 !commit:io:d/a
    : >"$IN"
    ask stat $ID
    commit $ID d/a 5
    serve
    expect 0 'd/ d/a=hello' stat@5 =d/a:5
}

@test "another group: the copy would have a name, so the file itself is published" {
    another_group "@$DIR/d" "@$DIR/.putd/$ID.part" openat:error=EOPNOTSUPP:when=1
    expect 0 'd/ d/a=hello' $ID@5 =d/a:5
    leaves 1
}

@test "another group: the copy cannot be made" {
    copy_fails "@$DIR/d" "@$DIR/.putd/$ID.part" openat:error=EIO:when=1
}
@test "another group: the copy cannot be linked" { copy_fails linkat:error=EIO:when=1; }
@test "another group: the copy cannot take the name" { copy_fails renameat:error=EIO:when=1; }
@test "another group: the copy cannot be written" {
    # The 1st one is the body, the 2nd and 3rd tell what is held.
    copy_fails copy_file_range:error=EIO pwrite64:error=EIO:when=4
}

@test "another group: the copy cannot be flushed" { copy_fails fsync:error=EIO:when=4; }
@test "another group: the copy finds no name of its own" { copy_fails getrandom:error=EIO:when=2; }

# --- flushes -----------------------------------------------------------------

# A part is held until something needs it on disk; then its flush fails.

# flush_fails FRAMES...: behind a part that nobody asked about.
flush_fails() {
    failing fdatasync:error=EIO
    silent_part $ID 0 hello
    "$@"
    serve
    met
}

@test "no flush: end says so" {
    flush_fails finish
    expect 74 '' '{"ok":false,"cmd":"end","files":0,"failed":0,"bytes":0}'
}

@test "no flush: nobody asked, and the exit status says so" {
    flush_fails true
    expect 74 ''
}

@test "no flush: a part at a wrong offset" {
    flush_fails part $ID 7 x
    expect 74 '' !put:io
}

@test "no flush: a commit of a wrong size" {
    flush_fails commit $ID a 7
    expect 74 '' !commit:io:a
}

@test "no flush: a large part is refused at its checkpoint" {
    failing fdatasync:error=EIO:when=1
    frame "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":70000000,\"reply\":true}"
    head -c 70000000 /dev/zero >>"$IN"
    serve
    met
    expect 74 '' !put:io
}

# --- the private directory ---------------------------------------------------

@test "the private directory cannot be made private" {
    failing fremovexattr:error=EIO
    part $ID 0 hello
    serve
    met
    expect 74 '' !put:io
}

# record TEXT: what a crash, or a disk that lost something, left of an upload.
record() {
    [[ -d $DIR/.putd ]] || mkdir -m 700 "$DIR/.putd"
    printf %s "$1" >"$DIR/.putd/$ID.done"
}

# intent NAME: it was about to be published under it.
intent() {
    record "{\"done\":false,\"filename\":\"$1\",\"stored\":\"$1\",\"size\":5,\"unchanged\":false}"
}

@test "a record of nothing is none" {
    record ''
    ask stat $ID
    serve
    expect 0 '' !stat:unknown-id
}

@test "a damaged record is no answer" {
    local text

    for text in '{' '[]' '{"done":true}' '{"done":true,"filename":"a","size":5,"unchanged":false}' \
        '{"done":true,"filename":"a","stored":"a","unchanged":false}' \
        '{"done":1,"filename":"a","stored":"a","size":5,"unchanged":false}' \
        '{"done":true,"filename":"a","stored":"a","size":5,"unchanged":false,"sha256":7}'; do
        record "$text"
        : >"$IN"
        ask stat $ID
        commit $ID a 5
        serve
        answered 74 !stat:io !commit:io:a
    done
}

@test "a crash before the rename: the upload is what it was" {
    upload $ID hello
    intent a
    ask stat $ID
    commit $ID a 5
    serve
    expect 0 'a=hello' stat@5 =a:5
    leaves 1
}

@test "a crash between link and unlink: it is published" {
    upload $ID hello
    intent a
    ln "$DIR/.putd/$ID.part" "$DIR/a"
    ask stat $ID
    commit $ID a 5
    serve
    expect 0 'a=hello' stat=a:5 =a:5
    [[ $(stat -c %h "$DIR/a") == 1 ]] || fail "its other name is left"
    leaves 1
}

# resuming INJECTION [ERROR EXIT]: after a crash behind the rename the look at it
# fails.
resuming() {
    intent a
    echo -n hello >"$DIR/a"
    failing "$1"
    ask stat $ID
    serve
    met
    expect "${3-74}" 'a=hello' "!stat:${2-io}"
    : >"$IN"
    commit $ID a 5
    serve
    expect 0 'a=hello' =a:5
}

@test "a crash behind the rename: the name cannot be flushed" { resuming fsync:error=EIO; }
@test "a crash behind the rename: the record cannot be written" { resuming renameat:error=EIO; }
@test "a crash behind the rename: the record has no room" { resuming write:error=ENOSPC:when=1 no-space 0; }
@test "a crash behind the rename: the record has room for a part" { resuming write:retval=9:when=1 no-space 0; }

# An intent that cannot be forgotten is not forgotten by halves.
@test "abort of an upload whose intent cannot be removed" {
    upload $ID hello
    intent a
    failing "@$DIR/.putd" unlinkat:error=EIO
    ask abort $ID
    serve
    met
    judge "${RECEIPTS[0]}" !abort:io || fail "expected io"
    : >"$IN"
    ask abort $ID
    ask stat $ID
    serve
    expect 0 '' aborted !stat:unknown-id
}

@test "abort where the bytes cannot be removed" {
    upload $ID hello
    failing unlinkat:error=EIO:when=1
    ask abort $ID
    serve
    met
    expect 74 '' !abort:io
}

# So a soak found it: a client gave up while the disk was full, and the record of
# its upload stayed until it was swept.
@test "abort of an upload that is published, and not recorded as that" {
    upload $ID hello
    intent a
    mv "$DIR/.putd/$ID.part" "$DIR/a"
    ask abort $ID
    serve
    expect 0 'a=hello' aborted
    leaves 1
    : >"$IN"
    ask stat $ID
    serve
    expect 0 'a=hello' stat=a:5
    leaves 1
}

@test "an upload whose bytes get no file leaves no record either" {
    upload $OTHER 1234
    failing "@$DIR/.putd" openat:error=ENOSPC:when=6
    part $ID 0 hello
    serve
    met
    expect 0 '' !put:no-space
    leaves 2
}

# So torture found it: bytes that stayed made the next part "busy".
@test "an upload whose bytes cannot be looked at leaves nothing, and can be made" {
    upload $OTHER 1234
    failing "@$DIR/.putd/$ID.part" newfstatat:error=EACCES:when=1
    part $ID 0 hello
    serve
    met
    expect 0 '' !put:denied
    leaves 2
    : >"$IN"
    part $ID 0 hello
    serve
    expect 0 '' $ID@5
}

@test "a commit that is refused, and whose intent cannot be removed" {
    echo -n old >"$DIR/a"
    sha256 < <(echo -n hello)
    # Three are of the look whether a rename can leave alone what is there.
    failing unlinkat:error=EIO:when=4
    part $ID 0 hello
    commit $ID a 5 ",\"if_exists\":\"reject\",\"sha256\":\"$SHA\""
    serve
    met
    expect 74 'a=old' $ID@5 !commit:io:a
    : >"$IN"
    ask stat $ID
    serve
    expect 0 'a=old' stat@5
}

@test "bytes behind what is held cannot be cut off" {
    upload $ID hello
    echo more >>"$DIR/.putd/$ID.part"
    failing ftruncate:error=EIO
    ask stat $ID
    serve
    met
    expect 74 '' !stat:io
    : >"$IN"
    ask stat $ID
    serve
    expect 0 '' stat@5
}

@test "an id that is made, and whose record cannot be read, is made no more" {
    upload $OTHER x
    # The 2nd and the 7th are of its record: the look, and the one behind the lock.
    failing "@$DIR/.putd" openat:error=EIO:when=7
    part $ID 0 hello
    serve
    met
    expect 74 '' !put:io
    : >"$IN"
    ask stat $ID
    serve
    expect 0 '' !stat:unknown-id
}

@test "a record that cannot be read is an error, and not an upload of nothing" {
    upload $ID hello
    failing "@$DIR/.putd/$ID.note" pread64:error=EIO
    ask stat $ID
    part $ID 5 x
    commit $ID a 5
    serve
    met
    expect 74 '' !stat:io !put:io !commit:io:a
    : >"$IN"
    commit $ID a 5
    serve
    expect 0 'a=hello' =a:5
}

@test "it cannot be seen whether names can be taken without replacing: they are" {
    upload $ID hello
    echo -n old >"$DIR/a"
    failing "@$DIR/.putd" openat:error=EMFILE:when=6
    commit $ID a 5 ',"if_exists":"reject"'
    commit $ID b 5 ',"if_exists":"reject"'
    serve
    met
    expect 0 'a=old b=hello' !commit:exists:a =b:5
}

@test "a sweep that may not mark its turn does not take it" {
    upload $ID hello
    touch -d '9 days ago' "$DIR/.putd/"*
    failing utimensat:error=EPERM
    ask stat -----nobody-----
    serve
    met
    expect 0 '' !stat:unknown-id
    [[ -e $DIR/.putd/$ID.part ]] || fail "swept"
}

# --- the connection ----------------------------------------------------------

@test "what cannot be written is told by the exit status; the files are there" {
    failing "@$T/out" write:error=EIO
    asked a 1
    asked b 2
    serve
    met
    expect 74 'a=1 b=2'
}

@test "the same, found out before it waits for what follows" {
    asked a 1
    failing sendto:error=EIO
    meet --over=unix "file=$IN" asleep ended
    met
    expect 74 'a=1'
}

@test "the same, found out before the next frame's own answer" {
    local next

    for next in "part $ID 0 x" 'asked ../x 1' 'asked a/b 1' "ask stat $ID"; do
        rm -rf "$DIR/a" "$DIR/.putd"
        : >"$IN"
        asked a 1
        $next
        failing "@$T/out" write:error=EIO
        serve
        met
        expect 74 'a=1'
    done
}

# accepting: a client's file, over a socket that putd listens on.
accepting() {
    CODE=0
    "$PYTHON" "$LIB/pass.py" --connection="$IN" listening -- "$PUTD" "${OPTIONS[@]}" "$DIR" \
        </dev/null >"$T/out" 2>"$T/err" 3>&- || CODE=$?
    look
}

@test "a client that is gone before it is accepted costs nobody else anything" {
    local error

    asked a 1
    for error in ECONNABORTED EPROTO EHOSTUNREACH; do
        rm -f "$DIR/a"
        failing "accept4:error=$error:when=1"
        accepting
        met
        expect 0 'a=1' +a:1
    done
}

@test "the user at a socket's other end is not told: it is named as a pipe is" {
    plain a 1
    failing getsockopt:error=EIO
    meet --over=unix "file=$IN" ended
    met
    expect 0 'a=1'
    named pipe
}

@test "nothing can be accepted" {
    asked a 1
    failing accept4:error=EMFILE
    accepting
    met
    [[ $CODE == 74 && -z $LISTING ]] || fail "expected exit status 74"
    logged 1
}

@test "nothing can be waited for" {
    asked a 1
    failing ppoll:error=ENOMEM poll:error=ENOMEM
    accepting
    met
    [[ $CODE == 74 && -z $LISTING ]] || fail "expected exit status 74"
}

@test "a mount on the way, where openat2 is taken away" {
    need_root
    mkdir "$DIR/d"
    failing openat2:error=ENOSYS
    printf '#!/bin/bash\nexec unshare --mount sh -c "mount -t tmpfs none %q && exec \"\\$@\"" sh %q "$@"\n' \
        "$DIR/d" "$T/failing" >"$T/mounting"
    chmod +x "$T/mounting"
    PUTD=$T/mounting
    asked d/a 1
    serve
    met
    expect 0 'd/' !put:denied:d/a
}

@test "stdin is closed, and there is no /dev/null" {
    failing @/dev/null openat:error=EMFILE
    CODE=0
    "$PUTD" "$DIR" <&- >"$T/out" 2>"$T/err" || CODE=$?
    met
    look
    expect 74 ''
}

# --- --check -----------------------------------------------------------------

@test "--check where the free space is not known" {
    failing fstatfs:error=EIO
    CODE=0
    "$PUTD" "${OPTIONS[@]}" --check "$DIR" </dev/null >"$T/out" 2>"$T/err" || CODE=$?
    met
    [[ $CODE == 73 ]] || fail "expected exit status 73: $(<"$T/out")"
}

# --- memory ------------------------------------------------------------------

# starving N: from here on the N-th request of $SOUND for memory finds none.
starving() {
    [[ -e $T/starve.so ]] || {
        cc -O2 -shared -fPIC -o "$T/starve.so" "$LIB/starve.c"
        SOUND=$PUTD PUTD=$T/starving
    }
    printf '#!/bin/sh\nSTARVE=%d LD_PRELOAD=%q exec %q "$@"\n' "$1" "$T/starve.so" "$SOUND" >"$T/starving"
    chmod +x "$T/starving"
}

# glibc dies of it where it is asked for the owner's name: behind the first line.
@test "--check: each request for memory in turn finds none" {
    local -i n

    for ((n = 1; ; n++)); do
        starving "$n"
        CODE=0
        "$PUTD" "${OPTIONS[@]}" --check "$DIR" </dev/null >"$T/out" 2>"$T/err" || CODE=$?
        grep -q '^starved' "$T/err" || break
        case $CODE in
            0) (($(wc -l <"$T/out") == 8)) ;;
            73) grep -q '^files  *Cannot allocate memory' "$T/out" ;;
            134 | 139) (($(wc -l <"$T/out") == 1)) ;;
            *) false ;;
        esac || fail "request $n: $CODE: $(<"$T/out")"
    done
    ((n > 20)) || fail "only $n requests"
}

# An answer, or a clear end, nothing partial, and the same client has all of it at
# its next try.
@test "each request for memory in turn finds none" {
    local -i n
    local file

    # Room is made beside another upload, and there is something to sweep.
    upload ---another-one-- 1234
    touch -d '9 days ago' "$DIR/.putd/swept"
    cp -a "$DIR" "$T/before"
    sha256 < <(echo -n hello)
    asked d/a hello ",\"sha256\":\"$SHA\""
    plain b hello ',"if_exists":"keep","mtime":5'
    frame '{"cmd":"hello","reply":true,"need":["cmd","filesize"]}'
    silent_part $ID 0 hello
    asked ../x 1
    ask stat $ID ',"filename":"d/c","size":5'
    commit $ID d/c 5
    ask stat $ID
    ask abort $OTHER
    finish
    for ((n = 1; ; n++)); do
        rm -rf "$DIR"
        cp -a "$T/before" "$DIR"
        starving "$n"
        serve --mkdirs --max-partial=50%
        grep -q '^starved' "$T/err" || break
        [[ $CODE == 0 || $CODE == 7[0-9] ]] || fail "request $n"
        for file in d/a b d/c; do
            [[ ! -e $DIR/$file || $(<"$DIR/$file") == hello ]] || fail "request $n: $file"
        done
        [[ $(ls -A "$DIR/.putd" 2>/dev/null) != *tmp.* ]] || fail "request $n: $(ls -A "$DIR/.putd")"
        PUTD=$SOUND serve --mkdirs
        [[ $CODE == 0 && $(cat "$DIR/d/a" "$DIR/b" "$DIR/d/c") == hellohellohello ]] || fail "request $n, again"
    done
    ((n > 20)) || fail "only $n requests"
}
