# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# QEMU guests of the scenario tests: the distribution's stock cloud kernel, an
# initramfs of busybox and netpeer, and a shell on the serial line. TCG instead of KVM: a nested
# KVM may not boot a stock kernel, and TCG needs nothing from the host.

declare -A VM_FD
VM_DIR=$VSTATE_CACHE/vm

# ---- the image, built once ----

# Unpack the stock kernel as $VM_DIR/kernel/boot/vmlinuz-*; it is not installed.
vm_kernel()
{
	local package tmp
	ls "$VM_DIR"/kernel/boot/vmlinuz-* >/dev/null 2>&1 && return 0
	[ "$(dpkg --print-architecture)" = amd64 ] || skip "no guest kernel is known for this architecture"
	apt-cache show linux-image-cloud-amd64 >/dev/null 2>&1 || as_root apt-get -q update >/dev/null 2>&1
	package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: *//p' | head -n 1)
	[ -n "$package" ] || skip "the package sources have no linux-image-cloud-amd64"
	mkdir -p "$VM_DIR"
	tmp=$(mktemp -d "$VM_DIR/unpack.XXXXXX")
	( cd "$tmp" && apt-get -q download -o "APT::Sandbox::User=$(id -un)" "$package" >apt.log 2>&1 &&
		dpkg-deb -x ./*.deb tree ) || fail "cannot download $package: $(tail -n 1 "$tmp/apt.log")"
	rm -rf "$VM_DIR/kernel"
	mv "$tmp/tree" "$VM_DIR/kernel"
	rm -rf "$tmp"
}

VM_MODULES='virtio|virtio_ring|virtio_pci|virtio_pci_legacy_dev|virtio_pci_modern_dev|failover|net_failover|virtio_net|virtio_blk|virtio_scsi|scsi_common|scsi_mod|sd_mod|sg'

# newer_than IMAGE SOURCE...: true if a source is newer than the image.
newer_than()
{
	local image=$1 source
	shift
	for source in "$@"; do
		[ "$image" -nt "$source" ] || return 0
	done
	return 1
}

# vm_host_program TREE NAME: copy a program of this system and its libraries, if it is there.
vm_host_program()
{
	local program
	program=$(PATH=$PATH:/sbin:/usr/sbin command -v "$2") || return 0
	cp "$program" "$1/sbin/$2"
	ldd "$program" | grep -o '/[^ ]*' | while read -r program; do
		mkdir -p "$1$(dirname "$program")"
		cp -L "$program" "$1$program"
	done
}

# Build the initramfs if one of its sources is newer.
vm_initramfs()
{
	local dir=$VSTATE_ROOT/tests/tools tree version modules image=$VM_DIR/initramfs.gz program
	if ! newer_than "$image" "$dir"/{netpeer.c,netflow.c,vm_memory.c,blkcheck.c,netcontent.h,vm_init.sh} \
			"${BASH_SOURCE[0]}"; then
		return 0
	fi
	tree=$(mktemp -d "$VM_DIR/initramfs.XXXXXX")
	# Debian 13 has the modules below usr/lib, compressed.
	modules=$(find "$VM_DIR/kernel" -mindepth 3 -maxdepth 4 -path '*/lib/modules/*' | head -n 1)
	version=$(basename "$modules")
	mkdir -p "$tree"/{bin,sbin,proc,sys,dev,tmp,lib/modules/"$version"}
	cp "$(command -v busybox)" "$tree/bin/busybox"
	cp "$dir/vm_init.sh" "$tree/init"
	for program in netpeer netflow vm_memory blkcheck; do
		gcc -std=gnu11 -O2 -Wall -static -pthread -o "$tree/bin/$program" "$dir/$program.c" ||
			fail "$program does not compile"
	done
	vm_host_program "$tree" mke2fs
	vm_host_program "$tree" e2fsck
	for program in sg_inq sg_vpd sg_luns sg_readcap sg_unmap sg_write_same sg_reset sg_turs; do
		vm_host_program "$tree" "$program"
	done
	find "$modules" -regextype posix-extended -regex ".*/($VM_MODULES)\.ko(\.xz)?" \
		-exec cp {} "$tree/lib/modules/$version/" \;
	find "$tree/lib/modules" -name '*.xz' -exec xz -d {} +
	cp "$modules"/modules.{builtin,order} "$tree/lib/modules/$version/"
	# The dependencies of modules differ between kernel builds.
	busybox depmod -b "$tree" "$version" || fail "depmod failed"
	chmod 755 "$tree/init"
	( cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1 ) >"$image.$$" && mv "$image.$$" "$image"
	rm -rf "$tree"
}

vm_image()
{
	local program
	for program in qemu-system-x86_64 busybox cpio gcc; do
		command -v $program >/dev/null || skip "no $program"
	done
	vm_kernel
	vm_initramfs
}

# ---- a guest ----

# vm_start NAME ADDRESS MEMORY_MIB QEMU-OPTION...: boot a guest in the background. Its interface
# has ADDRESS. Its memory is shared, as vhost-user requires.
vm_start()
{
	local name=$1 address=$2 memory=$3 fd
	shift 3
	rm -f "$W/$name.in"
	mkfifo "$W/$name.in"
	exec {fd}<>"$W/$name.in"
	VM_FD[$name]=$fd
	: >"$W/$name.out"
	nice -n 10 "${QEMU:-qemu-system-x86_64}" -nodefaults -no-user-config -display none \
		-machine "${VM_MACHINE:-q35}" -accel tcg,thread=multi -cpu max \
		-smp "${VM_CPUS:-1}" -m "$memory" \
		-object "memory-backend-memfd,id=mem,size=${memory}M,share=on" -machine memory-backend=mem \
		-kernel "$(echo "$VM_DIR"/kernel/boot/vmlinuz-*)" -initrd "$VM_DIR/initramfs.gz" \
		-append "console=ttyS0 quiet panic=1 mitigations=off no_timer_check vm.address=$address" \
		-chardev stdio,id=tty,signal=off -serial chardev:tty "$@" \
		<"$W/$name.in" >>"$W/$name.out" 2>&1 {fd}>&- &
	PID["$name"]=$!
	echo "$!" >>"$W/pids"
}

vm_booted() { alive "$1" || fail "$1: QEMU ended"; has "$1" '^VM-READY'; }

vm_ready() # NAME
{
	wait_for 60 vm_booted "$1" || fail "$1: the guest did not boot"
}

vm_boots() { grep -c '^VM-READY' "$W/$1.out"; }
vm_booted_again() { alive "$1" || fail "$1: QEMU ended"; [ "$(vm_boots "$1")" -gt "$2" ]; }

vm_reboot() # NAME
{
	local boots
	boots=$(vm_boots "$1")
	printf 'reboot -f\n' >&"${VM_FD[$1]}"
	wait_for 60 vm_booted_again "$1" "$boots" || fail "$1: the guest did not reboot"
}

# vm NAME SECONDS COMMAND: run the command in the guest's shell; print its output and return its
# exit status. The limit is three times SECONDS, because QEMU runs at a low priority and gets only
# a share of a busy machine.
vm()
{
	local name=$1 limit=$((3 * $2)) at out
	at=$(stat -c %s "$W/$name.out")
	# The command becomes one line, because the guest evaluates line by line.
	printf '%s; echo "VM-STATUS $?"\n' "$(tr '\n\t' '  ' <<<"$3")" >&"${VM_FD[$name]}"
	wait_for "$limit" vm_answered "$name" "$at" || fail "$name: '$3' did not end in $limit s"
	out=$(tail -c +$((at + 1)) "$W/$name.out" | tr -d '\r')
	sed '/^VM-STATUS/d' <<<"$out"
	return "$(sed -n 's/^VM-STATUS //p' <<<"$out" | tail -n 1)"
}

vm_answered() # NAME OFFSET
{
	alive "$1" || fail "$1: QEMU ended"
	tail -c +$(($2 + 1)) "$W/$1.out" | grep -q '^VM-STATUS [0-9]'
}

# vm_lives NAME: fail, with a note in $W/mute, if the guest's shell no longer runs a command that
# needs no device of ours.
vm_lives()
{
	( vm "$1" 10 true >/dev/null ) && return 0
	echo "the shell of guest $1 does not answer" >"$W/mute"
	exit 1
}

# As vm, but the case fails if the command fails. The output is in VM_OUT.
vm_must()
{
	VM_OUT=$(vm "$@") || fail "$1: '$3': $VM_OUT"
}
