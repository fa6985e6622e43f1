#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The control socket of a device in the distribution's testpmd, and its client. A device under
# traffic is suspended, saved and resumed from outside, and nothing is lost. Events come in order.
# Clients that do not read hold nobody. A state is loaded into another process, and a device is
# released. Bad input has a reason and changes nothing.

# shellcheck source=tests/lib/pair.sh
. "$(dirname "$0")/lib/pair.sh"
# shellcheck source=tests/lib/serve_lib.sh
. "$VSTATE_ROOT/tests/lib/serve_lib.sh"

ctl() { timeout 60 "$TOOL" ctl "$W/ctl" "$@" >"$W/ctl.out" 2>"$W/ctl.err" </dev/null; }
ctl_must() { ctl "$@" || fail "ctl $*: exit status $?: $(tail -n 1 "$W/ctl.err")"; }

# ctl_fails STATUS REGEX ARGUMENT...
ctl_fails()
{
	local want=$1 text=$2 rc=0
	shift 2
	ctl "$@" || rc=$?
	expect "exit status of ctl $*" "$rc" -eq "$want"
	expect_match "ctl $*" "$(cat "$W/ctl.err")" "$text"
}

controlled() # RING [DEVARGS]
{
	[ "$VSTATE_VDEV" = net_vstate ] || skip "$VSTATE_VDEV has no control socket"
	pair_start "$1" "control=$W/ctl${2:+,$2}"
}

# Print the names of the events of the kinds REGEX, in order.
events() { sed -nE 's/.*"event": ?"([a-z]+)".*/\1/p' "$W/watch.out" | grep -E "$1" | paste -sd' '; }

events_are() { [ "$(events "$1")" = "$2" ]; } # KINDS EVENTS

watch_start()
{
	bg watch "$TOOL" ctl "$W/ctl" --json watch
	# one that was plugged is the first event that everybody can cause
	wait_for 20 watch_is_there || fail "watch: no event"
}

# A client is there when it has heard an event.
watch_is_there()
{
	ctl_must suspend
	ctl_must resume
	[ -n "$(events .)" ]
}

# The guest sends while the device is suspended, saved and resumed, again and again.
under_traffic() # RING
{
	local before n=5
	controlled "$1"
	watch_start
	tp_clear guest back
	: >"$W/watch.out"
	forward back rxonly
	forward guest txonly
	for _ in $(seq "$n"); do
		sleep 0.1
		ctl_must suspend
		before=$(tp_stat back RX-packets)
		ctl_must list
		expect_match "list" "$(cat "$W/ctl.out")" "^${VSTATE_VDEV}0 +net +connected +suspended$"
		ctl_must save "$W/state"
		expect_match "save" "$(cat "$W/ctl.out")" 'saved [0-9]+ bytes: 2 queues, 0 buffers in flight'
		expect "packets while suspended" "$(tp_stat back RX-packets)" -eq "$before"
		ctl_must resume
		wait_for 20 tp_received_more back "$before" || fail "nothing received after resume"
	done
	tp guest stop >/dev/null
	wait_for 20 tp_agree guest TX-packets back RX-packets ||
		fail "sent $TP_SENT, received $TP_GOT over $n suspends"
	tool_must 10 state "$W/state"
	ctl_must show
	expect_match "show" "$(cat "$W/ctl.out")" '^status +running \(acknowledge, driver, features_ok, driver_ok\)'
	ctl_must statistics
	expect_match "statistics" "$(cat "$W/ctl.out")" "^queue 1 +good_packets +[1-9]"
	wait_for 10 events_are 'suspended|resumed' "$(for _ in $(seq "$n"); do echo suspended resumed; done | paste -sd' ')" ||
		fail "events: $(events .)"
	measured "$n suspends under load, $TP_GOT packets, none lost"
	bg_kill guest
	wait_for 20 events_are 'disconnected|stopped' "stopped disconnected" || fail "events: $(events .)"
	kill -INT "${PID[watch]}"
	bg_end watch 10
	expect "exit status of watch" $? -eq 130
	tp_quit back
	[ ! -e "$W/ctl" ] || fail "the control socket was left behind"
}

case_split() { under_traffic packed_vq=0,mrg_rxbuf=1; }
case_packed() { under_traffic packed_vq=1,mrg_rxbuf=1; }

# Clients that never read, that send half a request, that die; and a device that still obeys.
case_dead_clients()
{
	controlled packed_vq=0
	bg deaf /usr/bin/python3 -c 'import signal, socket, sys
def dial(text):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(text)
    return s
kept = [dial(b"{\"cmd\": \"subscribe\"}\n" + b"{\"cmd\": \"list\"}\n" * 50) for _ in range(5)]
kept += [dial(b"{\"cmd\": \"list") for _ in range(5)]
for _ in range(20):
    dial(b"{\"cmd\": \"list\"}\n").close()
print("there", flush=True)
signal.pause()' "$W/ctl"
	wait_for 20 has deaf there || fail "no clients"
	forward back rxonly
	forward guest txonly
	for _ in 1 2 3 4 5; do
		ctl_must suspend
		ctl_must save "$W/state"
		ctl_must resume
	done
	tp guest stop >/dev/null
	bg_kill deaf
	ctl_must list
	measured "10 clients that do not read"
	pair_quit
}

