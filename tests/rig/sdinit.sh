#!/usr/bin/env bash
#
# The first process of the namespaces that sdboot.sh makes: builds a root that
# systemd can boot on, and becomes systemd. Not to be called by hand.
#
#   sdinit.sh SCRATCH TREE
set -euo pipefail

memory=$1/memory # what is written goes here, and is gone with us
root=$1/root
tree=$2

# This machine's root below, memory above. Other filesystems of this machine
# are not in it: what a test needs inside comes with TREE.
mount -t tmpfs -o mode=0755 none "$memory"
mkdir "$memory"/{changes,work}
mount -t overlay none "$root" \
    -o "lowerdir=/,upperdir=$memory/changes,workdir=$memory/work"

# --- the kernel's filesystems -----------------------------------------------

mount -t proc -o nosuid,nodev,noexec none "$root/proc"
# systemd sets sysctls, and most of them are this machine's: read only, but for
# those of the new network.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,rw "$root/proc/sys/net"
mount -t sysfs -o ro,nosuid,nodev,noexec none "$root/sys"
mount -t cgroup2 -o nosuid,nodev,noexec none "$root/sys/fs/cgroup"

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

# --- what boots -------------------------------------------------------------

# systemd's own units stay, but nothing pulls them in: no service and no
# generator of this machine runs.
units=$root/usr/lib/systemd/system
[[ -d $units ]] || units=$root/lib/systemd/system
rm -rf "$root"/etc/systemd/system "$root"/etc/systemd/system-generators \
    "$units"/*.wants "${units%/system}"/system-generators
mkdir -p "$root/etc/systemd/system" "$units/sysinit.target.wants"
for unit in systemd-journald.service systemd-journald-dev-log.socket \
    systemd-tmpfiles-setup.service; do
    ln -s "../$unit" "$units/sysinit.target.wants/$unit"
done
cat >"$units/sdboot.target" <<'UNIT'
[Unit]
Requires=basic.target
After=basic.target
AllowIsolate=yes
UNIT
ln -sf sdboot.target "$units/default.target"
: >"$root/etc/fstab"
rm -f "$root/etc/machine-id"
tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"

# Directories that are there keep their mode, and may be symbolic links.
tar -C "$tree" -cf - . | tar -C "$root" -xf - --no-same-owner \
    --keep-directory-symlink --no-overwrite-dir

# --- become systemd ---------------------------------------------------------

mkdir "$root/.outside"
cd "$root"
pivot_root . .outside
exec chroot . /bin/sh -c '
    umount -l /.outside && rmdir /.outside && mount --make-rshared / &&
    exec env -i container=sdboot PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --show-status=0'
