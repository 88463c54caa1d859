"""Clients that talk to several hosts of one tree at once, step by step.

scale_talk.py SCENARIO [ARGUMENT]...

Each scenario prints lines for the test that called it, and ends with status 1
where the servers did what they must not. Hosts 1 to 3 are 10.89.0.1 to .3; the
client is HAProxy's machine, and says so with a PROXY header. Every wait has a
bound. Knows the framing of put-protocol(7).
"""

import hashlib
import json
import os
import select
import socket
import struct
import sys
import time

BOUND = 90.0  # seconds for any one answer
HOSTS = (1, 2, 3)


def frame(body=b"", **header):
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<i", len(text)) + text + body


class Client:
    def __init__(self, host=None):
        address = ("10.89.0.%d" % host if host else "10.89.0.100", 8080)
        self.socket = socket.create_connection(address, BOUND)
        self.lines = self.socket.makefile("rb")
        if host:
            self.send(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        """The next receipt; None at the end, however it came."""
        try:
            text = self.lines.readline()
        except OSError:
            return None
        return json.loads(text) if text else None

    def ask(self, body=b"", **header):
        self.send(frame(body, reply=True, **header))
        return self.line()

    def close(self):
        self.lines.close()
        self.socket.close()


def new_id():
    return os.urandom(16).hex()


def say(*words):
    print(*words, flush=True)


def must(what, *story):
    if not what:
        sys.exit("talk: " + " ".join(map(str, story)))


def error(answer):
    return "ok" if answer["ok"] else answer["error"]


def until(reason, step):
    """Asks again, as a client does whose answer may be retried."""
    end = time.monotonic() + BOUND
    while True:
        answer = step()
        if answer is not None:
            return answer
        must(time.monotonic() < end, "waited in vain:", reason)
        time.sleep(0.2)


def alone(host, body=b"", **header):
    """One question on a connection of its own; None where none answers."""
    try:
        client = Client(host)
    except OSError:
        return None
    try:
        answer = client.ask(body, **header)
    except OSError:
        answer = None
    client.close()
    return answer


def anew(host, **header):
    """The same; None also where it may be repeated."""
    answer = alone(host, **header)
    return None if answer is None or answer.get("retry") else answer


# --- one name, several hosts -----------------------------------------------------


def race(policy, rounds, name):
    """The same name on three hosts at once. Prints NAME-ROUND WINNERS… ."""
    for number in range(int(rounds)):
        here = "%s%d" % (name, number)
        clients = [Client(host) for host in HOSTS]
        for host, client in zip(HOSTS, clients):
            body = b"%d" % host * 1000
            client.send(
                frame(body[:-1], cmd="put", filename=here, filesize=1000, if_exists=policy, reply=True)
            )
        for host, client in zip(HOSTS, clients):
            client.send(b"%d" % host)
        answers = [client.line() for client in clients]
        for client in clients:
            client.close()
        for host, answer in zip(HOSTS, answers):
            must(answer is not None, here, "no answer from", host)
            if answer["ok"]:
                say(here, host, answer["stored"], answer["durable"])
            else:
                must(policy == "reject" and answer["error"] == "exists", answer)


# --- one upload, several hosts ---------------------------------------------------


def moved(name):
    """A part on host 1, its end on host 2, the commit on host 3."""
    upload, half = new_id(), b"a" * 3000000
    first = Client(1).ask(half, cmd="put", id=upload, offset=0, filesize=len(half))
    must(first["ok"], first)
    held = Client(2).ask(cmd="stat", id=upload)
    must(held.get("offset") == len(half), held)
    rest = Client(2).ask(b"b" * 1000, cmd="put", id=upload, offset=len(half), filesize=1000)
    must(rest["ok"] and rest["offset"] == len(half) + 1000, rest)
    done = Client(3).ask(cmd="commit", id=upload, filename=name, size=len(half) + 1000, sha256=True)
    must(done["ok"] and done["durable"], done)
    must(done["sha256"] == hashlib.sha256(half + b"b" * 1000).hexdigest(), done)
    say(done["sha256"])


def broken(name):
    """The connection breaks in the middle of a part on host 1: host 2 goes on from
    what is held."""
    upload, body = new_id(), os.urandom(4000000)
    client = Client(1)
    client.send(frame(body[:2500000], cmd="put", id=upload, offset=0, filesize=len(body)))
    client.close()

    def what_is_held():
        # The first may not have come to its part yet: then nobody knows the id.
        answer = anew(2, cmd="stat", id=upload)
        return answer if answer and answer["ok"] and answer["offset"] > 0 else None

    held = until("the end of the first", what_is_held)["offset"]
    must(held <= 2500000, held)
    say("held", held)
    second = Client(2)
    rest = second.ask(body[held:], cmd="put", id=upload, offset=held, filesize=len(body) - held)
    must(rest["ok"], rest)
    done = second.ask(cmd="commit", id=upload, filename=name, size=len(body), sha256=True)
    must(done["ok"] and done["sha256"] == hashlib.sha256(body).hexdigest(), done)
    say(done["sha256"])


def lost_answer(name):
    """The commit's answer is lost: every host tells the same."""
    upload = new_id()
    client = Client(1)
    client.ask(b"hello", cmd="put", id=upload, offset=0, filesize=5)
    client.send(frame(cmd="commit", id=upload, filename=name, size=5, sha256=True, reply=True))
    client.close()

    def stored():
        answer = anew(2, cmd="stat", id=upload)
        return answer if answer and answer.get("state") == "stored" else None

    facts = until("the commit", stored)
    again = [Client(host).ask(cmd="commit", id=upload, filename=name, size=5, sha256=True) for host in HOSTS]
    must(again[0]["ok"] and again[0] == again[1] == again[2], again)
    told = [Client(host).ask(cmd="stat", id=upload) for host in HOSTS]
    must(told[0] == told[1] == told[2] == facts, told, facts)
    for key in ("filename", "size", "stored", "durable", "sha256"):
        must(facts.get(key) == again[0].get(key), key, facts, again[0])
    must(Client(3).ask(b"x", cmd="put", id=upload, offset=5, filesize=1)["error"] == "exists", upload)


def inside_part(begin, upload):
    """begin() sends the head of a part and some of its body to a host, and returns
    that connection once another host is told that the id is busy. Who asks may also
    keep it out of the id, at the same moment: then it begins again."""
    client = begin()

    def busy():
        nonlocal client
        if select.select([client.socket], [], [], 0)[0]:
            client.close()
            client = begin()
        answer = alone(2, b"B", cmd="put", id=upload, offset=1, filesize=1)
        return answer if answer and answer.get("error") == "busy" else None

    until("the other to hold it", busy)
    return client


def both():
    """Two hosts inside one id: one of them is told to wait."""
    upload = new_id()

    def begin():
        client = Client(1)
        client.send(frame(b"A" * 500, cmd="put", id=upload, offset=0, filesize=1000, reply=True))
        return client

    first = inside_part(begin, upload)
    busy = Client(2).ask(b"B" * 1000, cmd="put", id=upload, offset=500, filesize=1000)
    must(error(busy) == "busy" and busy["retry"], busy)
    refused = Client(3).ask(cmd="commit", id=upload, filename="mixed", size=500)
    must(error(refused) == "busy", refused)
    first.send(b"A" * 500)
    must(first.line()["offset"] == 1000, "the first one's part")
    done = Client(2).ask(cmd="commit", id=upload, filename="both", size=1000, sha256=True)
    must(done["sha256"] == hashlib.sha256(b"A" * 1000).hexdigest(), done)


def stale(ready, go, name):
    """Host 1 is cut off from the volume inside a part, and host 2 ends the upload;
    when host 1 is back, its client goes on as if nothing had been."""
    upload, prefix = new_id(), b"A" * 2000000
    must(Client(1).ask(prefix, cmd="put", id=upload, offset=0, filesize=len(prefix))["ok"], "before")

    def begin():
        client = Client(1)
        client.send(frame(b"A" * 1500000, cmd="put", id=upload, offset=len(prefix), filesize=3000000, reply=True))
        return client

    first = inside_part(begin, upload)
    open(ready, "w", encoding="ascii").close()  # now it is cut off
    held = until("the id to be free", lambda: anew(2, cmd="stat", id=upload))["offset"]
    say("held", held)

    def rest():
        try:
            answer = Client(2).ask(b"B" * 1000000, cmd="put", id=upload, offset=held, filesize=1000000)
        except OSError:
            return None
        return answer if answer and answer["ok"] else None

    start = time.monotonic()
    must(until("the id to be free", rest)["offset"] == held + 1000000, "not held")
    say("free after %.1f s" % (time.monotonic() - start))
    digest = hashlib.sha256(b"A" * held + b"B" * 1000000).hexdigest()
    open(go, "w", encoding="ascii").close()  # now it comes back
    until("host 1", lambda: anew(1, cmd="hello"))
    try:
        first.send(b"A" * 1500000)
        answer = first.line()
    except OSError:
        answer = None
    say("the stale one was told", answer and answer.get("error", answer))
    must(answer is None or not answer["ok"], "a stale host wrote on:", answer)
    size = held + 1000000
    done = until(
        "the commit",
        lambda: anew(2, cmd="commit", id=upload, filename=name, size=size, sha256=True),
    )
    must(done["ok"] and done["sha256"] == digest, "bytes are mixed:", done)
    say(digest)


def no_quorum(ready, name):
    """Host 3 loses the volume under a connection: `io`, and try again, whatever is
    asked: nothing is unknown, stored, forgotten or forbidden there."""
    own, others = new_id(), new_id()
    client = Client(3)
    must(Client(1).ask(b"hello", cmd="put", id=others, offset=0, filesize=5)["ok"], "before")
    must(client.ask(b"hello", cmd="put", id=own, offset=0, filesize=5)["ok"], "before")
    must(client.ask(b"hello", cmd="put", filename=name + "1", filesize=5)["ok"], "before")
    open(ready, "w", encoding="ascii").close()
    while not os.path.exists(ready + ".cut"):
        time.sleep(0.1)
    number = 1
    while True:
        number += 1
        answer = client.ask(b"hello", cmd="put", filename="%s%d" % (name, number), filesize=5)
        must(answer is not None, "closed")
        if not answer["ok"]:
            break
        must(number < 100, "it goes on")
    say("put", answer["error"], answer["retry"])
    for body, question in (
        (b"again", dict(cmd="put", filename=name + "1", filesize=5)),
        (b"new", dict(cmd="put", id=new_id(), offset=0, filesize=3)),
        (b" you", dict(cmd="put", id=own, offset=5, filesize=4)),
        (b" you", dict(cmd="put", id=others, offset=5, filesize=4)),
        (b"", dict(cmd="stat", id=others)),
        (b"", dict(cmd="stat", id=new_id())),
        (b"", dict(cmd="commit", id=others, filename=name + "c", size=5)),
        (b"", dict(cmd="abort", id=others)),
    ):
        answer = client.ask(body, **question)
        must(answer is not None, "closed at", question)
        say(question["cmd"], error(answer), answer.get("retry"))


def gap(seconds, stop):
    """Small files through HAProxy, one connection each, ten a second, until the
    file STOP is there: prints how long the longest time without a receipt was, and
    how many were stored and how many tries were lost."""
    last = time.monotonic()
    longest, stored, lost = 0.0, 0, 0
    end = last + float(seconds)
    while time.monotonic() < end and not os.path.exists(stop):
        try:
            client = Client()
            client.socket.settimeout(30)
            answer = client.ask(b"x", cmd="put", filename="gap%d" % stored, filesize=1)
            client.close()
        except OSError:
            answer = None
        now = time.monotonic()
        if answer and answer["ok"]:
            longest = max(longest, now - last)
            last, stored = now, stored + 1
        else:
            lost += 1
        time.sleep(0.1)
    say("%.1f %d %d" % (longest, stored, lost))


globals()[sys.argv[1]](*sys.argv[2:])
