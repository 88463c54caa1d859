#!/usr/bin/env bats
#
# What the linker and the compiler were asked to do for a default build, seen in
# the programs themselves.

load lib/common

setup() {
    common_setup
    need_tool readelf objdump nm
}

# lacks PROGRAM: what it lacks of all this, a line each.
lacks() {
    local headers dynamic symbols code

    headers=$(readelf -W -h -l "$1") dynamic=$(readelf -W -d "$1")
    symbols=$(nm -D --undefined-only "$1") code=$(objdump -d "$1")
    [[ $headers =~ Type:\ +DYN && $dynamic == *PIE* ]] || echo pie
    [[ $headers == *GNU_RELRO* && $dynamic == *NOW* ]] || echo relro
    [[ $headers =~ GNU_STACK[^$'\n']*\ RW\  ]] || echo stack-not-executable
    [[ ! $headers =~ LOAD[^$'\n']*\ RWE\  ]] || echo write-or-execute
    [[ $dynamic != *TEXTREL* ]] || echo textrel
    [[ $dynamic != *PATH* ]] || echo runpath
    [[ $symbols == *__stack_chk_fail* ]] || echo stack-protector
    [[ $symbols == *__snprintf_chk* ]] || echo fortify
    # A frame of more than a page is touched a page at a time.
    [[ $code =~ or[ql]\ +\$0x0, ]] || echo stack-clash
    [[ $code =~ '<main>:'[^:]*:[^$'\n']*endbr64 ]] || echo branch-protection
}

@test "putd is hardened" {
    run lacks "$PUTD"
    [[ -z $output ]] || fail "$output"
}

@test "put is hardened" {
    run lacks "$PUT"
    [[ -z $output ]] || fail "$output"
}

@test "a program without all that is found" {
    cat >"$T/bare.c" <<'END'
#include <stdio.h>
int main(int argc, char *argv[])
{
	char text[8192];
	return snprintf(text, 8192, "%s %d", argv[0], argc) + text[argc];
}
END
    gcc -O2 -U_FORTIFY_SOURCE -fno-stack-protector -fno-stack-clash-protection \
        -fcf-protection=none -no-pie -Wl,-z,norelro -Wl,-z,lazy \
        -Wl,-z,execstack -Wl,-rpath,/tmp -o "$T/bare" "$T/bare.c"
    run lacks "$T/bare"
    [[ ${output//$'\n'/ } == 'pie relro stack-not-executable runpath stack-protector fortify stack-clash branch-protection' ]] ||
        fail "$output"
}

@test "a build with another optimisation or another CFLAGS keeps them" {
    local flags

    flags=$("${MAKE:-make}" -n -C "$ROOT" B="$T/build" CFLAGS=-Os all | grep -m 1 -- '-c -o')
    for flag in -fPIE -fstack-protector-strong -fstack-clash-protection \
        -fcf-protection -D_FORTIFY_SOURCE=3; do
        [[ " $flags " == *" $flag "* ]] || fail "no $flag in: $flags"
    done
}
