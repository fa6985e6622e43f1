#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Run a command, and report whether it and its children grow.

growth.py MIN-PROCESSES COMMAND...: with fewer processes than MIN-PROCESSES, the first process
itself is compared at the beginning and at the end of its life. Else the last processes are compared
with the first ones, by the largest that each of them had.
"""

import os
import statistics
import subprocess
import sys
import time

EVERY_S = 0.02
# What of a life is left out, as a process begins or ends; and the part of the rest that is compared.
WARM, PART = 0.2, 0.2
NAMES = ('descriptors', 'threads', 'RSS KiB')


def sample(pid):
    """Return descriptors, threads and RSS in KiB of a process, or None if it has ended."""
    try:
        with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as f:
            status = dict(line.split(':', 1) for line in f if ':' in line)
        return (len(os.listdir(f'/proc/{pid}/fd')), int(status['Threads']),
                int(status['VmRSS'].split()[0]))
    except (OSError, KeyError):
        return None


def children(pid):
    """Return the processes that any thread of a process started and that have not ended."""
    found = []
    try:
        for tid in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{tid}/children', encoding='ascii') as f:
                found += [int(child) for child in f.read().split()]
    except OSError:
        pass
    return found


def watch(process):
    """Return the samples of a process and of its children until it ends, by process."""
    samples = {}
    while process.poll() is None:
        for pid in [process.pid] + children(process.pid):
            now = sample(pid)
            if now is not None:
                samples.setdefault(pid, []).append(now)
        time.sleep(EVERY_S)
    return samples


def ends(samples, first, at_least):
    """Return what to compare: values of the beginning and of the end."""
    if len(samples) < at_least:
        own = samples[first]
        own = own[int(len(own) * WARM):-int(len(own) * WARM) - 1]
        part = max(int(len(own) * PART), 1)
        return own[:part], own[-part:]
    peaks = [tuple(max(column) for column in zip(*values))
             for pid, values in samples.items() if pid != first]
    part = max(len(peaks) // 10, 1)
    # the last process may be killed at its start
    return peaks[1:1 + part], peaks[-1 - part:-1]


def main():
    at_least, command = int(sys.argv[1]), sys.argv[2:]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        samples = watch(process)
    if process.returncode != 0:
        sys.exit(f'exit status {process.returncode}: {" ".join(command)}')
    begin, end = ends(samples, process.pid, at_least)
    # a process has the least between two moves
    of_all = min if len(samples) < at_least else statistics.median
    print(f'{len(samples)} processes;', '; '.join(
        f'{name} {of_all(a):.0f} {of_all(b):.0f}'
        for name, a, b in zip(NAMES, zip(*begin), zip(*end))))


if __name__ == '__main__':
    main()
