#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The benchmark measures each side and its report is complete. No figure is judged here.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"
# shellcheck source=tests/lib/testpmd.sh
. "$(dirname "$0")/lib/testpmd.sh"

bench() { tool_must "$PATIENCE" bench "$@"; }

# numbers CASES SIDES: the report has each side of each case, with plausible figures.
numbers()
{
	/usr/bin/python3 - "$W/bench.json" "$@" <<-'PYTHON' || fail "the report is not complete"
	import json, sys
	report = json.load(open(sys.argv[1]))
	cases, sides = sys.argv[2].split(","), sys.argv[3].split(",")
	assert [c["case"] for c in report["cases"]] == cases, report["cases"]
	for case in report["cases"]:
	    for side in sides:
	        s = case[side]
	        assert 0 < s["cycles_min"] <= s["cycles_median"], (case["case"], side, s)
	        assert s["mpps"] > 0, (case["case"], side, s)
	PYTHON
}

case_sides()
{
	bench --case loop/split,loop/packed --seconds 0.05 "--json=$W/bench.json"
	numbers loop/split,loop/packed vstate,vhost,roofline
	"$VSTATE_ROOT/devtools/bench_plot.py" "$W/bench.json" "$W/bench.svg" || fail "no picture"
	/usr/bin/python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' "$W/bench.svg" ||
		fail "the picture is not XML"
	grep -q 'loop/packed' "$W/bench.svg" || fail "the picture does not name the cases"
	measured "2 cases, 3 sides"
}

case_table()
{
	bench --case idle/split --seconds 0.05
	expect_match "heading" "$(cat "$W/tool.out")" 'TSC cycles per packet'
	expect_match "row" "$(cat "$W/tool.out")" '^idle/split +[0-9.]+ +[0-9.]+ '
}

case_two_core()
{
	[ "$(nproc)" -gt 1 ] || skip "one processor only"
	bench --mode two-core --case loop/packed --seconds 0.1 "--json=$W/bench.json"
	numbers loop/packed vstate,vhost,roofline
}

case_stop()
{
	bench --stop --only vstate --repeat 20 "--json=$W/bench.json"
	/usr/bin/python3 - "$W/bench.json" <<-'PYTHON' || fail "the report is not complete"
	import json, sys
	stops = json.load(open(sys.argv[1]))["stops"]
	assert {s["virtqueues"] for s in stops} >= {2, 8, 32, 128}, stops
	for s in stops:
	    us = s["us"]
	    assert 0 < us["p50"] <= us["p99"] <= us["p999"] <= us["max"], s
	PYTHON
}

# Both directions of a console, and each byte arrives.
case_console()
{
	bench --class console --ms 40 --json
	/usr/bin/python3 - "$W/tool.out" <<-'PYTHON' || fail "the report is not complete"
	import json, sys
	cases = json.load(open(sys.argv[1]))
	assert len(cases) == 8 and len({c["case"] for c in cases}) == 8, cases
	for c in cases:
	    assert 0 <= c["gbytes_median"] <= c["gbytes_max"], c
	    assert c["cycles"] >= 0 and c["bytes"] > 0, c
	PYTHON
	measured "$(grep -o '"gbytes_median": [0-9.]*' "$W/tool.out" | cut -d' ' -f2 | paste -sd' ') GB/s"
}

case_unknown_case()
{
	! tool "$PATIENCE" bench --case loop/round --seconds 0.05 || fail "an unknown case was run"
	expect_match "reason" "$(cat "$W/tool.err")" 'loop/round'
}

# One testpmd with a port of each device; each port sends back what it receives. Two polling
# processes would share one processor on a small machine, so both ports are in one.
backends() # FORWARD-MODE [QUEUES]
{
	local queues=${2:-1}
	eal_options 256
	dut "iface=$W/vstate.sock,queues=$queues"
	tp_start back "${DUT[@]}" --vdev "net_vhost9,iface=$W/vhost.sock,queues=$queues" -- \
		--port-topology=loop "--forward-mode=$1" "--rxq=$queues" "--txq=$queues"
	tp back start >/dev/null
	SOCKETS=(--socket "vhost=$W/vhost.sock" --socket "vstate=$W/vstate.sock")
}

# socket_numbers CASES
socket_numbers()
{
	/usr/bin/python3 - "$W/bench.json" "$@" <<-'PYTHON' || fail "the report is not complete"
	import json, sys
	report = json.load(open(sys.argv[1]))
	assert [c["case"] for c in report["cases"]] == sys.argv[2].split(","), report["cases"]
	for case in report["cases"]:
	    assert case["ok"] and case["slices"] > 0, case
	    assert [s["name"] for s in case["sides"]] == ["vhost", "vstate"], case
	    assert case["sides"][0]["to_first"] == 1, case
	    for s in case["sides"]:
	        assert 0 < s["mpps_min"] <= s["mpps_median"] <= s["mpps_max"], (case["case"], s)
	        assert s["to_first"] > 0, (case["case"], s)
	PYTHON
}

socket_cases() # FORWARD-MODE CASES [QUEUES]
{
	backends "$1" "${3:-1}"
	bench "${SOCKETS[@]}" --case "$2" --seconds 0.2 --slice-us 10000 "--json=$W/bench.json"
	socket_numbers "$2"
	expect_match "heading" "$(cat "$W/tool.out")" 'Mpps seen by the guest'
	tp_quit back
	measured "$(grep -E '^[a-z]+/' "$W/tool.out" | awk '{ printf "%s %s %s Mpps; ", $1, $2, $4 }')"
}

case_socket_loop() { socket_cases macswap loop/split,loop/packed; }
case_socket_queues() { socket_cases io loop/split/4q,loop/packed/4q 4; }
case_socket_dequeue() { socket_cases rxonly dequeue/split,dequeue/packed; }
case_socket_enqueue() { socket_cases txonly enqueue/split,enqueue/packed; }

# A measurement that is impossible ends with its reason and does not hang.
case_socket_errors()
{
	! tool "$PATIENCE" bench --socket "nobody=$W/nobody.sock" --seconds 0.05 ||
		fail "a socket without a listener was measured"
	expect_match "reason" "$(cat "$W/tool.err")" 'loop/split: nobody: '
	backends rxonly
	! tool "$PATIENCE" bench "${SOCKETS[@]}" --case loop/split --seconds 0.05 ||
		fail "frames that do not come back were measured"
	expect_match "reason" "$(cat "$W/tool.err")" 'loop/split: vhost: no frames flow'
	! tool "$PATIENCE" bench "${SOCKETS[@]:2}" --case 'loop/split/4q' --seconds 0.05 ||
		fail "queues that the device does not have were measured"
	expect_match "reason" "$(cat "$W/tool.err")" '1 queue pairs, 4 wanted'
	tp_quit back
}

case_socket_dies()
{
	backends io
	(sleep 3; kill -KILL "${PID[back]}") &
	! tool "$PATIENCE" bench "${SOCKETS[@]}" --case loop/split --seconds 30 ||
		fail "a back end that died was measured"
	expect_match "reason" "$(cat "$W/tool.err")" 'the back end closed the connection'
}

case_socket_usage()
{
	local option
	for option in --stop --only=vstate --packets=1000 --mode=two-core --cpu=0 --repeat=10 \
		--socket=nopath --socket==path "--socket=a=$W/b"; do
		tool "$PATIENCE" bench --socket "a=$W/a" "$option"
		expect "exit status of $option" "$?" -eq 2
	done
}

run_cases sides table two-core stop console unknown-case socket-loop socket-queues \
	socket-dequeue socket-enqueue socket-errors socket-dies socket-usage
