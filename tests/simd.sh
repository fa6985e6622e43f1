#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Each build of the ring code, chosen by EAL's --force-max-simd-bitwidth: the unit tests of the
# rings, moves of split and packed rings, and bursts of every kind of buffer.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"

AUTOTEST=$VSTATE_BUILD/app/test/vstate-autotest

# works_with BUILD WIDTH [CPU-FLAG]
works_with()
{
	local ring
	[ "$1" = base ] || grep -qw "${3:-$1}" /proc/cpuinfo || skip "this processor has no $1"

	if [ -x "$AUTOTEST" ]; then
		VSTATE_SIMD_BITWIDTH=$2 timeout -k 5 $((5 * PATIENCE)) "$AUTOTEST" \
			net_take net_put fault notify net_offload >"$W/unit" 2>&1 ||
			fail "unit tests: $(grep -m 3 FAILED "$W/unit" | paste -sd' ')"
		measured "$(grep -c '^\[       OK' "$W/unit") unit tests"
	fi
	for ring in split packed; do
		tool_must "$PATIENCE" "--force-max-simd-bitwidth=$2" \
			--log-level=pmd.vdpa.vstate:debug -- migrate --json --rounds 20 \
			--queues 2 --ring "$ring" --any-layout --frames 64-9000
		report_none lost duplicated reordered corrupted
		# The run used this build and no other.
		expect_match "$ring: build" "$(cat "$W/tool.err")" "ring code: $1"
		expect "$ring: other builds" \
			"$(grep 'ring code: ' "$W/tool.err" | grep -vc "ring code: $1")" -eq 0
		measured "$ring: $(report frames) frames, none lost"
	done
	tool_must "$PATIENCE" "--force-max-simd-bitwidth=$2" -- bench --only vstate --seconds 0.05 \
		--case 'loop/split,loop/packed,loop/*/indirect,loop/*/9000B/mrg,loop/packed/log'
}

case_base() { works_with base 64; }
case_avx2() { works_with avx2 256; }
case_avx512() { works_with avx512 512 avx512bw; }

run_cases base avx2 avx512
