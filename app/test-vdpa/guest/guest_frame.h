/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_FRAME_H
#define GUEST_FRAME_H

/**
 * @file
 * Numbered frames. Length and content depend on seed, queue pair and sequence number only. A
 * received frame can therefore be compared byte by byte with the sent one, without a copy.
 *
 * Ethernet, IPv4 and UDP headers are valid, and not compared, because an echo peer may swap
 * addresses and ports. UDP payload: le16 magic, le16 pair, le64 sequence number, then the pattern
 * up to the end of the frame.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/virtio_net.h>

/** Bytes of the virtio header of a VIRTIO 1.x device. */
#define GUEST_HDR_LEN sizeof(struct virtio_net_hdr_v1)
#define GUEST_FRAME_MIN 60u
#define GUEST_FRAME_MAX 65550u
/** EtherType of frames that a back end may send by itself. They are not counted. */
#define GUEST_ETHERTYPE_RARP 0x8035u

struct guest_frame_conf {
	uint64_t seed;
	uint32_t min, max;
	/** Leave the UDP checksum to the device (VIRTIO_NET_F_CSUM). */
	bool tx_csum;
	/** The device may leave the checksum to the driver (VIRTIO_NET_F_GUEST_CSUM). */
	bool rx_csum;
	/** A frame may come back on another pair than that which sent it. */
	bool any_pair;
	/** Queue pairs of the guest, for @p any_pair. */
	uint16_t pairs;
};

/** What guest_frame_check() found. */
enum guest_frame_result {
	/** Equal to the sent frame. */
	GUEST_FRAME_OK,
	/** The number is readable; the rest differs from the sent frame. */
	GUEST_FRAME_CORRUPT,
	/** The number is not readable. */
	GUEST_FRAME_UNKNOWN,
	/** Created by the back end itself, such as RARP. */
	GUEST_FRAME_FOREIGN,
};

/** Length of frame @p seq of @p pair. */
uint32_t guest_frame_len(const struct guest_frame_conf *c, uint16_t pair, uint64_t seq);
/** Write the destination address of the frames of a pair. */
void guest_frame_to(uint16_t pair, uint8_t mac[6]);
/** Write virtio header and frame to @p buf. @return length of the frame */
uint32_t guest_frame_build(const struct guest_frame_conf *c, uint16_t pair, uint64_t seq,
		uint8_t *buf);
/**
 * Check virtio header and frame.
 * @param pair in: the pair that received it; out: the pair that sent it, as @p seq
 * @param len bytes at @p buf, header included
 * @param seq written unless GUEST_FRAME_UNKNOWN or GUEST_FRAME_FOREIGN
 * @param why written unless GUEST_FRAME_OK: the reason, as text
 */
enum guest_frame_result guest_frame_check(const struct guest_frame_conf *c, uint16_t *pair,
		const uint8_t *buf, uint32_t len, uint64_t *seq, const char **why);

#endif /* GUEST_FRAME_H */
