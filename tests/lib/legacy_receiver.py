"""A legacy receiver: knows nothing but [int32][{"cmd","filename","filesize"}][bytes].

legacy_receiver.py DIRECTORY PORT-FILE LOG

Listens on 127.0.0.1, writes the port into PORT-FILE, and takes one connection at
a time: recv(4), recv(length), then recv(8192) until it has at least `filesize`
bytes; whatever it reads too much goes into the file. It answers nothing and
closes nothing. Where a real one would die or loop for ever, it says so in LOG
and goes on to the next connection; a line for each event:

  received NAME BYTES
  reset          by the peer
  stuck NAME     end of stream inside a body: recv() returns nothing for ever
  broken         a length or a header that one recv() did not bring whole, or
                 that is not what it knows: its end
"""

import json
import os
import socket
import struct
import sys

PIECE = 8192


def receive_file(sock, directory):
    """The event; None at the end of the connection."""
    length = sock.recv(4)
    if not length:
        return None
    if len(length) < 4:
        return "broken"
    text = sock.recv(struct.unpack("<i", length)[0])
    try:
        header = json.loads(text)
        name, filesize = header["filename"], header["filesize"]
    except (ValueError, KeyError):
        return "broken"
    received = 0
    with open(os.path.join(directory, name), "wb") as file:
        while received < filesize:
            data = sock.recv(PIECE)
            if not data:
                return "stuck " + name
            file.write(data)
            received += len(data)
    return "received %s %d" % (name, received)


def serve(sock, directory, log):
    event = ""
    while event is not None and not event.startswith(("broken", "stuck")):
        try:
            event = receive_file(sock, directory)
        except ConnectionResetError:
            print("reset", file=log, flush=True)
            return
        if event is not None:
            print(event, file=log, flush=True)
    if event == "broken":
        sock.close()  # as the end of the process would


def main():
    directory, port_file, log_file = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", 0))
    with open(port_file + ".new", "w", encoding="ascii") as out:
        out.write("%d\n" % listener.getsockname()[1])
    os.rename(port_file + ".new", port_file)
    never_closed = []
    with open(log_file, "w", encoding="utf-8") as log:
        while True:
            sock, _ = listener.accept()
            never_closed.append(sock)
            serve(sock, directory, log)


main()
