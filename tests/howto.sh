#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The commands of the how-to pages, taken from the pages and run in their order. Only what a page
# leaves to its reader is replaced: the folders of sockets and of the build, the processors, the disk
# of the guest. A page whose commands change is tested with the new ones.

# shellcheck source=tests/lib/pair.sh
. "$(dirname "$0")/lib/pair.sh"
# shellcheck source=tests/lib/hugepages.sh
. "$VSTATE_ROOT/tests/lib/hugepages.sh"
# shellcheck source=tests/lib/vm.sh
. "$VSTATE_ROOT/tests/lib/vm.sh"
# shellcheck source=tests/lib/wire.sh
. "$VSTATE_ROOT/tests/lib/wire.sh"
# shellcheck source=tests/lib/ovs_lib.sh
. "$VSTATE_ROOT/tests/lib/ovs_lib.sh"

# Two testpmd with their default number of mbufs, for 32 ports.
PAGES=500

# block PAGE NUMBER: the text of a console block, for this machine.
block()
{
	local plugin
	plugin=$(plugin_path) || fail "no plugin to load"
	/usr/bin/python3 "$VSTATE_ROOT/tests/tools/rst_block.py" "$VSTATE_ROOT/doc/guides/howto/$1.rst" "$2" \
		>"$W/block" 2>"$W/block.err" || fail "$(cat "$W/block.err")"
	sed -E -e "s|/usr/local/lib/|${PRIVATE:-}/|g; s|/run/|$W/|g; s|/var/tmp/|$W/|g; s|/var/lib/|${DISKS:-$W}/|g; s|-l 2,3|-l 0,1|" \
		-e "s|build/lib/|$VSTATE_BUILD/lib/|" \
		-e "s|build/drivers/librte_vdpa_vstate.so|$plugin|" \
		-e "s|^(build/app/)?dpdk-test-vdpa |$TOOL |; s|(^\| )tests/tools/|\1$VSTATE_ROOT/tests/tools/|" "$W/block"
}

prepare()
{
	[ "$VSTATE_VDEV" = net_vstate ] || skip "the pages are about net_vstate"
	[ -z "${VSTATE_SANITIZE:-}" ] || skip "the distribution's programs are started as they are"
	[ "$(nproc)" -gt 1 ] || skip "the pages use two processors"
	hugepages_reserve "$PAGES"
	hugepages_mount "$W/huge"
	export XDG_RUNTIME_DIR=$W RUNTIME_DIRECTORY=$W
}

# testpmd_of NAME PAGE NUMBER: start the testpmd of a block and wait for its prompt.
testpmd_of()
{
	local text
	text=$(block "$2" "$3") || exit 1
	testpmd_of_text "$1" "$text"
}

testpmd_of_text() # NAME COMMAND
{
	local fd words
	eval "words=($2)"
	mkfifo "$W/$1.in"
	exec {fd}<>"$W/$1.in"
	TP_FD[$1]=$fd
	: >"$W/$1.out"
	tp_exec "$1" "${words[@]}"
	wait_for 60 tp_ready "$1" || fail "$1: testpmd did not start"
}

# Run each line "NAME> testpmd> COMMAND" of a block.
typed() # PAGE NUMBER
{
	local line
	while read -r line <&3; do
		tp "${line%%>*}" "${line#*testpmd> }" >/dev/null
	done 3< <(block "$1" "$2")
}

# Run a block in this shell.
commands() # PAGE NUMBER
{
	local text
	text=$(block "$1" "$2") || exit 1
	eval "$text" >>"$W/commands.out" 2>&1 || fail "$1, block $2: $(tail -n 1 "$W/commands.out")"
}

more_than() { [ "$(tp_stat "$1" RX-packets)" -gt "$2" ]; } # TESTPMD NUMBER

# ---- pages without a virtual machine ----

circulate()
{
	testpmd_of back "$1" 1
	testpmd_of guest testpmd 2
	pair_link_up
	typed testpmd 3
	wait_for 10 more_than guest 1000 || fail "no packets circulate"
}

case_testpmd()
{
	prepare
	circulate testpmd
	measured "$(tp_stat guest RX-packets) packets"
	pair_quit
}

case_control()
{
	local before
	prepare
	circulate control
	"$TOOL" ctl "$W/vm1.ctl" list >"$W/list.out" || fail "list: exit status $?"
	expect_match "list" "$(cat "$W/list.out")" 'net_vstate0 +net +connected +running'
	commands control 3
	expect_match "the saved state" "$(cat "$W/commands.out")" 'saved [0-9]+ bytes: 2 queues'
	before=$(tp_stat guest RX-packets)
	wait_for 10 more_than guest "$before" || fail "no packets circulate after the resume"
	measured "$(grep -o 'saved .*' "$W/commands.out")"
	pair_quit
}

