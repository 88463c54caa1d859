#!/usr/bin/env bats
# Two handlers of one directory, one of them stopped at each call that it makes
# while the other one serves: see lib/upload_meet.py.

# bats file_tags=chance

load lib/common
load lib/upload_common

# met SCENARIO
met() {
    need_tool strace
    ASAN_OPTIONS="detect_leaks=0:${ASAN_OPTIONS-}" "$PYTHON" "$LIB/upload_meet.py" "$1" "$T" -- \
        "$PUTD" "${OPTIONS[@]}" >"$T/points" 2>"$T/err" 3>&- || fail "$(cat "$T/err")"
    (($(<"$T/points") > 4)) || fail "only $(<"$T/points") points"
}

@test "two first parts of one id: one is taken, as a whole" { met Parts; }
@test "two commits of one id: one file, one receipt" { met Commits; }
@test "a commit, and an abort meanwhile" { met CommitAbort; }
@test "an abort, and a commit meanwhile" { met AbortCommit; }
@test "a commit, and one more part meanwhile" { met CommitPart; }
@test "a part, and a commit meanwhile" { met PartCommit; }
@test "one name under reject" { met Reject; }
@test "one name under keep" { met Keep; }
@test "the same content under reject" { met Unchanged; }
@test "an old upload is swept, and goes on meanwhile" { met Sweep; }
