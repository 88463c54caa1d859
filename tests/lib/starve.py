"""Hundreds of peers that starve a server, and one that does not.

starve.py ADDRESS PORT COUNT STALL SESSION

COUNT peers, from seven loopback addresses, are served: each asks `hello`, so that
it is known to be, and goes on in one of the ways of KINDS until the server ends
it. No address has more than PER_SOURCE at once, which is more than it may: those
above are turned away, and come again. STALL and SESSION are the server's
deadlines, in seconds: nobody may be ended before his.

Meanwhile one peer at another address, a process of its own, puts a small file
after the other, as before and after.

At the end the parts of files that were left are asked for by their ids: they are
held, nobody keeps them busy, and they are forgotten.

Prints one line of JSON: of each kind how many were ended, and after how many
seconds the first and the last; how many were turned away; what the other stored
and failed to, with its median milliseconds in the quiet and meanwhile. Exit
status 1 where something is wrong, which is told on stderr. Knows the framing of
put-protocol(7).
"""

import contextlib
import itertools
import json
import multiprocessing
import select
import signal
import socket
import statistics
import struct
import sys
import time

BOUND = 240.0  # seconds for all of it: those of a machine that is very busy
TICK = 0.05  # seconds
BURST = 4  # new connections a tick: less than xinetd's cps
QUIET = 15  # files before, and after
PAUSE = 0.1  # seconds between two files of the other
AWAY = 1.0  # seconds until an address that was turned away comes again
SOURCES = ["127.0.0.%d" % n for n in range(2, 9)]
PER_SOURCE = 33  # one more than is let in
OTHER = "127.0.0.100"
HELLO = b'{"cmd":"hello","reply":true}'
PUT = b'{"cmd":"put","filename":"starving","filesize":1000000}'
PART = '{"cmd":"put","id":"%s","offset":%d,"filesize":%d,"reply":true}'
STAT = '{"cmd":"stat","id":"%s","reply":true}'
ABORT = '{"cmd":"abort","id":"%s","reply":true}'
CUT = b"x" * 5
KINDS = ["drip", "length", "header", "body", "part", "deaf", "reset", "half",
         "urgent"]
LEAVES = ["reset", "half"]  # which end by themselves
ENDED = select.POLLRDHUP | select.POLLHUP | select.POLLERR


def frame(header):
    return struct.pack("<i", len(header)) + header


ASKS = frame(HELLO) * 2000


