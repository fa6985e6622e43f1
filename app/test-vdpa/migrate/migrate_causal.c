/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * One frame circulates through all queue pairs: it is sent on pair 0 and received there, then sent
 * on pair 1 and received there, and so on, then again on pair 0. The used indices of a captured
 * state count these events. In the order of events, each ring has as many events as the previous
 * one, or one less. Only one ring may have one less: there the frame was when the device stopped. A
 * ring that is ahead of the previous one shows an effect without its cause.
 */

#include <stdint.h>
#include <stdio.h>

#include <rte_vhost_state.h>

#include "migrate_causal.h"

/* Number of used buffers, modulo the range of the index. */
static uint32_t
used_count(const struct rte_vhost_state_vq *vq, bool packed)
{
	if (!packed)
		return vq->used_idx;
	/* Wrap counters start with 1. */
	return vq->used_idx + (vq->used_wrap ? 0 : vq->size);
}

static int32_t
used_ahead(const struct rte_vhost_state_vq *a, const struct rte_vhost_state_vq *b, bool packed)
{
	uint32_t range = packed ? 2u * a->size : 65536;
	uint32_t diff = (used_count(a, packed) + range - used_count(b, packed)) % range;

	return diff < range / 2 ? (int32_t)diff : (int32_t)diff - (int32_t)range;
}

bool
migrate_causal_holds(const struct rte_vhost_state *st, char *why, size_t size)
{
	const bool packed = rte_vhost_state_is_packed(st);
	unsigned int behind = 0;
	uint16_t i, last, vq;
	int32_t ahead;

	/* Events of a pair: the device uses its transmit buffer, then a receive buffer. */
	for (i = 1; i < st->nb_vqs; i++) {
		vq = i ^ 1;
		last = (i - 1) ^ 1;
		ahead = used_ahead(&st->vqs[vq], &st->vqs[last], packed);
		if (ahead > 0 || ahead < -1) {
			snprintf(why, size, "virtqueue %u is %d frames ahead of virtqueue %u, on "
				"which its frames depend", vq, (int)ahead, last);
			return false;
		}
		behind -= ahead;
	}
	if (behind <= 1)
		return true;
	snprintf(why, size, "%u frames are on their way, only 1 was sent", behind);
	return false;
}
