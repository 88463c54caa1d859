"""Where candidates run: directories, memory, loop-mounted images, the bench root,
and processes whose CPU seconds are known when they are gone.

It expects namespaces of its own (see run), in which it is the first process: all
that it leaves is gone with them, but for the work directory, which it empties.
"""

import os
import resource
import shutil
import socket
import subprocess
import time
from pathlib import Path

PATIENCE = 60.0  # seconds, for anything


class Failed(Exception):
    pass


def until(true, what):
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise Failed(f"{what}: not after {PATIENCE:.0f} s")
        time.sleep(0.001)


def listens(port):
    with open("/proc/net/tcp", encoding="ascii") as lines:
        wanted = f":{port:04X} 00000000:0000 0A"
        return any(wanted in line for line in lines)


class Process:
    """A child; finish() waits for it, and knows the CPU of it and of those of its
    children that it waited for."""

    def __init__(self, command, log, **how):
        self.command, self.cpu = command, 0.0
        how.setdefault("stdin", subprocess.DEVNULL)
        how.setdefault("stdout", subprocess.DEVNULL)
        self.child = subprocess.Popen(command, stderr=log, **how)

    def finish(self, ok=(0,)):
        text = self.child.stdout.read() if self.child.stdout else b""
        _, status, used = os.wait4(self.child.pid, 0)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = used.ru_utime + used.ru_stime
        if ok is not None and self.child.returncode not in ok:
            raise Failed(f"{self.command}: status {self.child.returncode}")
        return text


def kill_all():
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                os.kill(int(entry), 9)
            except ProcessLookupError:
                pass


def reap():
    """All that is left over is ended; the CPU seconds of all that ever ended."""
    try:
        while True:
            kill_all()
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.001)
    except ChildProcessError:
        pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Place:
    def __init__(self, source, build, root, work):
        self.source, self.build = Path(source), Path(build)
        self.programs = self.build / "bench"
        self.putd = str(self.build / "putd")
        self.root, self.work = Path(root), Path(work)
        self.memory = Path("/run/bench")
        shutil.rmtree(self.work, ignore_errors=True)
        (self.work / "files").mkdir(parents=True)
        self._mount_all()
        self.log = open(self.memory / "log", "ab")

    def _mount_all(self):
        call("mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run")
        self.memory.mkdir()
        call("mount", "-t", "tmpfs", "-o", "size=90%", "none", self.memory)
        for directory in ("run", "tmp", "var/log", "var/lib/nginx"):
            call("mount", "-t", "tmpfs", "none", self.root / directory)
        call("mount", "-t", "proc", "none", self.root / "proc")
        for shown in (self.build, self.work, self.memory, "/dev"):
            to = self.root / str(shown).lstrip("/")
            to.mkdir(parents=True, exist_ok=True)
            call("mount", "--bind", shown, to)
        call("ip", "link", "set", "lo", "up")

    def close(self):
        reap()
        self.log.close()
        os.sync()
        shutil.rmtree(self.work, ignore_errors=True)

    def run(self, *command, **how):
        return Process([str(word) for word in command], self.log, **how)

    def output(self, *command):
        """What it prints."""
        return self.run(*command, stdout=subprocess.PIPE).finish().decode()

    def inside(self, *command, **how):
        """In the bench root, which sees the same work, memory and build."""
        return self.run("chroot", self.root, *command, **how)

    def program(self, name):
        return str(self.programs / name)

    def fresh(self, directory=None):
        """An empty directory, with nothing of its filesystem left to be written."""
        directory = Path(directory or self.work / "files")
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        directory.chmod(0o755)
        call("sync", "-f", directory)
        return directory


def call(*command):
    subprocess.run([str(word) for word in command], check=True)


def listener():
    sock = socket.create_server(("127.0.0.1", 0), backlog=64)
    return sock, sock.getsockname()[1]


class Image:
    """A filesystem of its own in a file of the work directory, loop-mounted."""

    def __init__(self, place, kind, size="8G"):
        self.file, self.at = place.work / f"{kind}.image", place.work / kind
        self.at.mkdir()
        call("truncate", "-s", size, self.file)
        call(f"mkfs.{kind}", "-q", self.file)
        call("mount", "-o", "loop", self.file, self.at)
        source = subprocess.check_output(
            ["findmnt", "-no", "SOURCE", self.at], text=True)
        self.device = source.strip().removeprefix("/dev/")

    def flushes(self):
        """Cache flushes that the device was asked for, ever."""
        with open("/proc/diskstats", encoding="ascii") as lines:
            for line in lines:
                words = line.split()
                if words[2] == self.device:
                    return int(words[18])
        raise Failed(f"no {self.device} in /proc/diskstats")

    def close(self):
        call("umount", self.at)
        self.file.unlink()
        self.at.rmdir()
