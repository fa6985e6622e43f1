/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <linux/vhost_types.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_pause.h>
#include <rte_telemetry.h>

#include <vstate_compat.h>

#include "dev/vstate_clock.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_marks.h"
#include "ring/vstate_request.h"
#include "rte_vhost_state.h"
#include "vstate_blk.h"
#include "vstate_blk_conf.h"
#include "vstate_blk_open.h"
#include "vstate_blk_queue.h"
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

/* Time between two attempts to lock a file that another process still uses. */
#define LOCK_PERIOD_MS 1

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
	uint16_t i;
	int ret = 0;

	blk->wce = 1;
	blk->store = vstate_blk_open(dev->name, vstate_blk_conf_const(&dev->conf));
	if (blk->store == NULL)
		return -rte_errno;
	for (i = 0; i < dev->nb_vqs && ret == 0; i++)
		ret = vstate_blk_queue_init(vstate_blk_vq_of(dev->vqs[i]), blk->store);
	if (ret != 0)
		VSTATE_LOG(ERR, "%s: cannot prepare queue %u: %s", dev->name, i - 1,
				strerror(-ret));
	return ret;
}

void
vstate_blk_dev_fini(struct vstate_dev *dev)
{
	struct vstate_blk *blk = vstate_blk_of(dev);
	uint16_t i;

	if (blk->store == NULL)
		return;
	for (i = 0; i < dev->nb_vqs; i++)
		vstate_blk_queue_fini(vstate_blk_vq_of(dev->vqs[i]));
	blk->store->ops->close(blk->store);
	blk->store = NULL;
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
		.store = vstate_blk_of(dev)->store,
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
	const struct vstate_blk_store *store = blk->store;

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
	struct vstate_blk_store *store = vstate_blk_of(dev)->store;

	if (!vstate_blk_store_grow(store))
		return false;
	VSTATE_LOG(NOTICE, "%s: the file has grown: %" PRIu64 " bytes", dev->name, store->size);
	return true;
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

/* Another process may still have operations under way. Nothing is begun before they have ended. */
static bool
lock_try(struct vstate_dev *dev, struct vstate_blk *blk)
{
	const uint64_t now = rte_rdtsc();

	if (now < blk->lock_next)
		return false;
	blk->lock_next = now + LOCK_PERIOD_MS * (rte_get_tsc_hz() / MS_PER_S);
	if (vstate_blk_store_lock(blk->store) == 0) {
		if (blk->lock_waits)
			VSTATE_LOG(NOTICE, "%s: the file is free: requests are served", dev->name);
		blk->lock_waits = false;
		return true;
	}
	if (!blk->lock_waits)
		VSTATE_LOG(NOTICE, "%s: another process still uses the file: requests wait",
				dev->name);
	blk->lock_waits = true;
	return false;
}

/*
 * Lock the file inside a queue. A stop waits until no thread is inside, and then unlocks the file.
 * A thread that locks it later would keep the file from the process that serves it next.
 */
static bool
lock_take(struct vstate_dev *dev, struct vstate_blk *blk)
{
	bool locked;
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		if (!vstate_lease_take(&dev->vqs[i]->lease))
			continue;
		locked = vstate_blk_store_is_locked(blk->store) || lock_try(dev, blk);
		vstate_lease_give(&dev->vqs[i]->lease);
		return locked;
	}
	return false;
}

uint32_t
vstate_blk_poll(struct vstate_dev *dev)
{
	struct vstate_blk *blk = vstate_blk_of(dev);
	uint32_t n = 0;
	uint16_t i;

	if (unlikely(!vstate_blk_store_is_locked(blk->store)) && !lock_take(dev, blk))
		return 0;
	for (i = 0; i < dev->nb_vqs; i++)
		n += vstate_blk_queue_poll(vstate_blk_vq_of(dev->vqs[i]));
	return n;
}

/* ---- a stop ---- */

/* Time between two looks while the store ends its operations. */
#define DRAIN_SPIN_NS 20000
#define DRAIN_SLEEP_NS 5000

/* @return whether the queues (or queue) are drained; else @p late is one that is not */
static bool
queues_drain(struct vstate_dev *dev, struct vstate_vq *vq, bool finish, uint16_t *late)
{
	bool drained = true;
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		if ((vq != NULL && vq != dev->vqs[i]) ||
				vstate_blk_queue_drain(vstate_blk_vq_of(dev->vqs[i]), finish))
			continue;
		*late = i;
		drained = false;
	}
	return drained;
}

