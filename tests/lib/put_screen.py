"""put_screen.py [--columns=N] [--resize=N] COMMAND...

Runs a command on a pseudo-terminal of so many columns, as its standard error,
and prints what a person saw on its one line, a line for each redrawing; what was
left on the screen in the end stands behind `end: `. Standard output is a pipe,
as in a script. With --resize the terminal is that wide from the first drawing
on. Exits as the command does.
"""

import argparse
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios


def set_columns(fd, columns):
    size = struct.pack("HHHH", 24, columns, 0, 0)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, size)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--columns", type=int, default=80)
    parser.add_argument("--resize", type=int)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    ours, theirs = pty.openpty()
    set_columns(ours, options.columns)
    child = subprocess.Popen(
        options.command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
        if options.resize:
            set_columns(ours, options.resize)
    text = seen.decode()
    lines = text.replace("\r\n", "\n").split("\n")
    left = []
    for line in lines:
        drawn = line.split("\r")
        for one in drawn:
            if one.endswith("\033[K") and one != "\033[K":
                print("drawn: " + one[:-3])
        left.append(drawn[-1].replace("\033[K", ""))
    for line in left:
        if line:
            print("end: " + line)
    return child.wait()


if __name__ == "__main__":
    sys.exit(main())
