#!/usr/bin/env bats
# shellcheck disable=SC2016 # scripts in quotes are expanded inside
#
# Where the log goes, and what is in it: the records of the journal field by
# field, the lines of syslog, and what `systemctl status` shows. The sockets of
# journald, syslogd and the service manager are lib/journald.py's, in mounts of
# our own.

load lib/common

# In mounts of its own: /run and /dev are ours, and /dev/log leads to us.
own_mounts='mount -t tmpfs none /run &&
    mkdir -p /run/systemd/journal /run/dev &&
    mount --rbind /dev /run/dev && mount -t tmpfs none /dev &&
    for node in null zero full random urandom; do
        : >"/dev/$node" && mount --bind "/run/dev/$node" "/dev/$node" || exit 99
    done && ln -s /run/systemd/journal/dev-log /dev/log && exec "$@"'

setup() {
    common_setup
    HOW=()
    PREFIX=()
    need_root
    need_tool unshare
    unshare --mount true 2>/dev/null || cannot "no mount namespace here"
}

# with_journal [OPTION]...: what was built, served where there is a journal.
with_journal() {
    CODE=0
    unshare --mount sh -c "$own_mounts" sh \
        "$PYTHON" "$LIB/journald.py" --in="$T" "${HOW[@]}" -- \
        "${PREFIX[@]}" "$PUTD" "${OPTIONS[@]}" "$@" "$DIR" \
        <"$IN" >"$T/out" 2>"$T/python" 3>&- || CODE=$?
    [[ ! -s $T/python ]] || fail "$(<"$T/python")"
    look
    records
}

# records: each a line of FIELD=VALUE TAB FIELD=VALUE in ${RECORDS[@]}.
records() {
    local field

    RECORDS=('')
    while IFS= read -r field; do
        harmless "$field" || fail "a field that is not escaped: $field"
        [[ $field != *'<LF>'* ]] || fail "a field of two lines: $field"
        if [[ -z $field ]]; then
            RECORDS+=('')
        else
            RECORDS[-1]+=$field$'\t'
        fi
    done <"$T/journal"
    unset 'RECORDS[-1]'
}

