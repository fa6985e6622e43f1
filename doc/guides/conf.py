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
# DPDK's theme, where it is installed. The style sheet lets lines of 100 columns fit a window of 1100
# pixels, and wraps the cells of tables.
try:
    import sphinx_rtd_theme
    html_theme = 'sphinx_rtd_theme'
    html_theme_path = [sphinx_rtd_theme.get_html_theme_path()]
except ImportError:
    html_theme = 'alabaster'
    html_theme_options = {'page_width': '1080px'}
html_static_path = ['custom.css']
html_css_files = ['custom.css']
html_show_sphinx = False
highlight_language = 'none'
