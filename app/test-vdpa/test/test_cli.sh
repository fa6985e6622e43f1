#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# The answers of dpdk-test-vdpa that need no device.
# Usage: test_cli.sh TOOL MANUAL

tool=$1 manual=$2
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
failed=0

# expect NAME STATUS PATTERN WORD...: exit status, and a pattern in the output
expect() {
	name=$1 status=$2 pattern=$3
	shift 3
	"$tool" "$@" </dev/null >"$dir/out" 2>&1
	got=$?
	if [ $got -ne "$status" ] || ! grep -q -- "$pattern" "$dir/out"; then
		echo "FAIL $name: status $got"
		cat "$dir/out"
		failed=1
	else
		echo "ok $name"
	fi
}

expect no_command_is_wrong_usage 2 Usage
expect help_lists_the_commands 0 migrate --help
for c in migrate serve guest conformance bench ctl state; do
	expect "${c}_has_help" 0 Usage $c --help
	expect "${c}_refuses_unknown_options" 2 "--help" $c --nonsense
done
# each option of a command stands in its section of the manual page
for c in migrate serve guest conformance bench ctl state; do
	"$tool" $c --help | grep -oE '^  --[a-z-]+' | grep -v -- --help | sed 's/-/\\-/g' >"$dir/options"
	awk -v c=$c '/^\.S[SH]/ { on = $2 == c } on' "$manual" >"$dir/section"
	missing=$(while read -r option; do
		grep -qF -- "$option" "$dir/section" || printf '%s ' "$option"
	done <"$dir/options")
	if [ ! -s "$dir/options" ] || [ -n "$missing" ]; then
		echo "FAIL manual_has_the_options_of_$c: $missing"
		failed=1
	else
		echo "ok manual_has_the_options_of_$c"
	fi
done
expect hidden_command_is_not_listed 0 Commands --help
grep -q backend-child "$dir/out" && { echo "FAIL backend-child is listed"; failed=1; }
expect unknown_command_is_reported 2 "unknown command 'nonsense'" nonsense
expect eal_without_value_is_reported 2 "--eal" migrate --eal
expect serve_without_prompt_needs_sockets 2 "--iface" serve --no-prompt
expect guest_needs_a_socket 2 "--socket is missing" guest
expect guest_takes_no_further_words 2 "unexpected argument 'word'" guest --socket "$dir/none" word
for v in "--frames -60" "--frames 60-+90" "--frames 59" "--frames 90-60" "--queues 65" "--queues 0" \
	"--size 7" "--size 0x" "--ring round" "--seconds 0" "--seconds -1" "--seconds inf" \
	"--seed -1" "--rate 0" "--window 32769"; do
	# shellcheck disable=SC2086  # an option and its value
	expect "guest_refuses_$v" 2 "is expected" guest --socket "$dir/none" $v
done
expect guest_refuses_blanks_in_lengths 2 "is expected" guest --socket "$dir/none" --frames "60- 90"
expect guest_refuses_unknown_features 2 "unknown feature" guest --features mrg,none-such
expect split_ring_of_the_guest_is_a_power_of_two 2 "power of two" guest --socket "$dir/none" --size 100
expect guest_lists_hostile_cases 0 "^avail-head-range .*split " guest --hostile list
expect guest_lists_cases_of_the_door 0 "^header-only .*door " guest --hostile list
expect guest_lists_hostile_cases_of_a_disk 0 "^region-marks-beyond .*region " guest --class blk --hostile list
expect guest_has_no_hostile_cases_of_other_disks 2 "--class blk" guest --class scsi --hostile list
for v in "--back-end-pid 0" "--back-end-pid x" "--rounds 0" "--rss-limit -1" "--hold x"; do
	# shellcheck disable=SC2086  # an option and its value
	expect "guest_refuses_$v" 2 "is expected" guest --socket "$dir/none" --hostile all $v
done
expect conformance_takes_no_further_words 2 "unexpected argument 'word'" conformance word
expect guest_lists_hostile_cases_of_a_console 0 "^ctrl-tx-loop .*split " guest --class console --hostile list
expect bench_lists_its_cases 0 "^loop/packed-inorder$" bench --list
expect bench_list_obeys_patterns 0 "^idle/split$" bench --list --case "idle/*"
grep -q loop "$dir/out" && { echo "FAIL --case does not limit --list"; failed=1; }
expect bench_mode_must_be_known 2 "two-core is expected" bench --mode three-core
expect bench_slice_must_be_in_range 2 "--slice-us 99: a number from 100 to 100000" bench --slice-us 99
expect state_needs_a_file 2 "FILE" state
expect missing_file_is_reported 1 "No such file" state "$dir/none"
echo "this is no state, but long enough for a header of one" >"$dir/text"
expect text_is_no_state 1 "not a vhost state" state "$dir/text"
expect invalid_state_is_json_too 1 '"reason": "bad_magic"' state --json "$dir/text"
VSTATE_PLUGIN=$dir/none
export VSTATE_PLUGIN
expect missing_plugin_is_reported 1 "cannot load the driver plugin" migrate
exit $failed
