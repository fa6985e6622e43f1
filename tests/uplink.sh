#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The EAL service as a bridge (uplink=): a guest in one testpmd, "dpdk-test-vdpa serve"
# with virtio-user as the uplink, and a third process at the far end, net_vhost in a
# testpmd. Each end receives what the other end sends, also across stops of the device.

# shellcheck source=tests/lib/pair.sh
. "$(dirname "$0")/lib/pair.sh"
# shellcheck source=tests/lib/serve_lib.sh
. "$(dirname "$0")/lib/serve_lib.sh"

UPLINK=net_virtio_user9

# bridge_start RING: "guest" <-> serve <-> "far", all with $QUEUES queue pairs.
bridge_start()
{
	local plugin
	plugin=$(plugin_path) || fail "no plugin to load"
	eal_options 256
	tp_start far --vdev "net_vhost0,iface=$W/u,queues=$QUEUES" \
		-- "--rxq=$QUEUES" "--txq=$QUEUES"
	serve_start -s 0x2 "${EAL[@]}" -d "$plugin" \
		--vdev "$UPLINK,path=$W/u,queues=$QUEUES,queue_size=256,mrg_rxbuf=1" \
		--vdev "vdpa_vstate0,queues=$QUEUES,uplink=$UPLINK" --
	virtio_user "$1"
	tp_link_up far
}

bridge_quit()
{
	tp_quit guest
	serve_quit
	tp_quit far
}

uplink_lost() # print the number of the guest's frames that the uplink did not take
{
	# the sum of all queues comes last
	sv "stats vdpa_vstate0 all" | awk '/dropped_uplink/ { n = $NF } END { print n + 0 }'
}

# Both ends count the same packets and bytes.
ends_agree() # FROM TO
{
	wait_for 10 tp_agree "$1" TX-packets "$2" RX-packets ||
		fail "$1 -> $2: sent $TP_SENT, received $TP_GOT"
	expect "$1 -> $2 bytes" "$(tp_stat "$2" RX-bytes)" -eq "$(tp_stat "$1" TX-bytes)"
}

# Suspend and resume under load; the device moves nothing in between.
stops_under_load() # FROM TO
{
	local held
	tp_clear "$1" "$2"
	forward "$2" rxonly
	forward "$1" txonly
	for _ in 1 2 3; do
		held=$(tp_stat "$2" RX-packets)
		wait_for 10 tp_received_more "$2" "$held" || fail "$1 -> $2: nothing arrives"
		sv_must "suspend vdpa_vstate0"
		# Packets that the device moved before may still arrive; the device itself is quiesced.
		held=$(device_packets)
		sleep 0.2
		expect "packets moved while suspended" "$(device_packets)" -eq "$held"
		sv_must "resume vdpa_vstate0"
	done
	held=$(tp_stat "$2" RX-packets)
	wait_for 10 tp_received_more "$2" "$held" || fail "$1 -> $2: nothing arrives after a resume"
	tp "$1" stop >/dev/null
	ends_agree "$1" "$2"
	tp "$2" stop >/dev/null
	expect "dropped by the uplink" "$(uplink_lost)" -eq 0
	measured "$1 to $2 $TP_GOT packets over 3 stops"
}

device_packets() { sv "stats vdpa_vstate0 all" | awk '/good_packets/ { n += $NF } END { print n + 0 }'; }

bridge() # RING
{
	bridge_start "$1"
	one_way guest far
	one_way far guest
	stops_under_load guest far
	stops_under_load far guest
	bridge_quit
}

case_split() { bridge packed_vq=0,mrg_rxbuf=1; }
case_split_not_mergeable() { bridge packed_vq=0,mrg_rxbuf=0; }
case_packed() { bridge packed_vq=1,mrg_rxbuf=1; }
case_packed_4_queues() { QUEUES=4; bridge packed_vq=1,mrg_rxbuf=1; }

# The peer of the uplink does not read: the guest's frames wait, then are dropped and counted.
case_uplink_stands_still()
{
	local sent
	bridge_start packed_vq=0,mrg_rxbuf=1
	tp_clear far
	forward guest txonly
	wait_for 30 some_lost || fail "no frame was dropped in 30 s: the guest is blocked"
	tp guest stop >/dev/null
	wait_for 30 all_accounted || fail "sent $(tp_stat guest TX-packets), lost $(uplink_lost)"
	# when the peer reads again the rest arrives
	sent=$(tp_stat guest TX-packets)
	forward far rxonly
	wait_for 10 arrived "$((sent - $(uplink_lost)))" ||
		fail "sent $sent, lost $(uplink_lost), received $(tp_stat far RX-packets)"
	measured "sent $sent, dropped $(uplink_lost), arrived $(tp_stat far RX-packets)"
	tp far stop >/dev/null
	one_way guest far
	bridge_quit
}

some_lost() { [ "$(uplink_lost)" -gt 0 ]; }
arrived() { [ "$(tp_stat far RX-packets)" -eq "$1" ]; }
# True if the device took every frame that the guest sent.
all_accounted()
{
	local got
	got=$(sv "stats vdpa_vstate0 1" | awk '/good_packets/ { print $NF }')
	[ "$got" -eq "$(tp_stat guest TX-packets)" ]
}

run_cases split split-not-mergeable packed packed-4-queues uplink-stands-still
