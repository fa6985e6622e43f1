/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Connections of a disk's driver to back ends, and the in-flight region that they share. */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "guest_disk.h"
#include "guest_disk_codec.h"
#include "guest_disk_core.h"
#include "guest_mem.h"
#include "guest_ring.h"
#include "vhost_user_fe.h"
#include "vstate_compat.h"

#define PF_BASE_INFLIGHT 20
/* Device status bits; ACKNOWLEDGE is in the first one. */
#define S_DRIVER 0x03
#define S_FEATURES_OK 0x08
#define S_RUN 0x0f

/* ---- a link ---- */

static int
features_negotiate(struct disk *d, struct disk_link *l)
{
	uint64_t offered, must = 1ull << VIRTIO_F_VERSION_1 | 1ull << VU_F_PROTOCOL_FEATURES;
	uint64_t want = d->conf.codec->features | d->conf.optional;
	int ret;

	if (d->conf.zeroes)
		want |= d->conf.codec->zero_feature;
	if (d->conf.packed)
		must |= 1ull << VIRTIO_F_RING_PACKED;
	if (d->conf.indirect)
		must |= 1ull << VIRTIO_RING_F_INDIRECT_DESC;
	if (d->conf.queues > 1)
		must |= d->conf.codec->mq_features;
	want |= must;
	if (d->features != 0)
		want = must = d->features;
	ret = vu_fe_get_u64(&l->fe, VU_GET_FEATURES, &offered);
	if (ret == 0 && (must & ~offered) != 0) {
		disk_complain(d, "the back end lacks features 0x%" PRIx64, must & ~offered);
		return -ENOTSUP;
	}
	l->features = d->features = want & offered;
	return ret;
}

static int
protocol_negotiate(struct disk *d, struct disk_link *l)
{
	uint64_t has = 0, queues = 0, want = 1ull << VU_PF_MQ | 1ull << VU_PF_REPLY_ACK |
		1ull << VU_PF_CONFIG | d->conf.codec->protocol;
	int ret;

	if (d->conf.no_status)
		want &= ~(1ull << VU_PF_STATUS);
	if (d->conf.region)
		want |= 1ull << VU_PF_INFLIGHT_SHMFD;
	if (d->conf.carried)
		want |= 1ull << PF_BASE_INFLIGHT;
	ret = vu_fe_get_u64(&l->fe, VU_GET_PROTOCOL_FEATURES, &has);
	if (ret == 0 && (want & ~has) != 0) {
		disk_complain(d, "the back end lacks protocol features 0x%" PRIx64, want & ~has);
		return -ENOTSUP;
	}
	if (ret == 0)
		ret = vu_fe_set_u64(&l->fe, VU_SET_PROTOCOL_FEATURES, want);
	l->fe.protocol = want;
	if (ret == 0)
		ret = vu_fe_get_u64(&l->fe, VU_GET_QUEUE_NUM, &queues);
	if (ret == 0 && queues < d->nb_vqs) {
		disk_complain(d, "the back end has %" PRIu64 " queues", queues);
		return -ENOTSUP;
	}
	return ret;
}

bool
disk_has_status(const struct disk *d)
{
	return !d->conf.no_status && (d->conf.codec->protocol & 1ull << VU_PF_STATUS) != 0;
}

/* Some front ends have no status byte. */
static int
status_set(const struct disk *d, struct disk_link *l, uint64_t status)
{
	return disk_has_status(d) ? vu_fe_set_u64(&l->fe, VU_SET_STATUS, status) : 0;
}

int
disk_listen(struct disk *d, const char *path)
{
	d->listener = vu_fe_listen(path);
	return d->listener < 0 ? d->listener : 0;
}

int
disk_connect(struct disk *d, unsigned int l, const char *path, int timeout_ms)
{
	struct disk_link *link = &d->links[l];
	int ret;

	memset(link, 0, sizeof(*link));
	ret = d->listener >= 0 ? vu_fe_accept_from(&link->fe, d->listener, timeout_ms) :
		vu_fe_connect(&link->fe, path, timeout_ms);
	if (ret < 0)
		return ret;
	link->open = true;
	ret = features_negotiate(d, link);
	if (ret == 0)
		ret = vu_fe_request(&link->fe, VU_SET_OWNER, NULL, 0, NULL, 0);
	if (ret == 0)
		ret = protocol_negotiate(d, link);
	if (ret == 0)
		ret = status_set(d, link, S_DRIVER);
	if (ret == 0)
		ret = vu_fe_set_u64(&link->fe, VU_SET_FEATURES, link->features);
	if (ret == 0)
		ret = status_set(d, link, S_DRIVER | S_FEATURES_OK);
	return ret;
}

void
disk_disconnect(struct disk *d, unsigned int l)
{
	if (d->links[l].open)
		vu_fe_close(&d->links[l].fe);
	d->links[l].open = false;
}

bool
disk_hung_up(const struct disk *d, unsigned int l, int ms)
{
	struct pollfd p = { .fd = d->links[l].fe.fd, .events = POLLRDHUP };

	return poll(&p, 1, ms) == 1;
}

int
disk_config(struct disk *d, unsigned int l, void *config, uint32_t size)
{
	/* three words: offset, size, flags */
	struct {
		uint32_t offset, size, flags;
		uint8_t space[256];
	} m = { 0, size, 0, { 0 } };
	const size_t len = 12 + size;
	int ret;

	if (size > sizeof(m.space))
		return -EINVAL;
	ret = vu_fe_query(&d->links[l].fe, VU_GET_CONFIG, &m, len, NULL, 0, &m, len, NULL);
	if (ret == 0)
		memcpy(config, m.space, size);
	return ret;
}

