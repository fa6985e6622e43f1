# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Shared by all scenario tests. A scenario sources this file, or a file that sources it, defines
# a function for each case, and ends in:
#
#	run_cases NAME...
#
# Each case runs in a subshell with a work directory $W and leaves nothing
# behind: processes that it started with bg are ended by their pids. It prints one line:
#
#	PASS scenario/case (seconds): measurements
#	FAIL scenario/case (seconds): reason
#	SKIP scenario/case: reason
#
# A scenario takes names of cases as arguments, or --list. Its exit status is 1 if a case
# failed, 77 if all cases were skipped, and 0 otherwise.
#
#	VSTATE_BUILD	build tree (default: build)
#	VSTATE_VDEV	prefix of the device under test (default: net_vstate). With net_vhost
#			no plugin is loaded, and a failure is a fault of the test.
#	SOAK=1		run the long cases too
#	KEEP=1		keep the work directories and print their paths

set -u
SCENARIO=$(basename "$0" .sh)
# shellcheck source=devtools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../devtools/lib.sh"
VSTATE_BUILD=${VSTATE_BUILD:-$VSTATE_ROOT/build}
VSTATE_VDEV=${VSTATE_VDEV:-net_vstate}
TOOL=$VSTATE_BUILD/app/dpdk-test-vdpa

# ---- results ----

fail()
{
	# fail may run in a $(...) inside a case: only the first reason is kept.
	[ -e "$W/why" ] || { printf '%s\n' "$*" >"$W/why"; tail_outputs >"$W/tails"; }
	exit 1
}

