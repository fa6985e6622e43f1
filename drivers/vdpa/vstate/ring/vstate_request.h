/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_REQUEST_H
#define VSTATE_REQUEST_H

/**
 * @file
 * Requests: buffers of a readable and a writable part that are processed for some time, and
 * used in the order in which they complete. For device classes with requests (block, SCSI,
 * control queues), of both layouts.
 *
 *	              pop                push                 publish
 *	available ---------> submitted ---------> in the shadow ---------> with the driver
 *	   ^                                                                     |
 *	   +---------------------------------------------------------------------+
 *
 * - pop: vq->avail moves behind the chain. Each value of the guest's is read once and checked.
 *   The class owns the pieces, and reads and writes guest memory through them.
 * - push: by ID, in any order. The class does not touch the pieces any more. The driver does not
 *   see it yet.
 * - publish: ends a burst. The driver sees what was pushed; vq->used moves behind it.
 *
 * So whenever the lease is free, available position - used position is the number of submitted
 * buffers (split), or of their descriptors (packed). A packed ring's used descriptors stand in
 * the order of completion: each is written at the used position, which then skips as many
 * descriptors as that buffer had (VIRTIO 1.4 "Packed Virtqueues"). The ring's descriptors of a
 * submitted request may be overwritten by then, so a request is never read a second time.
 *
 * Threads: the caller holds the lease in each of these functions, and publishes before it gives
 * the lease back. A request stays submitted while the lease is free; another thread or the kernel
 * may move its bytes then. Guest memory must not change while requests are submitted: a
 * class waits for them when it quiesces.
 *
 * In flight: a queue marks nothing yet. The place to mark a request is the end of
 * vstate_request_pop(), before the class can act on it. The place to clear the marks is around
 * ring_used_publish(), as in vstate_inflight_publish(). Requests that another device had in
 * flight (vq->inflight) belong before those of the ring in vstate_request_pop(). Until then, a
 * class with requests must not accept a state with buffers in flight.
 */

#include <stdint.h>
#include <sys/uio.h>

#include "vstate_vq.h"

struct vstate_request {
	/** Split: head of the chain. Packed: buffer ID. */
	uint16_t id;
	/** Descriptors of the chain in the ring; split: 1. */
	uint16_t num;
	/** Pieces that @p pieces has room for; set by the caller, once. */
	uint16_t max_pieces;
	/** Pieces of the readable part, which come first, and of the writable part. */
	uint16_t nb_readable, nb_writable;
	/** Sums of their lengths in bytes. */
	uint64_t readable_bytes, writable_bytes;
	/**
	 * Contiguous pieces of host memory, none of them empty. A descriptor that crosses from one
	 * region into the next has a piece in each.
	 */
	struct iovec pieces[];
};

/**
 * Dequeue the next request of the ring.
 * @param req  max_pieces says how many pieces there is room for; all other fields are written
 * @return 0; -EAGAIN: none is available, or this burst has walked enough descriptors;
 *   -EIO: the queue is broken, vq->fault says why, and its positions stay
 */
int vstate_request_pop(struct vstate_vq *vq, struct vstate_request *req);

/**
 * Use the buffer of a request that was popped from this queue, and not pushed before. What it
 * wrote is noted in the dirty log.
 * @param written  bytes written from the beginning of the writable part on, at most
 *   writable_bytes; bytes behind them are as they were
 */
void vstate_request_push(struct vstate_vq *vq, const struct vstate_request *req,
		uint32_t written);

/** End a burst: show the driver what was pushed, and call it unless it wants no call. */
void vstate_request_publish(struct vstate_vq *vq);

#endif /* VSTATE_REQUEST_H */
