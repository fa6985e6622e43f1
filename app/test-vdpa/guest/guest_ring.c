/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest_mem.h"
#include "guest_ring.h"

int
guest_ring_alloc(struct guest_ring *r)
{
	r->free_ids = calloc(r->size, sizeof(*r->free_ids));
	r->bufs = calloc(r->size, sizeof(*r->bufs));
	r->links = calloc(r->size, sizeof(*r->links));
	r->order = calloc(r->size, sizeof(*r->order));
	r->expect = calloc(r->size, sizeof(*r->expect));
	if (r->free_ids == NULL || r->bufs == NULL || r->links == NULL || r->order == NULL ||
			r->expect == NULL)
		return -ENOMEM;
	return 0;
}

void
guest_ring_free(struct guest_ring *r)
{
	free(r->free_ids);
	free(r->bufs);
	free(r->links);
	free(r->order);
	free(r->expect);
	r->free_ids = NULL;
	r->bufs = NULL;
	r->links = NULL;
	r->order = NULL;
	r->expect = NULL;
}

void
guest_ring_reset(struct guest_ring *r)
{
	uint64_t desc, driver, device;
	uint16_t i;

	r->ops->bytes(r->size, &desc, &driver, &device);
	r->desc = guest_mem_va(r->mem, r->desc_gpa, desc);
	r->driver = guest_mem_va(r->mem, r->driver_gpa, driver);
	r->device = guest_mem_va(r->mem, r->device_gpa, device);
	memset(r->desc, 0, desc);
	memset(r->driver, 0, driver);
	memset(r->device, 0, device);
	memset(r->bufs, 0, r->size * sizeof(*r->bufs));
	for (i = 0; i < r->size; i++)
		r->free_ids[i] = r->size - 1 - i;
	r->nb_free = r->size;
	r->order_head = r->order_tail = r->order_count = 0;
	r->batch = false;
	r->nb_expect = r->expect_at = 0;
	r->avail = r->used = r->pending = r->next_desc = 0;
	r->calls = true;
	r->ops->reset(r);
}

uint16_t
guest_ring_id_get(struct guest_ring *r)
{
	uint16_t last = --r->nb_free;
	uint16_t id = r->free_ids[last];

	if (r->shuffle && last != 0) {
		uint16_t k = guest_rnd(&r->rnd, last + 1);

		id = r->free_ids[k];
		r->free_ids[k] = r->free_ids[last];
	}
	return id;
}

void
guest_ring_id_put(struct guest_ring *r, uint16_t id)
{
	r->free_ids[r->nb_free++] = id;
}

void
guest_ring_buf_add(struct guest_ring *r, uint16_t id, const struct guest_seg *segs, uint16_t nb,
		uint16_t descs, uint32_t cookie)
{
	struct guest_ring_buf *b = &r->bufs[id];
	uint16_t i;

	b->cookie = cookie;
	b->descs = descs;
	b->room = 0;
	for (i = 0; i < nb; i++)
		if (segs[i].write)
			b->room += segs[i].len;
	if (!r->in_order)
		return;
	r->order[r->order_head] = id;
	r->order_head = r->order_head + 1 == r->size ? 0 : r->order_head + 1;
	r->order_count++;
}

bool
guest_ring_batch_start(struct guest_ring *r, uint16_t id, uint32_t len)
{
	if (id >= r->size || r->bufs[id].descs == 0 || r->order_count == 0)
		return false;
	r->batch = true;
	r->batch_last = id;
	r->batch_len = len;
	return true;
}

uint16_t
guest_ring_batch_next(struct guest_ring *r, uint32_t *len)
{
	uint16_t id = r->order[r->order_tail];

	r->order_tail = r->order_tail + 1 == r->size ? 0 : r->order_tail + 1;
	r->order_count--;
	if (id == r->batch_last) {
		r->batch = false;
		*len = r->batch_len;
	} else {
		/* A buffer without a used entry of its own was filled by the device. */
		*len = r->bufs[id].room;
	}
	return id;
}

uint64_t
guest_ring_table(const struct guest_ring *r, uint16_t id)
{
	return r->tables_gpa + (uint64_t)id * r->table_len * sizeof(struct vring_desc);
}

uint32_t
guest_rnd(uint64_t *state, uint32_t below)
{
	uint64_t x = (*state += 0x9e3779b97f4a7c15ull);

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	x ^= x >> 31;
	return (uint32_t)(((x >> 32) * below) >> 32);
}
