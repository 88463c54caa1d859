"""Servers that a client may meet: honest, lying, silent, deaf and legacy.

put_server.py [OPTION]... MODE

Listens on loopback or a Unix socket (--unix=PATH), prints its address for
`put -s` on stdout, serves one connection after another until it is killed, and
writes what it saw to --log, one event a line:

  connection N     accepted, from 1          header NAME    a header was read
  put NAME SIZE    a body is whole           end            that frame
  asked            the header wanted a receipt               keys K,K    its keys
  eof, reset       between frames            cut NAME N, reset NAME N  in a body

Whole bodies are kept in --keep=DIR. The body of --gate-at=NAME is read once the
fifo --gate was opened and closed. A part has the name that a stat or commit of
its id told. `hello` is answered in every mode that answers, and is no frame to
be counted, unless --rude. --late-at=N holds the first receipt back until
N bytes of the body after it were read and no more came. --fat=N makes receipts
that much longer, --buffer=N the socket's buffers that small. With --stay the
server does not close after `end`. Modes:

  honest   does what put-protocol(7) says; with --alter=CMD:JSON merged into the
           receipts of CMD (null takes a key away), --say-CMD=TEXT in place of
           them, --refuse=NAME:ERROR:RETRY[:TIMES]
  early    the same, but receipts are sent before the body is read
  silent   reads everything and never answers
  deaf     reads nothing
  banner   says --say-put at once, and reads on
  leaving  reads --frames frames, answers all but the last, and closes;
           --leave=N times, then it is honest
  trickle  reads everything and sends a line slowly, without end
  dying    reads one header and resets the connection
  full     never accepts; its queue of connections is full
  legacy   a receiver of length, header and bytes, which never answers
"""

import argparse
import json
import os
import select
import socket
import struct
import sys


class Gone(Exception):
    """The peer ended the stream, or reset it: the event's name."""


