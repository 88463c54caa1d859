#!/usr/bin/env bats
# put, the line that shows progress, on a pseudo-terminal (lib/put_screen.py).
#
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means it

load lib/common
load lib/put_common

setup() { put_setup; }

# watched COLUMNS ARG...: put; what was drawn in $DRAWN, what stayed in $LEFT.
watched() {
    STATUS=0
    "$PYTHON" "$LIB/put_screen.py" --columns="$1" ${RESIZE:+--resize="$RESIZE"} \
        "$PUT" -s "exec:exec $PUTD_EXEC '$KEEP' 2>>'$T/log'" "${@:2}" \
        >"$T/screen" 3>&- || STATUS=$?
    mapfile -t DRAWN < <(sed -n 's/^drawn: //p' "$T/screen")
    mapfile -t LEFT < <(sed -n 's/^end: //p' "$T/screen")
}

# widest: characters of the widest line that was drawn.
widest() {
    printf '%s\n' "${DRAWN[@]}" | LC_ALL=C.UTF-8 awk '{ if (length($0) > n) n = length($0) } END { print n }'
}

@test "at 40, 80 and 200 columns: one line, never wider" {
    local columns

    random_file some 900000
    random_file big 1200000
    for columns in 40 80 200; do
        watched "$columns" --bwlimit=2M some big
        [[ $STATUS == 0 && ${#DRAWN[@]} -ge 5 && ${#DRAWN[@]} -le 15 ]]
        (($(widest) < columns))
        [[ "${DRAWN[*]}" == *%* && "${DRAWN[*]}" == *iB/s* ]]
        diff <(printf '%s\n' "${LEFT[@]}") - <<'LEFT'
some: stored, 900000 bytes
big: stored, 1200000 bytes
put: 2 stored, 2100000 bytes
LEFT
        printf x >>big
        truncate -s 1200000 big
    done
    [[ "${DRAWN[*]}" == *"["*"===="*"]"* && "${DRAWN[*]}" == *"ETA 0:0"* ]]
    [[ "${DRAWN[*]}" == *"2/2, total "* ]]
}

# totals: what stood behind `total`, a number a line.
totals() { printf '%s\n' "${DRAWN[@]}" | sed -n 's/.*, total \([0-9]*\)%.*/\1/p'; }

@test "many small files: their number and the total rise to the end" {
    local -i i

    mkdir many
    for ((i = 1000; i < 1060; i++)); do random_file "many/$i" 20000; done
    watched 80 --bwlimit=1M many/*
    [[ $STATUS == 0 && ${LEFT[-1]} == "put: 60 stored, 1200000 bytes" ]]
    totals | sort -nc
    (($(totals | tail -n 1) > 50 && $(totals | tail -n 1) <= 100))
    [[ ${DRAWN[-1]} =~ \ ([3-5][0-9]|60)/60,\ total ]]
}

@test "what is sent again is not counted twice" {
    random_file some 900000
    random_file more 900000
    server --frames=1 --leave=2 leaving
    "$PYTHON" "$LIB/put_screen.py" --columns=80 "$PUT" -s "$SERVER" --bwlimit=3M \
        some more >"$T/screen" 3>&-
    mapfile -t DRAWN < <(sed -n 's/^drawn: //p' "$T/screen")
    (($(totals | sort -n | tail -n 1) <= 100))
    [[ $(grep -c '^end: .*: stored' "$T/screen") == 2 ]]
}

@test "a terminal that is made narrower" {
    random_file some 900000
    RESIZE=30 watched 200 --bwlimit=1M some
    [[ $STATUS == 0 ]]
    DRAWN=("${DRAWN[@]:1}")
    (($(widest) < 30))
}

@test "names: UTF-8 is shortened by columns, controls are escaped" {
    local name

    name=$(printf 'n\xc3\xa9\xe6\x97\xa5%.0s' {1..25})
    random_file "$name" 900000
    watched 40 --bwlimit=1M "$name"
    [[ $STATUS == 0 && ${DRAWN[0]} == ...* ]]
    printf '%s\n' "${DRAWN[@]}" | iconv -f UTF-8 -t UTF-8 >/dev/null
    # A wide character takes two columns.
    [[ $(printf '%s' "${DRAWN[0]}" | LC_ALL=C.UTF-8 wc -m) -lt 36 ]]
    watched 80 $'no\e[31m'
    [[ $STATUS == 1 && ${LEFT[0]} == 'no\x1b[31m: cannot be read: '* ]]
}

@test "what was resumed is shown as such" {
    random_file big 3000000
    put_background --bwlimit=2M -s "exec:exec $PUTD_EXEC '$KEEP' 2>>'$T/log'" big
    until_true half_there
    kill -KILL "$PUT_PID"
    wait "$PUT_PID" || true
    until_true no_putd
    watched 200 --bwlimit=2M big
    [[ $STATUS == 0 && "${DRAWN[*]}" == *"[:::"*"="*"]"* ]]
    [[ ${LEFT[0]} == "big: stored, 3000000 bytes, resumed after "* ]]
}

half_there() {
    local size

    size=$(find "$KEEP/.putd" -name '*.part' -printf '%s\n' 2>/dev/null)
    ((${size:-0} > 1000000))
}

@test "-q and never draw nothing; elsewhere there is no control byte" {
    random_file some 900000
    watched 80 -q --bwlimit=4M some
    [[ ${#DRAWN[@]} == 0 && ${#LEFT[@]} == 0 ]]
    watched 80 --progress=never --bwlimit=4M some
    [[ ${#DRAWN[@]} == 0 ]]
    put -s "exec:exec $PUTD_EXEC '$KEEP' 2>>'$T/log'" --bwlimit=4M some
    ended 0 "some: stored, 900000 bytes"
    put -s "exec:exec $PUTD_EXEC '$KEEP' 2>>'$T/log'" --progress=always \
        --bwlimit=500K some
    [[ ${ERR[0]} == "some "*% && ${ERR[-1]} == "some: stored, 900000 bytes" ]] ||
        [[ ${ERR[0]} == "some "*"iB/s"* ]]
}
