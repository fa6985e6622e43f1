#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Fuzz the decoder from a corpus of valid states: fuzz_run.py FUZZER SAMPLES DATA [SECONDS]

The corpus has the golden files (hexadecimal) in DATA and states that SAMPLES writes.
The fuzzer writes an input that breaks the decoder to the current directory and prints its name.
The exit status is that of the fuzzer.
"""

import pathlib
import subprocess
import sys
import tempfile

RANDOM_STATES = 30
SECONDS = '20'


def golden(path):
    """Return the bytes of a file of hexadecimal digits; '#' begins a comment."""
    return bytes.fromhex(''.join(line.split('#')[0] for line in path.read_text().splitlines()))


def main():
    """Run the fuzzer."""
    fuzzer, samples, data = sys.argv[1:4]
    seconds = sys.argv[4] if len(sys.argv) > 4 else SECONDS
    with tempfile.TemporaryDirectory() as place:
        corpus = pathlib.Path(place) / 'corpus'
        corpus.mkdir()
        subprocess.run([samples, corpus, str(RANDOM_STATES)], check=True)
        for path in corpus.glob('*.json'):
            path.unlink()
        for path in pathlib.Path(data).glob('*.hex'):
            (corpus / path.stem).write_bytes(golden(path))
        return subprocess.run([fuzzer, f'-max_total_time={seconds}', '-max_len=4096',
                               '-print_final_stats=1', corpus], check=False).returncode


if __name__ == '__main__':
    sys.exit(main())
