#!/usr/bin/env bats
# What the journal and systemd know of connections, under a real systemd: records
# and their fields, the catalog, the status of a slow body. One boot, as in
# systemd.bats.

load lib/common
load lib/launch_common
load lib/launch_systemd

setup_file() { boot_systemd; }
teardown_file() { end_systemd; }
setup() { systemd_setup; }
teardown() { systemd_teardown; }

@test "a stored file is one line, with the peer's address" {
    asked a hello
    stream
    journal_has '127\.0\.0\.1\]?:[0-9]+: stored a, 5 bytes$' -p info
    [[ $(journal -t putd | wc -l) == 1 ]]
}

@test "a refused file is one line, a warning, and escaped" {
    plain '../up' hello
    plain 'a\u001b[31m' hello
    plain b ok
    stream
    expect 0 'b=ok'
    journal_has '127\.0\.0\.1\]?:[0-9]+: refused \.\./up: bad-name$' -p warning
    journal_has ': refused a\\x1b\[31m: bad-name$' -p warning
    [[ $(journal -t putd -p warning | wc -l) == 2 ]]
}

@test "the unit of a line tells the connection" {
    asked a hello
    hold open # else journald may find the process gone
    until_true answered open 1
    journal -o json -t putd |
        grep -qE '"_SYSTEMD_UNIT":"putd@[^"]*127\.0\.0\.1:8080[^"]*\.service"'
    go_on open
}

# record ERE [OPTION]...: the one record of the journal whose line is like it, as
# sorted lines NAME=VALUE.
record() {
    journal -o json "${@:2}" | "$PYTHON" -c '
import json, re, sys
found = [r for r in map(json.loads, sys.stdin) if re.search(sys.argv[1], r["MESSAGE"])]
assert len(found) == 1, found
print("\n".join(sorted(f"{k}={v}" for k, v in found[0].items())))' "$1" >"$T/record"
}

has_field() { # NAME ERE
    grep -qE -- "^$1=$2\$" "$T/record" || fail "$(cat "$T/record")" "no $1=$2"
}

has_no_field() {
    ! grep -q "^$1=" "$T/record" || fail "$(cat "$T/record")"
}

readonly PEER='(\[::ffff:)?127\.0\.0\.1\]?:[0-9]+'

@test "the fields of a stored file" {
    asked a hello ',"sha256":true,"if_exists":"keep"'
    asked a again ',"if_exists":"keep"'
    stream
    record 'stored a,'
    has_field MESSAGE_ID 7d26dbbefae64ec1b1a049a3f6937066
    has_field PRIORITY 6
    has_field SYSLOG_IDENTIFIER putd
    has_field PUTD_PEER "$PEER"
    has_field PUTD_NAME a
    has_field PUTD_STORED a
    has_field PUTD_SIZE 5
    has_field PUTD_SECONDS '[0-9]+\.[0-9]{3}'
    has_field PUTD_SHA256 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
    has_no_field PUTD_ERROR
    record 'stored a\.~1~'
    has_field PUTD_NAME a
    has_field PUTD_STORED 'a\.~1~'
    has_no_field PUTD_SHA256
}

@test "the fields of a refused one" {
    asked ../up hello
    stream
    record refused
    has_field MESSAGE_ID 5fc959b60227452f9f2f97d1b7d94b69
    has_field PRIORITY 4
    has_field PUTD_PEER "$PEER"
    has_field PUTD_NAME '\.\./up'
    has_field PUTD_SIZE 5
    has_field PUTD_ERROR bad-name
    has_no_field PUTD_STORED
}

@test "the journal is searched by name and by what happened" {
    asked a hello
    asked ../up hello
    asked b world
    stream
    inside journalctl --sync
    [[ $(inside journalctl -q -o cat --since="$SINCE" PUTD_NAME=b) == *'stored b, 5 bytes' ]]
    [[ $(inside journalctl -q -o cat --since="$SINCE" \
        MESSAGE_ID=5fc959b60227452f9f2f97d1b7d94b69 | wc -l) == 1 ]]
}

@test "journalctl -x explains each kind of record" {
    asked a hello
    asked ../up hello
    text XXXX
    stream
    inside sh -c 'echo "PUTD_OPTIONS=--no-such-option" >/etc/default/putd'
    : >"$IN"
    stream
    inside rm /etc/default/putd
    journal -x -t putd -o short >"$T/explained"
    grep -q 'Subject: File stored: a$' "$T/explained"
    grep -qE "A file of 5 bytes from $PEER arrived" "$T/explained"
    grep -q 'Subject: File or frame refused: bad-name$' "$T/explained"
    grep -q 'Subject: A connection did not end as its peer wished$' "$T/explained"
    grep -q 'Subject: A connection could not be served$' "$T/explained"
    grep -q 'Documentation: man:putd(8)' "$T/explained"
    run grep -E '@[A-Z_]+@' "$T/explained"
    ((status == 1))
}

@test "the catalog has an entry for each MESSAGE_ID of the source, and no other" {
    diff <(grep -oE '"[0-9a-f]{32}"' "$ROOT/src/putd/log.c" | tr -d '"' | sort) \
        <(sed -n 's/^-- \([0-9a-f]\{32\}\)$/\1/p' "$ROOT/units/putd.catalog" | sort)
    while read -r id; do
        inside journalctl --dump-catalog "$id" | grep -q '^Defined-By: putd$'
    done < <(sed -n 's/^-- //p' "$ROOT/units/putd.catalog")
}

# trickle: what was built is sent, and what is written to $TRICKLE follows.
trickle() {
    need_tool nc.openbsd
    mkfifo "$T/trickle"
    # shellcheck disable=SC2016 # $1 is the inner shell's
    background "$RIG" client "$PIDFILE" \
        sh -c 'exec nc.openbsd -N 127.0.0.1 8080 <"$1"' sh "$T/trickle"
    exec {TRICKLE}>"$T/trickle"
    cat "$IN" >&"$TRICKLE"
}

# status_shows PATTERN: after a little more of the body.
status_shows() {
    head -c 10 /dev/zero >&"$TRICKLE"
    inside systemctl status 'putd@*' | grep -qE "^ +Status: \"$1\"$"
}

@test "systemctl status shows the name of a slow file, and how much has come" {
    frame '{"cmd":"put","filename":"d\u00e9j\u00e0.bin","filesize":1000000}'
    head -c 400000 /dev/zero >>"$IN"
    trickle
    until_true status_shows 'receiving déjà\.bin: 40 %'
    exec {TRICKLE}>&-
    until_true instances_are 0
}
