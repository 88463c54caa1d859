"""Runs put through a relay that cuts the connection, at many places.

put_cuts.py --put=PUT --putd=PUTD --how=HOW [--random=N] [--options=O,O] DIR...

Sends the files `small` and `big` of the working directory. First without a cut,
to learn the stream's frames; then once for every frame's begin, header's end and
body's end, and for N random places of a fixed seed, with the first connection
cut there. HOW:

  cut    both sides see the end of the connection after so many bytes to the server
  kill   so does put, and the server is killed
  lose   the server has everything; of its answers so many bytes come back
  flip   nothing is cut: a bit of a body changes on its way (random places only)

After each run, put must have said that each file is stored, once; the server
must hold both, byte for byte, and nothing else. Prints a line for each place
where that is not so, and the number of places. DIR is made anew for each.
"""

import argparse
import os
import random
import select
import shutil
import socket
import struct
import subprocess
import sys

PIECE = 65536


class Relay:
    """One connection after another to a server of its own."""

    def __init__(self, options):
        self.options = options
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(8)
        self.sent, self.answers = bytearray(), bytearray()

    def address(self):
        return "127.0.0.1:%d" % self.listener.getsockname()[1]

    def serve(self, client, limits):
        """Until one side ends, or the limit of one direction is reached."""
        near, far = socket.socketpair()
        server = subprocess.Popen(
            [self.options.putd, *self.options.server, self.options.dir],
            stdin=far,
            stdout=far,
            stderr=subprocess.DEVNULL,
        )
        far.close()
        ways = {client: [near, limits[0], self.sent]}
        ways[near] = [client, limits[1], self.answers]
        cut = False
        while ways and not cut:
            for side in select.select(list(ways), [], [])[0]:
                cut = self.pass_on(side, ways)
                if cut:
                    break
        if cut and self.options.how == "kill":
            server.kill()
        client.close()
        near.close()
        server.wait()

    def pass_on(self, side, ways):
        """Returns whether this direction has reached its limit."""
        other, left, seen = ways[side]
        flip = self.options.how == "flip"
        try:
            data = side.recv(PIECE if left is None else min(left, PIECE))
            seen += data
            if flip and data and left == len(data):
                data = data[:-1] + bytes([data[-1] ^ 1])
                ways[side][1] = left = None
            if data:
                other.sendall(data)
            else:
                del ways[side]
                other.shutdown(socket.SHUT_WR)
        except OSError:
            return True
        if left is not None:
            ways[side][1] = left - len(data)
        return left is not None and left == len(data)


def run(relay, limits):
    """One put; the first connection has the limits, later ones have none."""
    options = relay.options
    shutil.rmtree(options.dir, ignore_errors=True)
    os.mkdir(options.dir)
    put = subprocess.Popen(
        [options.put, "-s", relay.address(), *options.options]
        + ["small", "big"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    while True:
        fds = [relay.listener, put.stderr]
        if relay.listener in select.select(fds, [], [])[0]:
            relay.serve(relay.listener.accept()[0], limits)
            limits = (None, None)
        elif put.poll() is not None or select.select([put.stderr], [], []):
            said = put.stderr.peek(1)
            if not said:
                break
            options.said += put.stderr.read1()
    said, options.said = options.said.decode(), b""
    return put.wait(), said


def judge(options, status, said):
    """What is wrong, or ''."""
    if status != 0:
        return "exit status %d" % status
    for name in ("small", "big"):
        lines = [x for x in said.splitlines() if x.startswith(name + ": ")]
        if len(lines) != 1 or ": stored" not in lines[0]:
            return "lines for %s: %s" % (name, lines)
        with open(name, "rb") as one:
            with open(os.path.join(options.dir, name), "rb") as other:
                if one.read() != other.read():
                    return name + " differs"
    names = sorted(x for x in os.listdir(options.dir) if x != ".putd")
    return "" if names == ["big", "small"] else "there is %s" % names


def boundaries(stream):
    """Of each frame: behind its length, its header, its body."""
    import json

    at, found = 0, set()
    while at < len(stream):
        (length,) = struct.unpack("<i", stream[at : at + 4])
        header = json.loads(stream[at + 4 : at + 4 + length])
        found.update((at, at + 4, at + 4 + length))
        at += 4 + length + header.get("filesize", 0)
    return sorted(x for x in found if x > 0)


def in_bodies(stream, places):
    """Those behind a byte of a body: not in a length or a header."""
    import json

    at, found = 0, []
    while at < len(stream):
        (length,) = struct.unpack("<i", stream[at : at + 4])
        body = at + 4 + length
        at = body + json.loads(stream[at + 4 : body]).get("filesize", 0)
        found += [x for x in places if body < x <= at]
    return found


def lines(answers):
    return [i + 1 for i, byte in enumerate(answers) if byte == 10]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--put", required=True)
    parser.add_argument("--putd", required=True)
    parser.add_argument("--how", required=True)
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--options", default="")
    parser.add_argument("--server", default="")
    parser.add_argument("dir")
    options = parser.parse_args()
    options.options = [x for x in options.options.split(",") if x]
    options.server = [x for x in options.server.split(",") if x]
    options.said = b""
    relay = Relay(options)
    status, said = run(relay, (None, None))
    wrong = judge(options, status, said)
    if wrong:
        sys.exit("without a cut: %s\n%s" % (wrong, said))
    lose = options.how == "lose"
    seen = bytes(relay.answers if lose else relay.sent)
    places = lines(seen) if lose else boundaries(seen)
    choose = random.Random(5)
    places += [choose.randrange(1, len(seen)) for _ in range(options.random)]
    if options.how == "flip":
        places = in_bodies(seen, places)
    for place in places:
        status, said = run(relay, (None, place) if lose else (place, None))
        wrong = judge(options, status, said)
        if wrong:
            print("%s at %d: %s\n%s" % (options.how, place, wrong, said))
    print("places", len(places))


if __name__ == "__main__":
    main()
