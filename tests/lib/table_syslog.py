"""A syslogd that knows nothing: table_syslog.py FILE

Receives on /dev/log and appends each message to FILE, as it came, as a line.
FILE may be truncated at any time.
"""

import os
import socket
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("/dev/log")
os.chmod("/dev/log", 0o666)
out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
while True:
    message = listener.recv(65536).rstrip(b"\0\n")
    os.write(out, message.replace(b"\n", b"\\n") + b"\n")
