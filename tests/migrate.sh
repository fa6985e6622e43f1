#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# State moves from device to device: with each kind of ring, numbers of queues and frame lengths,
# in one process or two, with a net and a vDPA front end. Captures that are altered on purpose
# must be detected.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"
# shellcheck source=tests/lib/move.sh
. "$(dirname "$0")/lib/move.sh"

# As loses_nothing, and report the times.
moves() # ROUNDS PAIRS OPTION...
{
	loses_nothing "$@"
	measured "suspend p99 $(report suspend_us p99) us, blackout p99 $(report blackout_us p99) us"
}

# One carrier with split and packed rings, and with the largest device.
carries() # CARRIER
{
	moves 30 2 --ring split --via "$1"
	moves 30 2 --ring packed --via "$1"
	moves 4 64 --ring packed --via "$1"
}

# Every third move fails, and the source continues: nothing is lost or duplicated.
survives() # OPTION...
{
	moves 12 2 --fail-every 3 "$@"
	expect "failed moves" "$(report failed_moves)" -ge 5
}

# Frames on different queues depend on each other; each captured state must be one instant.
instant() # RING PAIRS CARRIER
{
	moves 40 "$2" --ring "$1" --via "$3" --causal
	expect "causal states" "$(report causal_states)" -eq 40
}

# An altered capture ends in exit status 1, and the errors name what was detected.
detects() # KIND RING OPTION...
{
	local rc=0
	tool "$PATIENCE" migrate --json --rounds 3 --queues 1 --break "$1" --ring "${@:2}" || rc=$?
	expect "exit status" "$rc" -eq 1
	expect_match "verdict" "$(cat "$W/tool.err")" 'detected|refuse'
	! grep -q 'NOT DETECTED' "$W/tool.err" || fail "the altered capture was not detected"
	measured "$(grep -vi 'on purpose' "$W/tool.err" | head -n 1 | sed 's/^dpdk-test-vdpa: //')"
}

case_growth() { grows_not 9 --rounds $((${SOAK:-0} ? 3000 : 1000)) --queues 2; }
case_growth_process() { grows_not 9 --rounds $((${SOAK:-0} ? 3000 : 1000)) --queues 2 --process; }
case_split_1_queue() { moves 1000 1 --ring split; }
case_packed_1_queue() { moves 1000 1 --ring packed; }
case_split_16_queues() { moves 300 16 --ring split; }
case_packed_16_queues() { moves 300 16 --ring packed; }
case_often_split_16_queues() { moves 1000 16 --ring split; }
case_often_packed_16_queues() { moves 1000 16 --ring packed; }
case_split_64_queues() { moves 50 64 --ring split; }
case_packed_64_queues() { moves 50 64 --ring packed; }
case_split_64_bytes() { moves 200 2 --ring split --frames 64; }
case_packed_1500_bytes() { moves 200 2 --ring packed --frames 1500; }
case_split_jumbo() { moves 200 2 --ring split --frames 1500-9000; }
case_packed_jumbo() { moves 200 2 --ring packed --frames 1500-9000; }
case_split_any_layout() { moves 200 2 --ring split --any-layout --frames 64-9000; }
case_packed_any_layout() { moves 200 2 --ring packed --any-layout --frames 64-9000; }
case_split_small_ring() { moves 200 1 --ring split --size 8; }
case_packed_odd_ring() { moves 200 1 --ring packed --size 100; }
case_split_large_ring() { moves 50 1 --ring split --size 32768; }
case_packed_large_ring() { moves 50 1 --ring packed --size 32768; }
case_split_process() { moves 200 2 --ring split --process; }
case_packed_process() { moves 200 2 --ring packed --process; }
case_split_process_16_queues() { moves 100 16 --ring split --process; }
case_packed_process_16_queues() { moves 100 16 --ring packed --process; }
case_split_vdpa() { moves 200 2 --ring split --frontend vdpa; }
case_packed_vdpa() { moves 200 2 --ring packed --frontend vdpa; }
case_via_api() { carries api; }
case_via_fd() { carries fd; }
case_via_status() { carries status; }
case_via_device_state() { carries device-state; }
case_via_vring_base() { carries vring-base; }
case_via_device_state_process() { moves 20 2 --ring packed --via device-state --process; }
case_refused_move_split() { survives --ring split; }
case_refused_move_packed() { survives --ring packed --via status; }
case_refused_move_device_state() { survives --ring packed --via device-state; }
case_killed_destination() { survives --ring packed --process; }
case_instant_split() { instant split 8 file; }
case_instant_packed() { instant packed 8 device-state; }
case_plain_split() { moves 100 4 --ring split --frontend plain; }
case_plain_packed() { survives --ring packed --frontend plain --process; }
case_plain_vring_base() { moves 30 2 --ring packed --frontend plain --via vring-base; }
case_broken_device_state() { detects index split --via device-state; }
case_broken_index_split() { detects index split; }
case_broken_index_packed() { detects index packed; }
case_broken_used_index_split() { detects used-index split; }
case_broken_used_index_packed() { detects used-index packed; }
case_broken_wrap_packed() { detects wrap packed; }
case_dropped_frame_split() { detects drop split; }
case_dropped_frame_packed() { detects drop packed; }
case_refused_index_split() { detects raw-index split; }
case_refused_used_index_packed() { detects raw-used-index packed; }
case_refused_wrap_packed() { detects raw-wrap packed; }

