#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Live migration of a QEMU guest without a network device, and so without a back end: does every
# write of its processor arrive? See known_fault() in migration.sh.

# shellcheck source=tests/lib/migration.sh
. "$(dirname "$0")/lib/migration.sh"
ATTEMPTS=1

bare_guest() # VM [QEMU-OPTION...]
{
	local name=$1
	shift
	vm_start "$name" 0.0.0.0 "$VM_MEMORY" -qmp "unix:$W/$name.qmp,server=on,wait=off" "$@"
}

alone()
{
	local i vm=one next
	vm_image
	bare_guest one
	vm_ready one
	vm_must one 10 "vm_memory 32 200 >/tmp/memory 2>&1 & sleep 0.2"
	for ((i = 1; i <= ${MOVES:-20}; i++)); do
		next=vm$i
		bare_guest "$next" -incoming defer
		qmp_await "$next"
		migration_begin "$vm" "$next"
		migration_finish "$vm" "$next"
		vm_gone "$vm"
		vm=$next
	done
	vm_must "$vm" 20 "killall vm_memory; while killall -0 vm_memory 2>/dev/null; do sleep 0.1; done; cat /tmp/memory"
	measured "$(tail -n 1 <<<"$VM_OUT")"
	expect "writes lost" "$(sed -n 's/^memory: .*lost //p' <<<"$VM_OUT")" -eq 0
}

case_distribution() { alone; }
case_backports() { qemu_backports; QEMU=$QEMU_NEW; alone; }

# shellcheck disable=SC2046 # names without blanks
run_cases $(soak distribution backports)
