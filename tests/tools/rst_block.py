#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Print the N-th console block of a page of the guides, N from 1.

rst_block.py PAGE N
"""

import sys


def blocks(lines):
    """Yield each console block without its indentation."""
    lines = iter(lines)
    for line in lines:
        if line.strip() != '.. code-block:: console':
            continue
        depth = len(line) - len(line.lstrip())
        block = []
        for text in lines:
            if text.strip() and len(text) - len(text.lstrip()) <= depth:
                break
            block.append(text[depth + 3:].rstrip())
        yield '\n'.join(block).strip('\n')


def main(page, number):
    """Print it."""
    with open(page, encoding='utf-8') as file:
        found = list(blocks(file.read().splitlines()))
    if not 1 <= int(number) <= len(found):
        sys.exit(f'{page} has {len(found)} console blocks, not {number}')
    print(found[int(number) - 1])


main(*sys.argv[1:])
