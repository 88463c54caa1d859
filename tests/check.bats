#!/usr/bin/env bats
# shellcheck disable=SC2016 # what `mounted` is given is expanded inside
#
# putd --check DIRECTORY: what this kernel and this directory give, in plain
# lines on stdout, and an exit status for scripts. It serves and leaves nothing.

load lib/common

setup() {
    common_setup
    PREFIX=()
    # What must not be read.
    asked a 1
}

# code_of COMMAND...: its exit status, in $CODE.
code_of() {
    CODE=0
    "$@" || CODE=$?
}

# check [OPTION]...: of $DIR.
check() {
    code_of "${PREFIX[@]}" "$PUTD" --check "${OPTIONS[@]}" "$@" "$DIR" \
        <"$IN" >"$T/out" 2>"$T/err" 3>&-
    look
    [[ $RAW != *'"ok"'* ]] || fail "a frame was served"
}

# told WORD VALUE: the line of it; * stands for anything.
told() {
    local line

    for line in "${RECEIPTS[@]}"; do
        # shellcheck disable=SC2053 # the asterisks are meant
        [[ $line == $1\ * && ${line#"$1"} =~ ^\ +(.*)$ &&
            ${BASH_REMATCH[1]} == $2 ]] && return 0
    done
    fail "expected the line: $1 $2"
}

# judged EXIT: it said something, and left nothing.
judged() {
    [[ $CODE == "$1" ]] || fail "expected exit status $1"
    [[ -z $LISTING ]] || fail "something was left"
    [[ ! -d $DIR/.putd || -z $(ls -A "$DIR/.putd") ]] || fail "something was left"
    ((${#RECEIPTS[@]} > 0)) || fail "expected lines on stdout"
    logged 0
}

# not_opened WORD: exit 73, one line on stderr with WORD.
not_opened() {
    [[ $CODE == 73 ]] || fail "expected exit status 73"
    logged 1
    [[ ${LOG[0]} == *"$1"* ]] || fail "expected a line with $1"
}

# --- directories that will do -----------------------------------------------

@test "a directory that will do" {
    check
    judged 0
    told directory "$DIR"
    told 'free space' '[0-9]* MiB, the floor is 0 MiB'
    told Landlock 'interface [0-9]*'
    told sandbox 'Landlock and seccomp'
}

@test "it reads nothing of its stdin" {
    need_tool strace
    PREFIX=(strace -qq -e "trace=read,recvfrom" -o "$T/trace")
    check
    judged 0
    run ! grep -E '\(0, ' "$T/trace"
}

@test "a terminal on stdin is no connection, and needs not to be one" {
    need_tool script
    script -qec "'$PUTD' --check --min-free=0 '$DIR' >'$T/out'" /dev/null \
        </dev/null >"$T/typescript"
    grep -q '^sandbox ' "$T/out"
}

@test "owner and mode" {
    chmod 2750 "$DIR"
    check
    judged 0
    told owner "$(stat -c %U:%G "$DIR"), mode 2750"
}

@test "an owner without a name is told by number" {
    need_root
    chown 54321:54322 "$DIR"
    check
    judged 0
    told owner '54321:54322, mode *'
}

# mounted SETUP [OPTION]...: of $DIR, on which SETUP mounts something, in mounts
# of its own.
mounted() {
    need_root
    need_tool unshare
    unshare --mount true 2>/dev/null || cannot "no mount namespace here"
    export DIR T
    PREFIX=(unshare --mount bash -c "{ $1; } >&2 || exit 99; \"\$@\"; code=\$?
        ls -A \"\$DIR\" >\"\$T/left\"; exit \$code" -)
    check "${@:2}"
    [[ $CODE != 99 ]] || cannot "what should be mounted cannot be"
    grep -vxE 'lost\+found|\.putd' "$T/left" && fail "something was left"
    return 0
}

@test "tmpfs: it forgets, and says so" {
    mounted 'mount -t tmpfs none "$DIR"'
    judged 0
    told durable 'no: this filesystem is memory'
}

@test "ramfs: it forgets, and says so" {
    mounted 'mount -t ramfs none "$DIR"'
    told durable 'no: this filesystem is memory'
}

@test "ext4" {
    need_tool mkfs.ext4
    truncate -s 16M "$T/image"
    mkfs.ext4 -q -F "$T/image"
    mounted 'mount -o loop "$T/image" "$DIR"'
    judged 0
    told 'unnamed temporaries' yes
    told durable yes
    told O_DIRECT yes
}

# overlayfs and others have them since long; here the kernel says otherwise.
@test "a filesystem without unnamed temporaries" {
    need_tool strace
    # Which openat it is: the one with O_TMPFILE, counted by a first run.
    strace -qq -e trace=openat -o "$T/trace" \
        "$PUTD" --check --min-free=0 "$DIR" >/dev/null
    nth=$(grep -n O_TMPFILE "$T/trace" | cut -d: -f1)
    PREFIX=(strace -qq -o "$T/trace" -e "inject=openat:error=EOPNOTSUPP:when=$nth")
    check
    judged 0
    told 'unnamed temporaries' no
    told durable yes
}

@test "a flush that fails" {
    need_tool strace
    PREFIX=(strace -qq -o "$T/trace" -e "inject=fdatasync,fsync:error=EIO")
    check
    told durable 'no*'
    ((CODE == 73)) || fail "expected exit status 73"
}

@test "--sync=none: nothing is durable" {
    check --sync=none
    told durable 'no*'
}

# --- directories that will not ----------------------------------------------

@test "below the floor of free space" {
    check --min-free=100%
    judged 73
    told 'free space' '*MiB, the floor is *'
}

@test "below a floor in bytes" {
    check --min-free=8191T
    judged 73
}

@test "missing" {
    DIR=$T/nowhere check
    not_opened 'No such file'
}

@test "missing, and both outputs are one pipe, or one of ssh's" {
    run "$PUTD" --check "$T/nowhere" </dev/null
    [[ $status == 73 && $output == "putd: $T/nowhere: No such file"* ]]
    SSH_CONNECTION='192.0.2.7 5 192.0.2.1 22' run "$PUTD" --check "$T/nowhere"
    [[ $status == 73 && $output == "putd: $T/nowhere: No such file"* ]]
}

@test "a file" {
    DIR=$IN check
    not_opened 'Not a directory'
}

@test "a symbolic link" {
    ln -s dir "$T/link"
    DIR=$T/link check
    not_opened 'symbolic link'
}

@test "read-only" {
    mounted 'mount -t tmpfs -o ro none "$DIR"'
    not_opened 'Read-only'
}

@test "not to be written to" {
    need_root
    need_tool setpriv
    chmod 555 "$DIR"
    chmod o+x "$BATS_RUN_TMPDIR" "${T%/*}" "$T"
    cp "$PUTD" "$T/putd"
    PREFIX=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    PUTD=$T/putd check
    not_opened 'Permission denied'
}

@test "full" {
    mounted 'mount -t tmpfs -o size=64k none "$DIR" && head -c 65536 /dev/zero >"$DIR/lost+found"'
    [[ $CODE == 73 ]] || fail "expected exit status 73"
}

@test "no directory" {
    code_of "$PUTD" --check >"$T/out" 2>"$T/err"
    look
    [[ $CODE == 64 ]] || fail "expected exit status 64"
    logged 1
}

@test "a wrong option is told first" {
    check --frob
    [[ $CODE == 64 ]] || fail "expected exit status 64"
    logged 1
}

@test "output that cannot be written" {
    code_of "$PUTD" --check "$DIR" >/dev/full 2>"$T/err"
    [[ $CODE == 74 ]] || fail "expected exit status 74"
}

@test "hostile bytes in the name of the directory do not reach the terminal" {
    mkdir "$T/"$'\e[31m'
    DIR=$T/$'\e[31m' check
    [[ $CODE == 0 && $RAW != *$'\e'* ]] || fail "it reached the terminal"
}

# --- a kernel that will not -------------------------------------------------

# on_kernel INJECTION...: these calls fail as on such a kernel.
on_kernel() {
    local injection

    need_tool strace
    PREFIX=(strace -qq -o "$T/trace")
    for injection in "$@"; do
        PREFIX+=(-e "inject=$injection")
    done
    check
    judged 77
}

@test "no Landlock" {
    on_kernel landlock_create_ruleset:error=ENOSYS
    told Landlock no
    told sandbox 'without Landlock'
}

@test "a Landlock that cannot rename" {
    on_kernel landlock_create_ruleset:retval=1
    told sandbox 'without Landlock'
}

@test "Landlock is refused" {
    on_kernel landlock_restrict_self:error=EPERM
    told sandbox 'Landlock refused: *'
}

@test "seccomp is refused" {
    on_kernel seccomp:error=EPERM
    told sandbox 'seccomp refused: *'
}

@test "no_new_privs is refused" {
    on_kernel prctl:error=EPERM
    told sandbox 'no_new_privs refused: *'
}
