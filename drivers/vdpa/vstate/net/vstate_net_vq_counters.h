/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_VQ_COUNTERS_H
#define VSTATE_NET_VQ_COUNTERS_H

/** @file Counters of a network queue. */

#include <stdint.h>

#include <rte_common.h>

#include "vstate_compat.h"

#define VSTATE_SIZE_BINS 8

/** Written by the poll thread, read by any thread. */
struct vstate_net_vq_counters {
	/** Frames, and their bytes. */
	uint64_t packets, bytes;
	/** Frames dropped, by reason. */
	uint64_t runt, oversize, bad_offload, small_buffer, uplink;
	/** Frames that the device segmented for the driver, and segments without a buffer. */
	uint64_t segmented, segments_lost;
	/** Frames that had to wait because the pool had no mbufs. */
	uint64_t nombuf;
	/** Frames to several receivers. Counted only with count-multicast=1. */
	uint64_t multicast, broadcast;
	/** Frames by size, see vstate_count_size(). */
	uint64_t size_bins[VSTATE_SIZE_BINS];
};

/** What the counters of a queue and of its ring are since they were reset. */
struct vstate_net_stats {
	uint64_t packets, bytes, calls, calls_suppressed;
	uint64_t runt, oversize, bad_offload, small_buffer, uplink, segments_lost, filtered;
	uint64_t segmented;
	uint64_t nombuf, multicast, broadcast;
	uint64_t size_bins[VSTATE_SIZE_BINS];
};

/**
 * Name in xstats and telemetry, field of struct vstate_net_stats, and place in struct
 * vstate_net_vq. The names of frame sizes are those of net_virtio and net_vhost.
 */
#define VSTATE_NET_STATS(X) \
	X(good_packets, packets, counters.packets) \
	X(good_bytes, bytes, counters.bytes) \
	X(guest_notifications, calls, vq.counters.calls) \
	X(guest_notifications_suppressed, calls_suppressed, vq.counters.calls_suppressed) \
	X(dropped_runt, runt, counters.runt) \
	X(dropped_oversize, oversize, counters.oversize) \
	X(dropped_bad_offload, bad_offload, counters.bad_offload) \
	X(dropped_small_buffer, small_buffer, counters.small_buffer) \
	X(dropped_uplink, uplink, counters.uplink) \
	X(dropped_segments, segments_lost, counters.segments_lost) \
	X(dropped_filtered, filtered, filtered) \
	X(segmented_packets, segmented, counters.segmented) \
	X(mbuf_allocation_errors, nombuf, counters.nombuf) \
	X(multicast_packets, multicast, counters.multicast) \
	X(broadcast_packets, broadcast, counters.broadcast) \
	X(undersize_packets, size_bins[0], counters.size_bins[0]) \
	X(size_64_packets, size_bins[1], counters.size_bins[1]) \
	X(size_65_127_packets, size_bins[2], counters.size_bins[2]) \
	X(size_128_255_packets, size_bins[3], counters.size_bins[3]) \
	X(size_256_511_packets, size_bins[4], counters.size_bins[4]) \
	X(size_512_1023_packets, size_bins[5], counters.size_bins[5]) \
	X(size_1024_1518_packets, size_bins[6], counters.size_bins[6]) \
	X(size_1519_max_packets, size_bins[7], counters.size_bins[7])

/** Count @p count frames of @p len bytes (without FCS) by their size. */
static vstate_inline void
vstate_count_size(struct vstate_net_vq_counters *c, uint32_t len, uint32_t count)
{
	unsigned int bin;

	if (len == 64)
		bin = 1;
	else if (len > 64 && len < 1024)
		bin = 27 - rte_clz32(len); /* 2 for 65 .. 127, 5 for 512 .. 1023 */
	else if (len < 64)
		bin = 0;
	else
		bin = len <= 1518 ? 6 : 7;
	c->size_bins[bin] += count;
}

#endif /* VSTATE_NET_VQ_COUNTERS_H */
