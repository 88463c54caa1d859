#!/usr/bin/env bats
# Another kernel: Debian 12's own, in a virtual machine (rig/qemu). Its Landlock
# is interface 2, its tmpfs has no O_DIRECT, its linkat wants another flag. And
# the same kernel with Landlock switched off. One boot each; an emulated
# processor is slow, so it is a share of each file's rows.

load lib/common

# What is run there, of each how many rows: each NTH. Files whose rows depend on
# the kernel most come first and with more.
SHARES='
    sandbox 4
    filesystems 1
    commit 7
    uploads 7
    check 3
    policy 7
    frames 4
    limits 6
    receipts 8
    names 14
    headers 40
    metadata 8
    digest 9
    eof 4'

# What is not: the test root has no FUSE (bindfs; the sweep's rows use it) and no
# ACL tools; and a Landlock of interface 2 cannot act one of 3 to 5.
EXCEPT='bindfs|temporary of a |ACL|older Landlock: interface [3-5]'

SECONDS_AT_MOST=900 # many times what it takes where nothing else runs

setup_file() {
    local rig=$ROOT/tests/rig/qemu tree=$BATS_FILE_TMPDIR/tree status

    # A sanitizer's runtime is not there.
    ! grep -q __asan_init "$PUTD" || PUTD=$ROOT/build/putd
    export WHY_NOT
    WHY_NOT=$("$rig" why-not)
    [[ -z $WHY_NOT ]] || return 0
    BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR common_setup
    lay_out "$tree"
    boot plain
    boot without --append=lsm=lockdown,yama
}

setup() {
    common_setup
    [[ -z $WHY_NOT ]] || cannot "$WHY_NOT"
}

# boot NAME [OPTION]...: what came out is in NAME, and its status.
boot() {
    local name=$BATS_FILE_TMPDIR/$1

    "$rig" --seconds=$SECONDS_AT_MOST "${@:2}" run "$tree" \
        /putd/inside "$1" >"$name" 2>"$name.err" 3>&- || echo $? >"$name.status"
}

# lay_out TREE: putd, the tests, the runner; the libraries that tests build.
lay_out() {
    mkdir -p "$1/putd/build" "$1/putd/tests/rig"
    cp "$PUTD" "$1/putd/build/"
    cp -r "$ROOT"/tests/*.bats "$LIB" "$1/putd/tests/"
    cp "$ROOT/tests/rig/rows" "$1/putd/tests/rig/"
    "${CC:-cc}" -std=gnu11 -O1 -shared -fPIC -o "$1/putd/escape.so" "$LIB"/escape*.c
    asked a hello
    cp "$IN" "$1/putd/in"
    echo "$SHARES" | sed '/^ *$/d' >"$1/putd/shares"
    echo "$EXCEPT" >"$1/putd/except"
    as_compiler >"$1/putd/cc"
    inside >"$1/putd/inside"
    chmod 755 "$1/putd/inside" "$1/putd/cc"
}

# There is no compiler inside: this one gives what was built outside.
as_compiler() {
    cat <<'SH'
#!/bin/bash
while [[ $1 != -o ]]; do shift; done
exec cp /putd/escape.so "$2"
SH
}

# What is run inside: sections that begin with "== NAME", the rows' two at a time.
inside() {
    cat <<'SH'
#!/bin/bash
cd /putd && mkdir files || exit
export CC=/putd/cc
told() {
    local out

    out=$("${@:2}" 2>&1)
    flock /putd/in printf '== %s\n%s\n' "$1" "$out"
}
export -f told
told kernel uname -r
told check build/putd --check --min-free=0 files
told tmpfs build/putd --check --min-free=0 /dev/shm
told receipts bash -c 'build/putd --min-free=0 files <in 2>log'
told log cat log
told file cat files/a
[[ $1 == plain ]] || exit 0
xargs -P 2 -L 1 bash -c 'told "$0" tests/rig/rows "tests/$0.bats" "$1" "$(<except)"' <shares
SH
}

# said SECTION [BOOT]: its lines.
said() {
    awk -v name="== $1" '/^== / { on = $0 == name; next } on' \
        "$BATS_FILE_TMPDIR/${2-plain}"
}

# has SECTION BOOT PATTERN...: lines of it.
has() {
    local pattern

    for pattern in "${@:3}"; do
        said "$1" "$2" | grep -qE "$pattern" ||
            fail "no line $pattern in:" "$(said "$1" "$2")"
    done
}

# served BOOT
served() {
    has receipts "$1" '^\{"ok":true,"cmd":"put","filename":"a","filesize":5,'
    has file "$1" '^hello$'
}

# ran FILE: all of its share, and nothing failed or was skipped.
ran() {
    said "$1" >"$T/tap"
    grep -A 12 '^not ok' "$T/tap" && fail "failed on that kernel"
    grep '# skip' "$T/tap" && fail "skipped there"
    [[ $(tail -n 1 "$T/tap") == "1..$(grep -c '^ok ' "$T/tap")" ]] ||
        fail "it did not come to its end" "$(tail "$BATS_FILE_TMPDIR/plain.err")"
    grep -q '^ok ' "$T/tap"
}

@test "6.1: it boots, runs what it was given, ends" {
    [[ ! -e $BATS_FILE_TMPDIR/plain.status ]] ||
        fail "$(tail -n 30 "$BATS_FILE_TMPDIR/plain.err")"
    has kernel plain '^6\.1\.'
}

@test "6.1: Landlock is interface 2, and is used" {
    has check plain '^Landlock +interface 2$' '^sandbox +Landlock and seccomp$'
}

@test "6.1: ext4 has O_DIRECT and unnamed files, and is durable" {
    has check plain '^O_DIRECT +yes$' '^unnamed temporaries +yes$' '^durable +yes$'
}

@test "6.1: tmpfs has no O_DIRECT" {
    has tmpfs plain '^O_DIRECT +no' '^durable +no' '^unnamed temporaries +yes$'
}

@test "6.1: one put, one record" {
    served plain
    [[ $(said log | wc -l) == 1 ]] || fail "$(said log)"
}

@test "6.1: every file of the table is a row here" {
    local name

    for name in $SHARES; do
        [[ $name != [a-z]* ]] ||
            grep -qx "@test \"6.1: $name\" { ran $name; }" "$BATS_TEST_FILENAME" ||
            fail "no row for $name"
    done
}

@test "6.1: sandbox" { ran sandbox; }
@test "6.1: filesystems" { ran filesystems; }
@test "6.1: commit" { ran commit; }
@test "6.1: uploads" { ran uploads; }
@test "6.1: check" { ran check; }
@test "6.1: policy" { ran policy; }
@test "6.1: frames" { ran frames; }
@test "6.1: limits" { ran limits; }
@test "6.1: receipts" { ran receipts; }
@test "6.1: names" { ran names; }
@test "6.1: headers" { ran headers; }
@test "6.1: metadata" { ran metadata; }
@test "6.1: digest" { ran digest; }
@test "6.1: eof" { ran eof; }

@test "without Landlock: it boots, runs what it was given, ends" {
    [[ ! -e $BATS_FILE_TMPDIR/without.status ]] ||
        fail "$(tail -n 30 "$BATS_FILE_TMPDIR/without.err")"
}

@test "without Landlock: --check says so" {
    has check without '^Landlock +no'
    run ! has check without '^sandbox +Landlock and seccomp$'
}

@test "without Landlock: one warning, and the connection is served" {
    served without
    has log without '^putd: this kernel has no Landlock$'
    [[ $(said log without | wc -l) == 2 ]] || fail "$(said log without)"
}