class Connection:
    def __init__(self, sock, options):
        self.sock = sock
        self.options = options
        self.files = self.failed = self.bytes = 0
        self.late = b""  # a receipt held back

    def log(self, *words):
        with open(self.options.log, "a", encoding="utf-8") as log:
            print(*words, file=log)

    def receive(self, count):
        try:
            data = self.sock.recv(count)
        except ConnectionResetError:
            raise Gone("reset") from None
        if not data:
            raise Gone("eof")
        return data

    def exactly(self, count):
        data = b""
        while len(data) < count:
            data += self.receive(count - len(data))
        return data

    def header(self):
        """The next one; hello is answered on the way."""
        header = self.one_header()
        while header["cmd"] == "hello" and not self.options.rude:
            self.answer(header)
            header = self.one_header()
        return header

    def one_header(self):
        (length,) = struct.unpack("<i", self.exactly(4))
        header = json.loads(self.exactly(length))
        if "filename" in header:
            self.log("header", header["filename"])
            if "id" in header:
                self.options.names[header["id"]] = header["filename"]
        if header.get("reply") and header["cmd"] != "hello":
            self.log("asked")
        self.log("keys", ",".join(header))
        if header["cmd"] in ("stat", "commit", "abort"):
            self.log(header["cmd"], self.name(header))
        return header

    def name(self, header):
        own = self.options.names.get(header.get("id"), "")
        return header.get("filename", own)

    def body(self, header):
        size = header.get("filesize", 0)
        name = self.name(header)
        if header["cmd"] == "put":
            self.wait_at_gate(name)
        parts = []
        got = 0
        try:
            while got < size:
                part = self.receive(min(size - got, 1 << 20))
                got += len(part)
                if self.options.keep:
                    parts.append(part)
                if self.late and got >= self.options.late_at:
                    self.give_late()
        except Gone as gone:
            event = "cut" if str(gone) == "eof" else "reset"
            self.log(event, name, got)
            if "id" in header:
                self.part(header, b"".join(parts), got)
            raise Gone("") from None
        if "id" in header and header["cmd"] == "put":
            self.part(header, b"".join(parts), got)
        elif header["cmd"] == "put":
            self.store(name, b"".join(parts), size)

    def part(self, header, data, size):
        """What is held: its bytes, where they are kept, and their number."""
        held, before = self.options.partials.get(header["id"], (0, b""))
        if held == header["offset"]:
            held, before = held + size, before + data
            self.options.partials[header["id"]] = (held, before)
        self.log("part", self.name(header), header["offset"], size)

    def wait_at_gate(self, name):
        if self.options.gate and name and name == self.options.gate_at:
            with open(self.options.gate, encoding="utf-8") as gate:
                gate.read()

    def give_late(self):
        """A client that does not wait for its receipts is gone by now."""
        if not select.select([self.sock], [], [], 0.3)[0]:
            self.sock.sendall(self.late)
            self.late = b""

    def store(self, name, data, size):
        if self.options.keep:
            with open(os.path.join(self.options.keep, name), "wb") as out:
                out.write(data)
        self.log("put", name, size)

    def refusal(self, header, error, retry, **more):
        if header["cmd"] == "commit" or "id" not in header:
            self.failed += 1
        receipt = {"ok": False, "cmd": header["cmd"], "error": error}
        receipt["retry"] = retry
        receipt["message"] = "told by the server"
        if "filename" in header:
            receipt["filename"] = header["filename"]
        return {**receipt, **more}

    def refused(self, header):
        """As --refuse says, as often as it says."""
        told = self.options.refuse.get(header.get("filename"))
        if not told or (header["cmd"] == "put" and "id" in header):
            return None
        error, retry, times = told
        if times == 0:
            return None
        self.options.refuse[header["filename"]] = (error, retry, times - 1)
        return self.refusal(header, error, retry == "true")

    def verdict(self, header):
        if "id" in header:
            return self.verdict_by_id(header)
        return self.refused(header) or self.facts(header, header["filesize"])

    def facts(self, header, size, **more):
        name = header["filename"]
        if header["cmd"] != "stat":
            self.files += 1
            self.bytes += size
        receipt = {"ok": True, "cmd": header["cmd"], **more, "filename": name}
        receipt["filesize" if header["cmd"] == "put" else "size"] = size
        if "sha256" in header:
            receipt["sha256"] = header["sha256"]
        return {**receipt, "stored": name, "durable": True}

    def verdict_by_id(self, header):
        command, partials = header["cmd"], self.options.partials
        held, data = partials.get(header["id"], (0, b""))
        if command == "abort":
            partials.pop(header["id"], None)
            return {"ok": True, "cmd": "abort"}
        if command == "put":
            if held != header["offset"] + header["filesize"]:
                return self.refusal(header, "bad-offset", True, offset=held)
            return {
                "ok": True,
                "cmd": "put",
                "id": header["id"],
                "offset": held,
                "durable": True,
            }
        if header["id"] in self.options.stored:
            size = self.options.stored[header["id"]]
            more = {"state": "stored"} if command == "stat" else {}
            return self.facts(header, size, **more)
        refused = self.refused(header)
        if refused:
            return refused
        if header["id"] not in partials:
            return self.refusal(header, "unknown-id", False)
        if command == "stat":
            return {
                "ok": True,
                "cmd": "stat",
                "state": "partial",
                "offset": held,
            }
        if held != header["size"]:
            return self.refusal(header, "mismatch", True, offset=held)
        self.store(header["filename"], data, held)
        self.options.stored[header["id"]] = held
        del partials[header["id"]]
        return self.facts(header, held)

    def hello(self):
        return {
            "ok": True,
            "cmd": "hello",
            "protocol": 1,
            "commands": ["put", "commit", "stat", "abort", "end", "hello"],
            "if_exists": "replace",
            "mkdirs": False,
            "hidden": False,
            "durable": True,
            "stall": 60,
            "keep": 604800,
        }

    def answer(self, header):
        command = header["cmd"]
        if command == "end":
            receipt = {
                "ok": self.failed == 0,
                "cmd": "end",
                "files": self.files,
                "failed": self.failed,
                "bytes": self.bytes,
            }
        elif command == "hello":
            receipt = self.hello()
        else:
            receipt = self.verdict(header)
        if not header.get("reply"):
            return
        for key, value in self.options.alter.get(command, {}).items():
            if value is None:
                receipt.pop(key, None)
            else:
                receipt[key] = value
        if self.options.fat:
            receipt["pad"] = "x" * self.options.fat
        line = json.dumps(receipt, separators=(",", ":")) + "\n"
        said = self.options.say.get(command, line.encode())
        if command == "hello":
            self.sock.sendall(said)
        elif self.late:
            self.late += said
        elif self.options.late_at and self.options.held is None:
            self.late = self.options.held = said
        else:
            self.sock.sendall(said)

    def discard(self):
        while True:
            self.receive(1 << 20)

    # Modes.

    def honest(self):
        while True:
            header = self.header()
            self.body(header)
            self.answer(header)
            if header["cmd"] == "end":
                self.log("end")
                if self.options.stay:
                    self.discard()
                return

    def early(self):
        while True:
            header = self.header()
            self.answer(header)
            self.body(header)
            if header["cmd"] == "end":
                return

    def silent(self):
        self.discard()

    def deaf(self):
        poll = select.poll()
        poll.register(self.sock, select.POLLRDHUP)
        poll.poll()
        raise Gone("gone")

    def banner(self):
        self.sock.sendall(self.options.say["put"])
        self.discard()

    def leaving(self):
        if self.options.leave == 0:
            self.honest()
            return
        self.options.leave -= 1
        for left in range(self.options.frames, 0, -1):
            header = self.header()
            self.body(header)
            if left > 1:
                self.answer(header)

    def trickle(self):
        """A byte every tenth of a second, for 5 s."""
        self.sock.sendall(b'{"')
        for _ in range(50):
            if select.select([self.sock], [], [], 0.1)[0]:
                self.receive(1 << 20)
            self.sock.sendall(b"x")
        self.log("trickled")

    def dying(self):
        self.wait_at_gate(self.header().get("filename"))
        linger = struct.pack("ii", 1, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def legacy(self):
        """Every read is the one that such a receiver makes."""
        while True:
            (length,) = struct.unpack("<i", self.receive(4))
            header = json.loads(self.receive(length).decode())
            name, size = header.get("filename", ""), header.get("filesize", 0)
            self.log("header", name)
            self.log("keys", ",".join(header))
            self.wait_at_gate(name)
            data = bytearray()
            try:
                while len(data) < size:
                    data += self.receive(8192)
            except Gone as gone:
                event = "loops" if str(gone) == "eof" else "reset"
                self.log(event, name, len(data))
                raise Gone("") from None
            if name:
                self.store(name, data, len(data))


def serve(listener, options):
    number = 0
    while True:
        sock, _ = listener.accept()
        number += 1
        connection = Connection(sock, options)
        connection.log("connection", number)
        try:
            getattr(connection, options.mode)()
        except Gone as gone:
            if str(gone):
                connection.log(gone)
        except (BrokenPipeError, ConnectionResetError):
            connection.log("broken")
        sock.close()


# Of struct tcp_info, for a socket that listens: how many connections wait in its
# queue (tcpi_unacked), and how many more than none may (tcpi_sacked).
QUEUED = struct.Struct("@24xII")


def is_full(listener):
    info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, QUEUED.size)
    waiting, most = QUEUED.unpack(info)
    return waiting > most


