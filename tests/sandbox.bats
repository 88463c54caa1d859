#!/usr/bin/env bats
# The sandbox in the process: what somebody who has taken over putd can do. Code
# of an attacker (lib/escape*.c) runs inside it, behind the first frame. Each
# attempt is made twice: without the sandbox it works, inside it does not.

load lib/common

setup_file() {
    # A sanitizer's runtime cannot live in the sandbox: the plain build is what
    # is proved, whatever else runs with another one.
    ! grep -q __asan_init "$PUTD" || PUTD=$ROOT/build/putd
    export PUTD ESCAPE_LIBRARY=$BATS_FILE_TMPDIR/escape.so KILLS=no
    "${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -O1 -shared -fPIC \
        -o "$ESCAPE_LIBRARY" "$LIB"/escape*.c
    # Built with SANDBOX_KILL, a call outside the table ends the process.
    BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR common_setup
    asked a 1
    escape fork_process
    ((CODE != 159)) || KILLS=yes
}

setup() {
    common_setup
    OUTSIDE=$T/outside
    mkdir "$OUTSIDE" "$OUTSIDE/directory"
    echo outside >"$OUTSIDE/file"
    echo inside >"$DIR/inside"
    ln -s ../outside "$DIR/out"
    asked a 1
}

# escape ATTEMPT [OPTION]...: what was built, served by a putd that is taken
# over; the result of the attempt is in $ESCAPED, the rest as after `serve`.
escape() {
    CODE=0
    ESCAPE=$1 ESCAPE_OUTSIDE=$OUTSIDE LD_PRELOAD=$ESCAPE_LIBRARY \
        "${PREFIX[@]}" "$PUTD" --min-free=0 "${@:2}" "$DIR" \
        <"$IN" >"$T/out" 2>"$T/err" 3>&- || CODE=$?
    ESCAPED=$(sed -n "s/^escape $1: //p" "$T/err")
}

# state_outside: all that is there, and how.
state_outside() {
    find "$OUTSIDE" -printf '%P %y %m %s %U %T@\n' | sort
}

# works ATTEMPT: without a sandbox.
works() {
    escape "$1" --no-sandbox
    [[ $ESCAPED == 'done' ]] || fail "without a sandbox: $ESCAPED"
    rm -rf "$DIR/a" "$DIR/new" "$DIR/linked" "$DIR/moved" "$OUTSIDE"
    mkdir -p "$OUTSIDE/directory"
    echo outside >"$OUTSIDE/file"
    echo inside >"$DIR/inside"
}

# fails ATTEMPT ERROR: inside, and the file is stored all the same.
fails() {
    local before

    before=$(state_outside)
    escape "$1"
    look
    [[ $ESCAPED == "$2" ]] || fail "inside: $ESCAPED"
    expect 0 $'a=1 inside=inside\n out->../outside' +a:1
    [[ $(state_outside) == "$before" ]] || fail "something changed outside"
}

# no_path ATTEMPT [ERROR]: Landlock says where files are.
no_path() {
    works "$1"
    fails "$1" "${2-EACCES}"
}

# no_call ATTEMPT: the filter says what can be called.
no_call() {
    works "$1"
    if [[ $KILLS == yes ]]; then
        killed "$1"
    else
        fails "$1" EPERM
    fi
}

# killed ATTEMPT: by SIGSYS, and nothing is there of it.
killed() {
    escape "$1"
    [[ $CODE == 159 && -z $ESCAPED && ! -s $T/out ]] || fail "not killed"
    [[ ! -e $DIR/a ]]
}

# as_root ATTEMPT: one that only root could make, in mounts of its own.
as_root() {
    need_root
    need_tool unshare
    PREFIX=(unshare --mount)
    no_call "$1"
}

# --- files ------------------------------------------------------------------

@test "read /etc/passwd" { no_path read_passwd; }
@test "read and write its own memory by /proc" { no_path read_memory; }
@test "read its environment by /proc" { no_path read_environment; }
@test "list a directory outside" { no_path list_outside; }
@test "write to a file outside" { no_path write_outside; }
@test "truncate a file outside" { no_path truncate_outside; }
@test "truncate a file outside by its name" { no_call truncate_by_name; }
@test "make a file outside" { no_path create_outside; }
@test "make a file without a name outside" { no_path create_unnamed_outside; }
@test "creat(2) outside" {
    [[ $(uname -m) == x86_64 ]] || return 0
    no_call creat_outside
}

@test "outside by .." { no_path through_parent; }
@test "outside by a symbolic link" { no_path through_link; }
@test "remove a file outside" { no_path unlink_outside; }
@test "unlink(2) outside" {
    [[ $(uname -m) == x86_64 ]] || return 0
    no_call unlink_by_name
}

