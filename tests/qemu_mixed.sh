#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A running QEMU guest moves between rte_vhost's net_vhost and vstate, in both directions, so
# that hosts can change to vstate one at a time.

# shellcheck source=tests/lib/migration.sh
. "$(dirname "$0")/lib/migration.sh"

# With QEMU 10 a device that offers the state of a back end can move to a device that has it only.
mixed_backend() # NAME PREFIX
{
	local args=''
	[ "$2" = net_vhost ] || args=device-state=0
	VSTATE_VDEV=$2 backend "$1" "$args"
}

# A guest starts on the first back end, moves to the second and moves back.
mixed() # PREFIX-OF-THE-FIRST PREFIX-OF-THE-OTHER
{
	[ "$1 $DEVICE_PROPERTIES" != "net_vhost packed=on" ] || touch "$W/ends-on-net_vhost"
	vm_image
	qemu_reliable
	wire_start
	mixed_backend a "$1"
	mixed_backend b "$2"
	source_boot
	move_on one two b
	move_on two three a
	arrive three
}

case_split() { mixed net_vhost net_vstate; }
case_packed() { DEVICE_PROPERTIES=packed=on; mixed net_vhost net_vstate; }
case_split_from_vstate() { mixed net_vstate net_vhost; }
case_packed_from_vstate() { DEVICE_PROPERTIES=packed=on; mixed net_vstate net_vhost; }

# shellcheck disable=SC2046 # names without blanks
run_cases split packed $(soak split-from-vstate packed-from-vstate)
