"""Kills, fails or bends each call that putd makes while it serves a scenario.

calls.py kill|fail|bend... --putd=FILE --shim=FILE [--points=N] [--seed=N] [--only=WORD]

Each call behind the sandbox is a point. At each, of a fresh directory: the
scenario with the injection, the promises held against what is there; then the
sender finishes, and what is there must be final; then a month passes, and
nothing private may be left. `bend` is what strace cannot do: short reads and
writes, results of Linux AIO, calls that say EIO and are carried out (shim.c).
--points=N takes N of all points of each way, by a seed that is told, and none of
the scenarios that are long; --only takes those whose name has WORD in it. The
exit status is 1 where a promise did not hold.
"""

import argparse
import concurrent.futures
import math
import os
import random
import shutil
import sys

import runner
import scenarios
from judge import Trial
from runner import Room, points

ERRORS = {
    "recvfrom": ["EINTR", "EIO"],
    "sendto": ["EINTR", "EIO"],
    "poll": ["EINTR", "EIO"],
    "ppoll": ["EINTR", "EIO"],
    "brk": ["ENOMEM"],
    "mmap": ["ENOMEM"],
    "io_setup": ["EAGAIN", "ENOSYS", "EIO"],
    "io_submit": ["EAGAIN", "EINVAL", "EIO"],
    "io_getevents": ["EINTR", "EIO"],
    "fallocate": ["EIO", "ENOSPC", "EDQUOT", "EINTR", "EOPNOTSUPP"],
    "openat2": ["EIO", "EAGAIN", "EINTR", "EMFILE", "EACCES", "ENOSYS"],
    "exit_group": [],
    "munmap": [],
}
USUAL = ["EIO", "ENOSPC", "EDQUOT", "EINTR", "EMFILE", "EACCES"]
LATE = ("renameat", "renameat2", "linkat", "unlinkat", "mkdirat", "fsync", "fdatasync")
SEEDS = 4  # of short reads and writes, for each scenario


class Torment:
    """What is done to one run, and what it may do to the run."""

    def __init__(self, label, inject=None, shim="", dies=False, breaks_off=False, leaves=False,
                 hurts=True, refuses=None):
        self.label, self.inject, self.shim = label, inject, shim
        self.dies = dies  # nothing of it is left
        self.breaks_off = breaks_off  # the stream
        self.leaves = leaves  # temporaries, for the sweep
        self.hurts = hurts  # frames may be refused
        self.refuses = refuses  # so many files more than undisturbed


def kills(found):
    for point in found:
        yield Torment("killed at %s" % point, point.kill(), dies=True)


def failures(found):
    for point in found:
        for error in ERRORS.get(point.call, USUAL):
            yield Torment("%s at %s" % (error, point), point.fail(error),
                          breaks_off=point.on_connection and error != "EINTR",
                          leaves=point.call == "unlinkat")


def flushed(found):
    """Files that Linux AIO flushed."""
    return sum(int(point.line.rpartition("= ")[2]) for point in found
               if point.call == "io_getevents")


def bends(found):
    calls = [point.call for point in found]
    for seed in range(1, SEEDS + 1):
        yield Torment("chop=%d" % seed, shim="chop=%d" % seed, hurts=False)
    yield Torment("aio-one", shim="aio-one", hurts=False)
    for n in range(1, calls.count("pwrite64") + calls.count("write") + 1):
        yield Torment("short=%d" % n, shim="short=%d" % n, leaves=True)
    if "io_submit" in calls:
        for n in range(1, flushed(found) + 1):
            for result in (-5, -28, -122, -4):
                yield Torment("aio=%d:%d" % (n, result), shim="aio=%d:%d" % (n, result), refuses=1)
            yield Torment("aio=%d:-22" % n, shim="aio=%d:-22" % n, hurts=False)
    for call in LATE:
        for n in range(1, calls.count(call) + 1):
            yield Torment("late=%s:%d" % (call, n), shim="late=%s:%d" % (call, n), leaves=True)


WAYS = {"kill": kills, "fail": failures, "bend": bends}


