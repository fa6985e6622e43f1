#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Secondary processes of the distribution beside a testpmd whose port has traffic: dpdk-proc-info sees
# the port and its counters, dpdk-pdump and dpdk-dumpcap capture its packets, and a secondary process
# that is killed at any time does no harm.

# shellcheck source=tests/lib/pair.sh
. "$(dirname "$0")/lib/pair.sh"
# shellcheck source=tests/lib/hugepages.sh
. "$VSTATE_ROOT/tests/lib/hugepages.sh"

# Processes share memory only with hugepages and files.
SHARED=(--no-pci --file-prefix vstate --huge-dir)

primary_start()
{
	[ "$VSTATE_VDEV" = net_vstate ] || skip "$VSTATE_VDEV has no port in a secondary process"
	[ -z "${VSTATE_SANITIZE:-}" ] || skip "a sanitizer's memory differs in each process"
	hugepages_reserve 96
	hugepages_mount "$W/huge"
	export XDG_RUNTIME_DIR=$W RUNTIME_DIRECTORY=$W
	SHARED+=("$W/huge")
	GUEST=$1
	pair_begin
}

pair_begin()
{
	eal_options 256
	EAL=(--lcores '0@0-1,1@0-1' "${SHARED[@]}" -m 160)
	back_start
	eal_options 256
	guest_start "$GUEST"
	pair_link_up
}

# secondary SECONDS PROGRAM [EAL-OPTION...] -- OPTION...: run it with its output in $W/PROGRAM.out
secondary()
{
	local limit=$1 program=$2 plugin
	shift 2
	plugin=$(plugin_path) || fail "no plugin to load"
	timeout "$limit" "$program" "${SHARED[@]}" -d "$plugin" --no-telemetry "$@" \
		>"$W/$program.out" 2>&1 </dev/null
}

# Debian's testpmd is linked with a mempool driver that these programs only load later. EAL numbers the
# handlers of mempools in the order of their drivers, and a pool that one process makes and another one
# uses is broken if the numbers differ. This is the same with any port.
same_mempools()
{
	local driver
	driver=$(find "$(drivers_dir)" -name 'librte_mempool_dpaa.so.*' | head -n 1)
	MEMPOOLS=(env "LD_PRELOAD=$driver")
}

drivers_dir() { find /usr/lib -maxdepth 4 -type d -name 'pmds-*' | head -n 1; }

# Value of a counter in the output of dpdk-proc-info.
info_value() { sed -nE "s/.*$1: *([0-9]+).*/\1/p" "$W/dpdk-proc-info.out" | head -n 1; }

case_proc_info()
{
	local sent
	primary_start packed_vq=1,mrg_rxbuf=1
	one_way guest back
	sent=$TP_GOT
	secondary 20 dpdk-proc-info -- -p 1 --stats || fail "proc-info: exit status $?"
	expect "packets in the secondary" "$(info_value RX-packets)" -eq "$sent"
	expect "bytes in the secondary" "$(info_value RX-bytes)" -eq "$(tp_stat back RX-bytes)"
	secondary 20 dpdk-proc-info -- -p 1 --xstats || fail "proc-info --xstats: exit status $?"
	expect "packets of queue 0" "$(info_value rx_q0_good_packets)" -eq "$sent"
	expect "packets of virtqueue 1" "$(info_value vq1_good_packets)" -eq "$sent"
	secondary 20 dpdk-proc-info -- -p 1 --show-port || fail "proc-info --show-port: exit status $?"
	has dpdk-proc-info 'net_vstate' || fail "no driver name in the secondary"
	measured "$sent packets in both processes"
	pair_quit
}

# Number of packets in a file of libpcap's format, each of 64 bytes: 24 bytes, and 80 for each.
pcap_packets() { echo $((($(stat -c %s "$1" 2>/dev/null || echo 24) - 24) / 80)); }
pcap_has_some() { [ "$(pcap_packets "$1")" -gt 100 ]; }

case_pdump()
{
	local n plugin
	primary_start packed_vq=0,mrg_rxbuf=1
	plugin=$(plugin_path) || fail "no plugin to load"
	# it adds a port to the primary process, after which testpmd starts no forwarding
	forward back rxonly
	same_mempools
	bg pdump "${MEMPOOLS[@]}" dpdk-pdump "${SHARED[@]}" -d "$plugin" --no-telemetry -l 0 -- \
		--pdump "port=0,queue=*,rx-dev=$W/rx.pcap,total-num-mbufs=2047"
	forward guest txonly
	wait_for 20 pcap_has_some "$W/rx.pcap" || fail "dpdk-pdump captured nothing"
	tp guest stop >/dev/null
	n=$(pcap_packets "$W/rx.pcap")
	kill -INT "${PID[pdump]}"
	bg_end pdump 20 || fail "dpdk-pdump: exit status $?"
	one_way guest back
	measured "dpdk-pdump captured $n packets"
	pair_quit
}

