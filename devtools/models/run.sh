#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Check all states of each configuration of the models (lease.pml, handover.pml) with spin, and that
# spin finds an error in each broken variant. Each check prints a line when it ends; one check runs on each
# processor at a time. The last line is "N passed, N failed".
#
#	devtools/models/run.sh [-v] [--list] [NAME...]
#
#	-v	print the output of spin
#	--list	print the names and check nothing

set -u
MODELS=$(cd "$(dirname "$0")" && pwd)
CC=${CC:-gcc}
STARTED=0 SKIPPED=0 VERBOSE=

# NAME VERDICT CLAIM FLAGS. Claim: "safety" (assertions and dead ends), or a formula of lease.pml;
# "handover": the assertions and the formula of handover.pml.
cases()
{
	cat <<-END
	two-queues holds safety -DTWO
	two-queues-fence holds safety -DTWO -DFENCE
	stuck holds safety -DSTUCK
	shared holds safety -DSHARED
	shared-fence holds safety -DSHARED -DFENCE
	service holds safety -DSERVICE
	service-fence holds safety -DSERVICE -DFENCE
	two-queues-stop-ends holds stop_ends -DTWO
	stuck-stop-ends holds stop_ends -DSTUCK
	shared-stop-ends holds stop_ends -DSHARED
	service-stop-ends holds stop_ends -DSERVICE
	two-queues-progress holds progress -DTWO
	stuck-progress holds progress -DSTUCK
	shared-progress holds progress -DSHARED
	service-progress holds progress -DSERVICE
	no-membarrier broken safety -DTWO -DBROKEN_NO_MEMBARRIER
	no-membarrier-service broken safety -DSERVICE -DBROKEN_NO_MEMBARRIER
	membarrier-before-revoke broken safety -DTWO -DBROKEN_BARRIER_FIRST
	no-poll-fence broken safety -DTWO -DFENCE -DBROKEN_NO_POLL_FENCE
	check-before-store broken safety -DTWO -DBROKEN_CHECK_FIRST
	no-wait broken safety -DTWO -DBROKEN_NO_WAIT
	give-before-publish broken safety -DTWO -DBROKEN_GIVE_BEFORE_PUBLISH
	grant-before-setup broken safety -DTWO -DBROKEN_GRANT_BEFORE_SETUP
	queue-by-queue broken safety -DTWO -DBROKEN_QUEUE_BY_QUEUE
	timeout-without-grant broken safety -DSTUCK -DBROKEN_NO_REGRANT
	timeout-ignored broken safety -DSTUCK -DBROKEN_TIMEOUT_IGNORED
	plain-store-shared broken safety -DSHARED -DBROKEN_PLAIN_SHARED
	service-not-revoked broken safety -DSERVICE -DBROKEN_SERVICE_NOT_REVOKED
	service-not-waited-for broken safety -DSERVICE -DBROKEN_SERVICE_NOT_WAITED
	wait-for-poll-threads broken stop_ends -DTWO -DBROKEN_WAIT_FOR_POLLERS
	no-give-after-check broken stop_ends -DTWO -DBROKEN_NO_GIVE
	resume-without-grant broken progress -DTWO -DBROKEN_RESUME_NO_GRANT
	handover holds handover
	handover-one-kill holds handover -DKILLS=1
	handover-no-kill holds handover -DKILLS=0
	handover-without-lock broken handover -DBROKEN_NO_LOCK
	handover-serve-after-unlock broken handover -DBROKEN_SERVE_AFTER_UNLOCK
	handover-commit-at-go broken handover -DBROKEN_COMMIT_AT_GO
	handover-give-up broken handover -DBROKEN_GIVE_UP
	handover-without-relock broken handover -DBROKEN_NO_RELOCK
	handover-without-reread broken handover -DBROKEN_NO_REREAD
	END
}

