#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The distribution's OVS-DPDK with ports of the device. A virtio-user or QEMU guest exchanges
# traffic with a guest on a dpdkvhostuserclient port. A QEMU guest moves between two ports. Ports
# and ovs-vswitchd are removed and restarted while their guest stays.

# shellcheck source=tests/lib/migration.sh
. "$(dirname "$0")/lib/migration.sh"
# shellcheck source=tests/lib/ovs_lib.sh
. "$(dirname "$0")/lib/ovs_lib.sh"

switch_start()
{
	command -v dpkg-deb >/dev/null || skip "no dpkg"
	ovs_packages
	wire_namespace
	ovs_start
}

# A testpmd whose virtio-user port owns the socket, like a QEMU guest that outlives the switch.
user_guest() # NAME ARGUMENTS
{
	eal_options 256
	tp_launch "$1" --vdev "net_virtio_user0,path=$W/$1,queues=1,queue_size=256,server=1,$2" \
		-- --rxq=1 --txq=1
}

# Two guests, each on its own port: all counters agree on what one sends and the other receives.
case_guests()
{
	switch_start
	user_guest vm1 packed_vq=1,mrg_rxbuf=1
	user_guest vm2 packed_vq=0,mrg_rxbuf=1
	wait_for 10 test -S "$W/vm1" || fail "vm1: no socket"
	wait_for 10 test -S "$W/vm2" || fail "vm2: no socket"
	ovs_port vm1 0
	ovs_own_port vm2
	wait_for 20 tp_ready vm1 || fail "vm1: testpmd did not start"
	wait_for 20 tp_ready vm2 || fail "vm2: testpmd did not start"
	tp_link_up vm1
	tp_link_up vm2
	one_way vm1 vm2
	one_way vm2 vm1
	counted
	wait_for 20 database_agrees || fail "ovs-vsctl: $(vsctl get Interface vm1 statistics)"
	mtu_change
	delete_and_add
	switch_restart
	tp_quit vm1
	tp_quit vm2
	vswitchd_stop
}

# In short bursts: the switch shares its processor and must keep up.
one_way() # FROM TO
{
	tp_clear "$1" "$2"
	forward "$2" rxonly
	for _ in 1 2 3 4 5; do
		tp "$1" "set fwd txonly" >/dev/null
		tp "$1" start >/dev/null
		sleep 0.02
		tp "$1" stop >/dev/null
	done
	# Packets that wait in the switch still arrive. If the guest stopped they would stay in its ring.
	wait_for 20 tp_at_rest "$2" || fail "$2: packets keep arriving"
	tp "$2" stop >/dev/null
	expect "packets $1 -> $2" "$(tp_stat "$2" RX-packets)" -gt 100
	measured "$1 -> $2 sent $(tp_stat "$1" TX-packets) received $(tp_stat "$2" RX-packets)"
}

port_packets() { ovs_counter "$1" "$2_packets"; }

# Packets that the poll threads and the main thread received since the statistics were cleared.
pmd_received()
{
	appctl dpif-netdev/pmd-stats-show | sed -nE 's/^ *packets received: *//p' |
		awk '{ n += $1 } END { print n + 0 }'
}

# live PORT RX|TX packets|bytes|dropped: print the current counter of the datapath
live()
{
	appctl dpctl/show -s netdev@ovs-netdev | awk -v port="$1" -v way="$2" -v counter="$3:" '
		/^ *port [0-9]+:/ { here = $3 == port }
		here { for (i = 1; i <= NF; i++) {
			# OVS 3.5 adds a line "Upcall packets:? dropped:?".
			if ($i == "RX" || $i == "TX" || $i == "Upcall") now = $i
			if (now == way && index($i, counter) == 1) print substr($i, length(counter) + 1)
		} }'
}

COUNTERS='vm1.rx.packets vm1.rx.bytes vm2.tx.packets vm2.tx.dropped'
declare -A MARK SINCE

counters_mark()
{
	local name port way counter
	for name in $COUNTERS; do
		IFS=. read -r port way counter <<<"$name"
		MARK[$name]=$(live "$port" "${way^^}" "$counter")
	done
	appctl dpif-netdev/pmd-stats-clear >/dev/null
}

# Set SINCE to the increase of each counter since counters_mark.
counters_since()
{
	local name port way counter now
	for name in $COUNTERS; do
		IFS=. read -r port way counter <<<"$name"
		now=$(live "$port" "${way^^}" "$counter")
		SINCE[$name]=$((now - MARK[$name]))
	done
}

