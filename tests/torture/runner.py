"""putd in a directory of its own, under strace, with one of its calls killed or
failed."""

import itertools
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile

import wire

BOUND = 30  # seconds for one run
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
OPTIONS = ["--min-free=0", "--log=stderr"]


def scratch():
    """Memory, where there is some: what is durable is judged by model.py."""
    for place in ("/dev/shm", None):
        if place is None or os.access(place, os.W_OK):
            return tempfile.mkdtemp(prefix="torture.", dir=place)


class Result:
    def __init__(self, status, output, trace):
        self.status, self.output, self.trace = status, output, trace
        self.receipts = wire.receipts(output)
        self.hung = status is None

    def met(self):
        """The injection met its call."""
        killed = self.trace and "killed by SIGKILL" in self.trace[-1]
        return bool(killed) or any("(INJECTED)" in line for line in self.trace)


class Point:
    """The nth call of its name, and how it read when nothing disturbed it."""

    def __init__(self, call, nth, line):
        self.call, self.nth, self.line = call, nth, line

    def __str__(self):
        return "%s:%d  %s" % (self.call, self.nth, self.line[:100])

    @property
    def on_connection(self):
        if self.call in ("recvfrom", "sendto", "shutdown", "ppoll", "poll", "brk", "mmap"):
            return True
        return self.call in ("read", "write") and re.match(r"\w+\([01],", self.line) is not None

    def kill(self):
        return "%s:signal=KILL:when=%d" % (self.call, self.nth)

    def fail(self, error):
        """getpid instead of no call: a filter that kills knows it."""
        return "%s:error=%s:syscall=getpid:when=%d" % (self.call, error, self.nth)


def points(trace):
    """The calls behind the sandbox."""
    seen, found, confined = {}, [], False
    for line in trace:
        call = line.partition("(")[0]
        if not re.fullmatch(r"\w+", call):
            continue
        seen[call] = seen.get(call, 0) + 1
        if confined:
            found.append(Point(call, seen[call], line))
        confined = confined or call == "seccomp"
    return found


class Room:
    """A directory that putd serves, a copy of `template` if there is one."""

    def __init__(self, putd, shim, template=None):
        self.putd, self.shim = putd, shim
        self.top = scratch()
        self.root = os.path.join(self.top, "root")
        if template:
            shutil.copytree(template, self.root, symlinks=True)
        else:
            os.mkdir(self.root)

    def hand_over(self, groups):
        for name, group in groups.items():
            path = os.path.join(self.root, name)
            os.chown(path, -1, group)
            os.chmod(path, 0o2755)

    def close(self):
        shutil.rmtree(self.top)

    def run(self, frames, options=(), inject=None, shim="", steps=False, traced=True):
        trace = os.path.join(self.top, "trace")
        environment = {"LD_PRELOAD": self.shim, "SHIM": shim} if shim else {}
        command = [self.putd, *OPTIONS, *options, self.root]
        if traced:
            strace = ["strace", "-qq", "-s", "8192", "-o", trace]
            strace += [word for pair in environment.items() for word in ("-E", "%s=%s" % pair)]
            strace += ["-e", "inject=" + inject] if inject else []
            command, environment = strace + command, {}
        status, output = (self._in_steps if steps else self._at_once)(
            command, {**ENVIRONMENT, **environment}, frames)
        lines = []
        if traced:
            with open(trace, encoding="latin-1") as f:
                lines = f.read().splitlines()
            # What the build of tests/coverage writes as it ends is none of putd's.
            lines = list(itertools.takewhile(lambda line: ".gcda" not in line, lines))
        return Result(status, output, lines)

    def _start(self, command, environment, stdin, stdout):
        return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL,
                                env=environment, start_new_session=True)

    def _end(self, process):
        """Its exit status, None where it had to be killed. Popen.wait() with a
        bound sleeps in between."""
        pidfd = os.pidfd_open(process.pid)
        try:
            ended = select.select([pidfd], [], [], BOUND)[0]
        finally:
            os.close(pidfd)
        if not ended:
            os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
        return status if ended else None

    def _at_once(self, command, environment, frames):
        stream, out = os.path.join(self.top, "in"), os.path.join(self.top, "out")
        with open(stream, "wb") as f:
            f.write(wire.encode(frames))
        with open(stream, "rb") as stdin, open(out, "wb") as stdout:
            status = self._end(self._start(command, environment, stdin, stdout))
        with open(out, "rb") as f:
            return status, f.read()

    def _in_steps(self, command, environment, frames):
        ours, theirs = socket.socketpair()
        ours.settimeout(BOUND)
        with ours:
            with theirs:
                process = self._start(command, environment, theirs, theirs)
            try:
                output = self._talk(ours, frames)
            except TimeoutError:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return None, b""
            return self._end(process), output

    @staticmethod
    def _talk(ours, frames):
        output, asked = b"", 0
        try:
            for frame in frames:
                ours.sendall(frame.encode())
                asked += frame.asks
                while output.count(b"\n") < asked:
                    data = ours.recv(65536)
                    if not data:
                        return output
                    output += data
            ours.shutdown(socket.SHUT_WR)
            while data := ours.recv(65536):
                output += data
        except (BrokenPipeError, ConnectionResetError):
            pass
        return output

    def files(self, private=False):
        """{path: bytes} of what is visible, or of what is private."""
        found = {}
        for where, _, names in os.walk(os.path.join(self.root, ".putd") if private else self.root):
            if private or os.path.relpath(where, self.root).split("/")[0] != ".putd":
                for name in names:
                    path = os.path.join(where, name)
                    with open(path, "rb") as f:
                        found[os.path.relpath(path, self.root)] = f.read()
        return found
