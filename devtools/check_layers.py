#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Check which room may know which, from the sources alone.

A room is a folder. A file may include and call what stands below its room, never what stands above
it. A unit is a .c file with the header of the same name.
"""

import os
import re
import sys

DRIVER = 'drivers/vdpa/vstate'
TOOL = 'app/test-vdpa'

# What each room of the driver may include, besides itself; '' is the folder of the driver.
MAY = {
    'ring': set(),
    'dev': {'ring'},
    'net': {'ring', 'dev'},
    'block': {'ring', 'dev'},
    'console': {'ring', 'dev'},
    'handover': {'ring', 'dev'},
    'vhost': {'ring', 'dev', 'handover'},
    '': {'ring', 'dev', 'handover'},
}
# The one file that knows all rooms.
PROBE = 'vstate_probe.c'
# Any room may include these.
LEAVES = {'vstate_log.h', 'vstate_compat.h'}
CLASSES = {'net': ('vstate_net_', 'vstate_port_', 'vstate_cvq_'), 'block': ('vstate_blk_', 'vstate_scsi_'),
           'console': ('vstate_console_',)}

# What ring/ must not know: front ends, mbufs, states.
RING_FORBIDDEN = re.compile(
    r'#include [<"](rte_vhost\.h|rte_vdpa\.h|rte_mbuf\w*\.h|rte_mempool\w*\.h|rte_ether\.h|'
    r'rte_ethdev\.h|rte_vhost_state\.h|vdpa_driver\.h|ethdev_\w+\.h)[>"]')
# The library of states has functions of this prefix too.
VHOST_CALL = re.compile(r'\b(rte_vhost_(?!state_)\w+|rte_vdpa_\w+)\s*\(')

# Rooms of the tool, from the bottom; rooms of one rank do not include each other.
TOOL_RANK = {'tool': 0, 'guest': 1, 'backend': 1, 'migrate': 2, 'bench': 2, 'hostile': 2,
             'conform': 2, 'ctl': 2, 'cmd': 3}

COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.S)
STRING = re.compile(r'"(?:\\.|[^"\\])*"')
INCLUDE = re.compile(r'^\s*#include "([^"]+)"', re.M)
# A function whose name begins a line is defined or declared there, as DPDK's style has it.
DEFINED_FUNCTION = re.compile(r'^(vstate_\w+)\([^;{]*\)\s*\{', re.M)
DEFINED_DATA = re.compile(r'^(?!extern|static|typedef)[\w \*]*\b(vstate_\w+)(?:\[[^\]]*\])*\s*=', re.M)
LOG_TYPE = re.compile(r'RTE_LOG_REGISTER(?:_\w+)?\((\w+)')
DECLARED = re.compile(r'^(?!static|typedef|#|\s)[\w \*]+?\b(vstate_\w+)\([^;{]*\);', re.M)
DECLARED_DATA = re.compile(r'^extern [\w \*]*\b(vstate_\w+)(?:\[[^\]]*\])?;', re.M)
WORD = re.compile(r'\bvstate_\w+')

breaches = []


def breach(path, text):
    """Note a breach of a rule."""
    breaches.append(f'{path}: {text}')


class File:
    """A source file of a tree: its room, its includes, its text without comments."""

    def __init__(self, root, top, path):
        self.path = path
        self.rel = os.path.relpath(path, os.path.join(root, top))
        self.room = os.path.dirname(self.rel)
        self.name = os.path.basename(path)
        self.unit = os.path.splitext(self.name)[0]
        with open(path, encoding='utf-8') as file:
            self.raw = file.read()
        self.text = COMMENT.sub('', self.raw)
        self.includes = [os.path.basename(i) for i in INCLUDE.findall(self.text)]
        self.code = STRING.sub('""', self.text)

    def shown(self, root):
        """Return the path as the user knows it."""
        return os.path.relpath(self.path, root)


def files_of(root, top, skip=()):
    """Return the C files below a folder, by name; names must be unique."""
    found = {}
    for folder, dirs, names in os.walk(os.path.join(root, top)):
        dirs[:] = [d for d in dirs if d not in skip]
        for name in sorted(names):
            if not name.endswith(('.c', '.h')):
                continue
            file = File(root, top, os.path.join(folder, name))
            if name in found:
                breach(file.shown(root), f'another file has this name: {found[name].shown(root)}')
            found[name] = file
    return found


def circle_in(edges):
    """Return a circle of a graph as a list of nodes, or None."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return None
        path.append(node)
        for following in sorted(edges.get(node, ())):
            circle = visit(following)
            if circle:
                return circle
        path.pop()
        done.add(node)
        return None

    for node in sorted(edges):
        circle = visit(node)
        if circle:
            return circle
    return None


