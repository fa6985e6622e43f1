#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A back end is killed under load, again and again, and a new one goes on by the state page
# or by the in-flight region; and what another device had in flight is finished.

# shellcheck source=tests/harness.sh
. "$(dirname "$0")/harness.sh"

PATIENCE=$((120 * (${VSTATE_SANITIZE:-0} * 3 + 1)))

migrate() { tool "$PATIENCE" migrate --json "$@"; }
report() { json "$W/tool.out" "$@"; }

# Nothing lost but a burst a queue and kill, nothing twice.
killed() # ROUNDS PAIRS OPTION...
{
	local key rounds=$1 pairs=$2
	shift 2
	migrate --kill --rounds "$rounds" --queues "$pairs" "$@" ||
		fail "exit status $?: $(tail -n 3 "$W/tool.err" | paste -sd' ')"
	for key in duplicated reordered corrupted; do
		expect "$key" "$(report "$key")" -eq 0
	done
	expect rounds "$(report rounds)" -eq "$rounds"
	expect lost "$(report lost)" -le "$(report lost_allowed)"
	expect frames "$(report frames)" -ge $((rounds * pairs))
	measured "killed $rounds times, $((2 * pairs)) virtqueues, $(report frames) frames, lost $(report lost)"
}

# Exactly those that were in flight are used first.
finished() # OPTION...
{
	migrate --rounds 20 --queues 4 --inflight 30 "$@" ||
		fail "exit status $?: $(tail -n 3 "$W/tool.err" | paste -sd' ')"
	expect lost "$(report lost)" -eq 0
	expect duplicated "$(report duplicated)" -eq 0
	expect "buffers in flight" "$(report inflight)" -gt 100
	measured "$*: $(report inflight) buffers in flight in 20 moves, none lost"
}

carried() # RING
{
	finished --ring "$1" --via file
	finished --ring "$1" --via device-state --overtake
	finished --ring "$1" --via status --any-layout --overtake
	finished --ring "$1" --via inflight
}

# The short runs are in migrate.sh.
case_kill_any_layout() { killed 3 2 --ring packed --any-layout --frames 64-9000; }
case_kill_odd_ring() { killed 3 1 --ring packed --size 100; }
case_kill_16_queues() { killed 2 16 --ring packed; }
case_kill_region_split() { killed 3 2 --ring split --via inflight; }
case_kill_region_packed() { killed 3 2 --ring packed --via inflight; }
case_kill_often() { killed 200 4 --ring packed --frames 64-9000; }
case_inflight_split() { carried split; }
case_inflight_packed() { carried packed; }

# shellcheck disable=SC2046
run_cases kill-any-layout kill-odd-ring kill-16-queues kill-region-split kill-region-packed \
	inflight-split inflight-packed $(soak kill-often)
