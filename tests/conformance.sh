#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# VIRTIO 1.4 "Device Suspend" and "Device parts", item by item: with split and packed rings,
# through the API and through vhost-user.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"

case_all_items()
{
	tool "$PATIENCE" conformance --json ||
		fail "exit status $?: $(grep -o '"item": [^}]*false[^}]*' "$W/tool.out" | paste -sd' ')"
	report_none failed
	# 29 items with 2 kinds of rings through 2 interfaces.
	expect passed "$(report passed)" -eq 116
	measured "$(report passed) of 116"
}

class() # CLASS NUMBER
{
	tool "$PATIENCE" conformance --class "$1" --json ||
		fail "exit status $?: $(grep -o '"item": [^}]*false[^}]*' "$W/tool.out" | paste -sd' ')"
	report_none failed
	expect passed "$(report passed)" -eq "$2"
	measured "$(report passed) of $2"
}

# "Block Device" and "SCSI Host Device", and what a hostile driver or front end does to a disk: 11 and
# 18 items with 2 kinds of rings.
case_disk() { class blk 22; }
case_scsi() { class scsi 36; }

# "Console Device", and its state: 19 items with 2 kinds of rings.
case_console() { class console 38; }

run_cases all-items disk scsi console
