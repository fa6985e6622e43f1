#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Telemetry of the device in the distribution's testpmd, over its UNIX socket: what it
# says is what testpmd shows, a question without sense has a clean answer, and the reason
# of a broken queue is there, in the extended statistics and in the log.

# shellcheck source=tests/pair.sh
. "$(dirname "$0")/pair.sh"

DIR=$(dirname "$0")

# The back end alone has telemetry, in the work directory.
telemetry_back()
{
	local -x RUNTIME_DIRECTORY=$W
	local i all=()
	[ "$VSTATE_VDEV" = net_vstate ] || skip "$VSTATE_VDEV has other telemetry"
	eal_options 256
	for i in "${EAL[@]}"; do
		[ "$i" = --no-telemetry ] || all+=("$i")
	done
	EAL=("${all[@]}" --file-prefix tel)
	back_start
	eal_options 256
	SOCKET=$W/dpdk/tel/dpdk_telemetry.v2
	wait_for 10 test -S "$SOCKET" || fail "no telemetry socket"
}

ask() # COMMAND [until KEY VALUE SECONDS]
{
	/usr/bin/python3 "$DIR/telemetry.py" "$SOCKET" "$@" 2>"$W/ask.err" || fail "$(cat "$W/ask.err")"
}

key() { /usr/bin/python3 -c 'import json, sys; print(json.loads(sys.argv[1])[sys.argv[2]])' "$@"; }

# "name value" of each counter in an answer.
counters()
{
	/usr/bin/python3 -c 'import json, sys
for k, v in sorted(json.loads(sys.argv[1]).items()):
    if k.endswith(("packets", "bytes", "errors", "notifications", "suppressed")) or "dropped" in k:
        print(k, v)' "$1"
}

# The same of testpmd's extended statistics.
xstats() # PREFIX
{
	tp back "show port xstats 0" | tr -d '\r' | sed -nE "s/^$1([a-z0-9_]+): ([0-9]+)$/\1 \2/p" | sort
}

same_counters() # VQ XSTATS-PREFIX
{
	local want got
	got=$(counters "$(ask "/vstate/vq,net_vstate0,$1")")
	want=$(xstats "$2")
	# ethdev has three of its own for each queue
	want=$(grep -vE '^(packets|bytes|errors) ' <<<"$want")
	[ "$got" = "$want" ] || fail "queue $1: telemetry and xstats differ: $(diff <(echo "$got") <(echo "$want") | paste -sd' ')"
	expect "counters of queue $1" "$(wc -l <<<"$got")" -ge 17
}

values() # RING
{
	local dev vq side=(tx rx)
	QUEUES=2
	telemetry_back
	guest_start "$1"
	pair_link_up
	one_way guest back
	one_way back guest
	expect_match "list" "$(ask /vstate/list)" '^\["net_vstate0"\]$'
	for vq in 0 1 2 3; do
		same_counters "$vq" "${side[vq % 2]}_q$((vq / 2))_"
	done
	vq=$(ask /vstate/vq,net_vstate0,0)
	expect "frames to the guest" "$(key "$vq" good_packets)" -gt 0
	expect size "$(key "$vq" size)" -eq 256
	expect used "$(key "$vq" used_idx)" -eq "$(key "$vq" avail_idx)"
	expect_match fault "$(key "$vq" fault)" '^none$'
	expect_match fault "$(key "$vq" fault_text)" '^not broken$'
	dev=$(ask /vstate/dev,net_vstate0)
	expect_match name "$(key "$dev" name)" '^net_vstate0$'
	expect_match iface "$(key "$dev" iface)" "^$W/s\$"
	expect_match poller "$(key "$dev" poller)" '^port$'
	expect connected "$(key "$dev" connected)" -eq 1
	expect queues "$(key "$dev" queues)" -eq 4
	expect pairs "$(key "$dev" active_pairs)" -eq 2
	expect status "$(($(key "$dev" status) & 4))" -eq 4
	measured "4 queues of $(key "$vq" good_packets) packets and more"
	pair_quit
}

case_values_split() { values packed_vq=0,mrg_rxbuf=1; }
case_values_packed() { values packed_vq=1,mrg_rxbuf=1; }

case_bad_questions()
{
	local q n=0
	telemetry_back
	for q in /vstate/dev "/vstate/dev," /vstate/dev,net_vstate9 /vstate/dev,net_vstate0,1 \
			"/vstate/dev,$(printf 'x%.0s' {1..300})" \
			/vstate/vq "/vstate/vq," /vstate/vq,net_vstate0 "/vstate/vq,net_vstate0," \
			/vstate/vq,net_vstate0,2 /vstate/vq,net_vstate0,-1 /vstate/vq,net_vstate0,0x \
			/vstate/vq,net_vstate0,99999999999999999999 /vstate/vq,,0 \
			/vstate/vq,net_vstate9,0 "/vstate/vq,$(printf 'x%.0s' {1..300}),0" /vstate/none; do
		expect_match "$q" "$(ask "$q")" '^null$'
		n=$((n + 1))
	done
	expect_match "list all the same" "$(ask /vstate/list,what)" '^\["net_vstate0"\]$'
	expect_match "a queue that is not set up" "$(ask /vstate/vq,net_vstate0,1)" '"size": 0'
	measured "$n questions without sense"
	tp_quit back
}

# A guest breaks queue 1; while it is connected the queue shows why, afterwards the device does.
broken() # HOSTILE-CASE REASON TEXT
{
	local vq dev
	DEVICE_QUEUES=2 PORT_QUEUES=2
	telemetry_back
	tp back "set fwd io" >/dev/null
	tp back start >/dev/null
	# it takes an instant, so again and again until it was seen
	# shellcheck disable=SC2016  # the words are the shell's that it starts
	bg attack sh -c 'until [ -e "$0" ]; do "$@"; done' "$W/seen" \
		"$TOOL" guest --socket "$W/s" --hostile "$1"
	vq=$(ask /vstate/vq,net_vstate0,1 until fault "$2" 120)
	dev=$(ask /vstate/dev,net_vstate0 until "broken_$2" '!0' 20)
	expect_match "text" "$(key "$vq" fault_text)" "^$3\$"
	touch "$W/seen"
	bg_end attack 120 || fail "the attack: exit status $?"
	wait_for 20 has back "queue 1 is broken: $3" || fail "the log does not say why"
	wait_for 20 broken_shown "$2" || fail "xstats do not say why: $(tp back 'show port xstats 0' | grep broken_ | paste -sd' ')"
	dev=$(ask /vstate/dev,net_vstate0)
	expect "in telemetry" "$(key "$dev" "broken_$2")" -ge "$(tp_xstat back "broken_$2")"
	tp back "clear port xstats all" >/dev/null
	measured "$2: $3"
	tp_quit back
}

broken_shown() { [ "$(tp_xstat back "broken_$1")" -ge 1 ]; }

case_broken_queue() { broken avail-head-range head_range 'available entry names a descriptor outside the ring'; }

run_cases values-split values-packed bad-questions broken-queue
