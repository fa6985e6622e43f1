/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_VQ_H
#define VSTATE_VQ_H

/**
 * @file
 * A virtqueue of any device class: the fields with which a poll thread processes its buffers, and
 * the fields of the control side. A class has it as the first member of a structure of its own.
 *
 * All fields but the lease belong to the poll thread while it is inside, and otherwise to the
 * thread that holds the control lock.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

#include <rte_common.h>

#include "vstate_compat.h"
#include "vstate_dirty.h"
#include "vstate_fault.h"
#include "vstate_inflight.h"
#include "vstate_inflight_layout.h"
#include "vstate_lease.h"
#include "vstate_mem.h"
#include "vstate_pos.h"
#include "vstate_used.h"

/** Most buffers that are processed under one lease. */
#define VSTATE_BURST 64
/** Most used buffers before a publication, and most buffers of one frame. */
#define VSTATE_SHADOW 1024
/**
 * Limit of descriptors behind the first one of each chain. Above it a burst ends, and a frame to
 * the driver is dropped. No driver needs as many, and a poll thread has other queues to serve.
 */
#define VSTATE_STEPS 16384

/** Counters of the ring. Written by the poll thread, read by any thread. */
struct vstate_vq_counters {
	/** Number of calls made, and of calls that the driver did not want. */
	uint64_t calls, calls_suppressed;
};

/** What the watch thread keeps to free a thread that a call blocks; see vstate_call.c. */
struct vstate_call_watch {
	/** Guards the file behind callfd while the watch thread uses it. */
	pthread_mutex_t lock;
	/** call_turn at the last look. */
	uint32_t turn;
	/** The front end made a call block, and gets no more calls. Any thread. */
	bool banned;
};

struct vstate_marks;

struct __rte_cache_aligned vstate_vq {
	/* -- first cache line: all that a poll of an empty queue reads, and the positions -- */
	struct vstate_lease lease;
	/**
	 * The word that changes with the next available buffer, for vstate_vq_is_empty(): the
	 * queue is empty while (*look_at & look_mask) == look_value. Set by the ring code.
	 */
	uint16_t look_mask, look_value;
	const uint16_t *look_at;
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
	/** Entries of the ring. */
	uint16_t size;
	/** Used index at the last call, for the event index; see signalled_valid. */
	uint16_t signalled_used;
	/**
	 * Next entry to dequeue, and next entry to publish. While the lease is free, the entries
	 * between them are those of buffers left in @p inflight, or of submitted requests.
	 */
	struct vstate_pos avail, used;
	bool signalled_valid;
	/** VIRTIO_F_RING_PACKED, VIRTIO_RING_F_EVENT_IDX, VIRTIO_RING_F_INDIRECT_DESC. */
	bool is_packed, event_idx, indirect;

	/* -- second cache line -- */
	/** Record of the positions for the next process; never NULL. */
	union vstate_inflight_head *inflight_head;
	/** Buffers of another device, to be completed first; NULL once all are completed. */
	struct vstate_inflight *inflight;
	const struct vstate_mem *mem;
	struct vstate_window win;
	enum vstate_fault fault;
	uint16_t nb_shadow;
	/** Descriptors that the burst has walked behind the first of each chain. */
	uint32_t nb_steps;
	/** A duplicate, as the front end may replace its eventfd at any time. -1: none. */
	int callfd;
	/** Odd while a thread writes @p callfd. */
	uint32_t call_turn;

	struct vstate_vq_counters counters;
	/** Guest physical address of the used ring (split) or descriptor ring (packed). */
	uint64_t used_gpa;
	/** Guest physical address of the device event area (packed). */
	uint64_t event_gpa;
	struct vstate_dirty dirty;
	/** @p inflight_head points to it if no other process reads the record. */
	union vstate_inflight_head own_head;

	/* -- control -- */
	uint16_t qid;
	/** Reasons of the device that do not hold for this queue. Set before the ring is set up. */
	uint16_t exempt;
	/** Reasons of this queue not to be granted, as bits that the device defines. 0: none. */
	uint32_t block;
	/** Number of resets of the device when the queue was set up last. */
	uint64_t setup_resets;
	/** A duplicate of the driver's eventfd for kicks, and its watcher. -1: none. */
	int kickfd, kick_epfd;
	/** A call that a suspended device owes. */
	bool call_due;
	/** The front end took the ring back on this connection: the positions are those of then. */
	bool taken_back;
	struct vstate_call_watch call_watch;
	/** Guest physical addresses of the three areas, for capture. */
	uint64_t desc_addr, driver_addr, device_addr;
	/** The list of @p inflight, for the control side to free. A poll thread frees nothing. */
	struct vstate_inflight *inflight_own;
	/** Requests in flight, of a class that has requests; else NULL. See vstate_marks.h. */
	struct vstate_marks *marks;

	/* -- last because it is large -- */
	struct vstate_used shadow[VSTATE_SHADOW];
};

/** Mark a queue as broken. The first fault stays. Always returns false. */
static inline bool
vstate_vq_break(struct vstate_vq *vq, enum vstate_fault fault)
{
	if (vq->fault == VSTATE_FAULT_NONE)
		rte_atomic_store_explicit(&vq->fault, fault, rte_memory_order_relaxed);
	return false;
}

/** Read the fault while a poll thread may be inside. Any thread. */
static inline enum vstate_fault
vstate_vq_fault(const struct vstate_vq *vq)
{
	return rte_atomic_load_explicit(&vq->fault, rte_memory_order_relaxed);
}

/**
 * Whether the driver made nothing available since the last look. The caller holds the lease.
 * Cheap, and only a hint: the ring code checks each buffer that it dequeues.
 */
static vstate_inline bool
vstate_vq_is_empty(const struct vstate_vq *vq)
{
	return (rte_atomic_load_explicit(vq->look_at,
			rte_memory_order_relaxed) & vq->look_mask) == vq->look_value;
}

/** Initialize a queue that is all zero. It is not set up then. */
void vstate_vq_init(struct vstate_vq *vq, uint16_t qid);
/** Reset call state, fault and shadow of a quiesced queue. The caller sets the positions. */
void vstate_vq_restart(struct vstate_vq *vq);
/** Record the positions in the queue itself, where no other process reads them. */
void vstate_vq_detach(struct vstate_vq *vq);

/** Mark guest memory as written in the dirty log, if there is a log. */
static vstate_inline void
vstate_vq_dirty(struct vstate_vq *vq, uint64_t gpa, uint64_t len)
{
	if (unlikely(vq->dirty.base != NULL))
		vstate_dirty_mark(&vq->dirty, gpa, len);
}

#endif /* VSTATE_VQ_H */
