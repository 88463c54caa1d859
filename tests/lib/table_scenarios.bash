# shellcheck shell=bash disable=SC2034,SC2154 # shared with the tests
#
# The scenarios of the table: what is sent, with which options, and whether the
# sender keeps its side open. Loaded after common.bash and table_common.bash.

# scenario NAME [OPTION]...: what is built next belongs to it.
scenario() {
    mkdir -p "$TABLE/scenarios/$1"
    IN=$TABLE/scenarios/$1/in
    : >"$IN"
    echo "--min-free=0 --verbose ${PUTD_OPTIONS-} ${*:2}" \
        >"$TABLE/scenarios/$1/options"
}

# The sender keeps its side open and waits for the server's end.
held_open() { : >"${IN%/in}/hold"; }

# Every value of a byte, 256 times.
all_bytes() {
    local -i i
    local octal

    for ((i = 0; i < 256; i++)); do
        printf -v octal '\\%03o' "$i"
        # shellcheck disable=SC2059 # an escape
        printf "$octal"
    done >"$TABLE/bytes"
    for ((i = 0; i < 256; i++)); do
        cat "$TABLE/bytes"
    done
}

make_scenarios() {
    scenario legacy
    plain a hello
    plain ../up no
    plain b ''

    scenario receipts
    asked small hello
    asked empty ''
    frame '{"cmd":"put","filename":"large","filesize":3145728,"reply":true}'
    seq 1000000 | head -c 3145728 >>"$IN"

    scenario refused
    asked a one
    asked ../up two
    asked 'a\u001b[31m\nb' three
    asked b four

    scenario hostile
    text $'GET / HTTP/1.0\r\n\r\n'

    scenario broken
    asked a hello
    text $'GET / HTTP/1.0\r\n\r\n'

    scenario cut
    asked a hello
    frame '{"cmd":"put","filename":"b","filesize":9000,"reply":true}'
    head -c 4000 /dev/zero >>"$IN"

    scenario end
    asked a hello
    plain b world
    plain ../up no
    frame '{"cmd":"end","reply":true}'
    plain late discarded
    held_open

    scenario idle --idle-timeout=1 --legacy-idle=1
    plain a hello
    held_open

    scenario binary
    frame '{"cmd":"put","filename":"caf\u00e9 \"1\"","filesize":65536,"reply":true}'
    all_bytes >>"$IN"

    scenario usage --no-such-option
    plain a hello
}
