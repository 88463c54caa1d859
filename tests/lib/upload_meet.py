"""Two handlers meet at every point of the first one's way.

upload_meet.py SCENARIO SCRATCH -- COMMAND...

COMMAND, with the directory as its last argument, serves stream A. It is stopped
at its first call of openat(2), its second, and so on, likewise at each of CALLS;
there another COMMAND serves stream B to its end, then A goes on. A third one asks
what came of it, and the scenario judges. Each point starts from the same state.
Prints how many points there were; exit 1 and the story of the first that was
judged wrong. Needs strace; waits for events only, with a bound.
"""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time

BOUND = 20.0  # seconds for any one event
ID = "0123456789abcdef"
CALLS = ("openat", "fcntl", "fstatfs", "unlinkat", "renameat", "renameat2", "linkat", "ftruncate")


def frame(body=b"", **keys):
    header = json.dumps(dict(keys, reply=True)).encode()
    return struct.pack("<i", len(header)) + header + body


def part(offset, body):
    return frame(body, cmd="put", id=ID, offset=offset, filesize=len(body))


def commit(name, size, **more):
    return frame(cmd="commit", id=ID, filename=name, size=size, **more)


def put(name, body, **more):
    return frame(body, cmd="put", filename=name, filesize=len(body), **more)


STAT = frame(cmd="stat", id=ID)
ABORT = frame(cmd="abort", id=ID)


def outcome(lines):
    """Of the last line: "ok", or the error."""
    return "ok" if lines[-1]["ok"] else lines[-1]["error"]


def files(directory):
    found = {}
    for name in os.listdir(directory):
        if name != ".putd":
            with open(os.path.join(directory, name), "rb") as f:
                found[name] = f.read()
    return found


# --- scenarios: what was before, A, B, what is asked, and the judgement ----------


class Parts:
    """Two first parts: one is taken, as a whole."""

    before, a, b, then = b"", part(0, b"aaaa"), part(0, b"bb"), STAT

    @staticmethod
    def judge(a, b, then, published):
        loser = {"busy", "bad-offset"}
        if outcome(a) == "ok":
            return outcome(b) in loser and then[0]["offset"] == 4
        return outcome(a) in loser and outcome(b) == "ok" and then[0]["offset"] == 2


class Commits:
    """Two commits of one id: one file, one receipt, also under keep."""

    before, a, b = part(0, b"hello"), commit("a", 5, if_exists="keep"), commit("a", 5, if_exists="keep")
    then = commit("a", 5)

    @staticmethod
    def judge(a, b, then, published):
        said = [x for x in (a[0], b[0], then[0]) if x["ok"]]
        return (
            outcome(a) in ("ok", "busy")
            and outcome(b) in ("ok", "busy")
            and len(said) >= 2
            and all(x == said[0] for x in said)
            and published == {"a": b"hello"}
        )


class CommitAbort:
    """A commit and an abort: either it is published and known, or neither."""

    before, a, b, then = part(0, b"hello"), commit("a", 5), ABORT, STAT

    @staticmethod
    def judge(a, b, then, published):
        if outcome(a) == "ok":
            return published == {"a": b"hello"} and then[0].get("state") == "stored"
        return outcome(a) in ("unknown-id", "busy") and not published and outcome(then) == "unknown-id"


class AbortCommit:
    """The same, the abort being the one that is stopped."""

    before, a, b, then = part(0, b"hello"), ABORT, commit("a", 5), STAT

    @staticmethod
    def judge(a, b, then, published):
        return CommitAbort.judge(b, a, then, published)


class CommitPart:
    """A commit and one more part: what is committed is what was held."""

    before, a, b, then = part(0, b"hello"), commit("a", 5), part(5, b"world"), STAT

    @staticmethod
    def judge(a, b, then, published):
        if outcome(a) == "ok":
            return (
                outcome(b) in ("exists", "busy")
                and published == {"a": b"hello"}
                and then[0].get("state") == "stored"
            )
        return outcome(a) in ("mismatch", "busy") and outcome(b) == "ok" and then[0].get("offset") == 10


class PartCommit:
    """The same, the part being the one that is stopped."""

    before, a, b, then = part(0, b"hello"), part(5, b"world"), commit("a", 5), STAT

    @staticmethod
    def judge(a, b, then, published):
        return CommitPart.judge(b, a, then, published)


class Reject:
    """One name under reject: one of them gets it."""

    before, then = b"", STAT
    a, b = put("a", b"aaaa", if_exists="reject"), put("a", b"bb", if_exists="reject")

    @staticmethod
    def judge(a, b, then, published):
        winner = b"aaaa" if outcome(a) == "ok" else b"bb"
        return sorted((outcome(a), outcome(b))) == ["exists", "ok"] and published == {"a": winner}


