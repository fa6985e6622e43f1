#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A running QEMU guest moves from rte_vhost's net_vhost to vstate and back, so that one
# host after the other can take vstate.

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

# mixed FROM TO: prefixes of the devices
mixed()
{
	vm_image
	wire_start
	VSTATE_VDEV=$1 backend a
	VSTATE_VDEV=$2 backend b
	source_boot
	guest_waits two b
	migrate one two
	arrive two
}

case_split_to_vstate() { mixed net_vhost net_vstate; }
case_split_from_vstate() { mixed net_vstate net_vhost; }
case_packed_to_vstate() { DEVICE_PROPERTIES=packed=on; mixed net_vhost net_vstate; }
case_packed_from_vstate() { DEVICE_PROPERTIES=packed=on; mixed net_vstate net_vhost; }

# shellcheck disable=SC2046 # names without blanks
run_cases split-to-vstate packed-from-vstate $(soak split-from-vstate packed-to-vstate)
