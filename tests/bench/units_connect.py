"""Connections per second: units_connect.py PORT N AT_ONCE

N connections to 127.0.0.1:PORT, AT_ONCE of them at a time; each puts a file of
1 KiB and waits for its receipt and the end. Prints the rate. A receipt that is
not ok ends the program.
"""

import json
import socket
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor

BOUND = 30.0  # seconds, for one connection


def put(port, name):
    header = json.dumps(
        {"cmd": "put", "filename": name, "filesize": 1024, "reply": True}
    ).encode()
    with socket.create_connection(("127.0.0.1", port), BOUND) as connection:
        connection.sendall(
            struct.pack("<i", len(header)) + header + b"x" * 1024
        )
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    if not answer.startswith(b'{"ok":true,"cmd":"put"'):
        sys.exit(f"units_connect: port {port}: {answer!r}")


def main():
    port, count, at_once = (int(word) for word in sys.argv[1:])
    start = time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        for done in [
            pool.submit(put, port, f"{port}-{i}") for i in range(count)
        ]:
            done.result()
    print(f"{count / (time.monotonic() - start):.1f}")


main()
