"""Sixteen handlers at once on the same names and on one id.

crowd.py --putd=FILE [--rounds=N] [--seed=N]

replace   what a receipt promised is not lost: nobody ever reads a file that was
          replaced before the read began, nor half a file
reject    exactly one gets through
keep      all get through, each under a number of its own
one id    every byte of a part is of the one who was told that it was taken
"""

import argparse
import os
import random
import shutil
import sys
import threading
import time

import runner
import wire
from handler import Handler
from wire import commit, content, label_of, part, put

CROWD = 16
NAMES = 4


class Round:
    def __init__(self, putd, seed):
        self.putd, self.seed = putd, seed
        self.root = runner.scratch()
        self.wrong = []
        self.lock = threading.Lock()

    def say(self, what):
        self.wrong.append(what)

    def all_at_once(self, act, *options):
        """act(number, handler, dice) in sixteen threads; its results."""
        results, gate = [None] * CROWD, threading.Barrier(CROWD)

        def run(number):
            try:
                with Handler(self.putd, self.root, *options) as handler:
                    gate.wait()
                    dice = random.Random("%s %d" % (self.seed, number))
                    results[number] = act(number, handler, dice)
            except (OSError, EOFError, ValueError, KeyError) as error:
                self.say("handler %d: %r" % (number, error))

        threads = [threading.Thread(target=run, args=(n,)) for n in range(CROWD)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [result for result in results if result is not None]

    def store(self, handler, name, body, how):
        """A whole put, or by id: the receipt that says how it went."""
        if how.random() < 0.6:
            return handler.ask(put(name, body))
        upload = "crowd-" + wire.sha256(body)[:32]
        middle = how.randrange(len(body))
        handler.send(part(upload, 0, body[:middle], reply=False).encode())
        handler.send(part(upload, middle, body[middle:], reply=False).encode())
        return handler.ask(commit(upload, name, len(body)))

    def files(self):
        found = {}
        for name in os.listdir(self.root):
            if name != ".putd":
                with open(os.path.join(self.root, name), "rb") as f:
                    found[name] = f.read()
        return found

    # --- replace ---------------------------------------------------------

    def replace(self):
        writes, reads, over = [], [], threading.Event()

        def write(number, handler, dice):
            for version in range(12):
                name = "r%d" % dice.randrange(NAMES)
                label = "%s of %d version %d" % (name, number, version)
                body = content(label, dice.choice((80, 3000, 70000)))
                sent = time.monotonic()
                receipt = self.store(handler, name, body, dice)
                if not receipt["ok"] or receipt["stored"] != name:
                    self.say("replace: %s" % receipt)
                writes.append((name, label, sent, time.monotonic()))

        def read():
            while not over.is_set():
                for number in range(NAMES):
                    began, name = time.monotonic(), "r%d" % number
                    try:
                        with open(os.path.join(self.root, name), "rb") as f:
                            reads.append((name, label_of(f.read()), began))
                    except FileNotFoundError:
                        reads.append((name, "", began))

        reader = threading.Thread(target=read)
        reader.start()
        self.all_at_once(write)
        over.set()
        reader.join()
        reads += [(name, label_of(body), time.monotonic()) for name, body in self.files().items()]
        self.judge_reads(writes, reads)
        return "%d writes, %d reads" % (len(writes), len(reads))

    def judge_reads(self, writes, reads):
        times = {(name, label): (sent, told) for name, label, sent, told in writes}
        for name, label, began in reads:
            if label is None:
                self.say("replace: half a file is visible as %s" % name)
                continue
            told = times[name, label][1] if label else 0
            for other, newer, sent, newer_told in writes:
                if other == name and told < sent and newer_told < began:
                    self.say("replace: %s shows %r, lost is %r" % (name, label, newer))
                    break

    # --- reject, keep ------------------------------------------------------

    def reject(self):
        def write(number, handler, dice):
            stored = []
            for name in dice.sample(["j%d" % n for n in range(10)], 10):
                label = "%s of %d" % (name, number)
                receipt = self.store(handler, name, content(label, dice.choice((80, 5000))), dice)
                if receipt["ok"]:
                    stored.append((name, label))
                elif receipt["error"] != "exists":
                    self.say("reject: %s" % receipt)
            return stored

        stored = sum(self.all_at_once(write, "--if-exists=reject"), [])
        files = {name: label_of(body) for name, body in self.files().items() if name[0] == "j"}
        if sorted(stored) != sorted(files.items()) or len(files) != 10:
            self.say("reject: told %s, there is %s" % (sorted(stored), sorted(files.items())))
        return "%d names" % len(files)

    def keep(self):
        def write(number, handler, dice):
            stored = []
            for version in range(12):
                label = "k of %d version %d" % (number, version)
                receipt = self.store(handler, "k", content(label, dice.choice((80, 5000))), dice)
                if receipt["ok"]:
                    stored.append((receipt["stored"], label))
                else:
                    self.say("keep: %s" % receipt)
            return stored

        stored = sum(self.all_at_once(write, "--if-exists=keep"), [])
        files = {name: label_of(body) for name, body in self.files().items() if name[0] == "k"}
        if sorted(stored) != sorted(files.items()) or len(files) != CROWD * 12:
            self.say("keep: only told: %s" % ({*stored} - {*files.items()}))
            self.say("keep: only there: %s" % ({*files.items()} - {*stored}))
        return "%d files" % len(files)

    # --- one id ------------------------------------------------------------

    def one_id(self):
        size, upload = 3000000, "crowd-on-one-id-%s" % wire.sha256(self.seed.encode())[:16]
        pieces = {}

        def send(number, handler, dice):
            refused = 0
            while True:
                told = handler.ask(wire.ask("stat", upload))
                if told.get("state") == "stored":
                    return refused
                at = told.get("offset", 0)
                if told.get("error") == "busy":
                    refused += 1
                elif at == size:
                    told = handler.ask(commit(upload, "one", size))
                    if not told["ok"] and told["error"] != "busy":
                        self.say("one id: %s" % told)
                        return refused
                else:
                    body = bytes([65 + number]) * min(size - at, dice.choice((100, 30000, 200000)))
                    told = handler.ask(part(upload, at, body))
                    if told["ok"]:
                        with self.lock:
                            pieces[at] = body
                    elif told["error"] in ("busy", "bad-offset", "exists"):
                        refused += 1
                    else:
                        self.say("one id: %s" % told)
                        return refused

        refused = sum(self.all_at_once(send))
        if self.files().get("one") != b"".join(body for _, body in sorted(pieces.items())):
            self.say("one id: the bytes are not those of the parts that were taken")
        senders = {body[0] for body in pieces.values()}
        return "%d parts of %d senders, %d refusals" % (len(pieces), len(senders), refused)

    def left_behind(self):
        left = [n for n in os.listdir(os.path.join(self.root, ".putd"))
                if n.startswith("tmp.") or n.endswith((".part", ".note")) and not self.rejected(n)]
        if left:
            self.say("left behind: %s" % left)

    def rejected(self, name):
        """The partial file of a commit that another won."""
        return name.startswith("crowd-") and not name.startswith("crowd-on")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--putd", required=True)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    options = parser.parse_args()
    broken = 0
    for number in range(options.rounds):
        here = Round(options.putd, "%d.%d" % (options.seed, number))
        try:
            acts = (here.replace, here.reject, here.keep, here.one_id)
            told = ["%s: %s" % (act.__name__, act()) for act in acts]
            here.left_behind()
        finally:
            shutil.rmtree(here.root)
        print("round %d: %s" % (number, "; ".join(told)), flush=True)
        for what in here.wrong[:20]:
            print("BROKEN round %d: %s" % (number, what), flush=True)
        broken += len(here.wrong)
    print("crowd: %d rounds, %d promises broken (seed %d)" % (options.rounds, broken, options.seed))
    return 1 if broken else 0


sys.exit(main())
