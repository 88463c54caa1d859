#!/usr/bin/env bats
# put-protocol(7), COMMANDS: commit, stat and abort of uploads by id, and the
# receipts that are kept. What is forgotten when is in forgotten.bats.

# shellcheck disable=SC2086 # ids are words

load lib/common
load lib/upload_common

stored_id='{"ok":false,"cmd":"put","error":"exists","retry":false,*,"state":"stored"}'
other_commit='{"ok":false,"cmd":"commit","error":"mismatch","retry":false,*'

# commit

@test "parts and their commit in one flight" {
    part $ID 0 hello
    part $ID 5 world
    commit $ID a 10
    serve
    expect 0 'a=helloworld' $ID@5 $ID@10 =a:10
    leaves 1
}

@test "a commit that nobody asked about" {
    silent_part $ID 0 hello
    frame "{\"cmd\":\"commit\",\"id\":\"$ID\",\"filename\":\"a\",\"size\":5}"
    serve
    expect 0 'a=hello'
    [[ -z $RAW ]]
}

@test "a commit on another connection" {
    upload $ID hello
    commit $ID a 5
    serve
    expect 0 'a=hello' =a:5
}

@test "a commit of 0 bytes" {
    part $ID 0 ''
    commit $ID a 0
    serve
    expect 0 'a=' $ID@0 =a:0
}

@test "a commit into a directory" {
    mkdir "$DIR/d"
    part $ID 0 hello
    commit $ID d/a 5
    serve
    expect 0 'd/ d/a=hello' $ID@5 =d/a:5
}

@test "a commit replaces a file as a whole" {
    echo -n old >"$DIR/a"
    ln "$DIR/a" "$T/old"
    part $ID 0 new
    commit $ID a 3
    serve
    expect 0 'a=new' $ID@3 =a:3
    [[ $(<"$T/old") == old ]]
}

@test "the mode is that of all files" {
    part $ID 0 hello
    commit $ID a 5
    serve
    [[ $(stat -c %a "$DIR/a") == 640 ]]
}

@test "the digest: right in either case, told in lower case" {
    sha256 < <(echo -n hello)
    part $ID 0 hello
    commit $ID a 5 ",\"sha256\":\"${SHA^^}\""
    serve
    expect 0 'a=hello' $ID@5 "{\"ok\":true,\"cmd\":\"commit\",\"filename\":\"a\",\"size\":5,\"stored\":\"a\",\"durable\":true,\"sha256\":\"$SHA\"}"
}

@test "the digest: told where it is only asked for" {
    sha256 < <(echo -n hello)
    part $ID 0 hello
    commit $ID a 5 ',"sha256":true'
    ask stat $ID
    serve
    expect 0 'a=hello' $ID@5 "{\"ok\":true,\"cmd\":\"commit\",\"filename\":\"a\",\"size\":5,\"stored\":\"a\",\"durable\":true,\"sha256\":\"$SHA\"}" \
        "{\"ok\":true,\"cmd\":\"stat\",\"state\":\"stored\",\"filename\":\"a\",\"size\":5,\"stored\":\"a\",\"durable\":true,\"sha256\":\"$SHA\"}"
}

@test "without --sync=full a commit is not durable, and says so" {
    part $ID 0 hello
    commit $ID a 5
    serve --sync=none
    expect 0 'a=hello' "{\"ok\":true,\"cmd\":\"put\",\"id\":\"$ID\",\"offset\":5,\"durable\":false}" \
        '{"ok":true,"cmd":"commit","filename":"a","size":5,"stored":"a","durable":false}'
}

# What is not right about it.

# wrong_size N: is told what is held, the upload stays.
wrong_size() {
    echo -n old >"$DIR/a"
    part $ID 0 hello
    commit $ID a "$1"
    ask stat $ID
    again
    expect 0 'a=old' $ID@5 !commit:mismatch:a@5 stat@5
    commit $ID a "$1"
    commit $ID a 5
    serve
    expect 0 'a=hello' !commit:mismatch:a@5 =a:5
}

@test "a size of one byte less" { wrong_size 4; }
@test "a size of one byte more" { wrong_size 6; }
@test "a size of 0" { wrong_size 0; }
@test "a size of 2^53-1" { wrong_size 9007199254740991; }

@test "a wrong size of an empty upload" {
    part $ID 0 ''
    commit $ID a 1
    serve
    expect 0 '' $ID@0 !commit:mismatch:a@0
}

