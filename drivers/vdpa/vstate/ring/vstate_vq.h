/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_VQ_H
#define VSTATE_VQ_H

/**
 * @file
 * A virtqueue: what a poll thread needs to move frames through it, and what the
 * control thread knows of it. Everything in it but the lease belongs to the poll
 * thread while it is inside, and to the control thread otherwise.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_mbuf.h>
#include <rte_vhost.h>

#include "vstate_dirty.h"
#include "vstate_fault.h"
#include "vstate_pos.h"
#include "vstate_inflight.h"
#include "vstate_lease.h"
#include "vstate_mem.h"
#include "vstate_inflight_layout.h"

/** Frames that one lease moves at most. */
#define VSTATE_BURST 64
/** Used elements kept back until they are published; bounds the buffers of one frame. */
#define VSTATE_SHADOW 1024
/**
 * Further descriptors of chains after which a burst ends, and after which a frame to the driver
 * is dropped. No driver has a use for as many, and a poll thread has other queues to serve.
 */
#define VSTATE_STEPS 16384
/** Longest frame, without virtio header: the largest GSO frame and its Ethernet header. */
#define VSTATE_MAX_FRAME (UINT16_MAX + 22)

/**
 * Counters of one queue: name in xstats, and field. Written by the poll thread.
 * The names of frame sizes are those of net_virtio and net_vhost.
 */
#define VSTATE_VQ_SIZES(X) \
	X(undersize_packets, size_bins[0]) \
	X(size_64_packets, size_bins[1]) \
	X(size_65_127_packets, size_bins[2]) \
	X(size_128_255_packets, size_bins[3]) \
	X(size_256_511_packets, size_bins[4]) \
	X(size_512_1023_packets, size_bins[5]) \
	X(size_1024_1518_packets, size_bins[6]) \
	X(size_1519_max_packets, size_bins[7])
#define VSTATE_SIZE_BINS 8

#define VSTATE_VQ_EVENTS(X) \
	X(good_packets, packets) \
	X(good_bytes, bytes) \
	X(guest_notifications, calls) \
	X(guest_notifications_suppressed, calls_suppressed) \
	X(dropped_runt, runt) \
	X(dropped_oversize, oversize) \
	X(dropped_bad_offload, bad_offload) \
	X(dropped_small_buffer, small_buffer) \
	X(dropped_uplink, uplink) \
	X(mbuf_allocation_errors, nombuf)

#define VSTATE_VQ_COUNTERS(X) VSTATE_VQ_EVENTS(X) VSTATE_VQ_SIZES(X)

struct vstate_vq_counters {
#define VSTATE_COUNTER_FIELD(name, field) uint64_t field;
	VSTATE_VQ_EVENTS(VSTATE_COUNTER_FIELD)
#undef VSTATE_COUNTER_FIELD
	uint64_t size_bins[VSTATE_SIZE_BINS];
};

/** Count @p count frames of @p len bytes (without FCS) by their size. */
static __rte_always_inline void
vstate_count_size(struct vstate_vq_counters *c, uint32_t len, uint32_t count)
{
	unsigned int bin;

	if (len == 64)
		bin = 1;
	else if (len > 64 && len < 1024)
		bin = 27 - __builtin_clz(len); /* 2 for 65 .. 127, 5 for 512 .. 1023 */
	else if (len < 64)
		bin = 0;
	else
		bin = len <= 1518 ? 6 : 7;
	c->size_bins[bin] += count;
}

/** A buffer that was taken and is to be published as used. */
struct vstate_used {
	/** Bytes that the device wrote; until a give: why the frame was dropped, or 0. */
	uint32_t len;
	/** Split: head of the chain. Packed: buffer ID. */
	uint16_t id;
	/** Descriptors of the chain in the ring; split: 1. */
	uint16_t num;
};

