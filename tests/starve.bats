#!/usr/bin/env bats
# Ring 3: five hundred peers that drip, stop in the middle, never read, reset,
# half-close or send urgent data, under a real systemd and a real xinetd with what
# is shipped, unchanged: the bounds of connections, the options and so the
# deadlines, for which each test waits two minutes. All places are taken, who finds
# none comes again, each is ended by the deadline of its kind, somebody else is
# served meanwhile and not much slower, and nothing stays.

# bats file_tags=chance

load lib/common
load lib/table_common
load lib/table_launchers

COUNT=500

setup_file() { table_root_file; }
setup() { table_setup; }
teardown() { table_teardown; }

# starved PLACES PER_SOURCE: all of it, see lib/starve.py.
starved() {
    local -i status=0

    cp "$LIB/starve.py" "$SHARE"
    "${VIA[@]}" "$AT/starve.py" 127.0.0.1 8080 $COUNT "$@" \
        >"$T/summary" 2>"$T/wrong" || status=$?
    echo "# $(cat "$T/summary")" >&3
    ((status == 0)) || fail "$(head -n 20 "$T/wrong")"
}

nobody_is_there() { ! inside pgrep -x putd >/dev/null; }

# fds NAME: those that the launcher's first process of that name has.
fds() {
    inside sh -c "cd /proc/\$(pgrep -o -x '$1')/fd && ls | wc -l"
}
fds_are_back() { (($(fds "$1") == $2)); }

# nothing_stays LAUNCHER FDS: no process, no descriptor of the launcher's, no
# temporary, no partial file, no lock. (What locks did is seen by starve.py, which
# asks for each id.)
nothing_stays() {
    until_true nobody_is_there
    until_true fds_are_back "$1" "$2"
    list "$STORE"
    [[ $LISTING == served=hello ]] || fail "$LISTING"
}

# shipped FILE NAME: the number that a launcher's configuration has.
shipped() {
    sed -n "s/^[[:space:]]*$2[[:space:]]*=[[:space:]]*\([0-9]*\)\$/\1/p" "$ROOT/$1"
}

journal_has() { inside journalctl -q -o cat --grep "$1" >/dev/null; }
no_unit_is_left() {
    [[ -z $(inside systemctl list-units --all --no-legend 'putd@*') ]]
}

@test "500 that starve, under systemd: each is ended, others are served, nothing stays" {
    local -i fds places

    with_systemd
    inside systemctl log-level info
    places=$(shipped units/putd.socket MaxConnections)
    fds=$(fds systemd)
    starved "$places" "$(shipped units/putd.socket MaxConnectionsPerSource)"
    nothing_stays systemd "$fds"
    until_true no_unit_is_left
    [[ $(inside systemctl is-active putd.socket) == active ]]
    inside journalctl --sync
    # Both bounds were met.
    journal_has "Too many incoming connections \($places\), dropping"
    journal_has 'Too many incoming connections \([0-9]+\) from source'
    # Nothing else ended them: 75 is a deadline, 65 a stream cut short.
    run inside journalctl -q -o cat --grep 'Failed with result|Failed to start'
    [[ -z $output ]] || fail "$(head -n 5 <<<"$output")"
}

@test "500 that starve, under xinetd: each is ended, others are served, nothing stays" {
    local -i fds

    plain_root
    # The program itself, in the place of the one that tells its status.
    inside umount /usr/local/libexec/putd
    inside install -m 755 /table/putd /usr/local/libexec/putd
    inside install -m 644 /contrib/xinetd/putd /etc/xinetd.d/putd
    start xinetd -dontfork
    until_true port_listens 8080
    fds=$(fds xinetd)
    starved "$(shipped contrib/xinetd/putd instances)" \
        "$(shipped contrib/xinetd/putd per_source)"
    nothing_stays xinetd "$fds"
    # Both bounds were met.
    grep -q 'FAIL: putd service_limit ' "$SHARE/syslog"
    grep -q 'FAIL: putd per_source_limit ' "$SHARE/syslog"
    # Nothing else ended them: 75 is a deadline, 65 a stream cut short.
    grep -q 'EXIT: putd status=75 ' "$SHARE/syslog"
    run grep -v 'EXIT: putd status=\(0\|65\|75\) ' <(grep 'EXIT: putd ' "$SHARE/syslog")
    [[ -z $output ]] || fail "$(head -n 5 <<<"$output")"
}
