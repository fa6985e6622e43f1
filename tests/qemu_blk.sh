#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A QEMU guest with stock Linux and a disk of blk_vstate. A checker in the guest writes blocks with
# sequence numbers and reads them again, while the back end is killed, replaced or moved.

# shellcheck source=tests/lib/disk.sh
. "$(dirname "$0")/lib/disk.sh"

# A file system in the guest: made, written, checked, and read again.
boots()
{
	vm_image
	disk_image
	disk a
	disk_guest one a
	vm_ready one
	vm_must one 10 "cat /sys/block/vda/size /sys/block/vda/queue/logical_block_size /sys/block/vda/serial; echo"
	expect_match "disk in the guest" "$VM_OUT" "^$((DISK_MIB * 2048))"
	expect_match "serial in the guest" "$VM_OUT" "vstate"
	vm_must one 60 "/sbin/mke2fs -q -F -t ext4 /dev/vda && mkdir -p /mnt && mount -t ext4 -o discard /dev/vda /mnt"
	vm_must one 60 "dd if=/dev/urandom of=/mnt/a bs=1M count=16 2>/dev/null && cp /mnt/a /mnt/b && sync && rm /mnt/a && sync"
	vm_must one 60 "md5sum /mnt/b >/tmp/sum && umount /mnt && e2fsck -fn /dev/vda"
	vm_must one 60 "mount -t ext4 /dev/vda /mnt && md5sum -c /tmp/sum && umount /mnt"
	check_begin one 16
	sleep 2
	check_end one
	vm_must one 20 "echo s >/proc/sysrq-trigger; sync"
	vm_reboot one
	check_begin one 4
	check_end one
}

case_split() { boots; }
case_packed() { DISK_PROPERTIES=packed=on; boots; }

# The guest, with requests under way, moves from one back end to the other.
moves() # FROM-QEMU TO-QEMU
{
	vm_image
	disk_image
	disk a
	disk b
	QEMU=$1 disk_guest one a
	vm_ready one
	check_begin one 16
	QEMU=$2 disk_guest two b -incoming defer
	wait_for 20 vm_has_qmp two || fail "two: QEMU did not start"
	migrate one two
	vm_gone one
	check_progress two
	check_end two
}

# A slow store, so that requests are under way at each stop.
case_migrate_split() { DISK_ARGS=delay-us=3000,reorder=1; moves qemu-system-x86_64 qemu-system-x86_64; }
case_migrate_packed() { DISK_ARGS=delay-us=3000,reorder=1 DISK_PROPERTIES=packed=on; moves qemu-system-x86_64 qemu-system-x86_64; }
case_migrate_new()
{
	qemu_backports
	DISK_ARGS=delay-us=3000,reorder=1 DISK_PROPERTIES=packed=on
	moves "$QEMU_NEW" "$QEMU_NEW"
}

# The back end is killed with requests under way, and started again.
killed()
{
	local kill starts
	vm_image
	disk_image
	disk a
	disk_guest one a
	vm_ready one
	check_begin one 16
	for kill in 1 2 3 4 5; do
		sleep 0.7
		bg_kill a
		starts=$(disk_starts a)
		disk a
		# QEMU 7.2 never comes back if its next connection ends at once
		wait_for 30 disk_started a "$starts" || fail "QEMU does not connect again after kill $kill"
		check_progress one
	done
	check_end one
	measured "after $kill kills, $(grep -c 'buffers in flight, by the in-flight region' "$W/a.out") times by the in-flight region"
}

case_kill_split() { DISK_ARGS=delay-us=2000,reorder=1; killed; }
case_kill_packed() { DISK_ARGS=delay-us=2000,reorder=1 DISK_PROPERTIES=packed=on; killed; }
case_kill_uring() { killed; }

# Another process takes the device over.
upgraded()
{
	local from=a to turn
	vm_image
	disk_image
	mkdir -m 700 "$W/state"
	disk a a "state_dir=$W/state,takeover=1"
	disk_guest one a
	vm_ready one
	check_begin one 16
	for turn in b c d e; do
		to=$turn
		disk "$to" a "state_dir=$W/state,takeover=1"
		check_progress one
		disk_quit "$from"
		from=$to
	done
	check_end one
}

case_upgrade_split() { DISK_ARGS=delay-us=2000,reorder=1; upgraded; }
case_upgrade_packed() { DISK_ARGS=delay-us=2000,reorder=1 DISK_PROPERTIES=packed=on; upgraded; }

run_cases split packed migrate-split migrate-packed migrate-new kill-split kill-packed kill-uring upgrade-split upgrade-packed
