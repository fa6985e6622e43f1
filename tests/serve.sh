#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# "dpdk-test-vdpa serve" attaches vdpa_vstate through rte_vdpa. An EAL service polls the rings and
# sends back what it receives. The front ends are virtio-user and the tool's own guest.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"
# shellcheck source=tests/lib/testpmd.sh
. "$(dirname "$0")/lib/testpmd.sh"
# shellcheck source=tests/lib/serve_lib.sh
. "$(dirname "$0")/lib/serve_lib.sh"

QUEUES=1

received() { tp_stat guest RX-packets; }

# Packets circulate. A suspend stops all of them, a resume continues, and none is lost.
round_and_round() # VIRTIO-USER-ARGUMENTS
{
	local held before state=$W/state
	virtio_user "$1"
	tp guest "set fwd io" >/dev/null
	tp guest "start tx_first 2" >/dev/null
	sleep 0.5
	sv_must "suspend vdpa_vstate0"
	sleep 0.1
	held=$(received)
	expect "packets before the suspend" "$held" -gt 100
	sleep 0.3
	expect "packets received while suspended" "$(received)" -eq "$held"
	sv_must "save vdpa_vstate0 $state"
	tool_must 10 state --json "$state"
	expect_match "show" "$(sv 'show vdpa_vstate0')" 'suspended \(acknowledge, driver, features_ok, suspend\)'
	sv_must "resume vdpa_vstate0"
	before=$held
	sleep 0.3
	expect "packets after the resume" "$(received)" -gt "$before"
	tp guest stop >/dev/null
	tp guest "set fwd rxonly" >/dev/null
	tp guest start >/dev/null
	wait_for 5 tp_agree guest TX-packets guest RX-packets ||
		fail "sent $TP_SENT, came back $TP_GOT"
	expect_match "stats" "$(sv 'stats vdpa_vstate0 all')" '^all.*good_packets +[1-9]'
	measured "$TP_GOT packets there and back, suspended and resumed on the way"
	tp_quit guest
	serve_quit
}

case_virtio_user_split() { serve_start -- --queues 1; round_and_round packed_vq=0,mrg_rxbuf=1; }
case_virtio_user_packed() { serve_start -- --queues 1; round_and_round packed_vq=1,mrg_rxbuf=1; }
case_virtio_user_4_queues()
{
	QUEUES=4
	serve_start -- --queues 4
	round_and_round packed_vq=1,mrg_rxbuf=1
}

# EAL options name the service core and the device.
case_service_core()
{
	eal_options 256
	local plugin
	plugin=$(plugin_path) || fail "no plugin to load"
	serve_start -s 0x2 "${EAL[@]}" -d "$plugin" --vdev vdpa_vstate0,queues=1 --
	round_and_round packed_vq=0,mrg_rxbuf=1
}

# The front end is killed and started again, three times.
case_front_ends_come_and_go()
{
	serve_start -- --queues 1
	for _ in 1 2 3; do
		virtio_user packed_vq=1
		tp guest "set fwd io" >/dev/null
		tp guest "start tx_first 2" >/dev/null
		sleep 0.2
		expect "packets" "$(received)" -gt 100
		bg_kill guest
		tp_close guest
	done
	virtio_user packed_vq=0
	tp_quit guest
	serve_quit
}

guest_of_the_tool() # RING
{
	serve_start -- --queues 2
	tool_must 60 guest --json --socket "$W/s0" --queues 2 --ring "$1" --seconds 2
	expect frames "$(report frames)" -gt 100
	report_none lost
	measured "$(report frames) frames, none lost"
	serve_quit
}

case_guest_split() { guest_of_the_tool split; }
case_guest_packed() { guest_of_the_tool packed; }

# tty_start NAME COMMAND: start it on its own terminal; text written to TTY_FD is its input.
tty_start()
{
	mkfifo "$W/$1.in"
	exec {TTY_FD}<>"$W/$1.in"
	script -qec "exec $2" /dev/null <"$W/$1.in" >"$W/$1.out" 2>&1 {TTY_FD}>&- &
	PID["$1"]=$!
	echo "$!" >>"$W/pids"
}

# On a terminal the guest prints its progress. Stopped early, it drains its rings and reports.
case_guest_stopped_early()
{
	serve_start -- --queues 1
	tty_start guest "'$TOOL' guest --socket '$W/s0' --seconds 600"
	wait_for 20 has guest '[0-9] s, [1-9][0-9]* frames' || fail "guest: no progress is printed"
	printf '\003' >&"$TTY_FD"
	bg_end guest 20
	expect "exit status after SIGINT" $? -eq 130
	has guest 'received in [0-9.]+ s' || fail "guest: no report"
	has guest 'lost +0' || fail "guest: frames are lost"
	measured "$(grep -o '[0-9]* received in [0-9.]* s' "$W/guest.out")"
	serve_quit
}

