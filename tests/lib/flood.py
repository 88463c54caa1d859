"""Is a peer that sends on after it has said all, whatever it was told.

flood.py [--over=pipe|unix|tcp] [--bytes=N] [--slowly] [--reads-last]
         --out=FILE -- COMMAND...

Starts COMMAND with a connection of that kind, sends what is on stdin, and then
zeros: N of them and the end of the stream, or without an end, until nobody takes
them; with --slowly one each tenth of a second. Answers are read meanwhile, or
with --reads-last only when all is sent; they go to --out. Prints the exit status
and how many zeros were taken. Its end is awaited for 60 s, with our side open.
Knows sockets, and nothing of the protocol.
"""

import argparse
import os
import select
import socket
import subprocess
import sys
import time

BOUND = 60.0  # seconds for it all
PIECE = b"\0" * 262144


def connected(kind):
    """Their input and output, our reader and writer."""
    if kind == "pipe":
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        return theirs_in, theirs_out, ours_in, ours_out
    if kind == "unix":
        theirs, ours = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ours = socket.create_connection(listener.getsockname())
            theirs = listener.accept()[0]
    theirs, ours = theirs.detach(), ours.detach()
    return theirs, theirs, ours, ours


class Flood:
    def __init__(self, options, reader, writer):
        self.options = options
        self.reader, self.writer = reader, writer
        self.end = time.monotonic() + BOUND
        self.taken = 0
        self.received = b""

    def read(self):
        """False at the end, or where there is nobody."""
        try:
            data = os.read(self.reader, 65536)
        except ConnectionResetError:
            return False
        self.received += data
        return bool(data)

    def left(self):
        """Zeros to be sent now; 0 when that was all."""
        if time.monotonic() > self.end:
            sys.exit("flood: no end")
        if self.options.slowly:
            time.sleep(0.1)
            return 1
        if self.options.bytes is None:
            return len(PIECE)
        return min(len(PIECE), self.options.bytes - self.taken)

    def send(self):
        readers = [] if self.options.reads_last else [self.reader]
        os.set_blocking(self.writer, False)
        while n := self.left():
            ready = select.select(readers, [self.writer], [], 1)
            if ready[0] and not self.read():
                readers = []
            if ready[1]:
                try:
                    self.taken += os.write(self.writer, PIECE[:n])
                except (BrokenPipeError, ConnectionResetError):
                    return
        os.set_blocking(self.writer, True)
        if self.reader == self.writer:
            with socket.socket(fileno=os.dup(self.writer)) as ours:
                ours.shutdown(socket.SHUT_WR)
        else:
            os.close(self.writer)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--over", default="pipe")
    parser.add_argument("--bytes", type=int)
    parser.add_argument("--slowly", action="store_true")
    parser.add_argument("--reads-last", action="store_true")
    parser.add_argument("--out", required=True)
    cut = sys.argv.index("--")
    options = parser.parse_args(sys.argv[1:cut])
    theirs_in, theirs_out, reader, writer = connected(options.over)
    process = subprocess.Popen(sys.argv[cut + 1 :], stdin=theirs_in, stdout=theirs_out)
    for fd in {theirs_in, theirs_out}:
        os.close(fd)
    flood = Flood(options, reader, writer)
    try:
        os.write(writer, sys.stdin.buffer.read())
        flood.send()
        while flood.read():
            pass
        process.wait(BOUND)
    finally:
        process.kill()
        process.wait()
    with open(options.out, "wb") as out:
        out.write(flood.received)
    print(process.returncode, flood.taken)


main()
