/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_RING_H
#define GUEST_RING_H

/**
 * @file
 * A virtqueue as the driver sees it, and the operations that the split and the packed driver have
 * in common. Traffic is written once for both.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

#include "guest_mem.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "virtio is little-endian; the guest accesses rings without conversion"
#endif

/** Most descriptors of one buffer, in the ring or in an indirect table. */
#define GUEST_MAX_SEGS 64

/** One piece of a buffer. */
struct guest_seg {
	uint64_t gpa;
	uint32_t len;
	/** The device may write it. */
	bool write;
};

/** A buffer that the device owns. Indexed by split head or packed buffer ID. */
struct guest_ring_buf {
	uint32_t cookie;
	/** Device-writable bytes. */
	uint32_t room;
	/** Descriptors in the ring; 0: the driver owns the buffer. */
	uint16_t descs;
};

struct guest_ring_ops;

struct guest_ring {
	const struct guest_ring_ops *ops;
	const struct guest_mem *mem;
	uint16_t size;
	bool event_idx, in_order, indirect;
	/** Draw descriptors and buffer IDs at random where VIRTIO permits it. */
	bool shuffle;
	uint64_t desc_gpa, driver_gpa, device_gpa;
	void *desc, *driver, *device;
	/** Indirect tables, one for each buffer, of table_len entries; 0: none. */
	uint64_t tables_gpa;
	uint16_t table_len;

	/** Free descriptors (packed: also free buffer IDs). */
	uint16_t nb_free;
	uint16_t *free_ids;
	struct guest_ring_buf *bufs;
	/** Split: next descriptor of a chain; a private copy that the device cannot change. */
	uint16_t *links;
	/** Split, IN_ORDER: next descriptor to use. */
	uint16_t next_desc;
	/** Buffers in the order made available, for IN_ORDER. */
	uint16_t *order;
	uint16_t order_head, order_tail, order_count;
	/** IN_ORDER batch: the last buffer of the batch, which the device reported. */
	uint16_t batch_last;
	uint32_t batch_len;
	bool batch;
	/** Next entry to make available; split: free running. */
	uint16_t avail;
	/** Next used entry to read; split: free running. */
	uint16_t used;
	bool avail_wrap, used_wrap;
	/** Entries (packed: descriptors) made available since the last publish(). */
	uint16_t pending;
	/** Cookies of the buffers that the device must use next, in order; see guest_hold.c. */
	uint32_t *expect;
	uint16_t nb_expect, expect_at;
	/** A used buffer may have been taken and not yet compared with the expected one. */
	bool taking;
	/** The driver asked for calls. */
	bool calls;
	uint64_t rnd;
};

struct guest_ring_ops {
	/** Bytes of the descriptor, driver and device areas. */
	void (*bytes)(uint16_t size, uint64_t *desc, uint64_t *driver, uint64_t *device);
	/** Make the ring empty, as after a reset. */
	void (*reset)(struct guest_ring *r);
	/**
	 * Add a buffer. The device sees it with publish() at the latest.
	 * @return 0; -ENOSPC if too few descriptors are free
	 */
	int (*add)(struct guest_ring *r, const struct guest_seg *segs, uint16_t nb, uint32_t cookie,
			bool indirect);
	/** Make all added buffers visible. @return true if the device wants a kick */
	bool (*publish)(struct guest_ring *r);
	/**
	 * Take back one used buffer.
	 * @param len written: bytes that the device says it wrote
	 * @return 1; 0 if there is none; -EBADMSG if the device used a buffer that it did not own
	 *   (skipped); -EIO if it did so and the ring is broken
	 */
	int (*take)(struct guest_ring *r, uint32_t *cookie, uint32_t *len);
	/** True if take() would not return 0. */
	bool (*used_ready)(const struct guest_ring *r);
	/** Ask for calls or for none. @return false if used buffers wait already */
	bool (*calls)(struct guest_ring *r, bool on);
};

/** Allocate the driver's own memory for a ring of r->size. */
int guest_ring_alloc(struct guest_ring *r);
void guest_ring_free(struct guest_ring *r);
/** Look up the areas in memory and reset the ring. */
void guest_ring_reset(struct guest_ring *r);

/* ---- for the split and the packed driver ---- */

/** Allocate a free descriptor or ID. */
uint16_t guest_ring_id_get(struct guest_ring *r);
void guest_ring_id_put(struct guest_ring *r, uint16_t id);
/** Record a buffer that is given to the device. */
void guest_ring_buf_add(struct guest_ring *r, uint16_t id, const struct guest_seg *segs,
		uint16_t nb, uint16_t descs, uint32_t cookie);
/** Start an IN_ORDER batch that ends with @p id. @return false if the device does not own it */
bool guest_ring_batch_start(struct guest_ring *r, uint16_t id, uint32_t len);
/** Next buffer of the batch, with the length that the device wrote to it. */
uint16_t guest_ring_batch_next(struct guest_ring *r, uint32_t *len);
/** GPA of the indirect table of buffer @p id. */
uint64_t guest_ring_table(const struct guest_ring *r, uint16_t id);
/** True if entry @p event is one of the last @p pending entries before @p now, modulo @p cycle. */
static inline bool
guest_ring_event_passed(uint32_t event, uint32_t now, uint32_t pending, uint32_t cycle)
{
	uint32_t from = (now + cycle - pending) % cycle;

	return (event + cycle - from) % cycle < pending;
}
/** A pseudo-random number below @p below, for layouts. */
uint32_t guest_rnd(uint64_t *state, uint32_t below);

#endif /* GUEST_RING_H */
