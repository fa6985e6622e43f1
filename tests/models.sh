#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The models of the stop protocol and of a handover, in all their states, and their broken variants.
# One case for each.

set -o pipefail
"$(dirname "$0")/../devtools/models/run.sh" "$@" | grep -v '^[0-9]* passed, '
