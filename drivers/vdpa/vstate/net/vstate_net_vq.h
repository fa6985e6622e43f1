/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_VQ_H
#define VSTATE_NET_VQ_H

/** @file A virtqueue of the network class. */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

#include "ring/vstate_vq.h"
#include "vstate_compat.h"
#include "vstate_net_ops.h"
#include "vstate_net_vq_counters.h"

struct vstate_net_filter;

/** Longest frame, without virtio header: the largest GSO frame and its Ethernet header. */
#define VSTATE_MAX_FRAME (UINT16_MAX + 22)

struct vstate_net_vq {
	/** First, see vstate_net_vq_of(). */
	struct vstate_vq vq;

	/* -- what each burst reads or writes, in as few cache lines as it fits -- */
	const struct vstate_net_ops *ops;
	/** Features negotiated, for the offloads: VIRTIO_NET_F_GUEST_TSO4 and so on. */
	uint64_t features;
	/** Port of the frames that the driver sends. */
	uint16_t port_id;
	/** Length of the virtio header: 10 or 12. */
	uint8_t hdr_len;
	/** VIRTIO_NET_F_MRG_RXBUF negotiated. */
	bool mergeable;
	/** VIRTIO_NET_F_CSUM or a HOST_* offload: headers of frames sent mean something. */
	bool host_offloads;
	/** VIRTIO_NET_F_GUEST_CSUM negotiated. */
	bool guest_csum;
	/** The port wants checksums that the guest left partial completed. */
	bool complete_csum;
	/** Frames that do not fit one mbuf are dropped, not chained. */
	bool linear;
	/** Longest frame that the port receives, unless it is to be segmented. */
	uint32_t frame_max;
	/** Longest frame to be segmented that the port receives; 0: none, LRO is off. */
	uint32_t lro_max;
	/** Where the last take began. */
	struct vstate_pos begin;
	/** Frames of the last take, and those that it dropped. */
	uint16_t nb_taken, nb_dropped;
	/** Leading frames of the last take that have one used element each. */
	uint16_t nb_simple;
	/** These frames are of one length. */
	bool simple_alike;
	struct vstate_net_vq_counters counters;

	/* -- last because it is large -- */
	/** Lengths of the frames of the last take. */
	uint32_t taken_len[VSTATE_BURST];
	/** The bursts below @p ops with count-multicast=1, and the casts of their last take. */
	const struct vstate_net_ops *casts_ops;
	uint8_t taken_cast[VSTATE_BURST];
	/** Where the ring stood, and how many used elements, after frame i >= nb_simple. */
	struct {
		struct vstate_pos avail;
		uint16_t nb_shadow, listed;
	} taken[VSTATE_BURST];
	/** The driver's receive filter, the bursts below it, and the frames that it dropped. */
	const struct vstate_net_filter *filter;
	const struct vstate_net_ops *filtered_ops;
	uint64_t filtered;
	/** It is the control queue. Control lock. */
	bool is_control;
};

/** The network queue of which @p vq is the ring. */
static vstate_inline struct vstate_net_vq *
vstate_net_vq_of(const struct vstate_vq *vq)
{
	return (struct vstate_net_vq *)(uintptr_t)vq;
}

#endif /* VSTATE_NET_VQ_H */
