"""Cuts the power under several senders, again and again, and holds the receipts
against what is there after the next mount.

powercut.py --fs=ext4|xfs --putd=FILE [--cuts=N] [--seed=N]

A loop-mounted image; senders of small files in batches, of large files and of
uploads by id; at a random moment `xfs_io -x -c shutdown`, unmount, mount. Then
every receipt with "durable" must be true, every visible file whole (its content
says what it is), and every upload by id can be resumed to its end. Needs root,
and runs in mounts of its own (unshare --mount), so that nothing is left however
it ends.
"""

import argparse
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import wire
from wire import commit, content, label_of, part, put

BOUND = 60  # seconds for any one event
SIZE = {"ext4": "192M", "xfs": "384M"}
OPTIONS = ["--min-free=0", "--log=none", "--mkdirs"]
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C"}


class Sender(threading.Thread):
    """Feeds one handler until it is gone. `sent` frames and `told` receipts
    stand side by side: all frames ask."""

    def __init__(self, cut, number):
        super().__init__(daemon=True)
        self.cut, self.number = cut, number
        self.dice = random.Random("%s %d" % (cut.seed, number))
        self.sent, self.told = [], []
        self.process = None

    def frames(self):
        raise NotImplementedError

    def run(self):
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [self.cut.putd, *OPTIONS, self.cut.root],
                stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=ENVIRONMENT,
            )
        with ours:
            ours.settimeout(BOUND)
            reader = threading.Thread(target=self.read, args=(ours,), daemon=True)
            reader.start()
            try:
                for frame in self.frames():
                    self.sent.append(frame)
                    ours.sendall(frame.encode())
                    if self.cut.is_over.is_set():
                        break
                ours.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            reader.join(BOUND)
        self.process.wait(BOUND)

    def read(self, ours):
        data = b""
        try:
            while more := ours.recv(65536):
                data += more
                if b"\n" in more:
                    lines, _, data = data.rpartition(b"\n")
                    self.told += wire.receipts(lines + b"\n")
                    self.cut.heard(self)
        except OSError:
            pass

    def answered(self):
        return list(zip(self.sent, self.told))


def time_of(label):
    """The modification time that goes with a content: it must survive, too."""
    return 1000000000 + sum(label.encode()) * 1000


class Small(Sender):
    """Small files as fast as they go, new ones and ones that replace."""

    def frames(self):
        for n in range(1000000):
            again = self.dice.random() < 0.3
            name = "small%d/%d" % (self.number, self.dice.randrange(20) if again else 100 + n)
            label = "%s version %d" % (name, n)
            yield put(name, content(label, self.dice.randrange(60, 9000)), mtime=time_of(label))


class Large(Sender):
    def frames(self):
        for n in range(1000000):
            name = "large%d/%d" % (self.number, self.dice.randrange(3))
            label = "%s version %d" % (name, n)
            body = content(label, self.dice.randrange(1 << 19, 6 << 20))
            yield put(name, body, mtime=time_of(label))


class Uploads(Sender):
    """By id, in parts, one after the other; committed under `keep` or over what
    is there, with a digest or without."""

    def __init__(self, cut, number):
        super().__init__(cut, number)
        self.uploads = []

    def frames(self):
        for n in range(1000000):
            upload = Upload(self, n)
            self.uploads.append(upload)
            at = 0
            while at < len(upload.body):
                size = self.dice.randrange(1, self.dice.choice((5000, 1 << 20)))
                yield part(upload.id, at, upload.body[at:at + size])
                at += size
            yield upload.commit()


