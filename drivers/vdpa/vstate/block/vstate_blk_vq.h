/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_VQ_H
#define VSTATE_BLK_VQ_H

/** @file A virtqueue of a disk. The fields belong to the holder of the lease. */

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>

#include "ring/vstate_vq.h"
#include "vstate_blk_request.h"

/** Most requests of one queue that are under way; others wait in the ring. */
#define VSTATE_BLK_DEPTH 256
/** Pieces of a request: 1,024 of data, and those of header and status. */
#define VSTATE_BLK_PIECES (VSTATE_BLK_MAX_IOV + 16)
/** Groups of requests between two flushes; see vstate_blk_order.h. A power of two. */
#define VSTATE_BLK_GROUPS 16

struct vstate_blk_chan;

/** Requests between two flushes, and the flushes that wait for them. */
struct vstate_blk_group {
	uint32_t nb;
	struct vstate_blk_req *flushes;
};

struct vstate_blk_vq {
	/** First member, as struct vstate_class::vq_size says. */
	struct vstate_vq vq;
	struct vstate_blk_counters counters;
	struct vstate_blk_chan *chan;
	/** Requests that the class has: flushes that wait, and what the store has. */
	uint16_t nb_out;
	/** Features of the driver that decide what a request means. */
	struct vstate_blk_rules rules;
	/** Oldest group, and the group of new requests. */
	uint32_t first_group, group;
	struct vstate_blk_group groups[VSTATE_BLK_GROUPS];
	/** Requests that are free, as a list. */
	struct vstate_blk_req *free;
	struct vstate_blk_req *reqs;
	/** The next request is popped here, as its number of pieces is not known before. */
	struct vstate_request popped;
	struct iovec *popped_pieces;
};

static inline struct vstate_blk_vq *
vstate_blk_vq_of(struct vstate_vq *vq)
{
	return (struct vstate_blk_vq *)vq;
}

#endif /* VSTATE_BLK_VQ_H */
