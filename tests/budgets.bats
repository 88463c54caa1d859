#!/usr/bin/env bats
# What does not depend on the machine and must not grow: system calls of a
# connection and of a small file, and memory of an idle connection. They are
# counted on the plain build. Times are not: see bench/.

load lib/common

# calls_of COMMAND...: how many system calls it makes, from exec to exit.
calls_of() {
    strace -f -qq -o "$T/calls" "$@" >"$T/out" 2>"$T/err" 3>&-
    # A call that another process interrupts is two lines.
    grep -cv resumed "$T/calls"
}

# files COUNT: that many puts of 4 KiB, in one stream.
files() {
    local -i i

    for ((i = 0; i < $1; i++)); do
        asked "f$i" "$(printf '%04096d' "$i")"
    done
}

at_most() {
    echo "$1: $2, at most $3"
    (($2 <= $3)) || fail "that is too many"
}

@test "system calls of an empty connection: 75" {
    at_most 'exec to exit' "$(calls_of "$PUTD" "$DIR" </dev/null)" 75
}

@test "system calls of an empty connection where systemd is: 160" {
    at_most 'exec to exit' \
        "$(NOTIFY_SOCKET=$T/nobody calls_of "$PUTD" "$DIR" </dev/null)" 160
    grep -q libsystemd "$T/calls"
}

# few_calls [OPTION]...: 6 a file, beside its record in the log.
few_calls() {
    local -i few many count=512

    files 1
    few=$(calls_of "$PUTD" --log=none "${OPTIONS[@]}" "$@" "$DIR" <"$IN")
    : >"$IN"
    rm -rf "${DIR:?}"/*
    files $((count + 1))
    many=$(calls_of "$PUTD" --log=none "${OPTIONS[@]}" "$@" "$DIR" <"$IN")
    [[ $(find "$DIR" -type f -size 4096c | wc -l) == $((count + 1)) ]]
    at_most "for $count files" $((many - few)) $((6 * count))
}

@test "system calls of a pipelined small file: 6" { few_calls; }
@test "system calls of a pipelined small file, not flushed: 6" {
    few_calls --sync=none
}

# calls_for MIB: of one body of that size.
calls_for() {
    local -i bytes=$(($1 << 20))

    printf '\xfc\0\0\0%-252s' \
        "{\"cmd\":\"put\",\"filename\":\"large\",\"filesize\":$bytes}" >"$IN"
    truncate -s $((256 + bytes)) "$IN"
    calls_of "$PUTD" "${OPTIONS[@]}" "$DIR" <"$IN"
    [[ $(stat -c %s "$DIR/large") == "$bytes" ]]
}

# A look, a read and a write for each MiB, and disk taken ahead for each 64.
@test "system calls of a GiB in one body: 3200" {
    local -i few many

    few=$(calls_for 64)
    many=$(calls_for 192)
    at_most 'for a GiB' $(((many - few) * 8)) 3200
}

# What is private and written by it: the pages of files are not its own.
memory_of() { sed -n 's/^Anonymous: *\([0-9]*\) kB/\1/p' "/proc/$1/smaps_rollup"; }

# idle VARIABLE=VALUE...: a connection that has been answered, and waits.
idle() {
    local header='{"cmd":"hello","reply":true}'

    mkfifo "$T/requests" "$T/answer"
    # Both ways at once: to open one end waits for the other.
    exec {REQUESTS}<>"$T/requests" {ANSWER}<>"$T/answer"
    env "$@" "$PUTD" "${OPTIONS[@]}" "$DIR" <&$REQUESTS >&$ANSWER \
        2>"$T/err" 3>&- &
    PIDS+=($!)
    printf '\x1c\0\0\0%s' "$header" >&$REQUESTS
    read -r -t 20 -u $ANSWER
    [[ $REPLY == *'"cmd":"hello"'* ]]
}

@test "memory of an idle connection: 200 KiB" {
    idle NOTHING=
    at_most KiB "$(memory_of $!)" 200
}

@test "memory of an idle connection where systemd is: 320 KiB" {
    idle NOTIFY_SOCKET="$T/nobody"
    grep -q libsystemd "/proc/$!/maps"
    at_most KiB "$(memory_of $!)" 320
}
