#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Run a command, and report whether it and its children grow.

growth.py MIN-PROCESSES COMMAND...: with fewer processes than MIN-PROCESSES, the beginning and the
end of their lives are compared, by the sums over all of them. Else the last processes are compared
with the first ones, by the most that each of them had.
"""

import os
import statistics
import subprocess
import sys
import time

EVERY_S = 0.02
# The part of a life that is left out at its begin and at its end, and the part of the rest that is compared.
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


def column_wise(function, rows):
    """Apply a function to each column of a table."""
    return [function(column) for column in zip(*rows)]


def life_ends(samples):
    """Return what a process has at the beginning and at the end of its life: the least, as it has
    more during a move."""
    cut = int(len(samples) * WARM)
    rest = samples[cut:-cut - 1] or samples
    part = max(int(len(rest) * PART), 1)
    return column_wise(min, rest[:part]), column_wise(min, rest[-part:])


def lives_compare(samples):
    """Return the sums over all processes, at the beginning and at the end."""
    begin, end = zip(*map(life_ends, samples))
    return column_wise(sum, begin), column_wise(sum, end)


def processes_compare(samples):
    """Return what the first processes had, and the last ones."""
    peaks = [column_wise(max, values) for values in samples]
    part = max(len(peaks) // 10, 1)
    # the last process may be killed at its start
    return (column_wise(statistics.median, peaks[1:1 + part]),
            column_wise(statistics.median, peaks[-1 - part:-1]))


def main():
    at_least, command = int(sys.argv[1]), sys.argv[2:]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        samples = watch(process)
    if process.returncode != 0:
        sys.exit(f'exit status {process.returncode}: {" ".join(command)}')
    if len(samples) < at_least:
        begin, end = lives_compare(samples.values())
    else:
        samples.pop(process.pid)
        begin, end = processes_compare(samples.values())
    print(f'{len(samples)} processes;', '; '.join(
        f'{name} {a:.0f} {b:.0f}' for name, a, b in zip(NAMES, begin, end)))


if __name__ == '__main__':
    main()
