#!/usr/bin/env bats
# shellcheck disable=SC2016 # what is typed is expanded there
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own
# shellcheck disable=SC2034 # for lib/
#
# What README.md and contrib/*/README.md have to be typed is typed, under a real
# systemd on this machine's own root; the launchers' are in readme_launchers.bats.
# A block that cannot run here has its reason in a comment before it.

load lib/common
load lib/launch_common
load lib/launch_systemd
load lib/readme

setup_file() {
    boot_to_install
    booted || return 0
    inside make -s -C /opt/putd install
    inside sh -c 'echo 127.0.0.1 HOST >>/etc/hosts; cd /opt/putd
        ln -s "$(command -v nc.openbsd)" /usr/local/bin/nc
        echo text >a.txt; echo text >b.txt; echo a >a; echo b >b; mkdir photos
        echo p >photos/p.jpg; head -c 3000000 /dev/urandom >big.iso
        printf "#!/bin/sh\necho dump of \$1\n" >/usr/local/bin/pg_dump
        chmod 755 /usr/local/bin/pg_dump'
    inside systemctl enable --now putd.socket
}

teardown_file() { end_systemd; }
setup() { systemd_setup; }
teardown() { systemd_teardown; }

# with_options OPTIONS: of putd, for this test.
with_options() { inside sh -c "echo 'PUTD_OPTIONS=$1' >/etc/default/putd"; }

@test "README: send a file" {
    readme README.md
    runs 3
    arrived README.md
    runs 4
    until_true arrived hello.txt
    rm "$STORE/hello.txt"
    runs 5
    arrived hello.txt
    with_options --mkdirs
    runs 6
    arrived a.txt big.iso db.sql photos/p.jpg
    RAN+=({8..16}) # by the tests below
    all_ran
    inside rm /etc/default/putd
}

runs_python() { # N FILE...: with these as arguments
    block "$1" | inside sh -c 'cat >/opt/block.py'
    inside sh -c "cd /opt/putd && python3 /opt/block.py ${*:2}" >"$T/ran"
}

@test "README: in Python" {
    readme README.md
    runs_python 9 a.txt b.txt
    arrived a.txt b.txt
    grep -q '^{"ok":true,"cmd":"end","files":2,' "$T/ran"
}

@test "README: over any netcat" {
    local line program

    readme README.md
    block 8 >"$T/lines"
    (($(wc -l <"$T/lines") == 4))
    while IFS= read -r line <&9; do
        program=nc.openbsd
        [[ $line != *traditional* ]] || program=nc.traditional
        inside ln -sf "$(command -v "$program")" /usr/local/bin/nc
        as_pasted <<<"$line" >"$T/ran" 2>&1 || fail "$line" "$(cat "$T/ran")"
        arrived a b
        rm "$STORE"/{a,b}
    done 9<"$T/lines"
    inside ln -sf "$(command -v nc.openbsd)" /usr/local/bin/nc
}

@test "README: under systemd, another port, directory, options, readers, journal" {
    readme README.md
    runs 10
    edits 11
    runs 13
    listens 7070
    run listens 8080
    ((status != 0))
    edits 14
    as_pasted <<<'put -s 127.0.0.1:7070 a.txt && cmp a.txt /srv/incoming/a.txt'
    inside useradd --system SOMEBODY
    runs 16
    [[ $(inside id -Gn SOMEBODY) == *putd* ]]
    grep -q 'stored a.txt, 5 bytes' "$T/ran"
    grep -q 'arrived whole within' "$T/ran" # of the catalog
    inside grep -q if-exists=keep /etc/default/putd
    inside userdel SOMEBODY
    inside sh -c 'rm -rf /etc/default/putd /srv/incoming /etc/systemd/system/putd*.d'
    inside systemctl daemon-reload
    inside systemctl restart putd.socket
}

@test "contrib/units" {
    readme contrib/units/README.md
    runs 1
    listens
    all_ran
}

@test "contrib/zone" {
    readme contrib/zone/README.md
    runs 1
    grep -q README.md "$T/ran"
    all_ran
}

@test "contrib/judge" {
    readme contrib/judge/README.md
    # With light.conf, and a zone, as its lines want them.
    inside /opt/putd/contrib/zone/putd-zone add scans 7001 /srv/scans
    while IFS= read -r line <&9; do
        as_pasted <<<"$line" >"$T/ran" 2>&1 || fail "$line" "$(cat "$T/ran")"
    done 9< <(block 1)
    # Where nothing is bad, nobody gets mail.
    runs 2 'PATH=$PATH:/opt/putd/contrib/judge'
    RAN+=(1)
    all_ran
    inside /opt/putd/contrib/zone/putd-zone remove scans
    inside rm -rf /srv/scans
}

@test "contrib/ingest" {
    need_tool inotifywait
    readme contrib/ingest/README.md
    runs 1
    block 2 | head -n 1 | as_pasted
    until_true found_delivered
    runs 3
    [[ $(inside systemctl is-active putd-ingest-watch.service putd-ingest.path) == $'active\ninactive' ]]
    RAN+=(2)
    all_ran
    inside systemctl disable --now putd-ingest-watch.service
    # A run that the path unit started ends by itself; not in the middle of this.
    until_true ingest_rests
    inside sh -c 'rm -rf /etc/systemd/system/putd-ingest* /var/lib/putd-ingest'
    inside systemctl daemon-reload
}

ingest_rests() {
    [[ $(inside systemctl is-active putd-ingest.service) == inactive ]]
}

found_delivered() {
    block 2 | tail -n 1 | as_pasted >"$T/ran"
    grep -q README.md "$T/ran"
}

@test "contrib/pool" {
    readme contrib/pool/README.md
    runs 1
    grep -q README.md "$T/ran"
    all_ran
    inside systemctl disable --now putd-pool.target putd-pool.socket putd-pool@{1..4}.service
    inside sh -c 'rm -f /etc/systemd/system/putd-pool*'
    inside systemctl daemon-reload
    # Tests start it more often than systemd's limit lets them.
    inside systemctl reset-failed
    inside systemctl enable --now putd.socket
}

@test "contrib/completion" {
    readme contrib/completion/README.md
    runs 1 'cd contrib/completion'
    all_ran
}

@test "contrib/shell-client" {
    readme contrib/shell-client/README.md
    runs 1 'cd contrib/shell-client; cp ../../?.txt .'
    grep -q 'all there' "$T/ran"
    arrived a.txt b.txt
    runs 2
    diff <(sed -n '/^```json/,/^```$/{/^```/d;p}' "$README") "$T/ran"
    all_ran
}

@test "contrib/debian" {
    readme contrib/debian/README.md
    all_ran
}

@test "each README has its test" {
    local file

    for file in "$ROOT"/contrib/*/README.md; do
        grep -qx "    readme contrib/${file#*/contrib/}" \
            "$ROOT"/tests/readme.bats "$ROOT"/tests/readme_launchers.bats ||
            fail "nobody runs $file"
    done
}
