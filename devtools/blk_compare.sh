#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# blk_vstate against others: the null store against null-co of Debian's qemu-storage-daemon, and a
# file with O_DIRECT against fio, whose io_uring loop has no guest. They take turns, so that other
# load of the machine affects all of them.
#
#	devtools/blk_compare.sh [OPTION VALUE]... [null] [file]
#
#	--turns N	turns of each (5)
#	--seconds S	of each measurement, 2 or more (3)
#	--depth N	reads of 4 KiB under way (64)
#	--file PATH	a new file for the reads (in /var/tmp)
#
# The client is the tool's own driver, with one split ring, on processor 0; the back end, or fio, has
# processor 1. "CPU cycles" are utime and stime of the back end's process in /proc/PID/stat, as
# cycles of the processor's clock, for each request. A service core of vstate polls, so that its CPU
# time is that of the measurement. What a request costs is measured without a client on another
# processor: "alone", cycles of dpdk-test-vdpa bench --class blk, case split/no-region. Each figure
# is the median of the turns. On a machine with other work:
#	setsid -w sh -c 'echo -20 >/proc/self/autogroup; devtools/blk_compare.sh'

set -u
W=$(mktemp -d) || exit 1
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../tests/lib/harness.sh"

TURNS=5 PERIOD=3 DEPTH=64 FILE=$(mktemp -u /var/tmp/vstate-compare.XXXXXX) WHAT=()
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) sed -n '5,23s/^#[[:blank:]]\{0,1\}//p' "$0"; rm -rf "$W"; exit 0 ;;
	null | file) WHAT+=("$1"); shift; continue ;;
	--turns | --seconds | --depth | --file) [ $# -gt 1 ] || die "$1: a value is missing" ;;
	*) die "unknown option $1; see $0 --help" ;;
	esac
	case $1 in
	--turns) TURNS=$2 ;;
	--seconds) PERIOD=$2 ;;
	--depth) DEPTH=$2 ;;
	--file) FILE=$2 ;;
	esac
	shift 2
