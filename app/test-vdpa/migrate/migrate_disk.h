/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_DISK_H
#define MIGRATE_DISK_H

/**
 * @file
 * migrate --class blk: a disk moves back and forth between two back ends, or its back end is
 * killed or taken over by another process, while the guest's requests are under way.
 */

#include <stdbool.h>
#include <stdint.h>

#include "guest_disk.h"
#include "migrate_disk_break.h"
#include "stats.h"

struct backend;

/** How a disk's requests get from one back end to the other. */
enum migrate_disk_via {
	/** The state, through the library's functions. */
	MIGRATE_DISK_API,
	/** The in-flight region and the bases: GET_VRING_BASE_INFLIGHT. */
	MIGRATE_DISK_REGION,
	/** The bases only: the source completes all requests. */
	MIGRATE_DISK_BASE,
};

struct migrate_disk_options {
	uint64_t rounds;
	struct disk_conf conf;
	enum migrate_disk_via via;
	/** The second back end runs in another process; all of them are killed. */
	bool process, kill;
	/** A new process takes the device over from the one before. */
	bool upgrade;
	bool json, verbose;
	/** Planted in each move until it is found. */
	enum migrate_disk_fault fault;
	/** Device arguments of the store. */
	char store[128];
	/** The file of the disk; made in the private directory. */
	char file[128];
};

struct migrate_disk_result {
	uint64_t rounds;
	/** Requests in flight at the stops, in all; and stops with at least half of the depth. */
	uint64_t in_flight, busy_stops;
	/** Upgrades in which the driver kept its connection. */
	uint64_t kept;
	struct disk_counts counts;
	struct stats stop, blackout;
	char failure[256];
};

/** Run the moves on back ends that exist. @return whether nothing was lost, doubled or wrong */
bool migrate_disk_run(const struct migrate_disk_options *opt, struct backend *const be[2],
		struct migrate_disk_result *res);

#endif /* MIGRATE_DISK_H */
