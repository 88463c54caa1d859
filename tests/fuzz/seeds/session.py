#!/usr/bin/env python3
"""session.py write DIRECTORY | session.py check HARNESS
What a session must at least have been through, rule by rule of put-protocol(7): the
seeds of the session fuzzer, which no minimising takes away. `write` makes its inputs
of them; `check` runs them and compares the receipts with the words that stand here,
so that a seed still says what it means after a change of the grammar."""
import json
import os
import subprocess
import sys
import tempfile

from grammar import (BAD_HEADER, BROKEN, ENDINGS, IF_EXISTS, NAMES, NO_PROXIES, REFUSED,
                     REPLY_OF_NUMBER, TIMES, UNKNOWN_CMD, UNSUPPORTED, PAUSE, Connection, Session,
                     abort, broken, commit, cut, cut_before_body, end, hello, part, put, refused,
                     stat)

SEEDS = {}


def seed(name, *connections, **server):
    assert name not in SEEDS, name
    SEEDS[name] = Session(*connections, **server)


def one(name, *frames, **server):
    seed(name, Connection(*frames), **server)


def limits():
    one("max_size", put("a", 40), put("b", 41, "too-large"), end("1/1/40"), max_size=40)
    one("max_size of parts", part(0, 39, "ok@39"), part(0, 1, "ok@40"),
        part(0, 1, "too-large"), commit(0, "a"), end("1/0/40"), max_size=40)
    one("max_size of a first part", part(0, 41, "too-large"), stat(0, "unknown-id"),
        end("0/0/0"), max_size=40)
    one("max_size asked before", part(0, 40, "ok@40"), stat(0, "ok@40 partial", size="right"),
        stat(0, "ok@40 partial", size=39), stat(0, "too-large", size=41),
        stat(1, "unknown-id", size=39), stat(1, "too-large", size=41), max_size=40)
    one("max_size of 700", put("a", 700), part(0, 700, "ok@700"), part(0, 1, "too-large"),
        hello(), end("1/0/700"), max_size=700)
    one("max_size of a megabyte", part(0, 1 << 20, "ok@1048576"), part(0, 1, "too-large"),
        stat(0, "too-large", size=1 << 24), commit(0, "a"), end("1/0/1048576"),
        max_size=1 << 20)
    seed("max_session", Connection(put("a", 50), put("b", 50), end("2/0/100")),
         Connection(put("a", 50), put("b", 51, "too-large"), over=True),
         Connection(hello(), put("b", 50, reply=False), put("a", 51, reply=False),
                    last="last too-large", over=True), max_session=True)
    seed("max_session of what is refused",
         Connection(put("", 50, "bad-name"), stat(0, "unknown-id", body=50), put("a", 0),
                    refused(UNKNOWN_CMD, None, 1, reply=False), last="last too-large",
                    over=True),
         Connection(part(0, 63, "ok@63"), refused(UNKNOWN_CMD, "too-large", 63), over=True),
         Connection(put("b", 64, reply=False), put("b", 64, reply=False), over=True),
         max_session=True)
    one("no room for partials", part(0, 0, "ok@0"), part(0, 1, "no-space"),
        part(1, 1, "no-space"), stat(0, "ok@0 partial"), stat(1, "unknown-id"),
        commit(0, "a"), end("1/0/0"), partials=False)
    one("a full disk", put("a", 1, "no-space"), put("b", 0), part(0, 1, "no-space"),
        part(0, 0, "ok@0"), stat(0, "no-space", size=39), stat(0, "ok@0 partial", size=0),
        commit(0, "a", "mismatch@0", size=39), commit(0, "a"), end("2/2/0"), full=True)
    seed("a disk that is full later", Connection(part(0, 39, "ok@39"), put("a", 1)),
         Connection(stat(0, "ok@39 partial", size="right"), stat(0, "ok@39 partial", size=0),
                    stat(0, "ok@39 partial", "b", 39), stat(0, "no-space", size=41),
                    stat(1, "no-space", size=39), part(0, 1, "no-space"), put("a", 1, "no-space"),
                    commit(0, "b"), end("1/1/39")), fills=True)
    one("the name before the size", put("", 41, "bad-name"), put("d", 41, "exists"),
        put("a", 41, "denied", if_exists="replace"), put("d/e/z", 41, "bad-name"),
        put("d/x", 41, "too-large"), stat(0, "exists", "d", 41),
        stat(0, "bad-name", "/a", 41), stat(0, "denied", "/a", 41, "replace"),
        end("0/5/0"), there=1, max_size=40, policy="keep")