done
[ ${#WHAT[@]} -gt 0 ] || WHAT=(null file)

leave()
{
	local pid
	[ ! -e "$W/pids" ] || while read -r pid; do
		kill "$pid" 2>/dev/null
	done <"$W/pids"
	wait 2>/dev/null
	[ ! -e "$W/plugins" ] || xargs -r rm -rf <"$W/plugins"
	[ ! -e "$W/made" ] || rm -f "$FILE"
	rm -rf "$W"
}
trap leave EXIT
# As the functions of the tests say it: print the reason, and end.
fail() { printf 'blk_compare: %s\n' "$*" >&2; tail_outputs >&2; exit 1; }
skip() { fail "$@"; }

need_packages "${BUILD_PACKAGES[@]}" qemu-system-common fio
need_driver_headers
build build
[ "$(nproc)" -gt 1 ] || fail "two processors are needed"
PLUGIN=$(plugin_path) || fail "no plugin to load"
HZ=$(getconf CLK_TCK)
MHZ=$(awk -F: '/^cpu MHz/ { print $2 + 0; exit }' /proc/cpuinfo)

# ---- back ends: only one lives at a time ----

vstate_start() # DEVARGS
{
	[ -p "$W/in" ] || mkfifo "$W/in"
	# the prompt ends with its input, which is a pipe that stays open
	# shellcheck disable=SC2016 # the words are those of the inner shell
	bg backend bash -c 'exec "$@" <>"$0"' "$W/in" "$TOOL" --lcores 0@0,1@1 --no-huge -m 64 --no-pci --no-shconf --no-telemetry -s 0x2 \
		-d "$PLUGIN" --vdev "blk_vstate0,iface=$W/s,$1" -- serve
}

daemon_start()
{
	bg backend taskset -c 1 qemu-storage-daemon --object iothread,id=t \
		--blockdev driver=null-co,node-name=n,size=1073741824,read-zeroes=off \
		--export "type=vhost-user-blk,id=e,node-name=n,iothread=t,addr.type=unix,addr.path=$W/s"
}

backend_wait() { wait_for 20 test -S "$W/s" || fail "no socket after 20 s"; }

backend_end()
{
	kill "${PID[backend]}"
	bg_end backend 10
	rm -f "$W/s"
}

cpu_ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }

# Run the client. Print reads a second, and CPU cycles of the back end for each.
client_run()
{
	local client ticks begin end reads
	taskset -c 0 "$TOOL" guest --class blk --socket "$W/s" --reads --no-status --depth "$DEPTH" \
		--seconds "$PERIOD" --json >"$W/client.out" 2>&1 &
	client=$!
	sleep 0.5
	ticks=$(cpu_ticks "${PID[backend]}") begin=$EPOCHREALTIME
	sleep "$(awk -v s="$PERIOD" 'BEGIN { print s - 1 }')"
	ticks=$(($(cpu_ticks "${PID[backend]}") - ticks)) end=$EPOCHREALTIME
	wait $client || fail "the client failed"
	reads=$(grep -oE '"reads": [0-9]+' "$W/client.out" | grep -oE '[0-9]+')
	awk -v n="$reads" -v s="$PERIOD" -v t="$ticks" -v w="$end" -v b="$begin" -v hz="$HZ" -v mhz="$MHZ" \
		'BEGIN { rate = n / s; print rate, t / hz / (w - b) / rate * mhz * 1e6 }'
}

# ---- results ----

# Medians of the columns of $W/NAME.
medians()
{
	/usr/bin/python3 -c 'import statistics, sys
rows = [[float(word) for word in line.split()] for line in sys.stdin]
print(*(statistics.median(column) for column in zip(*rows)))' <"$W/$1"
}

row() # TEXT RATE CYCLES
{
	printf '%-34s %12.0f reads/s' "$1" "$2"
	[ -z "${3:-}" ] || printf ' %9.0f CPU cycles a request' "$3"
	printf '\n'
}

null_compare()
{
	local i alone
	for ((i = 0; i < TURNS; i++)); do
		vstate_start store=null,size=1073741824
		backend_wait
		client_run >>"$W/vstate-null"
		backend_end
		taskset -c 1 "$TOOL" bench --class blk --ms 200 --depth "$DEPTH" >"$W/bench.out" 2>&1 ||
			fail "the benchmark failed"
		awk '$2 == "split/no-region" { print $6 }' "$W/bench.out" >>"$W/alone"
		daemon_start
		backend_wait
		client_run >>"$W/daemon"
		backend_end
	done
	# shellcheck disable=SC2046 # two numbers
	row "vstate, null store (it polls)" $(medians vstate-null)
	# shellcheck disable=SC2046
	row "qemu-storage-daemon, null-co" $(medians daemon)
	alone=$(medians alone)
	printf 'vstate alone: %.0f cycles a request; the daemon needs %s times that\n' "$alone" \
		"$(medians daemon | awk -v a="$alone" '{ printf "%.1f", $2 / a }')"
}

file_compare()
{
	local i
	[ ! -e "$FILE" ] || fail "$FILE exists"
	touch "$W/made"
	dd if=/dev/urandom of="$FILE" bs=1M count=16 conv=fsync 2>"$W/dd.out" || fail "cannot write $FILE"
	for ((i = 0; i < TURNS; i++)); do
		vstate_start "path=$FILE,direct=1,store=uring"
		backend_wait
		client_run >>"$W/vstate-file"
		backend_end
		# the same blocks as the client
		taskset -c 1 fio --name=bare --filename="$FILE" --ioengine=io_uring --direct=1 --rw=randread \
			--norandommap --bs=4k --size=1M --iodepth="$DEPTH" --registerfiles=1 --time_based \
			--runtime="$PERIOD" --output-format=json >"$W/fio.out" 2>&1 || fail "fio failed"
		/usr/bin/python3 -c 'import json, sys
text = sys.stdin.read()
job = json.loads(text[text.index("{"):])["jobs"][0]
cpu = (job["usr_cpu"] + job["sys_cpu"]) / 100
rate = job["read"]["iops"]
print(rate, cpu / rate * float(sys.argv[1]) * 1e6)' "$MHZ" <"$W/fio.out" >>"$W/fio" || fail "no result of fio"
	done
	# shellcheck disable=SC2046
	row "vstate, file with O_DIRECT" $(medians vstate-file)
	# shellcheck disable=SC2046
	row "fio, io_uring" $(medians fio)
	paste -d ' ' "$W/vstate-file" "$W/fio" | awk '{ print $1 / $3 }' >"$W/ratio"
	printf 'vstate / fio: %s (median of the ratios of neighbours)\n' "$(medians ratio)"
}

printf '%s at %s MHz, depth %s, %s turns of %s s\n' \
	"$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)" "$MHZ" "$DEPTH" "$TURNS" "$PERIOD"
for what in "${WHAT[@]}"; do
	"${what}_compare"
done