/* The first back end makes the region; each one gets it before its rings. */
static int
region_hand_over(struct disk *d, struct disk_link *l)
{
	struct vu_inflight ask = { .num_queues = d->nb_vqs,
		.queue_size = d->conf.ring_size };
	int ret;

	if (!d->conf.region)
		return 0;
	if (d->region == NULL) {
		ret = vu_fe_query(&l->fe, VU_GET_INFLIGHT_FD, &ask, sizeof(ask), NULL, 0,
				&d->geometry, sizeof(d->geometry), &d->region_fd);
		if (ret < 0)
			return ret;
		if (d->region_fd < 0)
			return -EPROTO;
		d->region = mmap(NULL, d->geometry.mmap_size, PROT_READ | PROT_WRITE, MAP_SHARED,
				d->region_fd, d->geometry.mmap_offset);
		if (d->region == MAP_FAILED) {
			d->region = NULL;
			return -errno;
		}
		d->geometry.num_queues = d->nb_vqs;
		d->geometry.queue_size = d->conf.ring_size;
	}
	return vu_fe_request(&l->fe, VU_SET_INFLIGHT_FD, &d->geometry, sizeof(d->geometry),
			&d->region_fd, 1);
}

static int
vring_setup(struct disk *d, struct disk_link *l, uint16_t q)
{
	const struct disk_queue *dq = &d->queues[q];
	const struct guest_ring *r = &dq->ring;
	const struct vu_vring_addr addr = {
		.index = q,
		.desc = guest_mem_user_addr(&d->mem, r->desc_gpa),
		.used = guest_mem_user_addr(&d->mem, r->device_gpa),
		.avail = guest_mem_user_addr(&d->mem, r->driver_gpa),
		.log = r->device_gpa,
	};
	int ret;

	ret = vu_fe_set_vring(&l->fe, VU_SET_VRING_NUM, q, r->size);
	if (ret == 0)
		ret = vu_fe_set_vring(&l->fe, VU_SET_VRING_BASE, q, dq->base);
	if (ret == 0)
		ret = vu_fe_request(&l->fe, VU_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0);
	if (ret == 0)
		ret = vu_fe_set_vring_fd(&l->fe, VU_SET_VRING_KICK, q, dq->kick);
	if (ret == 0)
		ret = vu_fe_set_vring_fd(&l->fe, VU_SET_VRING_CALL, q, dq->call);
	return ret;
}

int
disk_prepare(struct disk *d, unsigned int l)
{
	struct disk_link *link = &d->links[l];
	uint16_t q;
	int ret;

	ret = region_hand_over(d, link);
	if (ret == 0)
		ret = vu_fe_set_mem_table(&link->fe, &d->mem);
	/* as QEMU does: no ring runs before all are set up */
	for (q = 0; q < d->nb_vqs && ret == 0; q++)
		ret = vring_setup(d, link, q);
	for (q = 0; q < d->nb_vqs && ret == 0; q++)
		ret = vu_fe_set_vring(&link->fe, VU_SET_VRING_ENABLE, q, 1);
	return ret;
}

int
disk_run(struct disk *d, unsigned int l)
{
	const uint64_t one = 1;
	uint16_t q;
	int ret = status_set(d, &d->links[l], S_RUN);

	for (q = 0; q < d->nb_vqs && ret == 0; q++)
		if (write(d->queues[q].kick, &one, sizeof(one)) < 0 && errno != EAGAIN)
			ret = -errno;
	return ret;
}

int
disk_take_back(struct disk *d, unsigned int l)
{
	struct disk_link *link = &d->links[l];
	uint16_t q;
	int ret = 0;

	/* as QEMU does for a disk */
	for (q = 0; q < d->nb_vqs && ret == 0; q++)
		ret = vu_fe_set_vring(&link->fe, VU_SET_VRING_ENABLE, q, 0);
	for (q = 0; q < d->nb_vqs && ret == 0; q++)
		ret = vu_fe_get_vring_base(&link->fe, q, &d->queues[q].base);
	return ret == 0 ? status_set(d, link, 0) : ret;
}

void
disk_back_end_died(struct disk *d)
{
	uint16_t q;

	for (q = 0; q < d->nb_vqs; q++) {
		const struct guest_ring *r = &d->queues[q].ring;
		const struct vring_used *used = r->device;

		d->queues[q].base = d->conf.packed ? DISK_PACKED_FRESH_BASE :
			rte_atomic_load_explicit(&used->idx, rte_memory_order_acquire);
	}
}

/* ---- marks ---- */

static uint8_t *
mark_at(const struct disk *d, uint16_t q, uint16_t i)
{
	const uint64_t stride = d->geometry.mmap_size / d->nb_vqs;

	return d->region + q * stride + (d->conf.packed ? 32 + 32 * i : 16 + 16 * i);
}

unsigned int
disk_marks(const struct disk *d)
{
	unsigned int n = 0;
	uint16_t q, i;

	for (q = 0; q < d->nb_vqs && d->region != NULL; q++)
		for (i = 0; i < d->conf.ring_size; i++)
			n += *mark_at(d, q, i) == 1;
	return n;
}

bool
disk_region_get(const struct disk *d, struct disk_region *r)
{
	*r = (struct disk_region){ d->region, d->geometry.mmap_size / d->nb_vqs,
		d->nb_vqs, d->conf.ring_size, d->conf.packed };
	return d->region != NULL;
}
