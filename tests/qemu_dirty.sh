#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Each page that the device writes during a live migration arrives. A guest that keeps
# writing to the same pages hides a page that was not logged. Here large datagrams wait unread
# in the guest while it moves, each in pages of its own, and are checked afterwards.

WIRE_MTU=9000 FLOW_RATE=50 FLOW_PEER_SIZE=8000
# shellcheck source=tests/lib/migration.sh
. "$(dirname "$0")/lib/migration.sh"

# hold_and_move SOCKET: move a guest on $W/SOCKET, which is back end a or a proxy of it.
hold_and_move()
{
	guest one "$1"
	vm_ready one
	flow_start one hold
	guest_waits two b
	# Slow enough that most datagrams come after the first pass over the memory.
	qmp_must one migrate-set-parameters '{"max-bandwidth":40000000}'
	migrate one two
	flow_release two
	sleep 0.5
	flow_stop two
	expect "received by the guest of ${FLOW[peer.sent]}" \
		$((${FLOW[guest.received]} + ${FLOW[guest.corrupted]})) -gt $((${FLOW[peer.sent]} / 2))
}

back_ends()
{
	vm_image
	qemu_reliable
	wire_start
	backend a
	backend b
}

complete()
{
	back_ends
	hold_and_move a
	flow_check
}

case_split() { complete; }
case_packed() { DEVICE_PROPERTIES=packed=on complete; }

# Without a dirty log datagrams must be corrupted, or the other cases prove nothing.
case_control()
{
	back_ends
	bg proxy /usr/bin/python3 "$VSTATE_ROOT/tests/tools/vhost_user_proxy.py" "$W/proxy" "$W/a" forget-log
	wait_for 5 test -S "$W/proxy" || fail "the proxy did not start"
	hold_and_move proxy
	has proxy '^forgot the dirty log' || fail "QEMU did not ask for a log"
	expect "corrupted without a dirty log" "${FLOW[guest.corrupted]}" -gt 0
	measured "without a dirty log ${FLOW[guest.corrupted]} of $((${FLOW[guest.received]} +
		${FLOW[guest.corrupted]})) datagrams are corrupted"
}

run_cases split packed control