def check_rooms(root, files):
    """A room includes what stands below it only; only the probe knows all."""
    for file in files.values():
        if file.name == PROBE:
            continue
        if file.room not in MAY:
            breach(file.shown(root), f'unknown room {file.room}')
            continue
        for name in file.includes:
            other = files.get(name)
            if other is None or name in LEAVES or other.room == file.room:
                continue
            # a file of the driver's folder is above all rooms
            if other.room not in MAY[file.room]:
                breach(file.shown(root), f'room {file.room or "of the driver"} must not include '
                       f'{other.rel}')


def check_ring(root, files):
    """The ring knows no mbuf, no front end, no state."""
    for file in files.values():
        if file.room != 'ring':
            continue
        for found in RING_FORBIDDEN.finditer(file.text):
            breach(file.shown(root), f'ring/ must not include {found.group(1)}')


def check_vhost(root, files):
    """No file outside vhost/ calls rte_vhost or rte_vdpa."""
    for file in files.values():
        if file.room == 'vhost':
            continue
        for found in VHOST_CALL.finditer(file.code):
            breach(file.shown(root), f'only vhost/ may call {found.group(1)}()')


def check_classes(root, files):
    """No symbol of a class outside its room and the probe."""
    for file in files.values():
        if file.name == PROBE:
            continue
        for room, prefixes in CLASSES.items():
            if file.room == room:
                continue
            for word in WORD.findall(file.code):
                if word.startswith(prefixes):
                    breach(file.shown(root), f'{word} belongs to {room}/')


def definitions(files):
    """Return the unit that defines each symbol."""
    defined = {}
    for file in files.values():
        for pattern in (DEFINED_FUNCTION, DEFINED_DATA, LOG_TYPE):
            for symbol in pattern.findall(file.code):
                if file.name.endswith('.c'):
                    defined.setdefault(symbol, file.unit)
    return defined


def check_headers(root, files, defined):
    """A header declares only what its own .c defines."""
    for file in files.values():
        if not file.name.endswith('.h'):
            continue
        for pattern in (DECLARED, DECLARED_DATA):
            for symbol in pattern.findall(file.code):
                unit = defined.get(symbol)
                if unit is not None and unit != file.unit:
                    breach(file.shown(root), f'declares {symbol}, which {unit}.c defines')


def check_circles(root, files, defined):
    """No circle of includes between headers, none of calls between units."""
    includes = {f.name: {i for i in f.includes if i in files} for f in files.values()
                if f.name.endswith('.h')}
    circle = circle_in(includes)
    if circle:
        breach(files[circle[0]].shown(root), 'circle of includes: ' + ' -> '.join(circle))
    calls = {}
    for file in files.values():
        uses = calls.setdefault(file.unit, set())
        declared = set(DECLARED.findall(file.code)) if file.name.endswith('.h') else set()
        for word in WORD.findall(file.code):
            unit = defined.get(word)
            if unit is not None and unit != file.unit and word not in declared:
                uses.add(unit)
    circle = circle_in(calls)
    if circle:
        breach(DRIVER, 'circle of calls: ' + ' -> '.join(circle))


def check_tool(root):
    """Rooms of the tool include downwards only, and nothing of the driver."""
    files = files_of(root, TOOL, skip=('test',))
    driver = {name for _, _, names in os.walk(os.path.join(root, DRIVER)) for name in names}
    for file in files.values():
        if file.room not in TOOL_RANK:
            breach(file.shown(root), f'unknown room {file.room}')
            continue
        for name in file.includes:
            other = files.get(name)
            if name in driver:
                breach(file.shown(root), f'the tool must not include {name} of the driver')
            if other is None or other.room == file.room:
                continue
            if TOOL_RANK.get(other.room, 9) >= TOOL_RANK[file.room]:
                breach(file.shown(root), f'room {file.room} must not include {other.rel}')


def main():
    """Run all checks on a work tree."""
    root = os.path.normpath(sys.argv[1])
    files = files_of(root, DRIVER)
    defined = definitions(files)
    check_rooms(root, files)
    check_ring(root, files)
    check_vhost(root, files)
    check_classes(root, files)
    check_headers(root, files, defined)
    check_circles(root, files, defined)
    check_tool(root)
    for line in breaches:
        print(line)
    print(f'{len(files)} files of the driver, {len(defined)} symbols, {len(breaches)} breaches')
    return 1 if breaches else 0


if __name__ == '__main__':
    sys.exit(main())