case_via_inflight_split() { moves 30 2 --ring split --frontend plain --via inflight; }
case_via_inflight_packed() { moves 30 2 --ring packed --frontend plain --via inflight; }
case_inflight_split() { finishes 30 2 --ring split --inflight 40 --overtake --any-layout; }
case_inflight_packed() { finishes 30 2 --ring packed --inflight 40 --overtake --any-layout; }
case_inflight_full_ring() { finishes 20 1 --ring packed --size 100 --inflight 32768 --overtake; }
case_inflight_device_state()
{
	finishes 10 2 --ring packed --inflight 64 --overtake --via device-state --process
}
case_inflight_region() { finishes 30 2 --ring split --inflight 40 --via inflight; }
case_inflight_region_packed() { finishes 30 2 --ring packed --inflight 40 --via inflight; }
case_inflight_in_order() { finishes 30 2 --ring packed --inflight 40 --features in-order,mrg; }
case_inflight_64_queues() { finishes 10 64 --ring packed --inflight 40 --overtake; }
case_inflight_large_ring() { finishes 5 1 --ring split --size 32768 --inflight 32768 --overtake; }
case_inflight_refused_move() { finishes 20 2 --ring packed --inflight 40 --fail-every 3; }
case_broken_inflight_order() { detects inflight-order split --inflight 8; }
case_killed_region() { survives_kills 1 2 --ring packed --via inflight; }
case_killed_split() { survives_kills 1 2 --ring split; }
case_killed_packed() { survives_kills 2 2 --ring packed; }
case_killed_vdpa() { survives_kills 1 2 --ring packed --frontend vdpa; }
case_killed_often() { survives_kills 100 4 --ring packed --any-layout --frames 64-9000; }
case_killed_often_split() { survives_kills 100 4 --ring split --any-layout --frames 64-9000; }
case_broken_page() { detects page packed --kill; }

# shellcheck disable=SC2046 # names without spaces
run_cases growth growth-process split-1-queue packed-1-queue split-16-queues packed-16-queues split-64-queues \
	packed-64-queues split-64-bytes packed-1500-bytes split-jumbo packed-jumbo split-any-layout \
	packed-any-layout split-small-ring packed-odd-ring split-large-ring packed-large-ring \
	split-process packed-process split-process-16-queues packed-process-16-queues split-vdpa \
	packed-vdpa via-api via-fd via-status via-device-state via-vring-base \
	via-device-state-process refused-move-split refused-move-packed refused-move-device-state \
	killed-destination instant-split instant-packed plain-split plain-packed \
	plain-vring-base broken-device-state broken-index-split broken-index-packed broken-used-index-split \
	broken-used-index-packed broken-wrap-packed dropped-frame-split dropped-frame-packed \
	refused-index-split refused-used-index-packed refused-wrap-packed via-inflight-split \
	via-inflight-packed inflight-split inflight-packed inflight-full-ring inflight-region \
	broken-inflight-order killed-packed killed-region broken-page \
	$(soak often-split-16-queues often-packed-16-queues inflight-device-state \
		inflight-region-packed inflight-in-order inflight-64-queues \
		inflight-large-ring inflight-refused-move killed-split killed-vdpa killed-often \
		killed-often-split)
