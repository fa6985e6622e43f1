/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/vhost_types.h>

#include <rte_errno.h>

#include "bench_case.h"
#include "bench_guest.h"
#include "bench_ring.h"
#include "guest.h"
#include "guest_core.h"
#include "guest_link.h"
#include "guest_mem.h"
#include "guest_packed.h"
#include "guest_ring.h"
#include "guest_split.h"
#include "vhost_user_fe.h"

#define CONNECT_MS 5000
#define ISLAND GUEST_MEM_PAGE
/* Usual sizes of receive buffers. */
#define BUF_MERGEABLE 2048u
#define BUF_FRAME_MIN 1518u
#define VRING_ADDR_F_LOG 1u

uint64_t
bench_guest_want(const struct bench_case *c)
{
	uint64_t f = (1ull << VIRTIO_F_VERSION_1) | (1ull << VU_F_PROTOCOL_FEATURES);

	if (c->packed)
		f |= 1ull << VIRTIO_F_RING_PACKED;
	if (c->in_order)
		f |= 1ull << VIRTIO_F_IN_ORDER;
	if (c->mergeable)
		f |= 1ull << VIRTIO_NET_F_MRG_RXBUF;
	if (c->indirect)
		f |= 1ull << VIRTIO_RING_F_INDIRECT_DESC;
	if (c->pairs > 1)
		f |= 1ull << VIRTIO_NET_F_MQ;
	return f;
}

/*
 * An odd number of cache lines between buffers. Small frames use only the first lines, which are
 * then spread over all sets of the caches, as in the pools of a real guest.
 */
static uint32_t
stride_of(uint32_t len)
{
	return ((len + 63) / 64 | 1) * 64;
}

/* Ring and buffers of one virtqueue. */
static int
vq_reserve(struct bench_guest *bg, uint16_t vq)
{
	const struct bench_case *c = bg->c;
	struct guest_ring *r = guest_ring_of(bg->g, vq);
	struct bench_vq *q = &bg->vqs[vq];
	uint64_t desc, driver, device;

	q->rx = vq % 2 == 0;
	q->packed = c->packed;
	q->in_order = c->in_order;
	q->mergeable = c->mergeable;
	q->indirect = c->indirect && !q->rx;
	q->size = r->size = c->ring_size;
	q->frame_len = BENCH_HDR + c->frame;
	q->descs = q->rx ? 1 : c->tx_segs;
	q->slots = q->size / q->descs;
	if (!q->rx)
		q->desc_len = (q->frame_len + q->descs - 1) / q->descs;
	else
		q->desc_len = c->mergeable ? BUF_MERGEABLE :
			BENCH_HDR + RTE_MAX(c->frame, BUF_FRAME_MIN);
	q->stride = stride_of(RTE_MAX(q->desc_len * q->descs, BENCH_HDR + BENCH_HEAD));

	(c->packed ? &guest_packed_ops : &guest_split_ops)->bytes(q->size, &desc, &driver, &device);
	r->desc_gpa = guest_mem_reserve(&bg->g->mem, desc, 64);
	r->driver_gpa = guest_mem_reserve(&bg->g->mem, driver, 64);
	r->device_gpa = guest_mem_reserve(&bg->g->mem, device, 64);
	q->buf_gpa = guest_mem_reserve(&bg->g->mem, (uint64_t)q->slots * q->stride, 64);
	if (q->indirect)
		q->table_gpa = guest_mem_reserve(&bg->g->mem,
			(uint64_t)q->slots * BENCH_TABLE_LEN * sizeof(struct vring_desc), 64);
	return r->desc_gpa == 0 || r->driver_gpa == 0 || r->device_gpa == 0 || q->buf_gpa == 0 ||
		(q->indirect && q->table_gpa == 0) ? -ENOMEM : 0;
}

static void
vq_map(struct bench_guest *bg, uint16_t vq)
{
	struct guest_ring *r = guest_ring_of(bg->g, vq);
	const struct guest_mem *m = &bg->g->mem;
	struct bench_vq *q = &bg->vqs[vq];

	/* All areas lie in the region before the hole. */
	q->desc = guest_mem_va(m, r->desc_gpa, 1);
	q->driver = guest_mem_va(m, r->driver_gpa, 1);
	q->device = guest_mem_va(m, r->device_gpa, 1);
	q->buf = guest_mem_va(m, q->buf_gpa, 1);
	if (q->indirect)
		q->table = guest_mem_va(m, q->table_gpa, 1);
	bench_vq_init(q);
}

