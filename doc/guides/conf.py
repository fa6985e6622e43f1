# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
"""Sphinx configuration of the guides: sphinx-build -W doc/guides build/doc"""

import pathlib
import re

project = 'vstate'
copyright = '2026 vstate contributors'
_meson = pathlib.Path(__file__).parents[2].joinpath('meson.build').read_text()
release = version = re.search(r"version: '([0-9.]+)'", _meson).group(1)
extensions = []
html_theme = 'alabaster'
highlight_language = 'none'
