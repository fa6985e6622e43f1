#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A disk moves between two back ends, or is killed and started again, while requests of the tool's
# own driver are under way. Planted faults must be found.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"

WRONG=(lost doubled stale torn misplaced errors)

# moves ROUNDS OPTION...: nothing is lost, doubled or wrong
moves()
{
	local rounds=$1
	shift
	tool_must "$PATIENCE" migrate --class blk --json --rounds "$rounds" "$@"
	expect rounds "$(report rounds)" -eq "$rounds"
	report_none "${WRONG[@]}"
	expect reads "$(report reads)" -gt 0
	expect writes "$(report writes)" -gt 0
	measured "$rounds rounds, $(report in_flight) requests in flight, half of the depth or more at $(report busy_stops) stops"
}

# With --delay-us, requests of the store are slow enough to be in flight at nearly each stop.
many_in_flight() { expect "stops with 32 requests in flight" $((100 * $(report busy_stops))) -ge $((98 * $(report rounds))); }

case_api_split() { moves 300 --via api --delay-us 3000; }
case_api_packed() { moves 300 --via api --packed --delay-us 3000; }
case_api_4_queues() { moves 100 --via api --packed --queues 4 --depth 16 --indirect; }
case_region_split() { moves 300 --via region --delay-us 3000; many_in_flight; }
case_region_packed() { moves 300 --via region --packed --delay-us 3000; many_in_flight; }
case_region_process() { moves 100 --via region --packed --process; }
case_api_process() { moves 100 --via api --process; }
# Without bit 20 the source completes everything first.
case_base() { moves 100 --via base --packed; expect "requests in flight" "$(report in_flight)" -eq 0; }
case_depth_1() { moves 100 --via region --depth 1 --delay-us 1000; }
case_depth_256() { moves 50 --via api --depth 256 --packed; }
case_threads() { moves 50 --via api --store threads --delay-us 0; }
case_fast() { moves 100 --via region --delay-us 0; }
case_kill_split() { moves 20 --via region --kill; }
case_kill_packed() { moves 20 --via region --kill --packed; }
case_kill_fast() { moves 20 --via region --kill --packed --delay-us 0; }

# A request that is forgotten is found.
found() # OPTION...
{
	tool "$PATIENCE" migrate --class blk --json --rounds 20 --break skip "$@" && fail "not found: $*"
	expect "requests lost" "$(report lost)" -gt 0
}

case_break_api() { found --via api; }
case_break_region() { found --via region --packed; }
case_break_kill() { found --via region --kill; }

# Long runs.
case_many_split() { PATIENCE=600 moves 10000 --via region --delay-us 3000; many_in_flight; }
case_many_packed() { PATIENCE=600 moves 10000 --via region --packed --delay-us 3000; many_in_flight; }
case_many_kills() { PATIENCE=3600 moves 1000 --via region --kill --packed; }

# shellcheck disable=SC2046 # names without blanks
run_cases api-split api-packed api-4-queues region-split region-packed region-process api-process base \
	depth-1 depth-256 threads fast kill-split kill-packed kill-fast break-api break-region break-kill \
	$(soak many-split many-packed many-kills)
