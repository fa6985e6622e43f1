#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The back end of a running QEMU guest is killed and started again. The guest must keep sending
# and receiving.

# shellcheck source=tests/lib/migration.sh
. "$(dirname "$0")/lib/migration.sh"

# Traffic passes in both directions; frames lost while there was no back end do not matter.
guest_is_answered() { vm one 10 "ping -c 1 -w 5 $WIRE_PEER" >"$W/ping.out"; }

restart() # DEVARGS
{
	SOCKET_SIDE=server
	vm_image
	wire_start
	mkdir -p "$W/state"
	backend a "client=1$1"
	source_boot
	guest_is_answered || fail "no answer before the kill"
	kill_and_start "$1"
}

kill_and_start() # DEVARGS
{
	bg_kill a
	tp_close a
	backend a "client=1$1"
	tp_link_up a
}

survives_two_kills() # DEVARGS
{
	local who
	restart "$1"
	guest_is_answered || fail "no answer after the first kill"
	kill_and_start "$1"
	guest_is_answered || fail "no answer after the second kill"
	flow_stop one
	flow_print
	for who in guest peer; do
		expect "received by the $who" "${FLOW[$who.received]}" -gt 100
		expect "duplicated at the $who" "${FLOW[$who.duplicated]}" -eq 0
		expect "corrupted at the $who" "${FLOW[$who.corrupted]}" -eq 0
	done
}

answered_twice() { [ "$(grep -c ' 1 packets received' "$W/one.out")" -ge 2 ]; }

case_split() { survives_two_kills ""; }
case_split_state_dir() { survives_two_kills ",state_dir=$W/state"; }
case_packed() { DEVICE_PROPERTIES=packed=on; survives_two_kills ",state_dir=$W/state"; }
# status=off: the guest does not learn that the link is down and keeps sending. Without a back end
# QEMU at times uses up buffers, at the place that it assumes in the packed ring. The kills are
# repeated until that happened, and twice after that.
case_packed_untold()
{
	local kills returned=0 more=2
	DEVICE_PROPERTIES=packed=on,status=off
	restart ",state_dir=$W/state"
	for ((kills = 1; kills <= 12 && more > 0; kills++)); do
		kill_and_start ",state_dir=$W/state"
		guest_is_answered || fail "no answer after kill $kills"
		has a 'front end has used up' && returned=$((returned + 1))
		[ "$returned" -eq 0 ] || more=$((more - 1))
	done
	measured "answered after each of $((kills - 1)) kills; QEMU had used up buffers in $returned of them"
}

case_packed_4_queues() { DEVICE_PROPERTIES=packed=on; PAIRS=4; survives_two_kills ",state_dir=$W/state"; }

# Why the state file is needed: QEMU does not know the position of a packed ring, so without a
# state file the guest is cut off.
case_packed_without()
{
	DEVICE_PROPERTIES=packed=on
	restart ""
	printf 'ping -c 1 -w 5 %s\n' "$WIRE_PEER" >&"${VM_FD[one]}"
	! wait_for 7 answered_twice || fail "the guest is answered without a state file: the other cases prove nothing"
	measured "without a state file the guest gets no answer any more"
}

# shellcheck disable=SC2046
run_cases split split-state-dir packed packed-untold packed-4-queues $(soak packed-without)
