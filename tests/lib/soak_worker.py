"""One of the peers of tests/soak: it sends of everything a server gets, at random,
and judges each answer at once. Knows the framing of put-protocol(7).
"""

import contextlib
import json
import random
import signal
import socket
import struct
import subprocess
import threading
import time

from soak_ledger import digest_of

BOUND = 300  # seconds for any one answer: a machine may stand still for a minute
NAMES = 8  # of a worker's own, and as many that it shares
PARTS = 20  # connections for one upload, at most


def frame(body=b"", **keys):
    header = json.dumps(keys).encode()
    return struct.pack("<i", len(header)) + header + body


def first(receipts, command):
    for receipt in receipts:
        if receipt.get("cmd") == command:
            return receipt
    return None


class Worker(threading.Thread):
    """`place` is a Place of tests/soak: where it sends to, and what is known."""

    def __init__(self, place, number):
        super().__init__(name="worker %d" % number)
        self.place, self.ledger, self.number = place, place.ledger, number
        self.random = random.Random(number)
        self.uploads = 0

    def run(self):
        kinds = [self.whole, self.whole, self.legacy, self.upload, self.upload,
                 self.policy, self.cut, self.several, self.shared]
        if self.place.kills:
            kinds.append(self.killed)
        while not self.place.over.is_set():
            kind = self.random.choice(kinds)
            kind()
            self.place.count(kind.__name__)

    def body(self):
        size = self.random.choice([0, 5, 700, 4096, 70000, 1500000])
        return self.random.randbytes(self.random.randint(0, size))

    def own(self):
        """A name that nobody else sends."""
        return "w%d/f%d" % (self.number, self.random.randrange(NAMES))

    def exchange(self, stream, cut=False, kill=False):
        """What came back, as a list."""
        if self.random.random() < 0.5 and not kill:
            out = self.ask_listener(stream)
        else:
            out = self.ask_handler(stream, kill)
        lines = out.split(b"\n")
        if lines.pop() and not cut and not kill:
            self.place.fail("half a line:", out[-80:])
        return [json.loads(line) for line in lines]

    def ask_listener(self, stream):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(BOUND)
            sock.connect(self.place.listen)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(stream)
                sock.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: sock.recv(65536), b""))

    def ask_handler(self, stream, kill):
        with subprocess.Popen(self.place.command(), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as running:
            if kill:
                threading.Timer(self.random.uniform(0, 0.02), running.send_signal,
                                [signal.SIGKILL]).start()
            with contextlib.suppress(BrokenPipeError):
                out = running.communicate(stream, BOUND)[0]
        if running.returncode == -signal.SIGKILL:
            self.place.count("died")
        return out

    def settled(self, name, body, receipt, began, mine=True):
        """`mine`: nobody else sends that name, so that it shows what it said."""
        if receipt is None or (not receipt["ok"] and receipt["error"] == "io"):
            self.ledger.may_be(name, digest_of(body))
        elif receipt["ok"]:
            if not receipt["durable"]:
                self.place.fail("not durable:", receipt)
            name = receipt["stored"]
            self.ledger.stored(name, digest_of(body), began)
        self.place.count("stored" if receipt and receipt["ok"] else
                         receipt["error"] if receipt else "unknown")
        if mine and self.ledger.shown(name) not in self.ledger.allowed(name):
            self.place.fail("not what was said:", name, receipt)

    def put(self, name, body, kill=False, mine=True, **keys):
        began = time.monotonic()
        receipts = self.exchange(frame(body, cmd="put", filename=name,
                                       filesize=len(body), reply=True, **keys),
                                 kill=kill)
        if len(receipts) != 1 and not (kill and not receipts):
            self.place.fail("expected one receipt:", receipts)
        receipt = first(receipts, "put")
        self.settled(name, body, receipt, began, mine)
        return receipt

    def whole(self):
        body = self.body()
        keys = {}
        if self.random.random() < 0.5:
            keys["sha256"] = digest_of(body)
        self.put(self.own(), body, **keys)

    def policy(self):
        receipt = self.put(self.own(), self.body(),
                           if_exists=self.random.choice(["keep", "reject"]))
        # Whoever the files are for takes most of them, or the disk would fill.
        if receipt["ok"] and receipt["stored"] != receipt["filename"] and \
                self.random.random() < 0.9:
            self.ledger.taken_away(receipt["stored"])

    def shared(self):
        """A name that others send at the same time."""
        policy = self.random.choice(["replace", "replace", "reject"])
        self.put("shared/f%d" % self.random.randrange(NAMES), self.body(),
                 mine=False, if_exists=policy)

    def several(self):
        """Files of one connection, and the summary."""
        numbers = self.random.sample(range(NAMES), self.random.randint(2, 5))
        files = [("w%d/f%d" % (self.number, n), self.body()) for n in numbers]
        stream = b"".join(frame(body, cmd="put", filename=name, filesize=len(body),
                                reply=True) for name, body in files)
        began = time.monotonic()
        receipts = self.exchange(stream + frame(cmd="end", reply=True))
        if len(receipts) != len(files) + 1:
            self.place.fail("expected one receipt each, and a summary:", receipts)
        for (name, body), receipt in zip(files, receipts):
            self.settled(name, body, receipt, began)
        self.judge_summary(receipts)

    def judge_summary(self, receipts):
        stored = [receipt for receipt in receipts[:-1] if receipt["ok"]]
        refused = len(receipts) - 1 - len(stored)
        right = {"ok": refused == 0, "cmd": "end", "files": len(stored),
                 "failed": refused,
                 "bytes": sum(receipt["filesize"] for receipt in stored)}
        if receipts[-1] != right:
            self.place.fail("summary:", receipts[-1], "of", receipts[:-1])

    def legacy(self):
        """Nothing is answered: it is there if there was room."""
        name, body = self.own(), self.body()
        if self.exchange(frame(body, cmd="put", filename=name, filesize=len(body))):
            self.place.fail("a legacy sender got an answer")
        self.ledger.may_be(name, digest_of(body))

    def cut(self):
        name, body = self.own(), self.body() + b"end"
        stream = frame(body, cmd="put", filename=name, filesize=len(body), reply=True)
        receipts = self.exchange(stream[:self.random.randrange(len(stream))], cut=True)
        if any(receipt["ok"] for receipt in receipts):
            self.place.fail("stored half a file:", receipts)

    def killed(self):
        self.put(self.own(), self.body(), kill=True)

    def upload(self):
        """Parts on connections of their own, of which some are killed; the commit
        is repeated until it is answered."""
        self.uploads += 1
        name, body = self.own(), self.body()
        upload = Upload(self, "soak-%d-%016d" % (self.number, self.uploads), body)
        began = time.monotonic()
        for _ in range(PARTS):
            receipt = upload.go_on(name)
            if receipt is not None and receipt["ok"]:
                self.settled(name, body, receipt, began)
                return
        # Perhaps the last one was carried out and its answer lost.
        self.ledger.may_be(name, digest_of(body))
        self.place.count("gave up")
        self.exchange(frame(cmd="abort", id=upload.key))


class Upload:
    """By id: what the server must hold, at least and at most."""

    def __init__(self, worker, key, body):
        self.worker, self.key, self.body = worker, key, body
        self.least, self.most = 0, 0

    def held(self):
        """Where to go on; what it tells was sent, and all that was acknowledged.
        None where that is to be asked again: it may be busy being forgotten."""
        stat = first(self.worker.exchange(
            frame(cmd="stat", id=self.key, reply=True)), "stat")
        if stat is None or (not stat["ok"] and stat["error"] != "unknown-id"):
            self.worker.place.count("stat " + (stat["error"] if stat else "lost"))
            return None
        offset = stat.get("offset", 0)
        if not stat["ok"] and self.least > 0 and self.worker.place.forgets:
            self.worker.place.count("forgotten")
        elif not self.least <= offset <= self.most and stat.get("state") != "stored":
            self.worker.place.fail("held:", stat, "of", self.least, self.most)
        self.least = offset
        return offset

    def go_on(self, name):
        """The commit's receipt, where it came to that."""
        draw, size = self.worker.random, len(self.body)
        offset = self.held()
        if offset is None:
            return None
        part = self.body[offset:offset + draw.randint(1, size + 1)]
        end = offset + len(part)
        asks = {"reply": True} if draw.random() < 0.5 else {}
        stream = frame(part, cmd="put", id=self.key, offset=offset,
                       filesize=len(part), **asks)
        if end == size:
            stream += frame(cmd="commit", id=self.key, filename=name, size=size,
                            reply=True)
        kill = self.worker.place.kills and draw.random() < 0.1
        self.most = max(self.most, end)
        receipts = self.worker.exchange(stream, kill=kill)
        acknowledged = first(receipts, "put")
        if acknowledged is not None and acknowledged["ok"]:
            if acknowledged["offset"] != end:
                self.worker.place.fail("part:", acknowledged, "not", end)
            self.least = end
        return first(receipts, "commit")
