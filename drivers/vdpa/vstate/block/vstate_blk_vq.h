/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_VQ_H
#define VSTATE_BLK_VQ_H

/** @file A virtqueue of requests for stores. The fields belong to the holder of the lease. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "ring/vstate_vq.h"
#include "vstate_blk_request.h"

/** Most requests of one queue that are under way; others wait in the ring. */
#define VSTATE_BLK_DEPTH 256
/** Pieces of a request: 1,024 of data, and those of header and status. */
#define VSTATE_BLK_PIECES (VSTATE_BLK_MAX_IOV + 16)
/** Groups of requests between two flushes; see vstate_blk_order.h. A power of two. */
#define VSTATE_BLK_GROUPS 16
/** Most stores of a device: a disk has one, a SCSI device one for each logical unit. */
#define VSTATE_BLK_STORES 8

struct vstate_blk_chan;

/** Requests between two flushes, and the flushes that wait for them. */
struct vstate_blk_group {
	uint32_t nb;
	struct vstate_blk_req *flushes;
};

struct vstate_blk_vq;

/** What the requests of a class look like. The caller holds the lease, or quiesced the queue. */
struct vstate_blk_protocol {
	/** Bytes of a request; it begins with struct vstate_blk_req. */
	size_t req_size;
	/**
	 * Check a request that was popped, and fill its operation and its unit.
	 * @return true: the operation is for the store; false: the request is done already
	 */
	bool (*parse)(struct vstate_blk_vq *q, struct vstate_blk_req *req);
	/**
	 * Write the answer of a request, and count it if it failed.
	 * @param res  result of its operation, or 0 if parse() said that it is done
	 * @return bytes of its writable part that are written
	 */
	uint32_t (*finish)(struct vstate_blk_vq *q, struct vstate_blk_req *req, int res);
	/** A request is given up without an answer, to be popped again later. May be NULL. */
	void (*drop)(struct vstate_blk_req *req);
	/** The driver can see the answers that were written before. May be NULL. */
	void (*published)(struct vstate_blk_vq *q);
};

struct vstate_blk_vq {
	/** First member, as struct vstate_class::vq_size says. */
	struct vstate_vq vq;
	struct vstate_blk_counters counters;
	const struct vstate_blk_protocol *protocol;
	/** A channel to each store of the device. */
	struct vstate_blk_chan *chans[VSTATE_BLK_STORES];
	uint16_t nb_chans;
	/** Requests that the class has: flushes that wait, and what the store has. */
	uint16_t nb_out;
	/** Of a disk: features of the driver that decide what a request means. */
	struct vstate_blk_rules rules;
	/** Requests that were taken from the ring. */
	uint64_t nb_popped;
	/** Oldest group, and the group of new requests. */
	uint32_t first_group, group;
	struct vstate_blk_group groups[VSTATE_BLK_GROUPS];
	/** Requests that are free, as a list. */
	struct vstate_blk_req *free;
	/** VSTATE_BLK_DEPTH requests of protocol->req_size bytes. */
	void *reqs;
	/** The next request is popped here, as its number of pieces is not known before. */
	struct vstate_request popped;
	struct iovec *popped_pieces;
};

/** Return request @p i of a queue, 0 to VSTATE_BLK_DEPTH - 1; it may be free. */
static inline struct vstate_blk_req *
vstate_blk_vq_req(const struct vstate_blk_vq *q, uint16_t i)
{
	return RTE_PTR_ADD(q->reqs, i * q->protocol->req_size);
}

static inline struct vstate_blk_vq *
vstate_blk_vq_of(struct vstate_vq *vq)
{
	return (struct vstate_blk_vq *)vq;
}

#endif /* VSTATE_BLK_VQ_H */
