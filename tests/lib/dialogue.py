"""Talks to a handler step by step, where a stream from a pipe cannot.

dialogue.py [--socket] --out=FILE --status=FILE STEP... -- COMMAND...

Runs COMMAND with two pipes (or one socket, --socket) as stdin and stdout, takes
the steps in turn, and writes what came back to --out and the exit status to
--status. Every wait is for an event and has a bound; a step that waits in vain
ends in exit 1. Knows the framing of put-protocol(7) and nothing else.

  frame=HEADER   length and header           line           wait for one line
  bytes=TEXT     as it is                    gone           wait until all is read
  zeros=N        N bytes                     exists=PATH    wait for a file
  shut           end of our stream           term           send SIGTERM
  deaf           close the side we read      ended          wait for its end
  dead           the same, without reading
  ended-held     the same, our side being kept open
  until-stuck=HEADER    the frame again and again, until nothing more is taken
  start-twin     a second COMMAND, over pipes
  sh=COMMAND     run it, to its end             in-body        wait until it has a
                                                file without a name open
  twin=STATUS    wait until it ended with this status, without a byte
  twin-frame=HEADER, twin-bytes=TEXT, twin-line    as above, but with the twin
"""

import argparse
import contextlib
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

BOUND = 20.0  # seconds for any one event


def say(reason):
    sys.exit("dialogue: " + reason)


def poll(reason, happened):
    end = time.monotonic() + BOUND
    while not happened():
        if time.monotonic() > end:
            say("waited in vain: " + reason)
        time.sleep(0.005)


class Peer:
    """The process, and our two ends."""

    def __init__(self, command, use_socket):
        self.command = command
        self.received = b""
        self.lines_taken = 0
        self.twin = None
        if use_socket:
            self._over_socket()
        else:
            self._over_pipes()

    def _over_socket(self):
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(self.command, stdin=theirs, stdout=theirs)
        theirs.close()
        self.socket = ours
        self.reader = self.writer = ours.fileno()
        # What a Unix socket has sent and the other side has not read.
        self._unread = lambda: self._ioctl(ours.fileno(), termios.TIOCOUTQ)

    def _over_pipes(self):
        stdin, self.writer = os.pipe()
        self.reader, stdout = os.pipe()
        self.process = subprocess.Popen(self.command, stdin=stdin, stdout=stdout)
        os.close(stdout)
        self.socket = None
        # Their end is kept only to be asked how much is still in the pipe.
        self._unread = lambda: self._ioctl(stdin, termios.FIONREAD)

    @staticmethod
    def _ioctl(fd, request):
        return struct.unpack("i", fcntl.ioctl(fd, request, b"\0" * 4))[0]

    def send(self, data):
        while data:
            try:
                data = data[os.write(self.writer, data) :]
            except (BrokenPipeError, ConnectionResetError):
                return

    def send_until_stuck(self, data):
        os.set_blocking(self.writer, False)
        end = time.monotonic() + BOUND
        while self.process.poll() is None and time.monotonic() < end:
            if not select.select([], [self.writer], [], 0.2)[1]:
                break
            try:
                os.write(self.writer, data)
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                break

    def receive(self, bound=BOUND):
        """Some more bytes; False at the end of the stream."""
        if not select.select([self.reader], [], [], bound)[0]:
            say("waited in vain for a byte")
        try:
            data = os.read(self.reader, 65536)
        except ConnectionResetError:
            data = b""
        self.received += data
        return bool(data)

    def line(self):
        self.lines_taken += 1
        while self.received.count(b"\n") < self.lines_taken:
            if not self.receive():
                say("the stream ended where a line was awaited")

    def gone(self):
        poll("what was sent is not read", lambda: self._unread() == 0)

    def _has_unnamed(self):
        fds = "/proc/%d/fd/" % self.process.pid
        for fd in os.listdir(fds):
            with contextlib.suppress(OSError):
                if os.readlink(fds + fd).endswith(" (deleted)"):
                    return True
        return False

    def in_body(self):
        poll("no body is received", self._has_unnamed)

    def shut(self):
        if self.socket:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
        elif self.writer is not None:
            os.close(self.writer)
            self.writer = None

    def deaf(self):
        if self.socket:
            self.socket.shutdown(socket.SHUT_RD)
        else:
            os.close(self.reader)
            self.reader = None

    def ended(self, close=True):
        while self.reader is not None and self.receive():
            pass
        # The end of their side: we have nothing more to say either.
        if close:
            self.shut()
        poll("the end", lambda: self.process.poll() is not None)

    def dead(self):
        poll("the end", lambda: self.process.poll() is not None)

    def start_twin(self):
        self.twin = Peer(self.command, False)

    def twin_ended(self, status):
        self.twin.ended()
        if self.twin.process.returncode != status or self.twin.received:
            say("the twin ended with %d" % self.twin.process.returncode)
        if self.process.poll() is not None:
            say("ended before its twin")

    def kill(self):
        if self.twin is not None:
            self.twin.kill()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def framed(header):
    header = header.encode()
    return struct.pack("<i", len(header)) + header


def take(peer, step):
    name, _, value = step.partition("=")
    if name.startswith("twin-"):
        take(peer.twin, step[len("twin-") :])
    elif name == "frame":
        peer.send(framed(value))
    elif name == "bytes":
        peer.send(value.encode())
    elif name == "zeros":
        peer.send(b"\0" * int(value))
    elif name == "until-stuck":
        peer.send_until_stuck(framed(value) * 100)
    elif name == "exists":
        poll(value + " is not there", lambda: os.path.lexists(value))
    elif name == "term":
        peer.process.send_signal(signal.SIGTERM)
    elif name == "twin":
        peer.twin_ended(int(value))
    elif name == "ended-held":
        peer.ended(close=False)
    elif name == "sh":
        subprocess.run(value, shell=True, check=True)
    elif name in (
        "line", "gone", "in-body", "shut", "deaf", "dead", "ended", "start-twin"
    ):
        getattr(peer, name.replace("-", "_"))()
    else:
        say("no such step: " + step)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", action="store_true")
    parser.add_argument("--out", required=True)
    parser.add_argument("--status", required=True)
    parser.add_argument("steps", nargs="+")
    cut = sys.argv.index("--")
    options = parser.parse_args(sys.argv[1:cut])
    peer = Peer(sys.argv[cut + 1 :], options.socket)
    try:
        for step in options.steps:
            take(peer, step)
        status = peer.process.wait(BOUND)
    finally:
        peer.kill()
        with open(options.out, "wb") as out:
            out.write(peer.received)
    with open(options.status, "w", encoding="ascii") as out:
        # As a shell tells a signal.
        out.write("%d\n" % (status if status >= 0 else 128 - status))


main()
