/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_RING_H
#define BENCH_RING_H

/**
 * @file
 * A lean driver of a virtqueue for the benchmark. The guest's checking driver (guest_split.c,
 * guest_packed.c) costs more than a device; this one knows that buffers all are alike, have fixed
 * places and come back in the order they went. It believes nothing else: what comes back is
 * checked, and counted in errors if it is wrong.
 *
 * Buffers (slots) are numbered. A slot's descriptors lie at slot * descs in a split ring, and its
 * number is its buffer ID in a packed one.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

#include <rte_common.h>

/** Bytes of the virtio header. */
#define BENCH_HDR 12u
/** Bytes of a frame that the guest writes anew each time. */
#define BENCH_HEAD 64u
/** Pieces of a frame behind an indirect descriptor: header, frame. */
#define BENCH_TABLE_LEN 2u
/** Where a frame has its number and its mark. */
#define BENCH_SEQ_OFF 14u
#define BENCH_MARK_OFF 22u
#define BENCH_MARK 0x62656e63u

/** Bits of a packed descriptor. */
#define BENCH_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define BENCH_USED (1u << VRING_PACKED_DESC_F_USED)

struct bench_vq {
	bool packed, in_order, rx, indirect, mergeable;
	/** What is received was made by another: only its length is checked. */
	bool foreign;
	uint16_t size;
	/** Descriptors in the ring of each slot, and bytes of each of them. */
	uint16_t descs;
	uint32_t desc_len;
	uint16_t slots;
	/** Bytes of a frame with its virtio header. */
	uint32_t frame_len;
	void *desc, *driver, *device;
	/** Buffers: slot i lies at i * stride. */
	uint64_t buf_gpa;
	uint8_t *buf;
	uint32_t stride;
	/** Indirect tables, one for each slot. */
	uint64_t table_gpa;
	struct vring_desc *table;

	/** Next descriptor to make available and to be used; split: entry, free running. */
	uint16_t avail, used;
	bool avail_wrap, used_wrap;
	/** The next slots to hand out and to come back. */
	uint16_t next, oldest;
	/** Slots that the device does not have. */
	uint16_t nb_free;

	/** Frames handed over or received so far. */
	uint64_t frames;
	/** Frames that the device is done with (transmit queues). */
	uint64_t done;
	/** Number of the next frame sent; at least that of the next one received. */
	uint64_t seq;
	uint64_t errors;
	/** A frame of which not all buffers have come: buffers to come, bytes so far. */
	uint16_t part_left;
	uint32_t part_len;
};

/** Write what the guest writes of a frame each time: BENCH_HEAD bytes. */
void bench_frame_head(uint8_t *frame, uint64_t seq);
/** True if a frame is one of ours; @p seq written. */
bool bench_frame_ours(const uint8_t *frame, uint64_t *seq);

/** Prepare a ring whose areas are zero, with all slots free, and write what never changes. */
void bench_vq_init(struct bench_vq *q);
/** Transmit: make up to @p n frames available. @return how many */
uint32_t bench_vq_send(struct bench_vq *q, uint32_t n);
/** Receive: make all free slots available. */
void bench_vq_post(struct bench_vq *q);
/** Transmit: take back what the device is done with. @return frames */
uint32_t bench_vq_reap(struct bench_vq *q);
/** Receive: take frames and check them. @return frames */
uint32_t bench_vq_receive(struct bench_vq *q);

#endif /* BENCH_RING_H */
