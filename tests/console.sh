#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A console moves between two back ends, or is killed and started again, or taken over, while the
# tool's own driver and a peer at its port send numbered bytes. Planted faults must be found. Then
# drivers that misbehave.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"

# moves ROUNDS OPTION...: no byte is lost, doubled or wrong
moves()
{
	local rounds=$1
	shift
	tool_must "$PATIENCE" migrate --class console --json --rounds "$rounds" "$@"
	expect rounds "$(report rounds)" -eq "$rounds"
	report_none lost doubled wrong foreign
	expect "bytes to the host" "$(report to_host)" -gt 0
	expect "bytes to the guest" "$(report to_guest)" -gt 0
	measured "$rounds rounds, $(report to_host) bytes to the host, $(report to_guest) to the guest"
}

# A buffer is half transferred at some stops, and bytes are read ahead at some.
moves_busy()
{
	moves "$@"
	expect "half transferred buffers" "$(report half)" -gt 0
	expect "bytes read ahead" "$(report ahead_bytes)" -gt 0
	measured "$(report half) half transferred buffers, $(report ahead_bytes) bytes read ahead"
}

upgrades()
{
	moves "$@" --upgrade
	expect "connections kept" "$(report kept)" -eq "$1"
	measured "blackout of the upgrades: $(grep -o '"blackout_us": {[^}]*}' "$W/tool.out")"
}

case_api_split() { moves_busy 100; }
case_api_packed() { moves_busy 100 --packed; }
case_api_process() { moves_busy 60 --process --packed --seed 7; }
case_api_depth_1() { moves 25 --depth 1; }
# Nothing is in flight when the source has returned all buffers.
case_base() { moves 25 --via base; moves 25 --via base --packed; }
case_kill_split() { moves 6 --kill; }
case_kill_packed() { moves 6 --kill --packed; }
case_upgrade_split() { upgrades 2; }
case_upgrade_packed() { upgrades 2 --packed; }

# found FAULT OPTION...: the driver or the peer finds what is wrong
found()
{
	tool "$PATIENCE" migrate --class console --json --rounds 200 --break "$@" && fail "not found: $*"
	expect_match "what was found" "$(cat "$W/tool.out")" '"(lost|doubled|wrong)": [1-9]'
	measured "$1: $(grep -oE '"(lost|doubled|wrong)": [1-9][0-9]*' "$W/tool.out" | paste -sd' ')"
}

case_break_repeat() { found repeat; }
case_break_skip() { found skip --packed; }
case_break_ahead() { found ahead; }

# serving PORTS [OPTION...]: a process that serves a console; options of EAL for more of them
serving()
{
	local fd plugin ports=$1
	shift
	plugin=$(plugin_path) || fail "no plugin to load"
	eal_options 64
	mkfifo "$W/serve.in"
	exec {fd}<>"$W/serve.in"
	nice -n 19 "$TOOL" "${EAL[@]}" -d "$plugin" \
		--vdev "console_vstate0,iface=$W/s,ports=$ports,port0=unix:$W/p0" "$@" -- serve --verbose \
		<"$W/serve.in" >"$W/serve.out" 2>&1 {fd}>&- &
	PID["serve"]=$!
	echo "$!" >>"$W/pids"
	wait_for 20 serving_ready || fail "no socket after 20 s"
	SERVE_FD=$fd
}
serving_ready() { alive serve || fail "serve ended at its start"; [ -S "$W/s" ] && [ -S "$W/p0" ]; }

# The driver and the peer are another process. A console with more ports serves one without MULTIPORT.
case_guest()
{
	local ring
	serving 16
	for ring in split packed; do
		tool_must "$PATIENCE" guest --class console --json --socket "$W/s" --port "$W/p0" --ring "$ring" \
			--seconds 1
		report_none lost doubled wrong foreign
		measured "$ring: $(report to_host) bytes to the host, $(report to_guest) to the guest"
	done
	echo quit >&"$SERVE_FD"
	bg_end serve 10 || fail "serve failed"
	[ ! -e "$W/p0" ] || fail "the socket of the port is left behind"
}

# Drivers that misbehave: the process, a second console and the next driver take no harm.
case_hostile()
{
	serving 2 --vdev "console_vstate1,iface=$W/w,ports=2"
	wait_for 20 test -S "$W/w" || fail "no socket of the second console"
	tool "$PATIENCE" guest --class console --socket "$W/s" --port "$W/p0" --hostile all --witness "$W/w" \
		--back-end-pid "${PID[serve]}" --expect-reset --rss-limit $((64 * (${VSTATE_SANITIZE:-0} * 7 + 1))) ||
		fail "exit status $?: $(grep ^FAIL "$W/tool.out" | head -n 12 | paste -sd';')"
	expect_match "result" "$(tail -n 1 "$W/tool.out")" '^104 passed, 0 failed$'
	measured "$(tail -n 1 "$W/tool.out")"
	echo quit >&"$SERVE_FD"
	bg_end serve 10 || fail "serve failed"
}

# Long runs.
case_many_moves() { PATIENCE=1200 moves_busy 10000 --packed; PATIENCE=1200 moves_busy 10000; }
case_many_kills() { PATIENCE=3600 moves 500 --kill; PATIENCE=3600 moves 500 --kill --packed; }
case_many_upgrades() { PATIENCE=3600 upgrades 100 --packed; }

# shellcheck disable=SC2046 # names without blanks
run_cases guest hostile api-split api-packed api-process api-depth-1 base kill-split kill-packed \
	upgrade-split upgrade-packed break-repeat break-skip break-ahead \
	$(soak many-moves many-kills many-upgrades)