@test "a wrong digest: nothing is published, the upload is forgotten" {
    echo -n old >"$DIR/a"
    part $ID 0 hello
    commit $ID a 5 ",\"sha256\":\"$(printf '%064d' 0)\""
    ask stat $ID
    commit $ID a 5
    part $ID 0 again
    commit $ID a 5
    serve
    expect 0 'a=again' $ID@5 !commit:mismatch:a !stat:unknown-id !commit:unknown-id:a $ID@5 =a:5
    leaves 1
}

@test "a wrong digest leaves nothing private" {
    part $ID 0 hello
    commit $ID a 5 ",\"sha256\":\"$(printf '%064d' 0)\""
    serve
    expect 0 '' $ID@5 !commit:mismatch:a
    leaves 0
}

@test "a wrong size and a wrong digest: the upload stays" {
    part $ID 0 hello
    commit $ID a 4 ",\"sha256\":\"$(printf '%064d' 0)\""
    ask stat $ID
    serve
    expect 0 '' $ID@5 !commit:mismatch:a@5 stat@5
}

@test "an id without any part" {
    commit $ID a 0
    serve
    expect 0 '' !commit:unknown-id:a
    leaves 0
}

# commit_refused ERROR NAME MORE [OPTION]...: the upload stays, and can be
# committed otherwise.
commit_refused() {
    list "$DIR"
    local before=$LISTING

    part $ID 0 hello
    commit $ID "$2" 5 "$3"
    ask stat $ID
    commit $ID zz 5
    serve "${@:4}"
    expect 0 "$before${before:+ }zz=hello" $ID@5 "!commit:$1" stat@5 =zz:5
}

@test "a name that is refused" { commit_refused bad-name ../a ''; }
@test "a name in .putd" { commit_refused bad-name .putd/a ''; }
@test "a directory that is not there" { commit_refused bad-name d/a ''; }
@test "a name with a control character" { commit_refused bad-name 'a\u0007' ''; }
@test "a name of 256 bytes" { commit_refused bad-name "$(printf '%0256d' 0)" ''; }
@test "a directory at the target" {
    mkdir "$DIR/d"
    commit_refused exists:d d ''
}

@test "a name that is taken, under reject" {
    echo -n old >"$DIR/a"
    commit_refused exists:a a ',"if_exists":"reject"'
}

@test "a name that is taken by other content, under reject with a digest" {
    sha256 < <(echo -n hello)
    echo -n old >"$DIR/a"
    commit_refused exists:a a ",\"if_exists\":\"reject\",\"sha256\":\"$SHA\""
}

@test "a looser policy than the server's" {
    commit_refused denied:a a ',"if_exists":"replace"' --if-exists=keep
}

@test "too large" {
    part $ID 0 hello
    part $ID 5 world
    commit $ID a 10
    serve --max-size=9
    expect 0 '' $ID@5 !put:too-large !commit:mismatch:a@5
}

@test "too large since the limit was lowered" {
    upload $ID helloworld
    commit $ID a 10
    again --max-size=9
    expect 0 '' !commit:too-large:a
    commit $ID a 10
    serve --max-size=10
    expect 0 'a=helloworld' =a:10
}

# A commit that failed is no commit: whatever becomes of the upload then.

failed_commit() {
    sha256 < <(echo -n hello)
    echo -n old >"$DIR/a"
    part $ID 0 hello
    commit $ID a 5 ",\"if_exists\":\"reject\",\"sha256\":\"$SHA\""
    again
    expect 0 'a=old' $ID@5 !commit:exists:a
}

@test "a failed commit, then abort: not stored" {
    failed_commit
    ask abort $ID
    ask stat $ID
    commit $ID a 5
    part $ID 0 more
    serve
    expect 0 'a=old' aborted !stat:unknown-id !commit:unknown-id:a $ID@4
}

@test "a failed commit, then a wrong digest: not stored" {
    failed_commit
    commit $ID a 5 ",\"sha256\":\"$(printf '%064d' 0)\""
    ask stat $ID
    serve
    expect 0 'a=old' !commit:mismatch:a !stat:unknown-id
}

@test "a failed commit, then the upload expires: not stored" {
    failed_commit
    aged '8 days'
    swept
    ask stat $ID
    serve
    expect 0 'a=old' !stat:unknown-id
}

@test "a failed commit, then its bytes expire, what else is kept of it does not" {
    failed_commit
    aged '8 days'
    # All that mentions the name is young.
    grep -lr '"a"' "$DIR/.putd" | xargs -r touch
    swept
    ask stat $ID
    serve
    expect 0 'a=old' !stat:unknown-id
}

