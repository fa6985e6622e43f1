#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Debian's OVS-DPDK with two ports of one guest, between which frames go round: cycles of the poll
# thread for a packet, and packets a second. Ports of net_vstate and of OVS's own
# dpdkvhostuserclient take turns, so that other load of the machine affects both.
#
#	devtools/ovs_bench.sh [OPTION VALUE]...
#
#	--ring LIST	of: split, packed (both)
#	--size LIST	bytes of a frame (64,1500)
#	--pairs LIST	queue pairs of a port (1,4)
#	--turns N	turns of each kind of port (5)
#	--seconds S	of each measurement (1)
#	--tso		with userspace-tso-enable of OVS
#
# The poll thread of OVS has one processor, the guest (a testpmd with net_virtio_user) another one.
# "cycles" are those that OVS reports as processing, for each packet that it received. Each figure
# is the median of the turns.

set -u
W=$(mktemp -d) || exit 1
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../tests/lib/harness.sh"
# shellcheck source=tests/lib/testpmd.sh
. "$VSTATE_ROOT/tests/lib/testpmd.sh"
# shellcheck source=tests/lib/wire.sh
. "$VSTATE_ROOT/tests/lib/wire.sh"
# shellcheck source=tests/lib/ovs_lib.sh
. "$VSTATE_ROOT/tests/lib/ovs_lib.sh"

RINGS=split,packed SIZES=64,1500 PAIRS=1,4 TURNS=5 PERIOD=1 TSO=
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) sed -n '5,22s/^#[[:blank:]]\{0,1\}//p' "$0"; exit 0 ;;
	--tso) TSO=yes; shift; continue ;;
	--ring | --size | --pairs | --turns | --seconds) [ $# -gt 1 ] || die "$1: a value is missing" ;;
	*) die "unknown option $1; see $0 --help" ;;
	esac
	case $1 in
	--ring) RINGS=$2 ;;
	--size) SIZES=$2 ;;
	--pairs) PAIRS=$2 ;;
	--turns) TURNS=$2 ;;
	--seconds) PERIOD=$2 ;;
	esac
	shift 2
done

leave()
{
	local pid
	[ ! -e "$W/pids" ] || while read -r pid; do
		kill "$pid" 2>/dev/null
	done <"$W/pids"
	wait 2>/dev/null
	[ ! -e "$W/plugins" ] || xargs -r rm -rf <"$W/plugins"
	rm -rf "$W"
}
trap leave EXIT
# As the functions of the tests say it: print the reason, and end.
fail() { printf 'ovs_bench: %s\n' "$*" >&2; exit 1; }
skip() { fail "$@"; }

need_packages "${BUILD_PACKAGES[@]}" dpdk-dev
need_driver_headers
build build
[ "$(nproc)" -gt 1 ] || fail "two processors are needed"
ovs_packages
wire_namespace

switch_start()
{
	hugepages_reserve 320
	ovs_database_start
	dut
	vsctl_must --no-wait set Open_vSwitch . other_config:dpdk-init=true \
		other_config:dpdk-socket-mem=512 other_config:per-port-memory=true \
		"other_config:dpdk-extra=\"--no-pci --in-memory --no-telemetry ${DUT[*]}\"" \
		other_config:pmd-cpu-mask=0x2 other_config:dpdk-lcore-mask=0x1 \
		"other_config:userspace-tso-enable=$([ -z "$TSO" ] && echo false || echo true)"
	vswitchd_start
	vsctl_must add-br br0 -- set bridge br0 datapath_type=netdev
	ovs-ofctl --timeout=20 del-flows "unix:$W/br0.mgmt" 2>>"$W/vsctl.out"
}

port_add() # NAME NUMBER KIND PAIRS
{
	if [ "$3" = vstate ]; then
		vsctl_must add-port br0 "$1" -- set Interface "$1" type=dpdk "ofport_request=$2" "options:n_rxq=$4" \
			"options:dpdk-devargs=net_vstate$2,iface=$W/$1,client=1,queues=$4"
	else
		vsctl_must add-port br0 "$1" -- set Interface "$1" type=dpdkvhostuserclient "ofport_request=$2" \
			"options:vhost-server-path=$W/$1" "options:n_rxq=$4"
	fi
	expect_match "error of port $1" "$(vsctl get Interface "$1" error)" '^\[\]$'
}

