# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # shared with the tests
#
# For the bats files about storage: frames of uploads by id, receipts of theirs
# in the table of what is expected, and several handlers talked to at once. What
# is in .putd is no part of the listing here; it is asked about on its own.
#
# Besides those of common.bash, receipts are expected as
#
#     ID@N               a part of ID was taken, N bytes are held
#     =NAME:SIZE         NAME was committed with SIZE bytes under its own name
#     =NAME:SIZE:STORED  the same, under another one
#     stat@N             N bytes are held
#     stat=NAME:SIZE     the commit of NAME has been
#     aborted
#     ++NAME:SIZE:STORED   a whole put that got another name
#     sha+NAME:SIZE        a whole put that tells the digest $SHA
#     same+NAME:SIZE       the same, and that nothing was altered
#     sha=NAME:SIZE, same=NAME:SIZE    the same of a commit
#     (refusal)@N         !CMD:ERROR that tells the offset N
#     end:FILES:FAILED:BYTES

ID=0123456789abcdef
OTHER=fedcba9876543210-_

# What a build needs, as --no-sandbox for a sanitizer, is in PUTD_OPTIONS.
setup() {
    local -a needed

    common_setup
    read -ra needed <<<"${PUTD_OPTIONS-}"
    OPTIONS+=(${needed[@]+"${needed[@]}"})
}

# The real judge stands behind the one here.
eval "common_$(declare -f judge)"
eval "common_$(declare -f list)"

# list DIRECTORY: what is published.
list() {
    GLOBIGNORE="$1/.putd/*"
    common_list "$1"
    unset GLOBIGNORE
}

judge() {
    local line=$1 what=$2 name size stored count

    case $what in
        !*@*)
            size=${what##*@} what=${what%@*}
            judge_refusal "$line" "${what#!}" &&
                [[ $line == *",\"offset\":$size"[,\}]* ]]
            ;;
        sha[+=]* | same[+=]*)
            name=${what#*[+=]} size=${name##*:} name=${name%:*}
            stored='"cmd":"put",' count=filesize
            [[ $what == *+* ]] || stored='"cmd":"commit",' count=size
            stored="{\"ok\":true,$stored\"filename\":\"$name\",\"$count\":$size,\"stored\":\"$name\",\"durable\":true,\"sha256\":\"$SHA\""
            [[ $what != same* ]] || stored+=',"unchanged":true'
            [[ $line == "$stored}" ]]
            ;;
        ++*)
            name=${what#++} size=${name#*:} name=${name%%:*}
            stored=${size#*:} size=${size%%:*}
            [[ $line == "{\"ok\":true,\"cmd\":\"put\",\"filename\":\"$name\",\"filesize\":$size,\"stored\":\"$stored\",\"durable\":true}" ]]
            ;;
        aborted) [[ $line == '{"ok":true,"cmd":"abort"}' ]] ;;
        stat@*)
            [[ $line == "{\"ok\":true,\"cmd\":\"stat\",\"state\":\"partial\",\"offset\":${what#*@}}" ]]
            ;;
        stat=*)
            name=${what#stat=} size=${name#*:} name=${name%%:*}
            [[ $line == "{\"ok\":true,\"cmd\":\"stat\",\"state\":\"stored\",\"filename\":\"$name\",\"size\":$size,\"stored\":\"$name\",\"durable\":true"[,\}]* ]]
            ;;
        =*)
            name=${what#=} size=${name#*:} name=${name%%:*}
            stored=$name
            [[ $size != *:* ]] || stored=${size#*:} size=${size%%:*}
            [[ $line == "{\"ok\":true,\"cmd\":\"commit\",\"filename\":\"$name\",\"size\":$size,\"stored\":\"$stored\",\"durable\":true}" ]]
            ;;
        end:*)
            what=${what#end:} size=${what##*:} what=${what%:*}
            name=${what%:*} what=${what#*:}
            stored=false
            [[ $what != 0 ]] || stored=true
            [[ $line == "{\"ok\":$stored,\"cmd\":\"end\",\"files\":$name,\"failed\":$what,\"bytes\":$size}" ]]
            ;;
        [a-z0-9_-]*@*)
            [[ $line == "{\"ok\":true,\"cmd\":\"put\",\"id\":\"${what%@*}\",\"offset\":${what#*@},\"durable\":true}" ]]
            ;;
        *) common_judge "$line" "$what" ;;
    esac
}

# answered EXIT RECEIPT...: as expect, where the listing tells nothing, as it does
# of large files.
answered() {
    expect "$1" "$LISTING" "${@:2}"
}

# --- frames -----------------------------------------------------------------

# part ID OFFSET BODY [MORE]
part() {
    frame "{\"cmd\":\"put\",\"id\":\"$1\",\"offset\":$2,\"filesize\":${#3},\"reply\":true${4-}}" "$3"
}

