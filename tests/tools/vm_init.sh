#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# First process of a scenario's guest: drivers, address, a shell on the serial line.

/bin/busybox --install -s /bin
export PATH=/bin PS1=
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
modprobe virtio_pci
modprobe virtio_net
address=$(sed -n 's/.*vm.address=\([^ ]*\).*/\1/p' /proc/cmdline)
ip link set lo up
if [ -e /sys/class/net/eth0 ]; then
	# No router or neighbour that nobody asked for on the wire.
	echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6 2>/dev/null
	ip address add "$address/24" dev eth0
	ip link set eth0 up
fi
stty -echo
echo "VM-READY $(cut -d ' ' -f 1 /proc/uptime) s"
# The serial line has no end of file: each line is a command.
while read -r line; do
	eval "$line"
done
poweroff -f
