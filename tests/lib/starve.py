"""Hundreds of peers that starve a server, and one that does not.

starve.py ADDRESS PORT COUNT PLACES PER_SOURCE

COUNT peers come at once, from many loopback addresses: more than the server's
launcher has PLACES for, and more from some addresses than the PER_SOURCE that
it lets in. Who is turned away comes again, until each was served: each asks
`hello`, so that it is known to be, and goes on in one of the ways of KINDS until
the server ends it. That must happen at the deadline of its kind, not before and
not much later (see due).

When all places were taken at once, some hang up, to come again later, and ROOM
places are left. Now another peer at another address, a process of its own, puts
windows of small files. As long as nobody of the crowd comes or goes meanwhile, no
put may fail; and the best of the windows beside the full crowd may take at most
SLOWER times as long as in the quiet before and after. (The best, since the
machine may have other work, and the launcher too where some come and go; a crowd
that is in the way is in the way of each.)

At the end the parts of files that were left are asked for by their ids: they are
held, nobody keeps them busy, and they are forgotten.

Prints one line of JSON: of each kind how many were ended, and after how many
seconds the first and the last; how many were served at once, in all and of one
address; how many were turned away; what the other stored, with the median
milliseconds in the quiet and of the windows. Exit status 1 where something is
wrong, which is told on stderr. Knows the framing of put-protocol(7), and the
deadlines that putd has when it is started as shipped.
"""

import collections
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

STALL = 60.0  # seconds: --stall-timeout, as nothing shipped has another
RATE_WINDOW = 60.0  # seconds over which --min-rate is judged
DRAIN = 5.0  # seconds that putd reads on after its end
SLACK = 15.0  # seconds that a busy machine may be late
TIME = 360.0  # seconds for all of it: those of a machine that is very busy
TICK = 0.05  # seconds
BURST = 4  # new connections a tick: less than xinetd's cps
AWAY = 0.25  # seconds until an address that was turned away comes again
SOURCES = ["127.0.0.%d" % n for n in range(2, 18)]
ROOM = 16  # places: for the other, and his processes that are about to end
WINDOW = 20  # files that the other puts in a row
PAUSE = 0.05  # seconds between two of them
QUIET = 2  # windows before, and after
WINDOWS = 3  # beside the full crowd, at least
SLOWER = 2.0
OTHER = "127.0.0.100"
HELLO = b'{"cmd":"hello","reply":true}'
PUT = b'{"cmd":"put","filename":"starving","filesize":1000000}'
PART = '{"cmd":"put","id":"%s","offset":%d,"filesize":%d,"reply":true}'
STAT = '{"cmd":"stat","id":"%s","reply":true}'
ABORT = '{"cmd":"abort","id":"%s","reply":true}'
CUT = b"x" * 5
KINDS = ["drip", "length", "header", "body", "part", "deaf", "reset", "half",
         "urgent"]
ENDED = select.POLLRDHUP | select.POLLHUP | select.POLLERR


def due(kind):
    """Seconds from the last that a peer of this kind does of itself to its end:
    the least (a clock's granularity is forgiven) and the most."""
    least, most = STALL, STALL
    if kind in ("reset", "half"):
        least, most = 0, 0
    elif kind == "drip":  # which stalls never
        least, most = RATE_WINDOW, RATE_WINDOW + 1
    elif kind == "deaf":  # what it asked is read until then
        most += DRAIN
    return least - 0.05, most + SLACK


def frame(header):
    return struct.pack("<i", len(header)) + header


ASKS = frame(HELLO) * 2000