@test "a failed commit, then the upload is forgotten for room: not stored" {
    failed_commit
    upload $OTHER "$(printf '%05000d' 0)" --max-partial=8K
    ask stat $ID
    ask stat $OTHER
    serve
    expect 0 'a=old' !stat:unknown-id stat@5000
}

@test "a failed commit with an old mtime does not make the upload old" {
    sha256 < <(echo -n hello)
    echo -n old >"$DIR/a"
    part $ID 0 hello
    commit $ID a 5 ",\"if_exists\":\"reject\",\"mtime\":1000,\"sha256\":\"$SHA\""
    again
    expect 0 'a=old' $ID@5 !commit:exists:a
    touch -d '2 hours ago' "$DIR/.putd/swept"
    swept
    ask stat $ID
    serve
    expect 0 'a=old' stat@5
}

# A commit again.

@test "repeated: the same receipt byte for byte, nothing is stored twice" {
    part $ID 0 hello
    commit $ID a 5
    again
    local first=${RECEIPTS[1]} before

    before=$(identity "$DIR/a")
    commit $ID a 5
    commit $ID a 5
    again
    expect 0 'a=hello' "$first" "$first"
    [[ ${RECEIPTS[0]} == "$first" && ${RECEIPTS[1]} == "$first" ]]
    [[ $(identity "$DIR/a") == "$before" ]] || fail "stored twice"
    leaves 1
}

@test "repeated: the same receipt also where it tells a digest, unchanged, another name" {
    sha256 < <(echo -n hello)
    echo -n hello >"$DIR/a"
    part $ID 0 hello
    commit $ID a 5 ",\"sha256\":\"$SHA\""
    commit $ID a 5 ",\"sha256\":\"$SHA\""
    part $OTHER 0 hello
    commit $OTHER a 5 ',"if_exists":"keep"'
    commit $OTHER a 5 ',"if_exists":"keep"'
    serve
    answered 0 $ID@5 '{"ok":true,"cmd":"commit",*,"unchanged":true}' '{"ok":true,"cmd":"commit",*' \
        $OTHER@5 =a:5:a.~1~ =a:5:a.~1~
    [[ ${RECEIPTS[1]} == "${RECEIPTS[2]}" && $LISTING == 'a=hello a.~1~=hello' ]]
}

@test "repeated: after the consumer has moved the file away" {
    part $ID 0 hello
    commit $ID a 5
    again
    mv "$DIR/a" "$T/a"
    commit $ID a 5
    ask stat $ID
    serve
    expect 0 '' =a:5 stat=a:5
}

@test "repeated: after the consumer has removed the directory" {
    mkdir "$DIR/d"
    part $ID 0 hello
    commit $ID d/a 5
    again
    rm -r "$DIR/d"
    commit $ID d/a 5
    serve --mkdirs
    expect 0 '' =d/a:5
}

# What a crash leaves behind the rename: the intent alone. The look at where the
# file went made the directory again, for nothing.
@test "repeated: a crash before the receipt, and the consumer has removed the directory" {
    mkdir -m 700 "$DIR/.putd"
    echo -n '{"done":false,"filename":"d/a","stored":"d/a","size":5,"unchanged":false}' \
        >"$DIR/.putd/$ID.done"
    commit $ID d/a 5
    commit $ID d/a 5
    serve --mkdirs
    expect 0 '' =d/a:5 =d/a:5
}

@test "repeated: after another file took the name" {
    part $ID 0 hello
    commit $ID a 5
    asked a other
    commit $ID a 5
    serve
    expect 0 'a=other' $ID@5 =a:5 +a:5 =a:5
}

@test "repeated: whatever the policy is now" {
    part $ID 0 hello
    commit $ID a 5
    again
    commit $ID a 5
    commit $ID a 5 ',"if_exists":"reject"'
    serve --if-exists=reject --max-size=1 --min-free=100%
    expect 0 'a=hello' =a:5 =a:5
}

@test "repeated with other values: not to be retried, nothing is stored" {
    local no

    no=$(printf '%064d' 0)
    sha256 < <(echo -n hello)
    part $ID 0 hello
    commit $ID a 5 ",\"sha256\":\"$SHA\""
    commit $ID b 5
    commit $ID a 4
    commit $ID a 5 ",\"sha256\":\"$no\""
    commit $ID a 5 ",\"sha256\":\"${SHA^^}\""
    commit $ID a 5
    serve
    expect 0 'a=hello' $ID@5 '{"ok":true,*' "$other_commit" "$other_commit" "$other_commit" \
        '{"ok":true,*' '{"ok":true,*'
}

