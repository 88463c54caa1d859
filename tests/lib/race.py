"""Swaps what paths are, as fast as it can, while uploads go on around them.

race.py WHAT ROOT OUTSIDE SECONDS COMMAND...

COMMAND serves ROOT, connection after connection: puts and uploads by id. WHAT is
swapped meanwhile: `directory` (the one on the way), `target` (the names of the
files) or `private` (.putd). It becomes by turns a directory, a symbolic link to
OUTSIDE, a file, nothing and the like. What stood there is only moved away, into
ROOT/away, so that after each connection it can be seen whether its receipts were
true: what is told as stored is somewhere, what is told as refused is nowhere.

Prints `swaps N stored N refused N`. Fails where a receipt lied, where a temporary
was left, and where COMMAND ends otherwise than with 0 or 74. Knows the framing of
put-protocol(7), and the names of temporaries.
"""

import contextlib
import hashlib
import itertools
import json
import os
import random
import shutil
import stat
import struct
import subprocess
import sys
import threading
import time

FRAMES = 20  # of each kind, on a connection
BODY_MAX = 10000  # bytes
NAMES = ["f%d" % n for n in range(7)] + ["c"]

# What is swapped, what stands before each name, what it becomes by turns, and what
# of these is left alone for a moment: a directory, so that something is stored
# there; and .putd, which a connection opens once.
WHAT = {
    "directory": (["d"], "d/", "directory link file directory none", "directory"),
    "target": (NAMES, "", "none file link dangling hardlink fifo socket device directory",
               "none"),
    "private": ([".putd"], "", "none link directory file", "none link directory file"),
}


def make(path, outside, kind):
    """Never in the place of what came in between."""
    if kind == "directory":
        os.mkdir(path)
    elif kind == "link":
        os.symlink(outside, path)
    elif kind == "dangling":
        os.symlink(os.path.join(outside, "new"), path)
    elif kind == "hardlink":
        os.link(os.path.join(outside, "f1"), path)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        os.mknod(path, stat.S_IFSOCK | 0o600)
    elif kind == "device":  # which only root can make
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    elif kind == "file":
        with open(path, "xb"):
            pass


class Racer(threading.Thread):
    def __init__(self, what, root, outside):
        super().__init__()
        self.paths, _, kinds, lasting = what
        self.paths = itertools.cycle(os.path.join(root, path) for path in self.paths)
        self.kinds = kinds.split()
        self.lasting = lasting.split()
        self.outside = outside
        self.away = os.path.join(root, "away")
        self.over = threading.Event()
        self.swaps = 0
        os.mkdir(self.away)

    def swap(self, path, kind):
        """What fails because something came in between is tried at the next turn."""
        with contextlib.suppress(OSError):
            os.rmdir(path)
        with contextlib.suppress(OSError):
            os.rename(path, os.path.join(self.away, str(self.swaps)))
        with contextlib.suppress(OSError):
            make(path, self.outside, kind)
        self.swaps += 1

    def run(self):
        for kind in itertools.cycle(self.kinds):
            if self.over.is_set():
                return
            self.swap(next(self.paths), kind)
            # Long enough for a file now and then, and no longer.
            self.over.wait(random.uniform(0, 0.01) if kind in self.lasting else 0)


def frame(body=b"", **keys):
    header = json.dumps(dict(keys, reply=True)).encode()
    return struct.pack("<i", len(header)) + header + body


def connection(number, before):
    """Frames, each with the name and body that its receipt is about, or none. Some
    are held back by a body that is a little longer."""
    for i in range(FRAMES):
        body = b"%d.%d " % (number, i) + b"x" * (i % 3 * 4000)
        name = before + NAMES[i % 7]
        keys = {"sha256": hashlib.sha256(body).hexdigest()} if i % 4 == 3 else {}
        yield frame(body, cmd="put", filename=name, filesize=len(body), **keys), name, body
        upload = "race-%d-%014d" % (i, number)
        part, name = b"%d.%d part" % (number, i), before + "c"
        yield frame(part, cmd="put", id=upload, offset=0, filesize=len(part)), None, None
        yield frame(cmd="commit", id=upload, filename=name, size=len(part)), name, part
        yield frame(cmd="abort", id=upload), None, None


def content(path):
    """Of a file that it is itself."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return os.read(fd, BODY_MAX) if stat.S_ISREG(os.fstat(fd).st_mode) else None
    finally:
        os.close(fd)


def all_contents(root, before):
    """What is at the names first: it may be moved away between the two looks."""
    seen = {content(os.path.join(root, before + name)) for name in NAMES}
    away = os.path.join(root, "away")
    for entry in os.listdir(away):
        path = os.path.join(away, entry)
        seen.add(content(path))
        for where, _, names in os.walk(path):
            if any(name.startswith("tmp.") for name in names):
                sys.exit("a temporary is left")
            seen.update(content(os.path.join(where, name)) for name in names)
        # Whoever held it has ended.
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    return seen


def judge(frames, receipts, seen, counts):
    """Of files of one name, the last that was stored may have replaced the others.
    After `io` the outcome is unknown."""
    last = {}
    if len(receipts) != len(frames):
        sys.exit("%d receipts of %d frames" % (len(receipts), len(frames)))
    for (_, name, body), line in zip(frames, receipts):
        told = json.loads(line)
        if name is None:
            continue
        counts["stored" if told["ok"] else "refused"] += 1
        if told["ok"]:
            last[name] = body, line
        elif told["error"] != "io" and body in seen:
            sys.exit("refused, and it is there: %s" % line)
    for body, line in last.values():
        if body not in seen:
            sys.exit("stored, and it is nowhere: %s" % line)


def serve(command, root, before, number, counts):
    frames = list(connection(number, before))
    done = subprocess.run(
        command, input=b"".join(one[0] for one in frames), stdout=subprocess.PIPE, check=False)
    # 74: a directory that went away under a file is the server's trouble.
    if done.returncode not in (0, 74):
        sys.exit("exit status %d" % done.returncode)
    judge(frames, done.stdout.splitlines(), all_contents(root, before), counts)


def main():
    what, root, outside, seconds, command = *sys.argv[1:5], sys.argv[5:]
    counts = {"stored": 0, "refused": 0}
    racer = Racer(WHAT[what], root, outside)
    racer.start()
    end = time.monotonic() + float(seconds)
    try:
        for number in itertools.count():
            if time.monotonic() >= end:
                break
            serve(command, root, WHAT[what][1], number, counts)
    finally:
        racer.over.set()
        racer.join()
    print("swaps", racer.swaps, *(word for pair in counts.items() for word in pair))


main()
