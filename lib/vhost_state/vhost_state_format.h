/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_PARTS_H
#define VHOST_STATE_PARTS_H

/**
 * @file
 * The bytes of a state: a header, then device parts.
 *
 * Header, 32 bytes, all values little-endian:
 *
 *   0  u8   magic[8]      89 56 53 54 41 54 45 0a
 *   8  le16 version       1
 *  10  le16 header_length 32
 *  12  le32 total_length  header and parts
 *  16  le32 parts_crc     CRC-32 of all bytes after the header
 *  20  le16 device_id     virtio device ID
 *  22  le16 nb_vqs        1 .. 257
 *  24  le32 reserved      0
 *  28  le32 header_crc    CRC-32 of bytes 0 .. 27
 *
 * Part, a header of 16 bytes (VIRTIO 1.4 "Device parts"), then its value:
 *
 *   0  le16 part_type
 *   2  u8   flags         bit 0 OPTIONAL: a reader that does not know the type skips the part
 *   3  u8   reserved      0
 *   4  u8   selector[8]   parts of a virtqueue: le16 index, u8 reserved[6]; others: 0
 *  12  le32 length        of the value
 *
 * Parts stand in the order of their types, those of one type in the order of virtqueues, and none
 * stands twice. Types from 0xf000 are this library's own; VIRTIO 1.4 defines types to 0x2ff.
 *
 * The header has a checksum of its own so that a reader of a stream can trust total_length before
 * it has the rest. Magic and version come first and never move: they must be readable in every
 * version, and a newer one is told apart before its checksum is looked for.
 */

#include "vhost_state_private.h"

#define VHOST_STATE_HEADER_SIZE		32
#define VHOST_STATE_PART_HEADER_SIZE	16
#define VHOST_STATE_PART_F_OPTIONAL	0x01

#define VHOST_STATE_MAGIC { 0x89, 'V', 'S', 'T', 'A', 'T', 'E', '\n' }
#define VHOST_STATE_MAGIC_SIZE		8

/* Offsets in the header. */
#define VHOST_STATE_H_VERSION		8
#define VHOST_STATE_H_LENGTH		10
#define VHOST_STATE_H_TOTAL		12
#define VHOST_STATE_H_PARTS_CRC		16
#define VHOST_STATE_H_DEVICE_ID		20
#define VHOST_STATE_H_NB_VQS		22
#define VHOST_STATE_H_RESERVED		24
#define VHOST_STATE_H_CRC		28

/** One entry of the in-flight part. */
#define VHOST_STATE_INFLIGHT_SIZE	16
/** One entry of the part with their descriptors. */
#define VHOST_STATE_INFLIGHT_DESC_SIZE	16

/**
 * Longest state that is read: the largest one of this version, all virtqueues full of buffers in
 * flight, each of one descriptor, and 1 MiB for optional parts that a later writer may add.
 */
#define VHOST_STATE_MAX_SIZE ((uint32_t)(RTE_VHOST_STATE_MAX_VQ * \
		(RTE_VHOST_STATE_MAX_VQ_SIZE * (VHOST_STATE_INFLIGHT_SIZE + \
		VHOST_STATE_INFLIGHT_DESC_SIZE) + 256) + (1 << 20)))

enum vhost_state_part_type {
	VHOST_STATE_P_DEV_FEATURES	= 0x0100,
	VHOST_STATE_P_DRV_FEATURES	= 0x0101,
	VHOST_STATE_P_DEVICE_STATUS	= 0x0103,
	VHOST_STATE_P_VQ_CFG		= 0x0104,
	VHOST_STATE_P_NET		= 0xf000,
	VHOST_STATE_P_VQ_RING		= 0xf001,
	VHOST_STATE_P_VQ_INFLIGHT	= 0xf002,
	VHOST_STATE_P_VQ_STATS		= 0xf003,
	VHOST_STATE_P_VQ_INFLIGHT_DESC	= 0xf004,
};

/** A value that is read: its length has been checked against the part's rules. */
struct vhost_state_value {
	const uint8_t *p;
	uint32_t len;
	/** Where it stands in the state, for errors. */
	int64_t offset;
	/** Virtqueue, or -1. */
	int vq;
};

/** How a part is written and read. One list serves encoder and decoder. */
struct vhost_state_part {
	uint16_t type;
	/** A part for each virtqueue, not one for the device. */
	bool per_vq;
	/** Stands in every state. */
	bool always;
	/** VHOST_STATE_PART_F_OPTIONAL or 0. */
	uint8_t flags;
	/** The value is a whole number of units, 1 .. max_units. */
	uint32_t unit, max_units;
	/** Units to write; 0: the part is left out. */
	uint32_t (*units)(const struct rte_vhost_state *st, uint16_t vq);
	void (*put)(struct vhost_state_sink *sink, const struct rte_vhost_state *st, uint16_t vq);
	int (*get)(struct rte_vhost_state *st, const struct vhost_state_value *v,
			struct rte_vhost_state_error *e);
};

#define VHOST_STATE_NB_PARTS 9
/** In the order in which parts stand in a state. */
extern const struct vhost_state_part vhost_state_parts[VHOST_STATE_NB_PARTS];

#endif /* VHOST_STATE_PARTS_H */
