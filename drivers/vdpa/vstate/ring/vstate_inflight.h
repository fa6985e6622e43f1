/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_INFLIGHT_H
#define VSTATE_INFLIGHT_H

/**
 * @file
 * Buffers in flight: another device dequeued them and did not use them. They come with a state, or
 * are marked in an in-flight region. Bursts of this device leave none.
 *
 * They are processed first, in the order in which they were dequeued, one by one: a frame of the
 * driver is read from each, or frames to the driver are written to them. Until they are used the
 * available position stays where the other device left it, and
 *
 *	available - used = descriptors (split: buffers) of those that are left
 *
 * The chains of a packed ring are walked from copies of their descriptors: a device that used
 * buffers out of order has written over those in the ring.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_desc.h"
#include "vstate_inflight_layout.h"
#include "vstate_pos.h"

struct vstate_chain;
struct vstate_vq;

struct vstate_inflight_buf {
	/** Order in which they were taken. */
	uint64_t counter;
	/** Split: head. Packed: entry of the region, or position in the ring. */
	uint16_t head;
	uint16_t id;
	/** Descriptors in the ring; split: 1. */
	uint16_t num;
	/** Its entry in the region, if there is one, and packed the last of its descriptors. */
	uint16_t slot, last;
	/** Packed: its first descriptor in descs[]. */
	uint32_t first_desc;
};

struct vstate_inflight {
	/** All, those that the burst under way has taken, and those that are used. */
	uint16_t nb, taken, done;
	bool packed;
	/** Size of the ring to which they belong. */
	uint16_t size;
	/** Region in which they are marked, or NULL. */
	union vstate_inflight_head *shm;
	/** Where the page has how many are left, or NULL; see vstate_inflight_left(). */
	uint32_t *left;
	/** Packed: copies of their descriptors. */
	struct vstate_desc *descs;
	struct vstate_inflight_buf bufs[];
};

/** NULL without memory. */
struct vstate_inflight *vstate_inflight_alloc(uint16_t nb, uint32_t nb_descs, bool packed);
/** Hand them to a queue at rest, whose used position is known; its available one follows. */
void vstate_inflight_attach(struct vstate_vq *vq, struct vstate_inflight *list);
/** Set the used position of a queue at rest; its available one follows, behind what is in flight. */
void vstate_inflight_used_set(struct vstate_vq *vq, struct vstate_pos used);
/** Forget them. */
void vstate_inflight_drop(struct vstate_vq *vq);
/** Those that are left. Control thread. */
uint16_t vstate_inflight_count(const struct vstate_vq *vq);

/**
 * How many are left, for a process that comes after: before and after the publication under
 * way. The ring shows which of the two holds.
 */
static inline uint32_t
vstate_inflight_left(uint16_t before, uint16_t after)
{
	return (uint32_t)before << 16 | after;
}

/**
 * Begin a walk of the next buffer in flight, of which there is one.
 * @return 1; -1: fault
 */
int vstate_inflight_chain_begin(struct vstate_vq *vq, struct vstate_chain *c,
		enum vstate_chain_parts parts, const bool packed);

/**
 * Publish the shadow, in which some buffers were in flight before. Packed: up to @p end. The
 * queue has no list any more when the last one is used.
 */
void vstate_inflight_publish(struct vstate_vq *vq, struct vstate_pos end, const bool packed);

#endif /* VSTATE_INFLIGHT_H */
