#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# First process of a scenario's guest: it loads drivers, sets the address and runs a shell on
# the serial line.

/bin/busybox --install -s /bin
export PATH=/bin:/sbin PS1=
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
modprobe virtio_pci
modprobe virtio_net
modprobe virtio_blk
# a guest without a SCSI host boots faster without its drivers
if grep -qs 0x0008 /sys/bus/virtio/devices/*/device; then
	modprobe virtio_scsi
	modprobe sd_mod
	modprobe sg
fi
address=$(sed -n 's/.*vm.address=\([^ ]*\).*/\1/p' /proc/cmdline)
ip link set lo up
if [ -e /sys/class/net/eth0 ]; then
	# IPv6 would send router and neighbour messages that disturb the counts.
	echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6 2>/dev/null
	ip address add "$address/24" dev eth0
	ip link set eth0 up
fi
stty -echo
echo "VM-READY $(cut -d ' ' -f 1 /proc/uptime) s"
# The serial line never ends, so each line is run as a command of its own.
while read -r line; do
	eval "$line"
done
poweroff -f
