#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# VIRTIO 1.4 "Device Suspend" and "Device parts", item by item: split and packed rings,
# asked through the API and through vhost-user.

# shellcheck source=tests/harness.sh
. "$(dirname "$0")/harness.sh"

# What a run may take; a sanitized build on a busy machine is several times slower.
PATIENCE=$((120 * (${VSTATE_SANITIZE:-0} * 3 + 1)))

case_all_items()
{
	tool "$PATIENCE" conformance --json ||
		fail "exit status $?: $(grep -o '"item": [^}]*false[^}]*' "$W/tool.out" | paste -sd' ')"
	expect failed "$(json "$W/tool.out" failed)" -eq 0
	# 28 items, each in four ways.
	expect passed "$(json "$W/tool.out" passed)" -eq 112
	measured "$(json "$W/tool.out" passed) of 112"
}

run_cases all-items