/** A used buffer as one word, to be read and written at once: len, id, num from bit 0 up. */
static __rte_always_inline uint64_t
vstate_used_word(const struct vstate_used *u)
{
#if RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN
	uint64_t word;

	RTE_BUILD_BUG_ON(sizeof(*u) != sizeof(word));
	memcpy(&word, u, sizeof(word));
	return word;
#else
	return u->len | (uint64_t)u->id << 32 | (uint64_t)u->num << 48;
#endif
}

static __rte_always_inline void
vstate_used_set(struct vstate_used *u, uint64_t word)
{
#if RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN
	memcpy(u, &word, sizeof(word));
#else
	*u = (struct vstate_used){ .len = word, .id = word >> 32, .num = word >> 48 };
#endif
}

struct vstate_vq;

/**
 * The ring code chosen when the queue was configured. The caller holds the lease.
 * A burst is taken first, and then given back: in between, the frames are the device's,
 * and the driver cannot see that they were taken. Frames that are not given back are
 * taken again by the next burst, so that nothing is ever held inside the device.
 */
struct vstate_vq_ops {
	/** Copy up to @p n (<= VSTATE_BURST) frames that the driver sent. */
	uint16_t (*take)(struct vstate_vq *vq, struct rte_mempool *pool,
			struct rte_mbuf **pkts, uint16_t n);
	/** Publish the first @p n frames of the last take as used; forget the others. */
	void (*give)(struct vstate_vq *vq, uint16_t n);
	/** What @p n >= 1 frames to be put have in common: VSTATE_NET_MBUF_*. Needs no lease. */
	uint8_t (*look)(struct rte_mbuf *const *pkts, uint16_t n);
	/**
	 * Copy up to @p n frames to buffers of the driver and publish them.
	 * @param look  what look() returned for them, or VSTATE_NET_MBUF_UNKNOWN
	 */
	uint16_t (*put)(struct vstate_vq *vq, struct rte_mbuf **pkts, uint16_t n, uint8_t look);
	/**
	 * The same in two steps: fill() copies, flush() publishes. Between the two another queue
	 * can be told that the frames have left it.
	 */
	uint16_t (*fill)(struct vstate_vq *vq, struct rte_mbuf **pkts, uint16_t n, uint8_t look);
	void (*flush)(struct vstate_vq *vq);
	/** Number of buffers (split) or descriptors (packed) available, up to @p max. */
	uint16_t (*count)(struct vstate_vq *vq, uint16_t max);
};

struct vstate_vq {
	struct vstate_lease lease;

	/* -- datapath -- */
	const struct vstate_vq_ops *ops;
	union {
		struct {
			struct vring_desc *desc;
			struct vring_avail *avail;
			struct vring_used *used;
		} split;
		struct {
			struct vring_packed_desc *desc;
			struct vring_packed_desc_event *driver;
			struct vring_packed_desc_event *device;
		} packed;
	};
	uint16_t size;
	/**
	 * Next entry to take, and next entry to publish. Whenever the lease is free they are
	 * equal, or as far apart as what is left of @p inflight.
	 */
	struct vstate_pos avail, used;
	/** Where the last take began. */
	struct vstate_pos begin;
	/** Where positions are told for a process that comes after; never NULL. */
	union vstate_inflight_head *inflight_head;
	/** Buffers of another device to be finished first; NULL once all are. */
	struct vstate_inflight *inflight;
	/** Used index at the last call, for the event index. */
	uint16_t signalled_used;
	bool signalled_valid;
	/** Length of the virtio header: 10 or 12. */
	uint8_t hdr_len;
	bool is_packed, event_idx, indirect, mergeable;
	/** VIRTIO_NET_F_CSUM or a HOST_* offload: headers of frames sent mean something. */
	bool host_offloads;
	/** VIRTIO_NET_F_GUEST_CSUM negotiated. */
	bool guest_csum;
	/** The port wants checksums that the guest left partial completed. */
	bool complete_csum;
	/** Frames that do not fit one mbuf are dropped, not chained. */
	bool linear;
	/** Guest offloads for segmentation: VIRTIO_NET_F_GUEST_TSO4 and so on. */
	uint64_t features;
	/** Our own duplicate: the front end may replace its own at any moment. -1: none. */
	int callfd;
	/**
	 * Where the next available buffer will show, for vstate_vq_is_empty(): the queue is
	 * empty while (*look_at & look_mask) == look_value. Kept by the ring code.
	 */
	const uint16_t *look_at;
	uint16_t look_mask, look_value;
	const struct vstate_mem *mem;
	struct vstate_window win;
	/** Guest physical address of the used ring (split) or descriptor ring (packed). */
	uint64_t used_gpa;
	/** Guest physical address of the device event area (packed). */
	uint64_t event_gpa;
	struct vstate_dirty dirty;
	enum vstate_fault fault;
	uint16_t nb_shadow;
	/** Descriptors that the burst has gone to beyond the first of each chain. */
	uint32_t nb_steps;
	/** Frames of the last take, and those that it dropped. */
	uint16_t nb_taken, nb_dropped;
	/** Leading frames of the last take that have one used element each. */
	uint16_t nb_simple;
	/** These frames are of one length. */
	bool simple_alike;
	struct vstate_vq_counters counters;
	/** What @p record is where nobody wants it. */
	union vstate_inflight_head own_head;

