"""Servers that are none, for put: put_liar.py ROW

Listens on loopback, prints its address for `put -s`, and does on every connection
what the row says, until it is killed. It reads nothing of what put sends, but where
the row says so.
"""

import select
import socket
import sys
import time

HELLO = (
    b'{"ok":true,"cmd":"hello","protocol":1,"commands":["put","commit","stat",'
    b'"abort","end","hello"],"if_exists":"replace"}\n'
)
HALF = b'{"ok":true,"cmd":"hel'


def hold(sock):
    """Until the other side goes away; what comes is read."""
    while sock.recv(1 << 16):
        pass


def say(*texts):
    def row(sock):
        for text in texts:
            sock.sendall(text)
        hold(sock)

    return row


def say_and_leave(text):
    """Once something came: put may otherwise still be connecting."""

    def row(sock):
        sock.recv(4096)
        sock.sendall(text)

    return row


def flood(text, *before):
    def row(sock):
        for one in before:
            sock.sendall(one)
        while True:
            sock.sendall(text)

    return row


def drip(before, byte):
    """A byte of a line each tenth of a second."""

    def row(sock):
        sock.sendall(before)
        while True:
            if select.select([sock], [], [], 0.1)[0] and not sock.recv(1 << 16):
                return
            time.sleep(0.1)
            sock.sendall(byte)

    return row


ROWS = {
    "half a receipt, and silence": say(HALF),
    "half a receipt, and the end": say_and_leave(HALF),
    "hello, half a receipt, and silence": say(HELLO, HALF),
    "hello, half a receipt, and the end": say_and_leave(HELLO + HALF),
    "bytes without a newline": flood(b"x" * 65536),
    "a line without end": flood(b"x" * 65536, b'{"'),
    "hello, and a line without end": flood(b"x" * 65536, HELLO + b'{"'),
    "empty lines": flood(b"\n" * 4096),
    "hello again and again": flood(HELLO * 100),
    "a drip": drip(b'{"', b"x"),
    "hello, and a drip": drip(HELLO + b'{"', b"x"),
    "zeros": say(b"\0" * 100),
    "frames": say(b'\x0e\0\0\0{"cmd":"hello"}\n'),
    "deep": say(b'{"ok":true,"x":' + b"[" * 1000 + b"]" * 1000 + b"}\n"),
    "another protocol": say(HELLO.replace(b'protocol":1', b'protocol":2')),
    "a protocol of no number": say(HELLO.replace(b'protocol":1', b'protocol":"1"')),
    "the end before all": say(
        HELLO + b'{"ok":true,"cmd":"end","files":1,"failed":0,"bytes":6}\n'
    ),
    "ends that may pass": say(b'{"ok":false,"error":"timeout","retry":true}\n'),
}


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    print("127.0.0.1:%d" % listener.getsockname()[1], flush=True)
    sys.stdout.close()
    while True:
        sock, _ = listener.accept()
        try:
            ROWS[sys.argv[1]](sock)
        except (BrokenPipeError, ConnectionResetError):
            pass
        sock.close()


main()
