/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_vect.h>

#include "ut_groups.h"
#include "ut_ring.h"
#include "dev/vstate_setup.h"
#include "net/vstate_net_ops.h"

#define F_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define F_USED (1u << VRING_PACKED_DESC_F_USED)

/* Small mbufs, so that frames of a few hundred bytes are chained already. */
#define POOL_ROOM (RTE_PKTMBUF_HEADROOM + 256)

static struct rte_mempool *
pool_get(void)
{
	static struct rte_mempool *pool;

	if (pool == NULL)
		pool = rte_pktmbuf_pool_create("test", RING_POOL_MBUFS, 0, 0, POOL_ROOM,
				SOCKET_ID_ANY);
	assert_non_null(pool);
	return pool;
}

static uint64_t
driver_area(const struct ring *r)
{
	return r->packed ? 4 : 6 + 2ull * r->size;
}

static uint64_t
device_area(const struct ring *r)
{
	return r->packed ? 4 : 6 + 8ull * r->size;
}

static uint16_t
u16_read(const struct ring *r, uint64_t gpa)
{
	return *guest_at(&r->guest, gpa) | *guest_at(&r->guest, gpa + 1) << 8;
}

static uint32_t
u32_read(const struct ring *r, uint64_t gpa)
{
	return u16_read(r, gpa) | (uint32_t)u16_read(r, gpa + 2) << 16;
}

static void
u16_write(struct ring *r, uint64_t gpa, uint16_t value)
{
	*guest_at(&r->guest, gpa) = value & 0xff;
	*guest_at(&r->guest, gpa + 1) = value >> 8;
}

static void
u32_write(struct ring *r, uint64_t gpa, uint32_t value)
{
	u16_write(r, gpa, value & 0xffff);
	u16_write(r, gpa + 2, value >> 16);
}

void
ring_open(struct ring *r, bool packed, uint16_t size)
{
	struct vstate_net_vq *nq;
	struct vstate_vq *vq;

	memset(r, 0, sizeof(*r));
	r->packed = packed;
	r->size = size;
	r->pool = pool_get();
	r->mbufs_before = rte_mempool_in_use_count(r->pool);
	r->callfd = eventfd(0, EFD_NONBLOCK);
	r->num_of = calloc(size, sizeof(*r->num_of));
	r->busy = calloc(size, sizeof(*r->busy));
	r->next_of = calloc(size, sizeof(*r->next_of));
	assert_true(r->num_of != NULL && r->busy != NULL && r->next_of != NULL);
	r->table = RING_TABLE_GPA;
	assert_true(r->callfd >= 0);
	guest_add(&r->guest, RING_DESC_GPA, 16ull * size);
	guest_add(&r->guest, RING_DRIVER_GPA, driver_area(r));
	guest_add(&r->guest, RING_DEVICE_GPA, device_area(r));
	guest_add(&r->guest, RING_BUF_GPA, RING_BUF_SIZE);
	guest_add(&r->guest, RING_BUF_BORDER, RING_BUF_SIZE);
	guest_add(&r->guest, RING_TABLE_GPA, RING_TABLE_SIZE);

	nq = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*nq));
	assert_non_null(nq);
	memset(nq, 0, sizeof(*nq));
	nq->ops = vstate_net_ops_choose(packed);
	r->nq = nq;
	r->vq = vq = &nq->vq;
	vq->inflight_head = &vq->own_head;
	vq->size = size;
	vq->is_packed = packed;
	if (packed) {
		vq->packed.desc = (void *)guest_at(&r->guest, RING_DESC_GPA);
		vq->packed.driver = (void *)guest_at(&r->guest, RING_DRIVER_GPA);
		vq->packed.device = (void *)guest_at(&r->guest, RING_DEVICE_GPA);
		vq->used_gpa = RING_DESC_GPA;
		vq->event_gpa = RING_DEVICE_GPA;
	} else {
		vq->split.desc = (void *)guest_at(&r->guest, RING_DESC_GPA);
		vq->split.avail = (void *)guest_at(&r->guest, RING_DRIVER_GPA);
		vq->split.used = (void *)guest_at(&r->guest, RING_DEVICE_GPA);
		vq->used_gpa = RING_DEVICE_GPA;
	}
	nq->hdr_len = RING_HDR;
	nq->mergeable = true;
	nq->frame_max = VSTATE_MAX_FRAME;
	vq->indirect = true;
	nq->features = RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF);
	vq->callfd = r->callfd;
	vq->kickfd = vq->kick_epfd = -1;
	vq->mem = &r->guest.mem;
	ring_seek(r, 0, packed);
}

void
ring_close(struct ring *r)
{
	guest_free(&r->guest);
	free(r->nq);
	free(r->num_of);
	free(r->busy);
	free(r->next_of);
	close(r->callfd);
}