	/* -- control -- */
	uint16_t qid;
	uint16_t port_id;
	/** Why control does not grant the queue, 0: for no reason of its own; bits of the device. */
	uint32_t block;
	/** Resets of the device when the queue was set up last. */
	uint64_t setup_resets;
	/** A call that a suspended device owes. */
	bool call_due;
	/** Guest physical addresses of the three areas, for capture. */
	uint64_t desc_addr, driver_addr, device_addr;
	/** To be freed; the poll thread only lets go of it. */
	struct vstate_inflight *inflight_own;

	/* -- scratch, last because it is large -- */
	/** Lengths of the frames of the last take. */
	uint32_t taken_len[VSTATE_BURST];
	/** Where the ring stood, and how many used elements, after frame i >= nb_simple. */
	struct {
		struct vstate_pos avail;
		uint16_t nb_shadow, listed;
	} taken[VSTATE_BURST];
	struct vstate_used shadow[VSTATE_SHADOW];
} __rte_cache_aligned;

/** Mark a queue broken. First fault wins. Returns false, for the caller's convenience. */
static inline bool
vstate_vq_break(struct vstate_vq *vq, enum vstate_fault fault)
{
	if (vq->fault == VSTATE_FAULT_NONE)
		vq->fault = fault;
	return false;
}

/**
 * Whether the driver made nothing available since the device looked last. The caller holds
 * the lease. Cheap, and only a hint: the ring code checks what it takes.
 */
static __rte_always_inline bool
vstate_vq_is_empty(const struct vstate_vq *vq)
{
	return (__atomic_load_n(vq->look_at, __ATOMIC_RELAXED) & vq->look_mask) == vq->look_value;
}

/** Make a queue that is all zero one that nobody has set up yet. */
void vstate_vq_init(struct vstate_vq *vq, uint16_t qid);
/** Nothing is known of the driver, and no burst is under way; positions are the caller's. */
void vstate_vq_restart(struct vstate_vq *vq);
/** The position of the queue is kept by nobody but the queue itself. */
void vstate_vq_detach(struct vstate_vq *vq);

/** Write the call eventfd; never blocks for long, never fails visibly. */
void vstate_vq_call(struct vstate_vq *vq);

/** Call by a duplicate of @p fd from now on; by none if -1. No poll thread is inside. */
void vstate_vq_callfd_set(struct vstate_vq *vq, int fd);

/** Note in the dirty log, if there is one, that the device wrote guest memory. */
static __rte_always_inline void
vstate_vq_dirty(struct vstate_vq *vq, uint64_t gpa, uint64_t len)
{
	if (unlikely(vq->dirty.base != NULL))
		vstate_dirty_mark(&vq->dirty, gpa, len);
}

#endif /* VSTATE_VQ_H */
