#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Check that a library exports what its header declares: test_exports.py HEADER LIBRARY"""

import re
import subprocess
import sys


def declared(header):
    """Functions of the header."""
    with open(header, encoding='utf-8') as file:
        text = re.sub(r'/\*.*?\*/', '', file.read(), flags=re.DOTALL)
    return set(re.findall(r'__rte_experimental\s+[\w\s*]*?(\w+)\(', text))


def exported(library):
    """Symbols that the dynamic linker offers to others; versions are no symbols."""
    done = subprocess.run(['nm', '-D', '--defined-only', library], check=True,
                          capture_output=True, text=True)
    return {line.split()[2].split('@')[0] for line in done.stdout.splitlines()
            if line.split()[1] != 'A'}


def main():
    """Command line."""
    want, have = declared(sys.argv[1]), exported(sys.argv[2])
    for name in sorted(want - have):
        print(f'declared and not exported: {name}')
    for name in sorted(have - want):
        print(f'exported and not declared: {name}')
    return 0 if want and want == have else 1


if __name__ == '__main__':
    sys.exit(main())