class Upload:
    def __init__(self, sender, n):
        dice = sender.dice
        of_cut = wire.sha256(sender.cut.seed.encode())[:16]
        self.id = "cut-%s-%d-%d" % (of_cut, sender.number, n)
        self.keep = dice.random() < 0.5
        self.name = "kept" if self.keep else "by-id%d-%d" % (sender.number, dice.randrange(4))
        self.label = "%s version %d of %s" % (self.name, n, self.id)
        self.body = content(self.label, dice.choice((200, 5000, 70000, 1500000, 4000000)))
        self.more = {"if_exists": "keep"} if self.keep else {}
        if dice.random() < 0.5:
            self.more["sha256"] = wire.sha256(self.body)
        self.more["mtime"] = time_of(self.label)

    def commit(self):
        return commit(self.id, self.name, len(self.body), **self.more)


class Cut:
    """One cut: what was sent and told before it, and what is there after it."""

    def __init__(self, image, putd, seed):
        self.image, self.putd, self.seed = image, putd, seed
        self.root = os.path.join(image.mount_point, "root")
        self.dice = random.Random(str(seed))
        self.resumed = 0
        self.is_over = threading.Event()
        self.all_heard = threading.Event()
        self.silent = set()
        self.wrong = []

    def say(self, what):
        self.wrong.append(what)

    def heard(self, sender):
        self.silent.discard(sender)
        if not self.silent:
            self.all_heard.set()

    def send_and_cut(self):
        os.mkdir(self.root)
        kinds = (Small, Small, Large, Uploads, Uploads)
        self.senders = [kind(self, number) for number, kind in enumerate(kinds)]
        self.silent = set(self.senders)
        for sender in self.senders:
            sender.start()
        self.all_heard.wait(BOUND)
        # The random moment.
        self.all_heard.clear()
        self.is_over.wait(self.dice.random() * 0.5)
        self.image.cut()
        self.is_over.set()
        for sender in self.senders:
            sender.join(BOUND)
            if sender.is_alive() or sender.process.returncode is None:
                sender.process.kill()
                self.say("a handler hangs after the cut")

    # --- after the mount ---------------------------------------------------

    def look(self):
        """{name: label}; every visible file must be whole."""
        seen = {}
        for where, directories, names in os.walk(self.root):
            if ".putd" in directories:
                directories.remove(".putd")
            for name in names:
                path = os.path.join(where, name)
                with open(path, "rb") as f:
                    data = f.read()
                label, name = label_of(data), os.path.relpath(path, self.root)
                if label is None or not label.startswith(name.partition(".~")[0] + " "):
                    self.say("%s is not whole: %d bytes, %r" % (name, len(data), data[:60]))
                    continue
                if os.stat(path).st_mtime != time_of(label):
                    self.say("%s has lost its time" % name)
                seen[name] = label
        return seen

    @staticmethod
    def version(label):
        return int(label.split(" version ")[1].split()[0])

    def judge_puts(self, seen):
        promised = {}
        for sender in self.senders:
            for frame, receipt in sender.answered():
                whole = receipt["cmd"] == "put" and "stored" in receipt
                if whole and receipt["ok"] and receipt["durable"]:
                    promised[receipt["stored"]] = label_of(frame.body)
        for name, label in promised.items():
            if name not in seen or self.version(seen[name]) < self.version(label):
                self.say("promised %s, there is %s" % (label, seen.get(name)))
        return len(promised)

    def judge_uploads(self, sender, seen):
        """Those committed with a receipt are there; the others are resumed."""
        held, done, latest = {}, {}, {}
        for frame, receipt in sender.answered():
            if receipt["ok"] and receipt["cmd"] == "commit":
                done[frame.header["id"]] = receipt
                latest[receipt["stored"]] = frame.header["id"]
            elif receipt["ok"] and receipt["cmd"] == "put" and receipt["durable"]:
                held[frame.header["id"]] = receipt["offset"]
        for upload in sender.uploads:
            if upload.id in done:
                stored = done[upload.id]["stored"]
                if stored not in seen or upload.keep and seen[stored] != upload.label:
                    self.say("promised %s, there is %s" % (upload.label, seen.get(stored)))
                elif latest[stored] == upload.id:
                    if self.version(seen[stored]) < self.version(upload.label):
                        self.say("promised %s, there is %s" % (upload.label, seen[stored]))
            self.finish(upload, held.get(upload.id, 0), done.get(upload.id))
        return len(done)

    def ask(self, frames):
        done = subprocess.run(
            [self.putd, *OPTIONS, self.root], input=wire.encode(frames), stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=BOUND, check=False, env=ENVIRONMENT,
        )
        return wire.receipts(done.stdout)

    def finish(self, upload, held, receipt):
        told = self.ask([wire.ask("stat", upload.id)])[0]
        if receipt and told.get("state") != "stored":
            self.say("the receipt of %s is forgotten: %s" % (upload.label, told))
        frames = [upload.commit()]
        if told.get("state") != "stored":
            at = told.get("offset", 0)
            if at < held:
                self.say("%s: held %d, and a receipt told %d" % (upload.label, at, held))
            self.resumed += at > 0
            frames.insert(0, part(upload.id, at, upload.body[at:]))
        receipts = self.ask(frames)
        if not receipts or not all(r["ok"] for r in receipts):
            self.say("%s cannot be finished: %s, %s" % (upload.label, told, receipts))
        elif receipt and receipts[-1] != receipt:
            self.say("another receipt: %s, %s" % (receipt, receipts[-1]))

    def judge(self):
        seen = self.look()
        uploads = [sender for sender in self.senders if isinstance(sender, Uploads)]
        promised = self.judge_puts(seen)
        promised += sum(self.judge_uploads(sender, seen) for sender in uploads)
        labels = list(self.look().values())
        for upload in [upload for sender in uploads for upload in sender.uploads if upload.keep]:
            if labels.count(upload.label) != 1:
                self.say("%s is there %d times" % (upload.label, labels.count(upload.label)))
        # A record whose bytes are gone is for the sweep.
        private = os.listdir(os.path.join(self.root, ".putd"))
        left = [name for name in private if name.endswith(".part")]
        if left:
            self.say("partial files of finished uploads: %s" % left)
        return promised, len(seen)


