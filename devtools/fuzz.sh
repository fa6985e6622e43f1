#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Build and run a fuzzer of app/test/fuzz (libFuzzer, AddressSanitizer, UBSan).
#
#	devtools/fuzz.sh [--corpus DIR] NAME SECONDS	run it, from its stored inputs on
#	devtools/fuzz.sh NAME FILE...			run single inputs
#	devtools/fuzz.sh --all SECONDS			run all, two at a time
#	devtools/fuzz.sh --list				print the names
#	--corpus DIR	keep the inputs that reach new code there, and begin with them
#
# Stored inputs are in app/test/fuzz/corpus/NAME.hex: see devtools/fuzz_inputs.py. An input that
# broke something is named after it. An input that breaks something now is kept in
# build-fuzz/findings; its path and its bytes are printed, and the exit status is that of the fuzzer.
# FUZZ_SEED=N is libFuzzer's seed, so that a run can be repeated; without it each run has another one.
# The last line is "NAME: N executions, N features, N seconds".

set -u
# shellcheck source=devtools/lib.sh
. "$(dirname "$0")/lib.sh"

BUILD=$VSTATE_ROOT/build-fuzz
STORED=$VSTATE_ROOT/app/test/fuzz/corpus
CORPUS=

usage() { sed -n '5,18s/^#[[:blank:]]\{0,1\}//p' "$0"; }

names()
{
	local file
	for file in "$VSTATE_ROOT"/app/test/fuzz/fuzz_*.c; do
		grep -q '^LLVMFuzzerTestOneInput(' "$file" && basename "$file" .c | sed 's/^fuzz_//'
	done
}

build_fuzzers()
{
	[ -z "${VSTATE_FUZZERS_BUILT:-}" ] || return 0
	need_packages clang libclang-rt-dev
	need_driver_headers
	if [ ! -e "$BUILD/build.ninja" ]; then
		run_quiet "meson setup build-fuzz" env CC=clang meson setup "$BUILD" "$VSTATE_ROOT" \
			"-Ddpdk_source=$DPDK_SOURCE" -Dfuzzers=true -Dtests=false ||
			die "meson failed: see build-fuzz/meson-logs"
	fi
	run_quiet "ninja -C build-fuzz fuzzers" ninja -C "$BUILD" fuzzers || die "the build failed: see the output above"
}

# Write the stored inputs of fuzzer $1 to directory $2 as bytes.
stored_inputs() { python3 "$VSTATE_ROOT/devtools/fuzz_inputs.py" unpack "$STORED/$1.hex" "$2"; }

# The state decoder's inputs are made by a program, and are the library's golden files.
state_inputs()
{
	local file
	if [ -x "$BUILD/app/test/vhost-state-samples" ]; then
		"$BUILD/app/test/vhost-state-samples" "$1" 30 && rm -f "$1"/*.json
	fi
	for file in "$VSTATE_ROOT"/app/test/vhost_state/data/*.hex; do
		python3 "$VSTATE_ROOT/devtools/fuzz_inputs.py" bytes "$file" "$1"
	done
}

# What libFuzzer printed at its end, in one line.
summary() # NAME LOG SECONDS
{
	local runs features
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$2")
	features=$(sed -n 's/.* ft: \([0-9]*\) .*/\1/p' "$2" | tail -n 1)
	echo "$1: ${runs:-?} executions, ${features:-?} features, $3 seconds"
}

# Name the inputs that libFuzzer wrote, by its LOG, with their bytes: the machine may be gone soon.
findings_print() # NAME LOG
{
	local file
	sed -n 's/.*Test unit written to //p' "$2" | while IFS= read -r file; do
		echo "$1: kept ${file#"$VSTATE_ROOT/"}: $(od -An -v -tx1 "$file" | tr -d ' \n' | cut -c 1-2000)"
	done
}

run_fuzzer() # NAME SECONDS
{
	local work rc=0 begin=$SECONDS args=("-max_total_time=$2" -print_final_stats=1
		-max_len=4096 -timeout=120 -rss_limit_mb=4096 "-artifact_prefix=$BUILD/findings/$1-")
	work=$(mktemp -d) || die "cannot create a temporary directory"
	mkdir -p "$BUILD/findings" "$work/stored" "$work/new"
	stored_inputs "$1" "$work/stored"
	[ "$1" != state ] || state_inputs "$work/stored"
	[ -z "$CORPUS" ] || mkdir -p "$CORPUS"
	[ -z "${FUZZ_SEED:-}" ] || args+=("-seed=$FUZZ_SEED")
	"$BUILD/app/test/fuzz/fuzz_$1" "${args[@]}" "${CORPUS:-$work/new}" "$work/stored" \
		>"$work/log" 2>&1 </dev/null || rc=$?
	if [ $rc -ne 0 ]; then
		grep -vE '^#|^NEW_|^INFO' "$work/log" | head -n 60
		findings_print "$1" "$work/log"
	fi
	summary "$1" "$work/log" $((SECONDS - begin))
	rm -rf "$work"
	return $rc
}

run_inputs() # NAME FILE...
{
	"$BUILD/app/test/fuzz/fuzz_$1" "${@:2}"
}

run_all() # SECONDS
{
	export VSTATE_FUZZERS_BUILT=1
	names | xargs -P 2 -I '{}' "$0" '{}' "$1"
}

case ${1:-} in
--list) names; exit 0 ;;
-h|--help|'') usage; exit 0 ;;
--corpus) CORPUS=$2; shift 2 ;;
esac
[ $# -ge 2 ] || { usage >&2; exit 2; }
if [ "$1" = --all ]; then
	build_fuzzers
	run_all "$2"
	exit
fi
names | grep -qxF -- "$1" || die "no fuzzer '$1': see devtools/fuzz.sh --list"
build_fuzzers >&2
if [ -e "$2" ]; then
	run_inputs "$@"
else
	run_fuzzer "$1" "$2"
fi
