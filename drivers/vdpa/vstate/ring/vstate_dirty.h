/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_DIRTY_H
#define VSTATE_DIRTY_H

/**
 * @file
 * The dirty log: one bit for each 4 KiB page of guest memory that the device wrote,
 * in memory shared with the front end (vhost-user "Migration"). Bits are collected in
 * a small cache of 64-bit words. They are written to the log before the lease is given
 * back, so that the log is complete whenever no poll thread is inside.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#define VSTATE_DIRTY_PAGE_SHIFT 12
/** Words in the cache; a burst of 32 frames rarely touches more. */
#define VSTATE_DIRTY_WORDS 16

struct vstate_dirty_word {
	/** Index of a 64-bit word of the log. */
	uint64_t index;
	uint64_t bits;
};

struct vstate_dirty {
	/** The log. NULL: the front end does not want one. */
	uint8_t *base;
	/** Length of the log in bytes. */
	uint64_t size;
	uint32_t nb_words;
	struct vstate_dirty_word words[VSTATE_DIRTY_WORDS];
};

/** Mark guest memory [gpa, gpa + len) as written. Call only while base is not NULL. */
void vstate_dirty_mark(struct vstate_dirty *d, uint64_t gpa, uint64_t len);

/** Write the bits in the cache to the log. */
void vstate_dirty_flush(struct vstate_dirty *d);

#endif /* VSTATE_DIRTY_H */
