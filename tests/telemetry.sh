#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Telemetry of the device in the distribution's testpmd, over its UNIX socket. Its values agree
# with testpmd's, an invalid command has an empty answer, and telemetry, extended statistics and
# log give the reason of a broken queue. Telemetry of the tool's serve: the latencies agree with
# those at its prompt.

# shellcheck source=tests/lib/pair.sh
. "$(dirname "$0")/lib/pair.sh"
# shellcheck source=tests/lib/serve_lib.sh
. "$VSTATE_ROOT/tests/lib/serve_lib.sh"

# with_telemetry COMMAND...: only the process that COMMAND starts with "${EAL[@]}" has telemetry.
# Its socket is below the work directory.
with_telemetry()
{
	local -x RUNTIME_DIRECTORY=$W
	[ "$VSTATE_VDEV" = net_vstate ] || skip "$VSTATE_VDEV has other telemetry"
	TELEMETRY=yes eal_options 256
	EAL+=(--file-prefix tel)
	"$@"
	eal_options 256
	SOCKET=$W/dpdk/tel/dpdk_telemetry.v2
	wait_for 10 test -S "$SOCKET" || fail "no telemetry socket"
}

ask() # COMMAND [until KEY VALUE SECONDS]
{
	/usr/bin/python3 "$VSTATE_ROOT/tests/tools/telemetry.py" "$SOCKET" "$@" 2>"$W/ask.err" || fail "$(cat "$W/ask.err")"
}

key() { json <(printf '%s' "$1") "$2"; } # ANSWER KEY

# Print "name value" for each counter in an answer.
counters()
{
	/usr/bin/python3 -c 'import json, sys
for k, v in sorted(json.loads(sys.argv[1]).items()):
    if k.endswith(("packets", "bytes", "errors", "notifications", "suppressed")) or "dropped" in k:
        print(k, v)' "$1"
}

# Print "name value" for testpmd's extended statistics with this prefix.
xstats() # PREFIX
{
	tp back "show port xstats 0" | tr -d '\r' | sed -nE "s/^$1([a-z0-9_]+): ([0-9]+)$/\1 \2/p" | sort
}

