"""What a served directory may show, by what its receipts said; for tests/soak.

Each upload of a name that was stored, or may have been, began and ended at some
moment. One that was stored hides all that had ended before it began; of those that
overlap, any may be the last.
"""

import hashlib
import os
import threading
import time


def digest_of(body):
    return hashlib.sha256(body).hexdigest()


class Ledger:
    def __init__(self, root):
        self.root = root
        self.lock = threading.Lock()
        self.names = {}  # name: [(when it had ended, digest)]; None: not there

    def _add(self, name, digest, hides_before):
        with self.lock:
            known = self.names.get(name, [(0.0, None)])
            known = [event for event in known if event[0] >= hides_before]
            self.names[name] = known + [(time.monotonic(), digest)]

    def stored(self, name, digest, began):
        self._add(name, digest, began)

    def may_be(self, name, digest):
        """It was sent, and nobody said what came of it."""
        self._add(name, digest, 0.0)

    def taken_away(self, name):
        """By whoever the files are for."""
        os.unlink(os.path.join(self.root, name))
        with self.lock:
            del self.names[name]

    def allowed(self, name):
        with self.lock:
            return {event[1] for event in self.names.get(name, [(0.0, None)])}

    def shown(self, name):
        """The digest of what is there, None where nothing is."""
        try:
            with open(os.path.join(self.root, name), "rb") as file:
                return digest_of(file.read())
        except FileNotFoundError:
            return None

    def disagreements(self):
        """Of the whole tree, the private directory aside."""
        there = set()
        for directory, below, files in os.walk(self.root):
            if directory == self.root:
                below.remove(".putd")
            there.update(os.path.relpath(os.path.join(directory, file), self.root)
                         for file in files)
        for name in sorted(there | set(self.names)):
            if self.shown(name) not in self.allowed(name):
                yield "%s: not what its receipts said" % name
