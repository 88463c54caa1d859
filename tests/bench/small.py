"""Files of 4 KiB: durable ones on images of ext4 and xfs, also beside somebody who
writes 2 GiB again and again, and such as nobody flushes, in memory; and what a
connection costs that brings one of 1 KiB, under two launchers.
"""

import signal

from place import Image, until, listens

PORT = 8090
AT_ONCE = 8
MANY = 16  # connections


def frames(place, directory, connections, count, *options):
    """Files per second, of `count` in all."""
    command = [place.putd, *options, directory]
    lines = place.output(place.program("frames"), connections,
                         count // connections, "--", *command)
    done, seconds, _ = lines.split("\n")[-2].split()
    return int(done) / float(seconds)


def naive(place, directory, how, count):
    return float(place.output(place.program("naive"), how, directory, count))


def flushing(image, directory, store, count):
    """Files per second, and flushes of the device per file."""
    before = image.flushes()
    rate = store()
    stored = sum(1 for _ in directory.glob("[fn]*"))
    assert stored == count, f"{stored} of {count} files"
    return rate, (image.flushes() - before) / count


class Writer:
    """2 GiB, again and again, on the same filesystem."""

    def __init__(self, place, image):
        self.process = place.run(
            "sh", "-c", "trap 'kill $!; wait; exit' TERM; while :; do dd if=/dev/zero "
            f"of={image.at}/writer bs=1M count=2048 conv=notrunc 2>/dev/null & "
            "wait $!; done")
        until(lambda: (image.at / "writer").exists(), "writer")

    def close(self):
        self.process.child.send_signal(signal.SIGTERM)
        self.process.finish(ok=None)


def durable(place, quick, kind, sample):
    image = Image(place, kind, "4G" if quick else "8G")
    count = 2000 if quick else 10000
    runs = {
        "putd": (lambda at, n: frames(place, at, 1, n), count),
        "naive": (lambda at, n: naive(place, at, "durable", n), count // 10),
        "putd, 16 connections": (
            lambda at, n: frames(place, at, MANY, n), count),
        "putd, beside": (lambda at, n: frames(place, at, 1, n), count // 5),
        "naive, beside": (
            lambda at, n: naive(place, at, "durable", n), count // 50),
    }
    writer = None
    for name, (store, files) in runs.items():
        directory = place.fresh(image.at / "d")
        if "beside" in name and writer is None:
            writer = Writer(place, image)
        files -= files % MANY
        rate, flushes = flushing(
            image, directory, lambda: store(directory, files), files)
        sample(f"{kind} {name}", "files/s", rate)
        sample(f"{kind} {name}", "flushes/file", flushes)
    writer.close()
    image.close()


def in_memory(place, quick, sample):
    count = 20000 if quick else 50000
    at = place.memory / "d"
    runs = {
        "putd --sync=none": lambda: frames(place, at, 1, count, "--sync=none"),
        "rename loop": lambda: naive(place, at, "renamed", count),
    }
    for name, store in runs.items():
        place.fresh(at)
        sample(f"tmpfs {name}", "files/s", store())
    place.fresh(at)


def measure(place, quick, sample, turn):
    for kind in ("ext4", "xfs")[::1 if turn % 2 else -1]:
        durable(place, quick, kind, sample)
    in_memory(place, quick, sample)


# --- one connection, one file -------------------------------------------------

XINETD = """
defaults
{{
    instances = UNLIMITED
    cps = 100000 1
}}
service putd
{{
    type = UNLISTED
    port = {port}
    socket_type = stream
    protocol = tcp
    wait = no
    bind = 127.0.0.1
    user = root
    server = {server}
    {arguments}
}}
"""


def tcpserver(_, command):
    return ["tcpserver", "-H", "-R", "-l", "0", "-D", "-c", "256", "127.0.0.1",
            PORT, *command]


def xinetd(place, command):
    file = place.work / "xinetd.conf"
    file.write_text(XINETD.format(
        port=PORT, server=command[0], arguments=" ".join(
            ["server_args =", *command[1:]] if command[1:] else [])), "ascii")
    return ["xinetd", "-dontfork", "-filelog", "/run/xinetd.log", "-f", file]


def connections(place, quick, sample, turn):
    """Per second, each with 1 KiB, from eight clients; the launcher's own port."""
    count = 500 if quick else 2000
    at = place.memory / "c"
    programs = {"putd": [place.putd, "--sync=none", str(at)],
                "reader": [place.program("reader")]}
    for launcher in (tcpserver, xinetd):
        for name in sorted(programs, reverse=turn % 2):
            place.fresh(at)
            server = place.inside(*launcher(place, programs[name]))
            until(lambda: listens(PORT), launcher.__name__)
            silent = ["silent"] if name == "reader" else []
            rate = place.output(
                place.program("connect"), "127.0.0.1", PORT, count, AT_ONCE,
                f"c{turn}", *silent).split()[0]
            server.child.terminate()
            server.finish(ok=None)
            until(lambda: not listens(PORT), launcher.__name__)
            sample(f"{launcher.__name__} {name}", "connections/s", float(rate))
    place.fresh(at)
