#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Guests and front ends that misbehave in each way that "dpdk-test-vdpa guest
# --hostile list" names, against the device in testpmd and behind rte_vdpa. In each case the
# process must survive, write only to memory that it was given, serve a second device at the same time,
# serve the next guest, and use no more descriptors and threads than before. It must set
# NEEDS_RESET if a queue is broken, and only then. Then random messages. The same for drivers of a
# disk that misbehave.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"
# shellcheck source=tests/lib/serve_lib.sh
. "$(dirname "$0")/lib/serve_lib.sh"
# shellcheck source=tests/lib/testpmd.sh
. "$(dirname "$0")/lib/testpmd.sh"

# Number of cases of all rings and messages, of a disk, and of those that rte_vhost does not survive.
ALL=497
BLK=210
RTE_VHOST=22
# With a device that connects: cases that need few connections, because a front end that hangs up
# again and again gets one a second.
CLIENT=half-header,header-only,header-only-fds,half-payload-ready,unread-features-ready,unread-inflight
CLIENT+=,flood-memory,bytes-mem-table,after-refused-table,kick-blocks,call-blocks-closed,err-blocks
CLIENT+=,rings-shrink,connect-mem-last
PATIENCE=$((480 * (${VSTATE_SANITIZE:-0} * 2 + 1)))
# Limit in KiB: a request for unbounded memory must fail the test and not exhaust the machine.
FILE_LIMIT=4194304
# Connections of a case that makes many; seconds of random messages.
ROUNDS=1000
FUZZ_SECONDS=20
[ -z "${SOAK:-}" ] || FUZZ_SECONDS=600
# A sanitizer keeps memory that was freed.
RSS_LIMIT=$((64 * (${VSTATE_SANITIZE:-0} * 7 + 1)))

# ---- back ends with two devices ----

# Devices $W/s and $W/w in testpmd, which sends every frame back where it came from.
testpmd_start() # [DEVARGS]
{
	local state_dir=''
	ulimit -f "$FILE_LIMIT"
	eal_options 256
	# with the state file, which records the messages of a front end
	[ "$VSTATE_VDEV" = net_vhost ] || state_dir=,state_dir=$W/state
	mkdir "$W/state"
	dut "iface=$W/s,queues=2,tso=1$state_dir${1:+,$1}" "iface=$W/w,queues=2"
	tp_start back "${DUT[@]}" -- --rxq=2 --txq=2 --port-topology=loop
	tp back "set fwd io" >/dev/null
	tp back start >/dev/null
}

testpmd_end()
{
	alive back || fail "testpmd died"
	tp_quit back
}

# Options of the tool that are the same for all attacks: the second device and the process.
attack_options() # WITNESS PROCESS
{
	ATTACK=(--witness "$1" --back-end-pid "${PID[$2]}" --rounds "$ROUNDS" --rss-limit "$RSS_LIMIT")
	# rte_vhost reads the messages of net_vhost, too. It does not report that a queue is broken.
	case $2,$VSTATE_VDEV in
	*,net_vhost) ATTACK+=(--rte-vhost) ;;
	serve,*) ATTACK+=(--rte-vhost --expect-reset) ;;
	*) ATTACK+=(--expect-reset) ;;
	esac
}

no_failure() # WHAT
{
	local failed
	failed=$(grep '^FAIL' "$W/tool.out" | sed 's/^FAIL //')
	[ -z "$failed" ] || fail "$1: $(wc -l <<<"$failed") not survived: $(head -n 12 <<<"$failed" | paste -sd';')"
}

attack() # SOCKET SKIPPED
{
	local skipped=''
	[ "$2" -eq 0 ] || skipped=", $2 skipped"
	tool "$PATIENCE" guest --socket "$1" --hostile all "${ATTACK[@]}"
	no_failure "$1"
	expect_match "result" "$(tail -n 1 "$W/tool.out")" "^$((ALL - $2)) passed, 0 failed$skipped\$"
	measured "$(tail -n 1 "$W/tool.out")"
}

# ---- cases ----

# Split and packed rings, and all messages.
case_net()
{
	local skipped=0
	testpmd_start
	attack_options "$W/w" back
	[ "$VSTATE_VDEV" != net_vhost ] || skipped=$RTE_VHOST
	attack "$W/s" "$skipped"
	testpmd_end
}

