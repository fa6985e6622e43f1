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

# The guest's kernel may take a second to notice that the link is up, and drops frames until then.
guest_is_answered() { vm one 20 "ping -c 10 -i 0.5 -w 8 $WIRE_PEER | grep -q 'bytes from'"; }

flaps()
{
	local i
	vm_image
	wire_start
	backend a
	guest one a
	vm_ready one
	guest_is_answered || fail "no answer before the first flap"
	vm_must one 5 "{ ping -i 0.02 $WIRE_PEER >/dev/null 2>&1 & } ; true"
	for i in $(seq "$FLAPS"); do
		qmp_must one set_link '{"name":"n","up":false}'
		sleep 0.3
		qmp_must one set_link '{"name":"n","up":true}'
		guest_is_answered || fail "no answer after flap $i"
	done
	! has a 'is broken' || fail "a queue broke"
	measured "answered after each of $FLAPS flaps"
}

case_split() { flaps; }
case_packed() { DEVICE_PROPERTIES=packed=on; flaps; }
case_packed_new() { qemu_reliable; DEVICE_PROPERTIES=packed=on; flaps; }

# shellcheck disable=SC2046 # names without blanks
run_cases split packed $(soak packed-new)
