/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_FRAME_H
#define UT_FRAME_H

/**
 * @file
 * TCP and UDP frames for tests of offloads, made from the RFCs and not from the device.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_net.h>

#include "ut_ring.h"

/** Offsets of the headers. */
#define FRAME_L3 14
#define FRAME_L4_V4 34
#define FRAME_L4_V6 54
/** Bytes behind the headers; odd on purpose. */
#define FRAME_DATA 33

struct frame {
	bool v6, tcp;
	/** Offset of the L4 header, length, and offset of the checksum. */
	uint16_t l4, len, field;
	uint8_t bytes[160];
};

void frame_be16_write(uint8_t *p, uint16_t v);
/** One's complement sum, as RFC 1071 says it, byte by byte. */
uint32_t frame_sum_add(uint32_t sum, const uint8_t *p, uint32_t len);
uint16_t frame_sum_fold(uint32_t sum);
uint16_t frame_pseudo_sum(const struct frame *f, uint16_t l4_len);

/** A frame whose checksum field is what a driver leaves: the pseudo header's sum. */
void frame_make(struct frame *f, bool v6, bool tcp);
/** The checksum that a receiver accepts. */
uint16_t frame_checksum(const struct frame *f);
/** In two mbufs if @p split is not 0. */
struct rte_mbuf *frame_mbuf(struct ring *r, const struct frame *f, uint16_t split);
/** The checksum field of a frame in an mbuf. */
uint16_t frame_field(const struct rte_mbuf *m, const struct frame *f);
/** The header with which a driver sends the frame. */
struct virtio_net_hdr_mrg_rxbuf frame_partial_header(const struct frame *f);

/** A queue with checksum and TCP segmentation offloads in both directions, and LRO at the port. */
void ring_open_offloads(struct ring *r);

#endif /* UT_FRAME_H */
