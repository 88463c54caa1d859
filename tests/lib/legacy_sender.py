"""A legacy sender: knows nothing but [int32][{"cmd","filename","filesize"}][bytes].

legacy_sender.py [--pipelined] [--expect-silence] PORT [FILE...]

Connects to 127.0.0.1 and sends each FILE under its last component: the length
and the ASCII-escaped header in two small writes, then the file a line at a
time. It never reads. Without FILE it stands at its prompt: each line of stdin
is a file to send, and the end of stdin is `quit`; it stays connected between.

  --pipelined        all of it in pieces of 64 KiB that know no frame, so that a
                     header stands in the segment of the body before it
  --expect-silence   when all is sent, end our side, wait for the end of the other
                     one, and fail if a single byte came (the test's, no sender's)
"""

import argparse
import json
import os
import socket
import struct
import sys

PIECE = 65536


def header_of(path):
    header = {
        "cmd": "put",
        "filename": os.path.basename(path),
        "filesize": os.path.getsize(path),
    }
    return json.dumps(header).encode("ascii")


def send_file(sock, path):
    header = header_of(path)
    sock.sendall(struct.pack("<i", len(header)))
    sock.sendall(header)
    with open(path, "rb") as lines:
        for line in lines:
            sock.sendall(line)


def stream_of(paths):
    for path in paths:
        header = header_of(path)
        yield struct.pack("<i", len(header)) + header
        with open(path, "rb") as file:
            while data := file.read(PIECE):
                yield data


def send_pipelined(sock, paths):
    pending = b""
    for data in stream_of(paths):
        pending += data
        while len(pending) >= PIECE:
            sock.sendall(pending[:PIECE])
            pending = pending[PIECE:]
    sock.sendall(pending)


def expect_silence(sock):
    sock.shutdown(socket.SHUT_WR)
    sock.settimeout(30)
    try:
        data = sock.recv(8192)
    except OSError as error:
        sys.exit("legacy_sender: no clean end: %s" % error)
    if data:
        sys.exit("legacy_sender: was sent %r" % data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pipelined", action="store_true")
    parser.add_argument("--expect-silence", action="store_true")
    parser.add_argument("port", type=int)
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()

    sock = socket.create_connection(("127.0.0.1", options.port))
    if options.pipelined:
        send_pipelined(sock, options.files)
    elif options.files:
        for path in options.files:
            send_file(sock, path)
    else:
        for line in iter(sys.stdin.readline, ""):
            send_file(sock, line.rstrip("\n"))
    if options.expect_silence:
        expect_silence(sock)
    sock.close()


main()