class Peer:
    """From its connection to its end; `life` is in seconds, from when it is
    served."""

    def __init__(self, kind, number, where, source):
        self.kind, self.source = kind, source
        self.id = "starving-peer-%06d" % number
        self.served, self.over, self.life, self.at = False, False, 0.0, 0
        self.begin = self.next_drip = 0.0
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
        self.served, self.begin = True, time.monotonic()
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
        self.over, self.life = True, time.monotonic() - self.begin
        self.socket.close()

    def step(self):
        """What it does now, if anything."""
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
    """Those that wait outside, those that are here, and those that are gone:
    COUNT in all. `moves` counts who came or went since watch(), and `fewest`
    says how many were served all the time."""

    def __init__(self, where, count, places, per_source):
        self.where, self.count = where, count
        self.places, self.per_source = places, per_source
        self.outside = collections.deque(itertools.islice(
            itertools.cycle(KINDS), count))
        self.here, self.gone, self.parts = [], [], []
        self.came, self.turned_away = 0, 0
        self.moves, self.fewest, self.most, self.most_of_one = 0, 0, 0, 0
        self.may_come = count
        self.not_before = dict.fromkeys(SOURCES, 0.0)

    def has_left_room(self):
        return self.may_come < self.places

    def watch(self):
        self.moves, self.fewest = 0, sum(peer.served for peer in self.here)

    def was_full(self):
        """Since then, but for the room that it has left, and as much again for
        those that were about to come."""
        return self.fewest >= self.places - 2 * ROOM

    def step(self):
        self.come()
        for peer in self.here:
            peer.step()
        self.look()
        self.count_served()
        # Everybody has come, and found all places taken.
        if self.came >= self.count and self.most >= self.places:
            self.may_come = self.places - ROOM
        if self.has_left_room() and all(peer.served for peer in self.here):
            self.leave_room()

    def come(self):
        """Some more, one of an address."""
        free = min(BURST, self.may_come - len(self.here), len(self.outside))
        for source in self.sources()[: max(free, 0)]:
            self.here.append(Peer(self.outside.popleft(), self.came, self.where,
                                  source))
            self.came += 1
            self.moves += 1

    def sources(self):
        """Those that have room, and one more than is let in, the fullest first."""
        held = collections.Counter(peer.source for peer in self.here)
        now = time.monotonic()
        return sorted((source for source in SOURCES
                       if held[source] <= self.per_source and
                       self.not_before[source] <= now),
                      key=lambda source: -held[source])

    def look(self):
        """Who was ended. After the steps: the end of him who had a place before
        is there to be seen when the next one is served on it."""
        events = select.poll()
        for peer in self.here:
            if not peer.over:
                events.register(peer.socket, select.POLLRDHUP)
        ended = {fd for fd, event in events.poll(0) if event & ENDED}
        for peer in self.here:
            if not peer.over and peer.served and peer.socket.fileno() in ended:
                peer.end()
            if peer.over:
                self.leave(peer)
        self.here = [peer for peer in self.here if not peer.over]

    def leave(self, peer):
        self.moves += 1
        if peer.served:
            self.gone.append(peer)
            self.note_part(peer)
        else:
            self.turned_away += 1
            self.outside.append(peer.kind)
            self.not_before[peer.source] = time.monotonic() + AWAY

    def count_served(self):
        served = collections.Counter(
            peer.source for peer in self.here if peer.served)
        self.most = max(self.most, sum(served.values()))
        self.fewest = min(self.fewest, sum(served.values()))
        self.most_of_one = max([self.most_of_one, *served.values()])

    def leave_room(self):
        """The last that came hang up, to come again."""
        while len(self.here) > self.may_come:
            peer = self.here.pop()
            peer.end()
            self.outside.append(peer.kind)
            self.note_part(peer)
            self.moves += 1

    def note_part(self, peer):
        if peer.kind == "part":
            self.parts.append(peer.id)


# --- the one that does not starve ----------------------------------------------------


def put(where):
    """Milliseconds until the receipt; None where none came."""
    begin = time.monotonic()
    with contextlib.suppress(OSError), socket.socket() as sock:
        sock.bind((OTHER, 0))
        sock.settimeout(TIME)
        sock.connect(where)
        header = b'{"cmd":"put","filename":"served","filesize":5,"reply":true}'
        sock.sendall(frame(header) + b"hello")
        sock.shutdown(socket.SHUT_WR)
        if sock.recv(65536).startswith(b'{"ok":true,"cmd":"put"'):
            return (time.monotonic() - begin) * 1000
    return None


def put_windows(where, orders):
    """The other's process: a window for each order. Before it he comes again
    until there is a place."""
    signal.alarm(int(2 * TIME))
    while orders.recv():
        while put(where) is None:
            time.sleep(PAUSE)
        times = []
        for _ in range(WINDOW):
            times.append(put(where))
            time.sleep(PAUSE)
        orders.send(times)


