# shellcheck shell=bash disable=SC2034,SC2154 # shared with the tests
#
# A real systemd for a bats file: booted once by setup_file, with what `make
# install` installs, and the socket unit enabled as the README says. Loaded after
# common.bash. Knows the rig and the names of the units.

RIG=$ROOT/tests/rig/sdboot.sh
PIDFILE=${BATS_FILE_TMPDIR-}/pid
ADDRESS=127.0.0.1:8080

# inside COMMAND...: as root, beside that systemd. client COMMAND...: out here,
# with this machine's files, on its network.
inside() { "$RIG" enter "$PIDFILE" "$@"; }
client() { "$RIG" client "$PIDFILE" "$@"; }

# Why no systemd can be booted here, or nothing.
why_not() {
    local tool

    [[ $EUID == 0 ]] || {
        echo 'only root can boot a systemd'
        return
    }
    "$ROOT/tests/rig/testroot" why-not
    for tool in unshare nsenter setpriv mountpoint systemd-analyze make tar; do
        command -v "$tool" >/dev/null || echo "no $tool here"
    done
    [[ -x /lib/systemd/systemd ]] || echo 'no systemd here'
}

booted_or_gone() {
    [[ -s $PIDFILE ]] || ! kill -0 "$1" 2>/dev/null
}

# boot_tree TREE: a systemd with the files of TREE. A machine on which that is
# not possible is recorded in `cannot`, and told by each test.
boot_tree() {
    local booter

    # Made once, which takes longer than a boot may.
    [[ -n ${SDBOOT_LOWER-} ]] || "$ROOT/tests/rig/testroot" >"$BATS_FILE_TMPDIR/root" 2>&1 || {
        cat "$BATS_FILE_TMPDIR/root"
        exit 1
    }
    "$RIG" boot "$1" "$PIDFILE" 2>"$BATS_FILE_TMPDIR/boot" 3>&- &
    booter=$!
    echo "$booter" >"$BATS_FILE_TMPDIR/booter"
    until_true booted_or_gone "$booter"
    [[ -s $PIDFILE ]] ||
        echo "no systemd boots: $(tr '\n' ' ' <"$BATS_FILE_TMPDIR/boot")" \
            >"$BATS_FILE_TMPDIR/cannot"
}

# prepared COMMAND...: whether a systemd can be booted here, with an empty TREE
# that COMMAND has filled.
prepared() {
    TREE=$BATS_FILE_TMPDIR/tree
    why_not >"$BATS_FILE_TMPDIR/cannot"
    [[ ! -s $BATS_FILE_TMPDIR/cannot ]] || return 1
    mkdir "$TREE"
    # It may take minutes, once; a boot is not waited for so long.
    "$ROOT/tests/rig/testroot" >/dev/null 2>"$BATS_FILE_TMPDIR/testroot" || {
        echo "no test root: $(tail -n 1 "$BATS_FILE_TMPDIR/testroot")" \
            >"$BATS_FILE_TMPDIR/cannot"
        return 1
    }
    "$@" >"$BATS_FILE_TMPDIR/install" 2>&1 || {
        cat "$BATS_FILE_TMPDIR/install"
        exit 1
    }
}

booted() {
    [[ ! -s $BATS_FILE_TMPDIR/cannot ]]
}

# boot_systemd: for setup_file. What a package's scripts would do is done by hand.
boot_systemd() {
    prepared install_into_tree || return 0
    boot_tree "$TREE"
    booted || return 0
    inside systemd-sysusers
    inside journalctl --update-catalog
    inside systemctl enable --now putd.socket
}

install_into_tree() { make -C "$ROOT" install DESTDIR="$TREE"; }

# boot_to_install: for setup_file. A systemd that knows nothing of putd, and this
# project in /opt/putd, built, on this machine's own root: make is there.
boot_to_install() {
    prepared copy_into_tree || return 0
    SDBOOT_LOWER=/ boot_tree "$TREE"
}

# The times are made such that nothing is built again, whatever was edited since.
copy_into_tree() {
    local copy=$TREE/opt/putd

    make -C "$ROOT" all && mkdir -p "$copy/build" &&
        cp -a "$ROOT"/{Makefile,{README,SECURITY}.md,LICENSE,src,units,contrib} "$copy" &&
        cp -a "$ROOT"/build/{putd,put,obj} "$copy/build" &&
        find "$copy/build/obj" -name '*.o' -exec touch {} + &&
        touch "$copy"/build/put{d,}
}

# end_systemd: for teardown_file.
end_systemd() {
    local booter

    [[ -s $BATS_FILE_TMPDIR/booter ]] || return 0
    read -r booter <"$BATS_FILE_TMPDIR/booter"
    kill "$booter" 2>/dev/null || return 0
    wait "$booter" || true
}

