/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Where rings and buffers lie in guest memory. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "guest_core.h"
#include "guest_ctrl.h"
#include "guest_frame.h"
#include "guest_layout.h"
#include "guest_mem.h"
#include "guest_packed.h"
#include "guest_ring.h"
#include "guest_split.h"
#include "guest_track.h"

/* Bytes of a mergeable receive buffer by default, as in most drivers. */
#define MRG_BUF 2048u
/* Bytes of all buffers of a guest together. */
#define BUFFER_BYTES (512ull << 20)
#define MIN_SLOTS 8u
#define ISLAND (256u << 10)
#define TX_SEGS_DIRECT 16u
#define TX_SEGS_TABLE 32u

/* Whole cache lines, unless the options ask for any layout. */
static uint32_t
stride_of(const struct guest *g, uint32_t len)
{
	return g->conf.any_layout ? len : (len + 63) / 64 * 64;
}

static uint32_t
min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

void
guest_cut(uint64_t *rnd, uint64_t gpa, uint32_t len, uint16_t nb, bool write,
		struct guest_seg *segs)
{
	uint16_t i;

	for (i = 0; i < nb; i++) {
		uint32_t left = nb - 1 - i, most = len - left, n = most;

		/* Half of the pieces are short, so that the virtio header is often cut. */
		if (left != 0 && guest_rnd(rnd, 2) == 0)
			n = 1 + guest_rnd(rnd, min_u32(most, 16));
		else if (left != 0)
			n = 1 + guest_rnd(rnd, most);
		segs[i] = (struct guest_seg){ .gpa = gpa, .len = n, .write = write };
		gpa += n + (nb > 1 ? guest_rnd(rnd, GUEST_SEG_GAP + 1) : 0);
		len -= n;
	}
}

/* Smallest receive buffer. If mergeable, at most 4 buffers hold 12 + frame_max bytes. */
static uint32_t
rx_len_min(const struct guest *g)
{
	uint32_t whole = GUEST_HDR_LEN + g->conf.frame_max;

	if (!guest_has(g, VIRTIO_NET_F_MRG_RXBUF))
		return whole;
	if (!g->conf.any_layout)
		return MRG_BUF;
	return whole / 4 + 1 > 64 ? whole / 4 + 1 : 64;
}

static uint32_t
rx_len_max(const struct guest *g)
{
	uint32_t min = rx_len_min(g);

	if (!guest_has(g, VIRTIO_NET_F_MRG_RXBUF))
		return min + 64; /* so that a frame that is too long is seen */
	return g->conf.any_layout ? min + 2048 : min;
}

static uint16_t
rx_segs_max(const struct guest *g)
{
	if (!g->conf.any_layout || (g->conf.packed && g->conf.rx_as_rte_vhost))
		return 1;
	return g->conf.ring_size >= 64 || guest_has(g, VIRTIO_RING_F_INDIRECT_DESC) ?
		GUEST_RX_SEGS : 1;
}

static int
slots_draw(struct guest_pair *p, uint32_t most)
{
	const struct guest *g = p->g;
	uint32_t descs = 0, most_segs = rx_segs_max(g);

	p->rx_slot = calloc(g->conf.ring_size, sizeof(*p->rx_slot));
	if (p->rx_slot == NULL)
		return -ENOMEM;
	for (p->rx_slots = 0; p->rx_slots < most; p->rx_slots++) {
		struct guest_rx_slot *s = &p->rx_slot[p->rx_slots];

		s->nb = 1 + guest_rnd(&p->rnd, most_segs);
		s->indirect = guest_has(g, VIRTIO_RING_F_INDIRECT_DESC) && g->conf.any_layout &&
			!(g->conf.packed && g->conf.rx_as_rte_vhost) &&
			(g->conf.ring_size < 64 || guest_rnd(&p->rnd, 2) == 0);
		descs += s->indirect ? 1 : s->nb;
		if (descs > g->conf.ring_size)
			break;
	}
	return 0;
}

int
guest_layout_ring(struct guest *g, struct guest_ring *r, uint64_t seed, uint16_t table_len)
{
	uint64_t desc, driver, device;

	r->ops = g->conf.packed ? &guest_packed_ops : &guest_split_ops;
	r->mem = &g->mem;
	r->size = g->conf.ring_size;
	r->event_idx = guest_has(g, VIRTIO_RING_F_EVENT_IDX);
	r->in_order = guest_has(g, VIRTIO_F_IN_ORDER);
	r->indirect = guest_has(g, VIRTIO_RING_F_INDIRECT_DESC);
	r->shuffle = g->conf.any_layout;
	r->rnd = seed;
	r->ops->bytes(r->size, &desc, &driver, &device);
	r->desc_gpa = guest_mem_reserve(&g->mem, desc, 16);
	r->driver_gpa = guest_mem_reserve(&g->mem, driver, 4);
	r->device_gpa = guest_mem_reserve(&g->mem, device, 4);
	if (r->desc_gpa == 0 || r->driver_gpa == 0 || r->device_gpa == 0)
		return -ENOMEM;
	if (r->indirect) {
		r->table_len = table_len;
		r->tables_gpa = guest_mem_reserve(&g->mem,
			(uint64_t)r->size * r->table_len * sizeof(struct vring_desc), 16);
		if (r->tables_gpa == 0)
			return -ENOMEM;
	}
	return guest_ring_alloc(r);
}

