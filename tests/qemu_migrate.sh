#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A running QEMU guest is migrated from one back end to another, with UDP in both
# directions that a program outside the guest takes the time of.

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

# A guest "one" on back end "a", with traffic, and an empty back end "b".
source_start() # [DEVARGS]
{
	vm_image
	wire_start
	backend a "${1:-}"
	backend b "${1:-}"
	source_boot
}

source_boot()
{
	guest one a
	vm_ready one
	flow_start one
	sleep 1
}

# The guest comes from one and is two now.
arrive()
{
	sleep 1
	flow_stop two
	flow_check_holes "${1:-1}"
}

there() # [DEVARGS]
{
	source_start "${1:-}"
	guest_waits two b
	migrate one two
	arrive
}

case_split() { there; }
case_packed() { DEVICE_PROPERTIES=packed=on; there; }
case_split_mq() { PAIRS=4; there; }
case_packed_mq() { PAIRS=4 DEVICE_PROPERTIES=packed=on; there; }
case_server_sockets() { SOCKET_SIDE=server; there client=1; }
case_multifd() { CAPABILITIES+=(multifd); DEVICE_PROPERTIES=packed=on; there; }

case_one_process()
{
	vm_image
	wire_start
	backends_in_one a b
	source_boot
	guest_waits two b
	migrate one two
	arrive
}

run_cases split packed split-mq packed-mq server-sockets multifd one-process