static int
guest_layout_make(struct bench_guest *bg)
{
	uint16_t vq, nb = guest_nb_vqs(bg->g);
	int ret = 0;

	for (vq = 0; vq < nb && ret == 0; vq++)
		ret = vq_reserve(bg, vq);
	if (ret == 0)
		ret = guest_mem_commit(&bg->g->mem, NULL, 0, ISLAND);
	if (ret < 0)
		return ret;
	for (vq = 0; vq < nb; vq++)
		vq_map(bg, vq);
	for (vq = 0; vq < nb; vq += 2)
		bench_vq_post(&bg->vqs[vq]);
	return 0;
}

struct bench_guest *
bench_guest_create(const struct bench_case *c, uint64_t features)
{
	const struct guest_conf conf = {
		.pairs = c->pairs, .ring_size = c->ring_size, .packed = c->packed,
		.features = features, .frame_min = c->frame, .frame_max = c->frame,
	};
	struct bench_guest *bg = calloc(1, sizeof(*bg));
	int ret;

	if (bg == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	bg->c = c;
	bg->log_fd = -1;
	bg->g = guest_create(&conf);
	bg->vqs = calloc(2 * c->pairs, sizeof(*bg->vqs));
	ret = bg->g == NULL ? -rte_errno : bg->vqs == NULL ? -ENOMEM : 0;
	if (ret == 0) {
		/* Features are in force from the start: a link must negotiate exactly these. */
		bg->g->features = features;
		ret = guest_layout_make(bg);
	}
	if (ret == 0)
		return bg;
	bench_guest_destroy(bg);
	rte_errno = -ret;
	return NULL;
}

void
bench_guest_destroy(struct bench_guest *bg)
{
	if (bg == NULL)
		return;
	guest_link_close(bg->link);
	guest_destroy(bg->g);
	if (bg->log_fd >= 0)
		close(bg->log_fd);
	free(bg->vqs);
	free(bg);
}

/* As QEMU does when a migration begins. */
static int
log_start(struct bench_guest *bg)
{
	const struct guest_mem *m = &bg->g->mem;
	const struct guest_mem_region *last = &m->regions[m->nb_regions - 1];
	uint64_t size = RTE_ALIGN_CEIL((last->gpa + last->size) / GUEST_MEM_PAGE / 8 + 1,
			(uint64_t)GUEST_MEM_PAGE);
	struct vu_fe *fe = &bg->link->fe;
	uint16_t vq;
	int ret;

	bg->log_fd = memfd_create("bench log", MFD_CLOEXEC);
	if (bg->log_fd < 0 || ftruncate(bg->log_fd, (off_t)size) < 0)
		return -errno;
	ret = vu_fe_set_log_base(fe, bg->log_fd, size);
	if (ret == 0)
		ret = vu_fe_set_u64(fe, VU_SET_FEATURES,
			bg->link->features | (1ull << VHOST_F_LOG_ALL));
	for (vq = 0; vq < guest_nb_vqs(bg->g) && ret == 0; vq++) {
		struct guest_ring *r = guest_ring_of(bg->g, vq);
		struct vu_vring_addr addr = {
			.index = vq,
			.flags = VRING_ADDR_F_LOG,
			.desc = guest_mem_user_addr(m, r->desc_gpa),
			.used = guest_mem_user_addr(m, r->device_gpa),
			.avail = guest_mem_user_addr(m, r->driver_gpa),
			.log = bg->c->packed ? r->desc_gpa : r->device_gpa,
		};

		ret = vu_fe_request(fe, VU_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0);
	}
	return ret;
}

int
bench_guest_restart(struct bench_guest *bg)
{
	int ret = guest_link_prepare(bg->link);

	return ret < 0 ? ret : guest_link_driver_ok(bg->link);
}

int
bench_guest_connect(struct bench_guest *bg, const char *path)
{
	int ret;

	bg->link = guest_connect(bg->g, path, false, CONNECT_MS);
	if (bg->link == NULL)
		return -rte_errno;
	ret = bench_guest_restart(bg);
	return ret == 0 && bg->c->log ? log_start(bg) : ret;
}
