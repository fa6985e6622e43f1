/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include <linux/vhost_types.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_errno.h>
#include <rte_telemetry.h>

#include <vstate_compat.h>

#include "ring/vstate_marks.h"
#include "rte_vhost_state.h"
#include "vstate_blk.h"
#include "vstate_blk_conf.h"
#include "vstate_blk_open.h"
#include "vstate_blk_request.h"
#include "vstate_blk_store.h"
#include "vstate_blk_vq.h"
#include "vstate_log.h"

/* vhost-user's own feature bit; it is not the guest's. */
#ifndef VHOST_USER_F_PROTOCOL_FEATURES
#define VHOST_USER_F_PROTOCOL_FEATURES 30
#endif

#define BLK_FEATURES \
	(RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_F_RING_PACKED) | \
	 RTE_BIT64(VIRTIO_F_ANY_LAYOUT) | RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC) | \
	 RTE_BIT64(VIRTIO_RING_F_EVENT_IDX) | RTE_BIT64(VIRTIO_BLK_F_SIZE_MAX) | \
	 RTE_BIT64(VIRTIO_BLK_F_SEG_MAX) | RTE_BIT64(VIRTIO_BLK_F_BLK_SIZE) | \
	 RTE_BIT64(VIRTIO_BLK_F_TOPOLOGY) | RTE_BIT64(VIRTIO_BLK_F_FLUSH) | \
	 RTE_BIT64(VIRTIO_BLK_F_CONFIG_WCE) | RTE_BIT64(VIRTIO_BLK_F_MQ) | \
	 RTE_BIT64(VHOST_F_LOG_ALL) | RTE_BIT64(VHOST_USER_F_PROTOCOL_FEATURES))

#define DISCARD_FEATURES \
	(RTE_BIT64(VIRTIO_BLK_F_DISCARD) | RTE_BIT64(VIRTIO_BLK_F_WRITE_ZEROES))

static struct vstate_blk_store *
store_of(const struct vstate_blk *blk)
{
	return blk->serve.stores[0];
}

static uint64_t
size_get(const struct vstate_blk_store *store)
{
	return rte_atomic_load_explicit(&store->size, rte_memory_order_relaxed);
}

static uint8_t
wce_get(const struct vstate_blk *blk)
{
	return rte_atomic_load_explicit(&blk->wce, rte_memory_order_relaxed);
}

static void
wce_set(struct vstate_blk *blk, uint8_t wce)
{
	rte_atomic_store_explicit(&blk->wce, wce, rte_memory_order_relaxed);
}

uint64_t
vstate_blk_features(const struct vstate_conf *conf)
{
	return BLK_FEATURES | (vstate_blk_conf_const(conf)->ro ? RTE_BIT64(VIRTIO_BLK_F_RO) :
		DISCARD_FEATURES);
}

int
vstate_blk_dev_init(struct vstate_dev *dev)
{
	struct vstate_blk *blk = vstate_blk_of(dev);

	blk->wce = 1;
	blk->serve.stores[0] = vstate_blk_open(dev->name, vstate_blk_conf_const(&dev->conf));
	if (blk->serve.stores[0] == NULL)
		return -rte_errno;
	blk->serve.nb_stores = 1;
	return vstate_blk_serve_init(dev, &blk->serve, &vstate_blk_request_protocol);
}

void
vstate_blk_dev_fini(struct vstate_dev *dev)
{
	vstate_blk_serve_fini(dev, &vstate_blk_of(dev)->serve);
}

/* ---- set-up ---- */

/* The write cache is off if the driver turned it off, or knows of no cache. */
static bool
is_write_through(const struct vstate_dev *dev)
{
	const uint64_t f = dev->guest.features;

	return !(f & RTE_BIT64(VIRTIO_BLK_F_FLUSH)) || ((f & RTE_BIT64(VIRTIO_BLK_F_CONFIG_WCE)) &&
		wce_get(vstate_blk_of_const(dev)) == 0);
}

void
vstate_blk_vq_setup(struct vstate_dev *dev, struct vstate_vq *vq)
{
	struct vstate_blk_vq *q = vstate_blk_vq_of(vq);
	const uint64_t f = dev->guest.features;

	q->rules = (struct vstate_blk_rules){
		.store = store_of(vstate_blk_of(dev)),
		.serial = vstate_blk_conf_const(&dev->conf)->serial,
		.flush = f & RTE_BIT64(VIRTIO_BLK_F_FLUSH),
		.discard = f & RTE_BIT64(VIRTIO_BLK_F_DISCARD),
		.write_zeroes = f & RTE_BIT64(VIRTIO_BLK_F_WRITE_ZEROES),
		.write_through = is_write_through(dev),
	};
	if (vstate_marks_setup(vq) != 0)
		VSTATE_LOG(ERR, "%s: queue %u is not served: no memory for marks of %u requests",
				dev->name, vq->qid, vq->size);
}

void
vstate_blk_reset(struct vstate_dev *dev)
{
	wce_set(vstate_blk_of(dev), 1);
}

/* ---- config space ---- */

static uint8_t
log2_get(uint32_t n)
{
	return rte_bsf32(n);
}

