# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# testpmd processes that a scenario controls: start, commands, counters.

declare -A TP_FD
# Command that runs each testpmd, for example in a network namespace.
TP_WRAP=()

# Option of a testpmd whose ports take frames of several mbufs. net_vhost needs none, and its
# port would be refused with it.
SCATTER=()
[ "$VSTATE_VDEV" = net_vhost ] || SCATTER=(--enable-scatter)

# Options of a testpmd whose ports take frames that are to be segmented, and are created with tso=1.
LRO=()
[ "$VSTATE_VDEV" = net_vhost ] || LRO=(--enable-lro --max-lro-pkt-size=65549)

# tp_start NAME EAL-OPTION... -- TESTPMD-OPTION...: start it and wait for its prompt
tp_start()
{
	tp_launch "$@"
	wait_for 60 tp_ready "$1" || fail "$1: testpmd did not start"
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
	# Opened for reading and writing, so that neither side waits for the other.
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

# testpmd writes its prompt byte by byte, so a log line of another thread may stand behind the
# prompt or inside it.
without_logs() { sed -E 's/(VHOST_CONFIG|VHOST_DATA|EAL|ETHDEV|TAP|vstate): .*//; /^Port [0-9]+: (link|queue) state/d' | tr -d '\n'; }

tp_ready()
{
	alive "$1" || fail "$1: testpmd ended at its start"
	without_logs <"$W/$1.out" | grep -q 'testpmd> '
}

# tp NAME COMMAND: run the command and print its output.
tp()
{
	local name=$1 at
	at=$(stat -c %s "$W/$name.out")
	printf '%s\n' "$2" >&"${TP_FD[$name]}"
	wait_for "${3:-10}" tp_done "$name" "$at" || fail "$name: no answer to '$2'"
	tail -c +$((at + 1)) "$W/$name.out" | sed '$d'
}

tp_done() # NAME OFFSET: true if the prompt stands after the echoed command
{
	alive "$1" || fail "$1: testpmd died"
	tail -c +$(($2 + 1)) "$W/$1.out" | tail -n +2 | without_logs | grep -q 'testpmd> '
}

# tp_stat NAME COUNTER [PORT]: print RX-packets, TX-packets, RX-bytes ... of port 0 or PORT
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

# Reset the counters of ports that no frame passes. A poll thread that adds 0 to a counter at the
# same time writes the old value back, so the reset is repeated until it holds.
tp_clear() # NAME...
{
	local name
	for name; do
		wait_for 5 tp_cleared "$name" || fail "$name: the counters were not cleared"
	done
}

tp_received_more() { [ "$(tp_stat "$1" RX-packets)" -gt "$2" ]; } # NAME THAN

# True if nothing arrives for 0.3 s.
tp_at_rest() # NAME
{
	local before
	before=$(tp_stat "$1" RX-packets)
	sleep 0.3
	[ "$(tp_stat "$1" RX-packets)" = "$before" ]
}

forward() { tp "$1" stop >/dev/null; tp "$1" "set fwd $2" >/dev/null; tp "$1" start >/dev/null; } # NAME MODE

tp_link_is_up() { tp "$1" "show port summary ${2:-0}" | grep -qw up; }

# Wait until testpmd reports the link as up: the other side is connected.
tp_link_up() { wait_for 15 tp_link_is_up "$1" "${2:-0}" || fail "$1: the link did not come up"; }

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

# True if both counters have the same value; TP_SENT and TP_GOT keep the values.
tp_agree() # SENDER FIELD RECEIVER FIELD [RECEIVER-PORT]
{
	TP_SENT=$(tp_stat "$1" "$2")
	TP_GOT=$(tp_stat "$3" "$4" "${5:-0}")
	[ -n "$TP_SENT" ] && [ "$TP_SENT" = "$TP_GOT" ]
}
