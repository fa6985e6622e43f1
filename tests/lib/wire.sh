# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The network of the migration scenarios: a network namespace of the case with a bridge, and a
# tap of each back end on that bridge. The guest's peer is a program on this machine, because its
# clock keeps running while the guest is stopped.
#
#	guest - device under test - testpmd - tap - bridge - netflow

WIRE_PEER=192.168.9.254
WIRE_PEER_MAC=52:54:00:00:00:fe
WIRE_GUEST=192.168.9.1
WIRE_GUEST_MAC=52:54:00:00:00:01
WIRE_MTU=${WIRE_MTU:-1500}
# Queue pairs of the guest and of the back end.
PAIRS=1

wire_start()
{
	wire_namespace
	"${TP_WRAP[@]}" ip link add br0 type bridge mcast_snooping 0 2>>"$W/wire.out" ||
		skip "no bridge in a network namespace: $(tail -n 1 "$W/wire.out")"
	wire_peer br0
}

wire_namespace()
{
	local user=()
	[ "$(id -u)" -eq 0 ] || user=(--map-root-user)
	command -v gcc >/dev/null || skip "no gcc"
	bg wire unshare "${user[@]}" --net sleep 1000
	wait_for 5 wire_is_apart || skip "no network namespace: $(tail -n 1 "$W/wire.out")"
	TP_WRAP=(nsenter --target "${PID[wire]}" --net --)
	[ "$(id -u)" -eq 0 ] || TP_WRAP=(nsenter --target "${PID[wire]}" --user --net --)
	"${TP_WRAP[@]}" sh -c "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
		echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6" 2>>"$W/wire.out"
	gcc -std=gnu11 -O2 -o "$W/netflow" "$VSTATE_ROOT/tests/tools/netflow.c" || fail "netflow does not compile"
}

# wire_peer INTERFACE: give the interface the address of the guest's peer
wire_peer()
{
	"${TP_WRAP[@]}" sh -e -c "
		ip link set dev $1 down
		ip link set dev $1 address $WIRE_PEER_MAC mtu $WIRE_MTU
		ip link set dev $1 up
		ip address add $WIRE_PEER/24 dev $1
		ip neighbour add $WIRE_GUEST lladdr $WIRE_GUEST_MAC dev $1" >>"$W/wire.out" 2>&1 ||
		fail "no peer on $1: $(tail -n 1 "$W/wire.out")"
}

