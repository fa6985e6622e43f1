# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# testpmd processes that a test talks to: start, command, counters.

declare -A TP_FD
# Command that each testpmd is run by, as to be in a network namespace.
TP_WRAP=()

# Option of a testpmd whose ports take frames of several mbufs. net_vhost needs none, and its
# port would be refused with it.
SCATTER=()
[ "$VSTATE_VDEV" = net_vhost ] || SCATTER=(--enable-scatter)

# tp_start NAME EAL-OPTION... -- TESTPMD-OPTION...: up to its prompt
tp_start()
{
	tp_launch "$@"
	wait_for 60 tp_ready "$1" || fail "$1: testpmd does not start"
}

tp_launch()
{
	local name=$1 eal=() fd
	shift
	while [ "$1" != -- ]; do
		eal+=("$1")
		shift
	done
	shift
	rm -f "$W/$name.in"
	mkfifo "$W/$name.in"
	# Open for both, so that neither side waits for the other.
	exec {fd}<>"$W/$name.in"
	TP_FD[$name]=$fd
	: >"$W/$name.out"
	tp_exec "$name" "${TP_WRAP[@]}" dpdk-testpmd "${EAL[@]}" "${eal[@]}" -- -i --no-mlockall \
		--total-num-mbufs=16384 "$@"
}

tp_exec()
{
	local name=$1 fd=${TP_FD[$1]}
	shift
	case " $* " in
	*" -d "*) sanitizer_environment ;;
	*) SANITIZER=() ;;
	esac
	nice -n 19 env "${SANITIZER[@]}" stdbuf -o0 "$@" <"$W/$name.in" >>"$W/$name.out" 2>&1 {fd}>&- &
	PID["$name"]=$!
	echo "$!" >>"$W/pids"
}

# What other threads of it log may stand behind the prompt, or in it, as it is written byte by byte.
without_logs() { sed -E 's/(VHOST_CONFIG|VHOST_DATA|EAL|ETHDEV|TAP|vstate): .*//; /^Port [0-9]+: link state/d' | tr -d '\n'; }

tp_ready()
{
	alive "$1" || fail "$1: testpmd ended at its start"
	without_logs <"$W/$1.out" | grep -q 'testpmd> '
}

# tp NAME COMMAND: run it, print what it printed.
tp()
{
	local name=$1 at
	at=$(stat -c %s "$W/$name.out")
	printf '%s\n' "$2" >&"${TP_FD[$name]}"
	wait_for "${3:-10}" tp_done "$name" "$at" || fail "$name: no answer to '$2'"
	tail -c +$((at + 1)) "$W/$name.out" | sed '$d'
}

tp_done() # NAME OFFSET: the prompt is back after the echoed command
{
	alive "$1" || fail "$1: testpmd died"
	tail -c +$(($2 + 1)) "$W/$1.out" | tail -n +2 | without_logs | grep -q 'testpmd> '
}

# A counter of port 0 (or $3): RX-packets, TX-packets, RX-bytes ...
tp_stat()
{
	tp "$1" "show port stats ${3:-0}" | grep -oE "$2: *[0-9]+" | head -n 1 | grep -oE '[0-9]+$'
}

tp_xstat() # NAME REGEX [PORT]
{
	tp "$1" "show port xstats ${3:-0}" | sed -nE "s/^($2): *//p" | head -n 1
}

tp_cleared()
{
	tp "$1" "clear port stats all" >/dev/null
	[ "$(tp_stat "$1" RX-packets)" = 0 ] && [ "$(tp_stat "$1" TX-packets)" = 0 ]
}

# Counters begin anew, of ports that no frame passes. Where a poll thread just adds nothing to
# one, it writes the old number back: then once more.
tp_clear() # NAME...
{
	local name
	for name; do
		wait_for 5 tp_cleared "$name" || fail "$name: the counters are not cleared"
	done
}

tp_received_more() { [ "$(tp_stat "$1" RX-packets)" -gt "$2" ]; } # NAME THAN

# Nothing arrives for a while.
tp_at_rest() # NAME
{
	local before
	before=$(tp_stat "$1" RX-packets)
	sleep 0.3
	[ "$(tp_stat "$1" RX-packets)" = "$before" ]
}

forward() { tp "$1" stop >/dev/null; tp "$1" "set fwd $2" >/dev/null; tp "$1" start >/dev/null; } # NAME MODE

tp_link_is_up() { tp "$1" "show port summary ${2:-0}" | grep -qw up; }

# The port's link, seen by testpmd, comes up: the other side is there.
tp_link_up() { wait_for 15 tp_link_is_up "$1" "${2:-0}" || fail "$1: link does not come up"; }

tp_quit() # NAME
{
	printf 'stop\nquit\n' >&"${TP_FD[$1]}"
	bg_end "$1" 15 || fail "$1: testpmd's exit status is $?"
	tp_close "$1"
}

tp_close()
{
	local fd=${TP_FD[$1]}
	exec {fd}>&-
}

# Both counters come to rest at the same value.
tp_agree() # SENDER FIELD RECEIVER FIELD [RECEIVER-PORT]
{
	TP_SENT=$(tp_stat "$1" "$2")
	TP_GOT=$(tp_stat "$3" "$4" "${5:-0}")
	[ -n "$TP_SENT" ] && [ "$TP_SENT" = "$TP_GOT" ]
}
