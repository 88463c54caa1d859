"""Is the peer of a handler, and the launcher that hands it its descriptors.

peer.py [--over=KIND] [--from=ADDRESS] [--passed] --out=FILE --status=FILE
        STEP... -- COMMAND...

Starts COMMAND with a connection of that kind as stdin and stdout, takes the
steps in turn, and writes what came back to --out and the exit status to
--status. Every wait is for an event and has a bound; a step that waits in vain
ends in exit 1. Knows sockets, launchers and the framing of put-protocol(7).

  pipe (the default), unix, tcp4, tcp6, mapped (IPv4 to a socket for both)
  ADDRESS        what a TCP connection comes from: of any, where the routes say
                 that it is here
  --passed       as systemd does: the socket on descriptor 3, LISTEN_FDS set
  --listening    the same with the listening socket; each step `connect` is a
                 new client, and the steps after it are its own

  frame=HEADER   length and header           line           wait for one line
  file=PATH      its bytes                   read           wait until all is read
  bytewise=PATH  each byte once the one      answered       wait for the end of
                 before has been read                       their stream
  bytes=TEXT     as it is                    asleep         wait until it waits
  zeros=N        N bytes                     exists=PATH    wait for a file
  shut           end of our stream           signal=NAME    send it
  deaf           close the end we read       ended          wait for their end,
  close          of all                                     our side closed
  stuck=HEADER   the frame again and again,  ended-held     our side kept open
                 until nothing more goes
"""

import argparse
import contextlib
import fcntl
import os
import select
import signal
import socket
import struct
import sys
import termios
import time

BOUND = 20.0  # seconds for any one event
ATTEMPTS = 3  # to be stuck: nothing more goes, so often in a row
FIRST_PASSED = 3  # SD_LISTEN_FDS_START
IP_FREEBIND = 15  # <linux/in.h>

HOSTS = {"tcp4": "127.0.0.1", "tcp6": "::1", "mapped": "127.0.0.1"}


def say(reason):
    sys.exit("peer: " + reason)


def poll(reason, happened):
    end = time.monotonic() + BOUND
    while not happened():
        if time.monotonic() > end:
            say("waited in vain: " + reason)
        time.sleep(0.002)


