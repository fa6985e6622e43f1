#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A running QEMU guest is saved to a file and resumes from it later on another back end.

# shellcheck source=tests/lib/migration.sh
. "$(dirname "$0")/lib/migration.sh"

# No return path: a file cannot answer the source.
CAPABILITIES=()

snapshot() # SAVE-URI LOAD-URI
{
	qemu_reliable
	source_start
	migration_capabilities one
	qmp_must one migrate "{\"uri\":\"$1\"}"
	qmp_must one wait-migration 40
	expect_match "saving" "$QMP_OUT" '"status": "completed"'
	measured "saved $(stat -c %s "$W/snapshot") bytes"
	vm_gone one
	guest_waits two b
	qmp_must two migrate-incoming "{\"uri\":\"$2\"}"
	qmp_must two wait-status running 40
	arrive two
}

through_cat() { snapshot "exec:cat >$W/snapshot" "exec:cat $W/snapshot"; }

# QEMU 7.2 has no "file:" address.
to_file()
{
	qemu_backports
	snapshot "file:$W/snapshot" "file:$W/snapshot"
}

case_split() { through_cat; }
case_packed() { DEVICE_PROPERTIES=packed=on; through_cat; }
case_packed_mq() { PAIRS=4 DEVICE_PROPERTIES=packed=on; through_cat; }
case_file_split() { to_file; }
case_file_packed() { DEVICE_PROPERTIES=packed=on; to_file; }

# shellcheck disable=SC2046
run_cases packed file-packed $(soak split packed-mq file-split)
