#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A disk moves between two back ends, or is killed and started again, while requests of the tool's
# own driver are under way. Planted faults must be found. The disk is a virtio-blk device or, in the
# cases with "scsi", a logical unit of a SCSI host.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"
# shellcheck source=tests/lib/serve_lib.sh
. "$(dirname "$0")/lib/serve_lib.sh"

CLASS=blk
WRONG=(lost doubled stale torn misplaced unordered errors)

# moves ROUNDS OPTION...: nothing is lost, doubled or wrong
moves()
{
	local rounds=$1
	shift
	tool_must "$PATIENCE" migrate --class "$CLASS" --json --rounds "$rounds" "$@"
	expect rounds "$(report rounds)" -eq "$rounds"
	report_none "${WRONG[@]}"
	expect reads "$(report reads)" -gt 0
	expect writes "$(report writes)" -gt 0
	measured "$rounds rounds, $(report in_flight) requests in flight, half of the depth or more at $(report busy_stops) stops"
}

zeroes() { expect "blocks made zeros" "$(report zeroes)" -gt 0; }

# With --delay-us, requests of the store are slow enough to be in flight at nearly each stop.
many_in_flight() { expect "stops with 32 requests in flight" $((100 * $(report busy_stops))) -ge $((90 * $(report rounds))); }

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
case_fast() { moves 100 --via region --delay-us 0; zeroes; }
case_kill_split() { moves 20 --via region --kill; }
case_kill_packed() { moves 20 --via region --kill --packed; }
case_kill_fast() { moves 20 --via region --kill --packed --delay-us 0; }

# Another process takes the disk over.
upgrades()
{
	moves "$@" --upgrade
	expect "connections kept" "$(report kept)" -eq "$1"
	measured "blackout of the upgrades: $(grep -o '"blackout_us": {[^}]*}' "$W/tool.out")"
}

case_upgrade_split() { upgrades 3 --via api; }
case_upgrade_packed() { upgrades 3 --via region --packed; }

# found FAULT OPTION...: the driver finds what is wrong. A device may also refuse to go on.
found()
{
	tool "$PATIENCE" migrate --class "$CLASS" --json --rounds 40 --break "$@" && fail "not found: $*"
	expect_match "what the driver found" "$(cat "$W/tool.out")" \
		'"(lost|doubled|stale|torn|misplaced|unordered|errors)": [1-9]'
	measured "$1: $(grep -oE '"failure": "[^"]*"' "$W/tool.out")"
}

case_break_skip() { found skip --via api; found skip --via region --packed; found skip --via region --kill; }
case_break_clear() { found clear --via region; found clear --via region --packed --kill; }
case_break_reverse()
{
	found reverse --via api --delay-us 3000 --rounds 400
	found reverse --via region --packed --delay-us 3000 --rounds 400
}
case_break_twice() { found twice --via region; found twice --via region --packed; }
case_break_nowait() { found nowait --via api; found nowait --via region --packed; }

# A SCSI host. Its device reports each power on, so the driver repeats a command.
scsi() { CLASS=scsi "$@"; }
functions() { expect "functions of the control queue" "$(report functions)" -gt 0; expect resets "$(report resets)" -gt 0; }
repeats() { expect "commands repeated" "$(report repeated)" -ge "$1"; }
case_scsi_api_split() { scsi moves 100 --via api --delay-us 3000; expect "in flight" "$(report in_flight)" -gt 0; }
case_scsi_api_packed() { scsi moves 50 --via api --packed --queues 4 --depth 16 --indirect; functions; }
case_scsi_api_process() { scsi moves 30 --via api --process; }
# No front end carries the region of a SCSI host to another back end: the source completes everything.
case_scsi_base() { scsi moves 50 --via base --packed; expect "in flight" "$(report in_flight)" -eq 0; repeats 50; functions; zeroes; }
case_scsi_region() { scsi moves 50 --via region; expect "in flight" "$(report in_flight)" -eq 0; repeats 50; }
case_scsi_kill_split() { scsi moves 5 --via region --kill; repeats 5; functions; }
case_scsi_kill_packed() { scsi moves 5 --via region --kill --packed; repeats 5; functions; }
case_scsi_upgrade() { scsi upgrades 3 --via region --packed; }
case_scsi_break()
{
	scsi found skip --via api
	scsi found nowait --via api --packed
	scsi found reverse --via api --delay-us 3000 --rounds 400
}

# The driver alone, with disks of another process.
serving() { alive serve || fail "serve ended at its start"; [ -S "$W/blk" ] && [ -S "$W/scsi" ]; }
guest_runs() # CLASS OPTION...
{
	tool_must "$PATIENCE" guest --class "$1" --json --socket "$W/$1" --seconds 1 "${@:2}"
	report_none "${WRONG[@]}"
	measured "$1: $(report reads) reads, $(report writes) writes"
}
case_guest()
{
	local plugin
	plugin=$(plugin_path) || fail "no plugin to load"
	truncate -s 16M "$W/disk" "$W/lun"
	eal_options 64
	serve_exec "${EAL[@]}" -s 0x2 -d "$plugin" --vdev "blk_vstate0,iface=$W/blk,path=$W/disk,queues=2" \
		--vdev "scsi_vstate0,iface=$W/scsi,lun0=$W/lun,queues=2" -- serve
	wait_for 20 serving || fail "no socket after 20 s"
	guest_runs blk --queues 2
	guest_runs blk --reads --no-status
	expect "writes of a driver that only reads" "$(report writes)" -eq 0
	guest_runs scsi --queues 2
	guest_runs scsi --ring packed --indirect
	expect "functions of the control queue" "$(report functions)" -gt 0
	tool 20 guest --class blk --socket "$W/scsi" --seconds 1 && fail "a blk driver runs with a SCSI host"
	expect_match "why not" "$(cat "$W/tool.err")" 'the back end lacks protocol features'
	tool 20 guest --class scsi --socket "$W/scsi" --queues 3 && fail "more queues than the host has"
	expect_match "why not" "$(cat "$W/tool.err")" 'the back end has 4 queues'
	serve_quit
}

# Long runs.
case_many_split() { PATIENCE=600 moves 10000 --via region --delay-us 3000; many_in_flight; }
case_many_packed() { PATIENCE=600 moves 10000 --via region --packed --delay-us 3000; many_in_flight; }
case_many_kills() { PATIENCE=3600 moves 1000 --via region --kill --packed; }
case_many_upgrades() { PATIENCE=3600 upgrades 200 --via region --packed --delay-us 3000; }
case_scsi_many() { PATIENCE=600 scsi moves 10000 --via api --packed --delay-us 3000; }
case_scsi_many_kills() { PATIENCE=3600 scsi moves 1000 --via region --kill; }

# shellcheck disable=SC2046 # names without blanks
run_cases guest api-split api-packed api-4-queues region-split region-packed region-process api-process base \
	depth-1 depth-256 threads fast kill-split kill-packed kill-fast upgrade-split upgrade-packed \
	break-skip break-clear break-reverse break-twice break-nowait \
	scsi-api-split scsi-api-packed scsi-api-process scsi-base scsi-region scsi-kill-split scsi-kill-packed \
	scsi-upgrade scsi-break \
	$(soak many-split many-packed many-kills many-upgrades scsi-many scsi-many-kills)
