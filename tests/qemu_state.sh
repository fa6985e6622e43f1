#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The QEMU of the distribution's backports carries the device's own state (vhost-user
# DEVICE_STATE), which the counters of the back ends prove. If a state does not fit, the
# destination refuses it and the guest keeps running at the source. Moves with "device-state=0"
# and with net_vhost are tested too.

# shellcheck source=tests/lib/migration.sh
. "$(dirname "$0")/lib/migration.sh"

TELEMETRY=yes
QEMU=$QEMU_NEW
PAIRS=2
NO_STATE=device-state=0
# QEMU's error about a back end that does not offer DEVICE_STATE.
NO_TRANSFER='Back-end does not support migration state transfer'

prepare()
{
	[ "$VSTATE_VDEV" = net_vstate ] || skip "$VSTATE_VDEV has no state of its own"
	vm_image
	qemu_backports
	wire_start
}

# A back end of wire.sh with telemetry below $W/NAME.run.
backend_with_telemetry() # NAME [DEVARGS]
{
	mkdir "$W/$1.run"
	RUNTIME_DIRECTORY=$W/$1.run backend "$@"
}

# Print a counter of a back end's device, or of one of its queues.
counter() # NAME COUNTER [QUEUE]
{
	local of=/vstate/dev,net_vstate0
	[ -z "${3:-}" ] || of=/vstate/vq,net_vstate0,$3
	"$VSTATE_ROOT/tests/tools/telemetry.py" "$W/$1.run"/dpdk/*/dpdk_telemetry.v2 "$of" \
			>"$W/counter.json" 2>>"$W/telemetry.out" ||
		fail "telemetry of $1: $(tail -n 1 "$W/telemetry.out")"
	json "$W/counter.json" "$2"
}

# proxy_start NAME MODE BACKEND: start a proxy of the back end that alters messages
proxy_start()
{
	bg "$1" /usr/bin/python3 "$VSTATE_ROOT/tests/tools/vhost_user_proxy.py" "$W/$1" "$W/$3" "$2"
	wait_for 5 test -S "$W/$1" || fail "$1: no socket"
}

# Check how many states a back end saved, loaded and refused.
expect_states() # NAME SAVED LOADED REFUSED
{
	expect "$1: states saved" "$(counter "$1" state_saved_count)" -eq "$2"
	expect "$1: states loaded" "$(counter "$1" state_loaded_count)" -eq "$3"
	expect "$1: states refused" "$(counter "$1" state_refused_count)" -eq "$4"
}

# A proxy adds one to each base that QEMU sets. The guest does not notice, because the state has
# priority over the base. (For a split ring rte_vhost corrects a base with the used index in guest
# memory.) Two destinations that the state does not fit refuse it.
carried()
{
	local saved
	prepare
	# Queue pairs that the guest does not use are not part of the state.
	PAIRS=4 backend_with_telemetry a tso=1
	backend_with_telemetry plain
	PAIRS=1 backend_with_telemetry small tso=1
	proxy_start large queues=2 small
	backend_with_telemetry b tso=1
	proxy_start b.wrong wrong-base b
	source_boot
	guest_waits two plain
	migration_refused one two 'Back-end failed to process its internal state'
	has plain 'load refused: fit_features: state needs a feature that this device does not offer' ||
		fail "plain: the log does not give the reason"
	expect_states plain 0 0 1
	guest_waits three large
	migration_refused one three 'Back-end failed to process its internal state'
	has small 'load refused: fit_vq_count: state has more virtqueues than this device' || fail "small: the log does not give the reason"
	expect_states small 0 0 1
	expect_states a 2 0 0
	guest_waits four b.wrong
	migrate one four
	expect_states a 3 0 0
	expect_states b 0 1 0
	saved=$(counter a state_saved_bytes)
	expect "bytes loaded" "$(counter b state_loaded_bytes)" -eq $((saved / 3))
	expect "bytes loaded" $((saved / 3)) -gt 100
	has b.wrong '^base of queue 3' || fail "QEMU set no base of queue 3"
	[ -z "$DEVICE_PROPERTIES" ] ||
		has b 'base of queue . is not that of the loaded state .*: the loaded state is used' ||
		fail "b received no wrong base"
	measured "$((saved / 3)) bytes of state, refused twice, by features and by queues"
	arrive four
}

case_split() { carried; }
case_packed() { DEVICE_PROPERTIES=packed=on; carried; }

# Without the state the same wrong bases cut the guest off, or the cases above prove nothing.
case_control()
{
	DEVICE_PROPERTIES=packed=on
	prepare
	backend_with_telemetry a "$NO_STATE"
	backend_with_telemetry b "$NO_STATE"
	proxy_start b.wrong wrong-base b
	source_boot
	guest_waits two b.wrong
	migrate one two
	sleep 1
	flow_stop two
	flow_print
	expect_states a 0 0 0
	expect_states b 0 0 0
	expect "lost of what the guest sent" "${FLOW[out.lost]}" -gt 0
}

# Only a source that saved a state needs a destination that can load it.
case_mixed()
{
	prepare
	backend_with_telemetry old "$NO_STATE"
	VSTATE_VDEV=net_vhost backend_with_telemetry vhost
	backend_with_telemetry new
	guest one old
	vm_ready one
	flow_start one
	move_on one two vhost
	move_on two three old
	move_on three four new
	expect_states old 0 0 0
	expect_states new 0 0 0
	guest_waits five vhost
	migration_refused four five "$NO_TRANSFER"
	guest_waits six old
	migration_refused four six "$NO_TRANSFER"
	expect_states new 2 0 0
	measured "device-state=0 to net_vhost, back, to device-state=1, refused from there to both"
	arrive four
}

# shellcheck disable=SC2046 # names without blanks
run_cases packed mixed $(soak split control)
