"""Swaps what a path is, as fast as it can, while uploads go on beneath it.

race.py PATH OUTSIDE SECONDS COMMAND...

COMMAND is served connection after connection: puts and uploads by id to names
below PATH, which becomes by turns a directory, a symbolic link to OUTSIDE, a
file, nothing. Prints `swaps N stored N refused N`. Fails where COMMAND ends
otherwise than with 0 or 74. Knows the framing of put-protocol(7).
"""

import itertools
import json
import os
import random
import struct
import subprocess
import sys
import threading
import time

FRAMES = 20  # of each kind, on a connection


def clear(path):
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
        return
    for entry in os.listdir(path):
        os.unlink(os.path.join(path, entry))
    os.rmdir(path)


def swap(path, outside, kind):
    """What fails because something came in between is tried at the next turn."""
    try:
        clear(path)
    except OSError:
        pass
    try:
        if kind == "directory":
            os.mkdir(path)
        elif kind == "link":
            os.symlink(outside, path)
        elif kind == "file":
            with open(path, "xb"):
                pass
    except OSError:
        return 0
    return 1


def frame(body=b"", **keys):
    header = json.dumps(dict(keys, reply=True)).encode()
    return struct.pack("<i", len(header)) + header + body


def connection(number, name):
    """Some of the frames are held back by a body that is a little longer."""
    for i in range(FRAMES):
        body = b"x" * (5 + i % 3 * 4000)
        target = "%s/f%d" % (name, i % 7)
        yield frame(body, cmd="put", filename=target, filesize=len(body))
        upload = "race-%d-%014d" % (i, number)
        yield frame(b"hello", cmd="put", id=upload, offset=0, filesize=5)
        yield frame(cmd="commit", id=upload, filename=name + "/c", size=5)
        yield frame(cmd="abort", id=upload)


def main():
    path, outside, seconds, command = *sys.argv[1:4], sys.argv[4:]
    over = threading.Event()
    counts = {"swaps": 0, "stored": 0, "refused": 0}

    def racer():
        kinds = itertools.cycle("directory link file directory none".split())
        while not over.is_set():
            kind = next(kinds)
            counts["swaps"] += swap(path, outside, kind)
            # Long enough for a file now and then, and no longer.
            over.wait(random.uniform(0, 0.01) if kind == "directory" else 0)

    thread = threading.Thread(target=racer)
    thread.start()
    end = time.monotonic() + float(seconds)
    status = number = 0
    # 74: a directory that went away under a file is the server's trouble.
    while status in (0, 74) and time.monotonic() < end:
        stream = b"".join(connection(number, os.path.basename(path)))
        done = subprocess.run(command, input=stream, stdout=subprocess.PIPE, check=False)
        status = done.returncode
        for line in done.stdout.splitlines():
            told = json.loads(line)
            if told["cmd"] != "abort" and "id" not in told:
                counts["stored" if told["ok"] else "refused"] += 1
        number += 1
    over.set()
    thread.join()
    print(*(word for pair in counts.items() for word in pair))
    sys.exit("exit status %d" % status if status not in (0, 74) else 0)


main()
