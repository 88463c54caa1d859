"""Talks to several handlers of one directory, step by step.

upload_talk.py --out=FILE STEP... -- COMMAND...

Steps are NAME:STEP. The first one of a NAME starts COMMAND with two pipes as
stdin and stdout. The lines that are read go to --out in the order of the steps.
Every wait is for an event and has a bound; a step that waits in vain ends in
exit 1. Knows the framing of put-protocol(7) and nothing else.

  frame=HEADER   length and header           line       one line, into --out
  bytes=TEXT     as it is                    waiting    all is read, and it waits
  length=N       its four bytes alone        shut       end of our stream
  zeros=N        N bytes
  file=PATH:START:N  N bytes of a file
  trickle=N      N bytes, one each 0.1 s,    kill       SIGKILL, and its end
                 until something comes back  term       SIGTERM
  slowly=HEADER  the frame 12 times, one each 0.1 s
  ended=STATUS   its last lines, its end     stop, cont  SIGSTOP, SIGCONT
  started        nothing but that

  move:FROM:TO and age:PATTERN:SECONDS are for the files.
"""

import argparse
import fcntl
import glob
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time

BOUND = 20.0  # seconds for any one event
POLLS = ("7", "271")  # poll, ppoll


def say(reason):
    sys.exit("talk: " + reason)


class Handler:
    def __init__(self, name, command):
        self.name = name
        # Their end is kept only to be asked how much is still in the pipe.
        self.stdin, self.writer = os.pipe()
        self.reader, stdout = os.pipe()
        self.process = subprocess.Popen(command, stdin=self.stdin, stdout=stdout)
        os.close(stdout)
        self.received = b""

    def say(self, reason):
        say(self.name + ": " + reason)

    def poll(self, reason, happened):
        end = time.monotonic() + BOUND
        while not happened():
            if time.monotonic() > end:
                self.say("waited in vain: " + reason)
            time.sleep(0.002)

    def send(self, data):
        os.set_blocking(self.writer, False)
        data = memoryview(data)
        while data and self.process.poll() is None:
            if select.select([], [self.writer], [], 0.1)[1]:
                data = data[os.write(self.writer, data[:65536]) :]

    def read_line(self):
        """With its newline, or b"" at the end of the stream."""
        while b"\n" not in self.received:
            if not select.select([self.reader], [], [], BOUND)[0]:
                self.say("waited in vain for a line")
            data = os.read(self.reader, 65536)
            if not data:
                return b""
            self.received += data
        line, _, self.received = self.received.partition(b"\n")
        return line + b"\n"

    def is_waiting(self):
        unread = struct.unpack("i", fcntl.ioctl(self.stdin, termios.FIONREAD, b"\0" * 4))[0]
        if unread or self.process.poll() is not None:
            return self.process.poll() is not None
        with open("/proc/%d/syscall" % self.process.pid, encoding="ascii") as f:
            return f.read().split(" ", 1)[0] in POLLS

    def shut(self):
        if self.writer is not None:
            os.close(self.writer)
            self.writer = None

    def trickle(self, data, count):
        for _ in range(count):
            if self.process.poll() is not None or select.select([self.reader], [], [], 0.1)[0]:
                return
            self.send(data)

    def wait(self):
        self.poll("its end", lambda: self.process.poll() is not None)


def framed(header):
    header = header.encode()
    return struct.pack("<i", len(header)) + header


class Talk:
    def __init__(self, command, out):
        self.command = command
        self.out = out
        self.handlers = {}

    def handler(self, name):
        if name not in self.handlers:
            self.handlers[name] = Handler(name, self.command)
        return self.handlers[name]

    def take(self, step):
        name, _, step = step.partition(":")
        if name in ("move", "age"):
            return self.change(name, *step.split(":"))
        verb, _, value = step.partition("=")
        handler = self.handler(name)
        if verb == "frame":
            handler.send(framed(value))
        elif verb == "length":
            handler.send(struct.pack("<i", int(value)))
        elif verb == "bytes":
            handler.send(value.encode())
        elif verb == "zeros":
            handler.send(b"\0" * int(value))
        elif verb == "file":
            path, start, count = value.split(":")
            with open(path, "rb") as f:
                f.seek(int(start))
                handler.send(f.read(int(count)))
        elif verb == "trickle":
            handler.trickle(b"x", int(value))
        elif verb == "slowly":
            handler.trickle(framed(value), 12)
        elif verb == "line":
            line = handler.read_line()
            if not line:
                handler.say("the stream ended where a line was awaited")
            self.out.write(line)
        elif verb == "waiting":
            handler.poll("it does not wait", handler.is_waiting)
        elif verb == "shut":
            handler.shut()
        elif verb == "ended":
            self.ended(handler, int(value))
        elif verb == "kill":
            handler.process.kill()
            handler.wait()
        elif verb in ("term", "stop", "cont"):
            handler.process.send_signal(getattr(signal, "SIG" + verb.upper()))
        elif verb != "started":
            say("no such step: " + step)
        return None

    @staticmethod
    def change(what, path, value):
        if what == "move":
            os.rename(path, value)
        else:
            then = time.time() - int(value)
            for file in glob.glob(path):
                os.utime(file, (then, then))

    def ended(self, handler, status):
        while True:
            line = handler.read_line()
            if not line:
                break
            self.out.write(line)
        handler.shut()
        handler.wait()
        if handler.process.returncode != status:
            handler.say("ended with %d" % handler.process.returncode)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("steps", nargs="+")
    cut = sys.argv.index("--")
    options = parser.parse_args(sys.argv[1:cut])
    with open(options.out, "wb") as out:
        talk = Talk(sys.argv[cut + 1 :], out)
        try:
            for step in options.steps:
                talk.take(step)
        finally:
            for handler in talk.handlers.values():
                if handler.process.poll() is None:
                    handler.process.kill()
                    handler.process.wait()


main()
