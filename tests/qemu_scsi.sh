#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A QEMU guest with stock Linux and a SCSI host of scsi_vstate, whose logical unit is the disk
# /dev/sda. A checker in the guest writes blocks with sequence numbers and reads them again, while
# the back end is killed, replaced or moved.

# shellcheck source=tests/lib/disk.sh
. "$(dirname "$0")/lib/disk.sh"

DISK_VDEV=scsi_vstate0 DISK_KEY=lun0 DISK_DEVICE=vhost-user-scsi-pci DISK_QUEUES=num_queues DISK_NODE=/dev/sda
# With QEMU 7.2, vhost-user-scsi does not wait for a connection that is made later.
DISK_CONNECTION=

# The kernel scans its SCSI hosts while the shell runs already.
guest_has_disk() { vm "$1" 20 "test -b $DISK_NODE"; }
scsi_ready() # VM
{
	vm_ready "$1"
	wait_for 60 guest_has_disk "$1" || fail "$1: no $DISK_NODE"
}

# SCSI commands of sg3-utils, as a user runs them.
commands() # VM
{
	vm "$1" 10 "command -v sg_inq" >/dev/null || { measured "no sg3-utils in the guest"; return; }
	vm_must "$1" 20 "sg_inq $DISK_NODE; sg_vpd -p sn $DISK_NODE; sg_vpd -p bl $DISK_NODE; sg_vpd -p lbpv $DISK_NODE"
	expect_match "sg_inq" "$VM_OUT" 'Vendor identification: VSTATE'
	expect_match "sg_vpd, serial number" "$VM_OUT" 'Unit serial number: vstate-0'
	expect_match "sg_vpd, block limits" "$VM_OUT" 'Maximum unmap LBA count: 4194304'
	expect_match "sg_vpd, provisioning" "$VM_OUT" 'Unmap command supported \(LBPU\): 1'
	vm_must "$1" 20 "sg_luns $DISK_NODE; sg_readcap --long $DISK_NODE; sg_turs $DISK_NODE"
	expect_match "sg_luns" "$VM_OUT" '0000000000000000'
	expect_match "sg_readcap" "$VM_OUT" "Last LBA=$((DISK_MIB * 2048 - 1)) "
	# block 8 is written, and unmapped; blocks 16 and 17 become copies of a block
	vm_must "$1" 30 "dd if=/dev/urandom of=/tmp/r bs=4096 count=1 2>/dev/null; dd if=/tmp/r of=$DISK_NODE bs=4096 seek=1 oflag=direct 2>/dev/null && sg_unmap --lba=8 --num=8 --force $DISK_NODE && dd if=$DISK_NODE bs=4096 skip=1 count=1 iflag=direct of=/tmp/z 2>/dev/null && head -c 4096 /dev/zero | cmp - /tmp/z"
	vm_must "$1" 30 "head -c 512 /tmp/r >/tmp/b; sg_write_same --16 --in=/tmp/b --lba=16 --num=2 $DISK_NODE && dd if=$DISK_NODE bs=512 skip=16 count=2 iflag=direct of=/tmp/z 2>/dev/null && cat /tmp/b /tmp/b | cmp - /tmp/z"
	# the kernel sends a LOGICAL UNIT RESET on the control queue, and gets a unit attention
	vm_must "$1" 30 "sg_reset --device $DISK_NODE; sg_turs $DISK_NODE || sg_turs $DISK_NODE"
	measured "commands of sg3-utils"
}