tail_outputs()
{
	local out
	for out in "$W"/*.out "$W"/*.err; do
		[ -s "$out" ] || continue
		echo "--- $(basename "$out")"
		tail -n "${FAIL_LINES:-25}" "$out"
		echo
	done
}

skip() { printf '%s\n' "$*" >"$W/why"; exit 77; }
measured() { printf '%s\n' "$*" >>"$W/measured"; }

# expect TEXT A OP B: compare two numbers; fail and print both if the comparison is false.
expect()
{
	test "$2" "$3" "$4" 2>/dev/null || fail "$1: '$2' $3 '$4' does not hold"
}

expect_match() # TEXT STRING REGEX
{
	grep -qE -- "$3" <<<"$2" || fail "$1: no match for '$3' in: $2"
}

# wait_for SECONDS COMMAND...: repeat the command until it succeeds.
wait_for()
{
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.03
	done
}

# ---- processes ----

declare -A PID

# bg NAME COMMAND...: start the command in the background, with its output in $W/NAME.out.
bg()
{
	local name=$1
	shift
	"$@" >>"$W/$name.out" 2>&1 &
	PID[$name]=$!
	echo "$!" >>"$W/pids"
}

alive() { kill -0 "${PID[$1]}" 2>/dev/null; }
ended() { ! alive "$1"; }
has() { grep -qE -- "$2" "$W/$1.out" 2>/dev/null; } # NAME REGEX

# bg_end NAME [SECONDS]: wait until the process ends; return its exit status.
bg_end()
{
	wait_for "${2:-10}" ended "$1" || { kill -9 "${PID[$1]}" 2>/dev/null; fail "$1 did not end in ${2:-10} s"; }
	wait "${PID[$1]}"
}

bg_kill() # NAME: send SIGKILL, to simulate a crash
{
	kill -9 "${PID[$1]}" 2>/dev/null
	wait "${PID[$1]}" 2>/dev/null
	return 0
}

signal_all() # SIGNAL: to each process that the case started and that still runs
{
	local pid some=1
	while read -r pid; do
		kill "$1" "$pid" 2>/dev/null && some=0
	done <"$W/pids"
	return $some
}

none_left() { ! signal_all -0; }

cleanup()
{
	[ -e "$W/pids" ] || return 0
	signal_all -TERM
	wait_for 2 none_left || signal_all -KILL
}

case_cleanup()
{
	local rc=$?
	if [ $rc -ne 0 ] && declare -F known_fault >/dev/null; then known_fault >"$W/known"; fi
	cleanup
	[ ! -e "$W/plugins" ] || xargs -r rm -rf <"$W/plugins"
	if declare -F after_case >/dev/null; then after_case; fi
}

# ---- DPDK ----

# Print a path of the plugin that EAL accepts. EAL refuses a plugin below a world-writable
# directory, so a plugin in such a build tree is copied to a private directory.
plugin_path()
{
	local so=$VSTATE_BUILD/drivers/librte_vdpa_vstate.so dir
	[ -e "$so" ] || { echo "no plugin $so: run ninja first" >&2; return 1; }
	if path_is_private "$(readlink -f "$so")"; then
		readlink -f "$so"
		return 0
	fi
	for dir in "$VSTATE_CACHE" "${XDG_RUNTIME_DIR:-}" /run /var/lib; do
		plugin_copy "$so" "$dir" && return 0
	done
	echo "no private directory to load the plugin from: set VSTATE_CACHE to one" >&2
	return 1
}

# Copy the plugin and its library below DIR, laid out as in a build tree, until the case ends.
plugin_copy() # PLUGIN DIR
{
	local dir=$2
	if [ -z "$dir" ] || [ ! -w "$dir" ] || ! path_is_private "$(readlink -f "$dir")/x"; then
		return 1
	fi
	dir=$(mktemp -d "$dir/plugin.XXXXXX") || return 1
	echo "$dir" >>"$W/plugins"
	mkdir "$dir/drivers" "$dir/lib" &&
		cp "$1" "$dir/drivers/" &&
		find "$VSTATE_BUILD/lib" -maxdepth 1 -name 'librte_vhost_state.so*' ! -type d \
			-exec cp -d -t "$dir/lib/" {} + &&
		echo "$dir/drivers/$(basename "$1")"
}

path_is_private() # FILE: true if no directory above it is world-writable
{
	local dir=$1
	while [ "$dir" != / ]; do
		dir=$(dirname "$dir")
		[ "$(($(stat -c 0%a "$dir") & 2))" -eq 0 ] || return 1
	done
}

# Set SANITIZER to the environment of an installed program that loads the plugin. A plugin
# with AddressSanitizer needs the sanitizer's runtime loaded first. Leak detection is off,
# because installed DPDK libraries do not free everything at exit.
sanitizer_environment()
{
	SANITIZER=()
	[ -n "${VSTATE_SANITIZE:-}" ] || return 0
	SANITIZER=("LD_PRELOAD=$(gcc -print-file-name=libasan.so)" ASAN_OPTIONS=detect_leaks=0)
}

# Set EAL to the options of every process: no hugepages, no PCI, no files left behind. Poll
# threads are not pinned and have a low priority, so that a small machine stays usable. With
# TELEMETRY=yes the process serves telemetry below RUNTIME_DIRECTORY (tests/tools/telemetry.py).
eal_options() # MEMORY_MIB
{
	EAL=(--lcores '0@0-1,1@0-1' --no-huge -m "$1" --no-pci --no-shconf)
	[ -n "${TELEMETRY:-}" ] || EAL+=(--no-telemetry)
	[ "$(nproc)" -gt 1 ] || EAL[1]='0@0,1@0'
}

# Set DUT to the EAL options that create the device under test.
dut() # VDEV-ARGUMENTS...
{
	local i=0 args plugin
	DUT=()
	if [ "$VSTATE_VDEV" = net_vstate ]; then
		plugin=$(plugin_path) || fail "no plugin to load"
		DUT=(-d "$plugin")
	fi
	for args in "$@"; do
		DUT+=(--vdev "$VSTATE_VDEV$i,$args")
		i=$((i + 1))
	done
}

# tool SECONDS ARGUMENT...: run the tool with its report in $W/tool.out, its errors in $W/tool.err.
tool()
{
	local limit=$1
	shift
	[ -x "$TOOL" ] || fail "no $TOOL: run ninja first"
	timeout -k 5 "$limit" "$TOOL" "$@" >"$W/tool.out" 2>"$W/tool.err" </dev/null
}

# tool_must SECONDS ARGUMENT...: run the tool; the case fails if the tool fails.
tool_must()
{
	tool "$@" || fail "${*:2}: exit status $?: $(tail -n 3 "$W/tool.err" | paste -sd' ')"
}

# Seconds that a run of the tool may take. A sanitized build is several times slower.
PATIENCE=$((120 * (${VSTATE_SANITIZE:-0} * 3 + 1)))

# report KEY...: print the value at this path of keys in the report of the tool.
report() { json "$W/tool.out" "$@"; }

# report_none KEY...: each of these counts in the report must be 0.
report_none()
{
	local key
	for key; do
		expect "$key" "$(report "$key")" -eq 0
	done
}

# json FILE KEY...: print the value at this path of keys, or nothing if there is none. It runs
# at a low priority for the same reason as qmp() in migration.sh.
json()
{
	nice -n 19 /usr/bin/python3 -c 'import json, sys
value = json.load(open(sys.argv[1]))
for key in sys.argv[2:]:
    value = value[int(key) if isinstance(value, list) else key]
print(value)' "$@" 2>/dev/null
}

# ---- the cases ----

# Attempts at a case that depends on software with a known, occasional fault. A scenario
# defines known_fault, which runs in the case's subshell and work directory after a failure. If
# it prints the name of a known fault, the case is tried again and its result names the fault.
ATTEMPTS=1

run_case()
{
	local attempt rc KNOWN='' after=''
	for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
		attempt_case "$1" "$attempt" "$after"
		rc=$?
		[ -n "$KNOWN" ] || return $rc
		after="attempt $((attempt + 1)), after: $KNOWN"
	done
}

# attempt_case NAME NUMBER AFTER: sets KNOWN if another attempt must follow.
attempt_case()
{
	local name=$1 rc=0 begin=$SECONDS line said
	W=$(mktemp -d "${TMPDIR:-/tmp}/vstate-test.XXXXXX") || exit 1
	# Function names have no dashes.
	( trap case_cleanup EXIT; trap 'exit 143' TERM INT; "case_${name//[-.]/_}" ) || rc=$?
	line="$SCENARIO/$name ($((SECONDS - begin)) s): ${3:+$3; }"
	KNOWN=
	if [ $rc -ne 0 ] && [ $rc -ne 77 ] && [ "$2" -lt "$ATTEMPTS" ]; then
		KNOWN=$(cat "$W/known" 2>/dev/null)
	fi
	said=$(cat "$W/why" 2>/dev/null || echo "exit status $rc")
	case $rc in
	0) echo "PASS $line$(paste -sd';' "$W/measured" 2>/dev/null | sed 's/;/; /g')" ;;
	77) echo "SKIP $SCENARIO/$name: $said" ;;
	*) [ -z "$KNOWN" ] || printf 'attempt %s of ' "$2"
	   echo "FAIL $line$said"
	   { cat "$W/tails" 2>/dev/null || tail_outputs; } | sed 's/^/    /' ;;
	esac
	if [ -n "${KEEP:-}" ]; then echo "     kept $W"; else rm -rf "$W"; fi
	return $rc
}

CASES=("$@")

# soak NAME...: print the names if SOAK is set or if cases are given by name.
soak()
{
	case ${CASES[0]:---list} in
	--list) [ -z "${SOAK:-}" ] || printf '%s\n' "$@" ;;
	*) printf '%s\n' "$@" ;;
	esac
}

run_cases()
{
	local name failed=0 other=0
	if [ "${CASES[0]:-}" = --list ]; then
		[ $# -eq 0 ] || printf '%s\n' "$@"
		exit 0
	fi
	[ ${#CASES[@]} -gt 0 ] || CASES=("$@")
	for name in "${CASES[@]}"; do
		run_case "$name"
		case $? in
		0) other=$((other + 1)) ;;
		77) ;;
		*) failed=$((failed + 1)) ;;
		esac
	done
	[ $failed -eq 0 ] || exit 1
	[ $other -gt 0 ] || exit 77
	exit 0
}
