#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The back end of a running QEMU guest is killed and started again: the guest goes on.

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

restart()
{
	SOCKET_SIDE=server
	vm_image
	wire_start
	backend a client=1
	source_boot
	for _ in 1 2; do
		bg_kill a
		tp_close a
		backend a client=1
		tp_link_up a
		sleep 1
	done
	flow_stop one
	flow_print
	expect "corrupted at the guest" "${FLOW[guest.corrupted]}" -eq 0
	expect "corrupted at the peer" "${FLOW[peer.corrupted]}" -eq 0
	# It went on after the second one: what came last was sent last.
	expect "sent and lost by the guest" "${FLOW[out.lost]}" -lt $((${FLOW[guest.sent]} / 4))
	expect "longest hole" "${FLOW[peer.longest]}" -le 1024
	expect "received by the guest" "${FLOW[guest.received]}" -gt 1500
}

case_split() { restart; }

run_cases split
