/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_USED_H
#define VSTATE_USED_H

/** @file A used buffer, as it waits in the shadow of a queue. */

#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_common.h>

#include "vstate_compat.h"

/** A buffer that is to be published as used. */
struct vstate_used {
	/**
	 * Bytes that the device wrote. Until a burst is given back, net's bursts keep here why a
	 * frame is dropped, or 0.
	 */
	uint32_t len;
	/** Split: head of the chain. Packed: buffer ID. */
	uint16_t id;
	/** Descriptors of the chain in the ring; split: 1. */
	uint16_t num;
};

/** A used buffer as one word, to be read and written at once: len, id, num from bit 0 up. */
static vstate_inline uint64_t
vstate_used_word(const struct vstate_used *u)
{
#if RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN
	uint64_t word;

	RTE_BUILD_BUG_ON(sizeof(*u) != sizeof(word));
	memcpy(&word, u, sizeof(word));
	return word;
#else
	return u->len | (uint64_t)u->id << 32 | (uint64_t)u->num << 48;
#endif
}

static vstate_inline void
vstate_used_set(struct vstate_used *u, uint64_t word)
{
#if RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN
	memcpy(u, &word, sizeof(word));
#else
	*u = (struct vstate_used){ .len = word, .id = word >> 32, .num = word >> 48 };
#endif
}

#endif /* VSTATE_USED_H */
