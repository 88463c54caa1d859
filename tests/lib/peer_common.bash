# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # shared with the tests
#
# For tests in which putd meets a peer of a certain kind, step by step. Loaded
# after common.bash, whose $T, $DIR, $IN, $OPTIONS and look() it uses.

# What says who a peer is, in the order in which it is believed.
unset REMOTE_ADDR REMOTE_HOST TCPREMOTEIP SOCAT_PEERADDR NCAT_REMOTE_ADDR \
    SSH_CONNECTION

# meet [--OPTION-OF-PEER]... [--options=OPTION]... STEP...: see lib/peer.py.
meet() {
    local -a how=() options=()

    while [[ $1 == --* ]]; do
        case $1 in
            --options=*) options+=("${1#--options=}") ;;
            *) how+=("$1") ;;
        esac
        shift
    done
    ${NAMESPACE[@]+"${NAMESPACE[@]}"} "$PYTHON" "$LIB/peer.py" ${how[@]+"${how[@]}"} \
        --out="$T/out" --status="$T/status" "$@" -- \
        "$PUTD" "${OPTIONS[@]}" ${options[@]+"${options[@]}"} "$DIR" \
        2>"$T/err" 3>&- || {
        cat "$T/err"
        fail "the meeting broke off"
    }
    read -r CODE <"$T/status"
    look
}

# said WORD: the one line of the log has it.
said() {
    logged 1
    [[ ${LOG[0]} == *"$1"* ]] || fail "expected a line with $1"
}

# named PEER: the one line of the log begins with it; * stands for anything.
named() {
    local pattern="putd: $1: stored a, 1 bytes"

    logged 1
    # shellcheck disable=SC2053 # the asterisks are meant
    [[ ${LOG[0]} == $pattern ]] ||
        fail "expected the peer $1"
}

# Whatever runs in a network of its own, where every address is this host's.
# shellcheck disable=SC2016 # expanded inside
own_network='ip link set lo up && ip -4 route add local default dev lo &&
    ip -6 route add local default dev lo && exec "$@"'

# meet_from ADDRESS STEP...: over TCP, from any address whatever.
meet_from() {
    local kind=tcp4
    local -a NAMESPACE

    need_tool unshare ip
    unshare --map-root-user --net true 2>/dev/null ||
        cannot "no network namespace here"
    [[ $1 != *:* ]] || kind=tcp6
    NAMESPACE=(unshare --map-root-user --net sh -c "$own_network" sh)
    meet --over="$kind" --from="$1" "${@:2}"
}
