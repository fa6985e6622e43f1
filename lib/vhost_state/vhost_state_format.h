/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_FORMAT_H
#define VHOST_STATE_FORMAT_H

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
 * Part: a header of 16 bytes (VIRTIO 1.4 "Device parts"), then its value:
 *
 *   0  le16 part_type
 *   2  u8   flags         bit 0 OPTIONAL: a reader that does not know the type skips the part
 *   3  u8   reserved      0
 *   4  u8   selector[8]   part of a virtqueue: le16 index, u8 reserved[6]; part of a control
 *                         command: u8 class, u8 command, u8 reserved[6]; other parts: 0
 *  12  le32 length        of the value
 *
 * Parts are in ascending order of type. Parts of one type are in ascending order of virtqueue, or
 * of class and command. No part occurs twice.
 *
 * VIRTIO 1.4 defines part types up to 0x2ff and reserves those from 0x600. This library has its
 * own from 0xf000. Types 0xf001 .. 0xf00f are parts of every class (vhost_state_common.c). A class
 * that comes after net takes its types from 0xf010; vhost_state_lib.rst lists all types.
 *
 * The header has a checksum of its own. A reader of a stream can therefore trust total_length
 * before it has read the parts. Magic and version come first and never move. A reader recognises
 * a newer version by them before it looks for a checksum.
 */

#include "rte_vhost_state.h"

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

/** One entry of the in-flight part, in bytes. */
#define VHOST_STATE_INFLIGHT_SIZE	16
/** One entry of the part with the descriptors of these buffers, in bytes. */
#define VHOST_STATE_INFLIGHT_DESC_SIZE	16

/**
 * Longest state that is read, in bytes. All virtqueues are full of buffers in flight, each of one
 * descriptor. 1 MiB more is for parts of a class and for optional parts of a later writer.
 */
#define VHOST_STATE_MAX_SIZE ((uint32_t)(RTE_VHOST_STATE_MAX_VQ * \
		(RTE_VHOST_STATE_MAX_VQ_SIZE * (VHOST_STATE_INFLIGHT_SIZE + \
		VHOST_STATE_INFLIGHT_DESC_SIZE) + 256) + (1 << 20)))

#endif /* VHOST_STATE_FORMAT_H */
