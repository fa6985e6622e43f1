#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Draw the blackouts of some runs: blackout_plot.py NAME=REPORT.json... PICTURE.svg

REPORT is what dpdk-test-vdpa migrate --json printed. A line for each report: how many percent of its
blackouts were at most so long. The scale of time is logarithmic. PICTURE '-' is standard output. Only
the standard library is needed.
"""

import argparse
import json
import math
import sys
import xml.sax.saxutils

COLOURS = ['#1f6fb2', '#c9822b', '#3a8f3a', '#8a4fa0', '#c02020', '#6a6a6a']
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 360, 60, 20, 20, 50


def report_read(argument):
    """Return the name and the percentiles in ms of NAME=REPORT."""
    name, _, path = argument.partition('=')
    if not path:
        sys.exit(f'blackout_plot.py: {argument}: NAME=REPORT.json is expected')
    with open(path, encoding='utf-8') as file:
        us = json.load(file).get('blackout_percentiles_us', [])
    if not us:
        sys.exit(f'blackout_plot.py: {path}: it has no blackouts')
    return name, [value / 1000 for value in us]


def marks_of(least, most):
    """Return round numbers of the scale: 1, 2 and 5 of each decade."""
    decades = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    marks = [digit * 10 ** decade for decade in decades for digit in (1, 2, 5)]
    return [mark for mark in marks if least <= mark <= most]


def picture_make(runs):
    """Return the picture as text."""
    values = [value for _, ms in runs for value in ms if value > 0]
    least, most = min(values) / 1.1, max(values) * 1.1
    span = math.log(most / least)

    def at(ms):
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(max(ms, least) / least) / span

    def up(percent):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * percent / 100

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
             '<!-- SPDX-License-Identifier: BSD-3-Clause. Copyright(c) 2026 vstate contributors -->',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for percent in range(0, 101, 25):
        y = up(percent)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>'
                     f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{percent} %</text>')
    for mark in marks_of(least, most):
        x = at(mark)
        parts.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#eeeeee"/>'
                     f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
                     f'{mark:g}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 12}" text-anchor="middle">'
                 'blackout, ms</text>')
    for i, (name, ms) in enumerate(runs):
        colour = COLOURS[i % len(COLOURS)]
        points = ' '.join(f'{at(value):.1f},{up(percent):.1f}' for percent, value in enumerate(ms))
        y = HEIGHT - BOTTOM - 16 * (len(runs) - i)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
                     f'<text x="{WIDTH - RIGHT - 6}" y="{y}" text-anchor="end" fill="{colour}">'
                     f'{xml.sax.saxutils.escape(name)}</text>')
    return '\n'.join(parts + ['</svg>', ''])


def main():
    """Read the reports and write the picture."""
    parser = argparse.ArgumentParser(usage='%(prog)s NAME=REPORT.json... PICTURE.svg',
                                     description='Draw the blackouts of some runs.')
    parser.add_argument('reports', nargs='+', help='NAME=REPORT.json')
    parser.add_argument('picture', help='PICTURE.svg, or -')
    args = parser.parse_args()
    text = picture_make([report_read(argument) for argument in args.reports])
    if args.picture == '-':
        sys.stdout.write(text)
        return
    with open(args.picture, 'w', encoding='utf-8') as file:
        file.write(text)


main()
