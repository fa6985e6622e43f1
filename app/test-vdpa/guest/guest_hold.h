/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_HOLD_H
#define GUEST_HOLD_H

/**
 * @file
 * Buffers in flight: what a device does between the dequeue and the use of a buffer. These
 * functions do it to the rings of a stopped device, so that the next device finds buffers in
 * flight.
 */

#include <stdbool.h>
#include <stdint.h>

struct guest;

/** A position in a ring. Split: free running, without wrap counter. */
struct guest_pos {
	uint16_t idx;
	bool wrap;
};

/** A buffer that was dequeued and not used. */
struct guest_held {
	/** Split: head descriptor. Packed: ring position of the first descriptor. */
	uint16_t head;
	/** Split: head. Packed: buffer ID. */
	uint16_t id;
	/** Descriptors in the ring; split: 1. */
	uint16_t num;
};

/** A descriptor of a packed ring, without the AVAIL and USED flags. */
struct guest_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t id, flags;
};

/** Longest frame, virtio header included, that guest_hold_fill_frame() can copy. */
#define GUEST_HOLD_FRAME_MAX 2048

/**
 * Dequeue the next buffer of virtqueue @p vq.
 * @param avail position to read; moved past the buffer
 * @return false if no buffer is available
 */
bool guest_hold_take(struct guest *g, uint16_t vq, struct guest_pos *avail,
		struct guest_held *held);
/** Read descriptor @p n of a buffer that was just dequeued from a packed ring. */
void guest_hold_desc(struct guest *g, uint16_t vq, const struct guest_held *held, uint16_t n,
		struct guest_desc *desc);
/**
 * Fill a receive buffer with a copy of frame @p sent, which the guest sent on virtqueue @p vq + 1.
 * @return the length, or 0 if the copy is not possible
 */
uint32_t guest_hold_fill_frame(struct guest *g, uint16_t vq, const struct guest_held *held,
		const struct guest_held *sent);
/** Fill a receive buffer with a frame that the guest does not count. @return length, or 0 */
uint32_t guest_hold_fill_foreign(struct guest *g, uint16_t vq, const struct guest_held *held);
/**
 * Use a buffer of which @p len bytes were written.
 * @param used position to write; moved past the buffer
 */
void guest_hold_use(struct guest *g, uint16_t vq, struct guest_pos *used,
		const struct guest_held *held, uint32_t len);
/**
 * Position up to which a stopped device has used virtqueue @p vq.
 * @param base the device's answer to GET_VRING_BASE
 * @param descs descriptors (split: buffers) that the device holds before that position
 */
struct guest_pos guest_hold_used(struct guest *g, uint16_t vq, uint32_t base, uint32_t descs);
/** Wait until the driver has taken back all buffers before @p used. @return 0, -ETIMEDOUT */
int guest_hold_await(struct guest *g, uint16_t vq, const struct guest_pos *used, int timeout_ms);
/**
 * Expect that the next device uses these @p nb buffers first, in this order. The guest counts any
 * other buffer as corrupted.
 * @param used position of the stopped device; first the driver must take back all before it
 * @return 0, -ETIMEDOUT
 */
int guest_hold_expect(struct guest *g, uint16_t vq, const struct guest_pos *used,
		const struct guest_held *held, uint16_t nb, int timeout_ms);
/** Number of expected buffers that are not used yet. */
uint16_t guest_hold_left(struct guest *g, uint16_t vq);
/** Expect no particular buffers any more. */
void guest_hold_forget(struct guest *g, uint16_t vq);

#endif /* GUEST_HOLD_H */