def repeats():
    """A commit that succeeded, again: with every other key changed."""
    again = [commit(0, "a"), commit(0, "a", digest="tell"), commit(0, "a", digest="right"),
             commit(0, "a", digest="upper"), commit(0, "a", if_exists="reject"),
             commit(0, "a", mtime="0")]
    others = [commit(0, "b", "mismatch"), commit(0, "", "mismatch"),
              commit(0, "a", "mismatch", size=39), commit(0, "a", "mismatch", size=41),
              commit(0, "a", "mismatch", size=0)]
    wrong = commit(0, "a", "mismatch", digest="wrong")
    first = [part(0, 40, "ok@40"), commit(0, "a", digest="right", mtime="1234567890.25")]
    seed("a repeat", Connection(*first, *again, end("7/0/280")),
         Connection(*again, end("6/0/240")))
    seed("a repeat with another", Connection(*first, *others, wrong, end("1/6/40")),
         Connection(*others, commit(0, "a"), wrong, end("1/6/40")))
    seed("a repeat with a digest, of one without",
         Connection(first[0], commit(0, "a"), commit(0, "a", digest="wrong"), end("2/0/80")),
         Connection(commit(0, "a", digest="right", reply=False), end("1/0/40")))
    seed("a repeat with a digest, of one that asked for it",
         Connection(first[0], commit(0, "a", digest="tell"), wrong, end("1/1/40")),
         Connection(wrong, stat(0, "ok stored"), commit(0, "a", digest="right"), end("1/1/40")))
    seed("a repeat stores nothing twice", Connection(*first, put("a", 5, start=1), end("2/0/45")),
         Connection(commit(0, "a"), put("a", 5, "exists", if_exists="reject"), end("1/1/40")))
    seed("a repeat of one that got a number",
         Connection(put("a", 5), end("1/0/5")),
         Connection(first[0], commit(0, "a", "ok as a.~1~"), commit(0, "a", "ok as a.~1~"),
                    stat(0, "ok as a.~1~ stored"), commit(0, "a.~1~", "mismatch"),
                    end("2/1/80")), policy="keep")
    seed("stored", Connection(*first, part(0, 1, "exists stored"),
                              part(0, 0, "exists stored", "0"), stat(0, "ok stored"),
                              stat(0, "ok stored", "", 41, "replace"), abort(0),
                              stat(0, "ok stored"), end("1/0/40")),
         Connection(part(0, 1, "exists stored"), abort(0), commit(0, "a"), end("1/0/40")),
         policy="reject")


