"""Rounds, table and plot: `tests/bench/run` starts it. Each round measures every
candidate of every group once, and begins with another candidate; each row of the
table is the median of its rounds, with the least and the most.
"""

import argparse
import csv
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import goals
import large
import process
import small
from place import Place

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
BAR = 30  # columns of the longest
GROUPS = {
    "start": process.start,
    "connections": small.connections,
    "large": lambda place, quick, sample, turn: large.measure(
        place, sample, turn),
    "small": small.measure,
    "memory": process.memory,
    "growth": process.growth,
}


class Samples:
    """What was measured: of which candidate, what, in which round."""

    def __init__(self):
        self.of = {}

    def add(self, turn, name, measure, value):
        self.of.setdefault((name, measure), {})[turn] = value

    def in_round(self, turn):
        def got(name, measure):
            return self.of[name, measure][turn]
        got.has = lambda name, measure: turn in self.of.get((name, measure), {})
        return got

    def write(self, file):
        with open(file, "w", encoding="utf-8", newline="") as out:
            table = csv.writer(out, lineterminator="\n")
            table.writerow(["candidate", "measure", "round", "value"])
            for (name, measure), rounds in self.of.items():
                for turn, value in rounds.items():
                    table.writerow([name, measure, turn + 1, f"{value:.6g}"])


def judged(samples, rounds):
    """(row, values of its rounds) of each row that was measured."""
    for row in goals.ROWS:
        values = []
        for turn in range(rounds):
            try:
                values.append(row.value(samples.in_round(turn)))
            except (KeyError, IndexError, ValueError):
                pass
        if values:
            yield row, values


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def print_table(samples, rounds, file):
    print("| what | against | goal | median | least … most | |")
    print("|---|---|---|---|---|---|")
    with open(file, "w", encoding="utf-8", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(
            ["what", "against", "goal", "median", "least", "most", "met"])
        for row, values in judged(samples, rounds):
            middle = median(values)
            spread = f"{number(min(values))} … {number(max(values))}"
            met = "met" if row.met(middle) else "MISSED"
            print(f"| {row.what} | {row.against} | {row.text()} "
                  f"| {number(middle)} | {spread} | {met} |")
            table.writerow([row.what, row.against, row.text()] + [
                f"{value:.6g}" for value in (middle, min(values), max(values))
            ] + [met])


def print_absolute(samples):
    """Of this machine only: what the ratios are made of."""
    print("\n| candidate | | median | least … most |\n|---|---|---|---|")
    for (name, measure), rounds in samples.of.items():
        values = list(rounds.values())
        print(f"| {name} | {measure} | {number(median(values))} "
              f"| {number(min(values))} … {number(max(values))} |")


def plot(place, samples, out):
    """GiB/s and CPU seconds per GiB of one large file, a bar a candidate."""
    lines = []
    for name in large.CANDIDATES:
        rates = samples.of.get((name, "GiB/s"), {}).values()
        costs = samples.of.get((name, "CPU s/GiB"), {}).values()
        if rates:
            lines.append(f'"{name}" {median(rates):.4g} {min(rates):.4g} '
                         f'{max(rates):.4g} {median(costs):.4g} '
                         f'{min(costs):.4g} {max(costs):.4g}\n')
    if not lines:
        return
    data, svg = place.work / "large.data", place.work / "large.svg"
    data.write_text("".join(lines), "utf-8")
    script = place.work / "large.gnuplot"
    shutil.copy(HERE / "large.gnuplot", script)
    place.inside("gnuplot", "-e", f"data='{data}'; picture='{svg}'",
                 script).finish()
    (out / "large.svg").write_bytes(svg.read_bytes())
    print(f"\nplot: {out / 'large.svg'}")


def print_bars(samples):
    """The same for a page of text, fastest first."""
    bars = []
    for name in large.CANDIDATES:
        rates = samples.of.get((name, "GiB/s"), {}).values()
        costs = samples.of.get((name, "CPU s/GiB"), {}).values()
        if rates:
            bars.append((median(rates), median(costs), name))
    print()
    for rate, cost, name in sorted(bars, reverse=True):
        bar = "#" * max(1, round(BAR * rate / max(bars)[0]))
        print(f"{name:24} {bar:{BAR}} {rate:5.2f} GiB/s {cost:6.2f} CPU s/GiB")


def machine(work):
    """The machine, in a line."""
    model = "?"
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":")[1].strip()
    disk = subprocess.check_output(
        ["findmnt", "-no", "SOURCE,FSTYPE", "-T", work], text=True).split()
    kernel = Path("/proc/sys/kernel/osrelease").read_text("ascii").strip()
    count = subprocess.check_output(["nproc"], text=True).strip()
    load = Path("/proc/loadavg").read_text("ascii").split()[0]
    return (f"{count} × {model}, Linux {kernel}, "
            f"{disk[1]} on {disk[0]}; load before: {load}")


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run")
    parser.add_argument("--root", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true",
                        help="smaller files, fewer of them: 5 minutes, not 30")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(GROUPS),
                        help="groups, of: %(default)s")
    parser.add_argument("--directory", default=SOURCE / "build/bench/work")
    return parser.parse_args()


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    out = SOURCE / "build" / "bench"
    samples = Samples()
    began = time.monotonic()
    place = Place(SOURCE, SOURCE / "build", options.root, options.directory)
    try:
        print(machine(place.work))
        print(large.prepare(place, options.quick), flush=True)
        for turn in range(options.rounds):
            for name in options.only.split(","):
                start = time.monotonic()
                GROUPS[name](place, options.quick,
                             lambda *what, turn=turn: samples.add(turn, *what),
                             turn)
                print(f"round {turn + 1}: {name}, "
                      f"{time.monotonic() - start:.0f} s", file=sys.stderr)
            samples.write(out / "samples.csv")
        print()
        print_table(samples, options.rounds, out / "table.csv")
        print_absolute(samples)
        print_bars(samples)
        plot(place, samples, out)
        print(f"{time.monotonic() - began:.0f} s, {options.rounds} rounds")
    except BaseException:
        sys.stderr.write((place.memory / "log").read_text("utf-8", "replace")[-2000:])
        raise
    finally:
        place.close()


main()