class Keep:
    """One name under keep: both are there, each where its receipt says."""

    before, then = put("a", b"old"), STAT
    a, b = put("a", b"aaaa", if_exists="keep"), put("a", b"bb", if_exists="keep")

    @staticmethod
    def judge(a, b, then, published):
        return outcome(a) == outcome(b) == "ok" and published == {
            "a": b"old",
            a[0]["stored"]: b"aaaa",
            b[0]["stored"]: b"bb",
        }


class Unchanged:
    """The same content twice under reject: stored by one, met by the other."""

    SHA = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    before, then = b"", STAT
    a = b = put("a", b"hello", if_exists="reject", sha256=SHA)

    @staticmethod
    def judge(a, b, then, published):
        return outcome(b) == "ok" and outcome(a) in ("ok", "exists") and published == {"a": b"hello"}


class Sweep:
    """A part comes while its old upload is swept: held whole, or not at all."""

    before, a, b, then = part(0, b"hello"), frame(cmd="stat", id="-----nobody-----"), part(5, b"world"), STAT
    old = True

    @staticmethod
    def judge(a, b, then, published):
        if outcome(b) == "ok":
            return then[0].get("offset") == 10 or outcome(then) == "unknown-id"
        return outcome(b) in ("busy", "bad-offset") and (
            then[0].get("offset") == 5 or outcome(then) == "unknown-id"
        )


# --- the meeting -------------------------------------------------------------------


def say(reason):
    sys.exit("meet: " + reason)


class Meeting:
    def __init__(self, scenario, scratch, command):
        self.scenario = scenario
        self.scratch = scratch
        self.command = command
        self.directory = os.path.join(scratch, "meet")
        self.state = os.path.join(scratch, "meet.before")
        self.trace = os.path.join(scratch, "meet.trace")

    def serve(self, directory, stream):
        done = subprocess.run(
            self.command + [directory], input=stream, capture_output=True, timeout=BOUND, check=False
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def prepare(self):
        os.mkdir(self.state)
        if self.scenario.before and not self.serve(self.state, self.scenario.before)[0]["ok"]:
            say("the state before was refused")
        if getattr(self.scenario, "old", False):
            private = os.path.join(self.state, ".putd")
            for name in os.listdir(private):
                os.utime(os.path.join(private, name), (1, 1))

    def stopped(self):
        """The pid of the stopped handler, once it is."""
        with open(self.trace, encoding="ascii", errors="replace") as f:
            for line in f:
                if "--- stopped by SIGSTOP" in line:
                    return int(line.split()[0])
        return None

    def start(self, call, number):
        options = ["-f", "-o", self.trace, "-e", "trace=" + call]
        options += ["-e", "inject=%s:signal=SIGSTOP:when=%d" % (call, number)]
        return subprocess.Popen(
            ["strace"] + options + self.command + [self.directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def opened(self):
        """The number of the openat(2) that opens the directory: those before it are
        the dynamic linker's."""
        shutil.copytree(self.state, self.directory)
        subprocess.run(
            ["strace", "-f", "-o", self.trace, "-e", "trace=openat"] + self.command + [self.directory],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=BOUND,
            check=False,
        )
        with open(self.trace, encoding="ascii", errors="replace") as f:
            calls = [line for line in f if "openat(" in line]
        for number, line in enumerate(calls, 1):
            if self.directory + '"' in line:
                return number
        return say("the directory is never opened")

    def meet(self, call, number):
        """False where A makes fewer calls of this kind."""
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.copytree(self.state, self.directory)
        with open(self.trace, "w", encoding="ascii"):
            pass
        first = self.start(call, number)
        first.stdin.write(self.scenario.a)
        first.stdin.close()
        first.stdin = None
        end = time.monotonic() + BOUND
        while (pid := self.stopped()) is None:
            if first.poll() is not None:
                return False
            if time.monotonic() > end:
                first.kill()
                say("neither stopped nor ended: %s %d" % (call, number))
            time.sleep(0.002)
        try:
            b = self.serve(self.directory, self.scenario.b)
        finally:
            os.kill(pid, signal.SIGCONT)
        out, _ = first.communicate(timeout=BOUND)
        a = [json.loads(line) for line in out.splitlines()]
        then = self.serve(self.directory, self.scenario.then)
        published = files(self.directory)
        if not self.scenario.judge(a, b, then, published):
            story = {"A": a, "B": b, "then": then, "published": repr(published)}
            say("stopped at %s %d:\n%s" % (call, number, json.dumps(story, indent=1)))
        return True


def main():
    cut = sys.argv.index("--")
    scenario, scratch = sys.argv[1:cut]
    meeting = Meeting(globals()[scenario], scratch, sys.argv[cut + 1 :])
    meeting.prepare()
    points = 0
    for call in CALLS:
        number = first = meeting.opened() if call == "openat" else 1
        while meeting.meet(call, number):
            number += 1
        points += number - first
    print(points)


main()
