"""What is on disk, as far as the calls of a process say so.

A model of a filesystem that keeps only what was flushed: the data of a file
that fsync(2) covered, and the names of a directory that fsync(2) covered. It
follows an strace, and complains of every promise that came too early: a name
that is given before the data is durable, a receipt that is sent before the name
is. A flush that failed has lost what it should have written (the kernel tells
it once, and then the pages count as clean).
"""

import os
import re

import wire

CALL = re.compile(r"^(\w+)\((.*)\) += (-?\d+|\?)(.*)$")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
ESCAPE = re.compile(r"\\([0-7]{1,3}|.)")
# Calls whose strings are no paths.
BYTES = {"read", "recvfrom", "pread64", "write", "writev", "pwrite64", "sendto", "getrandom"}
SHORT = {"n": "\n", "t": "\t", "r": "\r", "v": "\v", "f": "\f"}


def unescape(text):
    def one(match):
        code = match.group(1)
        return chr(int(code, 8)) if code[0] in "01234567" else SHORT.get(code, code)

    return ESCAPE.sub(one, text)


class File:
    """`record`: slots that are written in turn, of which the newest counts."""

    def __init__(self, durable=False, record=False):
        self.record = record
        self.size = 0
        self.flushed = durable  # at least once
        self.dirty = None  # offset from which bytes are not flushed
        self.lost = None  # offset from which a flush failed

    def is_durable(self):
        return self.flushed and self.dirty is None and self.lost is None

    def write(self, offset, n):
        self.size = max(self.size, offset + n)
        self.dirty = offset if self.dirty is None else min(self.dirty, offset)
        if self.record or self.lost is not None and offset <= self.lost and offset + n >= self.size:
            self.lost = None

    def cut(self, size):
        self.size = size
        if self.dirty is not None and self.dirty >= size:
            self.dirty = None
        if self.lost is not None and self.lost >= size:
            self.lost = None

    def flush(self, well):
        if well:
            self.flushed = True
        elif self.dirty is not None:
            self.lost = self.dirty if self.lost is None else min(self.lost, self.dirty)
        self.dirty = None


class Directory:
    def __init__(self, private=False):
        self.private = private
        self.now, self.disk = {}, {}

    def is_durable(self):
        return True

    def flush(self, well):
        if well:
            self.disk = dict(self.now)


