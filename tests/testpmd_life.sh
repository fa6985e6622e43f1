#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The life of a port in the distribution's testpmd under traffic. Either side is stopped and
# started, either process is killed and restarted, and the port is unplugged and plugged. The port
# has more or fewer queues than the guest. The values that testpmd shows are checked.

# shellcheck source=tests/lib/pair.sh
. "$(dirname "$0")/lib/pair.sh"

SPLIT=packed_vq=0,in_order=0,mrg_rxbuf=1
PACKED=packed_vq=1,in_order=0,mrg_rxbuf=1

# Stop and start a port three times; it must receive again each time.
stop_and_start() # NAME
{
	local before
	for _ in 1 2 3; do
		sleep 0.2
		tp "$1" stop >/dev/null
		tp "$1" "port stop 0" >/dev/null
		sleep 0.2
		tp "$1" "port start 0" >/dev/null
		before=$(tp_stat "$1" RX-packets)
		tp "$1" start >/dev/null
		wait_for 5 tp_received_more "$1" "$before" || fail "$1: nothing received after port start"
	done
}

# The port is stopped and started while the guest keeps sending: nothing is lost.
back_stop_start() # RING
{
	pair_start "$1"
	tp_clear guest back
	forward back rxonly
	forward guest txonly
	stop_and_start back
	tp guest stop >/dev/null
	wait_for 5 tp_agree guest TX-packets back RX-packets ||
		fail "sent $TP_SENT, received $TP_GOT over 3 stops of the port"
	measured "3 stops of the port under load, $TP_GOT packets"
	traffic
	pair_quit
}

# The guest stops and starts its port while the back end keeps sending.
guest_stop_start() # RING
{
	pair_start "$1"
	forward guest rxonly
	forward back txonly
	stop_and_start guest
	tp back stop >/dev/null
	sleep 0.2
	traffic
	pair_quit
}

guest_descriptors() # NUMBER
{
	tp guest "port stop 0" >/dev/null
	tp guest "port config all rxd $1" >/dev/null
	tp guest "port start 0" >/dev/null
	pair_link_up
}

# The guest sets up its queues again, so that the device is reset and its rings move.
guest_reset() # RING
{
	pair_start "$1"
	for _ in 1 2; do
		forward back txonly
		guest_descriptors 128
		traffic
		guest_descriptors 256
	done
	traffic
	pair_quit
}

# The guest is killed under load, with frames under way, and another guest takes its place.
guest_killed() # RING
{
	pair_start "$1"
	forward back io
	tp guest "set fwd io" >/dev/null
	for _ in 1 2; do
		tp guest "start tx_first 4" >/dev/null
		sleep 0.3
		bg_kill guest
		tp_close guest
		wait_for 5 link_is_down back || fail "the link stays up without a guest"
		guest_start "$1"
		pair_link_up
	done
	traffic
	measured "2 guests killed"
	pair_quit
}

# The back end is killed under load; the guest owns the socket and accepts the next one.
back_killed() # RING
{
	pair_start_served "$1"
	for _ in 1 2; do
		forward back io
		tp guest "set fwd io" >/dev/null
		tp guest "start tx_first 4" >/dev/null
		sleep 0.3
		bg_kill back
		tp_close back
		tp guest stop >/dev/null
		back_start client=1
		pair_link_up
	done
	pair_settle
	traffic
	measured "2 back ends killed"
	pair_quit
}

case_back_stop_start_split() { back_stop_start "$SPLIT"; }
case_back_stop_start_packed() { back_stop_start "$PACKED"; }
case_guest_stop_start_split() { guest_stop_start "$SPLIT"; }
case_guest_stop_start_packed() { guest_stop_start "$PACKED"; }
case_guest_reset_split() { guest_reset "$SPLIT"; }
case_guest_reset_packed() { guest_reset "$PACKED"; }
case_guest_killed_split() { guest_killed "$SPLIT"; }
case_guest_killed_packed() { guest_killed "$PACKED"; }
case_back_killed_split() { back_killed "$SPLIT"; }
case_back_killed_packed() { back_killed "$PACKED"; }

# The device has four queue pairs, the guest uses two, the port one or four.
other_queues() # PORT-QUEUES
{
	[ "$VSTATE_VDEV" = net_vstate ] || skip "$VSTATE_VDEV maps queues one to one"
	DEVICE_QUEUES=4 QUEUES=2 PORT_QUEUES=$1
	pair_start "$PACKED"
	local EVERY_QUEUE=no
	one_way guest back
	one_way back guest
	pair_quit
}

case_fewer_port_queues() { other_queues 1; }
case_more_port_queues() { other_queues 4; }

# Unplugged under a connected guest and plugged again, without a restart.
case_hot_plug()
{
	pair_start "$SPLIT"
	traffic
	for _ in 1 2 3; do
		back_unplug_server 0 "$W/s"
		expect_match "after detach" "$(tp back 'show port summary all')" 'available ports: 0'
		bg_kill guest
		tp_close guest
		back_plug 0 "$W/s"
		guest_start "$SPLIT"
		pair_link_up
		traffic
	done
	pair_quit
}