static uint32_t
window_of(const struct guest_pair *p)
{
	const struct guest_conf *c = &p->g->conf;
	uint32_t need = GUEST_HDR_LEN + c->frame_max, per = 1, window;

	if (guest_has(p->g, VIRTIO_NET_F_MRG_RXBUF))
		per = (need + rx_len_min(p->g) - 1) / rx_len_min(p->g);
	/* the frames of all pairs may come back on one */
	window = p->rx_slots / per / (c->any_pair ? c->pairs : 1);
	window = min_u32(window, p->tx_slots);
	if (window > 2)
		window--; /* one is reserved for a probe, see guest_pair.c */
	if (c->window != 0)
		window = min_u32(window, c->window);
	return window;
}

static int
pair_layout(struct guest *g, uint16_t index)
{
	struct guest_pair *p = &g->pairs[index];
	uint64_t share = BUFFER_BYTES / guest_nb_vqs(g);
	uint32_t tx_segs, most, i;
	int ret;

	p->g = g;
	p->index = index;
	p->rnd = g->conf.seed + 0x1000 * (index + 1);
	p->zone.gpa = g->mem.cursor;
	ret = guest_layout_ring(g, &p->rx, p->rnd + 1, GUEST_RX_SEGS);
	if (ret == 0)
		ret = guest_layout_ring(g, &p->tx, p->rnd + 2, TX_SEGS_TABLE);
	if (ret < 0)
		return ret;

	p->rx_stride = stride_of(g, rx_len_max(g) + (rx_segs_max(g) - 1) * GUEST_SEG_GAP);
	most = share / p->rx_stride > MIN_SLOTS ? share / p->rx_stride : MIN_SLOTS;
	ret = slots_draw(p, min_u32(most, g->conf.ring_size));
	if (ret < 0)
		return ret;
	tx_segs = !g->conf.any_layout ? 1 :
		guest_has(g, VIRTIO_RING_F_INDIRECT_DESC) ? TX_SEGS_TABLE : TX_SEGS_DIRECT;
	p->tx_stride = stride_of(g, GUEST_HDR_LEN + g->conf.frame_max +
			(tx_segs - 1) * GUEST_SEG_GAP);
	p->tx_segs = min_u32(tx_segs, g->conf.ring_size / 2);
	most = share / p->tx_stride > MIN_SLOTS ? share / p->tx_stride : MIN_SLOTS;
	p->tx_slots = min_u32(most, g->conf.ring_size);

	p->rx_gpa = guest_mem_reserve(&g->mem, (uint64_t)p->rx_slots * p->rx_stride, 64);
	p->tx_gpa = guest_mem_reserve(&g->mem, (uint64_t)p->tx_slots * p->tx_stride, 64);
	if (p->rx_gpa == 0 || p->tx_gpa == 0)
		return -ENOMEM;
	p->zone.len = g->mem.cursor - p->zone.gpa;

	p->scratch_size = GUEST_HDR_LEN + g->conf.frame_max + 4096;
	p->scratch = malloc(p->scratch_size);
	p->tx_scratch = malloc(p->scratch_size);
	p->tx_free = calloc(p->tx_slots, sizeof(*p->tx_free));
	if (p->scratch == NULL || p->tx_scratch == NULL || p->tx_free == NULL)
		return -ENOMEM;
	for (i = 0; i < p->tx_slots; i++)
		p->tx_free[i] = p->tx_slots - 1 - i;
	p->nb_tx_free = p->tx_slots;
	p->window = window_of(p);
	guest_track_init(&p->track);
	return p->window != 0 ? 0 : -ENOSPC;
}

static void
slot_cut(struct guest_pair *p, uint32_t slot)
{
	struct guest_rx_slot *s = &p->rx_slot[slot];
	uint32_t min = rx_len_min(p->g), max = rx_len_max(p->g);

	do {
		guest_cut(&p->rnd, p->rx_gpa + (uint64_t)slot * p->rx_stride,
			min + guest_rnd(&p->rnd, max - min + 1), s->nb, true, s->segs);
	} while (p->g->conf.rx_as_rte_vhost && s->nb > 1 &&
		s->segs[0].len + s->segs[1].len < GUEST_HDR_LEN);
}

int
guest_layout(struct guest *g)
{
	struct guest_pair *last = &g->pairs[g->conf.pairs - 1];
	uint64_t borders[2];
	uint32_t k;
	uint16_t i;
	int ret;

	guest_mem_init(&g->mem);
	for (i = 0; i < g->conf.pairs; i++) {
		ret = pair_layout(g, i);
		if (ret < 0)
			return ret;
	}
	ret = guest_ctrl_reserve(g);
	if (ret < 0)
		return ret;
	/* Two borders in the middle of buffers. Each ring lies in one region, as it must. */
	borders[0] = last->rx_gpa + (uint64_t)last->rx_slots * last->rx_stride / 2;
	borders[1] = last->tx_gpa + (uint64_t)last->tx_slots * last->tx_stride / 2;
	ret = guest_mem_commit(&g->mem, borders, 2, ISLAND);
	if (ret < 0)
		return ret;
	guest_ctrl_reset(g);
	for (i = 0; i < g->conf.pairs; i++) {
		struct guest_pair *p = &g->pairs[i];

		guest_ring_reset(&p->rx);
		guest_ring_reset(&p->tx);
		for (k = 0; k < p->rx_slots; k++)
			slot_cut(p, k);
	}
	return 0;
}

void
guest_layout_free(struct guest *g)
{
	uint16_t i;

	for (i = 0; i < g->conf.pairs; i++) {
		struct guest_pair *p = &g->pairs[i];

		guest_ring_free(&p->rx);
		guest_ring_free(&p->tx);
		free(p->rx_slot);
		free(p->tx_free);
		free(p->scratch);
		free(p->tx_scratch);
	}
	guest_ctrl_free(g);
	guest_mem_free(&g->mem);
}
