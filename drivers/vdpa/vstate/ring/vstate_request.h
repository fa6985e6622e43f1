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
 * In flight: pop marks a request before the class can act on it, and publish clears the mark after
 * the driver can see the request used (vstate_marks.h). Requests that wait, because another device
 * or this one stopped before they were complete, are popped first, in the order of their counters.
 * They are walked again, with all checks.
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
	/** Its mark. */
	uint16_t slot;
	/** Pieces of the readable part, which come first, and of the writable part. */
	uint16_t nb_readable, nb_writable;
	/** Sums of their lengths in bytes. */
	uint64_t readable_bytes, writable_bytes;
	/**
	 * Contiguous pieces of host memory, none of them empty. A descriptor that crosses from one
	 * region into the next has a piece in each. The caller's memory, set once.
	 */
	struct iovec *pieces;
};

/**
 * Dequeue the next request: one that waits, else one of the ring. The queue has marks.
 * @param req  max_pieces says how many pieces there is room for; all other fields are written
 * @return 0; -EAGAIN: none is available, or this burst has walked enough descriptors;
 *   -EIO: the queue is broken, vq->fault says why, and its positions stay
 */
int vstate_request_pop(struct vstate_vq *vq, struct vstate_request *req);

/** As vstate_request_pop(), of the requests that wait only. */
int vstate_request_pop_waiting(struct vstate_vq *vq, struct vstate_request *req);

/**
 * Use the buffer of a request that was popped from this queue, and not pushed before. What it
 * wrote is noted in the dirty log.
 * @param written  bytes written from the beginning of the writable part on, at most
 *   writable_bytes; bytes behind them are as they were
 */
void vstate_request_push(struct vstate_vq *vq, const struct vstate_request *req,
		uint32_t written);

/**
 * Give up a request that was popped and not pushed. It waits for vstate_request_requeue(). The
 * class does not touch its pieces any more.
 */
void vstate_request_wait(struct vstate_vq *vq, const struct vstate_request *req);

/**
 * Make all requests that wait the first ones to be popped again. Control lock held, no poll thread
 * inside, nothing is in the shadow.
 * @return 0 or -ENOMEM: nothing changed
 */
int vstate_request_requeue(struct vstate_vq *vq);

/** End a burst: show the driver what was pushed, and call it unless it wants no call. */
void vstate_request_publish(struct vstate_vq *vq);

#endif /* VSTATE_REQUEST_H */
