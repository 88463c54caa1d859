"""inetd for one connection: the smallest there can be.

inetd.py PORT-FILE COMMAND...

Listens on 127.0.0.1, writes the port into PORT-FILE, accepts one connection and
becomes COMMAND with it as stdin and stdout. stderr stays.
"""

import os
import socket
import sys

listener = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1] + ".new", "w", encoding="ascii") as out:
    out.write("%d\n" % listener.getsockname()[1])
os.rename(sys.argv[1] + ".new", sys.argv[1])
connection, _ = listener.accept()
os.dup2(connection.fileno(), 0)
os.dup2(connection.fileno(), 1)
os.execv(sys.argv[2], sys.argv[2:])