class Other:
    """`windows` beside the full crowd are lists of milliseconds; `failed` counts
    what failed while nobody came or went, `served` what did not at any time."""

    def __init__(self, where):
        self.orders, orders = multiprocessing.Pipe()
        multiprocessing.Process(
            target=put_windows, args=(where, orders), daemon=True).start()
        self.windows, self.failed, self.served = [], 0, 0
        self.is_busy = False

    def quiet(self):
        """Milliseconds of some windows; waits for them."""
        times = []
        for _ in range(QUIET):
            self.orders.send(True)
            times += self.orders.recv()
        self.failed += times.count(None)
        return times

    def step(self, crowd):
        if self.is_busy and self.orders.poll():
            self.is_busy = False
            self.take(self.orders.recv(), crowd)
        if not self.is_busy and crowd.has_left_room():
            self.is_busy = True
            crowd.watch()
            self.orders.send(True)

    def take(self, times, crowd):
        self.served += len(times) - times.count(None)
        if crowd.moves == 0:
            self.failed += times.count(None)
        if crowd.was_full() and None not in times:
            self.windows.append(times)

    def finish(self, crowd):
        if self.is_busy:
            self.take(self.orders.recv(), crowd)


# --- what is wrong -------------------------------------------------------------------


def ask(where, headers):
    """The receipts, each of a connection's frames."""
    with socket.socket() as sock:
        sock.bind((OTHER, 0))
        sock.settimeout(TIME)
        sock.connect(where)
        receipts = sock.makefile("rb")
        for header in headers:
            sock.sendall(frame(header.encode()))
            yield json.loads(receipts.readline() or b"{}")


def release(where, ids):
    """What is wrong with the parts that were left."""
    for which in ids:
        headers = [STAT % which, PART % (which, len(CUT), 0), ABORT % which]
        stat, part, abort = ask(where, headers)
        if (stat.get("state"), stat.get("offset")) != ("partial", len(CUT)):
            yield "stat of %s: %s" % (which, stat)
        if not part.get("ok") or not abort.get("ok"):
            yield "of %s: %s %s" % (which, part, abort)


def lives(crowd, kind):
    """Of those that were ended, the shortest first."""
    return sorted(peer.life for peer in crowd.gone if peer.kind == kind)


def ended(crowd, kind):
    seen = lives(crowd, kind)
    return [len(seen), *(round(life, 1) for life in seen[:1] + seen[-1:])]


def wrong_ends(crowd):
    for kind in KINDS:
        seen, (least, most) = lives(crowd, kind), due(kind)
        if seen and not least <= seen[0] <= seen[-1] <= most:
            yield "a %s was ended after %.2f s, another after %.2f s" % (
                kind, seen[0], seen[-1])
    for kind, number in collections.Counter(
            peer.kind for peer in crowd.here if peer.served).items():
        yield "%d of %s were not ended" % (number, kind)
    if len(crowd.gone) < crowd.count:
        yield "%d had their turn" % len(crowd.gone)


def wrong_places(crowd):
    if crowd.most != crowd.places:
        yield "%d were served at once" % crowd.most
    if crowd.most_of_one != crowd.per_source:
        yield "%d of one address were served at once" % crowd.most_of_one


def wrong_service(other, slower):
    if other.failed:
        yield "the other: %d of its puts failed" % other.failed
    if len(other.windows) < WINDOWS:
        yield "only %d windows beside the full crowd" % len(other.windows)
    if slower > SLOWER:
        yield "the other was served %.2f times slower" % slower


def starve(crowd, other):
    """Until all of the crowd is gone or the time is up."""
    end = time.monotonic() + TIME
    while len(crowd.gone) < crowd.count and time.monotonic() < end:
        crowd.step()
        other.step(crowd)
        time.sleep(TICK)
    other.finish(crowd)


def median(times):
    return statistics.median([ms for ms in times if ms is not None] or [0.0])


def main(where, count, places, per_source):
    signal.alarm(int(2 * TIME))
    other, crowd = Other(where), Crowd(where, count, places, per_source)
    quiet = other.quiet()
    starve(crowd, other)
    wrong = [*wrong_ends(crowd), *wrong_places(crowd),
             *release(where, crowd.parts)]
    quiet = median(quiet + other.quiet())
    windows = [median(window) for window in other.windows]
    slower = min(windows, default=0.0) / (quiet or 1.0)
    wrong += wrong_service(other, slower)
    print(json.dumps({
        "ended": len(crowd.gone), "at once": crowd.most,
        "of one address": crowd.most_of_one, "turned away": crowd.turned_away,
        **{kind: ended(crowd, kind) for kind in KINDS},
        "served": other.served, "quiet ms": round(quiet, 1),
        "windows ms": [round(ms, 1) for ms in windows],
        "times slower": round(slower, 2)}))
    for text in wrong:
        print(text, file=sys.stderr)
    return 1 if wrong else 0


sys.exit(main((sys.argv[1], int(sys.argv[2])), *map(int, sys.argv[3:6])))
