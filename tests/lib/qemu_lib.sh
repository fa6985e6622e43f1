# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The QEMU of the distribution's backports, unpacked to a folder of its own.

# shellcheck source=tests/lib/packages.sh
. "$VSTATE_ROOT/tests/lib/packages.sh"

QEMU_DIR=$VSTATE_CACHE/qemu-backports
QEMU_NEW=$QEMU_DIR/qemu

qemu_backports()
{
	local apt=$VSTATE_CACHE/apt-backports
	[ -x "$QEMU_NEW" ] && return 0
	mkdir -p "$apt"
	backports_sources "$apt/sources.list.d"
	private_apt "$apt" update >"$W/apt.out" 2>&1 || skip "cannot read the list of backports"
	packages_unpack "$QEMU_DIR" qemu-system-x86 -o Dir::Etc::SourceList=/dev/null \
		-o "Dir::Etc::SourceParts=$apt/sources.list.d" -o "Dir::State::Lists=$apt/lists"
	rm -rf "$apt"
	cat >"$QEMU_NEW" <<-END
		#!/bin/sh
		export LD_LIBRARY_PATH=$QEMU_DIR/usr/lib/x86_64-linux-gnu QEMU_MODULE_DIR=$QEMU_DIR/usr/lib/x86_64-linux-gnu/qemu
		exec $QEMU_DIR/usr/bin/qemu-system-x86_64 -L $QEMU_DIR/usr/share/qemu -L $QEMU_DIR/usr/share/seabios \
			-L /usr/share/qemu -L /usr/share/seabios -L /usr/lib/ipxe/qemu "\$@"
	END
	chmod +x "$QEMU_NEW"
}

# Use the QEMU of the backports if it can be downloaded, because it does not lose guest memory:
# see known_fault() in migration.sh.
qemu_reliable()
{
	if ( qemu_backports ); then
		QEMU=$QEMU_NEW
	else
		rm -f "$W/why" "$W/tails"
	fi
	measured "QEMU $("${QEMU:-qemu-system-x86_64}" --version | grep -oE '[0-9]+\.[0-9]+' | head -n 1)"
}