def ends():
    """What `end` counts, behind every refusal and asked or not."""
    for reply in (True, False):
        asks = {"reply": reply}
        how = "" if reply else ", not asked"
        seed("end behind a put that is refused" + how,
             Connection(put("a", 5, **asks), end("1/0/5")),
             Connection(put("", 5, "bad-name", **asks), put("d", 5, "exists", **asks),
                        put("b", 5, "mismatch", digest="wrong", **asks),
                        put("n/m/o", 5, "bad-name", **asks), put("b", 7, **asks),
                        end("1/4/7")),
             Connection(put("d", 5, "exists", if_exists="reject", **asks),
                        put("a", 5, "exists", if_exists="reject", **asks),
                        put("a", 5, "exists", if_exists="reject", digest="right", start=1,
                            **asks),
                        put("component 252", 5, if_exists="keep", then=PAUSE, **asks),
                        put("component 252", 5, "bad-name", if_exists="keep", **asks),
                        end("1/4/5")), there=1)
        one("end behind a put of a directory" + how, put("d", 5, "exists", **asks), end("0/1/0"),
            there=1)
        seed("end behind a put that settles as taken" + how,
             Connection(put("a", 5, **asks)),
             Connection(put("a", 5, "exists", if_exists="reject", digest="right", start=1,
                            **asks), end("0/1/0")))
        one("end behind a commit that is refused" + how,
            commit(0, "a", "unknown-id", **asks), part(0, 5, "ok@5", **asks),
            commit(0, "a", "mismatch@5", size=39, **asks), commit(0, "", "bad-name", **asks),
            commit(0, "d", "exists", **asks), commit(0, "n/m/o", "bad-name", **asks),
            commit(0, "a", "mismatch", digest="wrong", **asks),
            commit(0, "a", "unknown-id", **asks), end("0/7/0"), there=1)
        one("end behind what is denied" + how, put("a", 5, "denied", if_exists="keep", **asks),
            part(0, 5, "ok@5", **asks), commit(0, "a", "denied", if_exists="replace", **asks),
            commit(0, "a", **asks), commit(0, "a", "mismatch", size=39, **asks),
            commit(0, "a", **asks), end("2/3/10"), policy="reject")
        one("end behind what is not understood" + how,
            refused(UNKNOWN_CMD, "unknown-cmd", 5, **asks), put("a", 5, **asks),
            refused(BAD_HEADER, "bad-header", 5, **asks),
            refused(UNSUPPORTED, "unsupported", 5, **asks), end("1/3/5"))
        one("end does not count" + how, part(0, 5, "bad-offset@0", "one more", **asks),
            stat(0, "unknown-id", **asks), stat(0, "bad-name", "", **asks),
            stat(0, "exists", "d", **asks), abort(0, **asks), hello(**asks),
            part(0, 41, "too-large", **asks), part(0, 40, "ok@40", **asks),
            part(0, 1, "too-large", **asks), end("0/0/0"), max_size=40, there=1)
    one("end without a receipt", put("a", 5), end(None, reply=False))
    one("end with a body", put("a", 5), end("1/0/5", body=9))
    seed("end of each connection", Connection(put("a", 5), put("", 5, "bad-name"), end("1/1/5")),
         Connection(end("0/0/0")), Connection(put("b", 3), end("1/0/3")))


def locks():
    held = part(0, 5, "ok@5")
    seed("busy", Connection(held),
         Connection(part(0, 5, "busy"), stat(0, "busy"), abort(0, "busy"), commit(0, "a", "busy"),
                    part(0, 5, "busy", "0"), commit(0, "", "busy", reply=False),
                    part(1, 5, "ok@5"), end("0/2/0"), locked=0),
         Connection(stat(0, "ok@5 partial"), commit(0, "a"), end("1/0/5")))
    seed("busy, body cut", Connection(held),
         Connection(part(0, 5, "busy", then=cut("ends")), locked=0), Connection(abort(0)))


def rank(policy):
    return IF_EXISTS.index(policy)


def taken(server, asked, target, is_directory=False):
    """The word for a name that is taken."""
    policy = asked or server
    if rank(policy) < rank(server):
        return "denied"
    if is_directory or policy == "reject":
        return "exists"
    return "ok as " + target + ".~1~" if policy == "keep" else "ok"


def policies():
    """Each policy of the server and of the frame, at each sort of target."""
    for server in IF_EXISTS[1:]:
        for asked in IF_EXISTS:
            name = f"{server} by the server, {asked} by the frame"
            free = "denied" if asked and rank(asked) < rank(server) else "ok"
            words = {n: taken(server, asked, n, n == "d") for n in ("a", "d", "s", "t", "p")}
            there = Connection(put("a", 5))
            seed("put: " + name, there,
                 Connection(put("b", 3, free, if_exists=asked),
                            *[put(n, 3, words[n], if_exists=asked) for n in words]),
                 Connection(put("a", 3, taken(server, asked, "a") if words["a"] != "ok as a.~1~"
                                else "ok as a.~2~", if_exists=asked, start=2)),
                 policy=server, there=7)
            early = {n: w if w in ("denied", "exists") else "unknown-id"
                     for n, w in words.items()}
            seed("commit: " + name, there,
                 Connection(*[part(i, 3, "ok@3") for i in range(3)],
                            *[commit(i, n, words[n], if_exists=asked)
                              for i, n in enumerate(("a", "d", "s"))]), policy=server, there=7)
            seed("commit, more: " + name, there,
                 Connection(*[part(i, 3, "ok@3") for i in range(3)],
                            commit(0, "b", free, if_exists=asked),
                            *[commit(i + 1, n, words[n], if_exists=asked)
                              for i, n in enumerate(("t", "p"))]), policy=server, there=7)
            seed("stat: " + name, there,
                 Connection(*[stat(0, early[n], n, if_exists=asked) for n in early],
                            stat(0, "denied" if free == "denied" else "unknown-id", "b",
                                 if_exists=asked)), policy=server, there=7)


