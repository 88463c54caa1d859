# shellcheck shell=bash
# What each way to run a harness begins with.
export PYTHONDONTWRITEBYTECODE=1

# The directories that are served are in memory: on a disk a run is ten times
# slower, and says less.
in_memory() {
    local place=${FUZZ_TMPDIR:-/dev/shm}

    if [ "$(stat -f -c %T "$place")" != tmpfs ] || [ ! -w "$place" ]; then
        echo "fuzz: $place is no tmpfs that can be written; FUZZ_TMPDIR names another" >&2
        exit 1
    fi
    TMPDIR=$(mktemp -d -p "$place" putd-fuzz.XXXXXX)
    export TMPDIR
    trap 'rm -rf "$TMPDIR"' EXIT
}

# What must be among the inputs, whatever a fuzzer found: written, or made.
seeds() { # NAME DIRECTORY
    local seeds=${BASH_SOURCE[0]%/*}/seeds

    [ ! -d "$seeds/$1" ] || cp "$seeds/$1/"* "$2"
    [ ! -x "$seeds/$1.py" ] || "$seeds/$1.py" write "$2"
}

# The inputs that a run begins with: the corpus, and the seeds.
inputs() { # NAME DIRECTORY
    rm -rf "$2"
    mkdir -p "$2"
    cp "${BASH_SOURCE[0]%/*}/corpus/$1/"* "$2"
    seeds "$1" "$2"
}
