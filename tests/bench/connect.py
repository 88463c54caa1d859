"""Connections per second: connect.py [--at-once=N] [--seconds=S] COUNT WHERE...

COUNT connections to WHERE, N of them at a time (4), none begun after S seconds;
each puts a file of 1 KiB, waits for its receipt, ends its side and waits for the
end of the other. WHERE is tcp:HOST:PORT, unix:PATH, or `exec COMMAND...`, whose
stdin and stdout are a connection. Prints the rate. A receipt that is not ok ends
the program with a line.
"""

import argparse
import json
import socket
import struct
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

BOUND = 30.0  # seconds, for one connection
RUN = uuid.uuid4().hex[:8]  # new names in each run


def over_socket(where, data):
    kind, _, rest = where[0].partition(":")
    if kind == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(BOUND)
        connection.connect(rest)
    else:
        host, _, port = rest.rpartition(":")
        connection = socket.create_connection((host, int(port)), BOUND)
    with connection:
        connection.sendall(data)
        answers = connection.makefile("rb")
        answer = answers.readline()
        connection.shutdown(socket.SHUT_WR)
        answers.read()
    return answer


def over_pipes(where, data):
    process = subprocess.Popen(
        where[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        process.stdin.write(data)
        process.stdin.flush()
        answer = process.stdout.readline()
        process.stdin.close()
        process.stdout.read()
    return answer


def put(where, number):
    name = f"{RUN}-{number}"
    header = json.dumps(
        {"cmd": "put", "filename": name, "filesize": 1024, "reply": True}
    ).encode()
    over = over_pipes if where[0] == "exec" else over_socket
    answer = over(where, struct.pack("<i", len(header)) + header + b"x" * 1024)
    if not answer.startswith(b'{"ok":true,"cmd":"put"'):
        raise SystemExit(f"connect: {' '.join(where)}: {answer!r}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=BOUND)
    parser.add_argument("count", type=int)
    parser.add_argument("where", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    start = time.monotonic()

    def one(number):
        if time.monotonic() - start > options.seconds:
            return 0
        put(options.where, number)
        return 1

    with ThreadPoolExecutor(options.at_once) as pool:
        done = sum(pool.map(one, range(options.count)))
    print(f"{done / (time.monotonic() - start):.1f}")


main()
