"""pipeline.py DIRECTORY N -- COMMAND...: N puts of 4 KiB over one socket pair to
COMMAND, at most 256 ahead of their receipts; prints files per second."""
import os
import select
import socket
import subprocess
import sys
import time

AHEAD = 256
count = int(sys.argv[2])
command = sys.argv[4:]
ours, theirs = socket.socketpair()
child = subprocess.Popen(command, stdin=theirs, stdout=theirs)
theirs.close()
body = b"y" * 4096
frames = []
for i in range(count):
    header = b'{"cmd":"put","filename":"p%d","filesize":4096,"reply":true}' % i
    frames.append(len(header).to_bytes(4, "little") + header + body)
start = time.monotonic()
sent = answered = 0
pending = b""
rest = b""
ours.setblocking(False)
while answered < count:
    if not pending and sent < count and sent - answered < AHEAD:
        ahead = min(count, answered + AHEAD)
        pending = b"".join(frames[sent:ahead])
        sent = ahead
    readable, writable, _ = select.select([ours], [ours] if pending else [], [])
    if writable:
        pending = pending[ours.send(pending):]
    if readable:
        lines = (rest + ours.recv(1 << 20)).split(b"\n")
        rest = lines.pop()
        for line in lines:
            assert line.startswith(b'{"ok":true,"cmd":"put"'), line
            answered += 1
print("%.0f" % (count / (time.monotonic() - start)))
ours.shutdown(socket.SHUT_WR)
child.wait()