class Image:
    """A loop-mounted filesystem; its loop device goes with its mount."""

    def __init__(self, fs):
        self.top = tempfile.mkdtemp(prefix="powercut.")
        self.file, self.mount_point = os.path.join(self.top, "image"), os.path.join(self.top, "mnt")
        os.mkdir(self.mount_point)
        self.run("truncate", "-s", SIZE[fs], self.file)
        self.run("mkfs." + fs, "-q", self.file)

    @staticmethod
    def run(*command):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def mount(self):
        self.run("mount", "-o", "loop", self.file, self.mount_point)

    def unmount(self):
        self.run("umount", self.mount_point)

    def cut(self):
        self.run("xfs_io", "-x", "-c", "shutdown", self.mount_point)

    def close(self):
        if os.path.ismount(self.mount_point):
            self.unmount()
        shutil.rmtree(self.top)


def one_cut(image, options, number):
    cut = Cut(image, options.putd, "%d.%d" % (options.seed, number))
    start = time.monotonic()
    cut.send_and_cut()
    image.unmount()
    image.mount()
    promised, there = cut.judge()
    shutil.rmtree(cut.root)
    print(
        "%s cut %d: %d files and commits promised, %d files there, %d uploads resumed, %.1f s"
        % (options.fs, number, promised, there, cut.resumed, time.monotonic() - start),
        flush=True,
    )
    for what in cut.wrong:
        print("BROKEN %s cut %d: %s" % (options.fs, number, what), flush=True)
    return len(cut.wrong)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fs", choices=SIZE, required=True)
    parser.add_argument("--putd", required=True)
    parser.add_argument("--cuts", type=int, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    options = parser.parse_args()
    image, broken = Image(options.fs), 0
    try:
        image.mount()
        for number in range(options.cuts):
            broken += one_cut(image, options, number)
    finally:
        image.close()
    account = (options.fs, options.cuts, broken, options.seed)
    print("%s: %d cuts, %d promises broken (seed %d)" % account)
    return 1 if broken else 0


sys.exit(main())
