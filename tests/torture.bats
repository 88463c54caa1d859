#!/usr/bin/env bats
#
# Promises of storage under torture, in short; `make torture` is the long form
# (tests/torture/run). Each program says what it does in its head, and prints
# its seed: the same seed takes the same points again.

# bats file_tags=chance

load lib/common

# tortured PROGRAM [ARG]...: it ends well; its account is shown where not.
tortured() {
    local -a mounts=()

    if [[ $1 == --mounts ]]; then
        shift
        need_root
        mounts=(unshare --mount --propagation private)
        "${mounts[@]}" true 2>/dev/null || cannot "no mount namespace here"
    fi
    TMPDIR=$T "${mounts[@]}" "$PYTHON" "$ROOT/tests/torture/$1.py" "${@:2}" \
        --putd="$PUTD" >"$T/account" 2>&1 3>&- || {
        grep -E 'BROKEN|Error|seed' "$T/account" | head -n 40
        fail "see above"
    }
    tail -n 1 "$T/account" | sed 's/^/# /' >&3
}

# Each scenario once at least in each of the three ways.
@test "every scenario, its calls killed, failed and bent" {
    need_tool strace cc
    cc -O2 -shared -fPIC -o "$T/shim.so" "$ROOT/tests/torture/shim.c"
    tortured calls kill fail bend --shim="$T/shim.so" --points=160
}

# cut FS
cut() {
    need_tool "mkfs.$1" xfs_io
    tortured --mounts powercut --fs="$1" --cuts=5
}

@test "power cuts, ext4" { cut ext4; }
@test "power cuts, xfs" { cut xfs; }

@test "sixteen at once: replace, reject, keep, one id" { tortured crowd --rounds=3; }

@test "a full disk, tmpfs" { tortured --mounts fulldisk --fs=tmpfs; }
@test "a full disk, ext4" {
    need_tool mkfs.ext4 tune2fs
    tortured --mounts fulldisk --fs=ext4
}
