"""A handler of putd and our end of its socket, frame by frame."""

import fcntl
import os
import select
import socket
import struct
import subprocess
import termios

import wire

BOUND = 60  # seconds for any one event
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C"}


class Handler:
    def __init__(self, putd, root, *options):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(BOUND)
        with theirs:
            self.process = subprocess.Popen(
                [putd, "--min-free=0", "--max-partial=100%", "--log=none", *options, root],
                stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        try:
            self.process.wait(BOUND)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def send(self, data):
        self.socket.sendall(data)

    def receipt(self):
        while b"\n" not in self.data:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError("the stream ended where a receipt was awaited")
            self.data += more
        line, newline, self.data = self.data.partition(b"\n")
        return wire.receipts(line + newline)[0]

    def ask(self, frame):
        self.send(frame.encode())
        return self.receipt()

    def wait_until_read(self):
        """All that was sent: a Unix socket knows what the other side has not
        read. Once its end is also asleep, all of it is where it belongs."""
        poll = select.poll()
        for _ in range(BOUND * 1000):
            if struct.unpack("i", fcntl.ioctl(self.socket, termios.TIOCOUTQ, b"\0" * 4))[0] == 0:
                with open("/proc/%d/syscall" % self.process.pid, encoding="ascii") as f:
                    if f.read().split()[0] in ("7", "271"):  # poll, ppoll
                        return
            poll.poll(1)
        raise TimeoutError("what was sent is not read")
