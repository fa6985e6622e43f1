#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# A back end is upgraded under load: a new process asks the old process for its device, and the
# guest continues with the new process.

# shellcheck source=tests/lib/migration.sh
. "$(dirname "$0")/lib/migration.sh"
# shellcheck source=tests/lib/move.sh
. "$(dirname "$0")/lib/move.sh"
ATTEMPTS=1

# ---- the tool's guest, which counts each frame ----

# Print the p50 of the blackout, in whole microseconds, of moves between two running processes: the
# least that this machine needs at this moment.
blackout_floor() # PAIRS RING
{
	run_rounds 5 "$1" --process --ring "$2"
	report blackout_us p50 | cut -d. -f1
}

# An upgrade must not wait for a timer of rte_vhost, which takes up to one second. The bound is far
# above what a busy machine needs and far below such a timer.
BLACKOUT_BOUND_US=50000
BLACKOUT_BOUND_FLOORS=10

upgrades() # ROUNDS PAIRS RING OPTION...
{
	local floor
	floor=$(blackout_floor "$2" "$3") || exit 1
	loses_nothing "$1" "$2" "--upgrade=$UPGRADE" --ring "$3" "${@:4}"
	expect "blackout p50 in us, with a floor of $floor" "$(report blackout_us p50 | cut -d. -f1)" \
		-le $((BLACKOUT_BOUND_US + BLACKOUT_BOUND_FLOORS * floor))
	expect "connections kept" "$(report connections_kept)" -eq "$([ "$UPGRADE" = keep ] && echo "$1" || echo 0)"
	measured "state handed over in p50 $(report capture_restore_us p50) us," \
		"blackout p50 $(report blackout_us p50) us, p99 $(report blackout_us p99) us, floor $floor us"
}

UPGRADE=keep
case_split() { upgrades 10 1 split; }
case_packed() { upgrades 10 1 packed --any-layout --frames 64-9000; }
case_split_16_queues() { upgrades 5 16 split; }
case_packed_16_queues() { upgrades 5 16 packed; }
case_split_reconnect() { UPGRADE=reconnect; upgrades 10 1 split --any-layout --frames 64-9000; }
case_packed_reconnect() { UPGRADE=reconnect; upgrades 5 16 packed; }

# Device arguments of more than 127 characters, which some releases of EAL take on the command line
# only.
case_long_names()
{
	local -x XDG_RUNTIME_DIR=$W/a-directory-with-a-long-name
	mkdir "$XDG_RUNTIME_DIR"
	upgrades 2 1 packed --frames 1500-9000
}

takes_over() # NAME
{
	wait_for 15 has "$1" 'net_vstate0: taken over' || fail "$1 did not take the device over"
	[ -z "$HOW" ] || has "$1" "taken over .*, $HOW" || fail "$1 took the device over, but not $HOW"
}

# End of the log line that says how the new process gets the front end: with its connection, or by
# a new one. Empty if a case accepts both.
HOW=

# ---- a QEMU guest, which must not notice ----

# Frames that are counted as dropped: in OUT frames of the guest, in IN frames to the guest.
declare -A OUT IN

# Print how many frames the kernel dropped on output to an interface of the network.
interface_drops()
{
	"${TP_WRAP[@]}" cat /proc/net/dev | sed -n "s/^ *$1: *//p" | awk '{ print $11 + $12 }'
}

# Frames to the guest are dropped by testpmd if the device does not take them, or by a full tap.
count_drops() # BACKEND...
{
	local name
	for name; do
		IN[$name]=$(tp "$name" "show fwd stats all" |
			sed -nE '/statistics for port 0 /,/TX-/s/.*TX-dropped: *([0-9]+).*/\1/p')
		IN[tap $name]=$(interface_drops "$name")
	done
}

# While QEMU has no connection it reports to the guest that the link is down. The guest's kernel
# then drops frames before its driver. QEMU itself uses up the buffers that are in the ring.
count_guest_drops()
{
	vm_must one 5 "echo \$((\$(awk '/^Ip:/ { n = \$11 } END { print n }' /proc/net/snmp) -
		\$(cat /sys/class/net/eth0/statistics/tx_packets)))"
	OUT[kernel]=$(tail -n 1 <<<"$VM_OUT")
	OUT[QEMU]=$(grep -c ' len 0 ' "$W/one.log")
}

