/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_BREAK_H
#define MIGRATE_BREAK_H

/**
 * @file
 * Ways to spoil a captured state. They show that the guest, or an earlier check, detects a wrong
 * state.
 */

#include <stddef.h>

#include <rte_vhost_state.h>

/** One way. The spoilt state is consistent in itself, unless the name begins with "raw-". */
struct migrate_break {
	const char *name;
	const char *help;
	/** Virtqueue: 0 is the guest's first receive queue, 1 its first transmit queue. */
	uint16_t vq;
	/** Steps by which the indices move. */
	int avail, used;
	/** Flip these wrap counters. */
	bool flip_avail, flip_used;
	/** Exchange the first two buffers in flight. */
	bool swap;
	/** Change a setting of the control queue. */
	bool setting;
	/** Spoil the state file of a killed device instead of a captured state. */
	bool state_file;
};

/** Find a way by name. @return NULL if there is none */
const struct migrate_break *migrate_break_find(const char *name);
/** List the ways on @p f. */
void migrate_break_help(FILE *f);
/**
 * Spoil @p st.
 * @param what written: the change as text; empty if there are no two buffers in flight to exchange
 * @return 0; -EOPNOTSUPP if the ring has no such field (wrap counters of a split ring)
 */
int migrate_break_apply(const struct migrate_break *br, struct rte_vhost_state *st, char *what,
		size_t size);

#endif /* MIGRATE_BREAK_H */
