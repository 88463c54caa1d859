"""The table: what is compared with what, how, and what is wanted of it. It knows
the candidates by name and measures nothing.

A row gives, for each round, a ratio or a number out of that round's samples.
"""

from dataclasses import dataclass
from statistics import median
from typing import Callable

from peers import FLUSHING, PEERS

RATE, CPU = "GiB/s", "CPU s/GiB"
UNFLUSHED = [peer for peer in PEERS if peer not in FLUSHING]


@dataclass
class Row:
    what: str
    against: str
    goal: float
    at_most: bool
    value: Callable

    def met(self, value):
        return value <= self.goal if self.at_most else value >= self.goal

    def text(self):
        return f"{'≤' if self.at_most else '≥'} {self.goal:g}"


def ratio(one, other, measure):
    return lambda got: got(one, measure) / got(other, measure)


def plain(one, measure):
    return lambda got: got(one, measure)


def fastest(got):
    return max(got(peer, RATE) for peer in UNFLUSHED)


def grows(measure, name="putd"):
    """From 10^3 on: the mark that is farthest from the first, up or down, as a
    factor of at least 1."""
    def value(got):
        marks = [got(f"{name}, 10^{n} files", measure) for n in range(3, 7)
                 if got.has(f"{name}, 10^{n} files", measure)]
        return max(max(mark / marks[0], marks[0] / mark) for mark in marks)
    return value


def durable(kind):
    naive, us = f"{kind} naive", f"{kind} putd"
    return [
        Row(f"4 KiB files, durable, {kind}, files/s", "naive loop", 9, False,
            ratio(us, naive, "files/s")),
        Row(f"… device flushes a file, {kind}", "–", 0.12, True,
            plain(us, "flushes/file")),
        Row(f"… beside a 2 GiB writer, {kind}", "naive loop", 1.5, False,
            ratio(f"{us}, beside", f"{naive}, beside", "files/s")),
        Row(f"… from 16 connections, {kind}", "one connection", 1, False,
            ratio(f"{us}, 16 connections", us, "files/s")),
    ]


ROWS = [
    Row("exec to exit, sandbox on", "trivial program", 1.4, True,
        ratio("putd", "trivial program", "us")),
    Row("exec to exit, sandbox off", "trivial program", 1.2, True,
        ratio("putd --no-sandbox", "trivial program", "us")),
    Row("… times faster than when linked to libsystemd and libcrypto",
        "that putd", 1.5, False,
        ratio("putd, linked to libsystemd and libcrypto", "putd", "us")),
    Row("connections/s, 1 KiB, tcpserver", "program that reads and closes",
        0.65, False, ratio("tcpserver putd", "tcpserver reader",
                           "connections/s")),
    Row("connections/s, 1 KiB, xinetd", "program that reads and closes",
        0.65, False, ratio("xinetd putd", "xinetd reader", "connections/s")),
    Row("one large file, flushed, GiB/s", "bare loop", 0.92, False,
        ratio("putd", "bare", RATE)),
    Row("… the same", "rsync --fsync", 1.4, False,
        ratio("putd", "rsync --fsync", RATE)),
    Row("… the same", "fastest peer, not flushed", 0.9, False,
        lambda got: got("putd", RATE) / fastest(got)),
    Row("… --sync=none", "fastest peer, not flushed", 0.9, False,
        lambda got: got("putd --sync=none", RATE) / fastest(got)),
    Row("… --sync=none", "median peer, not flushed", 1, False,
        lambda got: got("putd --sync=none", RATE) /
        median(got(peer, RATE) for peer in UNFLUSHED)),
    Row("… CPU seconds per GiB, flushed", "bare loop", 1.15, True,
        ratio("putd", "bare", CPU)),
    Row("… the same", "best peer", 0.4, True,
        lambda got: got("putd", CPU) / min(got(peer, CPU) for peer in PEERS)),
    Row("… with sha256, GiB/s", "bare loop and nettle", 0.92, False,
        ratio("putd, sha256", "bare, sha256", RATE)),
    Row("8 at once, of as much in all, GiB/s", "the one", 0.95, False,
        ratio("putd, 8 at once", "putd", RATE)),
    *durable("ext4"),
    *durable("xfs"),
    Row("4 KiB files, --sync=none, tmpfs, files/s", "rename loop", 0.7, False,
        ratio("tmpfs putd --sync=none", "tmpfs rename loop", "files/s")),
    Row("private dirty KiB, idle", "–", 200, True, plain("putd, idle", "KiB")),
    Row("… idle, systemd", "–", 320, True, plain("putd, idle, systemd", "KiB")),
    Row("… in the middle of 1 GiB", "–", 1536, True,
        plain("putd, 1 GiB", "KiB")),
    Row("… of a file 32 times as large (QUICK: 4 times)", "of 1 GiB", 1.01, True,
        ratio("putd, huge", "putd, 1 GiB", "KiB")),
    Row("time per file at 10^4, 10^5, 10^6 (QUICK: 10^5) files",
        "at 10^3", 1.1, True, grows("us/file")),
    Row("… of a bare loop, at the last of them", "at 10^3", 1.1, True,
        grows("us/file", "rename loop")),
    Row("… memory, at the last of them", "at 10^3", 1.01, True, grows("KiB")),
]