void
ring_describe(const struct ring *r, struct vstate_ring_setup *s)
{
	s->size = r->size;
	s->desc = guest_at(&r->guest, RING_DESC_GPA);
	s->driver = guest_at(&r->guest, RING_DRIVER_GPA);
	s->device = guest_at(&r->guest, RING_DEVICE_GPA);
	s->callfd = s->kickfd = -1;
}

void
ring_seek(struct ring *r, uint16_t idx, uint8_t wrap)
{
	uint16_t i;

	memset(r->busy, 0, r->size * sizeof(*r->busy));
	r->next = r->used = (struct vstate_pos){ idx, wrap };
	r->vq->avail = r->vq->used = r->next;
	r->vq->fault = VSTATE_FAULT_NONE;
	if (!r->packed) {
		u16_write(r, RING_DRIVER_GPA, 0);
		u16_write(r, RING_DRIVER_GPA + 2, idx);
		u16_write(r, RING_DEVICE_GPA + 2, idx);
		return;
	}
	u32_write(r, RING_DRIVER_GPA, 0);
	/* what was used in this turn, and in the turn before */
	for (i = 0; i < r->size; i++)
		u16_write(r, RING_DESC_GPA + 16ull * i + 14,
				(i < idx) == wrap ? F_AVAIL | F_USED : 0);
}

void
ring_desc_write(struct ring *r, uint64_t gpa, uint64_t addr, uint32_t len, uint16_t flags,
		uint16_t link)
{
	u32_write(r, gpa, addr & UINT32_MAX);
	u32_write(r, gpa + 4, addr >> 32);
	u32_write(r, gpa + 8, len);
	u16_write(r, gpa + 12, r->packed ? link : flags);
	u16_write(r, gpa + 14, r->packed ? flags : link);
}

static void
pos_step(const struct ring *r, struct vstate_pos *pos)
{
	if (++pos->idx == r->size) {
		pos->idx = 0;
		pos->wrap = !pos->wrap;
	}
}

/* A free descriptor or ID, @p at if it can be. Tests that never look at used ones get it anyway. */
static uint16_t
free_find(struct ring *r, uint16_t at)
{
	uint16_t i;

	for (i = 0; i < r->size; i++) {
		uint16_t k = (at + i) % r->size;

		if (!r->busy[k]) {
			r->busy[k] = true;
			return k;
		}
	}
	return at;
}

static uint16_t
desc_alloc(struct ring *r)
{
	uint16_t at = free_find(r, r->free_desc);

	r->free_desc = (at + 1) % r->size;
	r->next_of[at] = r->size;
	return at;
}

static uint16_t
split_publish(struct ring *r, uint16_t head)
{
	u16_write(r, RING_DRIVER_GPA + 4 + 2ull * (r->next.idx % r->size), head);
	r->next.idx++;
	u16_write(r, RING_DRIVER_GPA + 2, r->next.idx);
	return head;
}

/* Of piece @p i in a chain whose first @p nb_readable pieces are readable. */
static uint16_t
part_flags(uint16_t i, uint16_t nb_readable)
{
	return i < nb_readable ? 0 : VRING_DESC_F_WRITE;
}

static uint16_t
split_add(struct ring *r, const struct piece *p, uint16_t nb_readable, uint16_t n)
{
	uint16_t head = desc_alloc(r), at = head, next, i;

	for (i = 0; i < n; i++, at = next) {
		next = i + 1 < n ? desc_alloc(r) : r->size;
		r->next_of[at] = next;
		ring_desc_write(r, RING_DESC_GPA + 16ull * at, p[i].gpa, p[i].len,
				part_flags(i, nb_readable) | (i + 1 < n ? VRING_DESC_F_NEXT : 0),
				next);
	}
	return split_publish(r, head);
}

static uint16_t
turn_flags(uint8_t wrap)
{
	return wrap ? F_AVAIL : F_USED;
}

static uint16_t
packed_add(struct ring *r, const struct piece *p, uint16_t nb_readable, uint16_t n)
{
	uint16_t id = free_find(r, r->next.idx), i;

	for (i = 0; i < n; i++) {
		/* only the last ID of a chain counts; the others are meant to mislead */
		ring_desc_write(r, RING_DESC_GPA + 16ull * r->next.idx, p[i].gpa, p[i].len,
				part_flags(i, nb_readable) | turn_flags(r->next.wrap) |
				(i + 1 < n ? VRING_DESC_F_NEXT : 0), i + 1 < n ? 0xdead : id);
		pos_step(r, &r->next);
	}
	r->num_of[id] = n;
	return id;
}

uint16_t
ring_add(struct ring *r, const struct piece *p, uint16_t n, bool writable)
{
	return ring_add_mixed(r, p, writable ? 0 : n, n);
}

uint16_t
ring_add_mixed(struct ring *r, const struct piece *p, uint16_t nb_readable, uint16_t n)
{
	return r->packed ? packed_add(r, p, nb_readable, n) : split_add(r, p, nb_readable, n);
}