@test "remove a directory outside" { no_path rmdir_outside; }
@test "rename outside" { no_path rename_outside; }
@test "rename out of the root" { no_path rename_out; }
@test "rename into the root" { no_path rename_in; }
@test "link out of the root" { no_path link_out; }
@test "link into the root" { no_path link_in EXDEV; }
@test "make a directory outside" { no_path mkdir_outside; }
@test "make a symbolic link outside" { no_call symlink_outside; }
@test "make a symbolic link inside" { no_call symlink_inside; }
@test "make a fifo inside" { no_call fifo_inside; }
@test "make a device inside" { as_root device_inside; }
@test "change the mode of a file outside" { no_call chmod_outside; }
@test "give away a file outside" { as_root chown_outside; }
@test "change the times of a file outside" { no_call touch_outside; }
@test "set an extended attribute outside" { no_call mark_outside; }
@test "change the working directory" { no_call change_directory; }
@test "change the root" { as_root change_root; }
@test "watch files" { no_call watch; }

# --- the network ------------------------------------------------------------

# no_socket ATTEMPT: refused by name, which the killing build does not kill.
no_socket() {
    works "$1"
    fails "$1" EPERM
}

# with_sockets: a datagram socket in the directory outside, and an abstract one.
with_sockets() {
    export ESCAPE_ABSTRACT=$OUTSIDE
    background "$PYTHON" -c '
import os, signal, socket
path = os.environ["ESCAPE_ABSTRACT"]
a = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
a.bind("\0" + path)
b = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
b.bind(path + "/../datagram")
signal.pause()'
    until_true [ -S "$T/datagram" ]
}

@test "a TCP socket" { no_socket tcp_socket; }
@test "a TCP socket for IPv6" { no_socket tcp6_socket; }
@test "a UDP socket" { no_socket udp_socket; }
@test "a raw socket" {
    need_root
    no_socket raw_socket
}

@test "a netlink socket" { no_socket netlink_socket; }
@test "a Unix stream socket" { no_socket unix_stream_socket; }
@test "a pair of sockets" { no_call socket_pair; }
@test "connect a Unix datagram socket" {
    with_sockets
    no_socket unix_connect
}

@test "bind a Unix socket" { no_call unix_bind; }
@test "send to an abstract Unix socket" {
    with_sockets
    no_socket abstract_send
}

@test "send to a Unix socket by its path: the journal needs it, so it works" {
    with_sockets
    works path_send
    fails path_send 'done'
}

# --- programs, processes, memory --------------------------------------------

@test "execute a program" { no_call execute; }
@test "execute a program by a descriptor" { no_call execute_descriptor; }
@test "fork" { no_call fork_process; }
@test "clone" { no_call clone_process; }
@test "signal another process" { no_call stop_other; }
@test "signal itself" { no_call signal_itself; }
@test "signal another process as the owner of a descriptor" { no_call signal_by_owner; }
@test "trace another process" { no_call trace_other; }
@test "be traced" { no_call be_traced; }
@test "read the memory of a process" { no_call read_other; }
@test "hold another process by a descriptor" { no_call open_process; }
@test "map memory that can be executed" { no_call map_executable; }
@test "map a file that can be executed" { no_call map_file_executable; }
@test "make memory executable" { no_call make_executable; }
@test "make memory executable by a key" { no_call make_executable_by_key; }
@test "a file in memory" { no_call memory_file; }

# --- the kernel -------------------------------------------------------------

@test "mount" { as_root mount_memory; }
@test "a user namespace of its own" { no_call unshare_user; }
@test "mounts of its own" { as_root unshare_mounts; }
@test "io_uring" { no_call ring; }
@test "a map of BPF" { as_root bpf_map; }
@test "perf events" { as_root perf_event; }
@test "userfaultfd" { as_root fault_handler; }
@test "set a limit" { no_call raise_limit; }
@test "change the user" { no_call change_user; }
@test "change the group" { no_call change_groups; }
@test "make itself dumpable" { no_call dumpable; }
@test "ioctl" { no_call device_control; }

@test "the calls of another architecture end the process" {
    [[ $(uname -m) == x86_64 ]] || return 0
    works other_architecture
    killed other_architecture
}

# --- a live instance --------------------------------------------------------

# live [OPTION]...: one that waits for its first byte.
live() {
    mkfifo "$T/connection"
    exec 9<>"$T/connection"
    (
        # Without what bats has open.
        for fd in {3..254}; do exec {fd}>&-; done
        exec "$PUTD" --min-free=0 "$@" "$DIR"
    ) <"$T/connection" >"$T/out" 2>"$T/err" &
    PID=$!
    PIDS+=("$PID")
    until_true waits
}

waits() {
    [[ $(<"/proc/$PID/wchan") == *poll* ]]
}

