#!/usr/bin/env bats
# sha256 of whole puts and of commits: publish only on a match, tell it, and
# leave alone what is there already: unchanged.

# shellcheck disable=SC2086 # ids are words

load lib/common
load lib/upload_common

wrong=$(printf '%064d' 0)

sha256_of() { sha256 < <(printf %s "$1"); }

@test "a digest that matches, in lower and upper case, told in lower case" {
    sha256_of hello
    asked a hello ",\"sha256\":\"$SHA\""
    asked b hello ",\"sha256\":\"${SHA^^}\""
    asked c hello ",\"sha256\":\"${SHA:0:31}$(tr a-f A-F <<<"${SHA:31}")\""
    serve
    expect 0 'a=hello b=hello c=hello' sha+a:5 sha+b:5 sha+c:5
}

@test "a digest that is only asked for: told in lower case" {
    sha256_of hello
    asked a hello ',"sha256":true'
    serve
    expect 0 'a=hello' sha+a:5
}

@test "a digest is told only where it was asked for" {
    sha256_of hello
    asked a hello ',"sha256":true'
    asked b hello
    plain c hello ',"sha256":true'
    serve
    expect 0 'a=hello b=hello c=hello' sha+a:5 +b:5
}

@test "a digest that does not match: nothing is published, the stream is in step" {
    echo -n old >"$DIR/a"
    asked a hello ",\"sha256\":\"$wrong\""
    asked b hello ",\"sha256\":\"$wrong\""
    plain c hello ",\"sha256\":\"$wrong\""
    asked zz 2
    finish
    serve
    expect 0 'a=old zz=2' !put:mismatch:a !put:mismatch:b +zz:1 end:1:3:1
    leaves 0
}

@test "a directory of that name is told before a digest that does not match" {
    mkdir "$DIR/a"
    frame "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":5,\"reply\":true,\"sha256\":\"$(printf '%064d' 0)\"}" hello
    serve
    expect 0 a/ '!put:exists:a'
    # And before a size that is too large.
    : >"$IN"
    asked a hello
    serve --max-size=3
    expect 0 a/ '!put:exists:a'
}

@test "a digest that differs in its last digit" {
    sha256_of hello
    asked a hello ",\"sha256\":\"${SHA%?}$(tr 0-9a-f 1-9a-f0 <<<"${SHA: -1}")\""
    serve
    expect 0 '' !put:mismatch:a
}

@test "the empty file" {
    sha256 </dev/null
    asked a '' ",\"sha256\":\"$SHA\""
    asked b '' ',"sha256":true'
    asked c '' ",\"sha256\":\"$wrong\""
    asked d x ",\"sha256\":\"$SHA\""
    serve
    expect 0 'a= b=' sha+a:0 sha+b:0 !put:mismatch:c !put:mismatch:d
}

@test "what is no digest is a bad header" {
    local -a want=()

    sha256_of hello
    for word in '""' "\"${SHA%?}\"" "\"${SHA}0\"" "\"${SHA%?}g\"" "\"${SHA%?} \"" "\"0x${SHA:2}\"" \
        "\"${SHA%??}\\u00e9\"" false null 0 "[\"$SHA\"]" '"true"'; do
        asked a hello ",\"sha256\":$word"
        want+=(!put:bad-header:a)
    done
    asked zz 2
    serve
    expect 0 'zz=2' "${want[@]}" +zz:1
}

@test "the stream ends before the digest can be judged" {
    sha256_of hello
    frame "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":6,\"sha256\":\"$SHA\",\"reply\":true}" hello
    serve
    expect 65 '' !put:mismatch:a
}

# sized SIZE: a file of so many bytes, by put and by commit, with the digest
# wanted, asked for, and wrong.
sized() {
    random "$T/all" "$1"
    body_of "$T/all" "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":%s,\"sha256\":\"$SHA\",\"reply\":true}"
    body_of "$T/all" '{"cmd":"put","filename":"b","filesize":%s,"sha256":true,"reply":true}'
    body_of "$T/all" "{\"cmd\":\"put\",\"filename\":\"c\",\"filesize\":%s,\"sha256\":\"$wrong\",\"reply\":true}"
    body_of "$T/all" "{\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":0,\"filesize\":%s}"
    commit $ID d "$1" ",\"sha256\":\"$SHA\""
    body_of "$T/all" "{\"cmd\":\"put\",\"id\":\"$OTHER\",\"offset\":0,\"filesize\":%s}"
    commit $OTHER e "$1" ",\"sha256\":\"$wrong\""
    serve
    answered 0 "sha+a:$1" "sha+b:$1" !put:mismatch:c "sha=d:$1" !commit:mismatch:e
    for name in a b d; do cmp "$T/all" "$DIR/$name"; done
    [[ ! -e $DIR/c && ! -e $DIR/e ]]
    leaves 1
}

