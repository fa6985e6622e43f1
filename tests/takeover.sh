#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A back end is upgraded under load: a new process asks the one that has the device for it,
# and the guest goes on with the new one.

# shellcheck source=tests/migration.sh
. "$(dirname "$0")/migration.sh"
# shellcheck source=tests/move.sh
. "$(dirname "$0")/move.sh"
ATTEMPTS=1

# ---- the tool's guest, who counts each frame ----

upgrades() # ROUNDS PAIRS RING OPTION...
{
	loses_nothing "$1" "$2" --upgrade --ring "$3" "${@:4}"
	measured "reconnected in p50 $(report capture_restore_us p50) us," \
		"blackout p50 $(report blackout_us p50) us, p99 $(report blackout_us p99) us"
}

case_split() { upgrades 10 1 split; }
case_packed() { upgrades 10 1 packed --any-layout --frames 64-9000; }
case_split_16_queues() { upgrades 5 16 split; }
case_packed_16_queues() { upgrades 5 16 packed; }

# ---- a QEMU guest, who knows nothing of it ----

peer_is_heard() { vm one 10 "ping -c 1 -w 5 $WIRE_PEER" >"$W/ping.out"; }

# next_backend NAME: a new process for the device that serves socket $W/a.
next_backend()
{
	eal_options 256
	dut "iface=$W/a,queues=$PAIRS,client=1,state_dir=$W/state,takeover=1"
	tp_start "$1" "${DUT[@]}" --vdev "net_tap0,iface=$1" -- "--rxq=$PAIRS" "--txq=$PAIRS" \
		--disable-device-start --disable-link-check
	tp "$1" "port config 1 rx_offload scatter on" >/dev/null
	tp "$1" "port start all" >/dev/null
	tp "$1" start >/dev/null
	wire_tap "$1"
}

qemu()
{
	local who
	SOCKET_SIDE=server
	vm_image
	wire_start
	mkdir "$W/state"
	backend a "client=1,state_dir=$W/state,takeover=1"
	source_boot
	peer_is_heard || fail "no answer before"
	for who in b c; do
		next_backend "$who"
		wait_for 15 has "$who" 'net_vstate0: taken over' || fail "$who does not take over"
		tp_link_up "$who"
		peer_is_heard || fail "no answer through $who"
	done
	has a 'handed over' || fail "a says nothing"
	tp_quit a
	peer_is_heard || fail "no answer after the old process ended"
	flow_stop one
	flow_print
	for who in guest peer; do
		expect "duplicated at the $who" "${FLOW[$who.duplicated]}" -eq 0
		expect "corrupted at the $who" "${FLOW[$who.corrupted]}" -eq 0
	done
}

case_qemu_split() { qemu; }
case_qemu_packed() { DEVICE_PROPERTIES=packed=on; qemu; }

# ---- what goes wrong ----

# owner NAME [OPTION...]: a testpmd with the device, without a guest.
owner()
{
	local name=$1
	shift
	mkdir -p "$W/state"
	eal_options 128
	dut "iface=$W/s,${SOCKET_OPTION:-client=1},state_dir=$W/state${1:+,$1}"
	tp_start "$name" "${DUT[@]}" -- --auto-start --disable-link-check
}

# An owner that hangs keeps the device, and goes on with it.
case_no_answer()
{
	owner a
	kill -STOP "${PID[a]}"
	owner b takeover=1
	wait_for 15 has b 'not taken over: the other process does not answer' || fail "b says nothing"
	kill -CONT "${PID[a]}"
	tp_quit b
	! has a 'handed over' || fail "a gave up the device"
	owner c takeover=1
	wait_for 15 has c 'net_vstate0: taken over' || fail "c does not take over"
	measured "refused by name, and taken over later"
	tp_quit a
	tp_quit c
}

# The guest's way to an owner that listens is left alone by who does not get the device.
case_refused_leaves_the_socket()
{
	SOCKET_OPTION=client=0
	owner a
	kill -STOP "${PID[a]}"
	owner b takeover=1
	wait_for 15 has b 'not taken over: the other process does not answer' || fail "b says nothing"
	kill -CONT "${PID[a]}"
	tp_quit b
	[ -S "$W/s" ] || fail "b removed the socket of a"
	eal_options 128
	dut "iface=$W/s"
	tp_launch c "${DUT[@]}" -- --auto-start
	wait_for 15 has c "net_vstate0: $W/s is in use" || fail "c takes a socket that is in use"
	wait_for 15 has c 'not created: Address already in use' || fail "c has a device"
	"$TOOL" guest --socket "$W/s" --seconds 1 >"$W/guest.out" 2>&1 || fail "a cannot be reached"
	tp_quit a
	measured "a guest came to the first process afterwards"
}

case_without_takeover_it_is_busy()
{
	owner a
	eal_options 128
	dut "iface=$W/s,client=1,state_dir=$W/state"
	tp_launch b "${DUT[@]}" -- --auto-start
	wait_for 15 has b 'not created: Device or resource busy' || fail "b has a device that is in use"
	expect_match "reason" "$(cat "$W/b.out")" "in use by process ${PID[a]}"
	tp_quit a
}

# Who dies while it is asked is followed as after any crash.
case_killed_owner()
{
	owner a
	kill -STOP "${PID[a]}"
	owner b takeover=1
	bg_kill a
	wait_for 15 has b 'net_vstate0: taken over' || fail "b does not take over"
	tp_quit b
}

case_nobody_to_ask()
{
	owner a takeover=1
	! has a 'will be asked' || fail "asked, and there is nobody"
	tp_quit a
}

release() # PREFIX
{
	/usr/bin/python3 - "/var/run/dpdk/$1/dpdk_telemetry.v2" <<-'PYTHON'
	import socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
	s.connect(sys.argv[1])
	s.recv(4096)
	s.send(b"/vstate/release,net_vstate0")
	print(s.recv(4096).decode())
	PYTHON
}

# On request by telemetry.
case_release()
{
	local prefix=vstate-release-$$
	mkdir "$W/state"
	dut "iface=$W/s,client=1,state_dir=$W/state"
	EAL=(--lcores '0@0-1,1@0-1' --no-huge -m 128 --no-pci --no-shconf "--file-prefix=$prefix")
	[ "$(nproc)" -gt 1 ] || EAL[1]='0@0,1@0'
	tp_start a "${DUT[@]}" -- --auto-start --disable-link-check
	expect_match "telemetry" "$(release "$prefix")" 'asked for'
	wait_for 10 has a 'handed over' || fail "a keeps the device"
	owner b
	tp_quit b
	tp_quit a
}

run_cases split packed split-16-queues packed-16-queues qemu-split qemu-packed no-answer \
	refused-leaves-the-socket \
	without-takeover-it-is-busy killed-owner nobody-to-ask release
