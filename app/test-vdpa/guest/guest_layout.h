/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_LAYOUT_H
#define GUEST_LAYOUT_H

/**
 * @file
 * Where rings and buffers lie in guest memory.
 */

#include <stdbool.h>
#include <stdint.h>

#include "guest_ring.h"

struct guest;

/** Most bytes between two pieces of a buffer. */
#define GUEST_SEG_GAP 32u

/** Allocate memory, rings and buffers for the features in force. */
int guest_layout(struct guest *g);
/** Reserve the areas of a ring, and indirect tables of @p table_len entries. */
int guest_layout_ring(struct guest *g, struct guest_ring *r, uint64_t seed, uint16_t table_len);
/** Free what guest_layout() allocated. */
void guest_layout_free(struct guest *g);
/** Cut @p len bytes at @p gpa into @p nb pieces with gaps of at most GUEST_SEG_GAP. */
void guest_cut(uint64_t *rnd, uint64_t gpa, uint32_t len, uint16_t nb, bool write,
		struct guest_seg *segs);

#endif /* GUEST_LAYOUT_H */
