#!/usr/bin/env bash
#
# A real systemd as PID 1, for tests: in namespaces of its own (pid, mount,
# network, cgroup, uts, ipc), on a throw-away overlay of the test root, or of the
# directory SDBOOT_LOWER (`/` is this machine's own root). It sees no service of
# this machine and nothing of it is left afterwards.
#
#   sdboot.sh boot TREE PIDFILE        boot with the files of TREE laid over the
#                                      root, write the pid of that systemd into
#                                      PIDFILE, stay until SIGTERM
#   sdboot.sh enter PIDFILE COMMAND... run COMMAND in there, as root
#   sdboot.sh client PIDFILE COMMAND... run COMMAND out here, on its network
#   sdboot.sh run TREE COMMAND...      boot, enter, end; the status is COMMAND's
#
# Needs root, util-linux and what testroot needs. It boots in about 0.3 s; a boot
# that does not come about ends with status 1 and its console on stderr.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
readonly here
readonly BOOT_POLLS=2500 # of 0.02 s each

# The namespaces' first process inherits the environment of nobody.
readonly CLEAN=(env -i "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    LC_ALL=C.UTF-8 TERM=dumb SYSTEMD_PAGER=cat SYSTEMD_COLORS=0)

usage() {
    sed -n '2,/^set /{/^# \{0,1\}/s///p}' "$0" >&2
    exit 64
}

enter() {
    nsenter --target "$1" --mount --pid --net --cgroup --uts --ipc \
        -- "${CLEAN[@]}" "${@:2}"
}

# --- boot -------------------------------------------------------------------

lower=''   # of the overlay
scratch='' # holds the mount points; everything mounted there dies with us
cgroup=''  # a branch of the unified hierarchy, wherever this machine has it
holder=''  # unshare(1), the parent of PID 1
pid1=''

end() {
    local -i i

    trap - EXIT
    trap '' INT TERM # this is bounded, and leaves nothing only if it is finished
    # Killing PID 1 kills all that runs in its namespaces.
    [[ -z $pid1 ]] || kill -KILL "$pid1" 2>/dev/null || true
    [[ -z $holder ]] || {
        [[ -n $pid1 ]] || kill -KILL "$holder" 2>/dev/null || true
        wait "$holder" 2>/dev/null || true
    }
    for ((i = 0; i < BOOT_POLLS && ${#cgroup} > 0; i++)); do
        find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
        [[ -d $cgroup ]] || break
        sleep 0.02
    done
    ! mountpoint -q "$scratch/cgroup" || umount "$scratch/cgroup"
    rm -rf --one-file-system "$scratch"
}

# Into the branch of the cgroup tree first: what becomes the root of the new
# cgroup namespace is where the process is when it makes one.
start() {
    echo "$BASHPID" >"$cgroup/cgroup.procs"
    exec setpriv --pdeathsig KILL \
        unshare --fork --kill-child --pid --mount --net --cgroup --uts --ipc \
        --propagation private -- "$here/sdinit.sh" "$scratch" "$1" "$lower"
}

# The script becomes systemd: by its name one knows that it did.
is_systemd() {
    [[ -e /proc/$holder/task/$holder/children ]] || return 1
    read -r pid1 _ <"/proc/$holder/task/$holder/children" || [[ -n $pid1 ]] &&
        [[ $(cat "/proc/$pid1/comm" 2>/dev/null) == systemd ]]
}

state() {
    enter "$pid1" systemctl is-system-running 2>/dev/null || true
}

has_settled() {
    case $(state) in running | degraded) true ;; *) false ;; esac
}

# await WHAT: as long as there is somebody to wait for.
await() {
    local -i i

    for ((i = 0; i < BOOT_POLLS; i++)); do
        ! "$1" || return 0
        kill -0 "$holder" 2>/dev/null || break
        sleep 0.02
    done
    echo "sdboot: no systemd came up" >&2
    cat "$scratch/console" >&2
    exit 1
}

boot() {
    local tree=$1

    [[ $EUID == 0 ]] || {
        echo "sdboot: only root can do this" >&2
        exit 1
    }
    lower=${SDBOOT_LOWER:-$("$here/testroot")}
    trap end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/sdboot.XXXXXX")
    mkdir "$scratch"/{cgroup,memory,root}
    mount -t cgroup2 none "$scratch/cgroup"
    cgroup=$(mktemp -d "$scratch/cgroup/sdboot.XXXXXX")
    start "$tree" >"$scratch/console" 2>&1 </dev/null &
    holder=$!
    await is_systemd
    await has_settled
    if [[ $(state) == degraded ]]; then
        echo "sdboot: some unit failed:" >&2
        enter "$pid1" systemctl --failed --no-legend >&2
    fi
}

# All mounts below are made in a mount namespace of our own, so that they end
# with this process whatever becomes of it.
own_mounts() {
    [[ -z ${SDBOOT_OWN_MOUNTS-} ]] || return 0
    SDBOOT_OWN_MOUNTS=1 exec unshare --mount --propagation private -- \
        "$here/sdboot.sh" "$@"
}

case ${1-} in
    boot)
        [[ $# == 3 ]] || usage
        own_mounts "$@"
        boot "$2"
        echo "$pid1" >"$3.new"
        mv "$3.new" "$3"
        wait "$holder"
        ;;
    run)
        [[ $# -ge 3 ]] || usage
        own_mounts "$@"
        boot "$2"
        status=0
        enter "$pid1" "${@:3}" || status=$?
        exit "$status"
        ;;
    enter)
        [[ $# -ge 3 ]] || usage
        read -r pid1 <"$2"
        enter "$pid1" "${@:3}"
        ;;
    client)
        [[ $# -ge 3 ]] || usage
        read -r pid1 <"$2"
        exec nsenter --target "$pid1" --net -- "${@:3}"
        ;;
    *) usage ;;
esac