wire_is_apart()
{
	alive wire || skip "no network namespace: $(tail -n 1 "$W/wire.out")"
	[ "$(readlink "/proc/${PID[wire]}/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

# wire_tap NAME: connect the tap to the bridge. The bridge learns from the guest's frames on which
# tap the guest is. If it flooded instead, a late back end would deliver to the guest frames that
# the guest already received at the source.
wire_tap()
{
	"${TP_WRAP[@]}" ip link set dev "$1" mtu "$WIRE_MTU" master br0 up || fail "no tap $1"
}

# Socket of all back ends of one guest, if each back end replaces the previous one. Empty: $W/NAME.
DEVICE_SOCKET=

# backend NAME DEVARGS: start a testpmd between the socket and tap NAME.
backend()
{
	local socket=${DEVICE_SOCKET:-$W/$1}
	eal_options 256
	dut "iface=$socket,queues=$PAIRS${2:+,$2}"
	tp_start "$1" "${DUT[@]}" --vdev "net_tap0,iface=$1" -- "--rxq=$PAIRS" "--txq=$PAIRS" \
		--disable-device-start --disable-link-check --no-flush-rx
	# A large frame takes several mbufs, from either side.
	tp "$1" "port config 1 rx_offload scatter on" >/dev/null
	[ "$VSTATE_VDEV" = net_vhost ] || tp "$1" "port config 0 rx_offload scatter on" >/dev/null
	[ "$VSTATE_VDEV" = net_vhost ] || tp "$1" "port config mtu 0 $WIRE_MTU" >/dev/null
	tp "$1" "port start all" >/dev/null
	# The tap comes first: a process that takes a device over sends frames as soon as it polls.
	wire_tap "$1"
	tp "$1" start >/dev/null
}

# Start two back ends in one testpmd, with sockets and taps of these names.
backends_in_one() # NAME NAME
{
	eal_options 256
	dut
	tp_start both "${DUT[@]}" --vdev "${VSTATE_VDEV}0,iface=$W/$1,queues=$PAIRS" --vdev "net_tap0,iface=$1" \
		--vdev "${VSTATE_VDEV}1,iface=$W/$2,queues=$PAIRS" --vdev "net_tap1,iface=$2" \
		-- "--rxq=$PAIRS" "--txq=$PAIRS" --auto-start
	wire_tap "$1"
	wire_tap "$2"
}

# ---- traffic ----

FLOW_RATE=${FLOW_RATE:-1000}
FLOW_SIZE=${FLOW_SIZE:-1400}
# Size of datagrams to the guest. It exceeds FLOW_SIZE if net_tap cannot send large frames.
FLOW_PEER_SIZE=${FLOW_PEER_SIZE:-$FLOW_SIZE}

# flow_start GUEST [hold]: start both ends. With hold the guest reads nothing until flow_release.
flow_start()
{
	# The peer waits: neither end may send before the other listens.
	bg flow "${TP_WRAP[@]}" "$W/netflow" 2 1 "$WIRE_GUEST" 7000 "$PAIRS" "$FLOW_RATE" \
		"$FLOW_PEER_SIZE" "$FLOW_SIZE" wait
	vm_must "$1" 10 "arp -s $WIRE_PEER $WIRE_PEER_MAC; ip link set eth0 mtu $WIRE_MTU;
		{ netflow 1 2 $WIRE_PEER 7000 $PAIRS $FLOW_RATE $FLOW_SIZE $FLOW_PEER_SIZE ${2:-} >/tmp/flow 2>&1;
		[ \$? -lt 128 ] || echo VM-DIED netflow \$?; } & sleep 0.2"
	kill -USR1 "${PID[flow]}"
}

flow_release() { vm_must "$1" 5 "killall -USR1 netflow"; }

# flow_mark GUEST: set FLOW[out.gap] and FLOW[in.hole], in us by the peer's clock, since the last
# mark. out.gap: the longest time without a datagram from the guest. in.hole: the longest time
# whose datagrams to the guest are missing.
flow_mark()
{
	local marks
	marks=$(grep -c '^mark:' "$W/flow.out")
	kill -USR2 "${PID[flow]}"
	wait_for 5 flow_marked "$marks" || fail "netflow: no mark"
	FLOW[out.gap]=$(sed -n 's/^mark: gap \([0-9]*\) us.*/\1/p' "$W/flow.out" | tail -n 1)
	vm_must "$1" 10 "n=\$(grep -c ^mark: /tmp/flow); killall -USR2 netflow;
		while [ \$(grep -c ^mark: /tmp/flow) -eq \$n ]; do usleep 20000; done; grep ^mark: /tmp/flow"
	FLOW[in.hole]=$(tail -n 1 <<<"$VM_OUT" | sed -n 's/^mark: .*hole \([0-9]*\) us.*/\1/p')
}

flow_marked() { [ "$(grep -c '^mark:' "$W/flow.out")" -gt "$1" ]; }

# flow_stop GUEST: end both; set FLOW[guest.sent], FLOW[peer.holes] and so on from their reports.
declare -A FLOW
flow_stop()
{
	kill "${PID[flow]}"
	vm_lives "$1"
	vm_must "$1" 5 "killall netflow"
	bg_end flow 20 || fail "netflow: exit status $?"
	flow_report peer "$(grep '^flow:' "$W/flow.out" | tail -n 1)"
	vm_must "$1" 20 "while killall -0 netflow 2>/dev/null; do sleep 0.1; done; cat /tmp/flow"
	flow_report guest "$(grep '^flow:' <<<"$VM_OUT")"
	FLOW[out.lost]=$((${FLOW[guest.sent]} - ${FLOW[peer.received]}))
	FLOW[in.lost]=$((${FLOW[peer.sent]} - ${FLOW[guest.received]}))
}

flow_report() # WHO REPORT
{
	local words i
	read -r -a words <<<"${2#flow: }"
	[ ${#words[@]} -gt 12 ] || fail "no report of the $1's netflow: $2"
	for ((i = 0; i + 1 < ${#words[@]}; i++)); do
		[[ ${words[i]} =~ ^[a-z]+$ && ${words[i + 1]} =~ ^[0-9]+$ ]] &&
			FLOW[$1.${words[i]}]=${words[i + 1]}
	done
}

flow_print()
{
	measured "out: sent ${FLOW[guest.sent]} lost ${FLOW[out.lost]} duplicated ${FLOW[peer.duplicated]}" \
		"corrupted ${FLOW[peer.corrupted]} reordered ${FLOW[peer.reordered]} largest gap ${FLOW[peer.gap]} ms"
	measured "in: sent ${FLOW[peer.sent]} lost ${FLOW[in.lost]} in ${FLOW[guest.holes]} holes" \
		"duplicated ${FLOW[guest.duplicated]} corrupted ${FLOW[guest.corrupted]}" \
		"reordered ${FLOW[guest.reordered]} largest hole ${FLOW[guest.hole]} ms"
}

# Traffic flowed, and no datagram was duplicated, corrupted or reordered.
flow_intact()
{
	local who
	flow_print
	if [ "${FLOW[peer.resent]}" -ne 0 ]; then
		echo "the guest's program sent ${FLOW[peer.resent]} datagrams twice" >"$W/resent"
	fi
	for who in guest peer; do
		expect "received by the $who" "${FLOW[$who.received]}" -gt 100
		expect "duplicated at the $who" "${FLOW[$who.duplicated]}" -eq 0
		expect "sent twice to the $who" "${FLOW[$who.resent]}" -eq 0
		expect "corrupted at the $who" "${FLOW[$who.corrupted]}" -eq 0
		# Order is kept only within a queue, and the tap's kernel moves flows between queues.
		[ "$PAIRS" -gt 1 ] || expect "reordered at the $who" "${FLOW[$who.reordered]}" -eq 0
	done
}

# As flow_intact, and every datagram of the guest arrived. Datagrams to a stopped guest are lost:
# testpmd does not keep a frame that a port does not take.
flow_check()
{
	flow_intact
	expect "lost of what the guest sent" "${FLOW[out.lost]}" -eq 0
}
