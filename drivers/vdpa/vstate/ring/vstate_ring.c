/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

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

void
vstate_ring_publish(struct vstate_vq *vq)
{
	if (vq->is_packed)
		shadow_publish(vq, vq->avail, true, true);
	else
		shadow_publish(vq, vq->avail, true, false);
}
