#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The control virtqueue of a network device (cvq=1). The tool's guest changes settings through it
# under load, and the device must have each of them after a move, a kill and an upgrade.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"
# shellcheck source=tests/lib/testpmd.sh
. "$(dirname "$0")/lib/testpmd.sh"

# The settings are the same after each round, and frames flow on all pairs.
settings_survive() # ROUNDS PAIRS OPTION...
{
	tool_must "$PATIENCE" migrate --json --cvq --rounds "$1" --queues "$2" "${@:3}"
	expect rounds "$(report rounds)" -eq "$1"
	expect "comparisons" "$(report settings_compared)" -ge "$1"
	expect virtqueues "$(report virtqueues)" -eq $((2 * $2 + 1))
	report_none duplicated reordered corrupted
	measured "$1 rounds, $2 pairs, $(report frames) frames, $(report lost) lost"
}

moves()
{
	settings_survive "$@"
	report_none lost
}

# A destination that lost a setting is noticed: the tool compares what the device has.
detects_loss()
{
	local rc=0
	tool "$PATIENCE" migrate --json --cvq --rounds 2 --queues 2 --ring split --break settings || rc=$?
	expect "exit status" "$rc" -eq 1
	expect_match error "$(cat "$W/tool.err")" 'are not those that the guest set'
}

# Hostile chains break the control queue only, with split and packed rings.
case_hostile()
{
	eal_options 256
	dut "iface=$W/s,queues=2,cvq=1" "iface=$W/w,queues=2"
	tp_start back "${DUT[@]}" -- --rxq=2 --txq=2 --port-topology=loop
	tp back "set fwd io" >/dev/null
	tp back start >/dev/null
	tool "$PATIENCE" guest --socket "$W/s" --hostile ctrl --witness "$W/w" \
		--back-end-pid "${PID[back]}" || fail "$(grep '^FAIL' "$W/tool.out" | head -n 5 | paste -sd';')"
	expect_match result "$(tail -n 1 "$W/tool.out")" '^24 passed, 0 failed$'
	measured "$(tail -n 1 "$W/tool.out")"
	tp_quit back
}

case_split_file() { moves 20 2 --ring split --any-layout; }
case_packed_device_state() { moves 20 2 --ring packed --any-layout --via device-state; }
case_packed_1_pair() { moves 10 1 --ring packed --via api; }
case_split_process() { moves 10 4 --ring split --via fd --process; }
case_refused_moves() { moves 8 2 --ring packed --fail-every 3; }
case_killed_split() { settings_survive 3 2 --ring split --kill; }
case_killed_packed() { settings_survive 3 2 --ring packed --kill; }
case_upgraded() { moves 4 2 --ring packed --upgrade; }
case_upgraded_reconnect() { moves 4 2 --ring split --upgrade=reconnect; }
case_lost_setting() { detects_loss; }

# shellcheck disable=SC2046 # names without blanks
run_cases split-file packed-device-state packed-1-pair split-process refused-moves killed-split \
	killed-packed upgraded upgraded-reconnect lost-setting $(soak hostile)