# Search for errors of CLAIM with FLAGS in $W; spin's report is $W/out.
search()
{
	local claim=$1
	shift
	(
		cd "$W" || exit 1
		rm -f pan* ./*.trail
		if [ "$claim" = handover ]; then
			# processes that die do not go with partial order reduction
			spin -a "$@" "$MODELS/handover.pml" && $CC -O1 -w -DNOREDUCE -o pan pan.c &&
				./pan -a -N kept -m2000000 -w22
		elif [ "$claim" = safety ]; then
			spin -a "$@" "$MODELS/lease.pml" && $CC -O1 -w -DSAFETY -DNOFAIR -o pan pan.c &&
				./pan -m2000000 -w24
		else
			# Fairness multiplies the states. These claims are not about values, so smaller bounds do.
			spin -a "$@" -DLIVE -DDEPTH=2 -DMOD=2 "$MODELS/lease.pml" &&
				$CC -O1 -w -DNFAIR=3 -o pan pan.c &&
				./pan -a -f -N "$claim" -m4000000 -w24
		fi
	) >"$W/out" 2>&1
	[ -z "$VERBOSE" ] || cat "$W/out"
}

# True if the search was complete and found no error.
found_nothing()
{
	grep -q 'errors: 0' "$W/out" &&
		! grep -Eq 'max search depth too small|out of memory|interrupted|BITSTATE' "$W/out"
}

# True if the search found an error of the kind that CLAIM is about.
found_error()
{
	local kind='acceptance cycle'
	[[ "$1" =~ ^(safety|handover)$ ]] && kind='assertion violated'
	grep -q "^pan:[0-9]*: $kind" "$W/out" && grep -q 'errors: 1' "$W/out"
}

spin_error() { sed -nE 's/^pan:[0-9]*: (.*) \(at depth.*/\1/p; s/^(pan: error.*|spin: .*Error.*)/\1/p' "$W/out" | head -n 1; }
states() { awk '/states, stored/ { print $1; exit }' "$W/out"; }

# Each verdict is one write, so that parallel checks do not mix their lines.
pass() { echo "PASS models/$1" | tee -a "$VERDICTS"; }
fail() { echo "FAIL models/$1" | tee -a "$VERDICTS"; }

run_case() # NAME VERDICT CLAIM FLAGS
{
	local name=$1 verdict=$2 begin=$SECONDS
	W=$W/$1
	mkdir "$W"
	shift 2
	search "$@"
	name="$name ($((SECONDS - begin)) s)"
	if [ "$verdict" = holds ] && found_nothing; then
		pass "$name: holds in all $(states) states"
	elif [ "$verdict" = holds ]; then
		fail "$name: $(spin_error)"
	elif found_error "$1"; then
		pass "$name: refused: $(spin_error)"
	else
		fail "$name: not refused; $(spin_error)"
	fi
}

wanted() # NAME [NAME...]: true if the first is among the others, or if there are no others
{
	local name=$1 each
	shift
	[ $# -gt 0 ] || return 0
	for each in "$@"; do
		[ "$each" != "$name" ] || return 0
	done
	return 1
}

case ${1:-} in
--list) cases | cut -d ' ' -f 1; exit 0 ;;
-v) VERBOSE=1; shift ;;
-*) sed -n '5,12s/^#[[:blank:]]\{0,1\}//p' "$0" >&2; exit 2 ;;
esac

MISSING=
for tool in spin "$CC"; do
	command -v "$tool" >/dev/null || MISSING=$tool
done
W=$(mktemp -d) || exit 1
VERDICTS=$W/verdicts
: >"$VERDICTS"
trap 'rm -rf "$W"' EXIT
trap 'exit 130' INT TERM

while read -r name verdict claim flags; do
	wanted "$name" "$@" || continue
	if [ -n "$MISSING" ]; then
		SKIPPED=$((SKIPPED + 1))
		echo "SKIP models/$name: $MISSING is not installed"
		continue
	fi
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
		wait -n
	done
	# shellcheck disable=SC2086
	( trap - EXIT; run_case "$name" "$verdict" "$claim" $flags; rm -rf "$W" ) </dev/null &
	STARTED=$((STARTED + 1))
done < <(cases)
wait
PASSED=$(grep -c '^PASS' "$VERDICTS")
# A check without a verdict did not pass.
FAILED=$((STARTED - PASSED))

if [ $((PASSED + FAILED + SKIPPED)) -eq 0 ]; then
	echo "error: no case of that name" >&2
	exit 1
elif [ $SKIPPED -gt 0 ]; then
	echo "0 passed, 0 failed, $SKIPPED skipped"
	exit 77
fi
echo "$PASSED passed, $FAILED failed"
[ $FAILED -eq 0 ]