@test "repeated with a digest where the first had none: both must give one to differ" {
    part $ID 0 hello
    commit $ID a 5
    commit $ID a 5 ",\"sha256\":\"$(printf '%064d' 0)\""
    serve
    expect 0 'a=hello' $ID@5 =a:5 =a:5
}

@test "a repeat counts, in end, as the commit that it answers" {
    part $ID 0 hello
    commit $ID a 5
    commit $ID a 5
    commit $ID b 5
    finish
    serve
    expect 0 'a=hello' $ID@5 =a:5 =a:5 "$other_commit" end:2:1:10
}

@test "end counts commits, and neither parts nor stat nor abort" {
    part $ID 0 hello
    part $ID 4 x
    ask stat $OTHER
    ask abort $OTHER
    commit $ID a 4
    commit $OTHER a 4
    silent_part $OTHER 7 x
    commit $ID ../a 5
    commit $ID a 5
    finish
    serve
    expect 0 'a=hello' $ID@5 !put:bad-offset@5 !stat:unknown-id aborted !commit:mismatch:a@5 \
        !commit:unknown-id:a !commit:bad-name =a:5 end:1:3:5
}

@test "end is ok after refused parts: a client that asks for where to go on has not failed" {
    silent_part $ID 7 x
    part $ID 0 hello
    commit $ID a 5
    finish
    serve
    expect 0 'a=hello' $ID@5 =a:5 end:1:0:5
}

# A stored id

@test "a part for a stored id: exists, with its state, its body skipped" {
    part $ID 0 hello
    commit $ID a 5
    part $ID 0 x
    part $ID 5 y
    part $ID 0 ''
    again
    expect 0 'a=hello' $ID@5 =a:5 "$stored_id" "$stored_id" "$stored_id"
    part $ID 5 z
    commit $ID a 5
    serve
    expect 0 'a=hello' "$stored_id" =a:5
    leaves 1
}

# stat

@test "stat: unknown, partial, stored" {
    ask stat $ID
    part $ID 0 ''
    ask stat $ID
    part $ID 0 hello
    ask stat $ID
    commit $ID a 5
    ask stat $ID
    again
    expect 0 'a=hello' !stat:unknown-id $ID@0 stat@0 $ID@5 stat@5 =a:5 stat=a:5
    ask stat $ID
    serve
    expect 0 'a=hello' stat=a:5
}

@test "stat: no receipt where none was asked" {
    frame "{\"cmd\":\"stat\",\"id\":\"$ID\"}"
    part $ID 0 x
    frame "{\"cmd\":\"stat\",\"id\":\"$ID\"}"
    frame "{\"cmd\":\"abort\",\"id\":\"$ID\"}"
    serve
    expect 0 '' $ID@1
}

@test "stat: the facts of the commit, kept name and all" {
    echo -n old >"$DIR/a"
    part $ID 0 hello
    commit $ID a 5 ',"if_exists":"keep"'
    ask stat $ID
    serve
    expect 0 'a=old a.~1~=hello' $ID@5 =a:5:a.~1~ \
        '{"ok":true,"cmd":"stat","state":"stored","filename":"a","size":5,"stored":"a.~1~","durable":true}'
}

# early ERROR MORE [OPTION]...: a commit with these keys would be refused, and
# so is stat, of an unknown id and of a partial one; then the file goes elsewhere.
early() {
    rm -rf "$DIR/.putd"
    upload $ID hello
    ask stat $OTHER "$2"
    ask stat $ID "$2"
    ask stat $ID
    ask stat $OTHER
    serve "${@:3}"
    answered 0 "!stat:$1" "!stat:$1" stat@5 !stat:unknown-id
}

# fine MORE [OPTION]...: it would not.
fine() {
    rm -rf "$DIR/.putd"
    upload $ID hello
    ask stat $OTHER "$1"
    ask stat $ID "$1"
    serve "${@:2}"
    answered 0 !stat:unknown-id stat@5
}

