/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_CRC_H
#define VHOST_STATE_CRC_H

/**
 * @file
 * The checksum of the byte format.
 */

#include <stddef.h>
#include <stdint.h>

/**
 * Compute the CRC-32 of IEEE 802.3, as zlib does.
 *
 * @param crc
 *   0 for the first bytes, then the result for all bytes so far.
 * @return
 *   The checksum of all bytes so far.
 */
uint32_t vhost_state_crc32(uint32_t crc, const void *buf, size_t len);

#endif /* VHOST_STATE_CRC_H */