# The commands of OVS, for a database and a switch of this case.
ovs_of_the_page()
{
	mkdir "$W/bin"
	printf '#!/bin/sh\nexec %s --timeout=20 --db=unix:%s "$@"\n' "$(command -v ovs-vsctl)" "$W/db.sock" \
		>"$W/bin/ovs-vsctl"
	printf '#!/bin/sh\nexec %s --timeout=20 --target=%s "$@"\n' "$(command -v ovs-appctl)" "$W/vswitchd.ctl" \
		>"$W/bin/ovs-appctl"
	chmod +x "$W"/bin/*
	PATH=$W/bin:$PATH
}

# A guest that owns its socket, as a QEMU with server=on does.
user_guest() # NAME
{
	eal_options 256
	tp_launch "$1" --vdev "net_virtio_user0,path=$W/$1,queues=1,queue_size=256,server=1,packed_vq=1,mrg_rxbuf=1" \
		-- --rxq=1 --txq=1
	wait_for 10 test -S "$W/$1" || fail "$1: no socket"
}

case_ovs_dpdk()
{
	local PRIVATE guest
	prepare
	command -v dpkg-deb >/dev/null || skip "no dpkg"
	ovs_packages
	wire_namespace
	ovs_database_start
	ovs_of_the_page
	PRIVATE=$(mktemp -d "$VSTATE_CACHE/plugin.XXXXXX") || fail "no folder for the plugin"
	echo "$PRIVATE" >>"$W/plugins"
	commands ovs_dpdk 1
	commands ovs_dpdk 2
	vswitchd_start
	user_guest vm1
	user_guest vm2
	commands ovs_dpdk 3
	for guest in vm1 vm2; do
		wait_for 30 tp_ready "$guest" || fail "$guest: testpmd did not start"
		tp_link_up "$guest"
	done
	forward vm2 rxonly
	forward vm1 txonly
	wait_for 20 more_than vm2 100 || fail "no packets from vm1 to vm2"
	tp vm1 stop >/dev/null
	commands ovs_dpdk 4
	expect_match "ports" "$(ovs-vsctl list-ports br0 | paste -sd' ')" '^vm2$'
	measured "$(tp_stat vm2 RX-packets) packets from one guest to the other"
	tp_quit vm1
	tp_quit vm2
	vswitchd_stop
}

# ---- pages with a guest ----

# QEMU as the pages call it, with the kernel of the tests in place of the reader's disk.
qemu_of_the_pages()
{
	vm_image
	mkdir "$W/bin"
	cat >"$W/bin/qemu-system-x86_64" <<-SCRIPT
		#!/bin/sh
		exec nice -n 10 $(command -v qemu-system-x86_64) -nodefaults -no-user-config -display none \\
			-kernel $(echo "$VM_DIR"/kernel/boot/vmlinuz-*) -initrd "$VM_DIR/initramfs.gz" \\
			-append "console=ttyS0 quiet panic=1 mitigations=off no_timer_check vm.address=192.168.9.1" \\
			-chardev stdio,id=tty,signal=off -serial chardev:tty "\$@"
	SCRIPT
	# the taps of a page are not of this system
	cat >"$W/bin/dpdk-testpmd" <<-SCRIPT
		#!/bin/sh
		exec unshare -n $(command -v dpdk-testpmd) "\$@"
	SCRIPT
	chmod +x "$W"/bin/*
	PATH=$W/bin:$PATH
}

# vm_of TEXT: start the guest of a page, whose shell is on its serial line.
vm_of()
{
	local fd
	mkfifo "$W/vm.in"
	exec {fd}<>"$W/vm.in"
	VM_FD[vm]=$fd
	bash -c "$(sed -E 's/^GUEST=.*/GUEST=/; s/^qemu-system/exec &/' <<<"$1")" <"$W/vm.in" >>"$W/vm.out" 2>&1 {fd}>&- &
	PID[vm]=$!
	echo "$!" >>"$W/pids"
	vm_ready vm
}

# The guest of qemu.rst with the lines of another page in place of its chardev and device.
vm_with() # PAGE NUMBER
{
	vm_of "$(block qemu 2 | sed '/-chardev socket/,$d'; block "$1" "$2" | sed '$s/$/,vectors=0/')"
}

# The guest sends frames, and the port of this testpmd receives them.
guest_is_served() # TESTPMD
{
	local before
	before=$(tp_stat "$1" RX-packets)
	vm_must vm 10 "ping -c 3 -W 1 192.168.9.2 >/dev/null; true"
	wait_for 20 more_than "$1" "$before" || fail "$1: nothing arrives from the guest"
}

case_qemu()
{
	prepare
	qemu_of_the_pages
	testpmd_of back qemu 1
	vm_of "$(block qemu 2)"
	tp_link_up back
	guest_is_served back
	measured "$(tp_stat back RX-packets) packets of the guest"
	tp_quit back
}

case_crash_recovery()
{
	prepare
	qemu_of_the_pages
	commands crash_recovery 1
	testpmd_of back crash_recovery 2
	vm_with crash_recovery 3
	tp back start >/dev/null
	tp_link_up back
	guest_is_served back
	bg_kill back
	tp_close back
	rm "$W/back.in"
	testpmd_of back crash_recovery 2
	tp back start >/dev/null
	tp_link_up back
	guest_is_served back
	measured "$(tp_stat back RX-packets) packets of the guest after the kill"
	tp_quit back
}

