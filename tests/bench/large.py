"""One large file over loopback into a directory on disk: putd, the limits, and
whoever else takes files. A candidate is a function that stores SOURCE once and
returns (seconds, CPU seconds of the receiver); the clock runs from the sender's
start to its end, which is when it knows what it is told.
"""

import subprocess
import time

from peers import PEERS
from place import Failed, listener, reap

GIB = 1 << 30


def served(place, source, receivers, *frame):
    """Senders of the source, one for each receiver, which gets the connection as
    stdin and stdout. Seconds until all are answered, and the receivers' CPU."""
    sock, port = listener()
    start = time.monotonic()
    senders = [
        place.run(place.program("sendfile"), port, source, *frame,
                  stdout=subprocess.PIPE)
        for _ in receivers]
    running = []
    for command in receivers:
        connection, _ = sock.accept()
        with connection:
            running.append(
                place.run(*command, stdin=connection, stdout=connection))
    answers = [sender.finish() for sender in senders]
    seconds = time.monotonic() - start
    for receiver in running:
        receiver.finish()
    sock.close()
    if frame and not all(line.startswith(b'{"ok":true') for line in answers):
        raise Failed(f"putd: {answers}")
    return seconds, sum(receiver.cpu for receiver in running)


def by_putd(*options, keys=""):
    def candidate(place, source):
        directory = place.work / "files"
        return served(
            place, source, [[place.putd, *options, directory]], "f", keys)
    return candidate


def by_bare(*options):
    def candidate(place, source):
        file = place.work / "files" / "f"
        return served(
            place, source, [[place.program("bare"), file, *options]])
    return candidate


CANDIDATES = {
    "putd": by_putd(),
    "bare": by_bare(),
    "putd --sync=none": by_putd("--sync=none"),
    "putd, sha256": by_putd(keys=',"sha256":true'),
    "bare, sha256": by_bare("sha256"),
    **PEERS,
}


def once(place, source, candidate):
    directory = place.fresh()
    seconds, cpu = candidate(place, source)
    stored = [file for file in directory.rglob("*") if file.is_file()]
    if [file.stat().st_size for file in stored] != [source.stat().st_size]:
        raise Failed(f"stored: {stored}")
    return seconds, cpu


def measure(place, sample, turn):
    """Each candidate once, beginning with another in each round."""
    source = place.memory / "source"
    size = source.stat().st_size / GIB
    names = list(CANDIDATES)
    for name in names[turn % len(names):] + names[:turn % len(names)]:
        seconds, cpu = once(place, source, CANDIDATES[name])
        reap()
        sample(name, "GiB/s", size / seconds)
        sample(name, "CPU s/GiB", cpu / size)
    eight(place, sample, source)
    place.fresh()


def eight(place, sample, source):
    """Eight uploads at once, of as many bytes together as the one."""
    part = place.memory / "part"
    directory = place.fresh()
    size = part.stat().st_size
    places = [directory / str(i) for i in range(8)]
    for each in places:
        each.mkdir()
    seconds, _ = served(
        place, part, [[place.putd, each] for each in places], "f")
    if [(each / "f").stat().st_size for each in places] != [size] * 8:
        raise Failed("eight uploads: not all are there")
    sample("putd, 8 at once", "GiB/s", 8 * size / GIB / seconds)


def prepare(place, quick):
    """What is sent is in memory, and no two blocks of it are the same."""
    size = GIB // 2 if quick else 4 * GIB
    source, part = place.memory / "source", place.memory / "part"
    place.output("dd", "if=/dev/urandom", f"of={part}", "bs=1M",
                 f"count={size // 8 >> 20}", "status=none")
    with open(source, "wb") as whole:
        for _ in range(8):
            whole.write(part.read_bytes())
    return f"one large file: {size >> 20} MiB"