uint16_t
ring_add_raw(struct ring *r, uint64_t addr, uint32_t len, uint16_t flags, uint16_t link)
{
	uint16_t at = r->packed ? free_find(r, r->next.idx) : desc_alloc(r);

	if (r->packed) {
		ring_desc_write(r, RING_DESC_GPA + 16ull * r->next.idx, addr, len,
				flags | turn_flags(r->next.wrap), at);
		r->num_of[at] = 1;
		pos_step(r, &r->next);
		return at;
	}
	ring_desc_write(r, RING_DESC_GPA + 16ull * at, addr, len, flags, link);
	return split_publish(r, at);
}

void
ring_add_buffers(struct ring *r, const uint16_t *lens, uint16_t n, bool writable, uint16_t *ids)
{
	struct piece p[3];
	uint16_t i, k;

	for (i = 0; i < n; i++) {
		assert_true(lens[i] <= RTE_DIM(p));
		for (k = 0; k < lens[i]; k++)
			p[k] = (struct piece){ RING_BUF_GPA + 1024 * i + 300 * k, 200 };
		ids[i] = ring_add(r, p, lens[i], writable);
	}
}

uint16_t
ring_add_indirect(struct ring *r, const struct piece *p, uint16_t n, bool writable)
{
	return ring_add_mixed_indirect(r, p, writable ? 0 : n, n);
}

uint16_t
ring_add_mixed_indirect(struct ring *r, const struct piece *p, uint16_t nb_readable, uint16_t n)
{
	uint16_t i;

	for (i = 0; i < n; i++)
		ring_desc_write(r, r->table + 16ull * i, p[i].gpa, p[i].len,
				part_flags(i, nb_readable) |
					(!r->packed && i + 1 < n ? VRING_DESC_F_NEXT : 0),
				r->packed ? 0 : i + 1);
	return ring_add_raw(r, r->table, 16u * n, VRING_DESC_F_INDIRECT, 0);
}

static bool
split_get_used(struct ring *r, uint16_t *id, uint32_t *len)
{
	uint64_t elem = RING_DEVICE_GPA + 4 + 8ull * (r->used.idx % r->size);
	uint16_t at;

	if (u16_read(r, RING_DEVICE_GPA + 2) == r->used.idx)
		return false;
	*id = u32_read(r, elem);
	*len = u32_read(r, elem + 4);
	r->used.idx++;
	assert_true(*id < r->size);
	for (at = *id; at < r->size; at = r->next_of[at])
		r->busy[at] = false;
	return true;
}

static bool
packed_get_used(struct ring *r, uint16_t *id, uint32_t *len)
{
	uint64_t desc = RING_DESC_GPA + 16ull * r->used.idx;
	uint16_t flags = u16_read(r, desc + 14), i;

	if (!!(flags & F_AVAIL) != r->used.wrap || !!(flags & F_USED) != r->used.wrap)
		return false;
	*id = u16_read(r, desc + 12);
	/* a length is valid where the device says that it wrote */
	*len = flags & VRING_DESC_F_WRITE ? u32_read(r, desc + 8) : 0;
	assert_true(*id < r->size);
	assert_true(r->num_of[*id] > 0);
	for (i = 0; i < r->num_of[*id]; i++)
		pos_step(r, &r->used);
	r->busy[*id] = false;
	return true;
}

bool
ring_get_used(struct ring *r, uint16_t *id, uint32_t *len)
{
	return r->packed ? packed_get_used(r, id, len) : split_get_used(r, id, len);
}

uint16_t
ring_get_used_in_order(struct ring *r, const uint16_t *ids, uint16_t n, uint32_t *len)
{
	uint16_t done = 0, id;
	uint32_t bytes;

	while (ring_get_used(r, &id, &bytes)) {
		assert_true(done < n);
		assert_int_equal(id, ids[done]);
		len[done++] = bytes;
	}
	return done;
}

uint16_t
vq_put(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n)
{
	return nq->ops->put(nq, pkts, n, nq->ops->look(pkts, n));
}

/* Width by width. */
unsigned int
vq_builds(bool packed, const struct vstate_net_ops *ops[3])
{
	static const uint16_t widths[] = { RTE_VECT_SIMD_128, RTE_VECT_SIMD_256,
		RTE_VECT_SIMD_512 };
	uint16_t before = rte_vect_get_max_simd_bitwidth();
	unsigned int i, nb = 0;

	for (i = 0; i < RTE_DIM(widths); i++) {
		assert_int_equal(rte_vect_set_max_simd_bitwidth(widths[i]), 0);
		ops[nb] = vstate_net_ops_choose(packed);
		if (nb == 0 || ops[nb] != ops[nb - 1])
			nb++;
	}
	assert_int_equal(rte_vect_set_max_simd_bitwidth(before), 0);
	return nb;
}

uint64_t
ring_calls(struct ring *r)
{
	uint64_t n = 0;

	return read(r->callfd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

unsigned int
ring_mbufs_out(const struct ring *r)
{
	return rte_mempool_in_use_count(r->pool) - r->mbufs_before;
}
