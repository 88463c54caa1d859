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

# units PROGRAM: how each of its translation units was compiled, a line each.
units() {
    readelf --debug-dump=info "$1" 2>/dev/null | sed -n 's/.*DW_AT_producer.*: //p'
}

# checked PROGRAM: how many calls are checked by what the compiler knows of sizes.
checked() {
    objdump -d "$1" | grep -cE 'call.*<__[a-z0-9_]+_chk@plt>'
}

@test "each unit of both has the stack and its branches protected" {
    local program flag

    for program in "$PUTD" "$PUT"; do
        mapfile -t all < <(units "$program")
        ((${#all[@]} > 5)) || fail "$program tells of ${#all[@]} units"
        for flag in -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection; do
            [[ $(units "$program" | grep -c -- "$flag") == "${#all[@]}" ]] ||
                fail "$program: not all with $flag"
        done
    done
}

# The program as a whole is not marked for indirect branch tracking and shadow
# stacks: the linker marks what all of its inputs are, and the C library's own
# start files (Scrt1.o, crti.o) are not. Each object of ours is.
@test "each object of ours is marked for branch tracking and shadow stacks" {
    local object start

    "${MAKE:-make}" -s -j2 -C "$ROOT" B="$T/build" all
    mapfile -t objects < <(find "$T/build" -name '*.o')
    ((${#objects[@]} > 20))
    for object in "${objects[@]}"; do
        [[ $(readelf -n "$object") == *'IBT, SHSTK'* ]] || fail "$object is not"
    done
    start=$(gcc -print-file-name=Scrt1.o)
    if [[ $(readelf -n "$start") == *'IBT, SHSTK'* ]]; then
        fail "$start is marked by now: the programs can be asked to be"
    fi
}

@test "the sizes that only a run knows are checked, too" {
    "${MAKE:-make}" -s -j2 -C "$ROOT" B="$T/two" all \
        CPPFLAGS='-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2'
    (($(checked "$PUTD") > $(checked "$T/two/putd"))) || fail putd
    (($(checked "$PUT") > $(checked "$T/two/put"))) || fail put
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
