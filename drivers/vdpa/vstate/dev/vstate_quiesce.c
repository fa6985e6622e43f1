/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file The control thread's side of the leases: grant, take back, wait. See vstate_lease.h. */

#include <errno.h>
#include <time.h>

#include <rte_cycles.h>

#include "vstate_dev.h"
#include "vstate_log.h"

#define S_DRIVER_OK RTE_VHOST_STATE_S_DRIVER_OK
#define S_SUSPEND RTE_VHOST_STATE_S_SUSPEND

static uint64_t
now_ns(void)
{
	return rte_get_timer_cycles() * (1e9 / rte_get_timer_hz());
}

static bool
vq_may_run(const struct vstate_dev *dev, const struct vstate_vq *vq)
{
	return dev->started && !dev->paused && !dev->leaving && dev->poller != VSTATE_POLLER_NONE &&
		(dev->status & S_DRIVER_OK) && !(dev->status & S_SUSPEND) && vq->ready;
}

/* Pairs from 0 on of which both queues may run; what a port spreads its queues over. */
static uint16_t
count_active_pairs(const struct vstate_dev *dev)
{
	uint16_t pair;

	for (pair = 0; pair < dev->nb_vqs / 2; pair++) {
		if (!vq_may_run(dev, dev->vqs[VSTATE_RXQ(pair)]))
			break;
	}
	return pair;
}

/*
 * A poll thread that reads an old one finds a queue without a lease, as if it came too early.
 * Release: who reads it looks at frames by the ring code of a queue before there is a lease.
 * Partner: the load in vstate_port_tx().
 */
static void
active_pairs_store(struct vstate_dev *dev)
{
	__atomic_store_n(&dev->active_pairs, count_active_pairs(dev), __ATOMIC_RELEASE);
}

static void
vq_grant(struct vstate_dev *dev, struct vstate_vq *vq)
{
	if (!vq_may_run(dev, vq))
		return;
	vq->ops->on_grant(vq);
	if (vq->dirty.base != NULL)
		vstate_dirty_flush(&vq->dirty);
	if (vq->call_due)
		vstate_vq_call(vq);
	vq->call_due = false;
	vstate_lease_grant(&vq->lease);
}

void
vstate_dev_call_vq(struct vstate_dev *dev, struct vstate_vq *vq)
{
	if (dev->status & S_SUSPEND)
		vq->call_due = true;
	else
		vstate_vq_call(vq);
}

void
vstate_grant(struct vstate_dev *dev)
{
	uint16_t i;

	active_pairs_store(dev);
	for (i = 0; i < dev->nb_vqs; i++)
		vq_grant(dev, dev->vqs[i]);
}

void
vstate_grant_vq(struct vstate_dev *dev, struct vstate_vq *vq)
{
	active_pairs_store(dev);
	vq_grant(dev, vq);
}

/*
 * A burst takes microseconds. A thread that stays longer was descheduled, and may need this very
 * processor to come back: to sleep gives it away, to yield mostly does not.
 */
#define WAIT_SPIN_NS 20000
#define WAIT_SLEEP_NS 1000

/* Wait until no one is inside. */
static bool
lease_wait(const struct vstate_lease *lease, uint64_t deadline)
{
	static const struct timespec pause = { .tv_nsec = WAIT_SLEEP_NS };
	uint64_t start = 0, now;

	while (vstate_lease_is_inside(lease)) {
		now = now_ns();
		if (start == 0)
			start = now;
		if (now - start < WAIT_SPIN_NS)
			rte_pause();
		else if (now < deadline)
			nanosleep(&pause, NULL);
		else
			return false;
	}
	return true;
}

int
vstate_quiesce(struct vstate_dev *dev, uint64_t timeout_ns, uint16_t *late_qid)
{
	bool granted[VSTATE_MAX_VQS];
	uint64_t deadline;
	uint16_t i, j;

	for (i = 0; i < dev->nb_vqs; i++) {
		granted[i] = vstate_lease_is_granted(&dev->vqs[i]->lease);
		vstate_lease_revoke(&dev->vqs[i]->lease);
	}
	vstate_lease_barrier();

	deadline = now_ns() + timeout_ns;
	for (i = 0; i < dev->nb_vqs; i++) {
		if (!lease_wait(&dev->vqs[i]->lease, deadline))
			break;
	}
	if (i == dev->nb_vqs)
		return 0;
	for (j = 0; j < dev->nb_vqs; j++) {
		if (granted[j])
			vstate_lease_grant(&dev->vqs[j]->lease);
	}
	*late_qid = i;
	return -ETIMEDOUT;
}

#define TELL_PERIOD_NS 1000000000

static void
tell_busy(const struct vstate_dev *dev, uint16_t qid, unsigned int seconds)
{
	VSTATE_LOG(WARNING, "%s: queue %u is busy for %u s: its poll thread does not return",
			dev->name, qid, seconds);
}

/*
 * Take all leases back, whatever it takes: what follows frees memory that a poll thread
 * uses. Each second of waiting is told.
 */
void
vstate_quiesce_always(struct vstate_dev *dev)
{
	unsigned int seconds = 0;
	uint16_t qid;

	while (vstate_quiesce(dev, TELL_PERIOD_NS, &qid) != 0)
		tell_busy(dev, qid, ++seconds);
}

void
vstate_quiesce_vq(struct vstate_dev *dev, struct vstate_vq *vq)
{
	unsigned int seconds = 0;

	vstate_lease_revoke(&vq->lease);
	vstate_lease_barrier();
	while (!lease_wait(&vq->lease, now_ns() + TELL_PERIOD_NS))
		tell_busy(dev, vq->qid, ++seconds);
}

void
vstate_poller_lease_revoke(struct vstate_dev *dev)
{
	vstate_lease_revoke(&dev->poller_lease);
	vstate_lease_barrier();
	lease_wait(&dev->poller_lease, UINT64_MAX);
}