@test "1 byte" { sized 1; }
@test "a block less one" { sized 1048575; }
@test "a block" { sized 1048576; }
@test "a block and one" { sized 1048577; }
@test "3 MiB" { sized 3145728; }
@test "10 MiB and one" { sized 10485761; }

# unchanged: the whole body arrived, matched its digest, and met a regular file
# of the same content at exactly that name.

# same POLICY: a put and a commit of what is there already.
same() {
    local before

    sha256_of hello
    echo -n hello >"$DIR/a"
    chmod 0604 "$DIR/a"
    touch -d '2001-02-03 04:05:06.789' "$DIR/a"
    before=$(identity "$DIR/a")
    part $ID 0 hello
    asked a hello ",\"sha256\":\"$SHA\",\"mtime\":1"
    asked a hello ",\"sha256\":\"$SHA\""
    commit $ID a 5 ",\"sha256\":\"$SHA\",\"mtime\":1"
    commit $ID a 5 ",\"sha256\":\"$SHA\""
    finish
    serve --if-exists="$1"
    expect 0 'a=hello' $ID@5 same+a:5 same+a:5 same=a:5 same=a:5 end:4:0:20
    [[ $(identity "$DIR/a") == "$before" && $(stat -c %a "$DIR/a") == 604 ]] || fail "it was altered"
    leaves 1
}

@test "unchanged: under replace" { same replace; }
@test "unchanged: under keep" { same keep; }
@test "unchanged: under reject" { same reject; }

@test "unchanged: the same file twice in one stream" {
    sha256_of hello
    asked a hello ",\"sha256\":\"$SHA\""
    asked a hello ",\"sha256\":\"$SHA\""
    serve --if-exists=reject
    expect 0 'a=hello' sha+a:5 same+a:5
}

@test "unchanged: told by stat too" {
    sha256_of hello
    echo -n hello >"$DIR/a"
    part $ID 0 hello
    commit $ID a 5 ",\"sha256\":\"$SHA\""
    ask stat $ID
    serve
    expect 0 'a=hello' $ID@5 same=a:5 \
        "{\"ok\":true,\"cmd\":\"stat\",\"state\":\"stored\",\"filename\":\"a\",\"size\":5,\"stored\":\"a\",\"durable\":true,\"sha256\":\"$SHA\",\"unchanged\":true}"
}

@test "unchanged: a hard link is a regular file" {
    sha256_of hello
    echo -n hello >"$T/other"
    ln "$T/other" "$DIR/a"
    asked a hello ",\"sha256\":\"$SHA\""
    serve
    expect 0 'a=hello' same+a:5
    [[ $DIR/a -ef $T/other ]]
}

@test "unchanged: the empty file" {
    sha256 </dev/null
    : >"$DIR/a"
    asked a '' ",\"sha256\":\"$SHA\""
    serve --if-exists=reject
    expect 0 'a=' same+a:0
}

@test "unchanged: a file of 3 MiB" {
    local before

    random "$DIR/a" 3145728
    before=$(identity "$DIR/a")
    body_of "$DIR/a" "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":%s,\"sha256\":\"$SHA\",\"reply\":true}"
    serve
    answered 0 same+a:3145728
    [[ $(identity "$DIR/a") == "$before" ]]
}

@test "unchanged: in a directory" {
    mkdir "$DIR/d"
    sha256_of hello
    echo -n hello >"$DIR/d/a"
    asked d/a hello ",\"sha256\":\"$SHA\""
    serve --if-exists=keep
    expect 0 'd/ d/a=hello' same+d/a:5
}

