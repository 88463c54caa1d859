#!/usr/bin/env bats
# shellcheck disable=SC2046 # names of ours have no spaces
#
# The shape of the source, as lib/style.py measures it: sizes, what a file's head
# says, and that includes and calls go downward. Each measure is shown to find
# what it looks for.

load lib/common

setup() {
    common_setup
    cd "$ROOT" || return
    mapfile -t OURS < <(tests/files 'src/*.c' 'src/*.h')
}

style() { "$PYTHON" "$LIB/style.py" "$@"; }

# tree_of PATH TEXT [PATH TEXT]...: a source of its own, in $T.
tree_of() {
    cd "$T" || return
    while (($# > 0)); do
        mkdir -p "$(dirname "$1")"
        printf '%b' "$2" >"$1"
        shift 2
    done
}

@test "functions: the median has at most 20 lines, none more than 60" {
    run style sizes $(tests/files '*.c' '*.h')
    echo "# $output" >&3
    ((status == 0)) || fail "$output"
    [[ $output =~ ^([0-9]+)\ functions,\ median ]]
    ((BASH_REMATCH[1] > 900))
}

@test "a long function is found" {
    tree_of src/put/a.c "int a(void)\n{\n$(printf '\\ta();\\n%.0s' {1..60})}\n"
    run style sizes src/put/a.c
    [[ $status == 1 && $output == *'a has 63 lines'* ]]
}

@test "each file's head says what it knows, and where that ends" {
    mapfile -t scripts < <(tests/files | grep -v '^tests/fuzz/corpus/\|^contrib/debian/putd\.' |
        xargs grep -lE '^#!' --)
    style heads "${OURS[@]}" "${scripts[@]}" \
        $(tests/files '*.py' '*.bash' '*.bats' 'tests/*.[ch]')
}

@test "a head that says nothing is found" {
    tree_of src/put/a.h '/*\n * Numbers and some more numbers.\n */\n' ./b.py 'x = 1\n' \
        src/put/b.c '/* See a.h. */\n'
    run style heads src/put/a.h src/put/b.c b.py
    [[ $status == 1 && $output == *'put/a: its head'*'b.py: no comment'* ||
        $output == *'b.py: no comment'*'put/a: its head'* ]]
}

@test "includes go downward only, and never from one program to the other" {
    style layers "${OURS[@]}"
}

@test "calls go downward only" {
    style calls $(sed -n 's|^src/\(.*\)\.c$|build/obj/\1.o|p' <<<"$(printf '%s\n' "${OURS[@]}")")
}

@test "an include upward, in a circle or across is found" {
    tree_of src/put/a.c '#include "putd/b.h"\n'
    run style layers src/put/a.c
    [[ $status == 1 && $output == *'includes putd/b.h'* ]]
    tree_of src/put/a.c '#include "put/b.h"\n' src/put/b.c '#include "put/a.h"\n'
    run style layers src/put/a.c src/put/b.c
    [[ $status == 1 && $output == *'a circle: put/a -> put/b -> put/a'* ]]
    # The whole, and one line more: the store knows the session.
    cp -r "$ROOT/src" "$T/whole" && mkdir "$T/up" && mv "$T/whole" "$T/up/src"
    cd "$T/up"
    echo '#include "putd/session.h"' >>src/putd/options.c
    run style layers "${OURS[@]}"
    [[ $status == 1 && $output == *'circle'* ]]
}

# alone PATTERN FILE...: only these have it.
alone() {
    diff <(grep -lE -- "$1" "${OURS[@]}") <(printf '%s\n' "${@:2}")
}

@test "each library has one room that knows it" {
    alone 'cJSON_' src/wire/json.c
    alone '<nettle/' src/put/digest.h src/put/state.c src/putd/digest.h
    alone 'dlopen|<systemd/' src/putd/systemd.c
}

# no_reason FILE...: each suppression without its reason: in scripts behind it, in C
# in the comment before it.
no_reason() {
    grep -HnE 'shellcheck .*disable=[A-Z0-9,]+ *$' "$@"
    awk 'BEGIN {
            one = "NOLINT([^E]|$)|cppcheck-suppress|pragma .*diagnostic +(ignored|warning)"
            one = one "|__clang_analyzer__|no_sanitize|no_stack_protector"
        }
        FILENAME ~ /\.[ch]$/ && $0 ~ one && (before !~ /\*\/$/ || before ~ one) {
            print FILENAME ":" FNR ": " $0
        }
        { before = $0 }' "$@"
}

@test "a suppression has its reason beside it" {
    mapfile -t all < <(tests/files | grep -v '^tests/fuzz/corpus/')
    run no_reason "${all[@]}"
    [[ -z $output ]] || fail "$output"
}

@test "a suppression without a reason is found" {
    local text

    printf '# shellcheck %s\n' disable=SC2086 >"$T/b.bash"
    run no_reason "$T/b.bash"
    [[ ${#lines[@]} == 1 && $output == *'b.bash:1:'* ]]
    for text in '\t/* NOLINTNEXTLINE(some-check) */' '\tf(); // NOLINT' \
        '\tf(); /* NOLINT(some-check) */' '/* NOLINTBEGIN(a) */' \
        '#pragma GCC diagnostic ignored "-Wunused"' '\t/* cppcheck-suppress memleak */' \
        '/* NOLINTNEXTLINE(a) */\n/* cppcheck-suppress b */' '#ifdef __clang_analyzer__' \
        '__attribute__((no_sanitize("address")))'; do
        tree_of a.c "\tint x;\n$text\n\tint y;\n"
        run no_reason a.c
        [[ ${#lines[@]} -ge 1 && $output == *'a.c:2:'* ]] || fail "not found: $text"
        tree_of a.c "\tint x;\n\t/* A reason. */\n${text%%\\n*}\n\tint y;\n/* NOLINTEND(a) */\n"
        run no_reason a.c
        [[ -z $output ]] || fail "found: $output"
    done
}
