#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
#	side_by_side.py FILE FILE: for each device the verdicts of one case, one round a line
"""Print the measurements of two devices side by side, with the medians of all rounds.

A verdict is "PASS measurement; measurement; ...". Measurements whose texts differ in numbers only
are one measurement, and each of its numbers is printed as the median of all rounds. Texts that
differ in more have a line each, with the number of rounds that have it.
"""
import os
import re
import statistics
import sys

NUMBER = re.compile(r"\d+(?:\.\d+)*")
WIDTH = 11


def measurements(path):
    """Return the results, and for each text without numbers the numbers of each round."""
    results, found = [], {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            results.append(word)
            for text in rest.split("; "):
                # A text with a version is compared as a whole: a version is not a measurement.
                numbers = NUMBER.findall(text)
                if any("." in n for n in numbers):
                    found.setdefault(text, []).append([])
                else:
                    found.setdefault(NUMBER.sub("#", text), []).append([int(n) for n in numbers])
    return results, found


def summary(text, rounds, total):
    """Return one measurement as a line with medians."""
    middle = iter([statistics.median_low(n) for n in zip(*rounds)])
    line = re.sub("#", lambda _: str(next(middle)), text) if rounds[0] else text
    return line if len(rounds) % total == 0 else f"{line} ({len(rounds)} in {total})"


def main(*paths):
    """Print each measurement of both devices below each other."""
    sides = [(os.path.basename(p).ljust(WIDTH), *measurements(p)) for p in paths]
    for name, results, _ in sides:
        print(name, ", ".join(f"{results.count(r)} {r}" for r in sorted(set(results))))
    for text in dict.fromkeys(t for _, _, found in sides for t in found):
        for name, results, found in sides:
            if text in found:
                print(name, summary(text, found[text], len(results)))


main(*sys.argv[1:])
