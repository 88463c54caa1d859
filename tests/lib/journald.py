"""Runs a command where it finds a journal, a service manager and a syslog.

journald.py --in=DIRECTORY [--stderr=connection] [--syslog-ends] -- COMMAND...

Listens at the places where journald and syslogd do, and at a notify socket of
its own; the mounts must be the caller's. Runs COMMAND with NOTIFY_SOCKET, and
JOURNAL_STREAM of its stderr, where the environment does not have them already
(set and empty is had), and ends with its exit status. What came is then in files of DIRECTORY:

  journal   the fields of each record, NAME=VALUE a line, then an empty line
  states    each line of sd_notify(3)      syslog   each line
  err       the stderr; with --stderr=connection that is the stdout instead

A line end inside one of them is written as <LF>. With --syslog-ends the syslog
is gone after its first line. Knows the journal's native protocol, sd_notify(3)
and syslog(3), and nothing of what sends.
"""

import argparse
import array
import contextlib
import os
import selectors
import socket
import struct
import subprocess
import sys
import time

RECORD_BYTES = 1 << 20  # of one datagram
BOUND = 60.0  # seconds for the command
JOURNAL = "/run/systemd/journal/socket"
SYSLOG = "/run/systemd/journal/dev-log"


def fields(data):
    """NAME=VALUE, LF; or NAME, LF, 64 bit of length, VALUE, LF."""
    while data:
        line, _, data = data.partition(b"\n")
        if b"=" not in line:
            size = struct.unpack("<Q", data[:8])[0]
            line += b"=" + data[8 : 8 + size]
            data = data[8 + size + 1 :]
        yield line


def receive(sock):
    """A datagram; a record of many bytes comes as a descriptor."""
    data, ancillary, _, _ = sock.recvmsg(RECORD_BYTES, socket.CMSG_SPACE(4))
    for _, _, content in ancillary:
        fd = array.array("i", content)[0]
        data = os.pread(fd, RECORD_BYTES, 0)
        os.close(fd)
    return data


class Listener:
    """One socket, and the file of what came there."""

    def __init__(self, selector, path, file, split, only_one=False):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.socket.bind(path)
        self.path = path
        self.file = open(file, "wb")
        self.split = split
        self.only_one = only_one
        self.selector = selector
        selector.register(self.socket, selectors.EVENT_READ, self)

    def take(self):
        for line in self.split(receive(self.socket)):
            self.file.write(line.replace(b"\n", b"<LF>") + b"\n")
        self.file.flush()
        if self.only_one:
            self.selector.unregister(self.socket)
            self.socket.close()
            os.unlink(self.path)


def listen(options):
    selector = selectors.DefaultSelector()
    directory = options.directory
    Listener(
        selector,
        JOURNAL,
        directory + "/journal",
        lambda data: list(fields(data)) + [b""],
    )
    Listener(
        selector,
        SYSLOG,
        directory + "/syslog",
        lambda data: [data],
        options.syslog_ends,
    )
    Listener(
        selector,
        directory + "/notify",
        directory + "/states",
        lambda data: data.split(b"\n"),
    )
    return selector


def start(options, command):
    environment = dict(os.environ)
    environment.setdefault("NOTIFY_SOCKET", options.directory + "/notify")
    with open(options.directory + "/err", "wb") as err:
        to = sys.stdout if options.stderr == "connection" else err
        status = os.fstat(to.fileno())
        environment.setdefault(
            "JOURNAL_STREAM", "%d:%d" % (status.st_dev, status.st_ino)
        )
        return subprocess.Popen(command, stderr=to, env=environment)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--in", dest="directory", required=True)
    parser.add_argument("--stderr")
    parser.add_argument("--syslog-ends", action="store_true")
    cut = sys.argv.index("--")
    options = parser.parse_args(sys.argv[1:cut])
    selector = listen(options)
    process = start(options, sys.argv[cut + 1 :])
    end = time.monotonic() + BOUND
    ended = False
    while True:
        # Once more after its end: what it sent before is there.
        ready = selector.select(0 if ended else 0.02)
        for key, _ in ready:
            key.data.take()
        if ended and not ready:
            break
        ended = process.poll() is not None
        if time.monotonic() > end:
            process.kill()
            sys.exit("journald: waited in vain for the end of the command")
    sys.exit(process.returncode if process.returncode >= 0 else 128 - process.returncode)


main()