# Frames that never come back are a failure, also when the run ends with a signal.
case_guest_stopped_with_losses()
{
	serve_start -- --queues 1
	bg guest "$TOOL" guest --socket "$W/s0" --seconds 600
	wait_for 20 sv_frames || fail "guest: no frames"
	sv_must "suspend vdpa_vstate0"
	kill -INT "${PID[guest]}"
	bg_end guest 20
	expect "exit status after SIGINT" $? -eq 1
	expect_match "report" "$(cat "$W/guest.out")" 'lost +[1-9]'
	serve_quit
}

sv_frames() { sv 'stats vdpa_vstate0 all' | grep -qE '^all.*good_packets +[1-9]'; }

# "create" gives a device the named socket, and refuses a second socket for it.
case_create()
{
	serve_exec --vdev vdpa_vstate0,queues=1 --vdev vdpa_vstate1,queues=1 -- serve
	sv_must "create vdpa_vstate1 $W/one"
	sv_must "create vdpa_vstate0 $W/zero"
	expect_match "show" "$(sv 'show vdpa_vstate1')" "socket $W/one, idle"
	sv_refused "create vdpa_vstate0 $W/two" 'no socket for vdpa_vstate0'
	sv_refused "create vdpa_none $W/two" 'no socket for vdpa_none'
	[ ! -e "$W/two" ] || fail "a refused create left a socket"
	tool_must 60 guest --json --socket "$W/one" --seconds 1
	expect frames "$(report frames)" -gt 100
	report_none lost
	expect_match "stats of 1" "$(sv 'stats vdpa_vstate1 1')" 'good_packets +[1-9]'
	expect_match "stats of 0" "$(sv 'stats vdpa_vstate0 1')" 'good_packets +0$'
	serve_quit_with 1
	[ ! -e "$W/one" ] || fail "serve did not remove its socket"
	measured "$(report frames) frames through a socket made at the prompt"
}

every_command_is_in() # TEXT
{
	local word
	for word in help list create stats show suspend resume save load quit; do
		expect_match "help" "$1" "^  ${word}[ :]"
	done
}

case_help()
{
	serve_start -- --queues 1
	every_command_is_in "$(sv help)"
	sv_refused "suspend" 'not understood: suspend$'
	sv_refused "nonsense vdpa_vstate0" 'not understood: nonsense'
	serve_quit_with 1
	measured "all commands are listed"
}

# A state can be loaded between FEATURES_OK and DRIVER_OK only.
case_load()
{
	serve_start -- --queues 1
	sv_refused "load vdpa_vstate0 $W/none" '.*No such file'
	serve_guest
	sv_must "suspend vdpa_vstate0"
	sv_must "save vdpa_vstate0 $W/state"
	sv_must "resume vdpa_vstate0"
	sv_refused "load vdpa_vstate0 $W/state" 'not_configurable'
	bg_end guest 20 || fail "guest: exit status $?"
	sv_refused "load vdpa_none $W/state" 'no such device'
	tool_must 10 state --json "$W/state"
	front_end_negotiates "$(report driver_features)"
	sv_must "load vdpa_vstate0 $W/state"
	expect_match "show" "$(sv 'show vdpa_vstate0')" 'restore +1 times'
	serve_quit_with 1
	measured "$(stat -c %s "$W/state") bytes of state loaded"
}

# On a terminal there is a prompt and an echo, and a refused command does not set exit status 1.
case_terminal()
{
	tty_start serve "'$TOOL' --vdev vdpa_vstate0,queues=1 -- serve"
	wait_for 20 has serve '^vdpa> ' || fail "serve: no prompt"
	printf 'help\r' >&"$TTY_FD"
	wait_for 10 has serve 'quit +close all sockets' || fail "serve: no help"
	every_command_is_in "$(tr -d '\r' <"$W/serve.out")"
	printf 'create vdpa_vstate0 %s\r' "$W/s" >&"$TTY_FD"
	wait_for 10 has serve '^done' || fail "serve: not created"
	[ -S "$W/s" ] || fail "serve: no socket"
	printf 'create vdpa_vstate0 %s\r' "$W/t" >&"$TTY_FD"
	wait_for 10 has serve '^error: no socket' || fail "serve: created twice"
	printf 'quit\r' >&"$TTY_FD"
	bg_end serve 10 || fail "serve: exit status $?"
	expect "prompts" "$(grep -c '^vdpa> ' "$W/serve.out")" -ge 4
	measured "$(grep -c '^vdpa> ' "$W/serve.out") prompts"
}

run_cases virtio-user-split virtio-user-packed virtio-user-4-queues service-core \
	front-ends-come-and-go guest-split guest-packed guest-stopped-early guest-stopped-with-losses \
	create help load terminal
