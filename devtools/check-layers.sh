#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Check the layering of the driver and of the tool: rooms, includes, calls, headers.
# The rules are in devtools/check_layers.py. Prints each breach; exit status 1 if there is one.
#
#	devtools/check-layers.sh [DIRECTORY]
#
# DIRECTORY is another work tree than this one.

exec python3 "$(dirname "$0")/check_layers.py" "${1:-$(dirname "$0")/..}"
