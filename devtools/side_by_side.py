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
    """Results, and texts without their numbers, in order, with the numbers of each round."""
    results, found = [], {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            results.append(word)
            for text in rest.split("; "):
                # A version is a word, and so is the number in a name.
                numbers = NUMBER.findall(text)
                if any("." in n for n in numbers):
                    found.setdefault(text, []).append([])
                else:
                    found.setdefault(NUMBER.sub("#", text), []).append([int(n) for n in numbers])
    return results, found


def told(text, rounds, total):
    """A line of it."""
    middle = iter([statistics.median_low(n) for n in zip(*rounds)])
    line = re.sub("#", lambda _: str(next(middle)), text) if rounds[0] else text
    return line if len(rounds) % total == 0 else f"{line} ({len(rounds)} in {total})"


def main(*paths):
    """Each thing of both below each other."""
    sides = [(os.path.basename(p).ljust(WIDTH), *things(p)) for p in paths]
    for name, results, _ in sides:
        print(name, ", ".join(f"{results.count(r)} {r}" for r in sorted(set(results))))
    for text in dict.fromkeys(t for _, _, found in sides for t in found):
        for name, results, found in sides:
            if text in found:
                print(name, told(text, found[text], len(results)))


main(*sys.argv[1:])