@test "stat early: a name that is refused" { early bad-name ',"filename":"../a","size":5'; }
@test "stat early: a name alone that is refused" { early bad-name ',"filename":"a\u0001"'; }
@test "stat early: a hidden name" { early bad-name ',"filename":".a","size":5'; }
@test "stat early: a directory that is not there" { early bad-name ',"filename":"d/a","size":5'; }
@test "stat early: a hidden name where it is allowed" { fine ',"filename":".a","size":5' --allow-hidden; }
@test "stat early: a directory that would be made is not made" {
    fine ',"filename":"d/e/a","size":5' --mkdirs
    [[ -z $LISTING ]] || fail "something is reserved"
}

@test "stat early: a name below a file, where directories are made" {
    echo -n file >"$DIR/d"
    early bad-name ',"filename":"d/e/a","size":5' --mkdirs
}

@test "stat early: a directory at the target" {
    mkdir "$DIR/d"
    early exists ',"filename":"d","size":5'
}

@test "stat early: taken, under the client's reject" {
    echo -n old >"$DIR/a"
    early exists ',"filename":"a","size":5,"if_exists":"reject"'
}

@test "stat early: taken, under the server's reject" {
    echo -n old >"$DIR/a"
    early exists ',"filename":"a","size":5' --if-exists=reject
}

@test "stat early: taken, under replace" {
    echo -n old >"$DIR/a"
    fine ',"filename":"a","size":5'
}

@test "stat early: taken, under keep" {
    echo -n old >"$DIR/a"
    fine ',"filename":"a","size":5,"if_exists":"keep"'
}

@test "stat early: taken, under keep, and no number fits" {
    local name

    name=$(printf '%0252d' 0)
    echo -n old >"$DIR/$name"
    early bad-name ",\"filename\":\"$name\",\"size\":5,\"if_exists\":\"keep\""
    name=${name%?}
    echo -n old >"$DIR/$name"
    fine ",\"filename\":\"$name\",\"size\":5,\"if_exists\":\"keep\""
}

@test "stat early: free, under keep, and no number would fit" {
    fine ",\"filename\":\"$(printf '%0255d' 0)\",\"size\":5" --if-exists=keep
}

@test "stat early: taken, under keep, and so are all numbers" {
    "$PYTHON" - "$DIR" <<'PY'
import os, sys

for name in ["a"] + ["a.~%d~" % n for n in range(1, 10001)]:
    os.close(os.open(os.path.join(sys.argv[1], name), os.O_CREAT | os.O_WRONLY))
PY
    list() { LISTING=''; }
    early exists ',"filename":"a","size":5' --if-exists=keep
}

@test "stat early: free, under reject" { fine ',"filename":"a","size":5,"if_exists":"reject"'; }
@test "stat early: too large" { early too-large ',"filename":"a","size":11' --max-size=10; }
@test "stat early: too large, the size alone" { early too-large ',"size":11' --max-size=10; }
@test "stat early: just not too large" { fine ',"filename":"a","size":10' --max-size=10; }
@test "stat early: no space" { early no-space ',"filename":"a","size":9007199254740991'; }
@test "stat early: no space, the size alone" { early no-space ',"size":9007199254740991'; }
@test "stat early: denied, a looser policy" {
    early denied ',"filename":"a","size":5,"if_exists":"replace"' --if-exists=reject
}

@test "stat early: denied, the policy alone" { early denied ',"if_exists":"keep"' --if-exists=reject; }
# owner_only: putd may do what the owner of its files may, root or not.
owner_only() {
    [[ $EUID == 0 ]] || return 0
    need_tool setpriv
    printf '#!/bin/sh\nexec setpriv --bounding-set=-all %q "$@"\n' "$PUTD" >"$T/owner"
    chmod +x "$T/owner"
    PUTD=$T/owner
}

@test "stat early: denied, a directory that may not be written to" {
    owner_only
    mkdir "$DIR/d"
    echo -n old >"$DIR/d/a"
    chmod 555 "$DIR/d"
    early denied ',"filename":"d/a","size":5'
    early denied ',"filename":"d/b"'
    : >"$IN"
    commit $ID d/a 5
    serve
    answered 0 !commit:denied:d/a
    chmod 755 "$DIR/d"
    fine ',"filename":"d/a","size":5'
}

@test "stat early: denied, where a directory may not be made" {
    owner_only
    mkdir "$DIR/d"
    chmod 555 "$DIR/d"
    early denied ',"filename":"d/e/f/a","size":5' --mkdirs
    : >"$IN"
    commit $ID d/e/f/a 5
    serve --mkdirs
    answered 0 !commit:denied:d/e/f/a
}

