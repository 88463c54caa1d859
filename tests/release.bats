#!/usr/bin/env bats
# shellcheck disable=SC2034 # for lib/
#
# What is given away: one version, a tarball that is the same bytes every time and
# in which make and tests work, and an uninstall that undoes an install.

load lib/common

setup_file() {
    make -s -C "$ROOT" B="$BATS_FILE_TMPDIR/a" dist
    mkdir "$BATS_FILE_TMPDIR/unpacked"
    tar -xf "$BATS_FILE_TMPDIR"/a/putd-*.tar.gz -C "$BATS_FILE_TMPDIR/unpacked"
}

setup() {
    common_setup
    VERSION=$(sed -n 's/^VERSION := //p' "$ROOT/Makefile")
    UNPACKED=$BATS_FILE_TMPDIR/unpacked/putd-$VERSION
}

@test "the version has one place, and is told everywhere" {
    [[ $VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]
    [[ $("$PUTD" --version) == *" $VERSION"* && $("$PUT" --version) == *" $VERSION"* ]]
    [[ $(grep -m 1 '^## ' "$ROOT/CHANGELOG.md") == "## $VERSION"* ]]
    cd "$ROOT"
    run grep -rlF "$VERSION" src units contrib tests README.md
    [[ -z $output ]] || fail "$output"
}

@test "make dist twice: the same bytes" {
    make -s -C "$ROOT" B="$T/b" dist
    cmp "$BATS_FILE_TMPDIR/a/putd-$VERSION.tar.gz" "$T/b/putd-$VERSION.tar.gz"
}

@test "the tarball makes itself: the same bytes, from a directory of any name" {
    cp -a "$UNPACKED" "$T/elsewhere"
    (umask 077 && make -s -C "$T/elsewhere" dist)
    cmp "$BATS_FILE_TMPDIR/a/putd-$VERSION.tar.gz" \
        "$T/elsewhere/build/putd-$VERSION.tar.gz"
}

@test "all of the project is in the tarball, and belongs to nobody" {
    local tarball=$BATS_FILE_TMPDIR/a/putd-$VERSION.tar.gz

    diff <("$ROOT/tests/files") <("$UNPACKED/tests/files")
    run ! grep -v ' 0/0 ' <(tar -tvf "$tarball" --numeric-owner)
    run ! grep -v "^putd-$VERSION/" <(tar -tf "$tarball")
}

@test "make and tests work in what was unpacked" {
    cp -a "$UNPACKED" "$T/short"
    make -s -C "$T/short" CFLAGS=-O1 WERROR=1
    # Its own programs, and its own tests.
    run env -u PUTD -u PUT -u ROOT -u LIB -u BATS_TEST_DIRNAME \
        "$T/short/tests/run" "$T"/short/tests/{eof,frames}.bats
    [[ $status == 0 && $output == *' passed, 0 failed'* ]] || fail "$output"
}

# tree: all below $T/root, with types and modes.
tree() { (cd "$T/root" && find . -printf '%p %y %m\n' | LC_ALL=C sort); }

# mirrored [VARIABLE=VALUE]...: install into a root in which somebody else has
# files, and uninstall.
mirrored() {
    local before after

    # The directories that are not ours alone are there before.
    make -s -C "$ROOT" install DESTDIR="$T/root" "$@" >"$T/log"
    make -s -C "$ROOT" uninstall DESTDIR="$T/root" "$@" >"$T/log"
    (cd "$T/root" && find . -type d -exec sh -c '
        for there; do echo other >"$there/other"; done' sh {} +)
    before=$(tree)
    make -s -C "$ROOT" install DESTDIR="$T/root" "$@" >"$T/log"
    after=$(tree)
    (($(diff <(echo "$before") <(echo "$after") | grep -c '^>.* f ') >= 12))
    run ! grep '^<' <(diff <(echo "$before") <(echo "$after"))
    make -s -C "$ROOT" uninstall DESTDIR="$T/root" "$@" >"$T/log"
    diff <(echo "$before") <(tree)
}

@test "make uninstall takes away what make install brought, and nothing else" {
    mirrored
}

@test "the same with every directory elsewhere" {
    mirrored PREFIX=/opt/p LIBEXECDIR=/opt/l MANDIR=/opt/m DOCDIR=/opt/d \
        SYSTEMDUNITDIR=/opt/u SYSUSERSDIR=/opt/s TMPFILESDIR=/opt/t \
        CATALOGDIR=/opt/c
    # Not one file outside of them.
    make -s -C "$ROOT" install DESTDIR="$T/root" PREFIX=/opt/p >"$T/log"
    grep -q 'ExecStart=/opt/p/libexec/putd ' "$T"/root/lib/systemd/system/putd@.service ||
        grep -rq 'ExecStart=/opt/p/libexec/putd ' "$T/root"
}
