/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_INFLIGHT_H
#define VSTATE_INFLIGHT_H

/**
 * @file
 * Buffers in flight: another device dequeued them and did not use them. They arrive with a state,
 * or are marked in an in-flight region. Bursts of this device leave no buffer in flight.
 *
 * These buffers are processed first, one by one, in the order in which they were dequeued. A frame
 * of the driver is read from each, or frames to the driver are written to them. Until they are
 * used the available position stays where the other device left it, and
 *
 *	available - used = descriptors (split: buffers) of the buffers that are left
 *
 * The chains of a packed ring are walked in copies of their descriptors, because a device that
 * used buffers out of order has overwritten the descriptors in the ring.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_desc.h"
#include "vstate_inflight_layout.h"
#include "vstate_pos.h"

struct vstate_chain;
struct vstate_vq;

struct vstate_inflight_buf {
	/** Buffers were dequeued in the order of this number. */
	uint64_t counter;
	/** Split: head of the chain. Packed: entry of the region, or position in the ring. */
	uint16_t head;
	uint16_t id;
	/** Number of descriptors in the ring; split: 1. */
	uint16_t num;
	/** Entry in the region, if there is one. Packed: also the entry of the last descriptor. */
	uint16_t slot, last;
	/** Packed: index of the first descriptor in descs[]. */
	uint32_t first_desc;
};

struct vstate_inflight {
	/** Number of all buffers, of those that the current burst has dequeued, of those used. */
	uint16_t nb, taken, done;
	bool packed;
	/** Size of the ring of these buffers. */
	uint16_t size;
	/** In-flight region in which the buffers are marked, or NULL. */
	union vstate_inflight_head *shm;
	/** Number of buffers left, in the state file, or NULL; see vstate_inflight_left(). */
	uint32_t *left;
	/** Packed: copies of the descriptors of all buffers. */
	struct vstate_desc *descs;
	/** Packed: entry of the region that each descriptor has, if there is a region. */
	uint16_t *entries;
	struct vstate_inflight_buf bufs[];
};

/** Allocate a list of @p nb buffers, with @p nb_descs descriptors (packed). NULL: no memory. */
struct vstate_inflight *vstate_inflight_alloc(uint16_t nb, uint32_t nb_descs, bool packed);
/** Free a list that is attached to no queue. NULL is ignored. */
void vstate_inflight_free(struct vstate_inflight *list);
/**
 * Attach a list to a quiesced queue whose used position is set. Sets the available position. A
 * queue with marks (vstate_marks.h) marks the buffers of the list in place of all others.
 */
void vstate_inflight_attach(struct vstate_vq *vq, struct vstate_inflight *list);
/**
 * Set the used position of a quiesced queue, and its available position behind the buffers in
 * flight.
 */
void vstate_inflight_used_set(struct vstate_vq *vq, struct vstate_pos used);
/** Free the list of a quiesced queue. */
void vstate_inflight_drop(struct vstate_vq *vq);
/** Number of buffers that are left. Called on the control side only. */
uint16_t vstate_inflight_count(const struct vstate_vq *vq);

/**
 * Number of buffers left before and after the current publication, for the next process. The ring
 * shows which of the two numbers is valid.
 */
static inline uint32_t
vstate_inflight_left(uint16_t before, uint16_t after)
{
	return (uint32_t)before << 16 | after;
}

/**
 * Begin a walk of the next buffer in flight. The list has one.
 * @return 1; -1: fault
 */
int vstate_inflight_chain_begin(struct vstate_vq *vq, struct vstate_chain *c,
		enum vstate_chain_parts parts, const bool packed);

/**
 * Publish the shadow, which has buffers of the list. Packed: up to @p end. The queue loses its list
 * when the last buffer is used.
 */
void vstate_inflight_publish(struct vstate_vq *vq, struct vstate_pos end, const bool packed);

#endif /* VSTATE_INFLIGHT_H */
