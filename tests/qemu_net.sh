#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Two QEMU guests with stock Linux on two ports of one testpmd. UDP and TCP between them is
# checked byte by byte, with checksum and segmentation offloads on and off.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"
# shellcheck source=tests/lib/testpmd.sh
. "$(dirname "$0")/lib/testpmd.sh"
# shellcheck source=tests/lib/vm.sh
. "$(dirname "$0")/lib/vm.sh"

PAIRS=1
switch_options=()

# A switch of two ports. Their Tx offloads do the segmentation that a guest requests, as in an
# application with hardware offloads.
switch_start()
{
	local port
	eal_options 256
	dut "iface=$W/s0,queues=$PAIRS,tso=1" "iface=$W/s1,queues=$PAIRS,tso=1"
	tp_start switch "${DUT[@]}" -- "${switch_options[@]}" "${SCATTER[@]}" "${LRO[@]}" "--rxq=$PAIRS" "--txq=$PAIRS" --forward-mode=csum
	tp switch "port stop all" >/dev/null
	for port in 0 1; do
		tp switch "csum set tcp hw $port" >/dev/null
		tp switch "csum set udp hw $port" >/dev/null
		tp switch "csum set ip sw $port" >/dev/null
		tp switch "csum mac-swap off $port" >/dev/null
		tp switch "tso set 1460 $port" >/dev/null
	done
	tp switch "port start all" >/dev/null
	tp switch start >/dev/null
}

net_device() # SOCKET MAC PROPERTIES
{
	local pairs=queues=$PAIRS mq=
	[ "$PAIRS" -eq 1 ] || mq=,mq=on
	NET=(-chardev "socket,id=c,path=$1" -netdev "vhost-user,id=n,chardev=c,$pairs"
		# QEMU 7.2 with TCG and vhost-user crashes on MSI-X, so the device has no vectors.
		-device "virtio-net-pci,netdev=n,mac=$2,vectors=0,rx_queue_size=256$mq${3:+,$3}")
}

guests_start() # PROPERTIES
{
	vm_image
	switch_start
	net_device "$W/s0" 52:54:00:00:00:01 "$1"
	VM_CPUS=$PAIRS vm_start one 192.168.9.1 256 "${NET[@]}"
	net_device "$W/s1" 52:54:00:00:00:02 "$1"
	VM_CPUS=$PAIRS vm_start two 192.168.9.2 256 "${NET[@]}"
	vm_ready one
	vm_ready two
	vm_must two 5 "netpeer serve 7 & sleep 0"
}

udp() # WORD
{
	vm_must one 40 "netpeer udp 192.168.9.2 7 3000 1472 7"
	measured "$1 ${VM_OUT}"
}

udp_and_tcp() # WORD
{
	udp "$1"
	vm_must one 40 "netpeer tcp 192.168.9.2 7 8000000 7"
	measured "$1 ${VM_OUT}"
}

offloads() # on|off
{
	local vm what
	for vm in one two; do
		for what in csum sg tso gso gro; do
			vm_must "$vm" 5 "netpeer offload eth0 $what $1"
		done
	done
}

# The mean length of the first guest's frames in a TCP run. It exceeds the longest frame on a
# wire only if the guest leaves segmentation to the device.
WIRE_MAX=1514

mean_frame()
{
	local packets bytes
	packets=$(tp_stat switch RX-packets 0)
	bytes=$(tp_stat switch RX-bytes 0)
	echo $(((bytes - $2) / (packets - $1)))
}

tcp_frames() # OP WORD: compare the mean length with WIRE_MAX
{
	local packets bytes mean
	packets=$(tp_stat switch RX-packets 0)
	bytes=$(tp_stat switch RX-bytes 0)
	vm_must one 40 "netpeer tcp 192.168.9.2 7 8000000 7"
	mean=$(mean_frame "$packets" "$bytes")
	expect "mean frame of a TCP run" "$mean" "$1" "$WIRE_MAX"
	measured "$2 $VM_OUT, mean frame $mean"
}

traffic() # PROPERTIES
{
	guests_start "$1"
	vm_must one 10 "ping -c 2 -w 8 192.168.9.2"
	udp "offloads on:"
	tcp_frames -gt "offloads on:"
	offloads off
	udp "offloads off:"
	tcp_frames -le "offloads off:"
}

# Each processor of the guest sends on its own queue. The traffic is UDP, because a TCP connection
# changes to the queue of the processor that receives the acknowledgement.
both_queues_carry()
{
	local cpu before
	for cpu in 0 1; do
		before=$(tp_xstat switch "rx_q${cpu}_(good_)?packets" 0)
		vm_must one 40 "taskset $((1 << cpu)) netpeer udp 192.168.9.2 7 500 1472 $cpu"
		expect "packets on queue $cpu" "$(tp_xstat switch "rx_q${cpu}_(good_)?packets" 0)" \
			-ge $((before + 500))
	done
	measured "each queue of the guest carried its processor's traffic"
}

case_split() { traffic ""; }
case_packed() { traffic packed=on; }
case_split_mq() { PAIRS=2; traffic ""; both_queues_carry; }
case_packed_mq() { PAIRS=2; traffic packed=on; both_queues_carry; }

# The guest has neither offloads nor mergeable buffers.
case_plain_device()
{
	local none=csum=off,guest_csum=off,gso=off,host_tso4=off,host_tso6=off,host_ecn=off
	none+=,host_ufo=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,mrg_rxbuf=off
	guests_start "$none"
	udp "plain:"
	tcp_frames -le "plain:"
}

# The driver is reloaded three times, each time with new rings; then both guests reboot.
case_reload_and_reboot()
{
	guests_start ""
	for _ in 1 2 3; do
		vm_must one 10 "rmmod virtio_net && modprobe virtio_net && sleep 0.2 &&
			ip address add 192.168.9.1/24 dev eth0 && ip link set eth0 up"
		udp_and_tcp "reloaded:"
	done
	vm_reboot one
	udp_and_tcp "rebooted:"
	vm_must two 5 "killall netpeer; sleep 0"
	vm_reboot two
	vm_must two 5 "netpeer serve 7 & sleep 0"
	udp_and_tcp "both rebooted:"
}

case_jumbo()
{
	local vm
	switch_options=(--max-pkt-len=9018)
	guests_start "host_mtu=9000"
	for vm in one two; do
		vm_must "$vm" 5 "ip link set eth0 mtu 9000"
	done
	offloads off
	vm_must one 40 "netpeer udp 192.168.9.2 7 2000 8972 3"
	measured "8972-byte datagrams: $VM_OUT"
	vm_must one 40 "netpeer tcp 192.168.9.2 7 8000000 3"
	measured "jumbo segments: $VM_OUT"
}

# shellcheck disable=SC2046
run_cases packed-mq plain-device reload-and-reboot jumbo $(soak split packed split-mq)
