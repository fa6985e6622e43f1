/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "guest_core.h"
#include "guest_hold.h"
#include "guest_inflight.h"
#include "vhost_user_fe.h"
#include "vstate_compat.h"

#define REGION_VERSION 1
#define REGION_ALIGN 64u

struct split_desc {
	uint8_t inflight;
	uint8_t padding[5];
	uint16_t next;
	uint64_t counter;
};

struct split_region {
	uint64_t features;
	uint16_t version, desc_num, last_batch_head, used_idx;
	struct split_desc desc[];
};

struct packed_desc {
	uint8_t inflight, padding;
	uint16_t next, last, num;
	uint64_t counter;
	uint16_t id, flags;
	uint32_t len;
	uint64_t addr;
};

struct packed_region {
	uint64_t features;
	uint16_t version, desc_num, free_head, old_free_head, used_idx, old_used_idx;
	uint8_t used_wrap_counter, old_used_wrap_counter, padding[7];
	struct packed_desc desc[];
};

static uint64_t
queue_bytes(const struct guest *g)
{
	uint64_t size = g->conf.ring_size, len;

	/* Both ends compute the size without the padding between header and descriptors. */
	len = g->conf.packed ? size * sizeof(struct packed_desc) + 29 :
		size * sizeof(struct split_desc) + 16;
	return (len + REGION_ALIGN - 1) / REGION_ALIGN * REGION_ALIGN;
}

/* Use the region that the back end offers, if all rings fit in it. */
static int
region_get(struct guest_link *l)
{
	struct guest *g = l->g;
	struct vu_inflight ask = { .num_queues = l->nb_vqs, .queue_size = g->conf.ring_size };
	struct guest_region *r = &g->region;
	struct vu_inflight got = { 0 };
	void *map;
	int fd, ret;

	ret = vu_fe_query(&l->fe, VU_GET_INFLIGHT_FD, &ask, sizeof(ask), NULL, 0, &got,
			sizeof(got), &fd);
	if (ret < 0)
		return ret;
	if (fd < 0 || got.mmap_size < queue_bytes(g) * l->nb_vqs) {
		if (fd >= 0)
			close(fd);
		guest_complain(g, "the in-flight region has %" PRIu64 " bytes, %" PRIu64 " are needed",
			got.mmap_size, queue_bytes(g) * l->nb_vqs);
		return -EPROTO;
	}
	map = mmap(NULL, got.mmap_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, got.mmap_offset);
	if (map == MAP_FAILED) {
		ret = -errno;
		close(fd);
		return ret;
	}
	*r = (struct guest_region){ .map = map, .fd = fd, .size = got.mmap_size,
		.offset = got.mmap_offset };
	return 0;
}

int
guest_inflight_hand_over(struct guest_link *l)
{
	struct guest_region *r = &l->g->region;
	struct vu_inflight set;
	int ret;

	if (!l->g->conf.inflight)
		return 0;
	if ((l->fe.protocol & (1ull << VU_PF_INFLIGHT_SHMFD)) == 0) {
		if (l->g->conf.inflight_if_offered)
			return 0;
		guest_complain(l->g, "the back end offers no in-flight region");
		return -ENOTSUP;
	}
	ret = r->map == NULL ? region_get(l) : 0;
	if (ret < 0)
		return ret;
	set = (struct vu_inflight){ .mmap_size = r->size, .mmap_offset = r->offset,
		.num_queues = l->nb_vqs, .queue_size = l->g->conf.ring_size };
	return vu_fe_request(&l->fe, VU_SET_INFLIGHT_FD, &set, sizeof(set), &r->fd, 1);
}

void
guest_inflight_free(struct guest *g)
{
	if (g->region.map == NULL)
		return;
	munmap(g->region.map, g->region.size);
	close(g->region.fd);
	g->region.map = NULL;
}

static void *
region_of(struct guest *g, uint16_t vq)
{
	return (uint8_t *)g->region.map + vq * queue_bytes(g);
}

static void
split_mark(struct guest *g, uint16_t vq, const struct guest_held *held, uint64_t counter)
{
	struct split_region *s = region_of(g, vq);

	s->desc[held->head].counter = counter;
	/* Release: the entry is complete before its mark, because the reader may follow a crash. */
	rte_atomic_store_explicit(&s->desc[held->head].inflight, 1, rte_memory_order_release);
}

/* An entry is a list of free descriptors. The first one has the data of the whole entry. */
static void
packed_mark(struct guest *g, uint16_t vq, const struct guest_held *held, uint64_t counter)
{
	const struct vring_packed_desc *ring = guest_ring_of(g, vq)->desc, *from;
	struct packed_region *s = region_of(g, vq);
	uint16_t first = s->free_head, at = first, n;
	struct packed_desc *d;

	for (n = 0; n < held->num; n++) {
		from = ring + (held->head + n) % g->conf.ring_size;
		d = &s->desc[at];
		d->addr = from->addr;
		d->len = from->len;
		d->id = from->id;
		d->flags = from->flags;
		s->desc[first].last = at;
		at = d->next;
	}
	s->desc[first].num = held->num;
	s->desc[first].counter = counter;
	rte_atomic_store_explicit(&s->desc[first].inflight, 1, rte_memory_order_release);
	s->free_head = s->old_free_head = at;
}

/* Insert an entry; the list stays sorted by counter. */
static void
sorted_insert(struct guest_held *held, uint64_t *counter, uint16_t nb, struct guest_held h,
		uint64_t c)
{
	for (; nb > 0 && counter[nb - 1] > c; nb--) {
		held[nb] = held[nb - 1];
		counter[nb] = counter[nb - 1];
	}
	held[nb] = h;
	counter[nb] = c;
}

uint16_t
guest_inflight_read(struct guest *g, uint16_t vq, struct guest_held *held, uint64_t *counter,
		uint16_t max)
{
	const struct packed_region *p = g->region.map != NULL ? region_of(g, vq) : NULL;
	const struct split_region *s = (const void *)p;
	uint16_t i, nb = 0;

	for (i = 0; p != NULL && i < g->conf.ring_size && nb < max; i++) {
		if (!g->conf.packed && s->desc[i].inflight != 0)
			sorted_insert(held, counter, nb++,
				(struct guest_held){ .head = i, .id = i, .num = 1 },
				s->desc[i].counter);
		else if (g->conf.packed && p->desc[i].inflight != 0)
			sorted_insert(held, counter, nb++,
				(struct guest_held){ .id = p->desc[p->desc[i].last].id,
					.num = p->desc[i].num }, p->desc[i].counter);
	}
	return nb;
}

int
guest_inflight_mark(struct guest *g, uint16_t vq, const struct guest_held *held, uint64_t counter)
{
	const struct split_region *s;

	if (g->region.map == NULL)
		return -ENOTCONN;
	s = region_of(g, vq);
	/* Split and packed regions begin with the same fields. */
	if (s->version != REGION_VERSION || s->desc_num != g->conf.ring_size)
		return -EPROTO;
	if (g->conf.packed)
		packed_mark(g, vq, held, counter);
	else
		split_mark(g, vq, held, counter);
	return 0;
}
