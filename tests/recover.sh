#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A back end is killed under load many times, and a new one resumes from the state file or from
# the in-flight region. Buffers that another device had in flight are completed.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"
# shellcheck source=tests/lib/move.sh
. "$(dirname "$0")/lib/move.sh"

finished() # OPTION...
{
	measured "$*"
	finishes 20 4 --inflight 30 "$@"
}

carried() # RING
{
	finished --ring "$1" --via file
	finished --ring "$1" --via device-state --overtake
	finished --ring "$1" --via status --any-layout --overtake
	finished --ring "$1" --via inflight
}

# migrate.sh has the short runs.
case_kill_any_layout() { survives_kills 3 2 --ring packed --any-layout --frames 64-9000; }
case_kill_odd_ring() { survives_kills 3 1 --ring packed --size 100; }
case_kill_16_queues() { survives_kills 2 16 --ring packed; }
case_kill_region_split() { survives_kills 3 2 --ring split --via inflight; }
case_kill_region_packed() { survives_kills 3 2 --ring packed --via inflight; }
case_kill_often() { survives_kills 200 4 --ring packed --frames 64-9000; }
case_inflight_split() { carried split; }
case_inflight_packed() { carried packed; }

# shellcheck disable=SC2046
run_cases kill-any-layout kill-odd-ring kill-16-queues kill-region-split kill-region-packed \
	inflight-split inflight-packed $(soak kill-often)
