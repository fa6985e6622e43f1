/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <time.h>

#include <rte_pause.h>

#include "ring/vstate_call.h"
#include "ring/vstate_dirty.h"
#include "ring/vstate_ring.h"
#include "ring/vstate_vq.h"
#include "vstate_class.h"
#include "vstate_clock.h"
#include "vstate_dev.h"
#include "vstate_log.h"
#include "vstate_quiesce.h"

/* ---- grant ---- */

static void
vq_grant(struct vstate_dev *dev, struct vstate_vq *vq)
{
	if (vstate_run_vq_blocks(dev, vq) != 0)
		return;
	vstate_ring_prime(vq);
	if (vq->dirty.base != NULL)
		vstate_dirty_flush(&vq->dirty);
	if (vq->call_due)
		vstate_call_send(vq);
	vq->call_due = false;
	vstate_lease_grant(&vq->lease);
}

static void
run_changed(struct vstate_dev *dev)
{
	if (dev->class->run_changed != NULL)
		dev->class->run_changed(dev);
}

static void
granted(struct vstate_dev *dev)
{
	if (dev->class->granted != NULL)
		dev->class->granted(dev);
}

void
vstate_grant(struct vstate_dev *dev)
{
	uint16_t i;

	run_changed(dev);
	for (i = 0; i < dev->nb_vqs; i++)
		vq_grant(dev, dev->vqs[i]);
	granted(dev);
}

void
vstate_grant_vq(struct vstate_dev *dev, struct vstate_vq *vq)
{
	run_changed(dev);
	vq_grant(dev, vq);
	granted(dev);
}

void
vstate_call_vq(struct vstate_dev *dev, struct vstate_vq *vq)
{
	if (vstate_run_is_blocked(dev, VSTATE_BLOCK_SUSPENDED | VSTATE_BLOCK_RINGS_TAKEN))
		vq->call_due = true;
	else
		vstate_call_send(vq);
}

/* ---- quiesce ---- */

/*
 * A burst takes microseconds. A thread that stays longer was descheduled, and may need this
 * processor to run again. A sleep frees the processor; a yield often does not.
 */
#define WAIT_SPIN_NS 20000
#define WAIT_SLEEP_NS 1000

/* Wait until no poll thread is inside. False: one is still inside at @p deadline. */
static bool
lease_wait(const struct vstate_lease *lease, uint64_t deadline)
{
	static const struct timespec pause = { .tv_nsec = WAIT_SLEEP_NS };
	uint64_t start = 0, now;

	while (vstate_lease_is_inside(lease)) {
		now = vstate_clock_ns();
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

/* False: a poll thread is still inside queue @p late_qid, which is written, at @p deadline. */
static bool
leases_wait(const struct vstate_dev *dev, uint64_t deadline, uint16_t *late_qid)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		if (lease_wait(&dev->vqs[i]->lease, deadline))
			continue;
		*late_qid = i;
		return false;
	}
	return true;
}

/* False: something other than a poll thread still touches the guest's memory at @p deadline. */
static bool
class_quiesce(struct vstate_dev *dev, struct vstate_vq *vq, bool finish, uint64_t deadline,
		uint16_t *late_qid)
{
	const uint64_t now = vstate_clock_ns();

	return dev->class->quiesce == NULL || dev->class->quiesce(dev, vq, finish,
			deadline > now ? deadline - now : 0, late_qid) == 0;
}

/*
 * Requests are completed before the front end takes a ring back, unless the front end carries them
 * to where the ring resumes. If the device is suspended on request, a state has them. If another
 * process owns the device, that process completes them.
 */
static bool
requests_must_finish(const struct vstate_dev *dev)
{
	return !dev->guest.inflight_carried && !vstate_run_is_blocked(dev,
			VSTATE_BLOCK_SUSPENDED | VSTATE_BLOCK_NOT_OWNER);
}

static int
queues_quiesce(struct vstate_dev *dev, bool finish, uint64_t timeout_ns, uint16_t *late_qid)
{
	bool granted[VSTATE_MAX_VQS];
	uint64_t deadline;
	uint16_t i;

	/* All leases first, then one barrier: one instant for the whole device. */
	for (i = 0; i < dev->nb_vqs; i++) {
		granted[i] = vstate_lease_is_granted(&dev->vqs[i]->lease);
		vstate_lease_revoke(&dev->vqs[i]->lease);
	}
	vstate_lease_barrier();

	deadline = vstate_clock_ns() + timeout_ns;
	if (leases_wait(dev, deadline, late_qid) &&
			class_quiesce(dev, NULL, finish, deadline, late_qid))
		return 0;
	for (i = 0; i < dev->nb_vqs; i++) {
		if (granted[i])
			vstate_lease_grant(&dev->vqs[i]->lease);
	}
	return -ETIMEDOUT;
}

int
vstate_quiesce(struct vstate_dev *dev, uint64_t timeout_ns, uint16_t *late_qid)
{
	return queues_quiesce(dev, false, timeout_ns, late_qid);
}

#define REPORT_PERIOD_NS 1000000000

static void
late_poller_report(const struct vstate_dev *dev, uint16_t qid, unsigned int seconds)
{
	VSTATE_LOG(WARNING, "%s: queue %u: its poll thread or its requests have not ended for %u s; "
			"the front end's message waits until they do", dev->name, qid, seconds);
}

void
vstate_quiesce_always(struct vstate_dev *dev)
{
	unsigned int seconds = 0;
	uint16_t qid;

	while (vstate_quiesce(dev, REPORT_PERIOD_NS, &qid) != 0)
		late_poller_report(dev, qid, ++seconds);
}

void
vstate_quiesce_finish(struct vstate_dev *dev)
{
	const bool finish = requests_must_finish(dev);
	unsigned int seconds = 0;
	uint16_t qid;

	while (queues_quiesce(dev, finish, REPORT_PERIOD_NS, &qid) != 0)
		late_poller_report(dev, qid, ++seconds);
}

void
vstate_quiesce_poll_of(struct vstate_dev *dev, struct vstate_vq *vq)
{
	unsigned int seconds = 0;

	vstate_lease_revoke(&vq->lease);
	vstate_lease_barrier();
	while (!lease_wait(&vq->lease, vstate_clock_ns() + REPORT_PERIOD_NS))
		late_poller_report(dev, vq->qid, ++seconds);
}

void
vstate_quiesce_vq(struct vstate_dev *dev, struct vstate_vq *vq, bool resumes)
{
	const bool finish = !resumes && requests_must_finish(dev);
	unsigned int seconds = 0;
	uint16_t qid = vq->qid;

	vstate_quiesce_poll_of(dev, vq);
	while (!class_quiesce(dev, vq, finish, vstate_clock_ns() + REPORT_PERIOD_NS, &qid))
		late_poller_report(dev, qid, ++seconds);
}

void
vstate_quiesce_poller(struct vstate_dev *dev)
{
	vstate_lease_revoke(&dev->poller_lease);
	vstate_lease_barrier();
	lease_wait(&dev->poller_lease, UINT64_MAX);
}
