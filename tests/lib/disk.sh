# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Disks of blk_vstate, or of scsi_vstate, for the QEMU guests of vm.sh.

# shellcheck source=tests/lib/migration.sh
. "$(dirname "${BASH_SOURCE[0]}")/migration.sh"

DISK_MIB=192
declare -A DISK_FD
# Properties of the guest's disk, and of the device.
DISK_PROPERTIES=${DISK_PROPERTIES:-}
DISK_ARGS=${DISK_ARGS:-}
QUEUES=1
# What a scenario of another class changes: device, its argument for the file, QEMU's device and its
# property for queues, the guest's disk, and an option of the guest's connection.
DISK_VDEV=blk_vstate0 DISK_KEY=path DISK_DEVICE=vhost-user-blk-pci DISK_QUEUES=num-queues DISK_NODE=/dev/vda
DISK_CONNECTION=reconnect=1

# The image lies on a file system that has O_DIRECT and deallocation, if /var/tmp is one.
disk_image()
{
	DISK_FILE=$(mktemp /var/tmp/vstate-disk.XXXXXX) || fail "no place for a disk image"
	echo "$DISK_FILE" >>"$W/plugins" # removed with the case
	truncate -s "${DISK_MIB}M" "$DISK_FILE"
}

# disk NAME [SOCKET [DEVARGS]]: a process that serves the image on socket $W/SOCKET, else $W/NAME.
disk()
{
	local name=$1 fd plugin
	[ -x "$TOOL" ] || fail "no $TOOL: run ninja first"
	plugin=$(plugin_path) || fail "no plugin to load"
	eal_options 64
	rm -f "$W/$name.in"
	mkfifo "$W/$name.in"
	exec {fd}<>"$W/$name.in"
	DISK_FD[$name]=$fd
	nice -n 19 "$TOOL" "${EAL[@]}" -s 0x2 -d "$plugin" \
		--vdev "$DISK_VDEV,iface=$W/${2:-$name},$DISK_KEY=$DISK_FILE,queues=$QUEUES${DISK_ARGS:+,$DISK_ARGS}${3:+,$3}" \
		--log-level=pmd.vdpa.vstate:info -- serve --verbose <"$W/$name.in" >>"$W/$name.out" 2>&1 {fd}>&- &
	PID["$name"]=$!
	echo "$!" >>"$W/pids"
	wait_for 20 disk_ready "$name" "${2:-$name}" || fail "$name: no socket after 20 s"
}
disk_ready() { alive "$1" || fail "$1 ended at its start"; [ -S "$W/$2" ]; }

# How often the guest has started the disks of this name.
disk_starts() { grep -c 'virtio is now ready' "$W/$1.out"; }
disk_started() { [ "$(disk_starts "$1")" -gt "$2" ]; }

disk_quit() # NAME
{
	local fd=${DISK_FD[$1]}
	echo quit >&"$fd"
	bg_end "$1" 10 || fail "$1 failed"
	exec {fd}>&-
}

# disk_guest VM SOCKET [QEMU-OPTION...]: boot a guest with this disk.
disk_guest()
{
	local name=$1 socket=$2
	shift 2
	VM_CPUS=${VM_CPUS:-$QUEUES} vm_start "$name" 192.168.9.1 "$VM_MEMORY" \
		-chardev "socket,id=c,path=$W/$socket${DISK_CONNECTION:+,$DISK_CONNECTION}" \
		-device "$DISK_DEVICE,chardev=c,$DISK_QUEUES=$QUEUES,vectors=0${DISK_PROPERTIES:+,$DISK_PROPERTIES}" \
		-qmp "unix:$W/$name.qmp,server=on,wait=off" "$@"
}

# The checker runs in the guest from here on, until check_end.
check_begin() # VM THREADS
{
	vm_must "$1" 20 "blkcheck $DISK_NODE $2 1000 >/tmp/check 2>&1 & echo \$! >/tmp/check.pid"
	wait_for 60 check_runs "$1" || fail "the checker in the guest does no operation"
}

check_runs() { vm "$1" 20 "grep -q '^running [1-9]' /tmp/check"; }

check_operations() # VM
{
	vm_lives "$1"
	vm_must "$1" 20 "tail -n 1 /tmp/check"
	sed -nE 's/.* ([0-9]+) operations.*/\1/p' <<<"$VM_OUT" | tail -n 1
}

# The checker still makes progress.
check_progress() # VM
{
	local before
	before=$(check_operations "$1") || exit 1
	wait_for 60 check_more "$1" "$before" || fail "the guest's requests do not return: $before operations"
}

check_more() { [ "$(check_operations "$1")" -gt "$2" ]; }

check_end() # VM
{
	vm_must "$1" 60 "kill \$(cat /tmp/check.pid); while kill -0 \$(cat /tmp/check.pid) 2>/dev/null; do sleep 0.1; done; tail -n 3 /tmp/check"
	expect_match "checker in the guest" "$VM_OUT" '^done [1-9][0-9]* operations, bad 0'
	measured "$(sed -n 's/^done //p' <<<"$VM_OUT" | tail -n 1)"
}
