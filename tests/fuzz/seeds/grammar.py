"""The session fuzzer's grammar the other way round: what a seed wants becomes the
bytes that session.c and session/frame.c choose it by. It knows the order of their
choices and the places in their tables, and nothing of what the handler answers."""

ENDINGS = ["ends", "reset", "stalls", "terminated", "fails"]
IF_EXISTS = [None, "replace", "keep", "reject"]
DIGESTS = [None, "tell", "right", "upper", "wrong"]
TIMES = ["0", "1234567890", "1234567890.25", "8589934591.999999", "1e3"]
NAMES = ["a", "b", "a.~1~", "a.~2~", "d", "d/x", "d/y", "d/e/z", "d/x/y", "n/m/o",
         "n", "s", "s/x", "t", "p", "three", "turned", "quoted", "component 255",
         "name 4095", "component 252", ".h", "d/.h", "d/.putd", "", "/a", "a/", "d//x",
         "d/./x", "d/../x", ".putd", ".PutD/x", "a\\x01", "a\\x85", "component 256",
         "name 4096", "u"]
MAX_SIZES = [0, 40, 700, 1 << 20]
KINDS = {"put": 0, "part": 5, "commit": 9, "stat": 12, "abort": 14, "hello": 15,
         "refused": 16, "end": 18, "broken": 19}
UNKNOWN_CMD, BAD_HEADER, UNSUPPORTED = 0, 3, 18
REPLY_OF_NUMBER = 33  # row that gets no receipt, as its "reply" is none
REFUSED = {row: "unknown-cmd" if row in (0, 1, 2, 22) else
           "unsupported" if row in (18, 21) else "bad-header" for row in range(35)}
BROKEN = range(31)  # headers that cannot be read
PROXIES = {None: 0, "none": 58, "tcp4": 59, "unknown": 60, "tcp6": 61, "short": 62, "cut": 63}
NO_PROXIES = ("none", "short", "cut")  # no frame follows

PAUSE = bytes([52])
NO_CUT = bytes([0])


def cut(ending, at=255):
    """The stream ends `at` 256ths of the frame."""
    return bytes([60, at, ENDINGS.index(ending)])


def cut_before_body(ending):
    return bytes([63, 0, ENDINGS.index(ending)])


def options(max_size=0, max_session=False, partials=True, policy="replace", mkdirs=False,
            hidden=False, mode=0o640, durable=True, full=False, fills=False, timeout=False):
    """Of the server: max_session is 100 bytes, no room for partials, a disk below
    --min-free (`fills`: from the second connection on), a connection of 10 s."""
    limit = 3 if max_session else 0 if partials else 2
    flags = (mkdirs * 1 | hidden * 2 | (mode == 0o604) * 4 | durable * 8
             | full * 0x70 | fills * 0x60 | timeout * 0x80)
    return bytes([limit * 4 + MAX_SIZES.index(max_size), flags,
                  IF_EXISTS.index(policy) - 1])


def _body(size, start):
    """Bytes of a body, and of the three sorts of bytes which."""
    large = [4096, 65536, 1 << 20]
    if size in large:
        return bytes([99, large.index(size)])
    return bytes([{64: 67, 700: 104}.get(size, size), start])


def _wish(digest, if_exists, mtime):
    return bytes([DIGESTS.index(digest), TIMES.index(mtime) if mtime else 9,
                  IF_EXISTS.index(if_exists)])


def _size(size):
    """`right` is what is held; others are told whatever is."""
    return bytes([0 if size == "right" else 4 + [0, 39, 41, 1 << 24].index(size)])


class Frame:
    """Bytes of choices, and the word that its receipt must have: None for none."""

    def __init__(self, kind, says, keys, size=0, start=0, reply=True, style=0, then=NO_CUT):
        body = _body(size, start) if kind != "broken" else b""
        style |= 0 if reply else 1
        style |= 4 if size and kind not in ("put", "part", "refused") else 0
        rest = bytes([style]) if kind != "broken" else b""
        self.says = says if reply else None
        self.over = kind in ("end", "broken") or then[0] >= 60
        self.bytes = bytes([KINDS[kind]]) + body + keys + rest + then


def put(name, size, says="ok", digest=None, if_exists=None, mtime=None, **more):
    keys = bytes([NAMES.index(name)]) + _wish(digest, if_exists, mtime)
    return Frame("put", says, keys, size, **more)


def part(upload, size, says="ok", offset="right", **more):
    return Frame("part", says, bytes([{"right": 0, "one more": 6, "0": 7}[offset], upload]),
                 size, **more)


def commit(upload, name, says="ok", size="right", digest=None, if_exists=None, mtime=None,
           body=0, **more):
    keys = bytes([upload, NAMES.index(name)]) + _size(size) + _wish(digest, if_exists, mtime)
    return Frame("commit", says, keys, body, **more)


def stat(upload, says="ok", name=None, size=None, if_exists=None, body=0, **more):
    keys = bytes([(name is not None) | (size is not None) * 2 | (if_exists is not None) * 4,
                  upload])
    keys += bytes([NAMES.index(name)]) if name is not None else b""
    keys += _size(size) if size is not None else b""
    keys += bytes([IF_EXISTS.index(if_exists)]) if if_exists is not None else b""
    return Frame("stat", says, keys, body, **more)


def abort(upload, says="ok", body=0, **more):
    return Frame("abort", says, bytes([upload]), body, **more)


def hello(says="ok", body=0, **more):
    return Frame("hello", says, b"", body, **more)


def end(says, body=0, **more):
    """`says` is FILES/FAILED/BYTES."""
    return Frame("end", says, b"", body, **more)


def refused(which, says, size=0, **more):
    return Frame("refused", says, bytes([which]), size, **more)


def broken(which, **more):
    return Frame("broken", None, bytes([which]), **more)


class Connection:
    """Frames; `last` is the word of the line that ends the stream, of no frame, and
    `over` tells that the frames end it in a way that only the handler knows. A peer
    that `reads` so many bytes takes so many receipts."""

    def __init__(self, *frames, locked=7, reads=None, send=0, descriptors=0, proxy=None,
                 ending="ends", last=None, over=False, takes=None):
        peer = [None, 0, 1, 100, 300, 1000].index(reads) + 26 if reads is not None else send // 3
        start = bytes([locked, peer, descriptors - 8 if descriptors else 0, PROXIES[proxy]])
        over = over or proxy in NO_PROXIES or frames[-1].over
        self.says = [f.says for f in frames if f.says is not None]
        self.says = self.says[:takes] + ([last] if last is not None else [])
        self.bytes = start + b"\0".join(f.bytes for f in frames)
        if not over:
            self.bytes += b"\x1f" + bytes([ENDINGS.index(ending)])


class Session:
    """What the fuzzer is given. `there` of the directory before: 1 a directory d, 2
    symbolic links s to it, t out and u to a, 4 a fifo p."""

    def __init__(self, *connections, there=0, **server):
        self.says = [word for connection in connections for word in connection.says]
        self.bytes = options(**server) + bytes([there]) + b"".join(
            c.bytes for c in connections)
        assert len(self.bytes) <= 400, "run gives the fuzzer no more"
