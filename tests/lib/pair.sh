# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A testpmd with the device under test ("back"), a testpmd with virtio-user ("guest"), and
# checked traffic between them. This file sources all others that such a scenario needs.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "${BASH_SOURCE[0]}")/harness.sh"
# shellcheck source=tests/lib/testpmd.sh
. "$VSTATE_ROOT/tests/lib/testpmd.sh"

QUEUES=1

# Queues of the port and of the device, if they differ from the guest's.
PORT_QUEUES=
DEVICE_QUEUES=
# More options: of testpmd for the back end, of EAL for the guest.
BACK_OPTIONS=()
GUEST_EAL=()

back_start() # [DEVARGS]
{
	local n=${PORT_QUEUES:-$QUEUES}
	dut "iface=$W/s,queues=${DEVICE_QUEUES:-$QUEUES}${1:+,$1}"
	tp_start back "${DUT[@]}" -- "--rxq=$n" "--txq=$n" "${BACK_OPTIONS[@]}"
}

guest_start() # VIRTIO-USER-ARGUMENTS
{
	tp_start guest "${GUEST_EAL[@]}" \
		--vdev "net_virtio_user0,path=$W/s,queues=$QUEUES,queue_size=256${1:+,$1}" \
		-- "--rxq=$QUEUES" "--txq=$QUEUES"
}

# A virtio-user server waits for the back end before testpmd prints its prompt.
guest_serve() # VIRTIO-USER-ARGUMENTS
{
	tp_launch guest --vdev "net_virtio_user0,path=$W/s,queues=$QUEUES,queue_size=256,$1" \
		-- "--rxq=$QUEUES" "--txq=$QUEUES"
	wait_for 10 test -S "$W/s" || fail "guest: no socket"
}

pair_start() # VIRTIO-USER-ARGUMENTS [DEVARGS]
{
	eal_options 256
	back_start "${2:-}"
	guest_start "$1"
	pair_link_up
}

# As pair_start, but the guest owns the socket and may outlive the back end.
pair_start_served() # VIRTIO-USER-ARGUMENTS
{
	eal_options 256
	guest_serve "$1,server=1"
	back_start client=1
	wait_for 20 tp_ready guest || fail "guest: testpmd did not start"
	pair_link_up
}

pair_link_up()
{
	tp_link_up back
	tp_link_up guest
}

link_is_down() { ! tp_link_is_up "$1"; }

# Frames that were under way when one side ended may still arrive. Wait for them, so that the next
# step does not count them.
pair_settle()
{
	forward back rxonly
	forward guest rxonly
	wait_for 20 tp_at_rest back || fail "back: packets keep arriving"
	wait_for 20 tp_at_rest guest || fail "guest: packets keep arriving"
	tp guest stop >/dev/null
	tp back stop >/dev/null
}

# Plug device NUMBER into the running testpmd of the back end.
back_plug() # NUMBER SOCKET [DEVARGS]
{
	tp back "port attach $VSTATE_VDEV$1,iface=$2,queues=1${3:+,$3}" >/dev/null
	tp back "port start $1" >/dev/null
}

back_unplug() # NUMBER of the last device
{
	tp back "port stop $1" >/dev/null
	expect_match "detach" "$(tp back "port detach $1")" "Now total ports is $1"
}

# As back_unplug, for a device that created its socket and must remove it.
back_unplug_server() # NUMBER SOCKET
{
	back_unplug "$1"
	[ ! -e "$2" ] || fail "the device did not remove its socket: $2"
}

pair_quit()
{
	tp_quit guest
	tp_quit back
}

enough() { [ "$(tp_stat "$1" "$2")" -gt 1000 ]; } # PORT COUNTER

# Let traffic run until enough packets passed, on a slow machine or build too.
flow() # PORT COUNTER
{
	sleep 0.4
	wait_for 20 enough "$1" "$2"
}

# Traffic in one direction: every packet that was sent arrives, and every queue carries some.
one_way() # FROM TO
{
	tp_clear "$1" "$2"
	forward "$2" rxonly
	forward "$1" txonly
	flow "$1" TX-packets
	tp "$1" stop >/dev/null
	wait_for 15 tp_agree "$1" TX-packets "$2" RX-packets ||
		fail "$1 -> $2: sent $TP_SENT, received $TP_GOT"
	expect "$1 -> $2" "$TP_GOT" -gt 1000
	expect "$1 -> $2 bytes" "$(tp_stat "$2" RX-bytes)" -eq "$(tp_stat "$1" TX-bytes)"
	[ "${EVERY_QUEUE:-yes}" = no ] || every_queue "$2"
	tp "$2" stop >/dev/null
	measured "$1 to $2 $TP_GOT packets"
}

# Each queue carried packets, and their sum is the port's counter.
every_queue() # RECEIVER
{
	local q n sum=0
	for q in $(seq 0 $((QUEUES - 1))); do
		n=$(tp_xstat "$1" "rx_q${q}_(good_)?packets")
		expect "$1 rx queue $q" "$n" -gt 0
		sum=$((sum + n))
	done
	expect "$1: sum of the queues" "$sum" -eq "$TP_GOT"
}

# Packets circulate, then both sides must count the same.
round_trip()
{
	tp_clear guest back
	forward back io
	tp guest "set fwd io" >/dev/null
	tp guest "start tx_first 4" >/dev/null
	flow guest TX-packets
	tp guest stop >/dev/null
	wait_for 15 tp_agree guest TX-packets back RX-packets ||
		fail "guest -> back: sent $TP_SENT, received $TP_GOT"
	local there=$TP_GOT
	forward guest rxonly
	wait_for 15 tp_agree back TX-packets guest RX-packets ||
		fail "back -> guest: sent $TP_SENT, received $TP_GOT"
	expect "packets round" "$there" -gt 1000
	expect "packets back" "$TP_GOT" -gt 1000
	tp guest stop >/dev/null
	tp back stop >/dev/null
	measured "round trip $there there $TP_GOT back"
}

traffic()
{
	one_way guest back
	one_way back guest
	round_trip
}
