/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_byteorder.h>

#include "vstate_compat.h"
#include "vstate_packed.h"
#include "vstate_used_astray.h"

/* Whether the driver's descriptors from the used position on may reach the begin of the ring. */
static bool
driver_may_have_wrapped(const struct vstate_vq *vq)
{
	const struct vstate_pos last = { vq->size - 1, vq->used.wrap };

	return packed_pos_is_avail(vq, &last);
}

uint16_t
vstate_used_astray_repair(struct vstate_vq *vq, uint16_t n)
{
	struct vring_packed_desc *d = vq->packed.desc;
	uint16_t i, flags, done = 0;

	if (!vq->used.wrap || n > vq->used.idx || driver_may_have_wrapped(vq))
		return 0;
	for (i = 0; i < n; i++) {
		flags = rte_le_to_cpu_16(rte_atomic_load_explicit(&d[i].flags,
				rte_memory_order_relaxed));
		/* used, in a turn with counter 0 */
		if ((flags & (DESC_AVAIL | DESC_USED)) != 0)
			continue;
		rte_atomic_store_explicit(&d[i].flags, rte_cpu_to_le_16(DESC_AVAIL | DESC_USED),
				rte_memory_order_relaxed);
		vstate_vq_dirty(vq, vq->desc_addr + i * sizeof(d[0]), sizeof(d[0]));
		done++;
	}
	vstate_dirty_flush(&vq->dirty);
	return done;
}