def digests():
    for server in IF_EXISTS[1:]:
        other = taken(server, None, "a")
        seed("digests under " + server,
             Connection(put("a", 40, digest="tell"), put("b", 40, digest="upper"),
                        put("d", 40, "exists", digest="right"),
                        put("n", 40, "mismatch", digest="wrong")),
             Connection(put("a", 40, "ok unchanged", digest="right", mtime="0"),
                        put("a", 40, "ok unchanged", digest="upper", if_exists="reject"),
                        put("s", 40, taken(server, None, "s"), digest="right"),
                        put("u", 40, taken(server, None, "u"), digest="right"),
                        end({"reject": "2/2/80"}.get(server, "4/0/160"))),
             Connection(put("a", 40, "mismatch", digest="wrong"),
                        put("a", 40, other, digest="right", start=1)), there=3, policy=server)
        seed("digests of commits under " + server, Connection(put("a", 40)),
             Connection(part(0, 40, "ok@40"), commit(0, "a", "ok unchanged", digest="right"),
                        commit(0, "a", "ok unchanged"), stat(0, "ok stored unchanged"),
                        part(1, 40, "ok@40", start=1),
                        commit(1, "a", taken(server, None, "a"), digest="upper")),
             Connection(part(2, 40, "ok@40"), commit(2, "n", "mismatch", digest="wrong"),
                        stat(2, "unknown-id"), part(2, 5, "ok@5"),
                        commit(2, "n", digest="tell")), policy=server)
    seed("the same again without a digest", Connection(put("a", 40), put("b", 0)),
         Connection(put("a", 40, "ok as a.~1~"), put("b", 0, "ok unchanged", digest="right")),
         Connection(put("a", 39, "ok as a.~2~"), put("a.~1~", 40, "ok unchanged",
                                                     digest="right")), policy="keep")


HIDDEN = (".h", "d/.h", "d/.putd")
ORDER = [n for n in NAMES if n != "s"] + ["s"]  # what is below a link, before it is none


def name_word(name, hidden, mkdirs):
    """In the order of ORDER, where d, s and t are there."""
    if NAMES.index("") <= NAMES.index(name) < NAMES.index("u") or name in ("d/x/y", "s/x"):
        return "bad-name"
    if name in HIDDEN and not hidden or name in ("d/e/z", "n/m/o", "name 4095") and not mkdirs:
        return "bad-name"
    return "exists" if name == "d" or name == "n" and mkdirs else "ok"


def names():
    for hidden in (False, True):
        for mkdirs in (False, True):
            words = [(n, name_word(n, hidden, mkdirs)) for n in ORDER]
            how = f"hidden {hidden}, mkdirs {mkdirs}"
            server = {"there": 3, "hidden": hidden, "mkdirs": mkdirs}
            seed("names, " + how, *[Connection(*[put(n, 1, w) for n, w in words[i:i + 10]])
                                    for i in (0, 10, 20)], **server)
            fine = {"ok": "unknown-id"}
            # Nothing is made by asking: what d/x and n are in the way of is not.
            asked = [(n, fine.get(w, w)) for n, w in words if n not in ("d/x/y", "n")]
            seed("names asked before, " + how,
                 *[Connection(*[stat(0, w, n) for n, w in asked[i:i + 12]])
                   for i in (0, 12, 24)], **server)
    seed("names, the last", Connection(*[put(n, 1, name_word(n, True, True))
                                         for n in ORDER[30:]]), there=3, hidden=True, mkdirs=True)
    seed("numbers", Connection(put("a", 1)),
         Connection(put("a", 2, "ok as a.~1~", then=PAUSE), put("a", 3, "ok as a.~2~", then=PAUSE),
                    put("a.~1~", 4, "ok as a.~1~.~1~", then=PAUSE), put("a", 5, "ok as a.~3~")),
         Connection(put("component 252", 1), put("component 255", 1),
                    put("component 252", 1, "bad-name"), put("component 255", 1, "bad-name"),
                    put("name 4095", 1, "bad-name"), put("a", 6, "ok as a.~4~")), policy="keep")
    one("stat sees that no number fits", put("component 252", 5, then=PAUSE),
        stat(0, "bad-name", "component 252", if_exists="keep"),
        stat(0, "unknown-id", "component 252"),
        stat(0, "unknown-id", "component 255", if_exists="keep"), end("1/0/5"))
    seed("numbers below", Connection(put("d/x", 1), part(0, 2, "ok@2"), part(1, 3, "ok@3")),
         Connection(put("d/x", 2, "ok as d/x.~1~"), commit(0, "d/x", "ok as d/x.~2~"),
                    commit(1, "d/x", "ok as d/x.~3~"), commit(0, "d/x", "ok as d/x.~2~")),
         there=1, policy="keep")
    one("directories are made", put("d/e/z", 1), put("n/m/o", 2), put("name 4095", 1),
        put("d/x", 5), put("d/x/y", 1, "bad-name"), put("d/.putd", 3, "bad-name"),
        end("4/2/9"), mkdirs=True)
    seed("committed names", Connection(part(0, 1, "ok@1"), part(1, 2, "ok@2"),
                                       commit(0, "n/m/o"), commit(1, "s/x", "bad-name"),
                                       commit(1, "turned")), there=2, mkdirs=True)


