"""Starts a command with descriptors as a launcher that lies would pass them.

pass.py [--fds=N] [--pid=WHICH] [--closed=FD[,FD...]] [--connection=FILE]
        KIND... -- COMMAND...

The KINDs go to descriptors 3, 4 and so on; LISTEN_FDS is their number, or N as
it is written; LISTEN_PID that of the command (`own`, the default), of another
process (`other`), not set (`none`), or what is written. Descriptors of --closed
are closed in the command. It ends with the command's exit status. Knows
sd_listen_fds(3) and nothing of what it starts.

  stream        a connected Unix socket, on which FILE comes, and then the end
  listening     a Unix socket that listens; one client sends FILE
  unconnected   a TCP socket that is neither
  datagram      a pair of datagrams' one half     seqpacket   the same of packets
  file          FILE itself, opened for reading    pipe        a pipe's end
  closed        nothing: the descriptor is closed

What comes back on `stream` and `listening` goes to this program's stdout.
"""

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import sys
import tempfile

FIRST = 3  # SD_LISTEN_FDS_START
SPARE = 64  # from here on descriptors are nobody's
BOUND = 20.0  # seconds for any one event


def sent(ours, path):
    """All of FILE, which a socket's buffer takes at once, and the end."""
    ours.settimeout(BOUND)
    if path:
        with open(path, "rb") as file:
            ours.sendall(file.read())
    ours.shutdown(socket.SHUT_WR)
    return ours


def make(kind, path, directory):
    """Their socket or file, and ours or None."""
    if kind == "stream":
        theirs, ours = socket.socketpair()
        return theirs, sent(ours, path)
    if kind == "listening":
        name = "%s/%d" % (directory, len(os.listdir(directory)))
        theirs = socket.socket(socket.AF_UNIX)
        theirs.bind(name)
        theirs.listen()
        ours = socket.socket(socket.AF_UNIX)
        ours.connect(name)
        return theirs, sent(ours, path)
    if kind == "unconnected":
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM), None
    if kind in ("datagram", "seqpacket"):
        how = socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_SEQPACKET
        return socket.socketpair(socket.AF_UNIX, how)
    if kind == "file":
        return open(path, "rb"), None
    if kind == "pipe":
        return os.fdopen(os.pipe()[0], "rb"), None
    sys.exit("pass: no such kind: " + kind)


def environment(options, count):
    os.environ["LISTEN_FDS"] = str(count) if options.fds is None else options.fds
    pids = {"own": os.getpid(), "other": os.getppid(), "none": None}
    pid = pids.get(options.pid, options.pid)
    if pid is None:
        os.environ.pop("LISTEN_PID", None)
    else:
        os.environ["LISTEN_PID"] = str(pid)


def become(options, passed, command):
    # Out of the way first: ours may be where theirs shall go.
    high = [
        fd if fd is None else fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, SPARE)
        for fd in passed
    ]
    for n, fd in enumerate(high):
        if fd is not None:
            os.dup2(fd, FIRST + n)
        else:
            with contextlib.suppress(OSError):
                os.close(FIRST + n)
    environment(options, len(passed))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for fd in options.closed.split(","):
        if fd:
            os.close(int(fd))
    os.execvp(command[0], command)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fds")
    parser.add_argument("--pid", default="own")
    parser.add_argument("--closed", default="")
    parser.add_argument("--connection")
    parser.add_argument("kinds", nargs="*")
    cut = sys.argv.index("--")
    options = parser.parse_args(sys.argv[1:cut])
    directory = tempfile.mkdtemp()
    pairs = [
        (None, None) if kind == "closed" else make(kind, options.connection, directory)
        for kind in options.kinds
    ]
    pid = os.fork()
    if pid == 0:
        try:
            become(options, [theirs for theirs, _ in pairs], sys.argv[cut + 1 :])
        finally:
            os._exit(126)
    shutil.rmtree(directory)
    for theirs, ours in pairs:
        if theirs is not None:
            theirs.close()
    for kind, (_, ours) in zip(options.kinds, pairs):
        if kind in ("stream", "listening"):
            with contextlib.suppress(ConnectionResetError):
                while data := ours.recv(65536):
                    os.write(1, data)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    sys.exit(status if status >= 0 else 128 - status)


main()