# The same behind rte_vdpa: rte_vhost handles the messages and a service polls.
case_vdpa()
{
	ulimit -f "$FILE_LIMIT"
	[ -x "$TOOL" ] || fail "no $TOOL: build first"
	bg serve nice -n 19 "$TOOL" serve --iface "$W/s" --no-prompt \
		--eal "--vdev vdpa_vstate0,queues=2 --vdev vdpa_vstate1,queues=2"
	wait_for 20 test -S "$W/s1" || fail "serve: no socket after 20 s"
	attack_options "$W/s1" serve
	attack "$W/s0" "$RTE_VHOST"
	alive serve || fail "serve died"
	kill "${PID[serve]}"
	bg_end serve || fail "serve: exit status $?"
}

disks_served() { alive serve || fail "serve ended at its start"; [ -S "$W/blk0" ] && [ -S "$W/blk1" ]; }

# Disks with sockets of their own: requests, rings and in-flight regions.
case_blk()
{
	local plugin
	ulimit -f "$FILE_LIMIT"
	plugin=$(plugin_path) || fail "no plugin to load"
	truncate -s 16M "$W/disk0" "$W/disk1"
	eal_options 64
	serve_exec "${EAL[@]}" -s 0x2 -d "$plugin" --vdev "blk_vstate0,iface=$W/blk0,path=$W/disk0,queues=2" \
		--vdev "blk_vstate1,iface=$W/blk1,path=$W/disk1" -- serve
	wait_for 20 disks_served || fail "no socket after 20 s"
	tool "$PATIENCE" guest --class blk --socket "$W/blk0" --hostile all --witness "$W/blk1" \
		--back-end-pid "${PID[serve]}" --rss-limit "$RSS_LIMIT" --expect-reset
	no_failure blk
	expect_match "result" "$(tail -n 1 "$W/tool.out")" "^$BLK passed, 0 failed\$"
	measured "$(tail -n 1 "$W/tool.out")"
	serve_quit
}

# A device that connects to the front end.
client() # NAMES SECONDS
{
	testpmd_start client=1
	ROUNDS=3
	attack_options "$W/w" back
	tool "$2" guest --socket "$W/s" --server --hostile "$1" "${ATTACK[@]}"
	no_failure "$1"
	expect_match "result" "$(tail -n 1 "$W/tool.out")" "^[0-9]+ passed, 0 failed"
	measured "$(tail -n 1 "$W/tool.out")"
	testpmd_end
}

case_client() { client "$CLIENT" "$PATIENCE"; }

# All cases of connections and messages.
case_client_all() { client door 900; }

# A message that does not end holds neither the port nor the process.
case_quit()
{
	testpmd_start
	attack_options "$W/w" back
	bg held "$TOOL" guest --socket "$W/s" --hostile header-only-ready --hold 20
	wait_for 10 tp_link_is_up back || fail "the link did not come up"
	sleep 0.5
	tp back stop >/dev/null
	tp back "port stop 0" >/dev/null
	tp back "port close 0" >/dev/null
	tp_quit back
}

fuzz() # SOCKET SECONDS SEED
{
	tool $((${2%.*} + 60)) guest --socket "$1" --hostile fuzz --seed "$3" --seconds "$2" "${ATTACK[@]}"
	no_failure "seed $3"
	expect_match "result" "$(cat "$W/tool.out")" "^PASS fuzz"
	measured "$(grep '^fuzz:' "$W/tool.out" | sed 's/^fuzz: //; s/;/,/g')"
}

# Random messages. A seed sends the same messages again: dpdk-test-vdpa guest --hostile fuzz
# --verbose prints them.
case_fuzz()
{
	testpmd_start
	attack_options "$W/w" back
	fuzz "$W/s" "$FUZZ_SECONDS" "${FUZZ_SEED:-$RANDOM}"
	testpmd_end
}

# The figures of the guide.
case_connects()
{
	testpmd_start
	attack_options "$W/w" back
	tool 400 guest --socket "$W/s" --hostile connects "${ATTACK[@]}"
	expect_match "growth" "$(tail -n 1 "$W/tool.out")" "^0 of [0-9]+ kinds grew, 0 failed\$"
	cp "$W/tool.out" "$VSTATE_BUILD/hostile-connects.txt"
	measured "table in $VSTATE_BUILD/hostile-connects.txt"
	testpmd_end
}

# shellcheck disable=SC2046
run_cases net vdpa blk client quit fuzz $(soak client-all connects)
