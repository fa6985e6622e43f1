#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Check lease.pml with spin, all states of each configuration, and see that each broken
# variant of it is refused. One line each; the last is "N passed, N failed".
# usage: run.sh [-v]    -v: with what spin says

set -u
model=$(cd "$(dirname "$0")" && pwd)/lease.pml
verbose=false
[ "${1:-}" = -v ] && verbose=true
passed=0
failed=0

for tool in spin "${CC:-gcc}"; do
	command -v "$tool" >/dev/null || { echo "SKIP: $tool is not installed"; exit 77; }
done
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

# search NAME CLAIM FLAGS: run one search, leave its report in $dir/out
# CLAIM: safety, or the name of a formula
search() {
	claim=$1
	shift
	(
		cd "$dir" || exit 1
		rm -f pan* ./*.trail
		if [ "$claim" = safety ]; then
			spin -a "$@" "$model" && ${CC:-gcc} -O1 -w -DSAFETY -DNOFAIR -o pan pan.c &&
				./pan -m2000000 -w24
		else
			# fairness multiplies the states; the claims are not about values
			spin -a "$@" -DLIVE -DDEPTH=2 -DMOD=2 "$model" && ${CC:-gcc} -O1 -w -DNFAIR=3 -o pan pan.c &&
				./pan -a -f -N "$claim" -m4000000 -w24
		fi
	) >"$dir/out" 2>&1
	$verbose && cat "$dir/out"
	return 0
}

states() {
	awk '/states, stored/ { print $1; exit }' "$dir/out"
}

# A search is whole if it says so, reached its end and left nothing out.
whole() {
	grep -q 'errors: 0' "$dir/out" && 
		! grep -Eq 'max search depth too small|out of memory|interrupted|hash array' "$dir/out"
}

result() {
	if [ "$1" = PASS ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
	echo "$1 $2"
}

# holds NAME CLAIM FLAGS
holds() {
	name=$1
	shift
	search "$@"
	if whole; then
		result PASS "$name: holds in all $(states) states"
	else
		result FAIL "$name: $(grep -E 'error|violated|cycle|too small|memory' "$dir/out" | head -n 1)"
	fi
}

# broken NAME CLAIM FLAGS: an error must be found, of the kind that the claim is about
broken() {
	name=$1
	if [ "$2" = safety ]; then
		kind='assertion violated'
	else
		kind='acceptance cycle'
	fi
	shift
	search "$@"
	if grep -q "^pan:.*$kind" "$dir/out" && grep -q 'errors: 1' "$dir/out"; then
		result PASS "$name: refused, $(sed -n "s/^pan:[0-9]*: \(.*$kind.*\) (at depth.*/\1/p" "$dir/out")"
	else
		result FAIL "$name: not refused"
	fi
}

holds 'two queues' safety -DTWO
holds 'two queues, no membarrier in the kernel' safety -DTWO -DFENCE
holds 'a poll thread that stays inside' safety -DSTUCK
holds 'shared queue' safety -DSHARED
holds 'shared queue, no membarrier in the kernel' safety -DSHARED -DFENCE
holds 'service and port' safety -DSERVICE
holds 'service and port, no membarrier in the kernel' safety -DSERVICE -DFENCE
holds 'a stop ends, two queues' stop_ends -DTWO
holds 'a stop ends, a poll thread that stays inside' stop_ends -DSTUCK
holds 'a stop ends, shared queue' stop_ends -DSHARED
holds 'a stop ends, service and port' stop_ends -DSERVICE
holds 'progress, two queues' progress -DTWO
holds 'progress, a poll thread that stays inside' progress -DSTUCK
holds 'progress, shared queue' progress -DSHARED
holds 'progress, service and port' progress -DSERVICE

broken 'no membarrier' safety -DTWO -DBROKEN_NO_MEMBARRIER
broken 'no membarrier, a poll thread that stays inside' safety -DSTUCK -DBROKEN_NO_MEMBARRIER
broken 'no membarrier, service' safety -DSERVICE -DBROKEN_NO_MEMBARRIER
broken 'membarrier before the revocation' safety -DTWO -DBROKEN_BARRIER_FIRST
broken 'poll threads without the fence that replaces membarrier' safety -DTWO -DFENCE -DBROKEN_NO_POLL_FENCE
broken 'check before store' safety -DTWO -DBROKEN_CHECK_FIRST
broken 'no wait' safety -DTWO -DBROKEN_NO_WAIT
broken 'return before publish' safety -DTWO -DBROKEN_GIVE_BEFORE_PUBLISH
broken 'grant before setup' safety -DTWO -DBROKEN_GRANT_BEFORE_SETUP
broken 'one queue stopped after the other' safety -DTWO -DBROKEN_QUEUE_BY_QUEUE
broken 'time-out without a new grant' safety -DSTUCK -DBROKEN_NO_REGRANT
broken 'time-out taken for a stop' safety -DSTUCK -DBROKEN_TIMEOUT_IGNORED
broken 'plain store on the shared queue' safety -DSHARED -DBROKEN_PLAIN_SHARED
broken 'service lease not revoked' safety -DSERVICE -DBROKEN_SERVICE_NOT_REVOKED
broken 'service lease not waited for' safety -DSERVICE -DBROKEN_SERVICE_NOT_WAITED
broken 'the stop waits for poll threads, not for leases' stop_ends -DTWO -DBROKEN_WAIT_FOR_POLLERS
broken 'a failed check does not return the lease' stop_ends -DTWO -DBROKEN_NO_GIVE
broken 'resume does not grant' progress -DTWO -DBROKEN_RESUME_NO_GRANT

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
