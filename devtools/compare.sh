#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The scenarios with QEMU and OVS-DPDK, once with net_vhost and once with net_vstate, what
# each measured side by side.
#
#	devtools/compare.sh [SCENARIO[/CASE]...]
#
# Without a name: qemu_migrate, qemu_dirty, qemu_postcopy, qemu_snapshot, ovs.

set -u
# shellcheck source=devtools/lib.sh
. "$(dirname "$0")/lib.sh"

NAMES=("$@")
[ ${#NAMES[@]} -gt 0 ] || NAMES=(qemu_migrate qemu_dirty qemu_postcopy qemu_snapshot ovs)

# verdict DEVICE SCENARIO CASE: its last line, without the name
verdict()
{
	VSTATE_VDEV=$1 "$VSTATE_ROOT/tests/$2.sh" "$3" 2>&1 </dev/null |
		sed -nE "s|^(PASS\|FAIL\|SKIP) $2/$3( \([0-9]+ s\))?: |\1 |p" | tail -n 1
}

# Each thing measured on a line of its own, the two devices next to each other.
side_by_side() # NAME NET_VHOST NET_VSTATE
{
	printf '\n== %s\n' "$1"
	paste -d '\n' <(sed 's/; /\n/g; s/^/net_vhost   /; s/\n/\nnet_vhost   /g' <<<"$2") \
		<(sed 's/; /\n/g; s/^/net_vstate  /; s/\n/\nnet_vstate  /g' <<<"$3")
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
		side_by_side "$scenario/$case" "$(verdict net_vhost "$scenario" "$case")" \
			"$(verdict net_vstate "$scenario" "$case")"
	done
done
