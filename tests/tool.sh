#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The command line of dpdk-test-vdpa as its user sees it: help, messages, exit statuses, reports that
# cannot be written, reports of a run that is interrupted, the width of tables, completion.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"

COMMANDS='migrate serve guest conformance bench ctl state'

case_version()
{
	tool_must 10 --version
	expect_match "version" "$(cat "$W/tool.out")" '^dpdk-test-vdpa [0-9]+\.[0-9.]+, DPDK [0-9]+\.[0-9]+.*, states of format 1$'
}

# "help COMMAND" and "COMMAND --help" are one text, which fits a terminal.
case_help()
{
	local command
	tool_must 10 --help
	cp "$W/tool.out" "$W/all"
	for command in $COMMANDS; do
		expect_match "help" "$(cat "$W/all")" "^  $command +[a-z]"
		tool_must 10 help "$command"
		cp "$W/tool.out" "$W/help"
		tool_must 10 "$command" --help
		cmp -s "$W/help" "$W/tool.out" || fail "help $command differs from $command --help"
		narrow "$W/help"
	done
	narrow "$W/all"
	refused 2 "unknown command 'nonsense'" help nonsense
}

narrow() # FILE: no line is longer than 80 columns
{
	expect "longest line of $(basename "$1")" "$(wc -L <"$1")" -le 80
}

# refused STATUS TEXT ARGUMENT...: each line on standard error begins with the tool, but for the hint
refused()
{
	local want=$1 text=$2 rc=0
	shift 2
	tool 30 "$@" || rc=$?
	expect "exit status of $*" "$rc" -eq "$want"
	expect_match "$*" "$(head -n 1 "$W/tool.err")" "^dpdk-test-vdpa( [a-z]+)?: .*$text"
	grep -vE '^(dpdk-test-vdpa( [a-z]+)?: |See dpdk-test-vdpa |EAL: )' "$W/tool.err" >"$W/other" &&
		fail "$*: $(head -n 1 "$W/other")"
	return 0
}

# The message names the argument and says what is right.
case_messages()
{
	local command
	for command in $COMMANDS; do
		refused 2 "unrecognized option '--nonsense'" "$command" --nonsense
	done
	refused 2 "unknown command 'extra'" extra
	for command in migrate serve conformance bench; do
		refused 2 "unexpected argument 'extra'" "$command" extra
	done
	refused 2 "unexpected argument 'extra'" bench --class blk extra
	refused 2 "unexpected argument 'extra'" migrate --class blk extra
	refused 2 "unexpected argument 'extra'" guest --class scsi extra
	refused 2 'socket is missing' guest --class scsi
	refused 2 'needs requests in flight' migrate --class scsi --via region --break skip
	refused 2 '--cpu 99: a CPU that this process may use is expected' bench --cpu 99
	refused 2 '--guest-cpu 99: a CPU that this process may use is expected' bench --guest-cpu 99
	refused 2 '--seconds 0: a number of seconds above 0 is expected' bench --seconds 0
	refused 2 'PATH and COMMAND are expected' ctl
	refused 2 "unknown feature 'x'" guest --socket "$W/s" --features x
	refused 1 'No such file' state "$W/none"
	refused 1 'No such file' ctl "$W/none" list
	refused 1 'no item is named S99' conformance --item S99
}

# A wrong EAL option has EAL's reason, not EAL's usage of ninety lines.
case_eal()
{
	refused 1 "unrecognized option '--nonsense'" --eal --nonsense conformance --item S1
	expect "lines on standard error" "$(wc -l <"$W/tool.err")" -le 6
	expect "lines on standard output" "$(wc -l <"$W/tool.out")" -eq 0
	tool_must "$PATIENCE" conformance --item D2
	expect "lines on standard error" "$(wc -l <"$W/tool.err")" -eq 0
}

# A report that cannot be written is an error.
case_full_disk()
{
	local arguments
	echo "this is no state, but long enough for a header of one" >"$W/text"
	while read -r arguments; do
		# shellcheck disable=SC2086  # words
		timeout 30 "$TOOL" $arguments >/dev/full 2>"$W/tool.err" </dev/null
		expect "exit status of $arguments" $? -eq 1
		expect_match "$arguments" "$(cat "$W/tool.err")" 'dpdk-test-vdpa: cannot write.*No space left'
	done <<-LIST
		--help
		--version
		bench --list
		guest --hostile list
		state --json $W/text
	LIST
}

# The file of a report is opened before the work begins.
case_output_first()
{
	refused 1 "$W/none/x: No such file" bench --case loop/split --seconds 60 "--json=$W/none/x"
	expect "lines of the table" "$(wc -l <"$W/tool.out")" -eq 0
	refused 1 "$W/none/x: No such file" bench --socket "a=$W/a" --seconds 60 "--json=$W/none/x"
}

