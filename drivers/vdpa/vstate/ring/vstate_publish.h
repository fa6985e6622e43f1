/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PUBLISH_H
#define VSTATE_PUBLISH_H

/**
 * @file
 * Used buffers: collected in the shadow, published together, and the driver called. Once for
 * both layouts: @p packed is a constant.
 */

#include <rte_atomic.h>

#include "vstate_call.h"
#include "vstate_compat.h"
#include "vstate_layout.h"

/* Add the buffer of a finished walk, to which the device wrote @p len bytes. */
static vstate_inline void
shadow_add(struct vstate_vq *vq, const struct vstate_chain *c, uint32_t len)
{
	struct vstate_used *u = &vq->shadow[vq->nb_shadow++];

	u->id = c->id;
	u->num = c->num;
	u->len = len;
}

/* Descriptors (packed) or buffers (split) of the first @p n used buffers of the shadow. */
static vstate_inline uint16_t
shadow_descs(const struct vstate_vq *vq, uint16_t n, const bool packed)
{
	unsigned int i, num = 0;

	if (!packed)
		return n;
	for (i = 0; i < n; i++)
		num += vq->shadow[i].num;
	return num;
}

/* Packed: where the used position will be when all of the shadow is published. */
static vstate_inline struct vstate_pos
shadow_end(const struct vstate_vq *vq, const bool packed)
{
	struct vstate_pos end = vq->used;

	if (packed)
		vstate_pos_step(&end, shadow_descs(vq, vq->nb_shadow, true), vq->size);
	return end;
}

/* Call the driver of what was published from index @p old on, unless it wants no call. */
static vstate_inline void
driver_notify(struct vstate_vq *vq, uint16_t old, const bool packed)
{
	/* Full fence: used descriptors, or used->idx, are stored before the suppression fields
	 * are loaded. Else both sides may read old values: the device finds calls suppressed,
	 * the driver finds nothing used and sleeps. Partner: the driver's full fence between
	 * enabling calls and its look at the ring (Linux: virtqueue_enable_cb_delayed()).
	 */
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	if (ring_call_wanted(vq, old, packed))
		vstate_call_send(vq);
	else
		vq->counters.calls_suppressed++;
}

/*
 * Publish the shadow, and call the driver unless it wants no call.
 * @param end  packed: shadow_end(); where all that was dequeued is in the shadow, vq->avail is
 *   the same and known
 * @param alike  the device wrote to all of these buffers or to none
 */
static vstate_inline void
shadow_publish(struct vstate_vq *vq, struct vstate_pos end, const bool alike, const bool packed)
{
	uint16_t old = vq->used.idx;
	bool any = vq->nb_shadow != 0;

	if (any) {
		if (likely(vq->inflight == NULL)) {
			ring_used_publish(vq, end, alike, packed);
			ring_used_record(vq, packed);
		} else {
			vstate_inflight_publish(vq, shadow_end(vq, packed), packed);
		}
		vq->nb_shadow = 0;
	}
	/* Also what was written to buffers that then were not used. */
	if (unlikely(vq->dirty.base != NULL))
		vstate_dirty_flush(&vq->dirty);
	if (any)
		driver_notify(vq, old, packed);
}

#endif /* VSTATE_PUBLISH_H */
