/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_H
#define GUEST_H

/**
 * @file
 * The built-in virtio-net guest. It has memory in a memfd, a split and a packed driver, and
 * vhost-user front ends (links) to one or more back ends. Its traffic is numbered and checked frame
 * by frame.
 *
 * The guest is a second implementation on purpose. It shares no ring code with the device, so a
 * mistake in one is seen by the other.
 *
 * A guest has one set of rings. At any moment at most one link is *active*: its back end processes
 * the rings. Another link may be set up at the same time. A move is therefore:
 * prepare link B - suspend A - capture A - restore B - driver_ok B.
 *
 * All functions of the guest return 0 or -errno unless they say otherwise. They are not
 * thread-safe: call them from one thread, the *caller's thread*. Traffic runs in a thread of the
 * guest's own.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

#define GUEST_MAX_PAIRS 64

/** How the guest is built. */
struct guest_conf {
	/** Queue pairs, 1 .. GUEST_MAX_PAIRS. */
	uint16_t pairs;
	/** Descriptors in each ring, 8 .. 32768; split: a power of two. */
	uint16_t ring_size;
	bool packed;
	/** VIRTIO features that the driver wants; only those that are offered are negotiated. */
	uint64_t features;
	/** Frame lengths without virtio header and FCS, 60 .. 65550. Each frame draws one. */
	uint32_t frame_min, frame_max;
	/** Seed of frame lengths, contents and descriptor layouts. */
	uint64_t seed;
	/** Most frames of a queue on their way at a time; 0: as many as cannot overflow a ring. */
	uint16_t window;
	/** Frames a second and queue; 0: as fast as possible. */
	uint64_t rate;
	/** Spread a frame over random numbers of descriptors instead of the shortest chain. */
	bool any_layout;
	/** Frames may come back on another pair than that which sent them. */
	bool any_pair;
	/**
	 * With any_layout: use only receive buffers that rte_vhost (22.11) can handle.
	 * Split: the virtio header lies in the first two descriptors, because rte_vhost writes
	 * outside the buffer otherwise. Packed: one direct descriptor for each buffer, because
	 * rte_vhost uses any four descriptors as four buffers.
	 */
	bool rx_as_rte_vhost;
	/**
	 * Only one frame is on its way in the whole guest. When frame n has come back to its pair,
	 * the next pair sends frame n + 1.
	 */
	bool causal;
	/** The back end marks its buffers in an in-flight region, which the next back end gets. */
	bool inflight;
	/** With @p inflight: work without the region if the back end offers none. */
	bool inflight_if_offered;
	/**
	 * The driver of the control queue is there: it asks for the features of its commands, and
	 * the back end must serve the queue. The back end has no more pairs than the guest.
	 */
	bool cvq;
	/**
	 * Back ends may be killed: a receive buffer may come back empty; its frame is then lost.
	 */
	bool crashes;
};

struct guest;

/** Create a guest. @return NULL with rte_errno: EINVAL, ENOMEM */
struct guest *guest_create(const struct guest_conf *conf);
/** Stop the traffic and free the guest. Its links must be closed before. */
void guest_destroy(struct guest *g);
/** The first error that the guest found, as text; NULL if there is none. */
const char *guest_error(const struct guest *g);
/** Record an error as text. Only the first one is kept. */
__rte_format_printf(2, 3)
void guest_complain(struct guest *g, const char *fmt, ...);
/** Features in force since the first link; later links must offer them all. 0: no link yet. */
uint64_t guest_features(const struct guest *g);

#endif /* GUEST_H */