static void
config_fill(const struct vstate_dev *dev, struct virtio_blk_config *c)
{
	const struct vstate_blk *blk = vstate_blk_of_const(dev);
	const struct vstate_blk_store *store = store_of(blk);

	c->capacity = rte_cpu_to_le_64(size_get(store) / VSTATE_BLK_SECTOR);
	c->size_max = rte_cpu_to_le_32(VSTATE_BLK_SIZE_MAX);
	c->seg_max = rte_cpu_to_le_32(VSTATE_BLK_SEG_MAX);
	c->blk_size = rte_cpu_to_le_32(store->blk_size);
	c->physical_block_exp = log2_get(store->phys_size) - log2_get(store->blk_size);
	c->min_io_size = rte_cpu_to_le_16(store->phys_size / store->blk_size);
	c->wce = wce_get(blk);
	c->num_queues = rte_cpu_to_le_16(dev->nb_vqs);
	if (!store->can_discard)
		return;
	c->max_discard_sectors = rte_cpu_to_le_32(VSTATE_BLK_RANGE_MAX);
	c->max_discard_seg = rte_cpu_to_le_32(1);
	c->discard_sector_alignment = rte_cpu_to_le_32(store->phys_size / VSTATE_BLK_SECTOR);
	c->max_write_zeroes_sectors = rte_cpu_to_le_32(VSTATE_BLK_RANGE_MAX);
	c->max_write_zeroes_seg = rte_cpu_to_le_32(1);
	c->write_zeroes_may_unmap = 1;
}

int
vstate_blk_config_get(const struct vstate_dev *dev, uint8_t *config, uint32_t size)
{
	/* longer than the space that some front ends ask for: fields that are not known are 0 */
	uint8_t space[256] = { 0 };
	struct virtio_blk_config c;

	if (size > sizeof(space))
		return -EINVAL;
	memset(&c, 0, sizeof(c));
	config_fill(dev, &c);
	memcpy(space, &c, sizeof(c));
	memcpy(config, space, size);
	return 0;
}

/* A driver writes nothing but the write cache (VIRTIO 1.4 "Block Device"). */
int
vstate_blk_config_set(struct vstate_dev *dev, const uint8_t *config, uint32_t offset,
		uint32_t size)
{
	uint16_t i;

	if (offset != offsetof(struct virtio_blk_config, wce) || size != 1 || config[0] > 1)
		return -EINVAL;
	if (!(dev->guest.features & RTE_BIT64(VIRTIO_BLK_F_CONFIG_WCE)))
		return -ENOTSUP;
	wce_set(vstate_blk_of(dev), config[0]);
	for (i = 0; i < dev->nb_vqs; i++)
		rte_atomic_store_explicit(&vstate_blk_vq_of(dev->vqs[i])->rules.write_through,
				is_write_through(dev), rte_memory_order_relaxed);
	return 0;
}

bool
vstate_blk_watch(struct vstate_dev *dev)
{
	return vstate_blk_serve_watch(dev, &vstate_blk_of(dev)->serve) != 0;
}

/* ---- poll ---- */

int
vstate_blk_poll_init(struct vstate_dev *dev, int socket)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(socket);
	return 0;
}

void
vstate_blk_poll_fini(struct vstate_dev *dev)
{
	RTE_SET_USED(dev);
}

uint32_t
vstate_blk_poll(struct vstate_dev *dev)
{
	return vstate_blk_serve_poll(dev, &vstate_blk_of(dev)->serve);
}

int
vstate_blk_quiesce(struct vstate_dev *dev, struct vstate_vq *vq, bool finish,
		uint64_t timeout_ns, uint16_t *late_qid)
{
	return vstate_blk_serve_quiesce(dev, &vstate_blk_of(dev)->serve, vq, finish, timeout_ns,
			late_qid);
}

/* ---- state ---- */

void
vstate_blk_capture(const struct vstate_dev *dev, struct rte_vhost_state *st)
{
	const struct vstate_blk *blk = vstate_blk_of_const(dev);
	const struct vstate_blk_counters *c;
	uint16_t i;

	st->blk.capacity = size_get(store_of(blk)) / VSTATE_BLK_SECTOR;
	st->blk.blk_size = store_of(blk)->blk_size;
	st->blk.read_only = store_of(blk)->ro;
	st->blk.write_cache = wce_get(blk);
	for (i = 0; i < dev->nb_vqs; i++) {
		if (dev->vqs[i]->size == 0)
			continue;
		c = &vstate_blk_vq_of(dev->vqs[i])->counters;
		st->vqs[i].stats.packets = c->reads + c->writes + c->flushes + c->discards +
			c->write_zeroes + c->get_ids;
		st->vqs[i].stats.bytes = c->read_bytes + c->write_bytes;
	}
}

int
vstate_blk_restore(struct vstate_dev *dev, struct rte_vhost_state *st)
{
	uint16_t i;

	wce_set(vstate_blk_of(dev), st->blk.write_cache);
	for (i = 0; i < dev->nb_vqs; i++)
		vstate_blk_vq_of(dev->vqs[i])->rules.write_through = is_write_through(dev);
	return 0;
}

void
vstate_blk_limits(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim)
{
	const struct vstate_blk_store *store = store_of(vstate_blk_of_const(dev));

	lim->blk_capacity = size_get(store) / VSTATE_BLK_SECTOR;
	lim->blk_size = store->blk_size;
	lim->blk_read_only = store->ro;
}

void
vstate_blk_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d)
{
	const struct vstate_blk *blk = vstate_blk_of_const(dev);

	rte_tel_data_add_dict_string(d, "store", store_of(blk)->ops->name);
	vstate_tel_dict_uint(d, "capacity_bytes", size_get(store_of(blk)));
	vstate_tel_dict_uint(d, "write_cache", wce_get(blk));
	vstate_tel_dict_uint(d, "file_locked", vstate_blk_serve_is_locked(&blk->serve));
}
