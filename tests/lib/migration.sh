# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Live migration of the guests of vm.sh on the back ends of wire.sh. This file sources all
# others that a migration scenario needs.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "${BASH_SOURCE[0]}")/harness.sh"
# shellcheck source=tests/lib/testpmd.sh
. "$VSTATE_ROOT/tests/lib/testpmd.sh"
# shellcheck source=tests/lib/vm.sh
. "$VSTATE_ROOT/tests/lib/vm.sh"
# shellcheck source=tests/lib/wire.sh
. "$VSTATE_ROOT/tests/lib/wire.sh"
# shellcheck source=tests/lib/qemu_lib.sh
. "$VSTATE_ROOT/tests/lib/qemu_lib.sh"

# With TCG, QEMU 7.2 at times loses a write of a guest's processor, with any back end or none:
# tests/qemu_alone.sh shows it without a network device. The thread of a processor finds the
# page marked dirty. The migration then clears the mark and write-protects the page again. Only
# after that does the thread remove the write protection. QEMU 10.0 does not have this fault, so
# with QEMU 10.0 every failure is reported.
ATTEMPTS=${VSTATE_ATTEMPTS:-6}

# Print the first message of a guest kernel that stumbled, and the fault that ended it.
kernel_stumbled()
{
	cat "$W"/*.out | tr -d '\r' | sed -nE 's/^\[[^]]*\] (.*)/\1/p; /^VM-DIED/p' | awk '
		/MP-BIOS/ { next }
		first == "" { first = $0 }
		/^Kernel panic - not syncing:|^BUG: |^Oops: |^VM-DIED / {
			print "QEMU 7.2 lost memory of its guest: " (first == $0 ? "" : first ", ") $0
			exit
		}'
}

# A guest with packed rings at times receives nothing after a move to net_vhost, also if it
# came from another net_vhost (devtools/compare.sh). A case that ends there marks it.
net_vhost_deaf()
{
	[ -e "$W/ends-on-net_vhost" ] || return 0
	! grep -q '^lost at the end of what it was sent' "$W/why" ||
		echo "the guest received nothing on net_vhost, its last back end"
}

# Print which fault of QEMU 7.2 the guest shows: its kernel finds its own memory damaged, its shell
# on the serial line, which needs no device of ours, does not answer, or a program in it sends a
# datagram again or forgets a block that it wrote. A duplicated frame is not a known fault. Neither
# is a lost or changed frame while the guest's kernel runs well.
known_fault()
{
	net_vhost_deaf
	"${QEMU:-qemu-system-x86_64}" --version | grep -q 'version 7\.' || return 0
	[ -e "$W/moves" ] || return 0
	kernel_stumbled
	[ ! -e "$W/resent" ] || cat "$W/resent"
	! grep -q '^memory lost: ' "$W"/*.out ||
		echo "QEMU 7.2 lost memory of its guest: a thread forgot what it had written"
	[ ! -e "$W/mute" ] || echo "QEMU 7.2 lost memory of its guest: $(cat "$W/mute")"
}

# Properties of the guest's network device, set by a scenario.
DEVICE_PROPERTIES=${DEVICE_PROPERTIES:-}
# With "client" QEMU connects to the back end's socket, with "server" QEMU listens.
SOCKET_SIDE=client
VM_MEMORY=192

# At a priority below QEMU's: Python takes longer to start than a guest is stopped for a move.
# At the same priority it would delay the guest exactly when the guest resumes.
qmp() # VM COMMAND [JSON]
{
	local name=$1
	shift
	nice -n 19 /usr/bin/python3 "$VSTATE_ROOT/tests/tools/qmp.py" "$W/$name.qmp" "$@" 2>>"$W/$name.out"
}

qmp_must() { QMP_OUT=$(qmp "$@") || fail "$1: $2 ${3:-}: $(tail -n 1 "$W/$1.out")"; }

# guest VM BACKEND [QEMU-OPTION...]: start a guest on the socket of this back end
guest()
{
	local name=$1 backend=$2 mq='' server='' props=$DEVICE_PROPERTIES
	shift 2
	[ "$PAIRS" -eq 1 ] || mq=,mq=on
	[ "$SOCKET_SIDE" != server ] || server=,server=on,wait=off
	# QEMU 7.2 with TCG and vhost-user crashes on MSI-X, so the device has no vectors.
	# The guest uses one queue pair for each of its processors.
	VM_CPUS=${VM_CPUS:-$PAIRS} vm_start "$name" "$WIRE_GUEST" "$VM_MEMORY" \
		-chardev "socket,id=c,path=$W/$backend$server" \
		-netdev "vhost-user,id=n,chardev=c,queues=$PAIRS" \
		-device "virtio-net-pci,netdev=n,mac=$WIRE_GUEST_MAC,vectors=0,rx_queue_size=1024$mq${props:+,$props}" \
		-qmp "unix:$W/$name.qmp,server=on,wait=off" "$@"
}

guest_waits() # VM BACKEND [QEMU-OPTION...]: start a QEMU that waits for a migration
{
	guest "$@" -incoming defer
	qmp_await "$1"
}

# The front end of a device may wait for its back end here. If so, a failure shows where.
qmp_await() # VM
{
	wait_for 60 vm_has_qmp "$1" || fail "$1: QEMU did not start: $(vm_waits "$1")"
}

# Where the threads of a QEMU are in the kernel, and whether it has made its socket.
vm_waits() # VM
{
	local task
	{
		[ -S "$W/$1.qmp" ] && echo "its socket is there;"
		for task in "/proc/${PID[$1]}"/task/*; do
			echo "$(cat "$task/comm") in $(cat "$task/wchan");"
		done
	} 2>/dev/null | tr '\n' ' '
}

vm_has_qmp() { alive "$1" || fail "$1: QEMU ended"; [ -S "$W/$1.qmp" ] && qmp "$1" query-status >/dev/null; }

# Wait for a destination whose migration was cancelled or failed: QEMU exits with an error.
vm_reap() # VM
{
	local fd=${VM_FD[$1]}
	wait_for 10 ended "$1" || fail "$1: QEMU still waits for the migration"
	exec {fd}>&-
}

# vm_gone VM: end the guest; its memory and its socket go too.
vm_gone()
{
	local fd=${VM_FD[$1]}
	qmp "$1" quit >/dev/null
	bg_end "$1" 10
	exec {fd}>&-
}

# return-path: without it the source does not learn that the destination failed to load.
CAPABILITIES=(return-path)

migration_capabilities() # VM
{
	local list='' name
	for name in "${CAPABILITIES[@]}"; do
		list+=${list:+,}"{\"capability\":\"$name\",\"state\":true}"
	done
	qmp_must "$1" migrate-set-capabilities "{\"capabilities\":[$list]}"
}

migration_begin() # FROM TO
{
	echo "$1 $2" >>"$W/moves"
	migration_capabilities "$1"
	migration_capabilities "$2"
	qmp_must "$2" migrate-incoming "{\"uri\":\"unix:$W/$2.mig\"}"
	qmp_must "$1" migrate "{\"uri\":\"unix:$W/$2.mig\"}"
}

# Results of migration_finish in ms: MIGRATION[total], MIGRATION[downtime].
declare -A MIGRATION
migration_finish() # FROM TO
{
	qmp_must "$1" wait-migration 40
	printf '%s\n' "$QMP_OUT" >"$W/migration.json"
	[ "$(json "$W/migration.json" status)" = completed ] || fail "migration: $QMP_OUT"
	qmp_must "$2" wait-status running 10
	MIGRATION[total]=$(json "$W/migration.json" total-time)
	MIGRATION[downtime]=$(json "$W/migration.json" downtime)
}

migration_end() # FROM TO
{
	migration_finish "$1" "$2"
	measured "migrated in ${MIGRATION[total]} ms, downtime ${MIGRATION[downtime]} ms"
}

migrate() # FROM TO
{
	migration_begin "$1" "$2"
	migration_end "$1" "$2"
}

# True if QEMU is sending memory, so that the dirty log is in use.
pages_flow() # VM
{
	qmp_must "$1" query-migrate
	grep -q '"status": "active"' <<<"$QMP_OUT" && ! grep -q '"transferred": 0,' <<<"$QMP_OUT"
}

# The migration fails, the source reports the reason, and the guest keeps running there.
migration_refused() # FROM TO REASON-REGEX
{
	local why
	migration_begin "$1" "$2"
	qmp_must "$1" wait-migration 40
	printf '%s\n' "$QMP_OUT" >"$W/migration.json"
	[ "$(json "$W/migration.json" status)" = failed ] || fail "migration to $2: $QMP_OUT"
	why=$(json "$W/migration.json" error-desc)
	vm_reap "$2"
	expect_match "reason in QEMU" "$why$(cat "$W/$2.out")" "$3"
	qmp_must "$1" wait-status running 10
}

# ---- begin and end of most cases ----

# Start guest "one" with traffic on back end "a", and back end "b" without a guest.
source_start() # [DEVARGS]
{
	vm_image
	wire_start
	backend a "${1:-}"
	backend b "${1:-}"
	source_boot
}

source_boot()
{
	guest one a
	vm_ready one
	flow_start one
	sleep 0.3
}

# The guest now runs in this QEMU: it must receive until the end of the traffic.
arrive() # VM
{
	sleep 0.5
	flow_stop "$1"
	flow_check
	expect "lost at the end of what it was sent" \
		$((${FLOW[in.lost]} - ${FLOW[guest.missing]})) -le $((${FLOW[peer.sent]} / 20))
}

# The guest moves to a new QEMU on another back end, and the old QEMU ends.
move_on() # FROM TO BACKEND
{
	guest_waits "$2" "$3"
	migrate "$1" "$2"
	vm_gone "$1"
}

migrate_once() # [DEVARGS]
{
	source_start "${1:-}"
	guest_waits two b
	migrate one two
	arrive two
}

# spread UNIT NUMBER...: print the least, the median and the largest
spread()
{
	local unit=$1 list
	shift
	mapfile -t list < <(printf '%s\n' "$@" | sort -n)
	echo "least ${list[0]} $unit, middle ${list[${#list[@]} / 2]} $unit, largest ${list[-1]} $unit"
}

# QEMU stops a guest when it expects to send the remaining memory within this limit (ms). QEMU's
# own expectation ranges from 10 to 150 ms, and without a fixed limit it would decide the gap.
DOWNTIME_LIMIT=20

downtime_limit() # VM
{
	qmp_must "$1" migrate-set-parameters "{\"downtime-limit\":$DOWNTIME_LIMIT}"
}

# Move one guest MOVES times between two back ends and report the time of each move. With
# EACH_MOVE=FILE one line for each move is appended to FILE: device, number, gap and hole in us,
# downtime and total time in ms.
many_moves()
{
	local i vm=one next here=a there=b free totals=() stops=() gaps=() holes=()
	source_start
	for ((i = 1; i <= ${MOVES:-20}; i++)); do
		next=vm$i
		guest_waits "$next" "$there"
		flow_mark "$vm"
		downtime_limit "$vm"
		migration_begin "$vm" "$next"
		migration_finish "$vm" "$next"
		# Time for traffic of the resumed guest to arrive.
		sleep 0.5
		flow_mark "$next"
		totals+=("${MIGRATION[total]}") stops+=("${MIGRATION[downtime]}")
		gaps+=($((${FLOW[out.gap]} / 1000))) holes+=($((${FLOW[in.hole]} / 1000)))
		[ -z "${EACH_MOVE:-}" ] || echo "$VSTATE_VDEV $i gap ${FLOW[out.gap]} hole ${FLOW[in.hole]}" \
			"downtime ${MIGRATION[downtime]} total ${MIGRATION[total]}" >>"$EACH_MOVE"
		vm_gone "$vm"
		vm=$next free=$here here=$there there=$free
	done
	measured "$((i - 1)) moves"
	measured "migrated: $(spread ms "${totals[@]}")"
	measured "downtime: $(spread ms "${stops[@]}")"
	measured "gap of what it sent: $(spread ms "${gaps[@]}")"
	measured "hole in what it was sent: $(spread ms "${holes[@]}")"
	arrive "$vm"
}
