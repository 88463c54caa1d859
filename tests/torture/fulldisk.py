"""Fills the disk in the middle of a body, of a batch, of an upload and of a
commit, and makes room again.

fulldisk.py --fs=tmpfs|ext4 --putd=FILE

What does not fit is refused no-space (or io, where that is the truth) and is
not visible; what was there before is as it was; nothing is left behind; on the
same connection small files are stored again once there is room. Needs root, and
runs in mounts of its own (unshare --mount), so that nothing is left however it
ends.
"""

import argparse
import errno
import os
import shutil
import subprocess
import sys
import tempfile

import wire
from handler import Handler
from wire import ask, commit, content, part, put

KILO, MEGA = 1024, 1024 * 1024


class Disk:
    """Eight megabytes, and what takes them."""

    def __init__(self, fs):
        self.fs, self.top = fs, tempfile.mkdtemp(prefix="fulldisk.")
        self.mount_point = os.path.join(self.top, "mnt")
        self.filler = os.path.join(self.mount_point, "filler")
        os.mkdir(self.mount_point)

    def __enter__(self):
        if self.fs == "tmpfs":
            options = "size=8M,nr_inodes=150"
            self.run("mount", "-t", "tmpfs", "-o", options, "none", self.mount_point)
        else:
            image = os.path.join(self.top, "image")
            self.run("truncate", "-s", "12M", image)
            shape = ["-b", "1024", "-N", "160", "-O", "^has_journal,^resize_inode"]
            self.run("mkfs.ext4", "-q", "-m", "0", *shape, image)
            self.run("tune2fs", "-j", "-J", "size=1", image)
            self.run("mount", "-o", "loop", image, self.mount_point)
        return self

    @staticmethod
    def run(*command):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def __exit__(self, *_):
        if os.path.ismount(self.mount_point):
            self.run("umount", self.mount_point)
        shutil.rmtree(self.top)

    def fill(self, leave=0):
        """Until not one byte goes into it any more; then `leave` bytes are
        given back."""
        with open(self.filler, "ab", buffering=0) as f:
            for block in (MEGA, 16 * KILO, KILO, KILO):
                try:
                    while True:
                        f.write(bytes(block))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                os.fsync(f.fileno())
            if leave:
                os.ftruncate(f.fileno(), f.tell() - leave)
                os.fsync(f.fileno())

    def take_inodes(self):
        """Until there is none also after three syncs: one that was freed a
        moment ago comes back late."""
        taken, in_vain = [], 0
        while in_vain < 3:
            before = len(taken)
            self.run("sync", "--file-system", self.mount_point)
            try:
                while True:
                    path = os.path.join(self.mount_point, "inode%d" % len(taken))
                    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
                    taken.append(path)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
            in_vain = in_vain + 1 if len(taken) == before else 0
        return taken

    def free(self):
        os.unlink(self.filler)
        os.sync()


class Trial:
    def __init__(self, disk, putd, *options):
        self.disk, self.root = disk, os.path.join(disk.mount_point, "root")
        self.wrong, self.kept = [], {}
        os.mkdir(self.root)
        self.handler = Handler(putd, self.root, *options)
        self.store("earlier", content("earlier", 3000))

    def close(self):
        self.handler.__exit__()
        self.say_what_is_left()
        self.look()
        shutil.rmtree(self.root)
        if os.path.exists(self.disk.filler):
            self.disk.free()

    def say(self, what):
        self.wrong.append(what)

    def say_what_is_left(self):
        private = os.path.join(self.root, ".putd")
        names = os.listdir(private) if os.path.isdir(private) else []
        left = [name for name in names if name.startswith("tmp.")]
        if left:
            self.say("left behind: %s" % left)

    def store(self, name, body):
        receipt = self.handler.ask(put(name, body))
        self.kept[name] = body
        if not receipt["ok"]:
            self.say("not stored: %s" % receipt)

    def refused(self, receipt, *errors):
        if receipt["ok"] or receipt["error"] not in (errors or ("no-space", "io")):
            self.say("not refused: %s" % receipt)

    def look(self):
        """Just what receipts told, whole."""
        seen = {}
        for where, _, names in os.walk(self.root):
            if ".putd" not in where:
                for name in names:
                    path = os.path.join(where, name)
                    with open(path, "rb") as f:
                        seen[os.path.relpath(path, self.root)] = f.read()
        for name in {*seen, *self.kept}:
            if seen.get(name) != self.kept.get(name):
                size = "%d bytes" % len(seen[name]) if name in seen else "gone"
                self.say("%s is %s" % (name, size))

    def is_well_again(self):
        for n in range(20):
            self.store("later%d" % n, content("later %d" % n, 500))
        self.look()

    def in_the_middle(self, frame, first, act):
        """act() when the first bytes of the frame are where they belong."""
        data = frame.encode()
        self.handler.send(data[:first])
        self.handler.wait_until_read()
        act()
        self.handler.send(data[first:])
        return self.handler.receipt()


def body(trial):
    for name in ("earlier", "new"):
        frame = put(name, content("body of " + name, 900 * KILO))
        trial.refused(trial.in_the_middle(frame, 400 * KILO, trial.disk.fill))
        trial.look()
        trial.disk.free()
        trial.is_well_again()


