# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# "dpdk-test-vdpa serve" controlled through pipes, and a testpmd with virtio-user as its guest.

# serve_start EAL-OPTION... -- SERVE-OPTION...: start it; sv sends it commands.
serve_start()
{
	local eal=()
	while [ "$1" != -- ]; do
		eal+=("$1")
		shift
	done
	shift
	serve_exec "${eal[@]}" -- serve --iface "$W/s" "$@"
	wait_for 20 serve_ready || fail "serve: no socket after 20 s"
}

# serve_exec ARGUMENT...: start the tool with a pipe as its input.
serve_exec()
{
	[ -x "$TOOL" ] || fail "no $TOOL: build first"
	mkfifo "$W/serve.in"
	exec {SERVE_FD}<>"$W/serve.in"
	: >"$W/serve.out"
	nice -n 19 "$TOOL" "$@" <"$W/serve.in" >"$W/serve.out" 2>"$W/serve.err" {SERVE_FD}>&- &
	PID["serve"]=$!
	echo "$!" >>"$W/pids"
}

serve_ready() { alive serve || fail "serve ended at its start"; [ -S "$W/s0" ]; }

# sv COMMAND: print its output. A "list" is sent after it: the head of its table marks the end.
sv()
{
	local at
	at=$(stat -c %s "$W/serve.out")
	printf '%s\nlist\n' "$1" >&"$SERVE_FD"
	wait_for 10 sv_done "$at" || fail "serve: no answer to '$1'"
	tail -c +$((at + 1)) "$W/serve.out" | sed '/^device name/,$d'
}

sv_done() { alive serve || fail "serve died"; tail -c +$(($1 + 1)) "$W/serve.out" | grep -q '^device name'; }

sv_must() # COMMAND
{
	expect_match "serve: $1" "$(sv "$1")" '^done'
}

sv_refused() # COMMAND WHY
{
	expect_match "serve: $1" "$(sv "$1")" "^error: $2"
}

serve_quit() { serve_quit_with 0; }

serve_quit_with() # EXIT-STATUS: 1 if a command was refused
{
	local rc=0
	printf 'quit\n' >&"$SERVE_FD"
	bg_end serve 10 || rc=$?
	expect "serve: exit status" $rc -eq "$1"
	exec {SERVE_FD}>&-
}

device_is() { sv 'show vdpa_vstate0' | grep -q "^vdpa_vstate0: $1 "; } # STATUS

# A front end that negotiates the features of a state and then waits until the case ends.
front_end_negotiates() # FEATURES
{
	bg front /usr/bin/python3 -c 'import signal, socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(struct.pack("<III", 3, 1, 0))  # SET_OWNER
s.sendall(struct.pack("<IIIQ", 2, 1, 8, int(sys.argv[2], 0)))  # SET_FEATURES
signal.pause()' "$W/s0" "$1"
	wait_for 10 device_is configurable || fail "the features were not negotiated: $(sv 'show vdpa_vstate0')"
}

# Start the tool's own guest for 3 seconds and wait until the device runs.
serve_guest()
{
	bg guest "$TOOL" guest --socket "$W/s0" --seconds 3
	wait_for 10 device_is running || fail "the guest did not start the device"
}

virtio_user() # ARGUMENTS
{
	eal_options 256
	tp_start guest --vdev "net_virtio_user0,path=$W/s0,queues=$QUEUES,queue_size=256,$1" \
		-- "--rxq=$QUEUES" "--txq=$QUEUES"
	tp_link_up guest
}
