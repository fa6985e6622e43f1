#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Run all tests: the unit tests, then each scenario in tests/. One line for each test.
#
#	devtools/test.sh [--asan|--clang] [--soak] [--list] [NAME...]
#
# NAME is "unit", a unit test, a scenario or scenario/case. Without a name all tests run.
#	--asan	build with AddressSanitizer and UBSan, in build-asan
#	--clang	build with clang, in build-clang
#	--soak	run the long cases too
#	--list	print the names and run nothing
# Logs are in BUILD/test-logs. Failures and retries are listed again at the end. The last line is
# "N passed, N failed[, N skipped]".

set -u
# shellcheck source=devtools/lib.sh
. "$(dirname "$0")/lib.sh"

BUILD=build
MESON_OPTIONS=()
LIST=
NAMES=()
PASSED=0 FAILED=0 SKIPPED=0
# Lines to print again at the end, where the log of a long run is cut least.
FAILURES=() RETRIES=()

usage() { sed -n '5,16s/^#[[:blank:]]\{0,1\}//p' "$0"; }

parse_arguments()
{
	while [ $# -gt 0 ]; do
		case $1 in
		--asan)
			BUILD=build-asan
			# A finding of a sanitizer must end the process, or the test would not fail.
			MESON_OPTIONS=("-Db_sanitize=address,undefined" -Db_lundef=false
				-Dc_args=-fno-sanitize-recover=all)
			export VSTATE_SANITIZE=1 ;;
		--clang)
			BUILD=build-clang
			export CC=clang ;;
		--soak) export SOAK=1 ;;
		--list) LIST=1 ;;
		-h|--help) usage; exit 0 ;;
		-*) usage >&2; exit 2 ;;
		*) NAMES+=("$1") ;;
		esac
		shift
	done
}

# ---- which tests ----

# Print the unit tests with meson's names, one a line. test.sh replaces blanks by dashes.
unit_tests()
{
	meson test -C "$VSTATE_ROOT/$BUILD" --list 2>/dev/null | sed -E '/^ninja:/d; s/^.* \/ //'
}

# A scenario is an executable file in tests/.
scenarios() { find "$VSTATE_ROOT/tests" -maxdepth 1 -name '*.sh' -perm -u+x | sort; }

# wanted NAME [CASE]: true if the user asked for it.
wanted()
{
	local name
	[ ${#NAMES[@]} -gt 0 ] || return 0
	for name in "${NAMES[@]}"; do
		[ "$name" = "$1" ] && return 0
		[ -n "${2:-}" ] && [ "$name" = "$1/$2" ] && return 0
	done
	return 1
}

# Print the wanted cases of scenario file $1, one a line. A long case is wanted if it is named.
wanted_cases()
{
	local name scenario
	scenario=$(basename "$1" .sh)
	while read -r name; do
		wanted "$scenario" "$name" && echo "$name"
	done < <("$1" --list)
	[ -z "${SOAK:-}" ] || return 0
	for name in "${NAMES[@]}"; do
		case $name in
		"$scenario"/*) ;;
		*) continue ;;
		esac
		"$1" --list | grep -qxF "${name#*/}" || SOAK=1 "$1" --list | grep -xF "${name#*/}"
	done
}

list_tests()
{
	local file
	unit_tests | sed 's|^|unit/|; s/ /-/g'
	for file in $(scenarios); do
		"$file" --list | sed "s|^|$(basename "$file" .sh)/|"
	done
}

# ---- running them ----

count()
{
	case $1 in
	PASS*) PASSED=$((PASSED + 1)) ;;
	FAIL*)
		FAILED=$((FAILED + 1))
		FAILURES+=("$1") ;;
	"attempt "*" of FAIL "*) RETRIES+=("$1") ;;
	SKIP*) SKIPPED=$((SKIPPED + 1)) ;;
	esac
}

result() { printf '%s\n' "$1"; count "$1"; }

run_unit_tests()
{
	local test name begin log
	while IFS= read -r test; do
		name=${test// /-}
		wanted unit "$name" || wanted "$name" || continue
		begin=$SECONDS log=$LOGS/unit-$name.log
		if meson test -C "$VSTATE_ROOT/$BUILD" --no-rebuild --verbose "$test" >"$log" 2>&1 </dev/null; then
			result "PASS unit/$name ($((SECONDS - begin)) s)"
		else
			result "FAIL unit/$name ($((SECONDS - begin)) s)"
			# The failure may stand far above the end of the log.
			{ grep -E 'ERROR|LINE|FAILED|Sanitizer' "$log" | head -n 40; tail -n 20 "$log"; } |
				sed 's/^/    /'
		fi
	done < <(unit_tests)
}

run_scenario() # FILE
{
	local name log line before rc cases
	name=$(basename "$1" .sh)
	mapfile -t cases < <(wanted_cases "$1")
	[ ${#cases[@]} -gt 0 ] || return 0
	log=$LOGS/$name.log
	before=$((PASSED + FAILED + SKIPPED))
	# Line by line, so that the user sees results while the scenario runs.
	while IFS= read -r line; do
		result "$line"
	done < <("$1" "${cases[@]}" 2>&1 </dev/null | tee "$log"; echo "${PIPESTATUS[0]}" >"$log.status")
	rc=$(cat "$log.status")
	rm -f "$log.status"
	# A scenario that ends early must not look like one with fewer cases.
	if [ $((PASSED + FAILED + SKIPPED - before)) -ne ${#cases[@]} ]; then
		result "FAIL $name: ended with exit status $rc before all its cases had run"
	fi
}

parse_arguments "$@"
if [ -n "$LIST" ]; then
	list_tests
	exit 0
fi
need_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
[ "$BUILD" != build-clang ] || need_packages clang
need_driver_headers
build "$BUILD" "${MESON_OPTIONS[@]}"

LOGS=$VSTATE_ROOT/$BUILD/test-logs
mkdir -p "$LOGS"
export VSTATE_BUILD=$VSTATE_ROOT/$BUILD
run_unit_tests
for scenario in $(scenarios); do
	run_scenario "$scenario"
done

if [ $((PASSED + FAILED + SKIPPED)) -eq 0 ]; then
	die "no test of that name: see devtools/test.sh --list"
fi
[ ${#RETRIES[@]} -eq 0 ] || printf '%s\n' "${#RETRIES[@]} tried again:" "${RETRIES[@]}"
[ ${#FAILURES[@]} -eq 0 ] || printf '%s\n' "failed:" "${FAILURES[@]}"
if [ $SKIPPED -gt 0 ]; then
	echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
else
	echo "$PASSED passed, $FAILED failed"
fi
[ $FAILED -eq 0 ]
