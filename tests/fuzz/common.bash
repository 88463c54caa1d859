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

# The inputs that a run begins with: the corpus, and the seeds that are made.
inputs() { # NAME DIRECTORY
    local here=${BASH_SOURCE[0]%/*}

    rm -rf "$2"
    mkdir -p "$2"
    cp "$here/corpus/$1/"* "$2"
    [ ! -x "$here/seeds/$1.py" ] || "$here/seeds/$1.py" write "$2"
}