# of_status FIELD
of_status() {
    sed -n "s/^$1:[ \t]*//p" "/proc/$PID/status"
}

@test "live: the filter is there before the first byte" {
    live
    [[ $(of_status Seccomp) == 2 && $(of_status NoNewPrivs) == 1 ]]
}

@test "live: --no-sandbox" {
    live --no-sandbox
    [[ $(of_status Seccomp) == 0 && $(of_status NoNewPrivs) == 0 ]]
}

@test "live: it has stdin, stdout, stderr and the root, and nothing else" {
    live
    [[ $(readlink "/proc/$PID/fd/"*) == "$T/connection
$T/out
$T/err
$DIR" ]]
}

@test "the connection is not touched before the sandbox is closed" {
    need_tool strace
    strace -qq -e trace=read,readv,recvfrom,recvmsg,seccomp -o "$T/trace" \
        "$PUTD" --min-free=0 "$DIR" <"$IN" >"$T/out" 2>"$T/err"
    grep -qE '^read\(0, ' "$T/trace"
    run ! grep -E '\(0, ' < <(sed '/^seccomp(.* = 0$/,$d' "$T/trace")
}

# --- a kernel that will not, or cannot --------------------------------------
# The two calls fail as on such a kernel (strace), before any filter is there.

# on_kernel INJECTION... [-- OPTION...]: putd where these calls fail so.
on_kernel() {
    local -a how=()

    need_tool strace
    while (($# > 0)) && [[ $1 != -- ]]; do
        how+=(-e "inject=$1")
        shift
    done
    CODE=0
    strace -qq -o "$T/trace" "${how[@]}" \
        "$PUTD" --min-free=0 "${@:2}" "$DIR" \
        <"$IN" >"$T/out" 2>"$T/err" 3>&- || CODE=$?
    look
}

# not_served WORD INJECTION...: exit 77, one line with WORD, not a byte.
not_served() {
    on_kernel "${@:2}"
    expect 77 $'inside=inside\n out->../outside'
    logged 1
    [[ ${LOG[0]} == *"$1"*--no-sandbox* ]] || fail "expected a line with $1"
    # The client's bytes are not even read.
    run ! grep -q '^read(0, ' "$T/trace"
}

# warned WORD INJECTION...: served, with one more line.
warned() {
    on_kernel "${@:2}"
    expect 0 $'a=1 inside=inside\n out->../outside' +a:1
    logged 2
    [[ ${LOG[0]} == "putd: this kernel has no $1" ]] || fail "expected a warning"
}

@test "refused: no_new_privs" { not_served no_new_privs prctl:error=EPERM; }
@test "refused: any question about Landlock" { not_served Landlock landlock_create_ruleset:error=EPERM; }
@test "refused: a ruleset" { not_served Landlock landlock_create_ruleset:error=EPERM:when=2; }
@test "refused: a ruleset, for want of memory" { not_served Landlock landlock_create_ruleset:error=ENOMEM:when=2; }
@test "refused: a rule" { not_served Landlock landlock_add_rule:error=EPERM; }
@test "refused: Landlock itself" { not_served Landlock landlock_restrict_self:error=EPERM; }
@test "refused: more layers of Landlock than there can be" { not_served Landlock landlock_restrict_self:error=E2BIG; }
@test "refused: seccomp" { not_served seccomp seccomp:error=EPERM; }
@test "refused: seccomp, for want of memory" { not_served seccomp seccomp:error=ENOMEM; }
@test "refused, and --no-sandbox: served without a line" {
    on_kernel seccomp:error=EPERM landlock_restrict_self:error=EPERM -- --no-sandbox
    expect 0 $'a=1 inside=inside\n out->../outside' +a:1
    logged 1
}

@test "missing: Landlock" { warned Landlock landlock_create_ruleset:error=ENOSYS; }
@test "missing: Landlock, switched off when it booted" { warned Landlock landlock_create_ruleset:error=EOPNOTSUPP; }
@test "missing: a Landlock that can rename (Linux 5.13 to 5.18)" { warned Landlock landlock_create_ruleset:retval=1:when=1; }
@test "missing: seccomp" { warned seccomp seccomp:error=ENOSYS; }
@test "missing: both" { warned 'Landlock or seccomp' landlock_create_ruleset:error=ENOSYS seccomp:error=ENOSYS; }

# older INTERFACE: of Landlock; what it can do it does.
older() {
    PREFIX=(strace -qq -o "$T/trace" -e "inject=landlock_create_ruleset:retval=$1:when=1")
    need_tool strace
    fails read_passwd EACCES
    fails write_outside EACCES
}

@test "an older Landlock: interface 2" { older 2; }
@test "an older Landlock: interface 3" { older 3; }
@test "an older Landlock: interface 4" { older 4; }
@test "an older Landlock: interface 5" { older 5; }