def times():
    one("times", *[put(NAMES[i], 5, mtime=t) for i, t in enumerate(TIMES)])
    one("times of commits", *[f for i in range(3) for f in
                              (part(i, 5, "ok@5"), commit(i, NAMES[i], mtime=TIMES[2 * i]))],
        mode=0o604)
    seed("a time is the new file's", Connection(put("a", 5, mtime="0"), put("b", 5, mtime="1e3")),
         Connection(put("a", 5, digest="right", says="ok unchanged", mtime="1e3"),
                    put("b", 6, mtime="1234567890")), durable=False)


def parts():
    seed("offsets", Connection(part(0, 5, "bad-offset@0", "one more"), part(0, 5, "ok@5", "0"),
                               part(0, 5, "bad-offset@5", "0"), part(0, 5, "ok@10", start=1),
                               part(0, 5, "bad-offset@10", "one more"), part(0, 0, "ok@10"),
                               stat(0, "ok@10 partial"), stat(1, "unknown-id")),
         Connection(part(0, 1, "ok@11"), part(1, 0, "ok@0"), commit(1, "b"),
                    commit(0, "a", "mismatch@11", size=39), stat(0, "ok@11 partial"),
                    commit(0, "a"), end("2/1/11")))
    seed("abort", Connection(part(0, 5, "ok@5"), abort(1), abort(0), stat(0, "unknown-id"),
                             commit(0, "a", "unknown-id"), part(0, 5, "bad-offset@0", "one more"),
                             part(0, 3, "ok@3"), end("0/1/0")),
         Connection(stat(0, "ok@3 partial"), abort(0)), Connection(stat(0, "unknown-id")))
    seed("a refusal leaves the partial file",
         Connection(part(0, 5, "ok@5"), commit(0, "d", "exists"), stat(0, "ok@5 partial"),
                    commit(0, "", "bad-name"), commit(0, "a", "mismatch@5", size=0),
                    part(0, 5, "ok@10")),
         Connection(stat(0, "ok@10 partial"), commit(0, "a"), end("1/0/10")), there=1)
    one("uploads by turns", part(0, 5, "ok@5"), part(1, 6, "ok@6"), part(0, 5, "ok@10"),
        part(2, 7, "ok@7", reply=False), part(1, 1, "ok@7", then=PAUSE), commit(0, "a"),
        stat(2, "ok@7 partial"), commit(1, "b"), commit(2, "n"), end("3/0/24"))
    seed("large parts", Connection(part(0, 4096, "ok@4096"), part(0, 5, "ok@4101")),
         Connection(part(0, 65536, "ok@69637")),
         Connection(commit(0, "a", digest="tell"), end("1/0/69637")))
    for ending in ("ends", "reset", "stalls"):
        seed(f"{ending} inside a large part",
             Connection(part(0, 1 << 20, INSIDE[ending], then=cut(ending))),
             Connection(stat(0, "ok@1044479 partial"), part(0, 5, "ok@1044484")))
    one("a large file", put("a", 1 << 20, digest="right"), put("b", 1), end("2/0/1048577"))


