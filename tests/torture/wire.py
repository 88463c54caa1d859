"""The frames and receipts of put-protocol(7), for the torture tests."""

import hashlib
import json
import struct

END = {"cmd": "end", "reply": True}


class Frame:
    """A header, its body, and what its sender hopes for."""

    def __init__(self, header, body=b"", refused=False):
        self.header = dict(header)
        self.body = body
        self.refused = refused  # must not be stored
        if body or header["cmd"] == "put":
            self.header["filesize"] = len(body)

    def encode(self):
        header = json.dumps(self.header).encode()
        return struct.pack("<i", len(header)) + header + self.body

    @property
    def asks(self):
        return self.header.get("reply", False)

    @property
    def stores(self):
        """A whole put or a commit: what `end` counts."""
        return "filename" in self.header and self.header["cmd"] in ("put", "commit")


def put(name, body, refused=False, reply=True, **more):
    return Frame({"cmd": "put", "filename": name, "reply": reply, **more}, body, refused)


def part(upload_id, offset, body, reply=True):
    return Frame({"cmd": "put", "id": upload_id, "offset": offset, "reply": reply}, body)


def commit(upload_id, name, size, refused=False, **more):
    header = {"cmd": "commit", "id": upload_id, "filename": name, "size": size, "reply": True}
    return Frame({**header, **more}, refused=refused)


def ask(command, upload_id=None):
    header = {"cmd": command, "reply": True}
    if upload_id is not None:
        header["id"] = upload_id
    return Frame(header)


def encode(frames):
    return b"".join(frame.encode() for frame in frames)


def receipts(data):
    """Those that came whole."""
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def content(label, size):
    """Bytes that tell by themselves whether they are whole and what they are."""
    head = b"%s %d\n" % (label.encode(), size)
    if size < len(head):
        raise ValueError("too small for its label")
    block = hashlib.sha512(head).hexdigest().encode()
    return (head + block * (size // len(block) + 1))[:size]


def label_of(data):
    """The label of content(), or None where it is not whole."""
    head, newline, _ = data[:300].partition(b"\n")
    label, _, size = head.decode("latin-1").rpartition(" ")
    if not newline or not size.isdigit() or int(size) != len(data):
        return None
    return label if data == content(label, len(data)) else None
