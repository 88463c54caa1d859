# shellcheck shell=bash disable=SC2034,SC2154 # shared with the tests
#
# Shared by every bats file: where the programs are, a directory of one's own
# for each test, a stream built frame by frame, and the judgement of what came
# out. It knows put-protocol(7), and nothing of the programs' insides.
#
# A row of ring 1 is written as
#
#     asked a hello                  # a put of "a", 5 bytes, with reply
#     frame '{"cmd":"zap","filesize":3}' xyz
#     serve                          # putd reads it all, to its end
#     expect 0 'a=hello' +a:5        # exit status, listing, receipts
#
# Receipts are expected as +NAME:SIZE (a stored file), as a refusal (!CMD:ERROR
# or !CMD:ERROR:NAME), as the line that ends a stream (!ERROR), or as the line
# itself, where * stands for anything.

bats_require_minimum_version 1.5.0

ROOT=${BATS_TEST_DIRNAME%/tests*}
PUTD=${PUTD:-$ROOT/build/putd}
PUT=${PUT:-$ROOT/build/put}
LIB=$ROOT/tests/lib
if [[ -z ${PYTHON-} ]]; then
    PYTHON=python3
    # Past any wrapper of a version manager: ten times faster.
    [[ ! -x /usr/bin/python3 ]] || PYTHON=/usr/bin/python3
fi
export ROOT PUTD PUT PYTHON LIB PYTHONDONTWRITEBYTECODE=1

# Bytes are counted, not characters; and no launcher of ours may leak in.
export LC_ALL=C
unset LISTEN_FDS LISTEN_PID LISTEN_FDNAMES NOTIFY_SOCKET JOURNAL_STREAM
unset REMOTE_ADDR REMOTE_HOST REMOTE_PORT PUT_SERVER
# A make of a test's is no part of the one that runs the tests.
unset MAKELEVEL MAKEFLAGS MFLAGS

setup() { common_setup; }
teardown() { common_teardown; }

common_setup() {
    # bats traces every command for its stack of calls: half of the time a row
    # takes. The line of the test is told without it.
    set +T
    T=$BATS_TEST_TMPDIR
    DIR=$T/dir
    IN=$T/in
    PIDS=()
    CODE='' RAW='' LISTING='' RECEIPTS=() LOG=()
    # What putd is started with unless a row says otherwise: no row may depend
    # on how full this machine's disk is.
    # What a build of its own needs, --no-sandbox for a sanitizer, comes first.
    read -ra OPTIONS <<<"${PUTD_OPTIONS-}"
    OPTIONS+=(--min-free=0)
    mkdir "$DIR"
    : >"$IN"
}

common_teardown() {
    local pid

    for pid in "${PIDS[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

# Ends the test; shows what was seen.
fail() {
    printf '%s\n' "$@"
    [[ -z $CODE ]] || {
        printf 'exit status: %s\nlisting: %s\n' "$CODE" "$LISTING"
        printf 'receipt: %s\n' "${RECEIPTS[@]}"
        printf 'log: %s\n' "${LOG[@]}"
    }
    return 1
}

# need_tool NAME...: a tool that is missing is a failure in CI, a skip with a
# reason elsewhere.
need_tool() {
    local tool

    for tool in "$@"; do
        command -v "$tool" >/dev/null || cannot "no $tool here"
    done
}

need_root() {
    [[ $EUID == 0 ]] || cannot "only root can do this"
}

# cannot REASON: this test cannot be run here.
cannot() {
    [[ ${CI-} != true ]] || fail "cannot be tested: $1"
    skip "$1"
}

# until_true COMMAND [ARG]...: looks again and again whether it is so, for two
# minutes at most. The one poll of the libraries, for what tells nobody when it
# comes: a file's size, a descriptor, a port, a unit's state. Whoever can be told
# waits for that: a FIFO, a pipe's end, a process.
until_true() {
    local -i end=$((SECONDS + 120))

    until "$@"; do
        ((SECONDS < end)) || {
            fail "waited in vain for: $*"
            return 1 # also where set -e is off, as before ||
        }
        sleep 0.02
    done
}

# background COMMAND [ARG]...: its pid in $PID, killed when the test ends.
background() {
    "$@" 3>&- &
    PID=$!
    PIDS+=("$PID")
}

# background_status: of the last one, in $CODE.
background_status() {
    CODE=0
    wait "$PID" || CODE=$?
    PIDS=("${PIDS[@]/#$PID/}")
    PIDS=(${PIDS[@]+${PIDS[@]}})
}

# --- the stream -----------------------------------------------------------

# length N: the four bytes; N may be negative.
length() {
    local le

    printf -v le '\\0%03o\\0%03o\\0%03o\\0%03o' $(($1 & 255)) \
        $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255))
    printf '%b' "$le" >>"$IN"
}

