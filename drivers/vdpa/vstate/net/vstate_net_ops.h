/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_OPS_H
#define VSTATE_NET_OPS_H

/** @file The bursts of network queues, in the builds that this processor can run. */

#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;
struct rte_mempool;
struct vstate_net_vq;

/**
 * Bursts of one layout and one instruction set, chosen when a queue is configured. The caller
 * holds the lease.
 *
 * A burst from the driver is taken first, and then given back. In between, the frames are the
 * device's, and the driver cannot see that they were taken. Frames that are not given back are
 * taken again by the next burst, so that the device never holds a frame.
 */
struct vstate_net_ops {
	/** Copy up to @p n (<= VSTATE_BURST) frames that the driver sent. */
	uint16_t (*take)(struct vstate_net_vq *nq, struct rte_mempool *pool,
			struct rte_mbuf **pkts, uint16_t n);
	/** Publish the first @p n frames of the last take as used; forget the others. */
	void (*give)(struct vstate_net_vq *nq, uint16_t n);
	/** What @p n >= 1 frames to be put have in common: VSTATE_NET_MBUF_*. Needs no lease. */
	uint8_t (*look)(struct rte_mbuf *const *pkts, uint16_t n);
	/**
	 * Copy up to @p n frames to buffers of the driver and publish them.
	 * @param look  what look() returned for them, or VSTATE_NET_MBUF_UNKNOWN
	 */
	uint16_t (*put)(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n,
			uint8_t look);
	/**
	 * The same in two steps: fill() copies, flush() publishes. Between the two, the frames
	 * can be given back to the queue that they come from.
	 */
	uint16_t (*fill)(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n,
			uint8_t look);
	void (*flush)(struct vstate_net_vq *nq);
	/** Number of buffers (split) or descriptors (packed) available, up to @p max. */
	uint16_t (*count)(struct vstate_net_vq *nq, uint16_t max);
};

/** The best build for this processor that the user allows; see ring/vstate_isa.h. */
const struct vstate_net_ops *vstate_net_ops_choose(bool packed);

#endif /* VSTATE_NET_OPS_H */
