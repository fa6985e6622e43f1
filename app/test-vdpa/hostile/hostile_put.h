/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_PUT_H
#define HOSTILE_PUT_H

/**
 * @file
 * How attacks get into a ring.
 */

#include <stdint.h>

struct guest_ring;
struct hostile_env;

/** One descriptor, exactly as it is written to memory. */
struct hostile_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	/** Split: next; packed: ID. */
	uint16_t next;
};

/**
 * Write descriptors to a split ring, beginning with number @p *base, and their head to the
 * available ring. Their next is relative to the first. The device sees them with publish().
 * @param base  written: the descriptor behind them
 */
void hostile_put_split(struct guest_ring *r, uint16_t *base, const struct hostile_desc *d,
		uint16_t nb);
/**
 * Write descriptors to a packed ring, but for the flags of the first one.
 * @return these flags: stored, they make the buffer available
 */
uint16_t hostile_put_packed(struct guest_ring *r, const struct hostile_desc *d, uint16_t nb);
/** Write descriptors at the available position of @p vq. Split: next is relative to the first. */
void hostile_put(struct hostile_env *e, uint16_t vq, const struct hostile_desc *d, uint16_t nb);
/** Make available what hostile_put() wrote (packed: it is available already), and kick. */
void hostile_publish(struct hostile_env *e, uint16_t vq);
/**
 * Record the memory of pair 0, for the check after the attack. Later calls record what the guest
 * itself has written to its rings since then.
 */
void hostile_snapshot(struct hostile_env *e);

#endif /* HOSTILE_PUT_H */