# Each field of an answer stands in the reference.
documented() # ANSWER
{
	local missing
	# shellcheck disable=SC2016  # backquotes of Python
	missing=$(/usr/bin/python3 -c 'import json, re, sys
text = open(sys.argv[1]).read()
names = set(re.findall(r"``([a-z0-9_]+)``", text))
for key in json.loads(sys.argv[2]):
    key = re.sub(r"^(capture|restore|resume)_(last_ns|max_ns|sum_ns|histogram)$", r"suspend_\2", key)
    if key not in names and not re.match("(broken|refused|cvq_refused|size)_", key) and key != "name":
        print(key)' "$VSTATE_ROOT/doc/guides/vdpadevs/telemetry.rst" "$1" | paste -sd' ')
	[ -z "$missing" ] || fail "not in telemetry.rst: $missing"
}

# The exporter has each counter of a virtqueue, in lines of Prometheus' format.
exported() # VQ ANSWER
{
	local name value
	"$VSTATE_ROOT/devtools/vstate_exporter.py" "$SOCKET" >"$W/metrics" || fail "exporter: exit status $?"
	! grep -vE '^(# TYPE [a-z0-9_]+ (gauge|counter|histogram)|[a-z0-9_]+\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\} [0-9.e+-]+)$' "$W/metrics" ||
		fail "not Prometheus' format: $(head -n 1 "$W/metrics")"
	while read -r name value; do
		grep -qxF "vstate_vq_${name}_total{device=\"net_vstate0\",queue=\"$1\"} $value" "$W/metrics" ||
			fail "exporter: no $name = $value of queue $1"
	done < <(counters "$2")
	grep -q '^vstate_up{.*} 1$' "$W/metrics" || fail "exporter: not up"
}

same_counters() # VQ XSTATS-PREFIX
{
	local want got
	got=$(counters "$(ask "/vstate/vq,net_vstate0,$1")")
	want=$(xstats "$2")
	# ethdev adds three counters of its own for each queue
	want=$(grep -vE '^(packets|bytes|errors) ' <<<"$want")
	[ "$got" = "$want" ] || fail "queue $1: telemetry and xstats differ: $(diff <(echo "$got") <(echo "$want") | paste -sd' ')"
	expect "counters of queue $1" "$(wc -l <<<"$got")" -ge 17
}

values() # VIRTIO-USER-ARGUMENTS RING
{
	local dev vq side=(tx rx)
	QUEUES=2
	with_telemetry back_start
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
	exported 0 "$vq"
	documented "$vq"
	dev=$(ask /vstate/dev,net_vstate0)
	documented "$dev"
	expect_match name "$(key "$dev" name)" '^net_vstate0$'
	expect_match iface "$(key "$dev" iface)" "^$W/s\$"
	expect_match poller "$(key "$dev" poller)" '^port$'
	expect connected "$(key "$dev" connected)" -eq 1
	expect queues "$(key "$dev" queues)" -eq 4
	expect pairs "$(key "$dev" active_pairs)" -eq 2
	expect_match status "$(key "$dev" status)" '^acknowledge,driver,features_ok,driver_ok$'
	expect_match features "$(key "$dev" features)" "'mrg_rxbuf'.*'version_1'"
	expect_match ring "$(key "$dev" ring)" "^$2\$"
	expect "memory regions" "$(key "$dev" memory_regions)" -ge 1
	expect "bytes of memory" "$(key "$dev" memory_bytes)" -ge 1048576
	expect "dirty log" "$(key "$dev" dirty_log)" -eq 0
	measured "4 queues of $(key "$vq" good_packets) packets and more"
	pair_quit
}

case_values_split() { values packed_vq=0,mrg_rxbuf=1 split; }
case_values_packed() { values packed_vq=1,mrg_rxbuf=1 packed; }

# The control queue of the tool's guest: its commands are counted, those that are refused by reason.
case_control_queue()
{
	local dev name
	QUEUES=2 BACK_OPTIONS=(--port-topology=loop)
	with_telemetry back_start cvq=1
	tp back "set fwd io" >/dev/null
	tp back start >/dev/null
	dev=$(ask /vstate/dev,net_vstate0)
	documented "$dev"
	for name in cvq_in_force cvq_filters cvq_announce_due cvq_commands; do
		expect "$name at start" "$(key "$dev" "$name")" -eq 0
	done
	# testpmd drops frames for which a slow guest has no buffers, so the guest's result does not count
	bg guest "$TOOL" guest --socket "$W/s" --queues 2 --cvq --rate 100 --seconds 90
	dev=$(ask /vstate/dev,net_vstate0 until cvq_refused_value '!0' 60)
	kill -INT "${PID[guest]}"
	bg_end guest 30 || true
	! has guest 'control command' || fail "$(grep -m 1 'control command' "$W/guest.out")"
	documented "$dev"
	expect commands "$(key "$dev" cvq_commands)" -gt 0
	expect_match "exporter" "$("$VSTATE_ROOT/devtools/vstate_exporter.py" "$SOCKET")" \
		"vstate_dev_cvq_in_force\\{device=\"net_vstate0\"\\} 0"
	measured "$(key "$dev" cvq_commands) commands accepted"
	tp_quit back
}

case_bad_questions()
{
	local q n=0
	with_telemetry back_start
	for q in /vstate/dev "/vstate/dev," /vstate/dev,net_vstate9 /vstate/dev,net_vstate0,1 \
			"/vstate/dev,$(printf 'x%.0s' {1..300})" \
			/vstate/vq "/vstate/vq," /vstate/vq,net_vstate0 "/vstate/vq,net_vstate0," \
			/vstate/vq,net_vstate0,2 /vstate/vq,net_vstate0,-1 /vstate/vq,net_vstate0,0x \
			/vstate/vq,net_vstate0,99999999999999999999 /vstate/vq,,0 \
			/vstate/vq,net_vstate9,0 "/vstate/vq,$(printf 'x%.0s' {1..300}),0" /vstate/none \
			/vstate/list,what; do
		expect_match "$q" "$(ask "$q")" '^null$'
		n=$((n + 1))
	done
	expect_match "a queue that is not set up" "$(ask /vstate/vq,net_vstate0,1)" '"size": 0'
	measured "$n invalid commands"
	tp_quit back
}

# A guest breaks a queue. While the guest is connected the queue gives the reason, and afterwards the
# device's counters do.
broken() # HOSTILE-CASE RING QUEUE REASON TEXT
{
	local vq dev seen=$W/seen.$1.$2
	tp back "clear port xstats all" >/dev/null
	# the queue is broken only for an instant, so the attack is repeated until the reason was seen
	# shellcheck disable=SC2016  # the started shell expands the variables
	bg attack sh -c 'until [ -e "$0" ]; do "$@"; done' "$seen" \
		"$TOOL" guest --socket "$W/s" --ring "$2" --hostile "$1" --expect-reset
	vq=$(ask "/vstate/vq,net_vstate0,$3" until fault "$4" 20)
	ask /vstate/dev,net_vstate0 until status "~needs_reset" 20 >/dev/null
	ask /vstate/dev,net_vstate0 until "broken_$4" '!0' 20 >/dev/null
	expect_match "text of $4" "$(key "$vq" fault_text)" "^$5\$"
	touch "$seen"
	bg_end attack 120 || fail "$1: exit status $?"
	wait_for 20 has back "queue $3 is broken until the guest resets its device: $5" ||
		fail "the log does not have the reason $4"
	wait_for 20 broken_shown "$4" || fail "xstats do not count $4: $(tp back 'show port xstats 0' | grep broken_ | paste -sd' ')"
	dev=$(ask /vstate/dev,net_vstate0)
	expect "$4 in telemetry" "$(key "$dev" "broken_$4")" -ge "$(tp_xstat back "broken_$4")"
}

broken_shown() { [ "$(tp_xstat back "broken_$1")" -ge 1 ]; }

# Case, ring, queue, reason and its text. INDIRECT_FEATURE is missing, because these guests have
# negotiated the feature.
faults()
{
	cat <<-TABLE
	avail-idx-ahead-half split 1 avail_distance available index more than the ring size ahead
	avail-head-range split 1 head_range available entry names a descriptor outside the ring
	tx-next-range split 1 next_range descriptor chain leaves its table
	tx-loop split 1 chain_length descriptor chain longer than its table
	packed-endless packed 1 chain_length descriptor chain longer than its table
	tx-writable packed 1 chain_direction descriptor is writable where it must be readable, or the reverse
	rx-readable split 0 chain_direction descriptor is writable where it must be readable, or the reverse
	tx-short-header split 1 chain_short buffer shorter than the virtio header
	indirect-nested packed 1 indirect_nested indirect descriptor inside an indirect table
	indirect-and-next split 1 indirect_next indirect descriptor with NEXT, or in a packed ring after others
	indirect-len-24 split 1 indirect_length indirect table empty, too long or of a broken length
	tx-addr-hole packed 1 address address outside the guest's memory
	rx-addr-hole split 0 address address outside the guest's memory
	TABLE
}

case_broken_queue()
{
	local name ring vq reason text n=0
	DEVICE_QUEUES=2 PORT_QUEUES=2
	with_telemetry back_start
	tp back "set fwd io" >/dev/null
	tp back start >/dev/null
	while read -r name ring vq reason text <&3; do
		broken "$name" "$ring" "$vq" "$reason" "$text"
		n=$((n + 1))
	done 3< <(faults)
	measured "$(faults | awk '{ print $4 }' | sort -u | wc -l) reasons, $n ways"
	tp_quit back
}

# ---- attach and detach under requests ----

ATTACHES=${ATTACHES:-$((${SOAK:-0} ? 10000 : 60))}
# Ask for everything of a port and of a device, as fast as answers come, until the process ends.
POLLER='import sys
sys.path.insert(0, sys.argv[1])
import telemetry
client = telemetry.Client(sys.argv[2])
answers = empty = 0
try:
    while True:
        for command in ("/ethdev/link_status,0", "/ethdev/stats,0", "/ethdev/xstats,0", "/ethdev/info,0",
                        "/ethdev/list", "/vstate/list", "/vstate/dev,net_vstate0", "/vstate/vq,net_vstate0,1"):
            empty += client.ask(command) is None
            answers += 1
except (OSError, ValueError):
    print(answers, empty)'

poller()
{
	bg "$1" /usr/bin/python3 -c "$POLLER" "$VSTATE_ROOT/tests/tools" "$W/dpdk/tel/dpdk_telemetry.v2"
}

attached() { [ "$(grep -c 'Now total ports is 0' "$W/back.out")" -ge "$1" ]; } # TIMES

# A device comes and goes while two clients ask about it.
case_attach_detach()
{
	local i last
	dut
	with_telemetry tp_start back "${DUT[@]}" --
	poller one
	poller two
	for i in $(seq "$ATTACHES"); do
		printf 'port attach net_vstate0,iface=%s,queues=2\nport start 0\nport stop 0\nport detach 0\n' "$W/s"
		# the prompt reads ahead, and the FIFO holds few commands
		[ $((i % 20)) -ne 0 ] || wait_for 60 attached $((i - 20)) || break
	done >&"${TP_FD[back]}"
	wait_for 120 attached "$ATTACHES" || fail "testpmd stopped after $(grep -c 'Now total ports is 0' "$W/back.out") of $ATTACHES"
	tp_quit back
	for i in one two; do
		bg_end "$i" 20 || fail "poller $i: $(tail -n 1 "$W/$i.out")"
		last=$(tail -n 1 "$W/$i.out")
		expect "answers of poller $i" "${last% *}" -gt "$ATTACHES"
		measured "$ATTACHES times attached and detached; answers, and those without a device: $last"
	done
}

serve_with_eal() { serve_start -s 0x2 "${EAL[@]}" -- --queues 1; }

# Nanoseconds in the format of the prompt.
shown_us() { printf '%s\n' "$1" | awk '{ printf "%.1f", $1 / 1e3 }'; }

# All durations of an operation, by the elements of its histogram.
histogram_sum() # ANSWER OPERATION
{
	/usr/bin/python3 -c 'import json, sys
counts = json.loads(sys.argv[1])[sys.argv[2] + "_histogram"]
assert len(counts) == 22
print(sum(counts))' "$1" "$2"
}

# latency OPERATION COUNT ANSWER SHOWN: the latency is not 0, is plausible and agrees with the
# prompt. Only the prompt shows the mean.
latency()
{
	local what=$1 last max mean
	last=$(key "$3" "$1_last_ns") max=$(key "$3" "$1_max_ns")
	expect "$what: count" "$(key "$3" "$1_count")" -eq "$2"
	expect "$what: last" "$last" -gt 0
	expect "$what: max, last" "$max" -ge "$last"
	expect "$what: in the histogram" "$(histogram_sum "$3" "$1")" -eq "$2"
	expect_match "$what: at the prompt" "$4" \
		"^ +$1 +$2 times, last $(shown_us "$last") us, mean [0-9.]+ us, max $(shown_us "$max") us"
	mean=$(sed -nE "s/^ +$1 .* mean ([0-9.]+) us.*/\1/p" <<<"$4")
	# rounded to 100 ns, as the maximum is
	awk -v mean="$mean" -v max="$(shown_us "$max")" -v last="$(shown_us "$last")" -v n="$2" \
			'BEGIN { exit !(mean > 0 && mean <= max && mean * n >= last - n * 0.1) }' ||
		fail "$what: mean of $2 $mean us, last $last ns, max $max ns"
	measured "$what $mean us"
}

# Two suspends, captures and resumes under load, and one restore of the state.
case_latencies()
{
	local dev shown what
	with_telemetry serve_with_eal
	dev=$(ask /vstate/dev,vdpa_vstate0)
	for what in suspend capture restore resume; do
		expect "$what: count at start" "$(key "$dev" "${what}_count")" -eq 0
		expect "$what: max at start" "$(key "$dev" "${what}_max_ns")" -eq 0
	done
	serve_guest
	for _ in 1 2; do
		sv_must "suspend vdpa_vstate0"
		sv_must "save vdpa_vstate0 $W/state"
		sv_must "resume vdpa_vstate0"
	done
	bg_end guest 20 || fail "guest: exit status $?"
	tool_must 10 state --json "$W/state"
	front_end_negotiates "$(report driver_features)"
	sv_must "load vdpa_vstate0 $W/state"
	shown=$(sv 'show vdpa_vstate0')
	dev=$(ask /vstate/dev,vdpa_vstate0)
	latency suspend 2 "$dev" "$shown"
	latency capture 2 "$dev" "$shown"
	latency restore 1 "$dev" "$shown"
	latency resume 2 "$dev" "$shown"
	serve_quit
}

run_cases values-split values-packed control-queue bad-questions broken-queue attach-detach latencies