# recorded N: so many records, and not a line elsewhere.
recorded() {
    ((${#RECORDS[@]} == $1)) || fail "expected $1 records:" "${RECORDS[@]}"
    logged 0
    [[ ! -s $T/syslog ]] || fail "$(<"$T/syslog")"
}

# has N FIELD=PATTERN...: the record N, counted from 0, has these.
has() {
    local n=$1 want field found

    shift
    for want in "$@"; do
        found=no
        while IFS= read -r -d $'\t' field; do
            # shellcheck disable=SC2053 # the asterisks are meant
            [[ $field != $want ]] || found=yes
        done <<<"${RECORDS[n]}"
        [[ $found == yes ]] || fail "expected $want in" "${RECORDS[n]//$'\t'/$'\n'}"
    done
}

# has_not N FIELD...
has_not() {
    local n=$1 field

    shift
    for field in "$@"; do
        [[ $'\t'${RECORDS[n]} != *$'\t'"$field="* ]] ||
            fail "expected no $field in" "${RECORDS[n]//$'\t'/$'\n'}"
    done
}

stored_id=MESSAGE_ID=7d26dbbefae64ec1b1a049a3f6937066
refused_id=MESSAGE_ID=5fc959b60227452f9f2f97d1b7d94b69
ended_id=MESSAGE_ID=81bf14179d6540c895355df47e843b6b
failed_id=MESSAGE_ID=d3f48600f0ed463f9b3fdd728d78dd18

# --- records ----------------------------------------------------------------

@test "a stored file" {
    asked a hello
    with_journal
    expect 0 'a=hello' +a:5
    recorded 1
    has 0 'MESSAGE=pipe: stored a, 5 bytes' "$stored_id" PRIORITY=6 \
        SYSLOG_IDENTIFIER=putd PUTD_PEER=pipe PUTD_NAME=a PUTD_STORED=a \
        PUTD_SIZE=5 'PUTD_SECONDS=[0-9]*.[0-9][0-9][0-9]'
    has_not 0 PUTD_ERROR PUTD_CAUSE
}

@test "each field once" {
    asked a hello
    with_journal
    [[ -z $(grep . "$T/journal" | cut -d= -f1 | sort | uniq -d) ]]
}

@test "a refused file" {
    plain ../a hello
    with_journal
    expect 0 ''
    recorded 1
    has 0 'MESSAGE=pipe: refused ../a: bad-name' "$refused_id" PRIORITY=4 \
        PUTD_PEER=pipe PUTD_NAME=../a PUTD_SIZE=5 PUTD_ERROR=bad-name \
        'PUTD_SECONDS=*'
    has_not 0 PUTD_STORED
}

@test "a file that is too large, and one for which there is no space" {
    plain a 12345
    with_journal --max-size=3
    recorded 1
    has 0 PUTD_ERROR=too-large PUTD_SIZE=5
    with_journal --min-free=100%
    recorded 1
    has 0 PUTD_ERROR=no-space
}

@test "the cause, where the system said one" {
    mkdir "$DIR/sub"
    plain sub/a 1
    PREFIX=(sh -c 'mount -t tmpfs none "$0/sub" && exec "$@"' "$DIR")
    with_journal
    recorded 1
    has 0 PUTD_ERROR=denied 'PUTD_CAUSE=Invalid cross-device link'
}

@test "a frame that is refused and has no file" {
    frame '{"cmd":"frob"}'
    with_journal
    recorded 1
    has 0 'MESSAGE=pipe: refused *: unknown-cmd' "$refused_id" PUTD_ERROR=unknown-cmd
    has_not 0 PUTD_NAME PUTD_STORED
}

@test "a stream cut inside a body: one record, with its name" {
    frame '{"cmd":"put","filename":"a","filesize":500}' 1234
    with_journal
    expect 65 ''
    recorded 1
    has 0 "$refused_id" PUTD_NAME=a PUTD_SIZE=500 PUTD_ERROR=mismatch
}

@test "a stream that cannot be read" {
    text 'GET / HTTP/1.0'
    with_journal
    expect 65 ''
    recorded 1
    has 0 'MESSAGE=pipe: the stream cannot be read as frames' "$ended_id" \
        PRIORITY=5 PUTD_PEER=pipe
}

@test "a directory that will not do" {
    DIR=$T/nowhere with_journal
    expect 73 ''
    recorded 1
    has 0 "MESSAGE=$T/nowhere: No such file or directory" "$failed_id" PRIORITY=3
}

@test "a wrong option" {
    with_journal --frob
    expect 64 ''
    recorded 1
    has 0 'MESSAGE=no such option: --frob*' "$failed_id" PRIORITY=3
}

@test "each file of many" {
    for i in {1..50}; do plain "f$i" "$i"; done
    with_journal
    recorded 50
    has 0 PUTD_NAME=f1 PUTD_SIZE=1
    has 49 PUTD_NAME=f50 PUTD_SIZE=2
}

@test "the peer that a launcher names" {
    plain a 1
    REMOTE_HOST=192.0.2.7 with_journal
    has 0 PUTD_PEER=192.0.2.7 'MESSAGE=192.0.2.7: stored a, 1 bytes'
}

# --- hostile names ----------------------------------------------------------
# records() judges every field: one line, nothing that moves a terminal.

@test "hostile: a refused name with ESC, LF and a field of its own" {
    plain 'a\u001b[31m\nPUTD_SIZE=99\nMESSAGE=stored b' 12345
    with_journal
    recorded 1
    has 0 'PUTD_NAME=a\\x1b\[31m\\x0aPUTD_SIZE=99\\x0aMESSAGE=stored b' PUTD_SIZE=5
}

@test "hostile: C1, a line separator, a change of direction" {
    plain 'a\u009b\u2028\u202e\u2066' x
    with_journal
    recorded 1
    has 0 'PUTD_NAME=a\\xc2\\x9b\\xe2\\x80\\xa8\\xe2\\x80\\xae\\xe2\\x81\\xa6'
}

@test "hostile: a backslash is escaped too, so that nothing looks like an escape" {
    plain 'a\\x1b' x
    with_journal
    recorded 1
    has 0 'PUTD_NAME=a\\x5cx1b' 'PUTD_STORED=a\\x5cx1b'
}

@test "hostile: a name in UTF-8 is kept" {
    plain 'Grüße €' x
    with_journal
    recorded 1
    has 0 'PUTD_NAME=Grüße €' 'MESSAGE=pipe: stored Grüße €, 1 bytes'
}

@test "hostile: an equals sign, percent signs" {
    plain 'A=%s%n%d' x
    with_journal
    recorded 1
    has 0 'PUTD_NAME=A=%s%n%d'
}

@test "hostile: 30000 letters are cut, and the other fields are there" {
    plain "$(printf '%030000d' 0)" x
    with_journal
    recorded 1
    has 0 'PUTD_NAME=000*' PUTD_ERROR=bad-name PUTD_SIZE=1
    ((${#RECORDS[0]} < 10000)) || fail "${#RECORDS[0]} bytes"
}

@test "hostile: 9000 control characters" {
    plain "$(printf '\\u001b%.0s' {1..9000})" x
    with_journal
    recorded 1
    has 0 PUTD_ERROR=bad-name
}

@test "hostile: an unknown command of 60000 letters" {
    frame "{\"cmd\":\"$(printf '%060000d' 0)\"}"
    with_journal
    recorded 1
}

# --- where it goes ----------------------------------------------------------

# on_stderr: the line of a stored file is on stderr alone.
on_stderr() {
    ((${#RECORDS[@]} == 0)) || fail "$(<"$T/journal")"
    [[ ! -s $T/syslog ]] || fail "$(<"$T/syslog")"
    logged 1
    [[ ${LOG[0]} == 'putd: pipe: stored a, 5 bytes' ]]
}

@test "--log=journal" {
    asked a hello
    with_journal --log=journal
    expect 0 'a=hello' +a:5
    recorded 1
}

@test "--log=journal where the environment shows no systemd" {
    asked a hello
    JOURNAL_STREAM='' NOTIFY_SOCKET='' with_journal --log=journal
    expect 0 'a=hello' +a:5
    recorded 1
}

@test "--log=stderr" {
    asked a hello
    with_journal --log=stderr
    on_stderr
}

@test "--log=none" {
    asked a hello
    with_journal --log=none
    recorded 0
}

@test "--log=syslog" {
    asked a hello
    with_journal --log=syslog
    ((${#RECORDS[@]} == 0))
    logged 0
    [[ $(<"$T/syslog") == '<30>'*' putd['*']: pipe: stored a, 5 bytes' ]]
}

# Redirected since, or inherited from somebody else.
@test "JOURNAL_STREAM of another file: stderr" {
    asked a hello
    JOURNAL_STREAM=1:2 with_journal
    on_stderr
}

# no_stream VALUE
no_stream() {
    asked a hello
    JOURNAL_STREAM=$1 with_journal
    on_stderr
}

@test "JOURNAL_STREAM of a word: stderr" { no_stream journal; }
@test "JOURNAL_STREAM of one number: stderr" { no_stream 8:; }
@test "JOURNAL_STREAM set and empty: stderr" { no_stream ''; }
@test "JOURNAL_STREAM of 100000 digits: stderr" { no_stream "$(printf '%0100000d:5' 0)"; }

@test "a journal that is gone: served all the same" {
    asked a hello
    PREFIX=(sh -c 'rm /run/systemd/journal/socket && exec "$@"' sh)
    with_journal
    expect 0 'a=hello' +a:5
}

@test "stderr is the client: syslog, and the client gets its receipts alone" {
    asked a hello
    plain ../b x
    HOW=(--stderr=connection)
    JOURNAL_STREAM='' with_journal
    expect 0 'a=hello' +a:5
    ((${#RECORDS[@]} == 0))
    grep -q 'putd\[[0-9]*\]: pipe: stored a, 5 bytes$' "$T/syslog"
    grep -q 'putd\[[0-9]*\]: pipe: refused ../b: bad-name$' "$T/syslog"
    [[ $(wc -l <"$T/syslog") == 2 ]]
}

@test "--log=stderr where stderr is the client: syslog" {
    asked a hello
    HOW=(--stderr=connection)
    JOURNAL_STREAM='' with_journal --log=stderr
    expect 0 'a=hello' +a:5
    grep -q 'stored a, 5 bytes$' "$T/syslog"
}

@test "stderr is /dev/null: syslog" {
    asked a hello
    PREFIX=(sh -c 'exec "$@" 2>/dev/null' sh)
    with_journal
    grep -q 'stored a, 5 bytes$' "$T/syslog"
}

@test "syslog: hostile names" {
    plain 'a\u001b[31m\n<0>kernel: b\u009b\u202e' x
    with_journal --log=syslog
    IFS= read -r line <"$T/syslog"
    harmless "$line" && [[ $(wc -l <"$T/syslog") == 1 && $line != *'<LF>'* ]]
}

@test "a syslog that goes away meanwhile: served all the same" {
    asked a hello
    plain ../b x
    asked c 3
    HOW=(--syslog-ends)
    with_journal --log=syslog
    expect 0 'a=hello c=3' +a:5 +c:1
    [[ $(wc -l <"$T/syslog") == 1 ]]
}

@test "no syslog at all: served all the same" {
    asked a hello
    PREFIX=(sh -c 'rm /dev/log && exec "$@"' sh)
    with_journal --log=syslog
    expect 0 'a=hello' +a:5
}

# --- what `systemctl status` shows ------------------------------------------

# large_file NAME: of eight blocks.
large_file() {
    frame "{\"cmd\":\"put\",\"filename\":\"$1\",\"filesize\":8388608,\"reply\":true}"
    head -c 8388608 /dev/zero | tr '\0' x >>"$IN"
}

# slowly [COMMAND...]: each block takes long to be written.
slowly() {
    need_tool strace
    # A leak checker is a tracer too, and there can be one only.
    export ASAN_OPTIONS=detect_leaks=0
    PREFIX=("$@" strace -qq -o "$T/trace" -e inject=pwrite64:delay_enter=400000)
}

@test "status: name and per cent of a body that takes long, at most once a second" {
    large_file slow
    slowly
    with_journal
    recorded 1
    run ! grep -vE '^STATUS=receiving slow: [0-9]{1,2} %$|^STATUS=$' "$T/states"
    sed -n 's/.*: \([0-9]*\) %$/\1/p' "$T/states" >"$T/percent"
    sort -nu "$T/percent" | cmp - "$T/percent"
    states=$(wc -l <"$T/percent")
    seconds=$(sed -n 's/^PUTD_SECONDS=\([0-9]*\)\..*/\1/p' "$T/journal")
    ((states >= 1 && states <= seconds)) || fail "$states states in $seconds s"
}

# states_are_harmless: there are some.
states_are_harmless() {
    grep -q . "$T/states"
    while IFS= read -r line; do
        harmless "$line" || fail "a status that is not escaped: $line"
    done <"$T/states"
}

@test "status: of a hostile name" {
    large_file 'a\u202e\u2028%s'
    slowly
    with_journal
    states_are_harmless
}

@test "status: a long name in UTF-8 is not cut inside a character" {
    part=x$(printf '\xe2\x82\xac%.0s' {1..84})
    mkdir "$DIR/$part" "$DIR/$part/$part"
    large_file "$part/$part/a"
    slowly
    with_journal
    states_are_harmless
}

@test "status: none for files that do not take long" {
    for i in {1..50}; do plain "f$i" "$i"; done
    with_journal
    [[ ! -s $T/states ]]
}

@test "status: no manager, nothing to be told" {
    large_file slow
    slowly
    NOTIFY_SOCKET='' with_journal
    expect 0 'slow=(8388608 bytes)' +slow:8388608
    [[ ! -s $T/states ]]
}

@test "status: a manager that is gone" {
    large_file slow
    slowly sh -c 'rm "$NOTIFY_SOCKET" && exec "$@"' sh
    with_journal
    [[ $CODE == 0 && ! -s $T/states ]]
}