def text_of(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


class Ends:
    """Our end and theirs, which is kept to be asked what is unread in it."""

    def __init__(self, theirs_in, theirs_out, ours_in, ours_out):
        self.theirs = [theirs_in, theirs_out]
        self.probe = os.dup(theirs_in)
        self.reader, self.writer = ours_in, ours_out
        os.set_blocking(self.writer, False)  # to be sent to within a bound

    def unread(self):
        count = fcntl.ioctl(self.probe, termios.FIONREAD, b"\0" * 4)
        return struct.unpack("i", count)[0]

    def forget_probe(self):
        """So that their end can be closed by them alone."""
        if self.probe is not None:
            os.close(self.probe)
            self.probe = None

    def hand_over(self):
        for fd in set(self.theirs):
            os.close(fd)


def over_pipe():
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    return Ends(theirs_in, theirs_out, ours_in, ours_out)


def of_sockets(theirs, ours):
    theirs, ours = theirs.detach(), ours.detach()
    return Ends(theirs, theirs, ours, ours)


def listen(kind):
    if kind == "mapped":
        return socket.create_server(
            ("", 0), family=socket.AF_INET6, dualstack_ipv6=True
        )
    family = socket.AF_INET6 if kind == "tcp6" else socket.AF_INET
    # Any address, where the peer comes from another than this host's.
    return socket.create_server(("", 0), family=family)


def connect(listener, kind, source):
    ours = socket.socket(
        socket.AF_INET6 if kind == "tcp6" else socket.AF_INET, socket.SOCK_STREAM
    )
    if source:
        ours.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        ours.bind((source, 0))
    ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ours.connect((HOSTS[kind], listener.getsockname()[1]))
    return ours


def over(kind, source):
    if kind == "pipe":
        return over_pipe()
    if kind == "unix":
        return of_sockets(*socket.socketpair())
    listener = listen(kind)
    ours = connect(listener, kind, source)
    theirs = listener.accept()[0]
    listener.close()
    return of_sockets(theirs, ours)


def start(command, stdin, stdout, passed):
    """The pid of COMMAND with these descriptors; `passed` as systemd does."""
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        os.dup2(stdin, 0)
        os.dup2(stdout, 1)
        if passed is not None:
            os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
            if passed == FIRST_PASSED:
                os.set_inheritable(passed, True)
            else:
                os.dup2(passed, FIRST_PASSED)
        os.execvp(command[0], command)
    os._exit(126)


class Handler:
    """The process."""

    def __init__(self, pid):
        self.pid = pid
        self.status = None

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def asleep(self):
        """It heeds SIGTERM, and waits for somebody."""
        if self.ended():
            return True
        status = text_of("/proc/%d/status" % self.pid)
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        return bool(caught & 1 << signal.SIGTERM - 1) and "poll" in text_of(
            "/proc/%d/wchan" % self.pid
        )

    def send(self, name):
        os.kill(self.pid, getattr(signal, "SIG" + name))

    def kill(self):
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


class Peer:
    def __init__(self, handler, ends):
        self.handler = handler
        self.ends = ends
        self.received = b""
        self.lines_taken = 0

    def room(self):
        """True where some more bytes go, within a tenth of a second."""
        return bool(select.select([], [self.ends.writer], [], 0.1)[1])

    def send(self, data):
        """All of it; what nobody is there to read any more is left."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while data:
                poll(
                    "what is sent is not read",
                    lambda: self.room() or self.handler.ended(),
                )
                try:
                    data = data[os.write(self.ends.writer, data) :]
                except BlockingIOError:
                    if self.handler.ended():
                        return

    def send_bytewise(self, data):
        for n in range(len(data)):
            self.send(data[n : n + 1])
            self.read()

    def send_until_stuck(self, data):
        idle = 0
        while idle < ATTEMPTS and not self.handler.ended():
            if not self.room():
                idle += 1
                continue
            with contextlib.suppress(BlockingIOError):
                os.write(self.ends.writer, data)
                idle = 0

    def receive(self):
        """Some more bytes; False at the end of their stream."""
        if not select.select([self.ends.reader], [], [], BOUND)[0]:
            say("waited in vain for a byte")
        data = b""
        with contextlib.suppress(ConnectionResetError):
            data = os.read(self.ends.reader, 65536)
        self.received += data
        return bool(data)

    def line(self):
        self.lines_taken += 1
        while self.received.count(b"\n") < self.lines_taken:
            if not self.receive():
                say("the stream ended where a line was awaited")

    def read(self):
        poll(
            "what was sent is not read",
            lambda: self.handler.ended() or self.ends.unread() == 0,
        )

    def answered(self):
        self.ends.forget_probe()
        while self.receive():
            pass

    def deaf(self):
        self.ends.forget_probe()
        os.close(self.ends.reader)
        self.ends.reader = None

    def shut(self):
        fd = self.ends.writer
        if fd is None:
            return
        if fd == self.ends.reader:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(fd)) as s:
                s.shutdown(socket.SHUT_WR)
        else:
            os.close(fd)
            self.ends.writer = None

    def close(self):
        self.ends.forget_probe()
        for fd in {self.ends.reader, self.ends.writer} - {None}:
            os.close(fd)
        self.ends.reader = self.ends.writer = None

    def ended(self, held=False):
        if self.ends is not None and self.ends.reader is not None:
            if not held:
                self.shut()
            self.answered()
        poll("the end", self.handler.ended)


def framed(header):
    header = header.encode()
    return struct.pack("<i", len(header)) + header


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def take(peer, step):
    name, _, value = step.partition("=")
    if name == "frame":
        peer.send(framed(value))
    elif name == "bytes":
        peer.send(value.encode())
    elif name == "zeros":
        peer.send(b"\0" * int(value))
    elif name == "file":
        peer.send(bytes_of(value))
    elif name == "bytewise":
        peer.send_bytewise(bytes_of(value))
    elif name == "stuck":
        peer.send_until_stuck(framed(value) * 100)
    elif name == "exists":
        poll(value + " is not there", lambda: os.path.lexists(value))
    elif name == "asleep":
        poll("it does not wait", peer.handler.asleep)
    elif name == "signal":
        peer.handler.send(value)
    elif name == "ended-held":
        peer.ended(held=True)
    elif name in ("line", "read", "answered", "deaf", "shut", "close", "ended"):
        getattr(peer, name)()
    else:
        say("no such step: " + step)


def begin(options, command):
    """Starts COMMAND. Returns its peer, and what makes a further client."""
    null = os.open("/dev/null", os.O_RDWR)
    if options.listening:
        listener = listen(options.over)
        handler = Handler(start(command, null, null, listener.fileno()))

        def client():
            ours = connect(listener, options.over, options.source).detach()
            ends = Ends(ours, ours, ours, ours)
            ends.forget_probe()
            return ends

        return Peer(handler, None), client
    ends = over(options.over, options.source)
    if options.passed:
        handler = Handler(start(command, null, null, ends.theirs[0]))
    else:
        handler = Handler(start(command, *ends.theirs, None))
    ends.hand_over()
    return Peer(handler, ends), None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--over", default="pipe")
    parser.add_argument("--from", dest="source")
    parser.add_argument("--passed", action="store_true")
    parser.add_argument("--listening", action="store_true")
    parser.add_argument("--out", required=True)
    parser.add_argument("--status", required=True)
    parser.add_argument("steps", nargs="+")
    cut = sys.argv.index("--")
    options = parser.parse_args(sys.argv[1:cut])
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    peer, client = begin(options, sys.argv[cut + 1 :])
    try:
        for step in options.steps:
            if step == "connect":
                peer.ends, peer.lines_taken = client(), peer.received.count(b"\n")
            else:
                take(peer, step)
        poll("the end", peer.handler.ended)
    finally:
        peer.handler.kill()
        with open(options.out, "wb") as out:
            out.write(peer.received)
    with open(options.status, "w", encoding="ascii") as out:
        # As a shell tells a signal.
        status = peer.handler.status
        out.write("%d\n" % (status if status >= 0 else 128 - status))


main()
