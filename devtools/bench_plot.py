#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Draw the report of dpdk-test-vdpa bench as bars: bench_plot.py [--minima] REPORT.json PICTURE.svg

One block for each length of frames, as short frames would be invisible on the scale of long ones;
one row for each case, three bars for each row. REPORT '-' is standard input, PICTURE '-' standard
output. Only the standard library is needed.
"""

import argparse
import json
import sys
import xml.sax.saxutils

SIDES = [('vstate', '#1f6fb2'), ('vhost', '#c9822b'), ('roofline', '#9a9a9a')]
GOAL = '#c02020'
WIDTH, LEFT, RIGHT, TOP = 960, 220, 70, 52
BAR, GAP, TITLE, AXIS, TICKS = 11, 9, 24, 30, 5
ROW = len(SIDES) * BAR + GAP
BLOCKS = ['64 and 256 bytes', '1500 bytes', '9000 bytes', 'empty queue: cycles per poll']
# About what a digit of a label needs in pixels.
DIGIT = 6


def block_of(case):
    """Return the index of a case's block."""
    if case['case'].startswith('idle'):
        return 3
    return 0 if case['frame'] <= 256 else 1 if case['frame'] <= 1500 else 2


def goal_of(case):
    """Return the goal of vstate as a ratio to the cycles of vhost, or None."""
    if case['case'].startswith('idle'):
        return None
    if case['frame'] > 256:
        return 1 / 1.2
    return 0.6 if case['case'].startswith('loop') else 0.65


def step_of(most):
    """Return the distance between two lines: a round number of at least most / TICKS."""
    step = 1
    while step * TICKS < most:
        step = step * 10 if step * 2 * TICKS < most else step * 2
    return step


class Picture:
    """Collects the elements of a picture."""

    def __init__(self, report, key):
        self.report, self.key = report, key
        self.parts = []
        self.y = TOP

    def text(self, x, y, text, **attributes):
        """Add a text; a keyword such as text_anchor becomes an attribute."""
        more = ''.join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}"{more}>'
                          f'{xml.sax.saxutils.escape(text)}</text>')

    def box(self, x, y, width, height, colour):
        """Add a filled rectangle."""
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                          f'height="{height:.1f}" fill="{colour}"/>')

    def value(self, case, side):
        """Return the cycles of a side; 0 if it was not measured."""
        return case.get(side, {}).get(self.key, 0)

    def head(self):
        """Draw title and legend."""
        what = 'median' if self.key == 'cycles_median' else 'minimum'
        cores = 'two cores' if self.report['mode'] == 'two-core' else 'one core'
        self.text(LEFT, 20, f'TSC cycles per packet ({what} of slices, {cores}), less is better',
                  font_size=14)
        x = LEFT
        for side, colour in SIDES:
            self.box(x, 32, 12, 12, colour)
            self.text(x + 18, 42, side)
            x += 110
        self.box(x, 30, 2, 16, GOAL)
        self.text(x + 8, 42, 'goal of vstate, relative to vhost')

    def block(self, name, cases):
        """Draw a title, a scale and the rows."""
        most = max([1] + [self.value(c, side) for c in cases for side, _ in SIDES])
        scale = (WIDTH - LEFT - RIGHT) / most
        self.text(LEFT, self.y + 14, name, font_weight='bold')
        self.y += TITLE
        bottom = self.y + len(cases) * ROW
        step = step_of(most)
        for tick in range(int(most // step) + 1):
            x = LEFT + tick * step * scale
            self.parts.append(f'<line x1="{x:.1f}" y1="{self.y}" x2="{x:.1f}" y2="{bottom}" '
                              'stroke="#dddddd"/>')
            self.text(x, bottom + 14, f'{tick * step:g}', text_anchor='middle')
        for case in cases:
            self.row(case, scale)
        self.y += AXIS

    def row(self, case, scale):
        """Draw the bars of a case. The goal is drawn first, and the label stands beside it."""
        self.text(LEFT - 8, self.y + len(SIDES) * BAR / 2 + 4, case['case'], text_anchor='end')
        goal = goal_of(case)
        at = LEFT + (goal or 0) * self.value(case, 'vhost') * scale
        for i, (side, colour) in enumerate(SIDES):
            cycles = self.value(case, side)
            if cycles == 0:
                continue
            self.box(LEFT, self.y + i * BAR, cycles * scale, BAR - 1, colour)
            label, x = f'{cycles:.1f}', LEFT + cycles * scale + 4
            if side == 'vstate' and goal and x - 3 < at < x + len(label) * DIGIT:
                x = at + 5
            self.text(x, self.y + i * BAR + BAR - 2, label, font_size=10)
        if goal and self.value(case, 'vhost') > 0:
            self.box(at - 1, self.y - 2, 2, BAR + 3, GOAL)
        self.y += ROW

    def svg(self):
        """Draw everything; return the picture as text."""
        self.head()
        cases = [c for c in self.report['cases'] if c['ok']]
        for i, name in enumerate(BLOCKS):
            rows = [c for c in cases if block_of(c) == i]
            if rows:
                self.block(name, rows)
        self.text(LEFT, self.y + 10, f'{self.report["cpu"]}, TSC {self.report["tsc_hz"] / 1e9:.2f} '
                  f'GHz, {self.report["dpdk"]}', fill='#555555')
        height = self.y + 20
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
                f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">\n'
                '<rect width="100%" height="100%" fill="#ffffff"/>\n' +
                '\n'.join(self.parts) + '\n</svg>\n')


def main():
    """Read a report and write its picture."""
    parser = argparse.ArgumentParser(description=__doc__.split(':')[0])
    parser.add_argument('--minima', action='store_true', help='draw the minima of the slices')
    parser.add_argument('report')
    parser.add_argument('picture')
    args = parser.parse_args()
    try:
        with (sys.stdin if args.report == '-' else open(args.report, encoding='utf-8')) as file:
            report = json.load(file)
        picture = Picture(report, 'cycles_min' if args.minima else 'cycles_median').svg()
    except OSError as error:
        sys.exit(f'bench_plot.py: {error}')
    except (KeyError, TypeError, ValueError) as error:
        sys.exit(f'bench_plot.py: {args.report} is no report of bench: {error!r}')
    with (sys.stdout if args.picture == '-' else open(args.picture, 'w', encoding='utf-8')) as file:
        file.write(picture)


if __name__ == '__main__':
    main()
