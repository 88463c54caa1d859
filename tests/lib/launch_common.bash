# shellcheck shell=bash disable=SC2034,SC2154 # shared with the tests
#
# For tests that reach putd through a launcher and a sender. Loaded after
# common.bash, whose $T, $DIR, $IN, $OPTIONS and expect() it uses. It knows
# command lines of launchers and netcats, and nothing of the protocol.
#
#     launch accept                  # listens on 127.0.0.1:$PORT
#     asked a hello                  # the stream, as in ring 1
#     send openbsd                   # the stream through a netcat
#     handler_ended                  # $CODE is putd's exit status
#     expect 0 'a=hello' +a:5

# A netcat that waits for an answer that does not come is ended after this.
SEND_SECONDS=30

setup() { launch_setup; }

# PUTD_OPTIONS is what a build of its own needs: --no-sandbox, for a sanitizer.
launch_setup() {
    local -a needed

    common_setup
    read -ra needed <<<"${PUTD_OPTIONS-}"
    OPTIONS+=(${needed[@]+"${needed[@]}"})
}

free_port() {
    "$PYTHON" -c 'import socket; s = socket.socket()
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Without connecting, which would start a handler. State 0A is LISTEN.
port_listens() {
    local hex

    printf -v hex '0100007F:%04X' "$1"
    grep -q "^ *[0-9]*: $hex 00000000:0000 0A" /proc/net/tcp
}

# launch_on FORM ADDRESS COMMAND...: the three ways of systemd-socket-activate.
#   accept  a process a connection, with the connected socket on fd 3
#   inetd   a process a connection, with it on fd 0 and 1
#   listen  one process, with the listening socket on fd 3
launch_on() {
    local form=$1 address=$2
    local -a how=()

    shift 2
    case $form in
        accept) how=(--accept) ;;
        inetd) how=(--accept --inetd) ;;
    esac
    : >"$T/out"
    background systemd-socket-activate ${how[@]+"${how[@]}"} \
        --listen="$address" "$@" 2>"$T/err"
}

has_launched() {
    grep -q '^Listening on ' "$T/err"
}

launched_or_gone() {
    has_launched || ! kill -0 "$PID" 2>/dev/null
}

# launch_command FORM COMMAND...: on a free port of 127.0.0.1, in $PORT. Another
# program may take the port first: then on another.
launch_command() {
    local form=$1
    local -i attempt

    need_tool systemd-socket-activate
    shift
    for ((attempt = 0; attempt < 5; attempt++)); do
        PORT=$(free_port)
        launch_on "$form" "127.0.0.1:$PORT" "$@"
        until_true launched_or_gone
        ! has_launched || return 0
    done
    fail "no launcher listens" "$(cat "$T/err")"
}

# launch FORM [OPTION]...: the same with putd.
launch() {
    local form=$1

    shift
    launch_command "$form" "$PUTD" "${OPTIONS[@]}" "$@" "$DIR"
}

# launch_unix FORM [OPTION]...: on the Unix socket $SOCKET.
launch_unix() {
    local form=$1

    need_tool systemd-socket-activate
    shift
    SOCKET=$T/socket
    launch_on "$form" "$SOCKET" "$PUTD" "${OPTIONS[@]}" "$@" "$DIR"
    until_true launched_or_gone
    has_launched || fail "no launcher listens" "$(cat "$T/err")"
}

# send NETCAT: $IN goes to $PORT; what comes back is looked at. Traditional
# netcat never closes its half: with an `end` frame it is the server that ends.
send() {
    local -a netcat

    case $1 in
        openbsd) netcat=(nc.openbsd -N) ;;
        traditional) netcat=(nc.traditional -q "$SEND_SECONDS") ;;
        traditional-leaving) netcat=(nc.traditional -q 0) ;;
        ncat) netcat=(ncat) ;;
        busybox) netcat=(busybox nc) ;;
    esac
    need_tool "${netcat[0]}"
    timeout "$SEND_SECONDS" "${netcat[@]}" 127.0.0.1 "$PORT" \
        <"$IN" >"$T/out" 3>&-
}

handlers_ended() {
    [[ $(grep -c 'died with code' "$T/err") == "$1" ]]
}

# handler_ended [N]: waits until N handlers (1) of `accept` or `inetd` have
# ended; $CODE is the exit status of the last, and all is looked at.
handler_ended() {
    until_true handlers_ended "${1-1}"
    CODE=$(sed -n 's/^Child [0-9]* died with code //p' "$T/err" | tail -n 1)
    look
}