def fill(listener):
    """The queue of connections, until one more would have to wait. A Unix socket
    says so at once. With TCP nothing comes back, and that nothing came yet says
    only that the machine is busy: the kernel knows."""
    unix = listener.family == socket.AF_UNIX
    kept = []
    while unix or not is_full(listener):
        sock = socket.socket(listener.family)
        sock.settimeout(0 if unix else 0.5)
        try:
            sock.connect(listener.getsockname())
            kept.append(sock)
        except BlockingIOError:
            return kept
        except TimeoutError:
            sock.close()
    return kept


def listen(options):
    backlog = 0 if options.mode == "full" else 16
    if options.unix:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(options.unix)
        address = "unix:" + options.unix
    else:
        family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
        listener = socket.socket(family)
        listener.bind((options.host, options.port))
        host = "[%s]" if ":" in options.host else "%s"
        address = (host + ":%d") % listener.getsockname()[:2]
    if options.buffer:
        for which in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            listener.setsockopt(socket.SOL_SOCKET, which, options.buffer)
    listener.listen(backlog)
    return listener, address


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--unix")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", required=True)
    parser.add_argument("--keep")
    parser.add_argument("--alter", action="append", default=[])
    parser.add_argument("--say-put", dest="say_put")
    parser.add_argument("--say-end", dest="say_end")
    parser.add_argument("--say-commit", dest="say_commit")
    parser.add_argument("--say-stat", dest="say_stat")
    parser.add_argument("--say-hello", dest="say_hello")
    parser.add_argument("--rude", action="store_true")
    parser.add_argument("--leave", type=int, default=-1)
    parser.add_argument("--refuse", action="append", default=[])
    parser.add_argument("--stay", action="store_true")
    parser.add_argument("--gate")
    parser.add_argument("--gate-at")
    parser.add_argument("--late-at", type=int)
    parser.add_argument("--fat", type=int)
    parser.add_argument("--buffer", type=int)
    parser.add_argument("--frames", type=int)
    parser.add_argument("mode")
    options = parser.parse_args()
    options.alter = {
        command: json.loads(change)
        for command, _, change in (a.partition(":") for a in options.alter)
    }
    options.refuse = {
        name: (error, retry, int(times[0]) if times else -1)
        for name, error, retry, *times in (
            r.split(":") for r in options.refuse
        )
    }
    options.names, options.partials, options.stored = {}, {}, {}
    options.held = None  # the one receipt that --late-at held back
    options.say = {}
    for command in ("put", "end", "commit", "stat", "hello"):
        said = getattr(options, "say_" + command)
        if said is not None:
            said = said.encode("utf-8", "surrogateescape")
            said = said.decode("unicode_escape").encode("latin-1")
            options.say[command] = said
    return options


def main():
    options = parse()
    listener, address = listen(options)
    kept = fill(listener) if options.mode == "full" else []
    print(address, flush=True)
    os.close(1)
    if kept:
        select.poll().poll()
    serve(listener, options)


if __name__ == "__main__":
    sys.exit(main())