# text STRING...: as it is.
text() {
    printf '%s' "$@" >>"$IN"
}

# escaped STRING...: with the escapes of printf %b, for a NUL.
escaped() {
    printf '%b' "$@" >>"$IN"
}

# frame HEADER [BODY]
frame() {
    length ${#1}
    text "$@"
}

# plain NAME BODY [MORE]: a put that asks for nothing. MORE goes into the
# header: ',"key":value'.
plain() {
    frame "{\"cmd\":\"put\",\"filename\":\"$1\",\"filesize\":${#2}${3-}}" "$2"
}

# asked NAME BODY [MORE]: the same with a receipt.
asked() {
    plain "$1" "$2" ",\"reply\":true${3-}"
}

# --- the server -----------------------------------------------------------

# serve [OPTION]...: putd reads what was built from a pipe, to its end.
serve() {
    CODE=0
    # shellcheck disable=SC2002 # a pipe, not a file
    cat "$IN" 2>/dev/null |
        "$PUTD" "${OPTIONS[@]}" "$@" "$DIR" >"$T/out" 2>"$T/err" 3>&- ||
        CODE=$?
    look
}

# serve_from FILE [OPTION]...: the same with stdin opened here.
serve_from() {
    CODE=0
    "$PUTD" "${OPTIONS[@]}" "${@:2}" "$DIR" <"$1" >"$T/out" 2>"$T/err" 3>&- ||
        CODE=$?
    look
}

# dialogue [--socket] [--options=OPTION]... STEP...: see lib/dialogue.py.
dialogue() {
    local -a how=() options=()

    while [[ $1 == --* ]]; do
        case $1 in
            --options=*) options+=("${1#--options=}") ;;
            *) how+=("$1") ;;
        esac
        shift
    done
    "$PYTHON" "$LIB/dialogue.py" ${how[@]+"${how[@]}"} \
        --out="$T/out" --status="$T/status" "$@" -- \
        "$PUTD" "${OPTIONS[@]}" ${options[@]+"${options[@]}"} "$DIR" \
        2>"$T/err" 3>&- || {
        cat "$T/err"
        fail "the dialogue broke off"
    }
    read -r CODE <"$T/status"
    look
}

