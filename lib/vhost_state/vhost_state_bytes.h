/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_BYTES_H
#define VHOST_STATE_BYTES_H

/**
 * @file
 * Access to little-endian values at any address, on hosts of any byte order.
 */

#include <stddef.h>
#include <stdint.h>

/** Write the low @p bytes bytes (1 .. 8) of @p value to @p p. */
static inline void
vhost_state_put_le(uint8_t *p, uint64_t value, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

/** Return the value of @p bytes bytes (1 .. 8) at @p p. */
static inline uint64_t
vhost_state_get_le(const uint8_t *p, unsigned int bytes)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < bytes; i++)
		value |= (uint64_t)p[i] << (8 * i);
	return value;
}

static inline uint16_t
vhost_state_get_le16(const uint8_t *p)
{
	return (uint16_t)vhost_state_get_le(p, 2);
}

static inline uint32_t
vhost_state_get_le32(const uint8_t *p)
{
	return (uint32_t)vhost_state_get_le(p, 4);
}

static inline uint64_t
vhost_state_get_le64(const uint8_t *p)
{
	return vhost_state_get_le(p, 8);
}

/** Return the offset of the first byte that is not zero, or @p len if all bytes are zero. */
static inline size_t
vhost_state_zero_prefix(const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len && p[i] == 0; i++)
		;
	return i;
}

#endif /* VHOST_STATE_BYTES_H */
