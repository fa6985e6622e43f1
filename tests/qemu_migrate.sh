#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A running QEMU guest is migrated from one back end to another, with UDP in both
# directions that a program outside the guest takes the time of.

# shellcheck source=tests/harness.sh
. "$(dirname "$0")/harness.sh"
# shellcheck source=tests/testpmd.sh
. "$(dirname "$0")/testpmd.sh"
# shellcheck source=tests/vm.sh
. "$(dirname "$0")/vm.sh"
# shellcheck source=tests/wire.sh
. "$(dirname "$0")/wire.sh"
# shellcheck source=tests/migration.sh
. "$(dirname "$0")/migration.sh"

case_split() { there; }
case_packed() { DEVICE_PROPERTIES=packed=on; there; }
case_split_mq() { PAIRS=4; there; }
case_packed_mq() { PAIRS=4 DEVICE_PROPERTIES=packed=on; there; }
case_server_sockets() { SOCKET_SIDE=server; there client=1; }
case_multifd() { CAPABILITIES+=(multifd); DEVICE_PROPERTIES=packed=on; there; }

# Both back ends are ports of one process.
case_one_process()
{
	vm_image
	wire_start
	backends_in_one a b
	source_boot
	guest_waits two b
	migrate one two
	arrive two
}

# Given up half way: the guest goes on where it is, and moves at the next attempt.
case_cancel()
{
	DEVICE_PROPERTIES=packed=on
	source_start
	guest_waits two b
	qmp_must one migrate-set-parameters '{"max-bandwidth":2000000}'
	migration_begin one two
	sleep 0.5
	qmp_must one migrate_cancel
	qmp_must one wait-migration 10
	expect_match "cancelled" "$QMP_OUT" '"status": "cancelled"'
	vm_reap two
	sleep 0.5
	qmp_must one query-status
	expect_match "status of the source" "$QMP_OUT" '"status": "running"'
	qmp_must one migrate-set-parameters '{"max-bandwidth":1000000000}'
	guest_waits three b
	migrate one three
	arrive three
}

# The back ends serve one guest after the other.
there_and_back()
{
	source_start
	guest_waits two b
	migrate one two
	vm_gone one
	guest_waits three a
	sleep 0.5
	migrate two three
	vm_gone two
	guest_waits four b
	sleep 0.5
	migrate three four
	arrive four
}

case_there_and_back_split() { there_and_back; }
case_there_and_back_packed() { DEVICE_PROPERTIES=packed=on; there_and_back; }

# shellcheck disable=SC2046
run_cases there-and-back-split there-and-back-packed split-mq packed-mq multifd server-sockets cancel \
	$(soak split packed one-process)
