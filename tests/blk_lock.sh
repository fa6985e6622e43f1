#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# What the disk relies on: the lock of a file that a killed process had falls only when the last
# write of that process has ended. And two disks never have requests of one file under way.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"

lock_falls_late() # DIRECT
{
	local file rc=0
	gcc -std=gnu11 -O2 -Wall -o "$W/filelock" "$VSTATE_ROOT/tests/tools/filelock.c" -luring 2>"$W/gcc.out" ||
		skip "no liburing"
	file=$(mktemp /var/tmp/vstate-lock.XXXXXX)
	echo "$file" >>"$W/plugins" # removed with the case
	truncate -s 256M "$file"
	for _ in 1 2 3; do
		timeout 60 "$W/filelock" "$file" "$1" >"$W/lock.out" || rc=$?
		[ "$rc" -ne 2 ] || skip "no io_uring, or no O_DIRECT on /var/tmp"
		expect "exit status of filelock" "$rc" -eq 0
		measured "$(cat "$W/lock.out")"
	done
}

case_direct() { lock_falls_late 1; }
case_page_cache() { lock_falls_late 0; }

run_cases direct page-cache
