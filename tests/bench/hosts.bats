#!/usr/bin/env bats
# bats tests/bench/hosts.bats: HAProxy before one, two and three hosts that serve
# one GlusterFS volume (see tests/scale/hosts.bats): files and bytes a second, with
# every receipt durable, and what the loss of a host costs. Root; some minutes. All
# hosts, clients and copies share this machine's processors and memory, so more
# hosts cannot be faster here: read it as the cost of each byte and file. No row
# fails by its figure.

load ../lib/common
load ../lib/scale_common

readonly CLIENTS=4
readonly FILES=250 # of 4 KiB, each client
readonly MIBS=64   # of one file, each client

setup_file() { boot_hosts; }
teardown_file() { end_hosts; }
setup() { hosts_setup; }
teardown() { hosts_teardown; }

# all_put DIRECTORY-OF-CLIENT…: each by a put of its own. Seconds.
all_put() {
    local one start=$EPOCHREALTIME
    local -a putting=()

    for one; do
        "$RIG" client "$BATS_FILE_TMPDIR/pid0" "$PUT" -q -s "$ADDRESS" "$one"/* 3>&- &
        putting+=("$!")
    done
    for one in "${putting[@]}"; do
        wait "$one" || fail "put: $?"
    done
    awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {print b - a}'
}

# prepare NAME COUNT BYTES: for each client a directory.
prepare() {
    local client i

    for ((client = 0; client < CLIENTS; client++)); do
        mkdir -p "$T/$1$client"
        for ((i = 0; i < $2; i++)); do
            head -c "$3" /dev/urandom >"$T/$1$client/$1-$BATS_TEST_NUMBER-$client-$i"
        done
    done
}

# Of all three hosts and HAProxy, in s.
cpu() {
    local host

    for host in 0 "${HOSTS[@]}"; do
        at "$host" sed -n 's/^usage_usec //p' /sys/fs/cgroup/cpu.stat
    done | awk '{s += $1} END {print s / 1e6}'
}

row() { # HOST…
    local seconds before small large

    only "$@"
    prepare small "$FILES" 4096
    prepare large 1 $((MIBS * 1024 * 1024))
    before=$(cpu)
    seconds=$(all_put "$T"/small?)
    small=$(awk -v s="$seconds" -v n=$((CLIENTS * FILES)) -v a="$before" -v b="$(cpu)" \
        'BEGIN {printf "%.0f files/s, %.1f ms of CPU each", n / s, (b - a) * 1000 / n}')
    before=$(cpu)
    seconds=$(all_put "$T"/large?)
    large=$(awk -v s="$seconds" -v n=$((CLIENTS * MIBS)) -v a="$before" -v b="$(cpu)" \
        'BEGIN {printf "%.3f GB/s, %.1f s of CPU each GB", n / s * 1.048576 / 1000, (b - a) * 1000 / n / 1.048576}')
    [[ $(find "$(tree 1)" -maxdepth 1 -name 'small-*' | wc -l) == $((CLIENTS * FILES)) ]]
    echo "$# hosts: 4 KiB: $small; 64 MiB: $large" >&3
}

@test "one host" { row 1; }
@test "two hosts" { row 1 2; }
@test "three hosts" { row 1 2 3; }

# gap WHAT NETWORK…: the longest time without a receipt while a host is cut off.
gap() {
    local network

    background "$RIG" client "$BATS_FILE_TMPDIR/pid0" "$PYTHON" "$LIB/scale_talk.py" gap 60 "$T/stop" \
        >"$T/gap"
    until_true test -e "$(tree 1)/gap9"
    for network in "${@:2}"; do
        cut_off "$network" 3
    done
    until_true is_down 3
    until_true test -e "$(tree 1)/gap$(($(find "$(tree 1)" -name 'gap*' | wc -l) + 20))"
    : >"$T/stop"
    background_status
    read -r longest stored lost <"$T/gap"
    echo "$1: $longest s without a receipt, $stored stored, $lost tries lost" >&3
}

@test "a host is gone" { gap 'host 3 is gone' front store; }
@test "a host loses the volume" { gap 'host 3 loses the volume' store; }