# No more frames are lost than are counted as dropped.
sum_up() # WHAT LOST COUNTS
{
	local -n counts=$3
	local sum=0 n
	for n in "${counts[@]}"; do
		sum=$((sum + n))
	done
	measured "lost of what the guest $1 $2, counted as dropped $sum"
	expect "lost of what the guest $1 ($(declare -p "$3"))" "$2" -le "$sum"
}

guest_is_answered() { vm one 10 "ping -c 1 -w 5 $WIRE_PEER" >"$W/ping.out"; }

# Guest "one" with traffic on back end a, the first owner of its device.
qemu_start() # DEVICE-OPTIONS
{
	vm_image
	wire_start
	mkdir "$W/state"
	DEVICE_SOCKET=$W/a
	UPGRADE_OPTIONS=state_dir=$W/state,takeover=1$1
	backend a "$UPGRADE_OPTIONS"
	guest one a -D "$W/one.log" -trace virtqueue_fill
	vm_ready one
	flow_start one
	guest_is_answered || fail "no answer before the upgrade"
	LINK_CHANGES=$(link_changes)
}

# Print how often the guest saw a change of its link.
link_changes() { vm one 5 "cat /sys/class/net/eth0/carrier_changes" | tail -n 1; }

# The guest saw no change of its link.
link_is_as_before() { expect "changes of the guest's link" "$(link_changes)" -eq "$LINK_CHANGES"; }

upgrade_to() # NAME
{
	flow_mark one
	backend "$1" "$UPGRADE_OPTIONS"
	takes_over "$1"
	tp_link_up "$1"
	guest_is_answered || fail "no answer through $1"
	flow_mark one
	measured "upgraded to $1: gap of what the guest sent $((${FLOW[out.gap]} / 1000)) ms," \
		"hole in what the guest was sent $((${FLOW[in.hole]} / 1000)) ms"
}

qemu() # DEVICE-OPTIONS
{
	local who
	SOCKET_SIDE=server
	qemu_start ",client=1${1:-}"
	upgrade_to b
	upgrade_to c
	has a 'handed over' || fail "a did not log that it handed the device over"
	count_drops a
	tp_quit a
	guest_is_answered || fail "no answer after the old process ended"
	flow_stop one
	count_drops b c
	IN[bridge]=$(interface_drops br0)
	count_guest_drops
	flow_print
	sum_up sent "${FLOW[out.lost]}" OUT
	sum_up "was sent" "${FLOW[in.lost]}" IN
	for who in guest peer; do
		expect "duplicated at the $who" "${FLOW[$who.duplicated]}" -eq 0
		expect "corrupted at the $who" "${FLOW[$who.corrupted]}" -eq 0
	done
}

# The guest's link does not change, and no frame of the guest is lost.
qemu_keeps()
{
	HOW='with the connection'
	qemu
	expect "lost of what the guest sent" "${FLOW[out.lost]}" -eq 0
	link_is_as_before
}

case_qemu_split() { qemu_keeps; }
case_qemu_packed() { DEVICE_PROPERTIES=packed=on; qemu_keeps; }

qemu_reconnects() { HOW='for the front end to connect'; qemu ,keep-connection=0; }
case_qemu_split_reconnect() { qemu_reconnects; }
case_qemu_packed_reconnect() { DEVICE_PROPERTIES=packed=on; qemu_reconnects; }

# QEMU uses the handed-over connection for all that follows: a guest that reboots sets its device up
# again, and the guest migrates.
case_qemu_goes_on()
{
	qemu_reliable
	HOW='with the connection' DEVICE_PROPERTIES=packed=on SOCKET_SIDE=server
	qemu_start ,client=1
	upgrade_to b
	link_is_as_before
	flow_stop one
	flow_check
	vm_reboot one
	flow_start one
	guest_is_answered || fail "no answer after the guest rebooted"
	upgrade_to c
	DEVICE_SOCKET=
	backend d client=1
	guest_waits two d
	migrate one two
	arrive two
}

