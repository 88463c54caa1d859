"""Many connections at once: what a listener's limits do.

launch_crowd.py N RELEASE [SOURCES]

Makes N connections to 127.0.0.1:8080, one after the other, from as many loopback
addresses by turns (1), and sends nothing. Prints how many of them the other side
has closed by the time that the last one is closed (or BOUND has passed), and holds
the others until RELEASE, a FIFO, is opened for writing. Knows nothing of the
protocol.
"""

import select
import socket
import sys

ADDRESS = ("127.0.0.1", 8080)
BOUND = 50.0  # seconds


def is_closed(connection, seconds):
    # Nobody has been asked anything: what can be read is the end.
    return bool(select.select([connection], [], [], seconds)[0])


def main():
    sources = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    crowd = [
        socket.create_connection(ADDRESS, source_address=("127.0.0.%d" % (1 + i % sources), 0))
        for i in range(int(sys.argv[1]))]
    # They are taken in the order in which they came.
    is_closed(crowd[-1], BOUND)
    print("closed", sum(is_closed(one, 0) for one in crowd), flush=True)
    with open(sys.argv[2], encoding="ascii") as release:
        release.read()


main()
