/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_SERVE_H
#define VSTATE_BLK_SERVE_H

/**
 * @file
 * What devices with stores have in common: the locks of their files, the poll of their queues, and
 * the stop.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_blk_vq.h"

struct vstate_blk_store;
struct vstate_dev;
struct vstate_vq;

/** First member of the class's part of a device. */
struct vstate_blk_serve {
	uint16_t nb_stores;
	struct vstate_blk_store *stores[VSTATE_BLK_STORES];
	/** The first queue of requests. Those before it are the class's own. */
	uint16_t first_qid;
	/** The next attempt to lock the files, in TSC cycles; and whether one failed. */
	uint64_t lock_next;
	bool lock_waits;
	/**
	 * As vstate_blk_queue_drain(), of the queues before @p first_qid; NULL: there are none. The
	 * queues of requests were drained before, if all queues are.
	 */
	bool (*drain_own)(struct vstate_dev *dev, const struct vstate_vq *vq, bool finish);
};

/** Open the channels of all queues of requests. @return 0 or -errno, with the reason in the log */
int vstate_blk_serve_init(struct vstate_dev *dev, struct vstate_blk_serve *s,
		const struct vstate_blk_protocol *protocol);
/** Free the queues of requests, and close the stores. */
void vstate_blk_serve_fini(struct vstate_dev *dev, struct vstate_blk_serve *s);
/** Return whether this process may have operations under way. Any thread. */
bool vstate_blk_serve_is_locked(const struct vstate_blk_serve *s);
/** Poll all queues of requests once. Poll thread. @return requests moved */
uint32_t vstate_blk_serve_poll(struct vstate_dev *dev, struct vstate_blk_serve *s);
/** As struct vstate_class::quiesce. */
int vstate_blk_serve_quiesce(struct vstate_dev *dev, struct vstate_blk_serve *s,
		struct vstate_vq *vq, bool finish, uint64_t timeout_ns, uint16_t *late_qid);
/** Look whether files have grown. Watch thread. @return a bit for each store that has */
uint32_t vstate_blk_serve_watch(struct vstate_dev *dev, struct vstate_blk_serve *s);

#endif /* VSTATE_BLK_SERVE_H */
