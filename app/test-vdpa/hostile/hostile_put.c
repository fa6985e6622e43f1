/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdlib.h>

#include "guest_core.h"
#include "guest_link.h"
#include "guest_mem.h"
#include "guest_ring.h"
#include "hostile_env.h"
#include "hostile_put.h"
#include "vstate_compat.h"

#define F_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define F_USED (1u << VRING_PACKED_DESC_F_USED)

static void
copy_to_snapshot(struct hostile_env *e, uint64_t gpa, uint64_t len)
{
	guest_mem_read(&e->g->mem, gpa, e->snapshot + (gpa - e->p->zone.gpa), len);
}

void
hostile_snapshot(struct hostile_env *e)
{
	uint64_t desc, driver, device;
	uint16_t vq;

	if (e->snapshot == NULL) {
		e->snapshot = malloc(e->p->zone.len);
		if (e->snapshot != NULL)
			copy_to_snapshot(e, e->p->zone.gpa, e->p->zone.len);
		return;
	}
	/* The areas that only the driver writes, and that it has just written. */
	for (vq = 0; vq < 2; vq++) {
		struct guest_ring *r = guest_ring_of(e->g, vq);

		r->ops->bytes(r->size, &desc, &driver, &device);
		copy_to_snapshot(e, r->desc_gpa, desc);
		copy_to_snapshot(e, r->driver_gpa, driver);
	}
}

void
hostile_put_split(struct guest_ring *r, uint16_t *base, const struct hostile_desc *d, uint16_t nb)
{
	struct vring_avail *avail = r->driver;
	struct vring_desc *desc = r->desc;
	uint16_t i;

	for (i = 0; i < nb; i++)
		desc[(*base + i) % r->size] = (struct vring_desc){
			.addr = d[i].addr, .len = d[i].len, .flags = d[i].flags,
			.next = d[i].next < r->size ? d[i].next + *base : d[i].next,
		};
	avail->ring[r->avail % r->size] = *base;
	r->avail++;
	r->pending++;
	*base = (*base + nb) % r->size;
}

uint16_t
hostile_put_packed(struct guest_ring *r, const struct hostile_desc *d, uint16_t nb)
{
	struct vring_packed_desc *desc = r->desc;
	uint16_t i, head_flags = 0;

	for (i = 0; i < nb; i++) {
		uint16_t flags = d[i].flags | (r->avail_wrap ? F_AVAIL : F_USED);

		desc[r->avail].addr = d[i].addr;
		desc[r->avail].len = d[i].len;
		desc[r->avail].id = d[i].next;
		if (i == 0)
			head_flags = flags;
		else
			desc[r->avail].flags = flags;
		if (++r->avail == r->size) {
			r->avail = 0;
			r->avail_wrap = !r->avail_wrap;
		}
	}
	r->pending += nb;
	return head_flags;
}

void
hostile_put(struct hostile_env *e, uint16_t vq, const struct hostile_desc *d, uint16_t nb)
{
	struct guest_ring *r = guest_ring_of(e->g, vq);
	struct vring_packed_desc *head;
	uint16_t flags;

	if (!e->packed) {
		hostile_put_split(r, &e->base[vq], d, nb);
		return;
	}
	head = (struct vring_packed_desc *)r->desc + r->avail;
	flags = hostile_put_packed(r, d, nb);
	hostile_snapshot(e);
	rte_atomic_store_explicit(&head->flags, flags, rte_memory_order_release);
}

void
hostile_publish(struct hostile_env *e, uint16_t vq)
{
	struct guest_ring *r = guest_ring_of(e->g, vq);

	hostile_snapshot(e);
	r->ops->publish(r);
	hostile_snapshot(e);
	/* Kick in any case, so that a sleeping device reads the ring. */
	guest_kick(e->g, vq);
}
