#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Compare library and guide with the headers: test_vhost_state_header.py LIBRARY GUIDE HEADER...

The first header is rte_vhost_state.h.
"""

import pathlib
import re
import subprocess
import sys
import unittest

LIBRARY, GUIDE = sys.argv[1:3]
HEADERS = [pathlib.Path(name) for name in sys.argv[3:]]


class HeaderTest(unittest.TestCase):
    """The headers are the reference for the library and the guide."""

    def setUp(self):
        self.headers = [header.read_text(encoding='utf-8') for header in HEADERS]

    def test_library_exports_what_the_headers_declare(self):
        """All symbols of the headers and no others; version nodes do not count."""
        code = re.sub(r'/\*.*?\*/', '', ''.join(self.headers), flags=re.DOTALL)
        declared = set(re.findall(r'__rte_experimental\s+[\w\s*]*?(\w+)\(', code))
        # what drivers may use, too
        inner = (HEADERS[0].parent / 'vhost_state_listener.h').read_text(encoding='utf-8')
        internal = set(re.findall(r'__rte_internal\s+[\w\s*]*?(\w+)\(', inner))
        done = subprocess.run(['nm', '-D', '--defined-only', LIBRARY], check=True,
                              capture_output=True, text=True)
        symbols = [line.split()[1:] for line in done.stdout.splitlines()]
        exported = {name.split('@')[0] for kind, name in symbols if kind != 'A'}
        self.assertGreater(len(declared), 30)
        self.assertGreater(len(internal), 5)
        self.assertEqual(declared | internal, exported)

    def test_header_includes_nothing_inside_extern_c(self):
        """A header of DPDK may have C++ templates, which must not have C linkage."""
        for header in self.headers:
            before, inside = header.split('extern "C" {')
            self.assertIn('#include <rte_', before)
            self.assertNotIn('#include', inside)

    def test_guide_lists_the_reasons_of_the_header(self):
        """Name, errno and text, in the same order."""
        reasons = re.findall(r'^\tX\((\w+), (\w+), "(.*?)"\)', self.headers[0], re.MULTILINE)
        table = pathlib.Path(GUIDE).read_text(encoding='utf-8').split('"Reason", "errno"')[1]
        rows = re.findall(r'^   "(\w+)", "(\w+)", "(.*?)"$', table, re.MULTILINE)
        self.assertGreater(len(reasons), 40)
        self.assertEqual([(name.lower(), err, text) for name, err, text in reasons[1:]], rows)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
