#!/usr/bin/env bash
#
# The first process of the namespaces that sdboot.sh makes: builds a root that
# systemd can boot on, and becomes systemd. Not to be called by hand.
#
#   sdinit.sh SCRATCH TREE LOWER
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
scratch=$1
tree=$2
lower=$3
root=$scratch/root

# shellcheck source=tests/rig/namespace.bash
. "$here/namespace.bash"
overlay_root "$lower" "$scratch"
mount -t cgroup2 -o nosuid,nodev,noexec none "$root/sys/fs/cgroup"

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

enter_root "$root" env -i container=sdboot PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --show-status=0
