#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Instructions per packet of net_vstate and net_vhost, counted by valgrind. This
# figure does not depend on machine load.
#
#	devtools/bench_instructions.sh [CASE...]
#
# Only the device's part is counted (the function bench_device_part and its
# callees). Each case runs twice with different numbers of packets, so that the
# difference leaves out the start. BUILD names the build directory (default: build).
# valgrind does not support AVX-512, so the counts are those of a CPU without it.

set -u
# shellcheck source=devtools/lib.sh
. "$(dirname "$0")/lib.sh"

case ${1:-} in
-h|--help)
	sed -n '5,15s/^# \{0,1\}//p' "$0"
	exit 0 ;;
esac
TOOL=$VSTATE_ROOT/${BUILD:-build}/app/dpdk-test-vdpa
FEW=4096
MANY=20480
[ $# -gt 0 ] || set -- {dequeue,enqueue,loop}/{split,packed} loop/{split,packed}-inorder \
	loop/{split,packed}/mrg idle/split idle/packed

[ -x "$TOOL" ] || die "no $TOOL: run ninja -C ${BUILD:-build} first"
need_packages valgrind
WORK=$(mktemp -d) || exit 1
trap 'rm -rf "$WORK"' EXIT

# instructions CASE SIDE PACKETS: print the instructions of the device's part in one run.
instructions()
{
	# Without hugepages: EAL reserves more address space for them than valgrind has.
	valgrind --tool=callgrind --callgrind-out-file="$WORK/out" --collect-atstart=no \
		--toggle-collect=bench_device_part "$TOOL" --no-huge -m 256 -- bench --case "$1" \
		--only "$2" --packets "$3" >"$WORK/log" 2>&1 || { cat "$WORK/log" >&2; return 1; }
	awk '/^(summary|totals):/ { print $2; exit }' "$WORK/out"
}

# per_packet CASE SIDE
per_packet()
{
	local few many
	few=$(instructions "$1" "$2" $FEW) && many=$(instructions "$1" "$2" $MANY) || return 1
	awk -v f="$few" -v m="$many" -v n=$((MANY - FEW)) 'BEGIN { printf "%.1f\n", (m - f) / n }'
}

rc=0
printf '%-28s %10s %10s %8s\n' "instructions per packet" vstate vhost ratio
for name in "$@"; do
	if vstate=$(per_packet "$name" vstate) && vhost=$(per_packet "$name" vhost); then
		awk -v c="$name" -v a="$vstate" -v b="$vhost" \
			'BEGIN { printf "%-28s %10.1f %10.1f %8.2f\n", c, a, b, a / b }'
	else
		printf '%-28s FAILED\n' "$name"
		rc=1
	fi
done
exit $rc