static int
queues_requeue(struct vstate_dev *dev, struct vstate_vq *vq)
{
	uint16_t i;
	int ret;

	for (i = 0; i < dev->nb_vqs; i++) {
		if (vq != NULL && vq != dev->vqs[i])
			continue;
		ret = vstate_request_requeue(dev->vqs[i]);
		if (ret != 0)
			return ret;
	}
	return 0;
}

static void
late_report(const struct vstate_dev *dev, uint16_t qid, uint64_t waited_ns)
{
	char text[96];

	vstate_blk_queue_oldest(vstate_blk_vq_of(dev->vqs[qid]), text, sizeof(text));
	VSTATE_LOG(ERR, "%s: queue %u: %u requests have not ended for %" PRIu64 " ms; the oldest "
			"is a %s", dev->name, qid, vstate_blk_vq_of(dev->vqs[qid])->nb_out,
			waited_ns / 1000000, text);
}

/*
 * Requests that wait can only be completed with the lock, which another process does not give back.
 * Nothing of them is under way. They stay marked in flight.
 */
static void
lock_give_up(const struct vstate_dev *dev, uint16_t qid, uint64_t waited_ns)
{
	VSTATE_LOG(ERR, "%s: queue %u: another process uses the file since %" PRIu64 " ms: %u "
			"requests are not completed before the stop, and stay in flight",
			dev->name, qid, waited_ns / 1000000,
			vstate_inflight_count(dev->vqs[qid]));
}

int
vstate_blk_quiesce(struct vstate_dev *dev, struct vstate_vq *vq, bool finish,
		uint64_t timeout_ns, uint16_t *late_qid)
{
	static const struct timespec pause = { .tv_nsec = DRAIN_SLEEP_NS };
	const uint64_t start = vstate_clock_ns();
	struct vstate_blk *blk = vstate_blk_of(dev);
	uint64_t waited;

	while (!queues_drain(dev, vq, finish, late_qid)) {
		waited = vstate_clock_ns() - start;
		/* without the lock nothing is under way, and nothing may be begun */
		if (finish && vstate_blk_store_lock(blk->store) != 0 && waited >= timeout_ns) {
			lock_give_up(dev, *late_qid, waited);
			finish = false;
			continue;
		}
		if (waited >= timeout_ns) {
			late_report(dev, *late_qid, waited);
			queues_requeue(dev, vq);
			return -ETIMEDOUT;
		}
		if (waited < DRAIN_SPIN_NS)
			rte_pause();
		else
			nanosleep(&pause, NULL);
	}
	if (queues_requeue(dev, vq) != 0) {
		*late_qid = vq != NULL ? vq->qid : 0;
		VSTATE_LOG(ERR, "%s: no memory for the list of requests in flight", dev->name);
		return -ETIMEDOUT;
	}
	if (vq == NULL) {
		vstate_blk_store_unlock(blk->store);
		blk->lock_next = 0;
	}
	return 0;
}

/* ---- state ---- */

void
vstate_blk_capture(const struct vstate_dev *dev, struct rte_vhost_state *st)
{
	const struct vstate_blk *blk = vstate_blk_of_const(dev);
	const struct vstate_blk_counters *c;
	uint16_t i;

	st->blk.capacity = size_get(blk->store) / VSTATE_BLK_SECTOR;
	st->blk.blk_size = blk->store->blk_size;
	st->blk.read_only = blk->store->ro;
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
	const struct vstate_blk_store *store = vstate_blk_of_const(dev)->store;

	lim->blk_capacity = size_get(store) / VSTATE_BLK_SECTOR;
	lim->blk_size = store->blk_size;
	lim->blk_read_only = store->ro;
}

void
vstate_blk_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d)
{
	const struct vstate_blk *blk = vstate_blk_of_const(dev);

	rte_tel_data_add_dict_string(d, "store", blk->store->ops->name);
	vstate_tel_dict_uint(d, "capacity_bytes", size_get(blk->store));
	vstate_tel_dict_uint(d, "write_cache", wce_get(blk));
	vstate_tel_dict_uint(d, "file_locked", vstate_blk_store_is_locked(blk->store));
}
