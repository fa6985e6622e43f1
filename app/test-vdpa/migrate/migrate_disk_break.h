/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_DISK_BREAK_H
#define MIGRATE_DISK_BREAK_H

/**
 * @file
 * Faults that migrate --class blk plants: each is what a wrong device would do to the requests in
 * flight. The driver must find each of them.
 */

#include <stdbool.h>
#include <stdint.h>

struct disk;
struct disk_write;
struct rte_vhost_state;

enum migrate_disk_fault {
	DISK_FAULT_NONE,
	/** One request in flight is forgotten. */
	DISK_FAULT_SKIP,
	/** The marks of a batch are cleared before the driver can see it used. */
	DISK_FAULT_CLEAR,
	/** Requests are submitted again in the reverse order. */
	DISK_FAULT_REVERSE,
	/** A request that has returned is submitted again. */
	DISK_FAULT_TWICE,
	/** The source stops without waiting: its writes land after those of the destination. */
	DISK_FAULT_NOWAIT,
	DISK_FAULT_MAX
};

/** Name of a fault, or NULL for DISK_FAULT_NONE. */
const char *migrate_disk_fault_name(enum migrate_disk_fault fault);
/** @return the fault; DISK_FAULT_NONE: there is none of this name */
enum migrate_disk_fault migrate_disk_fault_find(const char *name);

/** Plant a fault in a captured state. @return false: it has no request that would do */
bool migrate_disk_break_state(struct rte_vhost_state *st, enum migrate_disk_fault fault);
/** Plant a fault in the in-flight region, while no back end uses it. @return as above */
bool migrate_disk_break_region(struct disk *d, enum migrate_disk_fault fault);
/** Write to the file what the source had under way. @return 0 or -errno */
int migrate_disk_break_file(const char *path, const struct disk_write *writes, unsigned int nb);

#endif /* MIGRATE_DISK_BREAK_H */