# dpdk-dumpcap has no option to load a plugin: install it, for the processes of this case only. All
# load the drivers from one directory, as the order in which they are loaded must be the same.
plugin_install()
{
	local plugin pmds
	plugin=$(plugin_path) || fail "no plugin to load"
	pmds=$(drivers_dir)
	[ -n "$pmds" ] || skip "no directory of drivers"
	mkdir "$W/pmds"
	cp -d "$pmds"/* "$W/pmds"
	ln -s "$plugin" "$W/pmds/"
	printf '#!/bin/sh\nmount --bind %s %s && exec "$@"\n' "$W/pmds" "$pmds" >"$W/installed"
	chmod +x "$W/installed"
	TP_WRAP=(unshare -m "$W/installed")
}

# Before DPDK 25.11 the callback of a capture that ends races with a poll thread inside it, which can
# end the primary process. So nothing polls when this one ends.
case_dumpcap()
{
	plugin_install
	primary_start packed_vq=1,mrg_rxbuf=1
	same_mempools
	bg dumpcap "${TP_WRAP[@]}" "${MEMPOOLS[@]}" dpdk-dumpcap --file-prefix=vstate -i 0 -P -w "$W/cap.pcap"
	forward back rxonly
	forward guest txonly
	wait_for 30 pcap_has_some "$W/cap.pcap" || fail "dpdk-dumpcap captured nothing"
	tp guest stop >/dev/null
	tp back stop >/dev/null
	kill -INT "${PID[dumpcap]}"
	bg_end dumpcap 20 || fail "dpdk-dumpcap: exit status $?"
	measured "dpdk-dumpcap captured $(pcap_packets "$W/cap.pcap") packets"
	one_way guest back
	pair_quit
}

# EAL's locks of memory lie in memory that all processes share, and no process frees the lock of a dead
# one: a secondary process that is killed while it maps memory, in the first third of its life, or
# gives it back, at its end, stops each later one in rte_eal_init(). A process without the plugin and
# without the driver shows it.
eal_lock_left()
{
	local rc=0
	timeout 5 dpdk-proc-info "${SHARED[@]}" --no-telemetry >"$W/no-driver.out" 2>&1 </dev/null || rc=$?
	[ "$rc" -eq 124 ]
}

under_traffic()
{
	forward back rxonly
	forward guest txonly
}

# The port of a process that is to serve no secondary process any more still forwards. Start again.
primary_again()
{
	local before
	before=$(tp_stat back RX-packets)
	wait_for 10 more_than "$before" || fail "back: no packets after kill $1"
	bg_kill guest
	bg_kill back
	pair_begin
	under_traffic
}

more_than() { [ "$(tp_stat back RX-packets)" -gt "$1" ]; }

now_ms() { echo $(($(date +%s%N) / 1000000)); }

KILLS=${VSTATE_KILLS:-12}
MOST_LOCKS=$((KILLS / 3))

# Killed while it attaches, reads statistics, or ends: the next one must see the port, and the port
# must work. The times of the kills follow the time that a secondary process needs on this machine.
case_killed()
{
	local i plugin begin whole at good=0 locks=0
	primary_start packed_vq=1,mrg_rxbuf=1
	plugin=$(plugin_path) || fail "no plugin to load"
	under_traffic
	begin=$(now_ms)
	secondary 20 dpdk-proc-info -- -p 1 --xstats || fail "proc-info before the kills: exit status $?"
	whole=$(($(now_ms) - begin))
	for i in $(seq 0 $((KILLS - 1))); do
		bg info dpdk-proc-info "${SHARED[@]}" -d "$plugin" --no-telemetry -- -p 1 --xstats
		at=$((whole * (40 + 60 * i / KILLS) / 100))
		sleep "$((at / 1000)).$(printf %03d $((at % 1000)))"
		bg_kill info
		alive back || fail "back: testpmd died after kill $i"
		if secondary 5 dpdk-proc-info -- -p 1 --stats; then
			good=$((good + 1))
			continue
		fi
		eal_lock_left || fail "proc-info after kill $i at $at of $whole ms: no port"
		locks=$((locks + 1))
		primary_again "$i"
		# each costs some 15 s
		if [ "$locks" -eq "$MOST_LOCKS" ]; then break; fi
	done
	tp guest stop >/dev/null
	traffic
	secondary 20 dpdk-proc-info -- -p 1 --stats || fail "proc-info after the kills: exit status $?"
	expect "packets in the secondary" "$(info_value RX-packets)" -gt 0
	expect "kills that left no lock" "$good" -gt 0
	measured "$good secondary processes killed in $whole ms of their life, $locks more left a lock of EAL"
	pair_quit
}

run_cases proc-info pdump dumpcap killed