# The new process does not offer a negotiated feature. It takes the rings but not the connection,
# and QEMU connects and negotiates again.
case_qemu_refused()
{
	HOW='for the front end to connect' DEVICE_PROPERTIES=packed=on SOCKET_SIDE=server
	qemu_start ,client=1,postcopy-support=1
	UPGRADE_OPTIONS=${UPGRADE_OPTIONS%,postcopy-support=1}
	upgrade_to b
	has a 'handed over, and the connection closed' || fail "a did not close the connection"
	has b 'its front end, which has to connect again' || fail "b did not log that it refused the connection"
	flow_stop one
	flow_intact
}

# The device listens, so QEMU connects to it. After this guest ends another one connects.
case_qemu_server()
{
	HOW='with the connection'
	qemu_start ""
	upgrade_to b
	upgrade_to c
	link_is_as_before
	flow_stop one
	flow_check
	vm_gone one
	wait_for 5 test -S "$W/a" || fail "c did not listen"
	guest one a
	vm_ready one
	guest_is_answered || fail "no answer of the next guest"
	backend d "$UPGRADE_OPTIONS"
	takes_over d
	guest_is_answered || fail "no answer of the next guest through d"
}

# The new owner is killed, and QEMU connects to the next process as after any crash.
case_qemu_crash_after()
{
	HOW='with the connection' SOCKET_SIDE=server
	qemu_start ,client=1
	upgrade_to b
	bg_kill b
	backend c "$UPGRADE_OPTIONS"
	tp_link_up c
	guest_is_answered || fail "no answer after the crash"
	flow_stop one
	flow_intact
}

# ---- failures ----

# owner NAME [OPTION...]: start a testpmd with the device and without a guest.
owner()
{
	local name=$1
	shift
	mkdir -p "$W/state"
	eal_options 128
	dut "iface=$W/s,${SOCKET_OPTION:-client=1},state_dir=$W/state${1:+,$1}"
	tp_start "$name" "${DUT[@]}" -- --auto-start --disable-link-check
}

# Owner a is stopped, so it does not answer b, and b ends.
refused_by_a_hanging_owner()
{
	owner a
	kill -STOP "${PID[a]}"
	owner b takeover=1
	wait_for 15 has b 'not taken over: the other process does not answer' || fail "b did not log the reason"
	kill -CONT "${PID[a]}"
	tp_quit b
}

# An owner that does not answer keeps the device and continues to use it.
case_no_answer()
{
	refused_by_a_hanging_owner
	! has a ': handed over' || fail "a handed the device over"
	owner c takeover=1
	takes_over c
	measured "refused with the reason, and taken over later"
	tp_quit a
	tp_quit c
}

# A process that does not get the device must not remove the socket on which the owner listens.
case_refused_leaves_the_socket()
{
	SOCKET_OPTION=client=0
	refused_by_a_hanging_owner
	[ -S "$W/s" ] || fail "b removed the socket of a"
	eal_options 128
	dut "iface=$W/s"
	tp_launch c "${DUT[@]}" -- --auto-start
	wait_for 15 has c "net_vstate0: $W/s is in use" || fail "c took a socket that is in use"
	wait_for 15 has c 'not created: Address already in use' || fail "c created the device"
	"$TOOL" guest --socket "$W/s" --seconds 1 >"$W/guest.out" 2>&1 || fail "a cannot be reached"
	tp_quit a
	measured "a guest connected to the first process afterwards"
}

case_without_takeover_it_is_busy()
{
	owner a
	eal_options 128
	dut "iface=$W/s,client=1,state_dir=$W/state"
	tp_launch b "${DUT[@]}" -- --auto-start
	wait_for 15 has b 'not created: Device or resource busy' || fail "b created a device that is in use"
	expect_match "reason" "$(cat "$W/b.out")" "in use by process ${PID[a]}"
	tp_quit a
}

# A guest on the first process, and a second process that must take over as HOW says.
with_guest() # COMMAND...: runs before the second process starts
{
	SOCKET_OPTION=client=0
	owner a
	bg guest "$TOOL" guest --socket "$W/s" --seconds 60
	wait_for 10 has a 'virtio is now ready' || fail "a has no guest"
	"$@"
	owner b takeover=1
	takes_over b
	tp_quit a
	tp_quit b
}

