# shellcheck shell=bash
#
# For the first process of a mount namespace: a root of one's own, of which
# nothing is left when the namespace ends. Sourced by inroot and sdinit.sh.

# overlay_root LOWER SCRATCH: $SCRATCH/root becomes LOWER with memory above it:
# what is written goes there. Other filesystems of this machine are not in it.
# With the kernel's filesystems, but for cgroups.
overlay_root() {
    local lower=$1 memory=$2/memory root=$2/root device

    mkdir -p "$memory" "$root"
    mount -t tmpfs -o mode=0755 none "$memory"
    mkdir "$memory"/{changes,work}
    mount -t overlay none "$root" \
        -o "lowerdir=$lower,upperdir=$memory/changes,workdir=$memory/work"

    mount -t proc -o nosuid,nodev,noexec none "$root/proc"
    # Most sysctls are this machine's: read only, but for those of the new
    # network.
    mount --bind "$root/proc/sys" "$root/proc/sys"
    mount -o remount,bind,ro "$root/proc/sys"
    mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
    mount -o remount,bind,rw "$root/proc/sys/net"
    mount -t sysfs -o ro,nosuid,nodev,noexec none "$root/sys"

    mount -t tmpfs -o mode=0755,nosuid none "$root/dev"
    for device in null zero full random urandom tty; do
        : >"$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir "$root"/dev/{pts,shm,mqueue}
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 none "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    ln -s fd/0 "$root/dev/stdin"
    ln -s fd/1 "$root/dev/stdout"
    ln -s fd/2 "$root/dev/stderr"
    mount -t tmpfs -o mode=1777,nosuid,nodev none "$root/dev/shm"
    mount -t tmpfs -o mode=0755,nosuid,nodev none "$root/run"
    mount -t tmpfs -o mode=1777,nosuid,nodev none "$root/tmp"
}

# enter_root ROOT COMMAND...: COMMAND replaces this process, with ROOT as its
# root and nothing of the old one in sight.
enter_root() {
    cd "$1" || return
    mkdir .outside
    pivot_root . .outside
    # shellcheck disable=SC2016 # $@ is the inner shell's
    exec chroot . /bin/sh -c '
        umount -l /.outside && rmdir /.outside && mount --make-rshared / &&
        exec "$@"' sh "${@:2}"
}
