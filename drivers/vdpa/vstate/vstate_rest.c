/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file The control thread's side of the leases: grant, take back, wait. See vstate_lease.h. */

#include <errno.h>
#include <sched.h>

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
	return dev->started && !dev->paused && dev->poller != VSTATE_POLLER_NONE &&
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

void
vstate_dev_grant(struct vstate_dev *dev)
{
	struct vstate_vq *vq;
	uint16_t i;

	/* No one is inside: a poll thread reads it after it has taken a lease. */
	__atomic_store_n(&dev->active_pairs, count_active_pairs(dev), __ATOMIC_RELAXED);
	for (i = 0; i < dev->nb_vqs; i++) {
		vq = dev->vqs[i];
		if (!vq_may_run(dev, vq))
			continue;
		vq->ops->on_grant(vq);
		if (vq->dirty.base != NULL)
			vstate_dirty_flush(&vq->dirty);
		vstate_lease_grant(&vq->lease);
	}
}

/*
 * Wait until no one is inside. A burst takes microseconds; a thread that stays longer was
 * descheduled, and may need this very processor to come back.
 */
#define WAIT_SPINS 2000

static bool
lease_wait(const struct vstate_lease *lease, uint64_t deadline)
{
	unsigned int spins = 0;

	while (vstate_lease_is_inside(lease)) {
		if (++spins < WAIT_SPINS) {
			rte_pause();
			continue;
		}
		if (now_ns() > deadline)
			return false;
		sched_yield();
	}
	return true;
}

int
vstate_dev_rest(struct vstate_dev *dev, uint64_t timeout_ns, uint16_t *late_qid)
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

/*
 * Take all leases back, whatever it takes: what follows frees memory that a poll thread
 * uses. Each second of waiting is told.
 */
void
vstate_dev_rest_always(struct vstate_dev *dev)
{
	unsigned int seconds = 0;
	uint16_t qid;

	while (vstate_dev_rest(dev, 1000000000, &qid) != 0)
		VSTATE_LOG(WARNING, "%s: queue %u is busy for %u s: its poll thread does not return",
				dev->name, qid, ++seconds);
}

void
vstate_service_lease_revoke(struct vstate_dev *dev)
{
	vstate_lease_revoke(&dev->service_lease);
	vstate_lease_barrier();
	lease_wait(&dev->service_lease, UINT64_MAX);
}
