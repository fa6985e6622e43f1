#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Each fuzzer of app/test/fuzz, from its stored inputs on, for a few seconds: inputs that once broke
# something, and new ones. short runs each for SECONDS_EACH (5) with one seed, so that a change is judged
# by what it changed; long, in the soak, for FUZZ_SECONDS (600) with another seed each time. An input
# that breaks something fails the case. The case prints its path and its bytes.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"

FUZZ=$VSTATE_ROOT/devtools/fuzz.sh

# Two at a time.
all_fuzzers()
{
	command -v clang >/dev/null || skip "no clang"
	"$FUZZ" --all "${SECONDS_EACH:-5}" >"$W/fuzz.out" 2>&1 ||
		fail "$(grep -E '^broken|SUMMARY: [AU]|runtime error|: kept |cannot|failed' "$W/fuzz.out" |
			cut -c 1-500 | head -n 6 | paste -sd' ')"
	expect "fuzzers that ran" "$(grep -c ' executions, ' "$W/fuzz.out")" -eq "$("$FUZZ" --list | wc -l)"
	measured "$(sed -n 's/^\([a-z]*\): \([0-9]* executions\), .*/\1 \2/p' "$W/fuzz.out" | paste -sd, | sed 's/,/, /g')"
}

case_short() { export FUZZ_SEED=1; all_fuzzers; }

case_long()
{
	SECONDS_EACH=${FUZZ_SECONDS:-600}
	all_fuzzers
}

# shellcheck disable=SC2046
run_cases short $(soak long)