counters_agree()
{
	counters_since
	[ "${SINCE[vm1.rx.packets]}" -eq "$(tp_stat vm1 TX-packets)" ] &&
		[ "${SINCE[vm2.tx.packets]}" -eq "$(tp_stat vm2 RX-packets)" ]
}

# The counters reach the database some seconds later.
database_agrees()
{
	[ "$(port_packets vm1 rx)" = "$(live vm1 RX packets)" ] &&
		[ "$(ovs_counter vm1 rx_bytes)" = "$(live vm1 RX bytes)" ] &&
		[ "$(port_packets vm2 tx)" = "$(live vm2 TX packets)" ]
}

# The port received what the guest sent, in packets and bytes. The poll thread counts the same
# number. Packets that did not reach the other guest are counted as dropped.
counted()
{
	local sent drops
	counters_mark
	one_way vm1 vm2
	sent=$(tp_stat vm1 TX-packets)
	wait_for 20 counters_agree || fail "port vm1 received ${SINCE[vm1.rx.packets]}, its guest sent $sent;" \
		"port vm2 sent ${SINCE[vm2.tx.packets]}, its guest received $(tp_stat vm2 RX-packets)"
	drops=${SINCE[vm2.tx.dropped]}
	expect "bytes received by port vm1" "${SINCE[vm1.rx.bytes]}" -eq "$(tp_stat vm1 TX-bytes)"
	expect "sent and dropped by port vm2" $((${SINCE[vm2.tx.packets]} + drops)) -eq "$sent"
	expect "packets received by the poll threads" "$(pmd_received)" -eq "$sent"
	expect_match "the port's queue" "$(appctl dpif-netdev/pmd-rxq-show)" 'port: vm1 +queue-id: +0 +\(enabled\)'
	measured "by every counter $sent sent, $((sent - drops)) received, $drops dropped"
}

# The MTU reaches the database a moment later.
port_has_mtu() { [ "$(vsctl get Interface vm1 mtu)" = "$1" ]; }

mtu_change()
{
	vsctl_must set Interface vm1 mtu_request=4000
	wait_for 10 port_has_mtu 4000 || fail "MTU of the port: $(vsctl get Interface vm1 mtu)"
	expect_match "error of port vm1" "$(vsctl get Interface vm1 error)" '^\[\]$'
	one_way vm1 vm2
	vsctl_must set Interface vm1 mtu_request=1500
	wait_for 10 port_has_mtu 1500 || fail "MTU of the port: $(vsctl get Interface vm1 mtu)"
	one_way vm2 vm1
}

delete_and_add()
{
	for _ in 1 2; do
		vsctl_must del-port br0 vm1
		ovs_port vm1 0
		tp_link_up vm1
		counted
	done
	measured "port deleted and added twice"
}

port_link() { [ "$(vsctl get Interface vm1 link_state)" = "$1" ]; }

# Restart ovs-vswitchd; the guests keep running.
switch_restart()
{
	vswitchd_stop
	# OVS writes "down" when it adds the port. If the link comes up before the database has
	# answered, OVS compares with the old value "up" and does not write it, so "down" would stay.
	vsctl_must --no-wait clear Interface vm1 link_state
	vswitchd_start
	tp_link_up vm1
	tp_link_up vm2
	wait_for 10 port_link up || fail "link_state of port vm1: $(vsctl get Interface vm1 link_state)"
	one_way vm2 vm1
	counted
	measured "ovs-vswitchd restarted"
}

# ---- control from outside ----

ctl() { timeout 60 "$TOOL" ctl "$W/ctl" "$@" 2>&1 </dev/null; }

# Run the command and keep it and its output for the guide.
ctl_shown()
{
	{ echo "$ dpdk-test-vdpa ctl /run/vm1.ctl $*"; ctl "$@"; } >"$W/shown" || fail "ctl $*: $(tail -n 1 "$W/shown")"
	cat "$W/shown" >>"$W/transcript"
}

