#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Every forwarding mode of testpmd on a port of the device: each byte of each returned frame is
# checked. Ports are plugged and unplugged while their guest stays.
#
#	frames.py - tap - testpmd "guest" - virtio-user - device under test - testpmd "back"

# shellcheck source=tests/lib/pair.sh
. "$(dirname "$0")/lib/pair.sh"
# shellcheck source=tests/lib/wire.sh
. "$(dirname "$0")/lib/wire.sh"

SPLIT=packed_vq=0,in_order=0,mrg_rxbuf=1
PACKED=packed_vq=1,in_order=0,mrg_rxbuf=1
PEER_MAC=02:00:00:00:00:aa

# The guest forwards frames between its queue and a tap.
tap_guest() # VIRTIO-USER-ARGUMENTS
{
	wire_namespace
	eal_options 256
	# Without --rxq-share testpmd 22.11 crashes in mode shared_rxq, with any port. 26.07 takes the
	# option without a value only.
	BACK_OPTIONS=(--rxq-share)
	back_start
	tp_start guest --vdev "net_virtio_user0,path=$W/s,queues=1,queue_size=256,$1" \
		--vdev net_tap0,iface=t -- --rxq=1 --txq=1
	pair_link_up
	forward guest io
	tp back "set eth-peer 0 $PEER_MAC" >/dev/null
	BACK_MAC=$(tp back "show port info 0" | sed -nE 's/^MAC address: *//p')
}

# mode NAME: check the returned frames and the counters of the port
mode()
{
	local said sent back
	tp back "set fwd $1" >"$W/set" || fail "set fwd $1"
	expect_match "set fwd $1" "$(cat "$W/set")" "^Set $1 packet forwarding mode"
	tp_clear back guest
	tp back start >/dev/null
	said=$("${TP_WRAP[@]}" /usr/bin/python3 "$VSTATE_ROOT/tests/tools/frames.py" t "$1" "$BACK_MAC" \
		"$PEER_MAC" 2>&1) || fail "$1: $said"
	read -r _ sent _ back _ <<<"$said"
	if [ "$sent" -eq 0 ]; then
		tp back stop >/dev/null
		wait_for 15 tp_agree back TX-packets guest RX-packets ||
			fail "$1: sent $TP_SENT, received $TP_GOT"
		expect "$1: TX-packets" "$TP_SENT" -ge "$back"
	else
		wait_for 15 tp_agree guest TX-packets back RX-packets ||
			fail "$1: sent $TP_SENT, received $TP_GOT"
		tp back stop >/dev/null
		expect "$1: RX-packets" "$TP_GOT" -eq "$sent"
		expect "$1: TX-packets" "$(tp_stat back TX-packets)" -eq "$back"
	fi
	measured "$1 $said"
}

# Modes that generate frames are last, because they leave frames under way.
MODES='io mac macswap csum 5tswap icmpecho noisy rxonly shared_rxq txonly flowgen'

# Print testpmd's modes that MODES lacks: ieee1588 needs the clock of a NIC.
other_modes()
{
	tp back "help config" | sed -nE 's/^set fwd \(([^)]*)\).*/\1/p' | head -n 1 | tr -d ' \r' | tr '|' '\n' |
		grep -vxF "$(tr ' ' '\n' <<<"$MODES")" | paste -sd ' '
}

modes() # VIRTIO-USER-ARGUMENTS
{
	local name
	tap_guest "$1"
	for name in $MODES; do
		mode "$name"
	done
	measured "modes not tested: $(other_modes)"
	pair_quit
}

case_modes_split() { modes "$SPLIT"; }
case_modes_packed() { modes "$PACKED"; }

# The port is unplugged and plugged again under a guest that owns the socket and keeps sending.
plug_under_guest() # VIRTIO-USER-ARGUMENTS
{
	pair_start_served "$1"
	for _ in 1 2; do
		forward back rxonly
		forward guest txonly
		tp back "clear port stats all" >/dev/null
		wait_for 20 enough back RX-packets || fail "nothing received"
		tp back stop >/dev/null
		back_unplug 0
		wait_for 10 link_is_down guest || fail "the guest's link stays up without a device"
		tp guest stop >/dev/null
		back_plug 0 "$W/s" client=1
		pair_link_up
		pair_settle
		one_way back guest
	done
	traffic
	pair_quit
}

case_plug_under_guest_split() { plug_under_guest "$SPLIT"; }
case_plug_under_guest_packed() { plug_under_guest "$PACKED"; }

second_guest()
{
	tp_start second --vdev "net_virtio_user0,path=$W/t,queues=1,queue_size=256,$PACKED" -- --rxq=1 --txq=1
}

# A second port is plugged, carries traffic and is unplugged; the first port loses nothing.
case_second_port()
{
	pair_start "$SPLIT"
	forward back rxonly
	tp_clear back guest
	forward guest txonly
	for _ in 1 2; do
		back_plug 1 "$W/t"
		second_guest
		tp_link_up back 1
		tp_link_up second
		tp back stop >/dev/null
		tp back "set portlist 0,1" >/dev/null
		tp back start >/dev/null
		tp second "set fwd txonly" >/dev/null
		tp second start >/dev/null
		wait_for 20 enough second TX-packets || fail "second: nothing sent"
		tp second stop >/dev/null
		wait_for 15 tp_agree second TX-packets back RX-packets 1 ||
			fail "second: sent $TP_SENT, received $TP_GOT"
		measured "second port $TP_GOT packets"
		tp back stop >/dev/null
		tp back "set portlist 0" >/dev/null
		tp back start >/dev/null
		back_unplug_server 1 "$W/t"
		bg_kill second
		tp_close second
	done
	tp guest stop >/dev/null
	wait_for 15 tp_agree guest TX-packets back RX-packets || fail "first: sent $TP_SENT, received $TP_GOT"
	measured "first port $TP_GOT packets, none lost"
	tp back stop >/dev/null
	traffic
	pair_quit
}

# shellcheck disable=SC2046 # names without blanks
run_cases modes-packed plug-under-guest-packed second-port $(soak modes-split plug-under-guest-split)
