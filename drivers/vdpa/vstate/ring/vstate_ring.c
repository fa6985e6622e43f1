/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <vstate_compat.h>

#include "vstate_avail.h"
#include "vstate_publish.h"
#include "vstate_ring.h"

uint16_t
vstate_ring_waiting(const struct vstate_vq *vq)
{
	return vq->is_packed ? packed_avail_estimate(vq) : split_avail_estimate(vq);
}

void
vstate_ring_prime(struct vstate_vq *vq)
{
	if (vq->is_packed) {
		buf_look_ahead(vq, true);
		packed_kicks_suppress(vq);
	} else {
		buf_look_ahead(vq, false);
		split_kicks_suppress(vq);
	}
}

bool
vstate_ring_kicks_request(struct vstate_vq *vq)
{
	if (vq->is_packed)
		packed_kicks_request(vq);
	else
		split_kicks_request(vq);
	if (vq->dirty.base != NULL)
		vstate_dirty_flush(&vq->dirty);
	/*
	 * Full fence: the request is stored before the ring is loaded. Else both sides may read old
	 * values: the driver finds kicks suppressed, the device finds an empty ring and sleeps.
	 * Partner: the driver's full fence between making a buffer available and its look at the
	 * request (Linux: virtqueue_kick_prepare()).
	 */
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	return !vstate_vq_is_empty(vq);
}

void
vstate_ring_kicks_suppress(struct vstate_vq *vq)
{
	if (vq->is_packed)
		packed_kicks_suppress(vq);
	else
		split_kicks_suppress(vq);
	if (vq->dirty.base != NULL)
		vstate_dirty_flush(&vq->dirty);
}

void
vstate_ring_publish(struct vstate_vq *vq)
{
	if (vq->is_packed)
		shadow_publish(vq, vq->avail, true, true);
	else
		shadow_publish(vq, vq->avail, true, false);
}
