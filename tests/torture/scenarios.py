"""What putd is asked to do while its calls are killed or failed, one scenario
for each command and policy: what was there, what comes, how a sender finishes
after it broke off, and what must be there in the end.
"""

import os

from wire import END, Frame, ask, commit, content, part, put, sha256


class Upload:
    """A file that is sent by id. It ends in a `commit`; in `exists`, which the
    policy says; or in an `abort`."""

    def __init__(self, name, body, end="commit", **more):
        self.name, self.body, self.end, self.more = name, body, end, more
        self.id = "upload-of-" + sha256(body)[:16]

    def part(self, start=0, end=None, refused=False, **more):
        frame = part(self.id, start, self.body[start:end], **more)
        frame.refused = refused
        return frame

    def commit(self, **more):
        refused = more.pop("refused", self.end == "exists")
        return commit(self.id, self.name, len(self.body), refused, **{**self.more, **more})

    def ask(self, command):
        return ask(command, self.id)


class Scenario:
    """
    before   {name: bytes} that are there
    served   frames that putd served before, undisturbed
    frames   those that are tortured, and an `end`
    uploads  finished by id after it broke off; whole puts are repeated
    final    {name: bytes} in the end
    groups   {directory: the group that it hands down}
    twice    a copy more may stand under a number: a whole put under `keep` has
             no id by which it could be asked for
    steps    the sender waits for each receipt; else all is there at once
    most     injections, because each takes long; 0 is all
    """

    def __init__(self, name, frames, final, before=(), served=(), uploads=(), options=(),
                 twice=False):
        self.name, self.frames, self.final = name, [*frames, Frame(END)], final
        self.before, self.served, self.uploads = dict(before), served, uploads
        self.options, self.twice = list(options), twice
        self.steps, self.shim, self.most, self.groups = False, "", 0, {}

    def whole(self):
        """{base name: contents that it may ever show}."""
        may = {name: {body} for name, body in self.before.items()}
        for frame in [*self.served, *self.frames]:
            if frame.header["cmd"] == "put" and "filename" in frame.header and not frame.refused:
                may.setdefault(frame.header["filename"], set()).add(frame.body)
        for upload in self.uploads:
            may.setdefault(upload.name, set()).add(upload.body)
        return may

    def body_of(self, frame):
        """What a whole put or a commit stores."""
        if frame.header["cmd"] == "put":
            return frame.body
        return next(u.body for u in self.uploads if u.id == frame.header["id"])

    def variant(self, name, steps=False, shim=""):
        copy = Scenario.__new__(Scenario)
        copy.__dict__.update(self.__dict__)
        copy.name, copy.steps, copy.shim = self.name + name, steps, shim
        return copy


def puts():
    a, b, c, d, old = (content(label, 300) for label in "abcdo")
    before = {"a": old, "x": content("other", 200)}
    yield Scenario("legacy put", [put("a", a, reply=False), put("b", b, reply=False)],
                   {"a": a, "b": b, "x": before["x"]}, before)
    yield Scenario("put, new name", [put("a", a), put("b", b"")], {"a": a, "b": b""})
    yield Scenario("put, replace", [put("a", a), put("x", b)], {"a": a, "x": b}, before)
    yield Scenario("put, reject",
                   [put("a", a, refused=True), put("b", b, sha256=sha256(b), if_exists="reject")],
                   {**before, "b": b}, before, options=["--if-exists=reject"])
    yield Scenario("put, keep", [put("a", a), put("a", b), put("c", c, if_exists="keep")],
                   {"a": old, "a.~1~": d, "a.~2~": a, "a.~3~": b, "c": c},
                   {"a": old, "a.~1~": d}, options=["--if-exists=keep"], twice=True)
    yield Scenario("put, sha256",
                   [put("a", a, sha256=sha256(a)), put("b", b, sha256=True),
                    put("x", before["x"], sha256=sha256(before["x"])),
                    put("c", c, refused=True, sha256=sha256(d))],
                   {"a": a, "b": b, "x": before["x"]}, before)
    yield Scenario("put, mtime", [put("a", a, mtime=1000000000.5), put("b", b, mtime=0)],
                   {"a": a, "b": b, "x": before["x"]}, before)


def batches():
    a, b, c, d, e = (content("batch " + label, 500) for label in "abcde")
    yield Scenario("batch", [put("a", a), put("s/b", b), put("c", c, reply=False), put("a", d),
                             put("../e", e, refused=True), put("s/e", e)],
                   {"a": d, "s/b": b, "c": c, "s/e": e, "s/x": a}, {"s/x": a, "c": e})
    yield Scenario("put, mkdirs", [put("p/q/r/a", a), put("p/q/b", b), put("p/s/c", c)],
                   {"p/q/r/a": a, "p/q/b": b, "p/s/c": c}, options=["--mkdirs"])
    large, huge = content("large", 1048576 * 2 + 777), content("huge", 1048576 + 1)
    yield Scenario("put, large", [put("a", a), put("large", large), put("b", b), put("huge", huge)],
                   {"a": a, "large": large, "b": b, "huge": huge}, {"large": c})


