#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The back end of a running QEMU guest is killed and started again: the guest goes on.

# shellcheck source=tests/lib/migration.sh
. "$(dirname "$0")/lib/migration.sh"

# Both ways, whatever got lost while there was no back end.
guest_is_heard() { vm one 10 "ping -c 1 -w 5 $WIRE_PEER" >"$W/ping.out"; }

restart() # DEVARGS
{
	SOCKET_SIDE=server
	vm_image
	wire_start
	mkdir -p "$W/state"
	backend a "client=1$1"
	source_boot
	guest_is_heard || fail "no answer before the kill"
	again "$1"
}

again() # DEVARGS
{
	bg_kill a
	tp_close a
	backend a "client=1$1"
	tp_link_up a
}

goes_on() # DEVARGS
{
	local who
	restart "$1"
	guest_is_heard || fail "no answer after the first kill"
	again "$1"
	guest_is_heard || fail "no answer after the second kill"
	flow_stop one
	flow_print
	for who in guest peer; do
		expect "received by the $who" "${FLOW[$who.received]}" -gt 100
		expect "duplicated at the $who" "${FLOW[$who.duplicated]}" -eq 0
		expect "corrupted at the $who" "${FLOW[$who.corrupted]}" -eq 0
	done
}

answered_twice() { [ "$(grep -c ' 1 packets received' "$W/one.out")" -ge 2 ]; }

case_split() { goes_on ""; }
case_split_state_dir() { goes_on ",state_dir=$W/state"; }
case_packed() { DEVICE_PROPERTIES=packed=on; goes_on ",state_dir=$W/state"; }
# The guest is not told that the link is down and goes on sending. Now and then QEMU uses up some of
# it, where it believes a packed ring to stand: until it did, and some times more.
case_packed_untold()
{
	local kills returned=0 more=2
	DEVICE_PROPERTIES=packed=on,status=off
	restart ",state_dir=$W/state"
	for ((kills = 1; kills <= 12 && more > 0; kills++)); do
		again ",state_dir=$W/state"
		guest_is_heard || fail "no answer after kill $kills"
		has a 'front end has used up' && returned=$((returned + 1))
		[ "$returned" -eq 0 ] || more=$((more - 1))
	done
	measured "heard after each of $((kills - 1)) kills, in $returned of which QEMU had used buffers up"
}

case_packed_4_queues() { DEVICE_PROPERTIES=packed=on; PAIRS=4; goes_on ",state_dir=$W/state"; }

# What the page is for: QEMU cannot tell where a packed ring stands, and the guest is dead.
case_packed_without()
{
	DEVICE_PROPERTIES=packed=on
	restart ""
	printf 'ping -c 1 -w 5 %s\n' "$WIRE_PEER" >&"${VM_FD[one]}"
	! wait_for 7 answered_twice || fail "the guest is heard without a page: it is not the page that helps"
	measured "without a page the guest is not heard any more"
}

# shellcheck disable=SC2046
run_cases split split-state-dir packed packed-untold packed-4-queues $(soak packed-without)
