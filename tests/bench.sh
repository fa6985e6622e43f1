#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The benchmark: each side is measured, and what it reports is whole. What it measures is judged
# by nobody here.

# shellcheck source=tests/harness.sh
. "$(dirname "$0")/harness.sh"

bench() { tool_must "$PATIENCE" bench "$@"; }

# numbers CASES SIDES: each case has each side, with figures that can be.
numbers()
{
	/usr/bin/python3 - "$W/bench.json" "$@" <<-'PYTHON' || fail "the report is not whole"
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
	bench --case loop/split,loop/packed --seconds 0.05 "--json=$W/bench.json" \
		--svg "$W/bench.svg"
	numbers loop/split,loop/packed vstate,vhost,roofline
	/usr/bin/python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' "$W/bench.svg" ||
		fail "the picture is no XML"
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
	/usr/bin/python3 - "$W/bench.json" <<-'PYTHON' || fail "the report is not whole"
	import json, sys
	stops = json.load(open(sys.argv[1]))["stops"]
	assert {s["virtqueues"] for s in stops} >= {2, 8, 32, 128}, stops
	for s in stops:
	    us = s["us"]
	    assert 0 < us["p50"] <= us["p99"] <= us["p999"] <= us["max"], s
	PYTHON
}

case_unknown_case()
{
	! tool "$PATIENCE" bench --case loop/round --seconds 0.05 || fail "a case that is none runs"
	expect_match "reason" "$(cat "$W/tool.err")" 'loop/round'
}

run_cases sides table two-core stop unknown-case
