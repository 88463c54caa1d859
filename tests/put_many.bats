#!/usr/bin/env bats
# put, many files: trees, names, the summary, --json.
#
# shellcheck disable=SC2153 # STATUS and TOTAL come from lib/put_common.bash

load lib/common
load lib/put_common

setup() { put_setup; }

to_handler() {
    put -s "exec:exec $PUTD_EXEC --mkdirs '$KEEP' 2>>'$T/log'" "$@"
}

tree() {
    mkdir -p tree/sub/deep tree/empty
    cp a tree/a
    cp b tree/sub/b
    cp c tree/sub/deep/c
}

@test "-r: the files of a tree, under its name" {
    tree
    to_handler -r tree
    ended 0 "tree/a: stored as tree/a, 6 bytes" \
        "tree/sub/b: stored as tree/sub/b, 7 bytes" \
        "tree/sub/deep/c: stored as tree/sub/deep/c, 7 bytes"
    [[ $TOTAL == "put: 3 stored, 20 bytes" ]]
    diff -r tree/sub "$KEEP/tree/sub"
    rm -r "$KEEP/tree"
    (cd tree/sub && "$PUT" -q -s "exec:exec $PUTD_EXEC --mkdirs '$KEEP' 2>>'$T/log'" -r .) 3>&-
    cmp tree/sub/deep/c "$KEEP/deep/c"
    to_handler -q -r -n other tree/sub/ a
    ended 64 "put: --name is for one FILE only; see put --help"
    to_handler -q -r -n other "$W/tree/sub/"
    ended 0
    cmp tree/sub/deep/c "$KEEP/other/deep/c"
}

@test "-R: the path is the name" {
    tree
    to_handler -q -R ./tree//sub/b "$W/a"
    ended 0
    cmp b "$KEEP/tree/sub/b"
    cmp a "$KEEP/$W/a"
    to_handler -q -R -r tree/sub
    cmp c "$KEEP/tree/sub/deep/c"
    to_handler -R tree/../a
    ended 1 "tree/../a: not sent: its name is *"
}

@test "-r: what is no file gets a line, and the rest is sent" {
    tree
    ln -s a tree/link
    mkfifo tree/fifo
    to_handler -r tree
    [[ $STATUS == 1 && $TOTAL == "put: 3 stored, 2 failed, 20 bytes" ]]
    grep -qxF "tree/link: not sent: is a symbolic link" "$T/err"
    grep -qxF "tree/fifo: not sent: is a fifo, not a regular file" "$T/err"
}

@test "without -r a directory is not sent" {
    tree
    to_handler tree a
    ended 1 "tree: not sent: is a directory" "a: stored, 6 bytes"
}

@test "--json: a line for each file" {
    random_file big 1500000
    to_handler --json a nope big .hidden
    [[ $STATUS == 1 ]]
    "$PYTHON" - "$T/out" <<'PY'
import json, sys
lines = {x["path"]: x for x in map(json.loads, open(sys.argv[1]))}
assert lines["a"] == {"ok": True, "path": "a", "filename": "a", "stored": "a",
                      "size": 6, "durable": True}, lines["a"]
assert lines["big"]["size"] == 1500000
assert lines["nope"] == {"ok": False, "path": "nope", "outcome":
    "cannot be read", "reason": "No such file or directory"}
assert len(lines) == 4
PY
    [[ $TOTAL == "put: 2 stored, 2 failed, 1500006 bytes" && ${#ERR[@]} == 0 ]]
}

@test "2000 small files over one connection, window by window" {
    mkdir many
    (cd many && seq 2000 | split -l 1 -a 4 -d -)
    to_handler -q -r many
    ended 0
    diff -r many "$KEEP/many"
}
