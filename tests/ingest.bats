#!/usr/bin/env bats
# shellcheck disable=SC2016 # expanded inside
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own
# shellcheck disable=SC2034,SC2153 # for lib/, and from there
#
# contrib/ingest: what takes the files that arrived, once each and whole, under a
# real systemd. Installed as its README says. One boot, as in units.bats.

load lib/common
load lib/launch_common
load lib/launch_systemd

setup_file() {
    command -v inotifywait >/dev/null ||
        echo 'no inotifywait here' >"$BATS_FILE_TMPDIR/cannot"
    [[ ! -s $BATS_FILE_TMPDIR/cannot ]] || return 0
    boot_to_install
    booted || return 0
    inside make -s -C /opt/putd install
    inside systemctl enable --now putd.socket
    inside sh -c "cd /opt/putd && $(sed -n '/^Install/,/^Test/s/^    //p' \
        "$ROOT/contrib/ingest/README.md" | grep -v 'enable --now')"
    # Tells what it was given, and does as it is told to.
    inside sh -c 'cat >/usr/local/bin/taker && chmod 755 /usr/local/bin/taker &&
        install -d -o putd -g putd /run/taker' <<'TAKER'
#!/bin/sh
echo "$PUTD_NAME=$(cat "$1")" >>/run/taker/log
case $(cat "$1") in
    never) exit 65 ;;
    later) [ -e /run/taker/now ] || exit 75 ;;
    slow)
        exec 3<>/run/taker/gate
        [ -e /run/taker/now ] || read -r _ <&3
        ;;
esac
TAKER
}

teardown_file() { end_systemd; }

setup() {
    systemd_setup
    INNER=${STORE%/var/lib/putd}
    STATE=$INNER/var/lib/putd-ingest
    inside sh -c 'echo "PUTD_INGEST_COMMAND=/usr/local/bin/taker" >/etc/default/putd-ingest &&
        mkfifo /run/taker/gate && chown putd /run/taker/gate'
}

teardown() {
    [[ -z ${STORE-} ]] || {
        now
        inside systemctl stop putd-ingest.path putd-ingest.timer putd-ingest.service \
            putd-ingest-watch.service
        inside systemctl reset-failed
        inside sh -c 'rm -rf /run/taker/* /var/lib/putd-ingest/* /etc/default/putd'
    }
    systemd_teardown
}

# now: who waits goes on, and whoever comes later does not wait. A taker opens the
# gate before it looks, so it either sees the one or is given the other.
now() {
    inside sh -c 'touch /run/taker/now && echo go 1<>/run/taker/gate'
}

# send TEXT NAME...: each is answered before the next one.
send() {
    local name

    for name in "${@:2}"; do
        printf '%s' "$1" | client "$PUT" -q -s 127.0.0.1:8080 -n "$name" -
    done
}

# taken NAME=TEXT...: all that the command was ever given, in any order.
taken() {
    diff <(printf '%s\n' "$@" | sort) <(sort "$INNER/run/taker/log" 2>/dev/null) \
        >"$T/taken"
}

delivered() {
    [[ $(find "$STATE/delivered" -type f | wc -l) == "$1" ]]
}

is_inactive() {
    [[ $(inside systemctl is-active "$1") == @(inactive|failed) ]]
}

@test "the units are well-formed" {
    run inside sh -c 'systemd-analyze verify --man=no /etc/systemd/system/putd-ingest*'
    [[ $status == 0 && -z $output ]] || fail "$output"
}

@test "events: IN_CREATE for a new name, IN_MOVED_TO for one replaced, no other" {
    inotifywait -q -m --format '%e %f' "$DIR" >"$T/events" 2>"$T/ready" 3>&- &
    PIDS+=($!)
    # It watches when it sees something.
    until_true eval 'touch "$DIR/probe"; grep -q probe "$T/events"'
    : >"$IN"
    plain a one
    serve
    : >"$IN"
    plain a two
    serve
    until_true grep -q 'MOVED_TO a' "$T/events"
    diff <(grep -E '(CREATE|MOVED|CLOSE_WRITE|MODIFY|DELETE).* a$' "$T/events") \
        - <<<$'CREATE a\nMOVED_TO a'
}

@test "path unit: each file once, whole, and nothing else" {
    inside systemctl start putd-ingest.path
    # Half of a file, and half of an upload: neither has a name.
    : >"$IN"
    frame '{"cmd":"put","id":"0123456789abcdef","offset":0,"filesize":4}' half
    frame '{"cmd":"put","filename":"half","filesize":8,"reply":true}' half
    hold half
    until_true bodies_are 1
    send hello a b c
    until_true delivered 3
    taken {a,b,c}=hello
    [[ -e $STORE/.putd/0123456789abcdef.part && ! -e $STORE/a ]]
    printf both >"$T/rest"
    go_on half "$T/rest"
    until_true delivered 4
    taken {a,b,c}=hello half=halfboth
    [[ $(inside sh -c 'stat -c %U:%G /var/lib/putd-ingest/delivered/*/*/a') == putd:putd ]]
}