# A guest's state goes to a device of another process, which gets it before DRIVER_OK.
case_load()
{
	controlled packed_vq=1,mrg_rxbuf=1
	one_way guest back
	ctl_must suspend
	ctl_must --json save "$W/state"
	expect_match "save" "$(cat "$W/ctl.out")" '"ok": true'
	ctl save - || fail "save -"
	cmp "$W/ctl.out" "$W/state" || fail "save - differs from save FILE"
	ctl_must resume
	one_way guest back
	pair_quit
	tool_must 10 state --json "$W/state"
	eal_options 256
	serve_start "${EAL[@]}" --vdev "vdpa_vstate0,control=$W/ctl" -- --queues 1
	ctl_fails 1 'not_connected' load "$W/state"
	front_end_negotiates "$(report driver_features)"
	head -c 100 "$W/state" >"$W/half"
	ctl_fails 1 'truncated' load "$W/half"
	ctl_must load "$W/state"
	expect_match "load" "$(cat "$W/ctl.out")" "^$W/state: loaded [0-9]+ bytes"
	timeout 10 "$TOOL" ctl "$W/ctl" load - <"$W/state" >/dev/null || fail "load -"
	# shellcheck disable=SC2002  # a pipe is what is tested
	cat "$W/state" | timeout 10 "$TOOL" ctl "$W/ctl" load - >/dev/null || fail "load - from a pipe"
	ctl_must show
	expect_match "show" "$(cat "$W/ctl.out")" '^restore +3 times'
	serve_quit
}

# The device is left to a process that starts later.
case_release()
{
	mkdir "$W/dir"
	controlled packed_vq=0 "state_dir=$W/dir"
	watch_start
	ctl_must release
	wait_for 20 events_are released released || fail "events: $(events .)"
	ctl_fails 1 'not_supported|under_way' release
	bg_kill guest
	tp_quit back
}

# A front end comes, breaks a queue and goes, and each of these is an event.
case_events()
{
	[ "$VSTATE_VDEV" = net_vstate ] || skip "$VSTATE_VDEV has no control socket"
	DEVICE_QUEUES=2 PORT_QUEUES=2
	eal_options 256
	back_start "control=$W/ctl"
	tp back "set fwd io" >/dev/null
	tp back start >/dev/null
	bg watch "$TOOL" ctl "$W/ctl" --json watch
	# repeated, because the watcher may come late, and because the queue is broken for an instant
	# shellcheck disable=SC2016  # the started shell expands the variables
	bg attack sh -c 'until [ -e "$0" ]; do "$@"; done' "$W/seen" \
		"$TOOL" guest --socket "$W/s" --ring split --hostile avail-head-range --expect-reset
	wait_for 60 has watch '"event":"fault","device":"net_vstate0","time_ns":[0-9]+,"queue":1,"detail":"head_range"' ||
		fail "no fault: $(events .)"
	touch "$W/seen"
	bg_end attack 120 || fail "attack: exit status $?"
	expect_match "events" "$(events .)" 'connected started .*fault .*disconnected'
	tp_quit back
}

case_bad_input()
{
	local n=0 before
	controlled packed_vq=0
	before=$(tp back 'show port info 0' | grep -c 'Link status: *up')
	ctl_fails 1 '^dpdk-test-vdpa ctl: save: not_suspended: state is read only while' save "$W/x"
	ctl_fails 1 'truncated' load /dev/null
	ctl_must suspend
	ctl_must save "$W/state"
	ctl_must resume
	ctl_fails 1 'not_configurable' load "$W/state"
	ctl_fails 1 'No such file' load "$W/none"
	ctl_fails 1 'not a regular file' save /dev/null
	ctl_fails 1 'No such file' save "$W/none/x"
	ctl_fails 1 'no_device: no device' --device net_vstate7 show
	ctl_fails 1 'not_supported' release
	ctl_fails 2 'unknown command' format
	ctl_fails 2 'FILE is missing' save
	ctl_fails 2 "unexpected argument 'x'" list x
	ctl_fails 2 'is expected' --timeout-us 0 suspend
	ctl_fails 2 'is for suspend' --timeout-us 7 resume
	expect "files" "$(find "$W" -name 'x*' | wc -l)" -eq 0
	"$TOOL" ctl "$W/none" list 2>"$W/ctl.err" && fail "there is no socket"
	expect_match "no socket" "$(cat "$W/ctl.err")" "^dpdk-test-vdpa ctl: $W/none: No such file"
	# rubbish over the socket
	n=$(/usr/bin/python3 -c 'import random, socket, sys
random.seed(1)
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rb")
for n in range(200):
    s.sendall(bytes(random.choice(b"{}[]\":,cmdlist\x00\xff") for _ in range(40)) + b"\n")
    assert b"\"ok\":false" in f.readline()
print(n + 1)' "$W/ctl") || fail "rubbish has no reply"
	expect "link" "$before" -eq 1
	one_way guest back
	# the other devices of the process are behind the same socket
	tp back "port attach net_vstate1,iface=$W/s1,control=$W/ctl" >/dev/null
	ctl_fails 1 'several devices' show
	ctl_must --device net_vstate1 show
	tp back "port attach net_vstate2,iface=$W/s2,control=/none/such" >"$W/attach.log"
	wait_for 5 has back 'cannot bind the control socket /none/such: No such file' || fail "no reason in the log"
	[ ! -e "$W/s2" ] || fail "a device without its control socket was created"
	measured "$n lines of rubbish"
	pair_quit
}

# A process that was killed leaves its socket file, which the next one replaces.
case_killed()
{
	controlled packed_vq=0
	bg_kill back
	tp_close back
	bg_kill guest
	tp_close guest
	[ -S "$W/ctl" ] || fail "no socket file"
	ctl_fails 1 'Connection refused' list
	rm -f "$W/s"
	pair_start packed_vq=0 "control=$W/ctl"
	ctl_must list
	pair_quit
}

run_cases split packed dead-clients load release events bad-input killed