class Torture:
    def __init__(self, options):
        self.options = options
        self.top = runner.scratch()
        self.account = []

    def room(self, scenario):
        room = Room(self.options.putd, self.options.shim, os.path.join(self.top, scenario.name))
        room.hand_over(scenario.groups)
        return room

    def prepare(self, scenario):
        """The directory as it is before; and the points of a run that nothing
        disturbs, which must be right itself."""
        room = Room(self.options.putd, self.options.shim)
        try:
            for name, body in scenario.before.items():
                path = os.path.join(room.root, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as f:
                    f.write(body)
            room.hand_over(scenario.groups)
            if scenario.served:
                room.run(scenario.served, scenario.options, traced=False)
            shutil.copytree(room.root, os.path.join(self.top, scenario.name))
            trial = Trial(scenario, room)
            result = trial.tortured()
            trial.is_undisturbed(result)
            scenario.failed = result.receipts[-1].get("failed")
            trial.finish()
            trial.sweep()
            return points(result.trace), trial.wrong
        finally:
            room.close()

    def torture(self, scenario, torment):
        room = self.room(scenario)
        try:
            trial = Trial(scenario, room)
            result = trial.tortured(inject=torment.inject, shim=torment.shim)
            if not torment.dies and result.status is not None and result.status < 0:
                trial.say("it died: %s" % result.status)
            if not torment.hurts:
                trial.is_undisturbed(result)
            elif not torment.dies and not torment.breaks_off:
                trial.in_step(result)
            if torment.refuses is not None:
                # In steps, how many files are flushed together differs from
                # run to run, and so whether Linux AIO is asked at all.
                least = 0 if scenario.steps else torment.refuses
                trial.end_tells(result, scenario.failed + least, scenario.failed + torment.refuses)
            if not torment.dies and not torment.leaves:
                trial.no_temporaries()
            trial.finish()
            trial.sweep()
            return torment.inject is None or result.met(), trial.wrong
        finally:
            room.close()

    def chosen(self, way, prepared):
        """Some of each scenario, the seed says which; all without --points."""
        dice = random.Random(self.options.seed)
        everything = [list(WAYS[way](found)) for _, found in prepared]
        share = min(1, (self.options.points or math.inf) / sum(map(len, everything)))
        taken = []
        for (scenario, _), some in zip(prepared, everything):
            count = min(max(1, round(len(some) * share)), scenario.most or math.inf)
            taken.append(some if count >= len(some) else dice.sample(some, count))
        return taken

    def go(self, pool, way, prepared):
        """One way, all scenarios: how many promises were broken."""
        jobs = [
            [(torment, pool.submit(self.torture, scenario, torment)) for torment in some]
            for (scenario, _), some in zip(prepared, self.chosen(way, prepared))
        ]
        broken = count = missed = 0
        for (scenario, found), some in zip(prepared, jobs):
            met = 0
            for torment, job in some:
                hit, wrong = job.result()
                met += hit
                broken += self.tell(scenario, torment.label, wrong)
            print("%s: %-50s %4d calls, %4d injections, %4d met"
                  % (way, scenario.name, len(found), len(some), met), flush=True)
            count, missed = count + len(some), missed + len(some) - met
        self.account.append(
            "%s: %d scenarios, %d injections, %d of them not met, %d promises broken"
            % (way, len(prepared), count, missed, broken)
        )
        return broken

    def main(self):
        every = [*scenarios.everything(), *([] if self.options.points else scenarios.long_ones())]
        wanted = [scenario for scenario in every if self.options.only in scenario.name]
        broken = 0
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            prepared = []
            for scenario, (found, wrong) in zip(wanted, pool.map(self.prepare, wanted)):
                broken += self.tell(scenario, "undisturbed", wrong)
                prepared.append((scenario, found))
            for way in self.options.ways:
                broken += self.go(pool, way, prepared)
        print("%s (seed %d)" % ("; ".join(self.account), self.options.seed))
        return 1 if broken or not wanted else 0

    @staticmethod
    def tell(scenario, where, wrong):
        for what in wrong:
            print("BROKEN %s, %s: %s" % (scenario.name, where, what), flush=True)
        return len(wrong)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ways", nargs="+", choices=sorted(WAYS))
    parser.add_argument("--putd", required=True)
    parser.add_argument("--shim", required=True)
    parser.add_argument("--points", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    parser.add_argument("--only", default="")
    torture = Torture(parser.parse_args())
    try:
        return torture.main()
    finally:
        shutil.rmtree(torture.top)


sys.exit(main())
