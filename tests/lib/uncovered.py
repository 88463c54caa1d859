"""Which lines are not reached, and why.

uncovered.py LINES REASONS: LINES is gcovr's JSON; REASONS has a line for each:
FILE, the text of the line before it, its own, and the reason, by tabs. Prints
each that is not reached; fails where one has no reason, and where a reason is of
no line that is not reached, unless it begins with BY_CHANCE.
"""

import json
import sys

BY_CHANCE = "by chance:"


def reasons(file):
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                source, before, text, why = line.rstrip("\n").split("\t")
                assert why, line
                yield (source, before, text), why


def unreached(file):
    with open(file, encoding="utf-8") as text:
        files = json.load(text)["files"]
    for each in files:
        with open(each["file"], encoding="utf-8") as text:
            source = text.read().split("\n")
        for line in each["lines"]:
            if line["count"] == 0 and not line.get("gcovr/noncode"):
                number = line["line_number"]
                yield (each["file"], number, source[number - 2].strip(),
                       source[number - 1].strip())


def main():
    known = dict(reasons(sys.argv[2]))
    used = set()
    bare = 0
    for file, number, before, text in unreached(sys.argv[1]):
        has = (file, before, text) in known
        used.add((file, before, text))
        bare += not has
        print(f"{file}:{number}: {text}" + ("" if has else "  <- no reason"))
    stale = sorted(
        line
        for line, why in known.items()
        if line not in used and not why.startswith(BY_CHANCE)
    )
    for file, before, text in stale:
        print(f"{file}: {before} {text}  <- reached, and has a reason why not")
    print(f"{bare} lines are not reached and have no reason; {len(stale)} reasons are stale")
    sys.exit(bool(bare or stale))


main()
