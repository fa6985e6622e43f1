# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Hugepages for one case. after_case restores the number that was set before.

NR_HUGEPAGES=/proc/sys/vm/nr_hugepages

hugepages_reserve() # NUMBER
{
	[ -w $NR_HUGEPAGES ] || skip "no hugepages without root"
	HUGEPAGES_BEFORE=$(cat $NR_HUGEPAGES)
	wait_for 5 hugepages_free "$1" || skip "not enough memory for $1 hugepages"
}

# Memory that was freed a moment ago may still be fragmented: compact it.
hugepages_free() # NUMBER
{
	echo $((HUGEPAGES_BEFORE + $1)) >$NR_HUGEPAGES
	[ "$(awk '/^HugePages_Free/ { print $2 }' /proc/meminfo)" -ge "$1" ] && return 0
	echo 1 >/proc/sys/vm/compact_memory
	return 1
}

# Mount a file system for hugepages at DIR, until the case ends.
hugepages_mount() # DIR
{
	mkdir "$1"
	mount -t hugetlbfs none "$1" || skip "no file system for hugepages"
	HUGEPAGES_MOUNT=$1
}

# The harness calls this after the processes of a case have ended.
after_case()
{
	[ -z "${HUGEPAGES_MOUNT:-}" ] || umount -l "$HUGEPAGES_MOUNT"
	[ -z "${HUGEPAGES_BEFORE:-}" ] || echo "$HUGEPAGES_BEFORE" >$NR_HUGEPAGES
}
