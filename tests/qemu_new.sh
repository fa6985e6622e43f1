#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Live migration with the QEMU of the distribution's backports, and from the
# distribution's own to that. It is unpacked to a folder of its own.

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
# shellcheck source=tests/packages.sh
. "$VSTATE_ROOT/tests/packages.sh"

NEW=$VSTATE_CACHE/qemu-backports

new_qemu()
{
	local apt=$VSTATE_CACHE/apt-backports
	[ -x "$NEW/qemu" ] && return 0
	mkdir -p "$apt"
	backports_sources "$apt/sources.list.d"
	private_apt "$apt" update >"$W/apt.out" 2>&1 || skip "cannot read the list of backports"
	packages_unpack "$NEW" qemu-system-x86 -o Dir::Etc::SourceList=/dev/null \
		-o "Dir::Etc::SourceParts=$apt/sources.list.d" -o "Dir::State::Lists=$apt/lists"
	rm -rf "$apt"
	cat >"$NEW/qemu" <<-END
		#!/bin/sh
		export LD_LIBRARY_PATH=$NEW/usr/lib/x86_64-linux-gnu QEMU_MODULE_DIR=$NEW/usr/lib/x86_64-linux-gnu/qemu
		exec $NEW/usr/bin/qemu-system-x86_64 -L $NEW/usr/share/qemu -L $NEW/usr/share/seabios \
			-L /usr/share/qemu -L /usr/share/seabios -L /usr/lib/ipxe/qemu "\$@"
	END
	chmod +x "$NEW/qemu"
}

moves() # FROM-QEMU TO-QEMU
{
	vm_image
	new_qemu
	measured "$("$1" --version | head -n 1 | grep -oE '[0-9.]+' | head -n 1) to" \
		"$("$2" --version | head -n 1 | grep -oE '[0-9.]+' | head -n 1)"
	wire_start
	backend a
	backend b
	QEMU=$1 source_boot
	QEMU=$2 guest_waits two b
	migrate one two
	arrive two
}

case_split() { moves "$NEW/qemu" "$NEW/qemu"; }
case_packed_mq() { PAIRS=4 DEVICE_PROPERTIES=packed=on; moves "$NEW/qemu" "$NEW/qemu"; }
# The machine is that of the old one.
case_from_old() { VM_MACHINE=pc-q35-7.2 DEVICE_PROPERTIES=packed=on; moves qemu-system-x86_64 "$NEW/qemu"; }

# shellcheck disable=SC2046 # names without blanks
run_cases from-old packed-mq $(soak split)