second_front_end()
{
	bg second /usr/bin/python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
time.sleep(60)' "$W/s"
	wait_for 10 both_are_accepted || fail "a did not accept a second front end"
}

# No connection waits in the queue of the socket: each accepted one has an end of that path.
both_are_accepted() { [ "$(grep -c " $W/s\$" /proc/net/unix)" -ge 3 ]; }

case_one_front_end() { HOW='with the connection'; with_guest true; }
# The connection of the device is handed over. The other one ends, and may connect again.
case_two_front_ends() { HOW='with the connection'; with_guest second_front_end; }

# The owner dies while it is asked: the new process continues as after any crash.
case_killed_owner()
{
	owner a
	kill -STOP "${PID[a]}"
	owner b takeover=1
	bg_kill a
	takes_over b
	tp_quit b
}

case_nobody_to_ask()
{
	owner a takeover=1
	! has a 'will be asked' || fail "a asked, but no process owns the device"
	tp_quit a
}

# with_telemetry COMMAND...: the testpmd that COMMAND starts answers release.
with_telemetry()
{
	local TELEMETRY=yes
	local -x RUNTIME_DIRECTORY=$W
	"$@"
}

release()
{
	/usr/bin/python3 "$VSTATE_ROOT/tests/tools/telemetry.py" "$W/dpdk/rte/dpdk_telemetry.v2" \
		/vstate/release,net_vstate0
}

# A telemetry command releases the device.
case_release()
{
	with_telemetry owner a
	expect_match "telemetry" "$(release)" 'asked for'
	wait_for 10 has a ': released' || fail "a did not release the device"
	owner b
	tp_quit b
	tp_quit a
}

# ---- a virtio-user guest; the device's service sends its frames back ----

# Command that a looper is run by.
LOOPER_WRAP=()

