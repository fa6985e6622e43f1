#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
#	side_by_side.py FILE FILE: verdicts of rounds of one case, one a line, by device
"""What was measured in each round, put together.

A verdict is "PASS: thing; thing; ...". Things that differ in their numbers only are one
thing, and each of its numbers is the middle one of all rounds; where rounds differ in more
than that, each has a line of its own and how often it was so.
"""
import os
import re
import statistics
import sys

NUMBER = re.compile(r"\d+(?:\.\d+)*")
WIDTH = 11


def things(path):
    """Texts without their numbers, in order, with the numbers of each round."""
    found = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            for text in [word] + rest.split("; "):
                # A version is a word, and so is the number in a name.
                numbers = NUMBER.findall(text)
                if any("." in n for n in numbers):
                    found.setdefault(text, []).append([])
                else:
                    found.setdefault(NUMBER.sub("#", text), []).append([int(n) for n in numbers])
    return found


def told(text, rounds, total):
    """A line of it."""
    middle = iter([statistics.median_low(n) for n in zip(*rounds)])
    line = re.sub("#", lambda _: str(next(middle)), text) if rounds[0] else text
    return line if len(rounds) == total else f"{line} ({len(rounds)} of {total})"


def main(*paths):
    """Each thing of both below each other."""
    found = [things(p) for p in paths]
    totals = [sum(1 for _ in open(p, encoding="utf-8")) for p in paths]
    for text in list(dict.fromkeys(t for f in found for t in f)):
        for path, things_of, total in zip(paths, found, totals):
            name = os.path.basename(path).ljust(WIDTH)
            print(name, told(text, things_of[text], total) if text in things_of else "-")


main(*sys.argv[1:])
