/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <rte_bitops.h>
#include <rte_cycles.h>
#include <rte_pause.h>

#include "dev/vstate_clock.h"
#include "dev/vstate_dev.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_marks.h"
#include "ring/vstate_request.h"
#include "vstate_blk_queue.h"
#include "vstate_blk_serve.h"
#include "vstate_blk_store.h"
#include "vstate_log.h"

/* Time between two attempts to lock a file that another process still uses. */
#define LOCK_PERIOD_MS 1

int
vstate_blk_serve_init(struct vstate_dev *dev, struct vstate_blk_serve *s,
		const struct vstate_blk_protocol *protocol)
{
	uint16_t i;
	int ret = 0;

	for (i = s->first_qid; i < dev->nb_vqs && ret == 0; i++)
		ret = vstate_blk_queue_init(vstate_blk_vq_of(dev->vqs[i]), protocol, s->stores,
				s->nb_stores);
	if (ret != 0)
		VSTATE_LOG(ERR, "%s: cannot prepare queue %u: %s", dev->name, i - 1,
				strerror(-ret));
	return ret;
}

void
vstate_blk_serve_fini(struct vstate_dev *dev, struct vstate_blk_serve *s)
{
	uint16_t i;

	for (i = s->first_qid; i < dev->nb_vqs; i++)
		vstate_blk_queue_fini(vstate_blk_vq_of(dev->vqs[i]));
	for (i = 0; i < s->nb_stores; i++)
		s->stores[i]->ops->close(s->stores[i]);
	s->nb_stores = 0;
}

/* ---- locks ---- */

/* The first store is locked last: if it is locked, all are. */
bool
vstate_blk_serve_is_locked(const struct vstate_blk_serve *s)
{
	return s->nb_stores != 0 && vstate_blk_store_is_locked(s->stores[0]);
}

static void
stores_unlock(struct vstate_blk_serve *s)
{
	uint16_t i;

	for (i = 0; i < s->nb_stores; i++)
		vstate_blk_store_unlock(s->stores[i]);
}

/*
 * Lock all files or none. Two processes that each hold a part of them would wait for each other.
 */
static int
stores_lock(struct vstate_blk_serve *s)
{
	uint16_t i;
	int ret;

	if (vstate_blk_serve_is_locked(s))
		return 0;
	for (i = s->nb_stores; i-- > 0; ) {
		ret = vstate_blk_store_lock(s->stores[i]);
		if (ret != 0) {
			stores_unlock(s);
			return ret;
		}
	}
	return 0;
}

/* Another process may still have operations under way. Nothing is begun before they have ended. */
static bool
lock_try(struct vstate_dev *dev, struct vstate_blk_serve *s)
{
	const uint64_t now = rte_rdtsc();

	if (now < s->lock_next)
		return false;
	s->lock_next = now + LOCK_PERIOD_MS * (rte_get_tsc_hz() / MS_PER_S);
	if (stores_lock(s) == 0) {
		if (s->lock_waits)
			VSTATE_LOG(NOTICE, "%s: the file is free: requests are served", dev->name);
		s->lock_waits = false;
		return true;
	}
	if (!s->lock_waits)
		VSTATE_LOG(NOTICE, "%s: another process still uses the file: requests wait",
				dev->name);
	s->lock_waits = true;
	return false;
}

/*
 * Lock the files inside a queue. A stop waits until no thread is inside, and then unlocks the
 * files. A thread that locks them later would keep them from the process that serves them next.
 */
static bool
lock_take(struct vstate_dev *dev, struct vstate_blk_serve *s)
{
	bool locked;
	uint16_t i;

	for (i = s->first_qid; i < dev->nb_vqs; i++) {
		if (!vstate_lease_take(&dev->vqs[i]->lease))
			continue;
		locked = vstate_blk_serve_is_locked(s) || lock_try(dev, s);
		vstate_lease_give(&dev->vqs[i]->lease);
		return locked;
	}
	return false;
}

/* ---- poll ---- */

uint32_t
vstate_blk_serve_poll(struct vstate_dev *dev, struct vstate_blk_serve *s)
{
	uint32_t n = 0;
	uint16_t i;

	if (unlikely(!vstate_blk_serve_is_locked(s)) && !lock_take(dev, s))
		return 0;
	for (i = s->first_qid; i < dev->nb_vqs; i++)
		n += vstate_blk_queue_poll(vstate_blk_vq_of(dev->vqs[i]));
	return n;
}

uint32_t
vstate_blk_serve_watch(struct vstate_dev *dev, struct vstate_blk_serve *s)
{
	uint32_t grown = 0;
	uint16_t i;

	for (i = 0; i < s->nb_stores; i++) {
		if (!vstate_blk_store_grow(s->stores[i]))
			continue;
		grown |= RTE_BIT32(i);
		VSTATE_LOG(NOTICE, "%s: the file has grown: %" PRIu64 " bytes", dev->name,
				s->stores[i]->size);
	}
	return grown;
}

/* ---- a stop ---- */

/* Time between two looks while the store ends its operations. */
#define DRAIN_SPIN_NS 20000
#define DRAIN_SLEEP_NS 5000

/* @return whether the queues (or queue) are drained; else @p late is one that is not */
static bool
queues_drain(struct vstate_dev *dev, const struct vstate_blk_serve *s, const struct vstate_vq *vq,
		bool finish, uint16_t *late)
{
	bool drained = true;
	uint16_t i;

	for (i = s->first_qid; i < dev->nb_vqs; i++) {
		if ((vq != NULL && vq != dev->vqs[i]) ||
				vstate_blk_queue_drain(vstate_blk_vq_of(dev->vqs[i]), finish))
			continue;
		*late = i;
		drained = false;
	}
	if (!drained || s->drain_own == NULL || (vq != NULL && vq->qid >= s->first_qid) ||
			s->drain_own(dev, vq, finish))
		return drained;
	*late = 0;
	return false;
}

static int
queues_requeue(struct vstate_dev *dev, const struct vstate_vq *vq)
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
late_report(const struct vstate_dev *dev, const struct vstate_blk_serve *s, uint16_t qid,
		uint64_t waited_ns)
{
	char text[96];

	if (qid < s->first_qid) {
		VSTATE_LOG(ERR, "%s: queue %u: a request waits for others since %" PRIu64 " ms",
				dev->name, qid, waited_ns / 1000000);
		return;
	}
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
vstate_blk_serve_quiesce(struct vstate_dev *dev, struct vstate_blk_serve *s, struct vstate_vq *vq,
		bool finish, uint64_t timeout_ns, uint16_t *late_qid)
{
	static const struct timespec pause = { .tv_nsec = DRAIN_SLEEP_NS };
	const uint64_t start = vstate_clock_ns();
	uint64_t waited;

	while (!queues_drain(dev, s, vq, finish, late_qid)) {
		waited = vstate_clock_ns() - start;
		/* without the lock nothing is under way, and nothing may be begun */
		if (finish && stores_lock(s) != 0 && waited >= timeout_ns) {
			lock_give_up(dev, *late_qid, waited);
			finish = false;
			continue;
		}
		if (waited >= timeout_ns) {
			late_report(dev, s, *late_qid, waited);
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
		stores_unlock(s);
		s->lock_next = 0;
	}
	return 0;
}
