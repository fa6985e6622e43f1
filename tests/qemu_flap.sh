#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# QEMU takes the link of a running guest down and up again. It stops the device, uses up frames of
# the guest itself, and starts the device with a base of its own. The guest must be heard and must
# hear after each flap.

# shellcheck source=tests/lib/migration.sh
. "$(dirname "$0")/lib/migration.sh"
# shellcheck source=tests/lib/qemu_lib.sh
. "$(dirname "$0")/lib/qemu_lib.sh"

FLAPS=5

guest_is_answered() { vm one 10 "ping -c 1 -w 5 $WIRE_PEER" >"$W/ping.out"; }

flaps()
{
	local i
	vm_image
	wire_start
	backend a
	source_boot
	guest_is_answered || fail "no answer before the first flap"
	for i in $(seq "$FLAPS"); do
		qmp_must one set_link '{"name":"n","up":false}'
		sleep 0.3
		qmp_must one set_link '{"name":"n","up":true}'
		guest_is_answered || fail "no answer after flap $i"
	done
	! has a 'is broken' || fail "a queue broke"
	flow_stop one
	flow_print
	expect "duplicated at the peer" "${FLOW[peer.duplicated]}" -eq 0
	expect "corrupted at the peer" "${FLOW[peer.corrupted]}" -eq 0
	measured "answered after each of $FLAPS flaps"
}

case_split() { flaps; }
case_packed() { DEVICE_PROPERTIES=packed=on; flaps; }
case_packed_new() { qemu_reliable; DEVICE_PROPERTIES=packed=on; flaps; }

# shellcheck disable=SC2046 # names without blanks
run_cases split packed $(soak packed-new)