def uploads():
    a, b, old = content("an upload", 4000), content("behind it", 100), content("old", 300)
    before = {"a": old}
    for policy in ("new name", "replace", "reject", "keep"):
        u = Upload("a", a) if policy == "new name" else Upload("a", a, if_exists=policy)
        there = {} if policy in ("new name", "reject") else before
        final = {**there, ("a.~1~" if policy == "keep" else "a"): a, "b": b}
        options = ["--if-exists=keep"] if policy == "keep" else []
        rest = {"uploads": [u], "options": options}
        yield Scenario("part and commit, " + policy,
                       [u.part(0, 1000), u.part(1000, reply=False), u.commit(),
                        put("b", b, if_exists="reject", sha256=sha256(b))],
                       final, there, **rest)
        yield Scenario("commit, " + policy, [u.commit(), u.ask("stat"), u.commit()],
                       {k: v for k, v in final.items() if k != "b"}, there, [u.part()],
                       **rest)
    u = Upload("a", a, "exists", if_exists="reject")
    yield Scenario("commit, rejected", [u.commit(), put("b", b)], {"a": old, "b": b}, before,
                   [u.part()], [u])
    u = Upload("a", a, sha256=sha256(a), mtime=1000000000)
    yield Scenario("commit, sha256 and mtime", [u.commit(sha256=sha256(b), refused=True),
                                                u.part(), u.commit(), u.commit(sha256=True)],
                   {"a": a}, before, [u.part()], [u])
    yield Scenario("commit, unchanged", [u.commit()], {"a": a}, {"a": a}, [u.part()], [u])
    u = Upload("p/q/a", a)
    yield Scenario("commit, mkdirs", [u.part(), u.commit()], {"p/q/a": a}, uploads=[u],
                   options=["--mkdirs"])
    u = Upload("a", a)
    yield Scenario("repeat commit", [u.commit(), u.part(refused=True), u.commit()],
                   {"a": a}, before, [u.part(), u.commit()], [u])


def groups():
    """Into a directory of another group, which only root may set up."""
    a, b = content("an upload", 40000), content("behind it", 100)
    for policy in ("replace", "keep"):
        u = Upload("g/a", a, if_exists=policy)
        final = {"g/a": a} if policy == "replace" else {"g/a": b, "g/a.~1~": a}
        scenario = Scenario("commit, another group, " + policy,
                            [u.part(0, 1000), u.part(1000), u.commit(), u.commit()],
                            {**final, "g/b": b}, {"g/a": b, "g/b": b}, uploads=[u])
        if policy == "keep":
            scenario.options = ["--if-exists=keep"]
        scenario.groups, scenario.shim = {"g": 12345}, "no-chown"
        if os.geteuid() == 0:
            yield scenario


def parts():
    a, b, c = content("a", 5000), content("b", 3000), content("c", 100)
    u, v = Upload("a", a), Upload("b", b)
    yield Scenario("part", [u.part(0, 2000)], {"a": a}, uploads=[u])
    yield Scenario("part, continued",
                   [u.part(2000, 3000), v.part(0, 1), u.part(1000, 1500, refused=True),
                    u.part(3000)],
                   {"a": a, "b": b}, served=[u.part(0, 2000)], uploads=[u, v])
    yield Scenario("stat", [u.ask("stat"), v.ask("stat")], {"a": a, "b": b},
                   served=[u.part(0, 2000), v.part(), v.commit()],
                   uploads=[u, v])
    w = Upload("a", a, "abort")
    yield Scenario("abort", [w.ask("abort"), v.ask("abort"), v.ask("stat"), put("c", c)],
                   {"b": b, "c": c}, served=[w.part(0, 2000), v.part(), v.commit()],
                   uploads=[w, v])
    big = Upload("big", content("big", 1048576 * 2 + 5000))
    yield Scenario("part, large", [big.part(0, 1048576 + 10), big.part(1048576 + 10), big.commit()],
                   {"big": big.body}, uploads=[big])


def long_ones():
    """More than CHECKPOINT_BYTES: what is held is recorded in the middle."""
    big = Upload("big", content("big", 67 * 1048576))
    scenario = Scenario("part, checkpoint", [big.part(), big.commit()], {"big": big.body},
                        uploads=[big])
    scenario.most = 60
    yield scenario


def basic():
    return [*puts(), *batches(), *uploads(), *groups(), *parts()]


def everything():
    """Also with a sender that waits for its receipts, and where a filesystem
    lacks something (shim.c)."""
    plain = basic()
    yield from plain
    for scenario in plain:
        if scenario.name not in ("legacy put", "put, large"):
            yield scenario.variant(", in steps", steps=True)
    for scenario in plain:
        if scenario.name.startswith("put"):
            yield scenario.variant(", no O_TMPFILE", shim="no-tmpfile")
            yield scenario.variant(", no linkat of unnamed files", shim="no-unnamed")
        elif "commit" in scenario.name:
            yield scenario.variant(", no RENAME_NOREPLACE", shim="no-noreplace")