# For the setup of each test: $STORE is /var/lib/putd, seen from out here.
systemd_setup() {
    local pid

    common_setup
    declare -gA HELD=()
    [[ ! -s $BATS_FILE_TMPDIR/cannot ]] ||
        cannot "$(cat "$BATS_FILE_TMPDIR/cannot")"
    read -r pid <"$PIDFILE"
    STORE=/proc/$pid/root/var/lib/putd
    SINCE=@$(date +%s.%6N)
}

# For the teardown of each test: no instance is left, none has failed, and there
# is no temporary. What is wrong here does not become the next test's trouble.
systemd_teardown() {
    local -i wrong=0

    common_teardown
    [[ -n ${STORE-} ]] || return 0
    until_true instances_are 0 || wrong=1
    inside systemctl --failed --no-legend --plain | (! grep .) || wrong=1
    (! inside pgrep -ax putd) || wrong=1
    [[ ! -d $STORE/.putd ]] || find "$STORE/.putd" -name 'tmp.*' | (! grep .) || wrong=1
    [[ ! -d $STORE ]] || find "${STORE:?}" -mindepth 1 -delete
    ((wrong == 0)) || {
        inside systemctl stop 'putd@*'
        inside systemctl reset-failed
        inside systemctl restart putd.socket
        inside rm -f /etc/default/putd
        return 1
    }
}

instances() {
    inside systemctl list-units --all --no-legend --plain 'putd@*'
}

instances_are() {
    [[ $(instances | wc -l) == "$1" ]]
}

# journal [OPTION]...: what putd and systemd said since the test began. (By time:
# --after-cursor loses a line where the one at the cursor does not match. By
# identifier: journald may come to look for a process's unit when it has ended.)
journal() {
    local -a who=(-t putd -t '(putd)' -t systemd)

    [[ " $* " != *" -t "* ]] || who=()
    inside journalctl --sync
    inside journalctl -q -o cat --since="$SINCE" "${who[@]}" "$@"
}

journal_has() {
    journal "${@:2}" | grep -qE -- "$1"
}

# An instance that is inside a body holds a file without a name.
bodies_are() {
    # shellcheck disable=SC2016 # $pid is the inner shell's
    [[ $(inside sh -c 'for pid in $(pgrep -x putd); do
            ls -l /proc/$pid/fd 2>/dev/null; done' |
        grep -c ' /var/lib/putd/.*(deleted)$') == "$1" ]]
}

# hold NAME: sends the stream so far and keeps the connection open, in the
# background. `go_on NAME [FILE]` sends FILE too, ends our side, and waits for the
# end. What comes back is in $T/NAME.out.
hold() {
    need_tool nc.openbsd
    cp "$IN" "$T/$1.first"
    : >"$T/$1.rest"
    : >"$T/$1.out"
    mkfifo "$T/$1.stream" "$T/$1.go"
    background feed "$T/$1"
    # shellcheck disable=SC2016 # $1 is the inner shell's
    background "$RIG" client "$PIDFILE" sh -c \
        'exec nc.openbsd -N 127.0.0.1 8080 <"$1.stream" >"$1.out"' sh "$T/$1"
    HELD[$1]=$PID
}

# feed HELD: what a connection sends; a line in HELD.go lets it go on. Open for
# both ways, that waits for nobody's open.
feed() {
    local go

    exec {go}<>"$1.go" >"$1.stream" 2>/dev/null
    cat "$1.first"
    read -r -u "$go"
    cat "$1.rest"
}

go_on() {
    [[ $# == 1 ]] || cp "$2" "$T/$1.rest"
    echo >"$T/$1.go"
    wait "${HELD[$1]}" || true
}

answered() {
    [[ $(wc -l <"$T/$1.out") == "$2" ]]
}

# stream: what was built, sent through a netcat; the answer is looked at.
stream() {
    need_tool nc.openbsd
    client timeout 30 nc.openbsd -N 127.0.0.1 8080 \
        <"$IN" >"$T/out" 2>"$T/nc" || true
    : >"$T/err"
    until_true instances_are 0
    # shellcheck disable=SC2034 # for look
    DIR=$STORE CODE=0
    look
}

# attempt NAME [OPTION]: code of an attacker inside the unit, behind the first
# frame (see lib/escape.c): what came of it.
attempt() {
    "${CC:-cc}" -std=gnu11 -O1 -shared -fPIC -o "/proc/$(cat "$PIDFILE")/root/opt/escape.so" \
        "$LIB"/escape*.c
    inside sh -c 'printf "%s\n" "$@" >/etc/default/putd' sh "PUTD_OPTIONS=${2-}" \
        LD_PRELOAD=/opt/escape.so "ESCAPE=$1" ESCAPE_OUTSIDE=/opt
    : >"$IN"
    asked "$1" hello
    stream
    inside rm /etc/default/putd
    judge "${RECEIPTS[0]}" "+$1:5"
    rm "$STORE/$1"
    journal | sed -n "s/^escape $1: //p" | tail -n 1
}
