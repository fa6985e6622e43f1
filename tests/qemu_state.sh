#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# QEMU of the distribution's backports carries the device's own state: vhost-user
# DEVICE_STATE. Seen in the counters of the back ends; refused where it does not fit, and then
# the guest goes on at the source; moves with "device-state=0" and with net_vhost.

# shellcheck source=tests/lib/migration.sh
. "$(dirname "$0")/lib/migration.sh"

TELEMETRY=yes
QEMU=$QEMU_NEW
PAIRS=2
NO_STATE=device-state=0
# What QEMU says of a back end that does not offer it.
NO_TRANSFER='Back-end does not support migration state transfer'

prepare()
{
	[ "$VSTATE_VDEV" = net_vstate ] || skip "$VSTATE_VDEV has no state of its own"
	vm_image
	qemu_backports
	wire_start
}

# A back end as of wire.sh, with telemetry below $W/NAME.run.
place() # NAME [DEVARGS]
{
	mkdir "$W/$1.run"
	RUNTIME_DIRECTORY=$W/$1.run backend "$@"
}

# A counter of a back end's device, or with a queue of that queue.
counter() # NAME COUNTER [QUEUE]
{
	local of=/vstate/dev,net_vstate0
	[ -z "${3:-}" ] || of=/vstate/vq,net_vstate0,$3
	"$VSTATE_ROOT/tests/tools/telemetry.py" "$W/$1.run"/dpdk/*/dpdk_telemetry.v2 "$of" \
			>"$W/counter.json" 2>>"$W/telemetry.out" ||
		fail "telemetry of $1: $(tail -n 1 "$W/telemetry.out")"
	json "$W/counter.json" "$2"
}

# told NAME MODE BACKEND: a connection to the back end that does not tell the truth
told()
{
	bg "$1" /usr/bin/python3 "$VSTATE_ROOT/tests/tools/vhost_user_proxy.py" "$W/$1" "$W/$3" "$2"
	wait_for 5 test -S "$W/$1" || fail "$1: no socket"
}

# How often it was saved and loaded, and refused.
moved() # NAME SAVED LOADED REFUSED
{
	expect "$1: states saved" "$(counter "$1" state_saved_count)" -eq "$2"
	expect "$1: states loaded" "$(counter "$1" state_loaded_count)" -eq "$3"
	expect "$1: states refused" "$(counter "$1" state_refused_count)" -eq "$4"
}

# The bases that QEMU sets are wrong by one, and the guest does not notice: what counts is
# in the state. (Of a split ring rte_vhost mends a base by the used index in guest memory.)
# Neither of two destinations that it does not fit takes it.
carried()
{
	local saved
	prepare
	# More pairs than the guest uses are no part of what moves.
	PAIRS=4 place a tso=1
	place plain
	PAIRS=1 place small tso=1
	told large queues=2 small
	place b tso=1
	told b.wrong wrong-base b
	source_boot
	guest_waits two plain
	migration_refused one two 'Back-end failed to process its internal state'
	has plain 'load refused: fit_features: state needs a feature that this device does not offer' ||
		fail "plain: no reason"
	moved plain 0 0 1
	guest_waits three large
	migration_refused one three 'Back-end failed to process its internal state'
	has small 'load refused: fit_vq_count: state has more virtqueues than this device' || fail "small: no reason"
	moved small 0 0 1
	moved a 2 0 0
	guest_waits four b.wrong
	migrate one four
	moved a 3 0 0
	moved b 0 1 0
	saved=$(counter a state_saved_bytes)
	expect "bytes loaded" "$(counter b state_loaded_bytes)" -eq $((saved / 3))
	expect "bytes loaded" $((saved / 3)) -gt 100
	has b.wrong '^base of queue 3' || fail "QEMU set no base of queue 3"
	[ -z "$DEVICE_PROPERTIES" ] ||
		has b 'base of queue . is not that of the loaded state .*: the state counts' ||
		fail "the state did not meet wrong bases"
	measured "$((saved / 3)) bytes of state, refused twice, by features and by queues"
	arrive four
}

case_split() { carried; }
case_packed() { DEVICE_PROPERTIES=packed=on; carried; }

# Without the state the same wrong bases lose the guest, or the cases above prove nothing.
case_control()
{
	DEVICE_PROPERTIES=packed=on
	prepare
	place a "$NO_STATE"
	place b "$NO_STATE"
	told b.wrong wrong-base b
	source_boot
	guest_waits two b.wrong
	migrate one two
	sleep 1
	flow_stop two
	flow_print
	moved a 0 0 0
	moved b 0 0 0
	expect "lost of what the guest sent" "${FLOW[out.lost]}" -gt 0
}

# Only a source that has saved a state needs a destination that takes it.
case_mixed()
{
	prepare
	place old "$NO_STATE"
	VSTATE_VDEV=net_vhost place vhost
	place new
	guest one old
	vm_ready one
	flow_start one
	move_on one two vhost
	move_on two three old
	move_on three four new
	moved old 0 0 0
	moved new 0 0 0
	guest_waits five vhost
	migration_refused four five "$NO_TRANSFER"
	guest_waits six old
	migration_refused four six "$NO_TRANSFER"
	moved new 2 0 0
	measured "device-state=0 to net_vhost, back, to device-state=1, refused from there to both"
	arrive four
}

# shellcheck disable=SC2046 # names without blanks
run_cases packed mixed $(soak split control)
