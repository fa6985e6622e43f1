/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_RING_H
#define BENCH_RING_H

/**
 * @file
 * A fast driver of a virtqueue for the benchmark. The guest's ordinary driver (guest_split.c,
 * guest_packed.c) needs more cycles than a device. This one relies on three things: all buffers
 * have the same size, fixed places, and come back in order. It checks each used buffer and counts
 * errors.
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
/** Bytes that the guest writes for each frame. */
#define BENCH_HEAD 64u
/** Pieces of a frame behind an indirect descriptor: header, frame. */
#define BENCH_TABLE_LEN 2u
/** Offsets of number and mark in a frame. */
#define BENCH_SEQ_OFF 14u
#define BENCH_MARK_OFF 22u
#define BENCH_MARK 0x62656e63u

/** Bits of a packed descriptor. */
#define BENCH_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define BENCH_USED (1u << VRING_PACKED_DESC_F_USED)

struct bench_vq {
	bool packed, in_order, rx, indirect, mergeable;
	/** Another program creates the received frames: check only their length. */
	bool foreign;
	uint16_t size;
	/** Descriptors of each slot in the ring, and bytes of each descriptor. */
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

	/** Next descriptor to make available, and next used one; split: entries, free running. */
	uint16_t avail, used;
	bool avail_wrap, used_wrap;
	/** Next slot to make available, and next slot that comes back. */
	uint16_t next, oldest;
	/** Slots that the device does not own. */
	uint16_t nb_free;

	/** Frames that were sent (transmit queue) or received. */
	uint64_t frames;
	/** Transmit queues: frames that the device has used. */
	uint64_t done;
	/** Transmit: number of the next frame. Receive: lowest valid number of the next frame. */
	uint64_t seq;
	uint64_t errors;
	/** An incomplete frame: missing buffers, bytes so far. */
	uint16_t part_left;
	uint32_t part_len;
};

/** Write the first BENCH_HEAD bytes of a frame. */
void bench_frame_head(uint8_t *frame, uint64_t seq);
/** True if the frame has the mark of the benchmark. @param seq written: its number */
bool bench_frame_ours(const uint8_t *frame, uint64_t *seq);

/** Initialise a ring whose areas are zero. All slots are free. */
void bench_vq_init(struct bench_vq *q);
/** Transmit: make up to @p n frames available. @return frames */
uint32_t bench_vq_send(struct bench_vq *q, uint32_t n);
/** Receive: make all free slots available. */
void bench_vq_post(struct bench_vq *q);
/** Transmit: take back used buffers. @return frames */
uint32_t bench_vq_reap(struct bench_vq *q);
/** Receive: take back used buffers and check the frames. @return frames */
uint32_t bench_vq_receive(struct bench_vq *q);

#endif /* BENCH_RING_H */
