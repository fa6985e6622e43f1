/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_RING_H
#define UT_RING_H

/**
 * @file
 * A small virtio driver for one virtqueue of either layout, written from the standard and
 * not from the device, and the device's end of the same virtqueue.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

#include "ut_guest.h"
#include "net/vstate_net_vq.h"

/** Where things lie in the guest. Each ring area is a region of exactly its size. */
#define RING_DESC_GPA 0x100000
#define RING_DRIVER_GPA 0x200000
#define RING_DEVICE_GPA 0x400000
/** Buffers: two regions that touch for the guest, and for nobody else. */
#define RING_BUF_GPA 0x800000
#define RING_BUF_SIZE 0x20000
#define RING_BUF_BORDER (RING_BUF_GPA + RING_BUF_SIZE)
#define RING_BUF_END (RING_BUF_BORDER + RING_BUF_SIZE)
/** Indirect tables, by default. */
#define RING_TABLE_GPA 0x900000
#define RING_TABLE_SIZE 0x100000
/** Bytes of a dirty log for all of it. */
#define RING_LOG_SIZE (0x1000000 / 4096 / 8)

#define RING_HDR 12
/** Mbufs of the pool that all tests share; each holds 256 bytes. */
#define RING_POOL_MBUFS 2047

struct vstate_ring_setup;

struct piece {
	uint64_t gpa;
	uint32_t len;
};

struct ring {
	struct guest guest;
	/** The queue, and its ring. */
	struct vstate_net_vq *nq;
	struct vstate_vq *vq;
	struct rte_mempool *pool;
	unsigned int mbufs_before;
	bool packed;
	uint16_t size;
	int callfd;
	/** The driver's own positions. Split: wraps are 0, indices run freely. */
	struct vstate_pos next, used;
	/** Split: descriptor from which a free one is looked for. */
	uint16_t free_desc;
	/** Split: descriptors that are not free. Packed: buffer IDs. */
	bool *busy;
	/** Split: the next descriptor of the chain of each; @p size behind the last. */
	uint16_t *next_of;
	/**
	 * Packed: length of the chain with buffer ID i, which is its first position if that is
	 * free.
	 */
	uint16_t *num_of;
	/** Where the next indirect table is put. */
	uint64_t table;
};

/** A queue of @p size with VERSION_1, MRG_RXBUF and INDIRECT_DESC, at its first position. */
void ring_open(struct ring *r, bool packed, uint16_t size);
void ring_close(struct ring *r);

/** Describe the ring as a front end does that hands it over; neither ready nor with a base. */
void ring_describe(const struct ring *r, struct vstate_ring_setup *s);

/** Begin anew at a position, as if all before it had been used. */
void ring_seek(struct ring *r, uint16_t idx, uint8_t wrap);

/** Write a descriptor of a table in the layout's order of fields. */
void ring_desc_write(struct ring *r, uint64_t gpa, uint64_t addr, uint32_t len, uint16_t flags,
		uint16_t link);

/** Make a buffer of @p n descriptors available. @return its ID */
uint16_t ring_add(struct ring *r, const struct piece *p, uint16_t n, bool writable);
/** The same of a buffer whose first @p nb_readable descriptors are readable, the rest writable. */
uint16_t ring_add_mixed(struct ring *r, const struct piece *p, uint16_t nb_readable, uint16_t n);
/**
 * Make @p n buffers of up to three descriptors available, each at a place of its own: lens[i]
 * descriptors in buffer i, whose ID comes to ids[i].
 */
void ring_add_buffers(struct ring *r, const uint16_t *lens, uint16_t n, bool writable,
		uint16_t *ids);
/** As ring_add(), by way of an indirect table at @p r->table. */
uint16_t ring_add_indirect(struct ring *r, const struct piece *p, uint16_t n, bool writable);
/** The same of a buffer of two parts. */
uint16_t ring_add_mixed_indirect(struct ring *r, const struct piece *p, uint16_t nb_readable,
		uint16_t n);
/** Make one ring descriptor available as it is, whatever it says. */
uint16_t ring_add_raw(struct ring *r, uint64_t addr, uint32_t len, uint16_t flags, uint16_t link);

/** Take the next used buffer. False: there is none. */
bool ring_get_used(struct ring *r, uint16_t *id, uint32_t *len);

/**
 * Take all that is used now, which must be the first of the @p n buffers @p ids, in their order.
 * @return how many, and their lengths in @p len
 */
uint16_t ring_get_used_in_order(struct ring *r, const uint16_t *ids, uint16_t n, uint32_t *len);

/** Put frames as a port does, which looks at them first. */
uint16_t vq_put(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n);

/** Each build of the ring code that this processor can run. @return how many */
unsigned int vq_builds(bool packed, const struct vstate_net_ops *ops[3]);

/** Calls since the last time it was asked, as the eventfd tells. */
uint64_t ring_calls(struct ring *r);

/** Mbufs that have left the pool since ring_open(). */
unsigned int ring_mbufs_out(const struct ring *r);

#endif /* UT_RING_H */