# interrupt REGEX ARGUMENT...: SIGINT when the output has this line; the exit status is 130
interrupt()
{
	local regex=$1
	shift
	bg run "$TOOL" "$@"
	wait_for "$PATIENCE" has run "$regex" || fail "$*: no output"
	kill -INT "${PID[run]}"
	bg_end run "$PATIENCE"
	expect "exit status of $*" $? -eq 130
	mv "$W/run.out" "$W/tool.out"
}

# What was measured until then is reported.
case_interrupted()
{
	interrupt '^loop/split ' bench --case 'loop/*' --seconds 1 "--json=$W/report"
	/usr/bin/python3 - "$W/report" <<-'PYTHON' || fail "the report is not complete"
		import json, sys
		cases = json.load(open(sys.argv[1]))["cases"]
		assert 1 <= len(cases) < 20 and all(c["ok"] for c in cases), cases
	PYTHON
	interrupt '^PASS' conformance
	expect_match "conformance" "$(tail -n 1 "$W/tool.out")" '^[0-9]+ of [0-9]+ passed$'
}

# Without rounds nothing was measured, and there is no row.
case_unmeasured_rows()
{
	tool_must "$PATIENCE" migrate --kill --rounds 2
	expect_match "table" "$(cat "$W/tool.out")" '^blackout '
	! grep -E '^(suspend|capture)' "$W/tool.out" || fail "a row that was not measured"
	narrow "$W/tool.out"
	tool_must "$PATIENCE" migrate --kill --rounds 2 --json
	expect_match "suspend" "$(report suspend_us)" '^None$'
}

case_narrow_tables()
{
	tool_must "$PATIENCE" bench --case 'enqueue/packed-inorder/1500B,idle/split' --seconds 0.05
	narrow "$W/tool.out"
	expect_match "row" "$(cat "$W/tool.out")" '^enqueue/packed-inorder/1500B +[0-9.]+ +[0-9.]+ +[0-9.]+ '
}

# On a terminal a long run shows where it is and how long it takes.
case_progress()
{
	script -qec "exec '$TOOL' bench --case 'loop/split,loop/packed' --seconds 1.2" /dev/null \
		>"$W/tool.out" 2>&1 </dev/null || fail "exit status $?"
	expect_match "progress" "$(tr '\r' '\n' <"$W/tool.out")" '^case 2 of 2: loop/packed, [0-9]+ s left'
}

# A process that was killed leaves its socket, which the next one replaces. Others are kept.
case_stale_socket()
{
	/usr/bin/python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$W/s0"
	[ -S "$W/s0" ] || fail "no socket"
	echo quit | timeout 60 "$TOOL" serve --iface "$W/s" >"$W/tool.out" 2>"$W/tool.err" ||
		fail "serve: exit status $?: $(cat "$W/tool.err")"
	echo text >"$W/s0"
	! echo quit | timeout 60 "$TOOL" serve --iface "$W/s" >"$W/tool.out" 2>"$W/tool.err" ||
		fail "serve: a file was replaced"
	expect_match "serve" "$(cat "$W/tool.err")" 's0 exists already'
	expect_match "file" "$(cat "$W/s0")" '^text$'
}

# completions WORD...: print what the last word may become
completions()
{
	(
		# shellcheck source=app/test-vdpa/dpdk-test-vdpa.bash
		. "$VSTATE_ROOT/app/test-vdpa/dpdk-test-vdpa.bash"
		COMP_WORDS=("$TOOL" "$@")
		# shellcheck disable=SC2034  # bash's completion reads it
		COMP_CWORD=$#
		_dpdk_test_vdpa
		printf '%s ' "${COMPREPLY[@]}"
	)
}

case_completion()
{
	expect_match "command" "$(completions mig)" '^migrate $'
	expect_match "commands" "$(completions '')" 'bench.*ctl.*state'
	expect_match "help" "$(completions help conf)" '^conformance $'
	expect_match "option" "$(completions bench --js)" '^--json $'
	expect_match "socket" "$(cd "$W" && touch sock1 && completions ctl soc)" '^sock1 $'
	expect_match "ctl" "$(completions ctl /run/x re)" '^resume release $'
	expect_match "ctl" "$(completions ctl --device x /run/x sus)" '^suspend $'
	expect_match "file" "$(cd "$W" && touch state1 && completions ctl /run/x load sta)" '^state1 $'
}

run_cases version help messages eal full-disk output-first interrupted unmeasured-rows \
	narrow-tables progress stale-socket completion
