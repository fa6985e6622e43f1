#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A live migration is switched to postcopy under traffic. The guest resumes at the destination
# before its memory has arrived, and the back end's poll threads wait in page faults for pages.

# shellcheck source=tests/lib/migration.sh
. "$(dirname "$0")/lib/migration.sh"

CAPABILITIES=(return-path postcopy-ram)

postcopy()
{
	[ -w /dev/userfaultfd ] || [ "$(id -u)" -eq 0 ] || skip "userfaultfd needs root"
	qemu_reliable
	source_start postcopy-support=1
	guest_waits two b
	# Slow, so that most memory is missing at the switch to postcopy.
	qmp_must one migrate-set-parameters '{"max-bandwidth":10000000,"max-postcopy-bandwidth":20000000}'
	migration_begin one two
	wait_for 10 pages_flow one || fail "migration did not begin: $QMP_OUT"
	qmp_must one migrate-start-postcopy
	migration_end one two
	expect_match "migration" "$(cat "$W/migration.json")" '"postcopy-requests": [1-9]'
	measured "$(json "$W/migration.json" ram postcopy-requests) pages requested"
	arrive two
}

case_split() { postcopy; }
case_packed() { DEVICE_PROPERTIES=packed=on; postcopy; }

# shellcheck disable=SC2046 # names without blanks
run_cases packed $(soak split)