INSIDE = {"ends": "mismatch", "reset": "mismatch", "stalls": "timeout", "terminated": None,
          "fails": "last io"}
LAST = {"ends": "last bad-frame", "reset": "last bad-frame", "stalls": "last timeout",
        "terminated": None, "fails": "last io"}


def endings():
    for ending in ENDINGS:
        ask = hello()
        last = INSIDE[ending] and "last " + INSIDE[ending].removeprefix("last ")
        skipped = last if ending in ("stalls", "fails") else None
        seed(f"{ending} inside a body", Connection(put("a", 50, then=cut(ending),
                                                      says=INSIDE[ending])),
             Connection(ask, put("a", 50, reply=False, then=cut_before_body(ending)), last=last),
             Connection(put("a", 50, reply=False, then=cut(ending))))
        seed(f"{ending} inside a part", Connection(part(0, 50, INSIDE[ending], then=cut(ending))),
             Connection(ask, part(1, 50, reply=False, then=cut_before_body(ending)), last=last),
             Connection(stat(0, "ok@49 partial"), stat(1, "ok@0 partial"), commit(0, "a")))
        seed(f"{ending} inside a body that has no use",
             Connection(part(0, 5, "ok@5"), commit(0, "a", INSIDE[ending], body=50,
                                                   then=cut(ending))),
             Connection(ask, abort(0, reply=False, body=50, then=cut(ending)), last=last),
             Connection(stat(0, "ok@5 partial"), end(INSIDE[ending], body=50, then=cut(ending))))
        seed(f"{ending} inside what is refused",
             Connection(put("", 50, "bad-name", then=cut(ending))),
             Connection(ask, put("", 50, reply=False, then=cut(ending)), last=skipped),
             Connection(refused(UNKNOWN_CMD, "unknown-cmd", 50, then=cut_before_body(ending))))
        seed(f"{ending} inside a header",
             Connection(ask, put("a", 5, reply=False, then=cut(ending, 100)), last=LAST[ending]),
             Connection(put("a", 5, reply=False), put("b", 5, reply=False, then=cut(ending, 2))),
             Connection(ask, hello(None, reply=False, then=cut(ending, 250)), last=LAST[ending]))
        seed(f"{ending} between frames",
             Connection(put("a", 5), part(0, 5, "ok@5"), ending=ending,
                        last="last io" if ending == "fails" else None),
             Connection(put("b", 5, reply=False), ending=ending),
             Connection(stat(0, "ok@5 partial"), stat(1, "unknown-id", then=PAUSE), ending=ending,
                        last="last io" if ending == "fails" else None), timeout=True)


def frames():
    three = [list(BROKEN)[i:i + 3] for i in range(0, len(BROKEN), 3)]
    for group in three:
        seed(f"broken {group[0]}", *[Connection(put("a", 5), broken(row), last="last bad-frame")
                                     for row in group])
    seed("broken, and nobody asked", Connection(broken(0)), Connection(broken(5)),
         Connection(put("a", 5, reply=False), broken(30)))
    rows = [(row, word if row != REPLY_OF_NUMBER else None) for row, word in REFUSED.items()]
    seed("refused", *[Connection(*[refused(row, word, 1 + row) for row, word in rows[i:i + 8]],
                                 end(f"0/{len(rows[i:i + 8])}/0"))
                      for i in (0, 8, 16)])
    seed("refused, more", *[Connection(*[refused(row, word, 1 + row)
                                         for row, word in rows[i:i + 8]],
                                       end(f"0/{len(rows[i:i + 8])}/0"))
                            for i in range(24, len(rows), 8)])
    seed("refused, not asked", *[Connection(*[refused(row, None, reply=False)
                                              for row, _ in rows[i:i + 8]],
                                            end(f"0/{len(rows[i:i + 8])}/0"))
                                 for i in (0, 8, 16)])
    seed("the longest header", Connection(put("a", 5, style=15, reply=False), hello(),
                                          stat(0, "unknown-id"), end("1/0/5")),
         Connection(end(None, reply=False, style=15, body=1)))
    seed("a length of 1 is judged at once",
         Connection(hello(), broken(1, then=cut("stalls")), last="last bad-frame"))
    one("keys that nobody knows", put("a", 5, style=8), put("b", 5, style=10),
        part(0, 5, "ok@5", style=8), commit(0, "n", style=8), hello(style=12, body=3),
        put("three", 5, reply=False, style=15), stat(0, "ok stored", style=8), abort(0, style=8),
        end("4/0/20", style=8))
    one("bodies that have no use", stat(0, "unknown-id", body=7), abort(0, body=7),
        hello(body=7), part(0, 5, "ok@5"), commit(0, "a", body=63), put("b", 5),
        end("2/0/10", body=700))
    seed("the order of receipts", Connection(put("a", 5), hello(), put("b", 5),
                                             put("", 5, "bad-name"), put("n", 5),
                                             part(0, 5, "ok@5"), put("three", 5),
                                             stat(0, "ok@5 partial"), put("quoted", 5),
                                             abort(0), put("turned", 5),
                                             refused(UNKNOWN_CMD, "unknown-cmd"), end("6/2/30")))
    for policy in IF_EXISTS[1:]:
        one("hello under " + policy, hello(), policy=policy, mkdirs=policy == "keep",
            hidden=policy != "keep", durable=policy == "reject", max_size=40,
            max_session=policy == "replace")