# A guest sends while its port is suspended, saved and resumed from outside. The port receives every
# packet, and OVS does not notice.
case_control()
{
	switch_start
	user_guest vm1 packed_vq=1,mrg_rxbuf=1
	user_guest vm2 packed_vq=0,mrg_rxbuf=1
	wait_for 10 test -S "$W/vm1" || fail "vm1: no socket"
	wait_for 10 test -S "$W/vm2" || fail "vm2: no socket"
	ovs_port vm1 0 "control=$W/ctl"
	ovs_own_port vm2
	wait_for 20 tp_ready vm1 || fail "vm1: testpmd did not start"
	wait_for 20 tp_ready vm2 || fail "vm2: testpmd did not start"
	tp_link_up vm1
	tp_link_up vm2
	bg watch "$TOOL" ctl "$W/ctl" watch
	tp_clear vm1 vm2
	counters_mark
	forward vm2 rxonly
	tp vm1 "set fwd flowgen" >/dev/null
	tp vm1 start >/dev/null
	ctl_shown list
	for _ in 1 2 3; do
		ctl_shown suspend
		ctl_shown save "$W/state"
		ctl_shown list
		ctl_shown resume
		sleep 0.2
	done
	ctl_shown show
	tp vm1 stop >/dev/null
	wait_for 20 vm1_port_agrees || fail "port vm1 received ${SINCE[vm1.rx.packets]}, its guest sent $(tp_stat vm1 TX-packets)"
	expect "packets" "${SINCE[vm1.rx.packets]}" -gt 100
	expect "events" "$(grep -cE ' (suspended|resumed)' "$W/watch.out")" -ge 5
	measured "3 suspends, ${SINCE[vm1.rx.packets]} packets sent and received by the port"
	tp_quit vm1
	tp_quit vm2
	vswitchd_stop
}

vm1_port_agrees()
{
	counters_since
	[ "${SINCE[vm1.rx.packets]}" -eq "$(tp_stat vm1 TX-packets)" ]
}

# ---- two QEMU guests ----

vm_frames() { vm "$1" 5 "cat /sys/class/net/eth0/statistics/$2_packets"; } # VM rx|tx

# True if the counters of all frames since the ports were added agree: a port received what its
# guest sent, and the other port sent each frame to its guest or counted it as dropped. WAY holds
# the numbers.
way_agrees() # FROM TO
{
	local sent from to drops got
	sent=$(vm_frames "$1" tx) from=$(live "$1" RX packets)
	to=$(live "$2" TX packets) drops=$(live "$2" TX dropped) got=$(vm_frames "$2" rx)
	WAY="$1 sent $sent, its port received $from, port $2 sent $to and dropped $drops, $2 received $got"
	CARRIED=$from
	[ "$sent" = "$from" ] && [ "$from" = "$((to + drops))" ] && [ "$to" = "$got" ]
}

# carries FRAMES COMMAND: run COMMAND in vm1; at least FRAMES frames pass in each direction.
carries()
{
	local there back
	there=$(live vm1 RX packets) back=$(live vm2 RX packets)
	vm_must vm1 60 "$2"
	measured "$(tail -n 1 <<<"$VM_OUT")"
	wait_for 10 way_agrees vm1 vm2 || fail "$WAY"
	expect "frames there" $((CARRIED - there)) -ge "$1"
	wait_for 10 way_agrees vm2 vm1 || fail "$WAY"
	expect "frames back" $((CARRIED - back)) -ge "$1"
}

qemu_guests() # PROPERTIES PROPERTIES COMMAND: COMMAND adds the port of the second guest
{
	SOCKET_SIDE=server
	vm_image
	switch_start
	ovs_port vm1 0
	"$3" vm2 1
	DEVICE_PROPERTIES=$1 guest vm1 vm1
	DEVICE_PROPERTIES=$2 WIRE_GUEST=192.168.9.2 WIRE_GUEST_MAC=52:54:00:00:00:02 guest vm2 vm2
	vm_ready vm1
	vm_ready vm2
	vm_must vm2 5 "netpeer serve 7 & sleep 0"
	carries 3 "ping -c 3 -w 15 192.168.9.2"
	carries 1000 "netpeer udp 192.168.9.2 7 1000 1472 7"
	carries 2800 "netpeer tcp 192.168.9.2 7 4000000 7"
	measured "$WAY"
	wait_for 20 database_agrees || fail "ovs-vsctl: $(vsctl get Interface vm1 statistics)"
	vswitchd_stop
}

case_qemu_guests() { qemu_guests packed=on '' ovs_own_port; }
case_qemu_guests_two_devices() { qemu_guests '' packed=on ovs_port; }

# ---- a QEMU guest that moves ----

# A QEMU guest moves from one port of the switch to another. Its peer is on the bridge interface.
migrates() # DEVICE-PROPERTIES
{
	vm_image
	qemu_reliable
	switch_start
	DEVICE_PROPERTIES=$1 SOCKET_SIDE=server
	ovs_port a 0
	ovs_port b 1
	wire_peer br0
	source_boot
	guest_waits two b
	migrate one two
	arrive two
	vm_gone two
	vswitchd_stop
}

case_migration_split() { migrates ''; }
case_migration_packed() { migrates packed=on; }

# shellcheck disable=SC2046 # names without blanks
run_cases guests control qemu-guests migration-packed $(soak qemu-guests-two-devices migration-split)
