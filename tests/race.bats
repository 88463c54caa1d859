#!/usr/bin/env bats
#
# Somebody else works in the tree while files arrive: directories become links,
# files, nothing; names are taken by what is no file. Nothing outside the root is
# ever written, what is told as stored is there, and nothing is left behind.

# bats file_tags=chance

load lib/common

# What makes itself a wall beside the steps from held directories is left out: they
# must do alone.
ALONE=(--sync=none --no-sandbox)

# outside: all of it, and when it was last altered.
outside() { find "$T/outside" -printf '%P %y %m %s %T@\n' -type f -exec cat {} +; }

# swapped WHAT [OPTION]...: ten seconds of it (see lib/race.py, which judges the
# receipts), of which something was stored and something refused.
swapped() {
    local swaps stored refused before

    mkdir "$T/outside"
    printf 'precious' >"$T/outside/f1"
    before=$(outside)
    "$PYTHON" "$LIB/race.py" "$1" "$DIR" "$T/outside" 10 \
        "$PUTD" "${OPTIONS[@]}" "${@:2}" "$DIR" >"$T/out" 2>"$T/err" ||
        fail "$(tail -n 3 "$T/err") $(grep ': io' "$T/err" | sort | uniq -c)"
    read -r _ swaps _ stored _ refused <"$T/out"
    echo "# $swaps swaps, $stored stored, $refused refused" >&3
    ((swaps > 100 && stored > 0 && refused > 0)) || fail "nothing was tried"
    [[ $(outside) == "$before" ]] || fail "written outside: $(outside | head -n 20)"
    find "$DIR/.putd" -mindepth 1 ! -name swept ! -name '*.done' | (! grep .) ||
        fail "left behind"
}

@test "a directory on the way is swapped for links, files and nothing, 10 s" {
    swapped directory "${ALONE[@]}"
}

@test "the same where directories are made" {
    swapped directory --mkdirs "${ALONE[@]}"
}

@test "the same as shipped: flushed in batches, in the sandbox" {
    swapped directory
}

@test "the files' names are swapped for links, fifos, directories and nothing, 10 s" {
    swapped target
}

@test "the same without a flush, and without the sandbox" {
    swapped target "${ALONE[@]}"
}

@test ".putd is swapped for links, directories, files and nothing, 10 s" {
    swapped private
}

@test "that too without a flush, and without the sandbox" {
    swapped private "${ALONE[@]}"
}

# in_the_middle COMMAND [OPTION]...: with a file for d/a on its way, COMMAND is
# done in the root; then the rest of it comes.
in_the_middle() {
    mkdir "$DIR/d"
    mkdir "$T/outside"
    dialogue "${@:2}" \
        'frame={"cmd":"put","filename":"d/a","filesize":5,"reply":true}' \
        bytes=he in-body "sh=cd '$DIR' && $1" bytes=llo shut ended
    [[ -z $(ls -A "$T/outside") ]] || fail "written outside"
}

# The directory is held: its file goes where it is now, or nowhere.

@test "the directory becomes a file in the middle" {
    in_the_middle 'mv d e && : >d'
    expect 0 'd= e/ e/a=hello' +d/a:5
}

@test "the directory becomes a link out of the root in the middle" {
    in_the_middle "mv d e && ln -s '$T/outside' d"
    expect 0 "d->$T/outside e/ e/a=hello" +d/a:5
}

# Held it is still, but it is below the root no more: the sandbox says so. (Without
# it, as for a sanitizer, the file goes where its directory is.)
@test "the directory is moved out of the root in the middle" {
    mkdir "$T/away"
    in_the_middle "mv d '$T/away/d'"
    if [[ " ${OPTIONS[*]} " == *' --no-sandbox '* ]]; then
        expect 0 '' +d/a:5
        [[ $(<"$T/away/d/a") == hello ]]
        return
    fi
    [[ $LISTING == '' && -z $(ls -A "$T/away/d") ]] || fail "written outside"
    [[ ${RECEIPTS[0]} == '{"ok":false,"cmd":"put",'* ]]
}

@test "the directory is removed in the middle" {
    in_the_middle 'rmdir d'
    [[ $CODE == 0 || $CODE == 74 ]]
    [[ -z $LISTING && ${RECEIPTS[0]} == '{"ok":false,"cmd":"put",'* ]] ||
        fail "stored nowhere"
}

@test "the target becomes a directory in the middle" {
    in_the_middle 'mkdir d/a'
    expect 0 'd/ d/a/' '!put:exists:d/a'
}

@test "the target becomes a link in the middle: it is replaced, not followed" {
    in_the_middle "ln -s '$T/outside/x' d/a"
    expect 0 'd/ d/a=hello' +d/a:5
}

@test "the target becomes a fifo in the middle" {
    in_the_middle 'mkfifo d/a'
    expect 0 'd/ d/a=hello' +d/a:5
}

# watched: putd's opens are in $T/opens from here on.
watched() {
    need_tool strace
    printf '#!/bin/sh\nexec strace -qq -o %q -e trace=open,openat,openat2,creat %q "$@"\n' \
        "$T/opens" "$PUTD" >"$T/watched"
    chmod +x "$T/watched"
    PUTD=$T/watched
}

# not_opened NAME: by the last putd, whatever for, while others were seen.
not_opened() {
    grep -q '^openat.*"\."' "$T/opens" || fail "no open was seen"
    (! grep -E "\"([^\"]*/)?$1\"" "$T/opens") || fail "$1 was opened"
}

# taken COMMAND: what stands at the name before is replaced, and not opened; also
# where it could be the very file, by its digest.
taken() {
    local more

    watched
    for more in '' ',"sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"'; do
        rm -f "$DIR/a"
        (cd "$DIR" && eval "$1") || fail "cannot be made here"
        : >"$IN"
        asked a hello "$more"
        serve
        not_opened a
        [[ $CODE == 0 && $LISTING == 'a=hello' && ${RECEIPTS[0]} == '{"ok":true,'* ]] ||
            fail "not replaced"
    done
}

@test "at the target: a fifo" {
    taken 'mkfifo a'
}

@test "at the target: a socket" {
    taken "$PYTHON -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"a\")'"
}

@test "at the target: a character device" {
    need_root
    taken 'mknod a c 1 3'
}

@test "at the target: a block device" {
    need_root
    taken 'mknod a b 7 200'
}

@test "at the target: a link to a file outside" {
    printf hello >"$T/outside"
    taken "ln -s '$T/outside' a"
    [[ $(cat "$T/outside") == hello ]]
}

# As long as it is a second name of one, that one stays as it is.
@test "at the target: a hard link to a file outside" {
    printf other >"$T/outside"
    ln "$T/outside" "$DIR/a"
    asked a hello
    serve
    expect 0 'a=hello' +a:5
    [[ $(cat "$T/outside") == other ]]
}

@test "at the target: a device under reject is a name that is taken" {
    need_root
    watched
    mknod "$DIR/a" c 1 3
    asked a hello ',"if_exists":"reject"'
    list() { LISTING=''; } # whose content nobody reads
    serve
    expect 0 '' '!put:exists:a'
    not_opened a
    [[ -c $DIR/a ]]
}

@test "at the target: a device is not the file of no bytes" {
    need_root
    watched
    mknod "$DIR/a" c 1 3
    asked a '' ',"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"'
    serve
    expect 0 'a=' '{"ok":true,"cmd":"put","filename":"a","filesize":0,"stored":"a","durable":true,"sha256":"e3b0*"}'
    not_opened a
}
