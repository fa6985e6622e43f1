#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Trace points of the driver, read with babeltrace2: the messages of a front end, the operations of a
# move, a message that is refused and a queue that a guest breaks.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"
# shellcheck source=tests/lib/serve_lib.sh
. "$VSTATE_ROOT/tests/lib/serve_lib.sh"

TRACE=pmd.vdpa.vstate

# events NAME [REGEX]: number of events of this name whose fields match.
events() { grep -E "$TRACE\.$1: " "$W/trace" | grep -cE -- "${2:-}"; }

trace_read()
{
	babeltrace2 "$W"/traces/* >"$W/trace" 2>"$W/trace.err" || fail "babeltrace2: $(tail -n 1 "$W/trace.err")"
}

case_move()
{
	tool_must "$PATIENCE" --eal "--trace=$TRACE.* --trace-dir=$W/traces" migrate --rounds 3
	trace_read
	for what in suspend capture restore; do
		expect "$what" "$(events operation "operation = \"$what\", duration_ns = 0x[1-9A-F]")" -eq 3
	done
	# one device at the start, and each round at the other device
	expect "SET_MEM_TABLE with descriptors" \
		"$(events message 'name = "SET_MEM_TABLE".*nb_fds = 0x[1-9]')" -eq 4
	expect "refused messages" "$(events message.refused)" -eq 0
	expect "a device runs" "$(events blocks 'new_blocks = 0x0 ')" -ge 4
	measured "$(wc -l <"$W/trace") events"
}

case_broken()
{
	eal_options 256
	serve_start -s 0x2 "${EAL[@]}" "--trace=$TRACE.*" "--trace-dir=$W/traces" -- --queues 2
	tool_must "$PATIENCE" guest --socket "$W/s0" --hostile tx-loop,kick-index-255
	serve_quit
	trace_read
	expect "broken queues" "$(events fault 'queue = 0x1, reason = "chain_length"')" -ge 1
	expect "refused messages" "$(events message.refused 'name = "SET_VRING_KICK"')" -ge 1
	measured "$(events message.refused) messages refused, $(events fault) queues broken"
}

run_cases move broken
