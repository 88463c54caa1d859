"""One sender, the same for every launcher.

table_client.py [--hold] [--from=ADDRESS] --out=FILE --peer=FILE WHERE
table_client.py [--hold] --out=FILE --err=FILE exec COMMAND...

Sends its stdin to WHERE (tcp:HOST:PORT, unix:PATH, or a command's stdin), ends
its own side (--hold: keeps it open), reads to the end, and writes to --out what
came back. --peer gets what a server should know of us: ADDRESS:PORT, or uid and
pid. --err gets the command's stderr. Ends with 1 where the other side does not
end within a bound. Knows nothing of the protocol.
"""

import argparse
import os
import select
import socket
import subprocess
import sys
import time

BOUND = 20.0  # seconds for a whole stream


class Socket:
    def __init__(self, where, source):
        kind, _, rest = where.partition(":")
        if kind == "unix":
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(rest)
            self.peer = "uid %d pid %d" % (os.getuid(), os.getpid())
        else:
            host, _, port = rest.rpartition(":")
            self.socket = socket.create_connection((host, int(port)), BOUND, (source, 0))
            self.peer = "%s:%d" % self.socket.getsockname()
        self.socket.setblocking(False)
        self.reader = self.writer = self.socket.fileno()

    def shut(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other side was first

    def end(self):
        self.socket.close()


class Command:
    def __init__(self, command, err):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err
        )
        self.reader = self.process.stdout.fileno()
        self.writer = self.process.stdin.fileno()
        os.set_blocking(self.writer, False)

    def shut(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def end(self):
        self.shut()
        try:
            self.process.wait(BOUND)
        except subprocess.TimeoutExpired:
            self.process.kill()
            sys.exit("table_client: the command does not end")


def write(fd, data):
    """What is left of it; nothing where nobody reads any more."""
    try:
        return data[os.write(fd, data) :]
    except BlockingIOError:
        return data
    except (BrokenPipeError, ConnectionResetError):
        return b""


def read(fd):
    try:
        return os.read(fd, 65536)
    except ConnectionResetError:
        return b""


def converse(peer, data, hold):
    """Everything that comes back, while everything is sent."""
    end = time.monotonic() + BOUND
    data = memoryview(data)
    received = b""
    sending = True
    while True:
        writers = [peer.writer] if sending else []
        readable, writable, _ = select.select(
            [peer.reader], writers, [], max(0, end - time.monotonic())
        )
        if not readable and not writable:
            sys.exit("table_client: the other side does not end")
        if writable:
            data = write(peer.writer, data)
            if not data:
                sending = False
                if not hold:
                    peer.shut()
        if readable:
            some = read(peer.reader)
            if not some:
                return received
            received += some


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hold", action="store_true")
    parser.add_argument("--from", dest="source", default="127.0.0.1")
    parser.add_argument("--out", required=True)
    parser.add_argument("--peer", default=os.devnull)
    parser.add_argument("--err", default=os.devnull)
    parser.add_argument("where")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    data = sys.stdin.buffer.read()
    if options.where == "exec":
        with open(options.err, "wb") as err:
            peer = Command(options.command, err)
    else:
        peer = Socket(options.where, options.source)
        with open(options.peer, "w", encoding="ascii") as out:
            out.write(peer.peer + "\n")
    received = converse(peer, data, options.hold)
    with open(options.out, "wb") as out:
        out.write(received)
    peer.end()


main()
