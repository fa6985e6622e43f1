#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Stored inputs of a fuzzer: one a line, a name and hexadecimal digits; '#' begins a comment.

fuzz_inputs.py unpack FILE DIR        write each input as a file of bytes
fuzz_inputs.py pack FILE DIR [MOST]   add the smallest inputs of DIR to FILE, so that it has MOST of
                                      them besides those that are named after something
fuzz_inputs.py bytes FILE DIR         write one input of hexadecimal digits, a file without names
"""

import pathlib
import re
import sys

# A line stays readable.
LONGEST = 160
# What pack names an input.
NUMBERED = re.compile(r'input-\d+$')


def inputs(path):
    """Return (name, bytes) of each stored input."""
    found = []
    if path.exists():
        for line in path.read_text(encoding='ascii').splitlines():
            words = line.split('#')[0].split()
            if words:
                found.append((words[0], bytes.fromhex(''.join(words[1:]))))
    return found


def unpack(path, to):
    """Write stored inputs as files."""
    for name, data in inputs(path):
        (to / name).write_bytes(data)


def write_bytes(path, to):
    """Write the bytes of a file that is one input."""
    lines = path.read_text(encoding='ascii').splitlines()
    data = bytes.fromhex(''.join(line.split('#')[0] for line in lines))
    (to / path.stem).write_bytes(data)


def pack(path, source, most):
    """Store the inputs of a folder, in place of those that have a number only."""
    text = path.read_text(encoding='ascii').splitlines() if path.exists() else []
    kept = [line for line in text if not NUMBERED.match((line.split('#')[0].split() or [''])[0])]
    named = {data for name, data in inputs(path) if not NUMBERED.match(name)}
    small = sorted({f.read_bytes() for f in source.iterdir()} - named, key=lambda d: (len(d), d))
    small = [d for d in small if 0 < len(d) <= LONGEST]
    if len(small) > most:
        # of all lengths
        small = [small[i * len(small) // most] for i in range(most)]
    lines = kept + [f'input-{i} {data.hex()}' for i, data in enumerate(small)]
    path.write_text('\n'.join(lines) + '\n', encoding='ascii')


def main():
    """Do what the first argument says."""
    path, folder = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    if sys.argv[1] == 'unpack':
        unpack(path, folder)
    elif sys.argv[1] == 'bytes':
        write_bytes(path, folder)
    else:
        pack(path, folder, int(sys.argv[4]) if len(sys.argv) > 4 else 40)


if __name__ == '__main__':
    main()
