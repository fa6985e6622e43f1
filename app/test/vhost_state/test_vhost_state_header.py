#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Compare library and guide with the header: test_vhost_state_header.py HEADER LIBRARY GUIDE"""

import pathlib
import re
import subprocess
import sys
import unittest

HEADER, LIBRARY, GUIDE = sys.argv[1:4]


class HeaderTest(unittest.TestCase):
    """The header is the reference for the library and the guide."""

    def setUp(self):
        self.header = pathlib.Path(HEADER).read_text(encoding='utf-8')

    def test_library_exports_what_the_header_declares(self):
        """All symbols of the header and no others; version nodes do not count."""
        code = re.sub(r'/\*.*?\*/', '', self.header, flags=re.DOTALL)
        declared = set(re.findall(r'__rte_experimental\s+[\w\s*]*?(\w+)\(', code))
        # what drivers may use, too
        inner = (pathlib.Path(HEADER).parent / 'vhost_state_listener.h').read_text(encoding='utf-8')
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
        before, inside = self.header.split('extern "C" {')
        self.assertIn('#include <rte_', before)
        self.assertNotIn('#include', inside)

    def test_guide_lists_the_reasons_of_the_header(self):
        """Name, errno and text, in the same order."""
        reasons = re.findall(r'^\tX\((\w+), (\w+), "(.*?)"\)', self.header, re.MULTILINE)
        table = pathlib.Path(GUIDE).read_text(encoding='utf-8').split('"Reason", "errno"')[1]
        rows = re.findall(r'^   "(\w+)", "(\w+)", "(.*?)"$', table, re.MULTILINE)
        self.assertGreater(len(reasons), 40)
        self.assertEqual([(name.lower(), err, text) for name, err, text in reasons[1:]], rows)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