# The process that serves the disk of the page. Its prompt reads from a FIFO.
disk_of_the_page()
{
	local text fd
	text=$(block qemu_disk 1 | sed 1d) || exit 1
	rm -f "$W/disk.in"
	mkfifo "$W/disk.in"
	exec {fd}<>"$W/disk.in"
	TP_FD[disk]=$fd
	bash -c "exec $text" <"$W/disk.in" >>"$W/disk.out" 2>&1 &
	PID[disk]=$!
	echo "$!" >>"$W/pids"
	wait_for 20 test -S "$W/vm1-disk.sock" || fail "disk: no socket: $(tail -n 1 "$W/disk.out")"
}

guest_disk_is() # SECTORS
{
	vm_must vm 20 "cat /sys/block/vda/size"
	grep -q "^$1" <<<"$VM_OUT"
}

case_qemu_disk()
{
	local DISKS
	prepare
	qemu_of_the_pages
	# a file system that has O_DIRECT
	DISKS=$(mktemp -d /var/tmp/vstate-howto.XXXXXX) || fail "no folder for the disk"
	echo "$DISKS" >>"$W/plugins" # removed with the case
	eval "$(block qemu_disk 1 | sed -n 1p)" || fail "truncate: exit status $?"
	disk_of_the_page
	vm_of "$(block qemu 2 | sed '/-chardev socket/,$d'; block qemu_disk 2 | sed -n '/-chardev/,$p' | sed '$s/$/,vectors=0/')"
	guest_disk_is $((10 * 2097152)) || fail "the guest does not see the disk"
	commands qemu_disk 3
	wait_for 30 guest_disk_is $((20 * 2097152)) || fail "the guest does not see the larger disk"
	vm_must vm 30 "echo vstate-was-here >/tmp/b; dd if=/tmp/b of=/dev/vda bs=4096 conv=sync,fsync seek=4000000"
	bg_kill disk
	disk_of_the_page
	vm_must vm 30 "dd if=/dev/vda bs=4096 skip=4000000 count=1 iflag=direct | head -n 1"
	expect_match "block after the crash" "$VM_OUT" 'vstate-was-here'
	measured "a disk of 20 GiB, before and after the end of its process"
}

# The first block makes the directory too.
case_upgrade()
{
	prepare
	qemu_of_the_pages
	eval "$(block upgrade 1 | sed -n '1p')" || fail "mkdir: exit status $?"
	testpmd_of_text old "$(block upgrade 1 | sed '1d')"
	vm_with upgrade 2
	tp_link_up old
	guest_is_served old
	testpmd_of new upgrade 3
	wait_for 20 has old 'handed over, with the connection' || fail "old: nothing was handed over"
	wait_for 20 has new 'taken over in .* with the connection' || fail "new: nothing was taken over"
	tp_quit old
	guest_is_served new
	measured "$(grep -oE 'no queue was served for [0-9.]+ ms' "$W/old.out")"
	tp_quit new
}

# The blocks start processes in the background.
pids_note()
{
	local pid
	for pid in $(jobs -p); do
		pgrep -P "$pid"
		echo "$pid"
	done >>"$W/pids"
}

case_live_migration()
{
	local fd
	prepare
	[ -e /dev/net/tun ] || skip "no taps"
	qemu_of_the_pages
	commands live_migration 1
	pids_note
	wait_for 60 has_prompts || fail "the back ends do not start: $(tail -n 1 "$W/a.log")"
	eval "$(block live_migration 2 | sed 's/^GUEST=.*/GUEST=/')" >>"$W/qemu.out" 2>&1 </dev/null
	sleep 1
	pids_note
	wait_for 60 grep -q VM-READY "$W/qemu.out" || fail "the guest does not boot: $(tail -n 1 "$W/qemu.out")"
	wait_for 20 test -S "$W/two.qmp" || fail "the second QEMU does not start"
	commands live_migration 3
	expect_match "migration" "$(cat "$W/commands.out")" '"status": "completed"'
	grep -q 'state file\|net_vstate0: \|VHOST_USER_SET_VRING_BASE' "$W/b.log" || fail "b: no guest came"
	"$VSTATE_ROOT/tests/tools/qmp.py" "$W/two.qmp" quit >/dev/null
	for fd in a b; do
		echo quit >"$W/$fd.in"
	done
	measured "the guest runs at the second back end"
}

has_prompts() { cat "$W"/[ab].log 2>/dev/null | grep -c 'testpmd>' | grep -qx 2; }

# The examples are well-formed.
case_libvirt()
{
	/usr/bin/python3 - "$VSTATE_ROOT/doc/guides/howto/libvirt.rst" <<-'PYTHON' || fail "an example is not XML"
		import re, sys
		import xml.dom.minidom
		text = open(sys.argv[1]).read()
		blocks = re.findall(r'\.\. code-block:: xml\n\n((?: +.*\n|\n)+)', text)
		assert len(blocks) == 3, len(blocks)
		for block in blocks:
		    xml.dom.minidom.parseString(
		        '<x xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0">' + block.replace('...', '') + '</x>')
	PYTHON
}

run_cases testpmd control ovs-dpdk qemu qemu-disk crash-recovery upgrade live-migration libvirt