# What is not unchanged. COMMAND makes `a` and `b` in the directory; the put of
# `a` and the commit of `b`, of hello with its digest, meet them.
differs() { # POLICY COMMAND LISTED, with @ for the name
    local a=${3//@/a} b=${3//@/b}

    sha256_of hello
    echo -n hello >"$T/hello"
    (cd "$DIR" && eval "$2")
    part $ID 0 hello
    asked a hello ",\"sha256\":\"$SHA\""
    commit $ID b 5 ",\"sha256\":\"$SHA\""
    serve --if-exists="$1"
    case $1 in
        replace) expect 0 'a=hello b=hello' $ID@5 sha+a:5 sha=b:5 ;;
        keep)
            expect 0 "$a a.~1~=hello $b b.~1~=hello" $ID@5 \
                "{\"ok\":true,\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":5,\"stored\":\"a.~1~\",\"durable\":true,\"sha256\":\"$SHA\"}" \
                "{\"ok\":true,\"cmd\":\"commit\",\"filename\":\"b\",\"size\":5,\"stored\":\"b.~1~\",\"durable\":true,\"sha256\":\"$SHA\"}"
            ;;
        reject) expect 0 "$a $b" $ID@5 !put:exists:a !commit:exists:b ;;
    esac
}

both() { echo "$1 >a; $1 >b"; }

@test "a longer file, replace" { differs replace "$(both 'printf hello!')" '@=hello!'; }
@test "a longer file, keep" { differs keep "$(both 'printf hello!')" '@=hello!'; }
@test "a longer file, reject" { differs reject "$(both 'printf hello!')" '@=hello!'; }
@test "an empty file, reject" { differs reject "$(both true)" '@='; }
@test "equal size and other content, replace" { differs replace "$(both 'printf hellO')" '@=hellO'; }
@test "equal size and other content, keep" { differs keep "$(both 'printf hellO')" '@=hellO'; }
@test "equal size and other content, reject" { differs reject "$(both 'printf hellO')" '@=hellO'; }
@test "a link to the same content, replace" { differs replace 'ln -s ../hello a; ln -s ../hello b' '@->../hello'; }
@test "a link to the same content, keep" { differs keep 'ln -s ../hello a; ln -s ../hello b' '@->../hello'; }
@test "a link to the same content, reject" { differs reject 'ln -s ../hello a; ln -s ../hello b' '@->../hello'; }
@test "a fifo, replace" { differs replace 'mkfifo a b' '@|'; }
@test "a fifo, keep" { differs keep 'mkfifo a b' '@|'; }
@test "a fifo, reject" { differs reject 'mkfifo a b' '@|'; }

@test "a directory, by each policy" {
    mkdir "$DIR/a"
    sha256_of hello
    for policy in replace keep reject; do
        asked a hello ",\"sha256\":\"$SHA\",\"if_exists\":\"$policy\""
    done
    serve
    expect 0 'a/' !put:exists:a !put:exists:a !put:exists:a
}

@test "the same content under a number of keep, not under the name itself" {
    sha256_of hello
    echo -n other >"$DIR/a"
    echo -n hello >"$DIR/a.~1~"
    asked a hello ",\"sha256\":\"$SHA\""
    serve --if-exists=keep
    expect 0 'a=other a.~1~=hello a.~2~=hello' \
        "{\"ok\":true,\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":5,\"stored\":\"a.~2~\",\"durable\":true,\"sha256\":\"$SHA\"}"
}

# again_stored MORE: the same content without a digest to match is stored again.
again_stored() {
    local before

    echo -n hello >"$DIR/a"
    before=$(identity "$DIR/a")
    part $ID 0 hello
    asked a hello "$1"
    commit $ID a 5 "$1"
    serve
    [[ $RAW != *unchanged* && $(grep -c '"ok":true' "$T/out") == 3 ]] || fail "not stored"
    [[ $(identity "$DIR/a") != "$before" ]] || fail "not stored"
}

@test "the same content, no digest: stored again" { again_stored ''; }
@test "the same content, a digest that is only asked for: stored again" { again_stored ',"sha256":true'; }

@test "the same content, a wrong digest: mismatch, nothing is altered" {
    local before

    echo -n hello >"$DIR/a"
    before=$(identity "$DIR/a")
    asked a hello ",\"sha256\":\"$wrong\""
    serve
    expect 0 'a=hello' !put:mismatch:a
    [[ $(identity "$DIR/a") == "$before" ]]
}

@test "reject without a digest is refused although the content is the same" {
    echo -n hello >"$DIR/a"
    asked a hello ',"sha256":true'
    asked a hello
    serve --if-exists=reject
    expect 0 'a=hello' !put:exists:a !put:exists:a
}

@test "the body that might match must come whole: nothing is judged before" {
    sha256_of hello
    echo -n hello >"$DIR/a"
    frame "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":5,\"sha256\":\"$SHA\",\"reply\":true}" hell
    serve --if-exists=reject
    expect 65 'a=hello' !put:mismatch:a
}