# A guest with both ports. It forwards what comes on one to the other.
guest_start() # RING SIZE PAIRS
{
	local i args=() packed=0
	[ "$1" = split ] || packed=1
	for i in 1 2; do
		args+=(--vdev "net_virtio_user$i,path=$W/p$i,server=1,queues=$3,queue_size=1024,packed_vq=$packed,mrg_rxbuf=1")
	done
	eal_options 512
	EAL[1]='0@0,1@0'
	tp_launch guest "${args[@]}" -- "--rxq=$3" "--txq=$3" --txd=1024 --rxd=1024 "--txpkts=$2" --total-num-mbufs=65536
	for i in 1 2; do
		wait_for 20 test -S "$W/p$i" || fail "guest: no socket"
		port_add "p$i" "$i" "$4" "$3"
	done
	wait_for 30 tp_ready guest || fail "guest: testpmd did not start"
	tp_link_up guest 0
	tp_link_up guest 1
}

# The values of the poll thread, since the statistics were cleared: packets, processing cycles.
pmd_values()
{
	appctl dpif-netdev/pmd-stats-show | awk '
		/^pmd thread/ { here = 1 }
		/^main thread/ { here = 0 }
		here && /packets received:/ { packets += $3 }
		here && /processing cycles:/ { cycles += $3 }
		END { printf "%.0f %.0f\n", packets, cycles }'
}

turn() # KIND RING SIZE PAIRS
{
	local start end packets cycles
	guest_start "$2" "$3" "$4" "$1"
	ovs-ofctl --timeout=20 add-flow "unix:$W/br0.mgmt" in_port=1,actions=output:2 2>>"$W/vsctl.out"
	ovs-ofctl --timeout=20 add-flow "unix:$W/br0.mgmt" in_port=2,actions=output:1 2>>"$W/vsctl.out"
	tp guest "set fwd io" >/dev/null
	tp guest "start tx_first 8" >/dev/null
	sleep 0.5
	appctl dpif-netdev/pmd-stats-clear >/dev/null
	start=$EPOCHREALTIME
	sleep "$PERIOD"
	read -r packets cycles < <(pmd_values)
	end=$EPOCHREALTIME
	[ "$packets" -gt 1000 ] || fail "$1: only $packets packets go round"
	awk -v p="$packets" -v c="$cycles" -v s="$start" -v e="$end" 'BEGIN { print c / p, p / (e - s) / 1e6 }' \
		>>"$W/$1.figures"
	tp_quit guest
	vsctl_must del-port br0 p1
	vsctl_must del-port br0 p2
	rm -f "$W"/p[12]
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; } # of the first words
column() { cut -d' ' -f"$2" "$W/$1.figures" | median; } # KIND COLUMN

row() # RING SIZE PAIRS
{
	local i
	rm -f "$W"/*.figures
	for ((i = 0; i < TURNS; i++)); do
		turn own "$@"
		turn vstate "$@"
	done
	awk -v what="$(printf '%-6s %5s %5s' "$@")" -v oc="$(column own 1)" -v om="$(column own 2)" \
		-v vc="$(column vstate 1)" -v vm="$(column vstate 2)" 'BEGIN {
			printf "%s %10.0f %8.2f %10.0f %8.2f %7.2f %5.2f\n", what, oc, om, vc, vm, vc / oc, vm / om }'
}

switch_start
printf '%-6s %5s %5s %10s %8s %10s %8s %7s %5s\n' ring bytes pairs "own cycles" Mpps "vstate cyc" Mpps cycles Mpps
for pairs in ${PAIRS//,/ }; do
	for size in ${SIZES//,/ }; do
		for ring in ${RINGS//,/ }; do
			row "$ring" "$size" "$pairs"
		done
	done
done
vswitchd_stop
