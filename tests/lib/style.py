#!/usr/bin/env python3
"""What a linter does not judge: sizes, head comments, and who may know whom.

style.py sizes FILE...      functions and files of C: "N functions, median M,
                            longest L (FILE: NAME)"; a finding a line
style.py heads FILE...      each begins with a comment; each room of C (a header,
                            its file, and those that say "See" it) says where it
                            ends: what it never touches, or what it alone does
style.py layers FILE...     of src: includes go downward only
style.py calls OBJECT...    the same of calls, by the symbols of nm(1)

It knows the layout of src/, reads files, and changes nothing. Status 1 where
there is a finding.
"""
import re
import statistics
import subprocess
import sys
from pathlib import Path

LONGEST_FUNCTION = 60
MEDIAN_FUNCTION = 20
LONGEST_FILE = 450

# The handler from its top to its leaves. A room that is not named here stands
# wherever those that it calls and those that call it leave it a place.
LAYERS = [
    ["putd/putd"],
    ["putd/session"],
    ["putd/partial", "putd/batch"],
    ["putd/body", "putd/store", "putd/name"],
    ["putd/stream", "wire/header", "wire/receipt", "putd/connection",
     "putd/peer", "putd/options"],
    ["putd/sandbox", "putd/systemd", "putd/log"],
]
# What a program's parts may know besides themselves.
MAY_KNOW = {"putd": {"putd", "wire"}, "put": {"put", "wire"}, "wire": {"wire"}}

LIMITS = re.compile(
    r"\b(never|no|none|not|nothing|nobody|neither|nowhere|only|alone|without)\b", re.I)

findings = []


def finding(text):
    findings.append(text)


def functions(path):
    """(name, lines) of each: from the line with the name to the brace that ends
    it. The format is clang-format's: a body's braces stand at the margin."""
    name, start = None, 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if re.match(r"[A-Za-z_].*\w\(", line) and not line.endswith(";"):
            found = re.search(r"([A-Za-z_]\w*) ?\(", line)
            name, start = found.group(1), number
        elif line == "}" and name:
            yield name, number - start + 1
            name = None


def sizes(paths):
    everything = []
    for path in paths:
        lines = len(path.read_text().splitlines())
        if lines > LONGEST_FILE:
            finding(f"{path}: {lines} lines")
        for name, length in functions(path):
            everything.append((length, path, name))
            if length > LONGEST_FUNCTION:
                finding(f"{path}: {name} has {length} lines")
    median = statistics.median(length for length, _, _ in everything)
    if median > MEDIAN_FUNCTION:
        finding(f"the median function has {median} lines")
    length, path, name = max(everything)
    print(f"{len(everything)} functions, median {median:g}, "
          f"longest {length} ({path}: {name})")


def head(path):
    """The comment that a file begins with, or ''."""
    text = path.read_text()
    text = re.sub(r"\A#!.*\n", "", text)
    text = re.sub(r"\A(# shellcheck .*\n|#!?\n|\s)+", "", text)
    for pattern in (r"/\*(.*?)\*/", r'"""(.*?)"""', r"((?:#(?!include).*\n)+)"):
        found = re.match(pattern, text, re.S if pattern[0] != "(" else 0)
        if found:
            return " ".join(re.sub(r"^[\s*#]+", "", line)
                            for line in found.group(1).splitlines()).strip()
    return ""


def includes(path):
    return re.findall(r'^#include "(.*)\.h"$', path.read_text(), re.M)


def room(path):
    """What is one thing, in however many files: serve_put.c and serve.h are
    putd/serve, and so is a file that says "See serve.h" or "Part of serve.h"."""
    own = path.with_suffix("")
    meant = re.match(r"(See|Part of) (\w+)\.h", head(path))
    if meant:
        own = path.parent / meant.group(2)
        if own.with_suffix(".h") != path:
            return room(own.with_suffix(".h"))
    first = path.parent / own.name.split("_")[0]
    if first.with_suffix(".h").exists():
        own = first
    return str(own).removeprefix("src/")


def heads(paths):
    said = {}
    for path in paths:
        text = head(path)
        if len(text) < 20 and not (path.suffix == ".c" and text.startswith("See ")):
            finding(f"{path}: no comment at its head")
        if str(path).startswith("src/"):
            said.setdefault(room(path), []).append(text)
    for name, texts in sorted(said.items()):
        if not LIMITS.search(" ".join(texts)):
            finding(f"{name}: its head does not say where it ends")


def judge_edges(edges):
    """edges: room -> the rooms it knows."""
    levels, path = {}, []

    def level(name):
        if name in path:
            finding("a circle: " + " -> ".join(path[path.index(name):] + [name]))
            return 0
        if name not in levels:
            path.append(name)
            levels[name] = 1 + max(map(level, edges.get(name, ())), default=-1)
            path.pop()
        return levels[name]

    for name in sorted(edges):
        level(name)
    place = {name: i for i, layer in enumerate(LAYERS) for name in layer}
    for name in place:
        if name not in edges:
            finding(f"{name} is in the table of layers, and nowhere else")
    if findings:
        return
    for name, below in place.items():
        todo, seen = list(edges.get(name, ())), set()
        while todo:
            other = todo.pop()
            if other not in seen:
                seen.add(other)
                todo.extend(edges.get(other, ()))
        for other in seen:
            if place.get(other, below) < below:
                finding(f"upward: {name} -> {other}")
    print(f"{len(edges)} rooms in {1 + max(levels.values())} layers")


def layers(paths):
    edges = {}
    for path in paths:
        mine = edges.setdefault(room(path), set())
        mine.update(name for name in includes(path) if name != room(path))
        for name in includes(path):
            if name.split("/")[0] not in MAY_KNOW[path.parts[1]]:
                finding(f"{path} includes {name}.h")
    judge_edges(edges)


def calls(objects):
    where, wants = {}, {}
    for path in objects:
        name = room(Path("src", *Path(path).parts[-2:]).with_suffix(".c"))
        mine = wants.setdefault(name, set())
        shown = subprocess.run(["nm", "-P", path], text=True, check=True,
                               capture_output=True).stdout
        for symbol, kind, *_ in map(str.split, shown.splitlines()):
            if kind == "U":
                mine.add(symbol)
            elif kind in "TDBRC":
                where.setdefault(symbol, set()).add(name)
    edges = {name: {other for symbol in mine for other in where.get(symbol, ())
                    if other != name} for name, mine in wants.items()}
    for name, mine in edges.items():
        program = name.split("/")[0]
        edges[name] = {other for other in mine
                       if other.split("/")[0] in MAY_KNOW[program]}
    judge_edges(edges)


def main():
    verb, names = sys.argv[1], sys.argv[2:]
    if verb == "calls":
        calls(names)
    else:
        {"sizes": sizes, "heads": heads, "layers": layers}[verb](map(Path, names))
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0


sys.exit(main())
