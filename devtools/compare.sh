#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Run scenarios with QEMU, OVS-DPDK and testpmd on net_vhost and on net_vstate, and print their
# measurements side by side.
#
#	devtools/compare.sh [--rounds N] [SCENARIO[/CASE]...]
#
# Without a name: qemu_new/many-moves-packed (five moves of one guest) and the cases of
# qemu_migrate, qemu_dirty, qemu_postcopy, qemu_snapshot, ovs and testpmd_forward.
#	--rounds N	run each case N times with each device in turn; print medians
# MOVES sets another number of moves. See doc/guides/howto/compare.rst.

set -u
# shellcheck source=devtools/lib.sh
. "$(dirname "$0")/lib.sh"

ROUNDS=1
case ${1:-} in
-h | --help) sed -n '5,14s/^#[[:blank:]]\{0,1\}//p' "$0"; exit 0 ;;
--rounds) ROUNDS=${2:?a number of rounds is missing}; shift 2 ;;
esac
NAMES=("$@")
[ ${#NAMES[@]} -gt 0 ] || NAMES=(qemu_new/many-moves-packed qemu_migrate qemu_dirty qemu_postcopy
	qemu_snapshot ovs testpmd_forward)
export MOVES=${MOVES:-5}
DEVICES=(net_vhost net_vstate)
DIR=$(mktemp -d) || die "cannot create a temporary directory for the results"
trap 'rm -rf "$DIR"' EXIT

# verdict DEVICE SCENARIO CASE: run the case and print its result without the name
verdict()
{
	VSTATE_VDEV=$1 "$VSTATE_ROOT/tests/$2.sh" "$3" 2>&1 </dev/null |
		sed -nE "s|^(PASS\|FAIL\|SKIP) $2/$3( \([0-9]+ s\))?: |\1 |p" | tail -n 1
}

# The devices alternate, so that other load of the machine affects both.
compare() # SCENARIO CASE
{
	local round device
	rm -f "$DIR"/*
	for ((round = 1; round <= ROUNDS; round++)); do
		for device in "${DEVICES[@]}"; do
			verdict "$device" "$1" "$2" >>"$DIR/$device"
		done
	done
	printf '\n== %s\n' "$1/$2"
	/usr/bin/python3 "$VSTATE_ROOT/devtools/side_by_side.py" "${DEVICES[@]/#/$DIR/}"
}

for name in "${NAMES[@]}"; do
	scenario=${name%%/*}
	[ -x "$VSTATE_ROOT/tests/$scenario.sh" ] || die "no scenario $scenario"
	if [ "$name" = "$scenario" ]; then
		mapfile -t cases < <("$VSTATE_ROOT/tests/$scenario.sh" --list)
	else
		cases=("${name#*/}")
	fi
	for case in "${cases[@]}"; do
		compare "$scenario" "$case"
	done
done
