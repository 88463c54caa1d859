"""The promises of put-protocol(7) held against what is there: after a run that
was killed or failed, and after the sender has finished what broke off."""

import os
import re

import wire
from model import Model

A_MONTH = 30 * 24 * 3600
NUMBERED = re.compile(r"(.*)\.~\d+~")


def base(name):
    match = NUMBERED.fullmatch(name)
    return match.group(1) if match else name


class Trial:
    """One run of a scenario, and what comes behind it."""

    def __init__(self, scenario, room):
        self.scenario, self.room = scenario, room
        self.model = Model(room.root)
        self.wrong = []
        self.held = {}  # by id, as receipts told it

    def say(self, what):
        self.wrong.append(what)

    def run(self, frames, **how):
        how.setdefault("options", self.scenario.options)
        shim = [how.pop("shim", ""), self.scenario.shim]
        result = self.room.run(frames, shim=",".join(filter(None, shim)), **how)
        if result.hung:
            self.say("it hangs: " + " | ".join(result.trace[-3:]))
        self.model.complaints.clear()
        self.model.follow(result.trace)
        self.wrong += self.model.complaints
        return result

    def tortured(self, **how):
        result = self.run(self.scenario.frames, steps=self.scenario.steps, **how)
        self.visible_is_whole()
        self.receipts_hold(result)
        return result

    # --- after a run -------------------------------------------------------

    def visible_is_whole(self):
        may = self.scenario.whole()
        may["a.~1~"] = may.get("a.~1~", set()) | may.get("a", set())
        for name, body in self.room.files().items():
            if body not in may.get(name, may.get(base(name), ())):
                self.say("%s shows %r, which it never may" % (name, body[:40]))
            if body != self.scenario.before.get(name):
                self.has_its_group(name)
        for name in self.scenario.before:
            if name not in self.room.files():
                self.say("%s is gone" % name)

    def has_its_group(self, name):
        group = self.scenario.groups.get(os.path.dirname(name))
        if group not in (None, os.stat(os.path.join(self.room.root, name)).st_gid):
            self.say("%s is of another group than its directory" % name)

    def asked(self, result):
        return zip([f for f in self.scenario.frames if f.asks], result.receipts)

    def receipts_hold(self, result):
        files = self.room.files()
        frames = self.scenario.frames
        for frame, receipt in self.asked(result):
            if receipt.get("cmd") != frame.header["cmd"]:
                return  # out of step; see in_step()
            if receipt["ok"] and frame.refused:
                self.say("stored what must be refused: %s" % receipt)
            elif receipt["ok"] and frame.stores:
                later = frames[frames.index(frame):]
                bodies = [self.scenario.body_of(f) for f in later
                          if f.stores and f.header["filename"] == frame.header["filename"]]
                if files.get(receipt["stored"]) not in bodies:
                    self.say("promised, and not there: %s" % receipt)
            elif receipt["ok"] and frame.header["cmd"] == "put":
                self.held[frame.header["id"]] = receipt["offset"]
            elif frame.stores and receipt["error"] not in ("io", "timeout"):
                self.is_not_there(frame, receipt, files)
            elif receipt["ok"] and frame.header["cmd"] == "end":
                self.end_holds(files)

    def is_not_there(self, frame, receipt, files):
        """Unless another frame put it there, or it was there before."""
        body = self.scenario.body_of(frame)
        frames = [*self.scenario.served, *self.scenario.frames]
        others = [self.scenario.body_of(f) for f in frames if f.stores and f is not frame]
        if body in files.values() and body not in [*others, *self.scenario.before.values()]:
            self.say("refused, and published: %s" % receipt)

    def end_holds(self, files):
        for frame in self.scenario.frames:
            if frame.stores and not frame.asks:
                name = frame.header["filename"]
                there = self.scenario.body_of(frame) == files.get(name)
                if not there or not self.model.is_durable(name):
                    self.say("end says ok, and %s is not durable" % name)

    def is_undisturbed(self, result):
        self.in_step(result)
        for frame, receipt in self.asked(result):
            if receipt["ok"] == frame.refused and frame.header["cmd"] not in ("end", "stat"):
                self.say("not what it should say: %s" % receipt)

    def end_tells(self, result, least, most):
        """So many were refused: one whose flush failed is among them."""
        failed = result.receipts[-1].get("failed") if result.receipts else -1
        if not least <= failed <= most:
            self.say("not %d refused: %s" % (most, result.receipts[-1:]))

    def in_step(self, result):
        """A receipt for each frame that asked, in their order."""
        asked = [f.header["cmd"] for f in self.scenario.frames if f.asks]
        told = [r.get("cmd") for r in result.receipts]
        if asked != told or not result.output.endswith(b"\n"):
            self.say("out of step: %s" % result.output[-300:])
        if result.status not in (0, 74):
            self.say("exit status %s" % result.status)

    def no_temporaries(self):
        left = [name for name in self.room.files(private=True) if "/tmp." in name]
        if left:
            self.say("left behind: %s" % left)

    # --- what the sender does then ------------------------------------------

    def finish(self):
        for upload in self.scenario.uploads:
            self.finish_upload(upload)
        again = [f for f in self.scenario.frames
                 if f.header["cmd"] == "put" and "filename" in f.header and not f.refused]
        if again:
            result = self.run([*again, wire.Frame(wire.END)])
            if not result.receipts or not result.receipts[-1]["ok"]:
                self.say("cannot be repeated: %s" % result.receipts)
        self.visible_is_whole()
        self.is_final()

    def finish_upload(self, upload):
        if upload.end == "abort":
            frames = [upload.ask("abort"), upload.ask("stat")]
            receipts = self.run(frames).receipts
            if [r.get("error") for r in receipts] != [None, "unknown-id"]:
                self.say("cannot be aborted: %s" % receipts)
            return
        told = (self.run([upload.ask("stat")]).receipts or [{}])[0]
        frames = [upload.commit()]
        if told.get("state") != "stored":
            held = told.get("offset", 0)
            if held < self.held.get(upload.id, 0):
                self.say("held less than a receipt told: %s" % told)
            frames.insert(0, upload.part(held))
        frames.append(upload.commit())
        receipts = self.run(frames).receipts
        if upload.end == "exists":
            if [r.get("error") for r in receipts[-2:]] != ["exists", "exists"]:
                self.say("stored against the policy: %s" % receipts)
        elif len(receipts) != len(frames) or not all(r["ok"] for r in receipts):
            self.say("cannot be finished: %s, %s" % (told, receipts))
        elif receipts[-1] != receipts[-2]:
            self.say("a repeated commit says something else: %s" % receipts)

    def is_final(self):
        files, final = self.room.files(), self.scenario.final
        if files == final:
            return
        if self.scenario.twice:
            extra = sorted(files.values())
            for body in final.values():
                if body in extra:
                    extra.remove(body)
                else:
                    self.say("lost: %r" % body[:40])
            if len(extra) == len({*extra} - {*self.scenario.before.values()}):
                return
        self.say("in the end there is %s" % {n: b[:20] for n, b in files.items()})

    def sweep(self):
        """A month later nothing private is left."""
        before = self.room.files()
        self.run([wire.ask("stat", "-" * 16)], shim="clock=%d" % A_MONTH, traced=False)
        left = [n for n in self.room.files(private=True) if n != ".putd/swept"]
        if left:
            self.say("not swept: %s" % left)
        if self.room.files() != before:
            self.say("the sweep changed what is visible")