# A file system in the guest: made, written, checked, and read again.
boots()
{
	vm_image
	disk_image
	disk a
	disk_guest one a
	scsi_ready one
	vm_must one 10 "cat /sys/block/sda/size /sys/block/sda/device/vendor /sys/block/sda/queue/write_cache; echo"
	expect_match "disk in the guest" "$VM_OUT" "^$((DISK_MIB * 2048))"
	expect_match "vendor in the guest" "$VM_OUT" "VSTATE"
	expect_match "write cache in the guest" "$VM_OUT" "write back"
	commands one
	vm_must one 60 "/sbin/mke2fs -q -F -t ext4 $DISK_NODE && mkdir -p /mnt && mount -t ext4 -o discard $DISK_NODE /mnt"
	vm_must one 60 "dd if=/dev/urandom of=/mnt/a bs=1M count=8 2>/dev/null && cp /mnt/a /mnt/b && sync && rm /mnt/a && sync"
	vm_must one 60 "md5sum /mnt/b >/tmp/sum && umount /mnt && e2fsck -fn $DISK_NODE"
	vm_must one 60 "mount -t ext4 $DISK_NODE /mnt && md5sum -c /tmp/sum && umount /mnt"
	check_begin one 16
	sleep 1
	vm_must one 30 "if command -v sg_reset; then sg_reset --device $DISK_NODE; fi"
	check_progress one
	# Linux has no buffers for events without HOTPLUG: it gets a unit attention, and scans again
	DISK_MIB=$((DISK_MIB + 64))
	truncate -s "${DISK_MIB}M" "$DISK_FILE"
	wait_for 60 guest_has_size one || fail "the guest does not see the new capacity"
	check_end one
}

guest_has_size() { vm "$1" 20 "echo 1 >/sys/block/sda/device/rescan; grep -qx $((DISK_MIB * 2048)) /sys/block/sda/size"; }

case_boot() { boots; }

# The guest, with commands under way, moves from one back end to the other.
moves() # FROM-QEMU TO-QEMU
{
	vm_image
	disk_image
	disk a
	disk b
	QEMU=$1 disk_guest one a
	scsi_ready one
	check_begin one 16
	QEMU=$2 disk_guest two b -incoming defer
	qmp_await two
	migrate one two
	vm_gone one
	check_progress two
	check_end two
}

case_migrate() { DISK_ARGS=delay-us=3000,reorder=1; moves qemu-system-x86_64 qemu-system-x86_64; }
case_migrate_new() { qemu_backports; DISK_ARGS=delay-us=3000,reorder=1; moves "$QEMU_NEW" "$QEMU_NEW"; }

# The back end is killed with commands under way, and started again. QEMU 7.2 does not connect its
# vhost-user-scsi again.
killed() # KILLS
{
	local kill starts
	qemu_backports
	vm_image
	disk_image
	disk a
	DISK_CONNECTION=reconnect=1 QEMU=$QEMU_NEW disk_guest one a
	scsi_ready one
	check_begin one 16
	for ((kill = 1; kill <= $1; kill++)); do
		sleep 0.7
		bg_kill a
		starts=$(disk_starts a)
		disk a
		wait_for 30 disk_started a "$starts" || fail "QEMU does not connect again after kill $kill"
		check_progress one
	done
	check_end one
	measured "after $1 kills, $(grep -c 'buffers in flight, by the in-flight region' "$W/a.out") times by the in-flight region"
}

case_kill() { DISK_ARGS=delay-us=2000,reorder=1; killed 3; }
case_many_kills() { DISK_ARGS=delay-us=2000,reorder=1; killed 30; }

# Another process takes the device over.
upgraded() # PROCESS...
{
	local from=a to
	vm_image
	disk_image
	mkdir -m 700 "$W/state"
	disk a a "state_dir=$W/state,takeover=1"
	disk_guest one a
	scsi_ready one
	check_begin one 16
	for to; do
		disk "$to" a "state_dir=$W/state,takeover=1"
		check_progress one
		disk_quit "$from"
		from=$to
	done
	check_end one
}

case_upgrade() { DISK_ARGS=delay-us=2000,reorder=1; upgraded b c; }
case_many_upgrades() { DISK_ARGS=delay-us=2000,reorder=1; upgraded b c d e f g h i j k; }

# Packed rings.
case_boot_packed() { DISK_PROPERTIES=packed=on; case_boot; }
case_migrate_packed() { DISK_PROPERTIES=packed=on; case_migrate; }
case_kill_packed() { DISK_PROPERTIES=packed=on; case_kill; }
case_upgrade_packed() { DISK_PROPERTIES=packed=on; case_upgrade; }

# shellcheck disable=SC2046 # names without blanks
run_cases boot migrate kill upgrade $(soak boot-packed migrate-packed kill-packed upgrade-packed migrate-new many-kills many-upgrades)
