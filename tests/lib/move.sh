# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Runs of "dpdk-test-vdpa migrate". Its guest moves from one device to the next in each round and
# counts every frame. Each function checks the report for one kind of run.

# The run ends without an error after all requested rounds.
run_rounds() # ROUNDS PAIRS OPTION...
{
	tool_must "$PATIENCE" migrate --json --rounds "$1" --queues "$2" "${@:3}"
	expect rounds "$(report rounds)" -eq "$1"
	expect virtqueues "$(report virtqueues)" -eq $((2 * $2))
	# At least one frame of every queue in every round.
	expect frames "$(report frames)" -ge $(($1 * $2))
}

loses_nothing() # ROUNDS PAIRS OPTION...
{
	run_rounds "$@"
	report_none lost duplicated reordered corrupted
	measured "$1 rounds, $((2 * $2)) virtqueues, $(report frames) frames, none lost"
}

# Each device receives the buffers in flight of the previous device and completes exactly those.
finishes() # ROUNDS PAIRS OPTION...
{
	run_rounds "$@"
	report_none lost duplicated corrupted
	expect reordered "$(report reordered)" -eq "$(report overtaken)"
	# Receive buffers are always in flight.
	expect "buffers in flight" "$(report inflight)" -ge $((2 * $1 * $2))
	measured "$1 rounds, $(report inflight) buffers in flight, $(report overtaken) overtaken"
	measured "$(report frames) frames, none lost"
}

# The back end's process is killed under load and a new process continues. Frames of the burst
# under way may be lost. Between two bursts the process holds nothing outside its state file and
# its rings.
survives_kills() # ROUNDS PAIRS OPTION...
{
	run_rounds "$1" "$2" --kill "${@:3}"
	report_none duplicated reordered corrupted
	expect lost "$(report lost)" -le "$(report lost_allowed)"
	expect "most allowed" "$(report lost_allowed)" -eq $((64 * $1 * $2))
	measured "$1 kills, $((2 * $2)) virtqueues, $(report frames) frames, $(report lost) lost"
	measured "gap p50 $(report blackout_us p50) us"
}

# Descriptors, threads and memory of the processes do not grow from move to move. A process has more
# or less of them in each step of a move, so some are allowed: far less than one a move.
RSS_GROWTH_KIB=6144 GROWTH=60
grows_not() # MIN-PROCESSES OPTION...
{
	local processes name begin end word
	/usr/bin/python3 "$VSTATE_ROOT/tests/tools/growth.py" "$1" "$TOOL" migrate "${@:2}" \
		>"$W/growth.out" 2>"$W/growth.err" || fail "$(tail -n 1 "$W/growth.err")"
	measured "$(cat "$W/growth.out"), at the beginning and at the end"
	IFS=';' read -r processes word <"$W/growth.out"
	while read -r name begin end; do
		expect "$name of ${processes}, $begin at the beginning" "$end" -le \
			$((begin + (${#name} == 3 ? RSS_GROWTH_KIB : GROWTH)))
	done < <(tr ';' '\n' <<<"$word" | sed 's/RSS KiB/RSS/')
}
