#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Live migration with the QEMU of the distribution's backports, and to it from the distribution's
# own QEMU. The backport is unpacked to a folder of its own.

# shellcheck source=tests/lib/migration.sh
. "$(dirname "$0")/lib/migration.sh"

moves() # FROM-QEMU TO-QEMU
{
	vm_image
	qemu_backports
	measured "$("$1" --version | head -n 1 | grep -oE '[0-9.]+' | head -n 1) to" \
		"$("$2" --version | head -n 1 | grep -oE '[0-9.]+' | head -n 1)"
	wire_start
	backend a
	backend b
	QEMU=$1
	source_boot
	QEMU=$2 guest_waits two b
	migrate one two
	arrive two
}

case_split() { moves "$QEMU_NEW" "$QEMU_NEW"; }
case_packed_mq() { PAIRS=4 DEVICE_PROPERTIES=packed=on; moves "$QEMU_NEW" "$QEMU_NEW"; }
# Both QEMUs use the machine type of the old one.
case_from_old() { VM_MACHINE=pc-q35-7.2 DEVICE_PROPERTIES=packed=on; moves qemu-system-x86_64 "$QEMU_NEW"; }

case_many_moves_split() { qemu_backports; QEMU=$QEMU_NEW; many_moves; }
case_many_moves_packed() { DEVICE_PROPERTIES=packed=on; case_many_moves_split; }

# shellcheck disable=SC2046 # names without blanks
run_cases from-old packed-mq $(soak split many-moves-split many-moves-packed)