@test "stat early: the policy alone, not looser" { fine ',"if_exists":"reject"' --if-exists=keep; }
@test "stat early: a size smaller than what is held is no matter of it" { fine ',"filename":"a","size":1'; }

@test "stat without such keys is told what is held, however full the disk" {
    upload $ID hello
    ask stat $ID
    ask stat $OTHER
    serve --min-free=100%
    expect 0 '' stat@5 !stat:unknown-id
}

@test "stat of a stored id tells the facts whatever else it carries" {
    part $ID 0 hello
    commit $ID a 5
    ask stat $ID ',"filename":"../b","size":7,"if_exists":"replace"'
    serve --if-exists=keep --max-size=6
    expect 0 'a=hello' $ID@5 =a:5 stat=a:5
}

@test "stat reserves nothing" {
    ask stat $ID ',"filename":"a","size":5'
    serve
    expect 0 '' !stat:unknown-id
    leaves 0
}

# abort

@test "abort: of an unknown id, of a partial one, twice" {
    ask abort $ID
    part $ID 0 hello
    ask abort $ID
    ask abort $ID
    ask stat $ID
    commit $ID a 5
    serve
    expect 0 '' aborted $ID@5 aborted aborted !stat:unknown-id !commit:unknown-id:a
    leaves 0
}

@test "abort: on another connection" {
    upload $ID hello
    ask abort $ID
    part $ID 0 x
    serve
    expect 0 '' aborted $ID@1
}

@test "abort: touches neither a published file nor a kept receipt" {
    part $ID 0 hello
    commit $ID a 5
    again
    local before

    before=$(identity "$DIR/a")
    ask abort $ID
    commit $ID a 5
    ask stat $ID
    part $ID 0 x
    serve
    expect 0 'a=hello' aborted =a:5 stat=a:5 "$stored_id"
    [[ $(identity "$DIR/a") == "$before" ]]
}

# Bodies of commands that have no use for one.

@test "bodies of commit, stat and abort are skipped" {
    local -i i

    part $ID 0 hello
    for cmd in stat commit commit stat abort; do
        frame "{\"cmd\":\"$cmd\",\"id\":\"$ID\",\"filename\":\"a\",\"size\":5,\"filesize\":7,\"reply\":true}" garbage
    done
    asked zz 2
    serve
    expect 0 'a=hello zz=2' $ID@5 stat@5 =a:5 =a:5 stat=a:5 aborted +zz:1
}

# cut_body COMMAND ERROR: its body ends too early, so it is not carried out.
cut_body() {
    part $ID 0 hello
    frame "{\"cmd\":\"$1\",\"id\":\"$ID\",\"filename\":\"a\",\"size\":5,\"filesize\":7,\"reply\":true}" gar
    serve
    expect 65 '' $ID@5 "!$1:$2"
    : >"$IN"
    ask stat $ID
    serve
    expect 0 '' stat@5
}

@test "a cut body of commit: nothing is committed" { cut_body commit mismatch:a; }
@test "a cut body of stat" { cut_body stat mismatch; }
@test "a cut body of abort: nothing is forgotten" { cut_body abort mismatch; }

@test "a body of commit that is longer than the buffer, and looks like frames" {
    part $ID 0 hello
    for ((i = 0; i < 400; i++)); do plain "f$i" "$(printf '%04000d' 0)"; done
    tail -c 1200000 "$IN" >"$T/garbage"
    : >"$IN"
    part $ID 0 hello
    frame "{\"cmd\":\"commit\",\"id\":\"$ID\",\"filename\":\"a\",\"size\":5,\"filesize\":1200000,\"reply\":true}"
    cat "$T/garbage" >>"$IN"
    ask stat $ID
    serve
    expect 0 'a=hello' $ID@5 =a:5 stat=a:5
}

@test "the stream ends in the body of a commit: nothing is published" {
    part $ID 0 hello
    frame "{\"cmd\":\"commit\",\"id\":\"$ID\",\"filename\":\"a\",\"size\":5,\"filesize\":7,\"reply\":true}" gar
    again
    expect 65 '' $ID@5 !commit:mismatch:a
    ask stat $ID
    serve
    expect 0 '' stat@5
}

@test "the stream ends in the header of a commit: nothing is published" {
    part $ID 0 hello
    length 90
    text "{\"cmd\":\"commit\",\"id\":\"$ID\",\"filename\":\"a\",\"size\":5"
    again
    expect 65 '' $ID@5 !bad-frame
    ask stat $ID
    serve
    expect 0 '' stat@5
}
