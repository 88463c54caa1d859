#!/usr/bin/env python3
"""The command blocks of a Markdown file: those indented by four spaces, and those
fenced as sh, python, ini or without a word. Text, JSON and lists are none.

readme.py list FILE      NUMBER LANGUAGE MARK: a line each; MARK is the reason of a
                         comment `<!-- not run here: REASON -->` before it, or -
readme.py show FILE N    the block's text

It reads one file, and runs nothing.
"""
import re
import sys

COMMANDS = {"", "sh", "python", "ini"}
MARK = re.compile(r"<!-- not run here: (.+) -->")


def blocks(lines):
    """(language, mark, text) of each."""
    mark, index, in_list = "-", 0, False
    while index < len(lines):
        line = lines[index]
        start = index
        if line.startswith("```"):
            index += 1
            while lines[index] != "```":
                index += 1
            yield line[3:].strip(), mark, lines[start + 1:index]
            mark = "-"
        elif line.startswith("    ") and not in_list and not lines[start - 1].strip():
            while index < len(lines) and (lines[index].startswith("    ")
                                          or not lines[index].strip()):
                index += 1
            text = [one[4:] for one in lines[start:index]]
            while not text[-1]:
                text.pop()
            yield "", mark, text
            mark, index = "-", index - 1
        elif MARK.fullmatch(line):
            mark = MARK.fullmatch(line).group(1)
        elif line.strip():
            mark = "-"
            in_list = line.startswith("- ") or (in_list and line.startswith("  "))
        index += 1


def main():
    verb, path = sys.argv[1:3]
    with open(path, encoding="utf-8") as file:
        found = [block for block in blocks(file.read().splitlines())
                 if block[0] in COMMANDS]
    if verb == "list":
        for number, (language, mark, _) in enumerate(found, 1):
            print(number, language or "sh", mark)
    else:
        print("\n".join(found[int(sys.argv[3]) - 1][2]))


main()
