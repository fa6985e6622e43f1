#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A running QEMU guest is migrated from one back end to another under UDP traffic in both
# directions. A program outside the guest measures the time.

# shellcheck source=tests/lib/migration.sh
. "$(dirname "$0")/lib/migration.sh"

case_split() { migrate_once; }
case_packed() { DEVICE_PROPERTIES=packed=on; migrate_once; }

# QEMU serves the control queue of its card, also if the back end could (cvq=1). It offers MQ and
# GUEST_ANNOUNCE to the guest only if the back end does. With GUEST_ANNOUNCE the guest announces
# itself after a move, and the front end sends no SEND_RARP.
control_queue_is_qemus()
{
	local bit
	vm_must two 5 "cat /sys/class/net/eth0/device/features"
	for bit in 17 21 22; do
		expect "feature $bit of the guest" "${VM_OUT:$bit:1}" -eq 1
	done
	! has b 'VHOST_USER_SEND_RARP' || fail "QEMU announced the guest in its place"
}

with_mq() # PROPERTIES [DEVARGS]
{
	PAIRS=4 DEVICE_PROPERTIES=$1
	migrate_once "${2:-}"
	control_queue_is_qemus
}

case_split_mq() { with_mq ''; }
case_packed_mq() { with_mq packed=on; }
case_split_mq_cvq() { qemu_reliable; with_mq '' cvq=1; }
case_packed_mq_cvq() { qemu_reliable; with_mq packed=on cvq=1; }
case_server_sockets() { SOCKET_SIDE=server; migrate_once client=1; }
case_multifd() { CAPABILITIES+=(multifd); DEVICE_PROPERTIES=packed=on; migrate_once; }

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

# A migration is cancelled half way: the guest keeps running at the source.
cancelled_move() # FROM TO BACKEND
{
	guest_waits "$2" "$3"
	qmp_must "$1" migrate-set-parameters '{"max-bandwidth":2000000}'
	migration_begin "$1" "$2"
	wait_for 10 pages_flow "$1" || fail "migration did not begin: $QMP_OUT"
	qmp_must "$1" migrate_cancel
	qmp_must "$1" wait-migration 10
	expect_match "cancelled" "$QMP_OUT" '"status": "cancelled"'
	vm_reap "$2"
	qmp_must "$1" wait-status running 10
	qmp_must "$1" migrate-set-parameters '{"max-bandwidth":1000000000}'
}

case_cancel()
{
	DEVICE_PROPERTIES=packed=on
	source_start
	cancelled_move one two b
	sleep 0.3
	move_on one three b
	arrive three
}

# Three moves of one guest: to b, to a socket that QEMU owns, and back to a.
case_tour_split()
{
	source_start
	backend c client=1
	move_on one two b
	SOCKET_SIDE=server move_on two three c
	move_on three four a
	arrive four
}

# One guest: a cancelled move, a move to b, and a move back to a with multifd.
case_tour_packed()
{
	DEVICE_PROPERTIES=packed=on
	source_start
	cancelled_move one two b
	move_on one three b
	CAPABILITIES+=(multifd)
	move_on three four a
	arrive four
}

# shellcheck disable=SC2046
run_cases tour-packed split-mq packed-mq \
	$(soak split-mq-cvq packed-mq-cvq tour-split split packed server-sockets multifd cancel one-process)
