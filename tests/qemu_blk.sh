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

# The firmware reads a boot sector, and the sector behind it: it uses queue 0 only.
boots_from_disk() # QEMU
{
	if ! as --32 -o "$W/boot.o" "$VSTATE_ROOT/tests/tools/boot.S" ||
			! ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$W/boot.bin" "$W/boot.o"; then
		skip "no assembler for a boot sector"
	fi
	dd if="$W/boot.bin" of="$DISK_FILE" conv=notrunc status=none
	nice -n 10 "$1" -nodefaults -no-user-config -display none -machine q35 -accel tcg -m 64 \
		-object memory-backend-memfd,id=mem,size=64M,share=on -machine memory-backend=mem \
		-chardev stdio,id=tty -serial chardev:tty -chardev "socket,id=c,path=$W/a,reconnect=1" \
		-device "vhost-user-blk-pci,chardev=c,num-queues=$QUEUES,vectors=0,bootindex=0" </dev/null >>"$W/boot.out" 2>&1 &
	PID[boot]=$!
	echo "$!" >>"$W/pids"
	wait_for 60 has boot '^VSTATE-BOOTED' || fail "the firmware does not boot from the disk: $(tail -n 2 "$W/boot.out")"
	bg_kill boot
	dd if=/dev/zero of="$DISK_FILE" bs=1024 count=1 conv=notrunc status=none
}

guest_size() { vm_must "$1" 20 "cat /sys/block/vda/size"; grep -oE '[0-9]{5,}' <<<"$VM_OUT" | tail -n 1; }
guest_has_size() { [ "$(guest_size "$1")" -eq $((DISK_MIB * 2048)) ]; }

# The guest sees the new capacity without a reboot, and uses the new blocks.
disk_grows() # VM
{
	wait_for 30 guest_has_size "$1" || fail "the guest sees $(guest_size "$1") sectors, not $((DISK_MIB * 2048))"
	vm_must "$1" 20 "blockdev --getsize64 /dev/vda; dd if=/dev/urandom of=/tmp/block bs=4096 count=1 2>/dev/null"
	expect_match "bytes in the guest" "$VM_OUT" "^$((DISK_MIB * 1048576))"
	vm_must "$1" 20 "dd if=/tmp/block of=/dev/vda bs=4096 seek=$((DISK_MIB * 256 - 1)) oflag=direct 2>/dev/null && dd if=/dev/vda bs=4096 skip=$((DISK_MIB * 256 - 1)) iflag=direct of=/tmp/back 2>/dev/null && cmp /tmp/block /tmp/back"
}

# Four queues: the firmware uses one, and a guest with two processors uses two.
queues() # QEMU
{
	QUEUES=4 VM_CPUS=2
	vm_image
	disk_image
	disk a
	boots_from_disk "$1"
	QEMU=$1 disk_guest one a
	vm_ready one
	vm_must one 10 "ls /sys/block/vda/mq | wc -l"
	expect_match "queues of the guest" "$VM_OUT" '^2'
	check_begin one 8
	DISK_MIB=$((DISK_MIB + 64))
	truncate -s "${DISK_MIB}M" "$DISK_FILE"
	disk_grows one
	check_end one
	vm_reboot one
	check_begin one 8
	check_end one
	# the file grows while no process serves it
	bg_kill a
	DISK_MIB=$((DISK_MIB + 64))
	truncate -s "${DISK_MIB}M" "$DISK_FILE"
	disk a
	disk_grows one
}

case_queues() { queues qemu-system-x86_64; }
case_queues_new() { qemu_backports; queues "$QEMU_NEW"; }

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
	qmp_await two
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

run_cases split packed queues queues-new migrate-split migrate-packed migrate-new kill-split kill-packed kill-uring upgrade-split upgrade-packed
