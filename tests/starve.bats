#!/usr/bin/env bats
# Ring 3: five hundred peers that drip, stop in the middle, never read, reset,
# half-close or send urgent data, under a real systemd and a real xinetd with what
# is shipped. Only the deadlines are shorter, so that nobody waits for minutes. Each
# is ended, somebody else is served meanwhile, and nothing stays. How fast he was
# served is told and not judged: the machine may have other work.

# bats file_tags=chance

load lib/common
load lib/table_common
load lib/table_launchers

COUNT=500 STALL=4 SESSION=12 # seconds
SHORT="--stall-timeout=$STALL --idle-timeout=$STALL --session-timeout=$SESSION"
# How full this machine's disk is has nothing to do with it.
SHORT+=" --min-free=0 ${PUTD_OPTIONS-}"

setup_file() { table_root_file; }
setup() { table_setup; }
teardown() { table_teardown; }

# starved: all of it, see lib/starve.py.
starved() {
    local -i status=0

    cp "$LIB/starve.py" "$SHARE"
    "${VIA[@]}" "$AT/starve.py" 127.0.0.1 8080 $COUNT $STALL $SESSION \
        >"$T/summary" 2>"$T/wrong" || status=$?
    echo "# $(cat "$T/summary")" >&3
    ((status == 0)) || fail "$(head -n 20 "$T/wrong")"
}

nobody_is_there() { ! inside pgrep -x putd >/dev/null; }

# fds NAME: how many the launcher's first process of that name has. It may open
# some of its own meanwhile; what leaks, leaks with each connection.
fds() { inside sh -c "ls /proc/\$(pgrep -o -x '$1')/fd | wc -l"; }
fds_are_back() { (($(fds "$1") < $2 + COUNT / 50)); }

# nothing_stays LAUNCHER FDS: no process, no descriptor of the launcher's, no
# temporary, no partial file, no lock. (What locks did is seen by starve.py, which
# asks for each id.)
nothing_stays() {
    until_true nobody_is_there
    until_true fds_are_back "$1" "$2"
    list "$STORE"
    [[ $LISTING == served=hello ]] || fail "$LISTING"
}

@test "500 that starve, under systemd: each is ended, others are served, nothing stays" {
    local -i fds

    with_systemd
    inside systemctl log-level info
    echo "PUTD_OPTIONS=\"$SHORT\"" >"$INSIDE/etc/default/putd"
    fds=$(fds systemd)
    starved
    nothing_stays systemd "$fds"
    [[ $(inside systemctl is-active putd.socket) == active ]]
    inside journalctl --sync
    # Nothing else ended them: 75 is a deadline, 65 a stream cut short.
    run inside journalctl -q -o cat --grep 'Failed with result|Failed to start'
    [[ -z $output ]] || fail "$(head -n 5 <<<"$output")"
}

@test "500 that starve, under xinetd: each is ended, others are served, nothing stays" {
    local -i fds

    plain_root
    # The program itself, in the place of the one that tells its status; and what
    # contrib has, with shorter deadlines behind it.
    inside umount /usr/local/libexec/putd
    inside install -m 755 /table/putd /usr/local/libexec/putd
    inside sh -c "sed 's|\(server_args.*\) /var/lib/putd|\1 $SHORT /var/lib/putd|' \
        /contrib/xinetd/putd >/etc/xinetd.d/putd && grep -qe '$SHORT /var/lib/putd' /etc/xinetd.d/putd"
    start xinetd -dontfork
    until_true port_listens 8080
    fds=$(fds xinetd)
    starved
    nothing_stays xinetd "$fds"
    # Nothing else ended them: 75 is a deadline, 65 a stream cut short.
    grep -q 'EXIT: putd status=75 ' "$SHARE/syslog"
    run grep -v 'EXIT: putd status=\(0\|65\|75\) ' <(grep 'EXIT: putd ' "$SHARE/syslog")
    [[ -z $output ]] || fail "$(head -n 5 <<<"$output")"
}
