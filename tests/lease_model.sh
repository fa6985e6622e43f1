#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The model of the stop protocol, in all its states, and its broken variants. One case for each.

set -o pipefail
"$(dirname "$0")/../devtools/models/run.sh" "$@" | grep -v '^[0-9]* passed, '