def peers():
    some = [put("a", 5), put("b", 5), hello(), end("2/0/10")]
    for proxy in ("tcp4", "unknown", "tcp6"):
        seed("proxy " + proxy, Connection(*some, proxy=proxy))
    for proxy in NO_PROXIES:
        seed("no proxy, " + proxy, Connection(proxy=proxy), Connection(hello()))
    for size, takes in ((0, 0), (1, 2), (100, 2), (300, 3), (1000, 4)):
        seed(f"a peer that reads {size}", Connection(*some, reads=size, takes=takes),
             Connection(put("a", 5, reply=False), end("1/0/5"), reads=size, takes=takes))
    seed("a peer that reads slowly", Connection(*some, send=60), Connection(*some, send=78))
    seed("few descriptors", Connection(*[put(n, 1) for n in ("a", "b", "d/x", "n", "three",
                                                            "turned", "quoted", "p")],
                                       end("8/0/8"), descriptors=21), there=1)


def word(receipt):
    """Of a receipt: what it says, without the names and digests that the model knows."""
    if "files" in receipt:
        assert receipt["ok"] == (receipt["failed"] == 0)
        return f"{receipt['files']}/{receipt['failed']}/{receipt['bytes']}"
    said = "" if "cmd" in receipt else "last "
    said += "ok" if receipt["ok"] else receipt["error"]
    said += f"@{receipt['offset']}" if "offset" in receipt else ""
    if receipt.get("stored", receipt.get("filename")) != receipt.get("filename"):
        said += " as " + receipt["stored"]
    said += " " + receipt["state"] if "state" in receipt else ""
    return said + (" unchanged" if receipt.get("unchanged") else "")


def write(directory):
    os.makedirs(directory, exist_ok=True)
    paths = []
    for name, session in SEEDS.items():
        paths.append(os.path.join(directory, name.replace(" ", "-").replace(":", "")))
        with open(paths[-1], "wb") as file:
            file.write(session.bytes)
    return paths


def check(harness):
    """One run of all, which tells the receipts of each behind a line of its own. (That
    of libFuzzer runs the first twice: it is for a harness with tests/fuzz/replay.)"""
    with tempfile.TemporaryDirectory() as directory:
        run = subprocess.run([harness, *write(directory)], stdout=subprocess.PIPE, check=True,
                             env=dict(os.environ, TELL_RECEIPTS="1"), text=True)
    answers = run.stdout.split("session\n")[1:]
    assert len(answers) == len(SEEDS), f"{len(answers)} of {len(SEEDS)} have run"
    wrong = 0
    for (name, session), answer in zip(SEEDS.items(), answers):
        said = [word(json.loads(line)) for line in answer.splitlines()]
        if said != session.says:
            wrong += 1
            print(f"{name}:\n  says {said}\n  not  {session.says}")
    print(f"{len(SEEDS) - wrong} of {len(SEEDS)} seeds say what they mean")
    return wrong


for group in (limits, repeats, ends, locks, policies, digests, names, times, parts, endings,
              frames, peers):
    group()
if sys.argv[1] == "write":
    write(sys.argv[2])
else:
    sys.exit(check(sys.argv[2]) > 0)