# looper NAME [OPTION]: start a process with the guest's device, polled by a service.
looper()
{
	local name=$1 cpus
	shift
	mkdir -p "$W/state"
	eal_options 128
	cpus=${EAL[1]##*@}
	EAL[1]+=",2@$cpus"
	dut "iface=$W/s,client=1,state_dir=$W/state,service=1${1:+,$1}"
	local TP_WRAP=("${LOOPER_WRAP[@]}")
	tp_start "$name" -s 0x2 "${DUT[@]}" -- --disable-device-start
}

# The guest sends as fast as frames come back. If a new back end connects, the rings must be split:
# virtio-user resets packed rings then and forgets the frames in them.
loop_start() # [PACKED]
{
	eal_options 128
	tp_launch guest --vdev "net_virtio_user0,path=$W/s,server=1,packed_vq=${1:-0},mrg_rxbuf=1" --
	wait_for 10 test -S "$W/s" || fail "guest: no socket"
	with_telemetry looper a
	wait_for 20 tp_ready guest || fail "guest: testpmd did not start"
	tp_link_up guest
	tp guest "set fwd io" >/dev/null
	tp guest "start tx_first 4" >/dev/null
	frames_come_back
}

frames_come_back()
{
	local before
	before=$(tp_stat guest RX-packets)
	wait_for 20 tp_received_more guest $((before + 1000)) || fail "${1:-}no frames come back"
}

# The guest stops sending; every frame that it sent must come back.
loop_end()
{
	forward guest rxonly
	wait_for 20 tp_agree guest TX-packets guest RX-packets ||
		fail "sent $TP_SENT, came back $TP_GOT"
	measured "$TP_GOT frames sent and come back"
	tp_quit guest
}

loop() # PACKED OPTION
{
	loop_start "$1"
	looper b "takeover=1$2"
	takes_over b
	wait_for 10 has a 'handed over' || fail "a did not log that it handed the device over"
	frames_come_back "through b "
	tp_quit a
	frames_come_back "after a ended "
	loop_end
	tp_quit b
}

case_loop() { HOW='with the connection'; loop 0 ""; }
case_loop_packed() { HOW='with the connection'; loop 1 ""; }
# As in two containers that share state_dir=: both processes are number 1 in their own namespace.
case_loop_pid_namespaces()
{
	unshare --pid --fork --mount-proc true 2>"$W/unshare.out" ||
		skip "no PID namespaces: $(tail -n 1 "$W/unshare.out")"
	LOOPER_WRAP=(unshare --pid --fork --kill-child --mount-proc)
	HOW='with the connection'
	loop 1 ""
}
case_loop_reconnect() { HOW='for the front end to connect'; loop 0 ,keep-connection=0; }

# The device is released under load, and the next process takes it.
case_release_under_load()
{
	loop_start
	expect_match "telemetry" "$(release)" 'asked for'
	wait_for 10 has a ': released' || fail "a did not release the device"
	looper b
	frames_come_back "through b "
	tp_quit a
	loop_end
	tp_quit b
}

# What a process gets with a device does not become more from takeover to takeover.
case_growth() { GROWTH=4; grows_not 12 --rounds $((${SOAK:-0} ? 1000 : 20)) --queues 2 --upgrade; }

# ---- many devices at once ----

# Queue pairs of each device.
MANY_PAIRS=2

# many_looper NAME DEVICES [OPTION]: as looper, with a socket for each device.
many_looper()
{
	local name=$1 devices=$2 i args=()
	for i in $(seq 0 $((devices - 1))); do
		args+=("iface=$W/s$i,queues=$MANY_PAIRS,state_dir=$W/state,service=1${3:+,$3}")
	done
	eal_options 512
	EAL[1]+=",2@${EAL[1]##*@}"
	dut "${args[@]}"
	tp_start "$name" -s 0x2 "${DUT[@]}" -- --disable-device-start
}

many_guest() # DEVICES
{
	local i args=()
	for i in $(seq 0 $(($1 - 1))); do
		args+=(--vdev "net_virtio_user$i,path=$W/s$i,queues=$MANY_PAIRS,queue_size=256,mrg_rxbuf=1")
	done
	eal_options 512
	tp_start guest "${args[@]}" -- --rxq="$MANY_PAIRS" --txq="$MANY_PAIRS" --port-topology=loop --total-num-mbufs=65536
	tp guest "set fwd io" >/dev/null
	tp guest "start tx_first 1" >/dev/null
}

all_handed_over() { [ "$(grep -c 'handed over, with the connection' "$W/$1.out")" -eq "$2" ]; } # NAME DEVICES

# Frames of a guest come back from each device.
all_come_back() # DEVICES
{
	local i before
	for i in $(seq 0 $(($1 - 1))); do
		before=$(tp_stat guest RX-packets "$i")
		wait_for 20 received_more_at "$i" $((before + 100)) || fail "no frames come back from device $i"
	done
}

received_more_at() { [ "$(tp_stat guest RX-packets "$1")" -gt "$2" ]; } # DEVICE THAN

# Print how long the devices of some processes rested, in ms: the median, nine of ten, the longest.
rests() # FILE...
{
	sed -n 's/.*no queue was served for \([0-9.]*\) ms.*/\1/p' "${@/#/$W/}" | sort -n |
		awk '{ rest[NR] = $1 }
			END { print rest[int((NR + 1) / 2)] "/" rest[int((9 * NR + 9) / 10)] "/" rest[NR] }'
}

# All devices of a process are taken over at once, by one process after the other.
many_upgrades() # DEVICES UPGRADES
{
	local i last=owner0 files=()
	mkdir -p "$W/state"
	many_looper "$last" "$1"
	many_guest "$1"
	all_come_back "$1"
	for i in $(seq "$2"); do
		many_looper "owner$i" "$1" takeover=1
		wait_for 60 all_handed_over "$last" "$1" || fail "$last did not hand each device over"
		files+=("$last.out")
		tp_quit "$last"
		last=owner$i
		all_come_back "$1"
	done
	tp_quit guest
	tp_quit "$last"
	RESTS=$(rests "${files[@]}")
}

# Each device rests for its own handover only, and not for those of the others.
MANY_DEVICES=${MANY_DEVICES:-$((${SOAK:-0} ? 24 : 6))}
MANY_UPGRADES=${MANY_UPGRADES:-$((${SOAK:-0} ? 2 : 1))}
ONE_UPGRADES=${ONE_UPGRADES:-$((${SOAK:-0} ? 48 : 3))}
case_many_devices()
{
	local one
	many_upgrades 1 "$ONE_UPGRADES"
	one=$RESTS
	many_upgrades "$MANY_DEVICES" "$MANY_UPGRADES"
	measured "rest in ms, p50/p90/max: one device alone $one, $MANY_DEVICES devices at once $RESTS"
}

# large_upgrades DEVICES UPGRADES: as many_upgrades. The guests are those of the tool: a virtio-user port of
# DPDK 22.11 has eight queue pairs at most.
large_upgrades()
{
	local i n last=owner0 files=()
	rm -rf "$W/state"
	mkdir -p "$W/state"
	many_looper "$last" "$1"
	for i in $(seq 0 $(($1 - 1))); do
		bg "guest$i" "$TOOL" guest --socket "$W/s$i" --queues "$MANY_PAIRS" --rate 20 --calls --seconds 3600 --json
	done
	for n in $(seq "$2"); do
		sleep 2
		many_looper "owner$n" "$1" takeover=1
		wait_for 60 all_handed_over "$last" "$1" || fail "$last did not hand each device over"
		files+=("$last.out")
		tp_quit "$last"
		last=owner$n
	done
	sleep 2
	for i in $(seq 0 $(($1 - 1))); do
		kill -INT "${PID[guest$i]}"
		bg_end "guest$i" 20
		expect_match "guest $i" "$(tail -n 1 "$W/guest$i.out")" '"lost": 0, .*"duplicated": 0, "reordered": 0, "corrupted": 0'
	done
	tp_quit "$last"
	RESTS=$(rests "${files[@]}")
}

case_many_pairs()
{
	MANY_PAIRS=16
	large_upgrades 1 "${PAIRS16_UPGRADES:-100}"
	measured "rest in ms, p50/p90/max: one device of 16 pairs $RESTS"
	MANY_PAIRS=64
	large_upgrades 1 12
	measured "one device of 64 pairs $RESTS"
	large_upgrades 8 6
	measured "8 such devices $RESTS"
}

# One of the two processes is killed at a random instant of a handover. The guest keeps its connection,
# unless the owner dies before it has offered it, or the new process when it has it alone.
KILLS=${KILLS:-$((${SOAK:-0} ? 1000 : 12))}

case_kills()
{
	local cpus
	mkdir -p "$W/state"
	eal_options 128
	cpus=${EAL[1]##*@}
	EAL[1]+=",2@$cpus"
	dut "iface=$W/s,state_dir=$W/state,service=1,takeover=1"
	"${TP_WRAP[@]}" /usr/bin/python3 "$VSTATE_ROOT/tests/tools/takeover_kills.py" "$KILLS" "${SEED:-$RANDOM}" "$W" \
		"exec $TOOL guest --socket $W/s --seconds 100000 --rate 2000" -- \
		dpdk-testpmd "${EAL[@]}" -s 0x2 "${DUT[@]}" --file-prefix "vstate-kill-$$-%N" -- -i --no-mlockall --total-num-mbufs=16384 \
		--disable-device-start \
		>"$W/kills.out" 2>&1 || fail "$(head -n 1 "$W/kills.out")"
	measured "$(tail -n 1 "$W/kills.out")"
}

# The QEMU cases that run only with SOAK=1 are parts of those that always run.
# shellcheck disable=SC2046 # names without blanks
run_cases split packed split-16-queues packed-16-queues split-reconnect packed-reconnect long-names \
	qemu-packed-reconnect qemu-goes-on qemu-server qemu-refused \
	no-answer refused-leaves-the-socket \
	without-takeover-it-is-busy one-front-end two-front-ends killed-owner nobody-to-ask release loop loop-packed loop-pid-namespaces loop-reconnect \
	release-under-load growth many-devices kills $(soak qemu-split qemu-packed qemu-split-reconnect qemu-crash-after many-pairs)