# A port that was never started or connected is removed: no hang, no socket left behind.
case_unplug_unused()
{
	eal_options 256
	back_start
	back_unplug_server 0 "$W/s"
	tp_quit back
}

# All counters and values that testpmd shows agree with each other and with the traffic.
case_show()
{
	local info n
	QUEUES=2
	pair_start "$PACKED"
	one_way guest back
	n=$TP_GOT
	info=$(tp back "show port info 0")
	expect_match "info" "$info" "Driver name: *$VSTATE_VDEV"
	expect_match "info" "$info" 'Link status: *up'
	expect_match "info" "$info" 'MAC address: *([0-9A-F]{2}:){5}[0-9A-F]{2}'
	expect_match "info" "$info" 'MTU: *1500'
	expect_match "info" "$info" 'Promiscuous mode: *enabled'
	expect_match "info" "$info" 'Current number of RX queues: *2'
	expect "rx_good_packets" "$(tp_xstat back rx_good_packets)" -eq "$n"
	expect "rx_good_bytes" "$(tp_xstat back rx_good_bytes)" -eq "$(tp_stat back RX-bytes)"
	expect "rx_errors" "$(tp_xstat back rx_errors)" -eq 0
	expect "tx_good_packets" "$(tp_xstat back tx_good_packets)" -eq 0
	expect "bytes of the queues" "$(sum_xstats back 'rx_q[0-9]+_good_bytes')" -eq "$(tp_stat back RX-bytes)"
	tp back "clear port xstats all" >/dev/null
	tp back "clear port stats all" >/dev/null
	expect "rx_good_packets after clear" "$(tp_xstat back rx_good_packets)" -eq 0
	measured "$n packets in every counter"
	pair_quit
}

sum_xstats() { tp "$1" "show port xstats 0" | sed -nE "s/^$2: *//p" | awk '{ n += $1 } END { print n + 0 }'; }

# A back end for the tool's guest, which listens. It must not throw away the frames that wait.
back_for_tool()
{
	local BACK_OPTIONS=(--no-flush-rx)
	eal_options 256
	back_start client=1
	forward back io
}

tool_guest() # OPTION...
{
	bg guest "$TOOL" guest --server --socket "$W/s" --rate 20000 --window 64 --seed 1 "$@"
	wait_for 10 test -S "$W/s" || fail "guest: no socket"
}

# The tool's guest continues with the next process, as often as one is killed or ends.
tool_guest_reconnects() # RING
{
	tool_guest --ring "$1" --seconds 10
	back_for_tool
	wait_for 20 enough back RX-packets || fail "back: no frames"
	bg_kill back
	back_for_tool
	wait_for 20 enough back RX-packets || fail "back: no frames after it was killed"
	tp_quit back
	back_for_tool
	wait_for 20 enough back RX-packets || fail "back: no frames after it ended"
	bg_end guest 30 || fail "the guest: $(grep -vE '^ +0' "$W/guest.out" | tail -n 8 | paste -sd' ')"
	has guest 'back ends +3,' || fail "the guest did not see three back ends"
	measured "$(sed -nE 's/^ +(lost) +([0-9]+)/\1 \2/p' "$W/guest.out") over 2 ends of the back end"
	tp_quit back
}

case_tool_guest_reconnects_split() { tool_guest_reconnects split; }
case_tool_guest_reconnects_packed() { tool_guest_reconnects packed; }

# Without another back end there is an error, and a report of what was seen.
case_tool_guest_reports()
{
	local rc=0
	tool_guest --seconds 6 --json
	back_for_tool
	wait_for 20 enough back RX-packets || fail "back: no frames"
	bg_kill back
	bg_end guest 30 || rc=$?
	expect "exit status" "$rc" -eq 1
	has guest 'the back end closed the connection' || fail "the guest gives no reason"
	has guest '"ok": *false' || fail "the guest is content"
	has guest '"frames": *[1-9]' || fail "the guest reports no frames"
}

# The port has fewer queues than the guest, so frames come back on another queue pair.
case_tool_guest_any_pair()
{
	local rc=0
	eal_options 256
	PORT_QUEUES=1 DEVICE_QUEUES=3
	back_start
	tp back "set fwd io" >/dev/null
	tp back start >/dev/null
	set -- guest --socket "$W/s" --queues 3 --seconds 1 --seed 1 --json
	tool_must 60 "$@" --any-pair
	report_none lost duplicated reordered corrupted
	expect frames "$(report frames)" -ge 1000
	measured "$(report frames) frames of 3 queue pairs"
	tool 60 "$@" || rc=$?
	expect "exit status without --any-pair" "$rc" -eq 1
	expect_match "reason" "$(cat "$W/tool.out" "$W/tool.err")" "another queue pair"
	tp_quit back
}

# shellcheck disable=SC2046
run_cases show back-stop-start-split back-stop-start-packed guest-stop-start-split guest-stop-start-packed \
	guest-reset-packed guest-killed-split guest-killed-packed \
	back-killed-split back-killed-packed fewer-port-queues more-port-queues hot-plug unplug-unused \
	tool-guest-reconnects-split tool-guest-reconnects-packed tool-guest-reports tool-guest-any-pair \
	$(soak guest-reset-split)
