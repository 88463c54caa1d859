#!/usr/bin/env bats
# contrib/shell-client: `putsh` in each shell, with each netcat, and with nothing
# but busybox; its exit status tells what arrived.
#
# shellcheck disable=SC2030,SC2031,SC2153 # run, and PORT of what is loaded

bats_require_minimum_version 1.5.0
load lib/common
load lib/launch_common

PUTSH=$ROOT/contrib/shell-client/putsh

setup() {
    launch_setup
    FILES=$T/files
    mkdir "$FILES"
    cd "$FILES" || return 1
}

# Files whose names or contents are easily got wrong.
awkward_files() {
    printf 'hello' >a.txt
    : >empty
    head -c 300000 /dev/urandom >'b "q\ c.bin'
    printf 'no newline at end' >-n
    printf 'é' >"$(printf 'é%.0s' {1..120})" # 240 bytes: a header of 1024
    printf 'q' >"$(printf '"%.0s' {1..255})" # 510 bytes once escaped
}

all_arrived() {
    local name

    for name in *; do
        cmp -- "./$name" "$DIR/$name"
    done
    [[ $(find "$DIR" -type f | wc -l) == $(find . -type f | wc -l) ]]
}

# row NETCAT SHELL...
row() {
    local netcat=$1

    shift
    need_tool "${netcat%% *}" "$1"
    launch accept
    awkward_files
    PUTSH_NC=$netcat run "$@" "$PUTSH" 127.0.0.1 "$PORT" ./*
    ((status == 0)) || fail "$output"
    [[ -z $output ]]
    all_arrived
    handler_ended
    [[ $CODE == 0 ]]
}

@test "dash, openbsd netcat" { row nc.openbsd dash; }
@test "dash, traditional netcat" { row nc.traditional dash; }
@test "dash, ncat" { row ncat dash; }
@test "dash, busybox nc" { row 'busybox nc' dash; }
@test "bash, openbsd netcat" { row nc.openbsd bash; }
@test "bash as sh, traditional netcat" { row nc.traditional bash --posix; }
@test "busybox sh, ncat" { row ncat busybox sh; }
@test "busybox sh, busybox nc" { row 'busybox nc' busybox sh; }

@test "nothing but busybox" {
    need_tool busybox
    mkdir "$T/bin"
    busybox --install -s "$T/bin"
    launch accept
    awkward_files
    env -i PATH="$T/bin" "$T/bin/sh" "$PUTSH" 127.0.0.1 "$PORT" ./*
    all_arrived
}

@test "the header is the padded one of the protocol" {
    printf '#!/bin/sh\ncat >"%s"\n' "$T/sent" >"$T/netcat"
    chmod +x "$T/netcat"
    printf 'hello' >a
    PUTSH_NC=$T/netcat run "$PUTSH" h 1 a
    ((status == 75)) # it did not answer
    {
        printf '\0\1\0\0%-256s' \
            '{"cmd":"put","filename":"a","filesize":5,"reply":true}'
        printf 'hello'
        printf '\0\1\0\0%-256s' '{"cmd":"end","reply":true}'
    } >"$T/expected"
    cmp "$T/sent" "$T/expected"
}

# --- what is refused --------------------------------------------------------

# refused_here NAME: before anything is sent; the others are.
refused_here() {
    launch accept
    printf 'x' >"$1"
    printf 'hello' >good
    run --separate-stderr dash "$PUTSH" 127.0.0.1 "$PORT" "$1" good
    ((status == 1))
    # shellcheck disable=SC2154 # set by run
    [[ $stderr == *'control characters, or not UTF-8, in the name'* ]]
    [[ $stderr != *[!\ -~]* ]]
    list "$DIR"
    [[ $LISTING == 'good=hello' ]]
}

@test "a name with a line feed" { refused_here $'a\nb'; }
@test "a name that ends with a line feed" { refused_here $'a\n'; }
@test "a name with an escape" { refused_here $'a\e[31m'; }
@test "a name with DEL" { refused_here $'a\x7f'; }
@test "a name with U+0085" { refused_here $'a\xc2\x85'; }
@test "a name with a lone byte" { refused_here $'a\xff'; }
@test "a name cut inside a character" { refused_here $'a\xe2\x82'; }
@test "a name with an overlong form" { refused_here $'a\xc0\xaf'; }
@test "a name with a surrogate" { refused_here $'a\xed\xa0\x80'; }
@test "a name above U+10FFFF" { refused_here $'a\xf4\x90\x80\x80'; }

@test "names at the edges of UTF-8 are sent" {
    launch accept
    touch $'a\xc2\xa0' $'a\xdf\xbf' $'a\xe0\xa0\x80' $'a\xed\x9f\xbf' \
        $'a\xef\xbf\xbd' $'a\xf0\x90\x80\x80' $'a\xf4\x8f\xbf\xbf' 'a ~'
    dash "$PUTSH" 127.0.0.1 "$PORT" ./*
    all_arrived
}

@test "a missing file and a directory: the others are sent, exit 1" {
    launch accept
    mkdir d
    printf 'hello' >good
    run dash "$PUTSH" 127.0.0.1 "$PORT" d missing good
    ((status == 1))
    [[ ${lines[0]} == 'putsh: d: not a file that can be read' ]]
    [[ ${lines[1]} == 'putsh: missing: not a file that can be read' ]]
    ((${#lines[@]} == 2))
    list "$DIR"
    [[ $LISTING == 'good=hello' ]]
}

@test "nothing that can be sent: nobody is called" {
    run dash "$PUTSH" 127.0.0.1 1 missing
    ((status == 1 && ${#lines[@]} == 1))
}

@test "a refusal by the server is told, exit 1" {
    launch accept --max-size=5
    printf 'too large' >large
    printf 'hello' >good
    printf 'x' >.hidden
    run dash "$PUTSH" 127.0.0.1 "$PORT" large good .hidden
    ((status == 1 && ${#lines[@]} == 2))
    [[ ${lines[0]} == 'putsh: {"ok":false,"cmd":"put","error":"too-large",'* ]]
    [[ ${lines[1]} == 'putsh: {"ok":false,"cmd":"put","error":"bad-name",'* ]]
    list "$DIR"
    [[ $LISTING == 'good=hello' ]]
}

# --- what is cut off --------------------------------------------------------

@test "no server: exit 75, never 0" {
    printf 'hello' >a
    run dash "$PUTSH" 127.0.0.1 "$(free_port)" a
    ((status == 75))
    [[ $output == *'what arrived is unknown'* ]]
}

@test "a server that closes without the summary: exit 75" {
    launch_command accept /bin/true
    printf 'hello' >a
    run dash "$PUTSH" 127.0.0.1 "$PORT" a
    ((status == 75))
}

# The size is told first: a file that became shorter must not take the header of
# the next one as its end. `head` is where it does, in a wrapper of ours.
@test "a file that becomes shorter: nothing of it is stored, exit 75" {
    launch accept
    mkdir "$T/bin"
    cat >"$T/bin/head" <<HEAD
#!/bin/sh
: >"$FILES/short"
exec "$(command -v head)" "\$@"
HEAD
    chmod +x "$T/bin/head"
    printf 'shorter' >short
    printf 'hello' >next
    PATH=$T/bin:$PATH run dash "$PUTSH" 127.0.0.1 "$PORT" short next
    ((status == 75))
    [[ ${lines[0]} == 'putsh: short: changed while it was sent' ]]
    handler_ended
    [[ $LISTING == '' ]]
}

@test "usage" {
    run dash "$PUTSH"
    ((status == 64))
    run dash "$PUTSH" host 8080
    ((status == 64))
    [[ $output == 'Usage: putsh HOST PORT FILE...' ]]
}

@test "the README's frames, as they stand there" {
    need_tool nc.openbsd
    launch accept
    mkdir "$T/bin"
    ln -s "$(command -v nc.openbsd)" "$T/bin/nc"
    sed -n '/^    {$/,/^    }/s/^    //p' \
        "$ROOT/contrib/shell-client/README.md" |
        sed "s/127.0.0.1 8080/127.0.0.1 $PORT/" >"$T/example"
    PATH=$T/bin:$PATH run dash "$T/example"
    ((status == 0))
    [[ $output == '{"ok":true,"cmd":"end","files":1,"failed":0,"bytes":5}' ]]
    grep -qxF "$output" "$ROOT/contrib/shell-client/README.md"
    list "$DIR"
    [[ $LISTING == 'a.txt=hello' ]]
}