class Model:
    def __init__(self, root):
        self.path = root
        self.root = Directory()
        self.complaints = []
        self._import(root, self.root)
        self.begin()

    def _import(self, path, directory):
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                node = Directory(entry.name == ".putd")
                self._import(entry.path, node)
            else:
                node = File(durable=True, record=entry.name.endswith(".note"))
                node.size = entry.stat(follow_symlinks=False).st_size
            directory.now[entry.name] = directory.disk[entry.name] = node

    def begin(self):
        """Another process: the descriptors are new, the names are not."""
        self.fds, self.flushes, self.sandboxed, self.said = {}, {}, False, ""

    def complain(self, line, what):
        self.complaints.append("%s: %s" % (what, line[:160]))

    def follow(self, lines):
        self.begin()
        for line in lines:
            match = CALL.match(line)
            if not match:
                continue
            name, arguments, result, rest = match.groups()
            self.sandboxed = self.sandboxed or name == "seccomp"
            if self.sandboxed and name not in BYTES and name != "linkat":
                self._stays_below(line, arguments)
            handler = getattr(self, "_" + name, None)
            if handler and result != "?":
                handler(line, arguments, int(result), rest)

    # --- names -----------------------------------------------------------

    def _stays_below(self, line, arguments):
        for fd, path in self._paths(arguments):
            if fd == "AT_FDCWD" or path.startswith("/") or ".." in path.split("/"):
                self.complain(line, "a path that may lead out of the root")

    def _paths(self, arguments):
        """[(directory, name)]: each a descriptor and a string."""
        pairs = re.findall(r'(AT_FDCWD|\d+), "((?:[^"\\]|\\.)*)"', arguments)
        return [(fd if fd == "AT_FDCWD" else int(fd), unescape(path)) for fd, path in pairs]

    def _walk(self, fd, path, view="now"):
        node = self.fds.get(fd) if fd is not None else self.root
        for step in path.split("/"):
            if node is None or step in ("", "."):
                continue
            node = getattr(node, view).get(step) if isinstance(node, Directory) else None
        return node

    def _openat(self, line, arguments, fd, _rest):
        if fd < 0:
            return
        where, path = self._paths(arguments)[0]
        if where == "AT_FDCWD":
            if path == self.path:
                self.fds[fd] = self.root
            return
        directory = self.fds.get(where)
        if directory is None:
            return
        if "O_TMPFILE" in arguments:
            self.fds[fd] = File()
            return
        if path != "." and path not in directory.now:
            if "O_CREAT" not in arguments:
                self.complain(line, "opened what the model does not know")
            directory.now[path] = File(record=path.endswith(".note"))
        self.fds[fd] = self._walk(where, path)

    def _openat2(self, _line, arguments, fd, _rest):
        if fd >= 0:
            self.fds[fd] = self._walk(*self._paths(arguments)[0])

    def _close(self, _line, arguments, result, _rest):
        if result == 0:
            self.fds.pop(int(arguments), None)

    def _fcntl(self, _line, arguments, result, _rest):
        if "F_DUPFD" in arguments and result >= 0:
            self.fds[result] = self.fds.get(int(arguments.split(",")[0]))

    def _mkdirat(self, _line, arguments, result, _rest):
        fd, path = self._paths(arguments)[0]
        if result == 0:
            self.fds[fd].now[path] = Directory(path == ".putd" and self.fds[fd] is self.root)

    def _publish(self, line, directory, name, node):
        directory.now[name] = node
        if not directory.private and not node.is_durable():
            self.complain(line, "a name before its data")

    def _linkat(self, line, arguments, result, _rest):
        if result != 0:
            return
        (from_fd, from_path), (to_fd, to_path) = self._paths(arguments)
        if from_fd == "AT_FDCWD":
            node = self.fds[int(from_path.rpartition("/")[2])]
        else:
            node = self.fds[from_fd] if from_path == "" else self._walk(from_fd, from_path)
        self._publish(line, self.fds[to_fd], to_path, node)

    def _renameat(self, line, arguments, result, _rest):
        if result != 0:
            return
        (from_fd, from_path), (to_fd, to_path) = self._paths(arguments)
        source, target = self.fds[from_fd], self.fds[to_fd]
        node = source.now[from_path]
        if from_path.endswith(".part") and not target.private:
            kept = from_path[: -len("part")] + "done"
            if kept not in source.disk or not source.disk[kept].is_durable():
                self.complain(line, "a partial file published without an intent")
        if target.now.get(to_path) is not node:
            del source.now[from_path]
            self._publish(line, target, to_path, node)

    _renameat2 = _renameat

    def _unlinkat(self, _line, arguments, result, _rest):
        fd, path = self._paths(arguments)[0]
        if result == 0:
            del self.fds[fd].now[path]

    # --- bytes -----------------------------------------------------------

    def _pwrite64(self, _line, arguments, result, _rest):
        fd = int(arguments.split(",")[0])
        if result > 0 and isinstance(self.fds.get(fd), File):
            self.fds[fd].write(int(arguments.rsplit(",", 1)[1]), result)

    def _ftruncate(self, _line, arguments, result, _rest):
        fd, size = arguments.split(",")
        if result == 0:
            self.fds[int(fd)].cut(int(size))

    def _copy_file_range(self, _line, arguments, result, _rest):
        to, at = re.search(r", (\d+), \[(\d+)\], ", arguments).groups()
        if result > 0:
            self.fds[int(to)].write(int(at), result)

    def _fsync(self, _line, arguments, result, _rest):
        """Where Linux AIO was asked and its answer not taken, it may have said
        that the flush failed: this one does not."""
        node = self.fds.get(int(arguments))
        if node is not None:
            node.flush(result == 0 and node not in self.flushes.values())

    _fdatasync = _fsync

    def _io_submit(self, _line, arguments, result, _rest):
        asked = re.findall(r"aio_data=(\w+), .*?aio_fildes=(\d+)", arguments)
        for data, fd in asked[: max(result, 0)]:
            self.flushes[int(data, 0)] = self.fds[int(fd)]

    def _io_getevents(self, _line, arguments, result, _rest):
        if result < 0:
            return
        for data, value in re.findall(r"data=(\w+), obj=\w+, res=(-?\w+)", arguments):
            self.flushes.pop(int(data, 0)).flush(value == "0")

    # --- promises --------------------------------------------------------

    def _write(self, line, arguments, result, _rest):
        fd = int(arguments.split(",")[0])
        if isinstance(self.fds.get(fd), File):
            if result > 0:
                self.fds[fd].write(0, result)
        elif fd <= 1 and result > 0:
            self._told(line, unescape(STRING.search(arguments).group(1))[:result])

    def _sendto(self, line, arguments, result, _rest):
        if result > 0:
            self._told(line, unescape(STRING.search(arguments).group(1))[:result])

    def _told(self, line, text):
        lines, newline, self.said = (self.said + text).rpartition("\n")
        for receipt in wire.receipts((lines + newline).encode("latin-1")):
            if not (receipt["ok"] and receipt.get("durable")):
                continue
            if "stored" in receipt:
                paths = [receipt["stored"]]
            else:
                paths = [".putd/%s.%s" % (receipt["id"], kind) for kind in ("part", "note")]
            for path in paths:
                node = self._walk(None, path, "disk")
                if node is None:
                    self.complain(line, "a receipt before the name %s" % path)
                elif not node.is_durable():
                    self.complain(line, "a receipt before the data of %s" % path)

    def is_durable(self, path):
        node = self._walk(None, path, "disk")
        return node is not None and node.is_durable()