# silent_part ID OFFSET BODY
silent_part() {
    frame "{\"cmd\":\"put\",\"id\":\"$1\",\"offset\":$2,\"filesize\":${#3}}" "$3"
}

# commit ID NAME SIZE [MORE]
commit() {
    frame "{\"cmd\":\"commit\",\"id\":\"$1\",\"filename\":\"$2\",\"size\":$3,\"reply\":true${4-}}"
}

# ask stat|abort ID [MORE]
ask() {
    frame "{\"cmd\":\"$1\",\"id\":\"$2\",\"reply\":true${3-}}"
}

finish() {
    frame '{"cmd":"end","reply":true}'
}

# again [OPTION]...: what was built is served, and a new stream begins.
again() {
    serve "$@"
    : >"$IN"
}

# upload ID BODY [OPTION]...: the bytes are held, on a connection of their own.
upload() {
    : >"$IN"
    part "$1" 0 "$2"
    again "${@:3}"
    judge "${RECEIPTS[0]}" "$1@${#2}" || fail "not held"
}

# body_of FILE HEADER: a frame whose body is the file; %s in the header is its
# size.
body_of() {
    local header

    # shellcheck disable=SC2059 # the header is the format
    printf -v header "$2" "$(stat -c %s "$1")"
    frame "$header"
    cat "$1" >>"$IN"
}

sha256() {
    local sum

    sum=$(sha256sum)
    SHA=${sum%% *}
}

# random FILE SIZE: and its digest in $SHA.
random() {
    head -c "$2" /dev/urandom >"$1"
    sha256 <"$1"
}

# identity FILE: what changes when anything is stored there.
identity() {
    stat -c '%i %Y.%y %Z.%z' "$1"
}

# sixteen_at_once [OPTION]...: sixteen handlers, each fed with $T/in.N; what they
# answered is in $T/all.
sixteen_at_once() {
    local -i i
    local -a pids=()

    for ((i = 0; i < 16; i++)); do
        "$PUTD" "${OPTIONS[@]}" "$@" "$DIR" <"$T/in.$i" >"$T/out.$i" 2>"$T/err.$i" 3>&- &
        pids+=($!)
    done
    PIDS+=("${pids[@]}")
    for pid in "${pids[@]}"; do wait "$pid" || fail "$(cat "$T"/err.*)"; done
    cat "$T"/out.* >"$T/all"
}

# --- what is private ----------------------------------------------------------

# private_files: how many there are, in $PRIVATE, the mark of the sweep aside.
private_files() {
    local -a files

    shopt -s nullglob dotglob
    files=("$DIR"/.putd/*)
    shopt -u nullglob dotglob
    PRIVATE=0
    for file in "${files[@]}"; do
        [[ $file == */swept ]] || PRIVATE=$((PRIVATE + 1))
    done
}

# leaves N: so many private files.
leaves() {
    private_files
    ((PRIVATE == $1)) || {
        ls -la "$DIR/.putd"
        fail "expected $1 private files"
    }
}

# aged AGE [FILE]...: the files, or all that is private, are so old now, and the
# last sweep was long ago.
aged() {
    local age=$1

    shift
    (($# > 0)) || set -- "$DIR"/.putd/*
    touch -d "$age ago" "$@"
    touch -d '2 hours ago' "$DIR/.putd/swept"
}

# swept [OPTION]...: a connection that uses .putd, and sweeps at its end.
swept() {
    : >"$IN"
    ask stat -----nobody-----
    again "$@"
    judge "${RECEIPTS[0]}" !stat:unknown-id || fail "no connection"
}

# mounted COMMAND...: a mount namespace of its own, in which COMMAND, a line of sh,
# has mounted something on $DIR; $DIR is what is seen there. $HOLDER keeps it.
mounted() {
    need_root
    need_tool unshare
    mkdir -p "$T/mount"
    background unshare -m --propagation private sh -c \
        "cd '$T' && $1 && : >'$T/mount/ready' && exec sleep infinity" 2>"$T/mount/err"
    HOLDER=$PID
    until_true eval "[[ -e $T/mount/ready ]] || ! kill -0 $HOLDER 2>/dev/null"
    [[ -e $T/mount/ready ]] || cannot "this cannot be mounted: $(<"$T/mount/err")"
    DIR=/proc/$HOLDER/root$DIR
}

# --- several at once ------------------------------------------------------------

# talk STEP...: see lib/upload_talk.py. The lines that it read are in RECEIPTS.
talk() {
    local -a options=()

    while [[ $1 == --* ]]; do
        options+=("$1")
        shift
    done
    "$PYTHON" "$LIB/upload_talk.py" --out="$T/out" "$@" -- \
        "$PUTD" "${OPTIONS[@]}" ${options[@]+"${options[@]}"} "$DIR" \
        2>"$T/err" 3>&- || {
        cat "$T/err"
        fail "the talk broke off"
    }
    CODE=0
    look
}