# look: reads what came out, and judges what holds for every stream.
look() {
    local line

    RAW=''
    IFS= read -r -d '' RAW <"$T/out" || true
    mapfile -t RECEIPTS <"$T/out"
    mapfile -t LOG <"$T/err"
    list "$DIR"
    [[ -z $RAW || $RAW == *$'\n' ]] || fail "a receipt without its newline"
    for line in "${RECEIPTS[@]}"; do
        [[ $line != *[!\ -~]* ]] || fail "a receipt not in printable ASCII"
        ((${#line} < 32768)) || fail "a receipt of more than 32768 bytes"
    done
    for line in "${LOG[@]}"; do
        harmless "$line" || fail "a log line that is not escaped"
    done
    ((CODE < 128)) || fail "ended by a signal"
}

# harmless LINE: it cannot do anything to a terminal, nor look like two lines or
# like something else: no control character (C1 ones in UTF-8 too), no line
# separator or change of direction, nothing that is not UTF-8.
harmless() {
    [[ $1 == *[!\ -~]* ]] || return 0
    [[ $1 != *[$'\x01'-$'\x1f\x7f']* ]] || return 1
    [[ $1 != *$'\xc2'[$'\x80'-$'\x9f']* ]] || return 1
    [[ $1 != *$'\xe2\x80'[$'\xa8'-$'\xae']* ]] || return 1
    [[ $1 != *$'\xe2\x81'[$'\xa6'-$'\xa9']* ]] || return 1
    [[ $1 != *$'\xe2\x80'[$'\x8e\x8f']* && $1 != *$'\xd8\x9c'* ]] || return 1
    iconv -f UTF-8 -t UTF-8 <<<"$1" >/dev/null 2>&1
}

# logged N: so many lines on stderr.
logged() {
    ((${#LOG[@]} == $1)) || fail "expected $1 log lines"
}

# list DIRECTORY: into $LISTING, all that is in it, with contents, in the order
# of the bytes of the names: a=text b/ b/c=(9999 bytes) d->target e| . An empty
# .putd is as good as none, and so is the mark of the last sweep in it.
list() {
    local path name content
    local -a seen=()
    local -i size

    shopt -s globstar dotglob nullglob
    for path in "$1"/**; do
        name=${path#"$1"/}
        [[ -n $name && $name != .putd/swept ]] || continue
        if [[ -L $path ]]; then
            seen+=("$name->$(readlink "$path")")
        elif [[ -d $path ]]; then
            [[ $name == .putd ]] || seen+=("$name/")
        elif [[ -p $path ]]; then
            seen+=("$name|")
        else
            content=''
            IFS= read -r -d '' content 2>/dev/null <"$path" || true
            size=${#content}
            ((size <= 64)) || content="($size bytes)"
            seen+=("$name=$content")
        fi
    done
    shopt -u globstar dotglob nullglob
    LISTING="${seen[*]}"
}

# --- the judgement --------------------------------------------------------

# expect EXIT LISTING [RECEIPT]...
expect() {
    local code=$1 listing=$2
    local -i i=0

    shift 2
    [[ $CODE == "$code" ]] || fail "expected exit status $code"
    [[ $LISTING == "$listing" ]] || fail "expected listing: $listing"
    ((${#RECEIPTS[@]} == $#)) || fail "expected $# receipts"
    for ((i = 0; $# > 0; i++)); do
        judge "${RECEIPTS[i]}" "$1" || fail "expected receipt $i: $1"
        shift
    done
}

# judge LINE EXPECTED
judge() {
    local line=$1 what=$2 name size pattern

    case $what in
        +*)
            name=${what#+} size=${what##*:} name=${name%:*}
            [[ $line == "{\"ok\":true,\"cmd\":\"put\",\"filename\":\"$name\",\"filesize\":$size,\"stored\":\"$name\",\"durable\":true}" ]]
            ;;
        !*) judge_refusal "$line" "${what#!}" ;;
        *)
            pattern=${what//\\/\\\\} pattern=${pattern//\[/\\[}
            pattern=${pattern//\?/\\?}
            # shellcheck disable=SC2053 # the asterisks are meant
            [[ $line == $pattern ]]
            ;;
    esac
}

# judge_refusal LINE [CMD:]ERROR[:NAME]: `ok` first, `cmd` second, `error`
# third; `retry` as the table of errors has it; a message of fixed English.
judge_refusal() {
    local line=$1 cmd='' error=$2 name='' retry=false message
    local start='{"ok":false,'

    if [[ $2 == *:* ]]; then
        cmd=${2%%:*} error=${2#*:} name=''
        [[ $error != *:* ]] || name=${error#*:} error=${error%%:*}
        start+="\"cmd\":\"$cmd\","
    fi
    [[ $line == "$start\"error\":\"$error\","*'}' ]] || return 1
    case $error in timeout | no-space | mismatch | bad-offset | busy | io)
        retry=true
        ;;
    esac
    [[ $line == *"\"retry\":$retry"[,\}]* ]] || return 1
    [[ -z $name || $line == *",\"filename\":\"$name\""[,\}]* ]] || return 1
    [[ $error != bad-name || $line != *'"filename":'* ]] || return 1
    [[ $line =~ \"message\":\"([^\"\\/]+)\" ]] || return 1
    message=${BASH_REMATCH[1]}
    [[ -z $name || $message != *"$name"* || ${#name} -lt 4 ]]
}