@test "path unit: what arrives while the command runs, and what replaces it" {
    inside systemctl start putd-ingest.path
    send slow a
    until_true taken a=slow
    send hello a b
    now
    until_true delivered 3
    taken a=slow a=hello b=hello
    [[ $(inside systemctl is-active putd-ingest.path) == active ]]
}

@test "path unit: a burst of connections" {
    local -i i
    local -a all

    inside systemctl start putd-ingest.path
    for ((i = 0; i < 30; i++)); do
        printf '%s' "$i" >"$T/f$i"
    done
    client sh -c 'for file in "$1"/f*; do "$2" -q -s 127.0.0.1:8080 "$file" || exit; done' \
        sh "$T" "$PUT"
    until_true delivered 30
    mapfile -t all < <(for ((i = 0; i < 30; i++)); do echo "f$i=$i"; done)
    taken "${all[@]}"
    [[ $(inside systemctl is-active putd-ingest.path) == active ]]
}

@test "what fails is kept and tried again, what will never do is put aside" {
    inside systemctl start putd-ingest.path
    send later a
    send never b
    send hello c
    until_true delivered 1
    until_true is_inactive putd-ingest.service
    [[ $(find "$STATE/failed" -type f -name b | wc -l) == 1 ]]
    [[ $(find "$STATE/taken" -type f -name a | wc -l) == 1 ]]
    journal_has 'putd-ingest: will be tried again, status 75: a' -t putd-ingest
    now
    inside systemctl start putd-ingest.service || fail "$(journal -t putd-ingest)"
    delivered 2
    inside systemctl reset-failed
}

@test "killed while the command runs: it runs again" {
    inside systemctl start putd-ingest.path
    send slow a
    until_true taken a=slow
    inside systemctl stop putd-ingest.path
    inside systemctl kill -s KILL putd-ingest.service
    until_true is_inactive putd-ingest.service
    inside systemctl reset-failed
    now
    inside systemctl start putd-ingest.service
    taken a=slow a=slow
    delivered 1
}

@test "path unit: a directory in the way ends it, and it says why" {
    inside systemctl start putd-ingest.path
    mkdir "$STORE/sub"
    until_true is_inactive putd-ingest.path
    [[ $(inside systemctl is-failed putd-ingest.path) == failed ]]
    journal_has '/var/lib/putd has sub, not a file' -t putd-ingest
}

@test "watch: files as they arrive, in trees, and those that were there" {
    inside sh -c 'echo "PUTD_OPTIONS=--mkdirs" >/etc/default/putd'
    send hello before
    inside systemctl start putd-ingest-watch.service
    until_true taken before=hello
    send hello a x/y/b x/y/c
    send again a
    until_true delivered 5
    taken before=hello a=hello x/y/{b,c}=hello a=again
    [[ -f $(echo "$STATE"/delivered/*/*/x/y/b) ]]
    [[ $(inside systemctl is-active putd-ingest-watch.service) == active ]]
    [[ $(inside systemctl is-active putd-ingest.path) != active ]]
}

@test "retention: days go, the last ones stay" {
    inside sh -c 'cd /var/lib/putd-ingest && mkdir -p delivered/2001-02-03/x failed/y &&
        touch delivered/2001-02-03/x/old failed/y/old &&
        mkdir -p "delivered/$(date -d "-7 days" +%F)/x" "delivered/$(date -d "-8 days" +%F)/x" &&
        chown -R putd:putd .'
    send hello a
    inside systemctl start putd-ingest.service
    delivered 1
    [[ ! -e $STATE/delivered/2001-02-03 && -e $STATE/failed/y/old ]]
    [[ $(find "$STATE/delivered" -mindepth 1 -maxdepth 1 | wc -l) == 2 ]]
    inside sh -c 'echo PUTD_INGEST_OPTIONS=--keep=0 >>/etc/default/putd-ingest'
    send hello b
    inside systemctl start putd-ingest.service
    taken {a,b}=hello
    run ! grep . <(find "$STATE" -name b)
}

@test "used wrongly, or where it cannot work: one line" {
    local ingest=$ROOT/contrib/ingest/putd-ingest row

    for row in '' 'look' 'once' 'once /a /b' "once --keep=x $T $T true" "once --frob $T $T true" \
        "once a b c"; do
        # shellcheck disable=SC2086 # words
        run "$ingest" $row
        [[ $status == 64 && ${#lines[@]} == 1 && $output == putd-ingest:* ]] ||
            fail "$row: $output"
    done
    run "$ingest" once "$T/none" "$T/state" true
    [[ $status == 69 && $output == "putd-ingest: no such directory: $T/none" ]]
    run "$ingest" once "$T" /dev/shm/putd-ingest.none/../putd-ingest.none true
    rm -rf /dev/shm/putd-ingest.none
    [[ $status == 69 && $output == *'not on the filesystem of'* ]]
}
