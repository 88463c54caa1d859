"""What the process itself costs: its start, its memory, and whether either a time
or a size grows with what passes through it.
"""

import os
import socket
from statistics import median

from large import GIB
from place import Failed, listener

TIMES = 300  # of each command, in a round
FIRSTS = 15  # runs of a thousand files
STEP = 64 << 20  # bytes, between two looks at the memory


def start(place, quick, sample, turn):
    """Exec to exit of an empty connection, and of a program that does nothing."""
    directory = place.fresh(place.memory / "s")
    commands = {
        "putd": [place.putd, directory],
        "putd --no-sandbox": [place.putd, "--no-sandbox", directory],
        "putd, linked to libsystemd and libcrypto":
            [place.programs / "linked/putd", directory],
        "trivial program": [place.program("reader")],
    }
    words = []
    for command in commands.values():
        words += ["--", *command]
    times = place.output(place.program("spawn"), TIMES, *words[1:]).split()
    for name, time in zip(commands, times):
        sample(name, "us", float(time))


# --- memory -----------------------------------------------------------------------


def dirty(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1])
    return 0


def idle(place, **environment):
    """KiB of a connection that was answered and waits."""
    ours, theirs = socket.socketpair()
    process = place.run(
        place.putd, place.work / "files", stdin=theirs, stdout=theirs,
        env={**os.environ, **environment})
    theirs.close()
    hello = b'{"cmd":"hello","reply":true}'
    ours.sendall(len(hello).to_bytes(4, "little") + hello)
    ours.recv(4096)
    kib = dirty(process.child.pid)
    ours.close()
    process.finish()
    return kib


def moving(place, size):
    """The most KiB while a file of that many bytes comes."""
    place.fresh()
    sock, port = listener()
    ours = socket.create_connection(("127.0.0.1", port))
    theirs, _ = sock.accept()
    process = place.run(
        place.putd, place.work / "files", stdin=theirs, stdout=theirs)
    theirs.close()
    sock.close()
    frame = b'{"cmd":"put","filename":"f","filesize":%d,"reply":true}' % size
    ours.sendall(len(frame).to_bytes(4, "little") + frame)
    most = 0
    with open(place.memory / "part", "rb") as part:
        for _ in range(size // STEP):
            offset = 0
            while offset < STEP:
                offset += os.sendfile(
                    ours.fileno(), part.fileno(), offset, STEP - offset)
            most = max(most, dirty(process.child.pid))
    ours.shutdown(socket.SHUT_WR)
    answer = ours.makefile("rb").read()
    ours.close()
    process.finish()
    if not answer.startswith(b'{"ok":true'):
        raise Failed(f"putd: {answer}")
    return most


def memory(place, quick, sample, turn):
    sample("putd, idle", "KiB", idle(place))
    sample("putd, idle, systemd", "KiB",
           idle(place, NOTIFY_SOCKET="/run/nobody"))
    if turn == 0:
        sample("putd, 1 GiB", "KiB", moving(place, GIB))
        sample("putd, huge", "KiB", moving(place, huge(quick)))
    place.fresh()


def huge(quick):
    return (4 if quick else 32) * GIB


# --- many files -------------------------------------------------------------------


def growth(place, quick, sample, turn):
    """Marks at each power of ten, of one connection; and of a bare loop. The first
    thousand take less than a tenth of a second: the median of several."""
    most = 100000 if quick else 1000000
    directory = place.fresh(place.memory / "g")

    def marks(count):
        place.fresh(directory)
        lines = place.output(place.program("frames"), 1, count, "--",
                             place.putd, "--sync=none", directory)
        for line in lines.splitlines():
            done, seconds, kib = line.split()
            yield int(done), float(seconds) * 1e6 / float(done), float(kib)

    def renamed(count):
        place.fresh(directory)
        return 1e6 / float(place.output(
            place.program("naive"), "renamed", directory, count))

    firsts = [next(marks(1000))[1] for _ in range(FIRSTS)]
    for done, us, kib in marks(most):
        name = f"putd, 10^{len(str(done)) - 1} files"
        sample(name, "us/file", us if done > 1000 else median(firsts))
        sample(name, "KiB", kib)
    sample("rename loop, 10^3 files", "us/file",
           median(renamed(1000) for _ in range(FIRSTS)))
    sample(f"rename loop, 10^{len(str(most)) - 1} files", "us/file",
           renamed(most))
    place.fresh(directory)