class Peer:
    """From its connection to its end; `life` is in seconds."""

    def __init__(self, kind, number, where, source):
        self.kind, self.source = kind, source
        self.id = "starving-peer-%06d" % number
        self.served, self.life, self.at = False, None, 0
        self.begin = time.monotonic()
        self.next_drip = self.begin
        self.socket = socket.socket()
        if kind == "deaf":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        self.socket.bind((source, 0))
        self.socket.setblocking(False)
        self.socket.connect_ex(where)
        self.greeted = False

    def go(self):
        """What a peer does as soon as it is served."""
        self.served = True
        getattr(self, self.kind)()

    def drip(self):
        """A byte a second, as long as it is served."""
        if time.monotonic() >= self.next_drip:
            self.next_drip = time.monotonic() + 1
            stream = frame(PUT) + CUT
            self.socket.send(stream[self.at : self.at + 1] or b"x")
            self.at += 1

    def length(self):
        self.socket.send(frame(PUT)[:2])

    def header(self):
        self.socket.send(frame(PUT)[:20])

    def body(self):
        self.socket.send(frame(PUT) + CUT)

    def part(self):
        self.socket.send(frame((PART % (self.id, 0, 1000000)).encode()) + CUT)

    def deaf(self):
        """Asks, as much as is taken, and reads nothing. The server's end does
        not come through to it; to send to one who has gone does."""
        sent = self.socket.send(ASKS[self.at :])
        self.at = (self.at + sent) % len(ASKS)

    def reset(self):
        self.body()
        linger = struct.pack("ii", 1, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.end()

    def half(self):
        self.body()
        self.socket.shutdown(socket.SHUT_WR)

    def urgent(self):
        self.socket.send(b"!", socket.MSG_OOB)
        self.header()

    def end(self):
        self.life = time.monotonic() - self.begin
        self.socket.close()

    def look(self):
        """Goes on by one step."""
        try:
            if not self.served:
                self.greet()
            elif self.kind in ("drip", "deaf"):
                getattr(self, self.kind)()
        except BlockingIOError:
            pass
        except OSError:
            self.end()

    def greet(self):
        if not self.greeted:
            self.socket.send(frame(HELLO))
            self.greeted = True
        if self.socket.recv(65536):
            self.go()
        else:
            self.end()


class Crowd:
    def __init__(self, where, count):
        self.where, self.count = where, count
        self.kinds = itertools.cycle(KINDS)
        self.here, self.gone, self.turned_away = [], [], 0
        self.numbers = itertools.count()
        self.not_before = dict.fromkeys(SOURCES, 0.0)

    def most(self):
        """How many are served at this moment."""
        return sum(peer.served for peer in self.here)

    def come(self):
        """Some more, one of an address."""
        free = self.count - len(self.gone) - len(self.here)
        now = time.monotonic()
        for source in self.sources(now)[: min(BURST, free)]:
            peer = Peer(next(self.kinds), next(self.numbers), self.where, source)
            self.here.append(peer)

    def sources(self, now):
        """Those that have room, the emptiest first."""
        held = dict.fromkeys(SOURCES, 0)
        for peer in self.here:
            held[peer.source] += 1
        return sorted((source for source in SOURCES if
                       held[source] < PER_SOURCE and
                       self.not_before[source] <= now), key=held.get)

    def look(self):
        events = select.poll()
        for peer in self.here:
            events.register(peer.socket, select.POLLRDHUP)
        ended = {fd for fd, event in events.poll(0) if event & ENDED}
        for peer in self.here:
            if peer.socket.fileno() in ended and peer.served:
                peer.end()
            else:
                peer.look()
            if peer.life is not None:
                self.leave(peer)
        self.here = [peer for peer in self.here if peer.life is None]

    def leave(self, peer):
        if peer.served:
            self.gone.append(peer)
        else:
            self.turned_away += 1
            self.not_before[peer.source] = time.monotonic() + AWAY


def put(where):
    """Milliseconds until the receipt; None where none came."""
    begin = time.monotonic()
    with contextlib.suppress(OSError), socket.socket() as sock:
        sock.bind((OTHER, 0))
        sock.settimeout(BOUND)
        sock.connect(where)
        header = b'{"cmd":"put","filename":"served","filesize":5,"reply":true}'
        sock.sendall(frame(header) + b"hello")
        sock.shutdown(socket.SHUT_WR)
        if sock.recv(65536).startswith(b'{"ok":true,"cmd":"put"'):
            return (time.monotonic() - begin) * 1000
    return None


def puts(where, go_on):
    """One after the other, as long as go_on says."""
    times = []
    while go_on(len(times)):
        times.append(put(where))
        time.sleep(PAUSE)
    return times


def other(where, starved, results):
    """The process of the one that does not starve."""
    signal.alarm(int(2 * BOUND))
    quiet = puts(where, lambda n: n < QUIET)
    results.put(quiet)
    meanwhile = puts(where, lambda n: not starved.is_set())
    quiet += puts(where, lambda n: n < QUIET)
    results.put((quiet, meanwhile))


def ask(where, headers):
    """The receipts, each of a connection's frames."""
    with socket.socket() as sock:
        sock.bind((OTHER, 0))
        sock.settimeout(BOUND)
        sock.connect(where)
        receipts = sock.makefile("rb")
        for header in headers:
            sock.sendall(frame(header.encode()))
            yield json.loads(receipts.readline() or b"{}")


def release(where, ids):
    """What is wrong with the parts that were left."""
    wrong = []
    for which in ids:
        headers = [STAT % which, PART % (which, len(CUT), 0), ABORT % which]
        stat, part, abort = ask(where, headers)
        if (stat.get("state"), stat.get("offset")) != ("partial", len(CUT)):
            wrong.append("stat of %s: %s" % (which, stat))
        if not part.get("ok") or not abort.get("ok"):
            wrong.append("of %s: %s %s" % (which, part, abort))
    return wrong


def starve(where, count):
    """The crowd, when all of it is gone or the time is up; the most at once."""
    crowd, most = Crowd(where, count), 0
    end = time.monotonic() + BOUND
    while len(crowd.gone) < count and time.monotonic() < end:
        crowd.come()
        crowd.look()
        most = max(most, crowd.most())
        time.sleep(TICK)
    return crowd, most


def too_soon(crowd, stall, session):
    """Who was ended before his deadline: a clock's granularity is forgiven."""
    due = dict.fromkeys(KINDS, stall - 0.05)
    due.update(drip=session - 0.05, **dict.fromkeys(LEAVES, 0))
    return ["a %s was ended after %.2f s" % (peer.kind, peer.life)
            for peer in crowd.gone if peer.life < due[peer.kind]]


def lives(crowd, kind):
    seen = [peer.life for peer in crowd.gone if peer.kind == kind]
    if not seen:
        return [0]
    return [len(seen), round(min(seen), 1), round(max(seen), 1)]


def main():
    where, count = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3])
    stall, session = float(sys.argv[4]), float(sys.argv[5])
    signal.alarm(int(2 * BOUND))
    starved, results = multiprocessing.Event(), multiprocessing.Queue()
    server = multiprocessing.Process(
        target=other, args=(where, starved, results), daemon=True)
    server.start()
    results.get()
    crowd, most = starve(where, count)
    starved.set()
    quiet, meanwhile = results.get()
    wrong = too_soon(crowd, stall, session)
    wrong += ["a %s was not ended" % peer.kind for peer in crowd.here]
    wrong += release(where, [p.id for p in crowd.gone if p.kind == "part"])
    failed = (quiet + meanwhile).count(None)
    if failed or not meanwhile:
        wrong.append("the other: %d of its puts failed" % failed)
    print(json.dumps({
        "ended": len(crowd.gone), "at once": most,
        "turned away": crowd.turned_away,
        **{kind: lives(crowd, kind) for kind in KINDS},
        "served": len(meanwhile), "failed": failed,
        "quiet ms": round(statistics.median(ms or 0 for ms in quiet), 1),
        "meanwhile ms": round(
            statistics.median([ms or 0 for ms in meanwhile] or [0]), 1)}))
    for text in wrong:
        print(text, file=sys.stderr)
    return 1 if wrong else 0


sys.exit(main())