def large_body(trial):
    """Its disk is taken ahead; what it does not get it is refused."""
    frame = put("large", content("large", 3 * MEGA))
    receipt = trial.in_the_middle(frame, 1500 * KILO, trial.disk.fill)
    if receipt["ok"]:
        trial.kept["large"] = frame.body
    else:
        trial.refused(receipt)
    trial.disk.free()
    trial.refused(trial.handler.ask(put("huge", content("huge", 20 * MEGA))), "no-space")
    trial.is_well_again()


def batch(trial):
    trial.disk.fill(leave=300 * KILO)
    frames = [put("batch%d" % n, content("batch %d" % n, 9000)) for n in range(60)]
    trial.handler.send(wire.encode(frames))
    stored = 0
    for frame in frames:
        receipt = trial.handler.receipt()
        if receipt["ok"]:
            stored += 1
            trial.kept[receipt["stored"]] = frame.body
        else:
            trial.refused(receipt)
    if not 0 < stored < len(frames):
        trial.say("%d of the batch were stored" % stored)
    trial.look()
    trial.disk.free()
    trial.is_well_again()


def names(trial):
    """The directory itself must grow for them."""
    frames = [put("%s%d" % ("n" * 200, n), b"") for n in range(120)]
    trial.disk.fill()
    trial.handler.send(wire.encode(frames))
    for frame in frames:
        receipt = trial.handler.receipt()
        if receipt["ok"]:
            trial.kept[receipt["stored"]] = b""
        else:
            trial.refused(receipt)
    trial.look()
    trial.disk.free()
    for name in [name for name in trial.kept if name.startswith("nnn")]:
        os.unlink(os.path.join(trial.root, name))
        del trial.kept[name]
    trial.is_well_again()


def upload(trial):
    whole, upload_id = content("upload", 700 * KILO), "upload-on-full-disk"
    frame = part(upload_id, 0, whole)
    trial.refused(trial.in_the_middle(frame, 300 * KILO, trial.disk.fill))
    trial.disk.free()
    told = trial.handler.ask(ask("stat", upload_id))
    held = told.get("offset", 0)
    if not trial.handler.ask(part(upload_id, held, whole[held:]))["ok"]:
        trial.say("cannot go on at %d" % held)
    finish(trial, upload_id, whole)


def finish(trial, upload_id, whole):
    receipt = trial.handler.ask(commit(upload_id, "upload", len(whole), sha256=wire.sha256(whole)))
    trial.kept["upload"] = whole
    if not receipt["ok"]:
        trial.say("cannot be committed: %s" % receipt)
    trial.disk.fill()
    again = trial.handler.ask(commit(upload_id, "upload", len(whole)))
    if again != receipt:
        trial.say("not the same receipt: %s" % again)
    trial.disk.free()
    trial.is_well_again()


def commit_without_room(trial, take=None, give=None):
    whole, upload_id = content("upload", 300 * KILO), "commit-on-full-disk"
    trial.store("upload", content("old upload", 300))
    if not trial.handler.ask(part(upload_id, 0, whole))["ok"]:
        trial.say("not held")
    taken = (take or trial.disk.fill)()
    receipt = trial.handler.ask(commit(upload_id, "upload", len(whole)))
    trial.look()
    told = trial.handler.ask(ask("stat", upload_id))
    if receipt["ok"]:
        trial.say("there was room for a commit")
    trial.refused(receipt)
    if told.get("state") != "partial" or told["offset"] != len(whole):
        trial.say("the partial file is not what it was: %s" % told)
    (give or (lambda _: trial.disk.free()))(taken)
    finish(trial, upload_id, whole)


def inodes(trial):
    def give(taken):
        for path in taken:
            os.unlink(path)

    taken = trial.disk.take_inodes()
    trial.refused(trial.handler.ask(put("a", b"1")))
    trial.refused(trial.handler.ask(put("p/q/a", b"1")))
    trial.refused(trial.handler.ask(part("upload-without-inode", 0, b"1")))
    give(taken)
    commit_without_room(trial, trial.disk.take_inodes, give)


def directories(trial):
    trial.disk.fill()
    trial.refused(trial.handler.ask(put("p/q/r/a", content("a", 5000))))
    trial.disk.free()
    trial.store("p/q/r/a", content("a", 5000))
    trial.is_well_again()


ACTS = (body, large_body, batch, names, upload, commit_without_room, inodes, directories)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fs", choices=["tmpfs", "ext4"], required=True)
    parser.add_argument("--putd", required=True)
    options = parser.parse_args()
    broken = 0
    with Disk(options.fs) as disk:
        for act in ACTS:
            trial = Trial(disk, options.putd, "--mkdirs")
            try:
                act(trial)
            finally:
                trial.close()
            for what in trial.wrong:
                print("BROKEN %s, %s: %s" % (options.fs, act.__name__, what), flush=True)
            broken += len(trial.wrong)
    print("full %s: %d acts, %d promises broken" % (options.fs, len(ACTS), broken))
    return 1 if broken else 0


sys.exit(main())
