/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_BREAK_H
#define MIGRATE_BREAK_H

/**
 * @file
 * Ways to spoil a captured state, to show that the guest, or a check before it, sees
 * a capture that is wrong.
 */

#include <stddef.h>

#include <rte_vhost_state.h>

/** One way. What is altered stays consistent in itself, unless the name begins with "raw-". */
struct migrate_break {
	const char *name;
	const char *help;
	/** Of the first queue pair: 0 the guest's receive queue, 1 its transmit queue. */
	uint16_t vq;
	/** Steps by which the indices are moved. */
	int avail, used;
	/** Wrap counters are flipped. */
	bool flip_avail, flip_used;
	/** The first two buffers in flight change places. */
	bool swap;
	/** Not the state, but the page of a device that is killed. */
	bool page;
};

/** By name; NULL if there is none. */
const struct migrate_break *migrate_break_find(const char *name);
/** List them on @p f. */
void migrate_break_help(FILE *f);
/**
 * Spoil @p st.
 * @param what written: what was done, in words
 *   or nothing, if there are no two buffers in flight to swap
 * @return 0; -EOPNOTSUPP if the ring has no such thing (wrap counters of a split ring)
 */
int migrate_break_apply(const struct migrate_break *br, struct rte_vhost_state *st, char *what,
		size_t size);

#endif /* MIGRATE_BREAK_H */
