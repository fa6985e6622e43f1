#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The stop protocol's model, checked whole, and its broken variants; a case each.

set -o pipefail
"$(dirname "$0")/../devtools/models/run.sh" "$@" | grep -v '^[0-9]* passed, '
