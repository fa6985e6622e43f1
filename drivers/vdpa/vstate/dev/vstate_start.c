/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include <vstate_compat.h>

#include "ring/vstate_call.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_kick.h"
#include "ring/vstate_vq.h"
#include "rte_vhost_state.h"
#include "vstate_broken.h"
#include "vstate_class.h"
#include "vstate_control.h"
#include "vstate_dev.h"
#include "vstate_link.h"
#include "vstate_quiesce.h"
#include "vstate_restore.h"
#include "vstate_setup.h"
#include "vstate_start.h"
#include "vstate_state.h"
#include "vstate_vq_setup.h"

#define S_DRIVER_OK RTE_VHOST_STATE_S_DRIVER_OK
#define S_SUSPEND RTE_VHOST_STATE_S_SUSPEND
#define S_FEATURES_OK RTE_VHOST_STATE_S_FEATURES_OK

static void
kept_drop(struct vstate_dev *dev)
{
	rte_vhost_state_free(dev->resume_point.kept);
	dev->resume_point.kept = NULL;
}

/* ---- rings that will run ---- */

static void
ring_await(struct vstate_dev *dev, uint16_t qid, bool awaited)
{
	rte_atomic_store_explicit(&dev->guest.announced[qid].is_awaited, awaited,
			rte_memory_order_relaxed);
}

void
vstate_start_await_none(struct vstate_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++)
		ring_await(dev, i, false);
}

bool
vstate_start_ring_is_awaited(const struct vstate_dev *dev, uint16_t qid)
{
	return rte_atomic_load_explicit(&dev->guest.announced[qid].is_awaited,
			rte_memory_order_relaxed);
}

/* ---- connect and disconnect ---- */

static int
do_connect(struct vstate_dev *dev, void *arg)
{
	uint16_t i;

	RTE_SET_USED(arg);
	vstate_run_unblock(dev, VSTATE_BLOCK_NOT_CONNECTED);
	vstate_run_status_set(dev, 0);
	if (dev->class->connect != NULL)
		dev->class->connect(dev);
	memset(dev->guest.announced, 0, sizeof(dev->guest.announced));
	for (i = 0; i < dev->nb_vqs; i++) {
		/* queues of the previous guest do not belong to the state of this guest */
		dev->vqs[i]->size = 0;
		dev->vqs[i]->call_due = false;
		dev->vqs[i]->taken_back = false;
		vstate_call_allow(dev->vqs[i]);
		vstate_inflight_drop(dev->vqs[i]);
	}
	return 0;
}

/*
 * The front end took the rings back: suspend the device until the front end starts it again. The
 * state is kept, because QEMU takes the rings back, resets the status, and only then asks for the
 * state.
 */
static void
rings_take_back(struct vstate_dev *dev, bool leave)
{
	const uint8_t status = vstate_run_status(dev);

	if (status & S_DRIVER_OK) {
		vstate_run_block(dev, VSTATE_BLOCK_RINGS_TAKEN);
		vstate_run_status_set(dev, (status & ~S_DRIVER_OK) | S_SUSPEND);
	}
	kept_drop(dev);
	dev->resume_point.kept = vstate_state_collect(dev);
	if (!vstate_run_is_blocked(dev, VSTATE_BLOCK_NOT_OWNER))
		vstate_resume_point_leave(dev, leave);
}

static int
do_end(struct vstate_dev *dev, void *arg)
{
	const bool *leave = arg;
	uint16_t i;

	if (*leave)
		vstate_quiesce_always(dev);
	else
		vstate_quiesce_finish(dev);
	if (vstate_run_is_started(dev))
		rings_take_back(dev, *leave);
	vstate_run_block(dev, VSTATE_BLOCK_NOT_STARTED);
	vstate_restore_drop(dev);
	vstate_start_await_none(dev);
	for (i = 0; i < dev->nb_vqs; i++) {
		dev->vqs[i]->taken_back |= vstate_run_vq_is_ready(dev->vqs[i]);
		vstate_run_vq_block(dev->vqs[i], VSTATE_BLOCK_NOT_READY);
		dev->vqs[i]->dirty.base = NULL;
	}
	vstate_grant(dev);
	vstate_link_update(dev);
	return 0;
}

static int
do_disconnect(struct vstate_dev *dev, void *arg)
{
	uint16_t i;

	do_end(dev, arg);
	vstate_broken_clear(dev);
	vstate_run_status_set(dev, 0);
	vstate_run_block(dev, VSTATE_BLOCK_NOT_CONNECTED);
	vstate_run_unblock(dev, VSTATE_BLOCK_MESSAGE);
	dev->guest.features = 0;
	kept_drop(dev);
	if (dev->class->disconnect != NULL)
		dev->class->disconnect(dev);
	vstate_resume_point_disconnect(dev);
	for (i = 0; i < dev->nb_vqs; i++) {
		vstate_call_fd_set(dev->vqs[i], -1);
		vstate_kick_fd_set(dev->vqs[i], -1);
	}
	return 0;
}

void
vstate_start_connect(struct vstate_dev *dev)
{
	vstate_control_run(do_connect, dev, NULL);
}

void
vstate_start_disconnect(struct vstate_dev *dev, bool leave)
{
	vstate_control_run(do_disconnect, dev, &leave);
}

void
vstate_start_end(struct vstate_dev *dev, bool leave)
{
	vstate_control_run(do_end, dev, &leave);
}

/* ---- messages before the start ---- */

struct negotiation {
	uint64_t features;
	bool status_negotiated;
};

static int
do_negotiate(struct vstate_dev *dev, void *arg)
{
	const struct negotiation *n = arg;
	uint8_t status = vstate_run_status(dev);

	dev->guest.features = n->features;
	if (status & (S_DRIVER_OK | S_SUSPEND))
		return 0;
	/* The front end and the guest did these steps without the device. */
	status |= RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER;
	if (!n->status_negotiated)
		status |= S_FEATURES_OK;
	vstate_run_status_set(dev, status);
	return 0;
}

void
vstate_start_negotiate(struct vstate_dev *dev, uint64_t features, bool status)
{
	struct negotiation n = { features, status };

	vstate_control_run(do_negotiate, dev, &n);
}

struct announcement {
	uint16_t qid;
	uint16_t size;
	uint64_t desc_addr, driver_addr, device_addr;
};

static int
do_announce_size(struct vstate_dev *dev, void *arg)
{
	const struct announcement *a = arg;

	dev->guest.announced[a->qid].size = a->size;
	return 0;
}

static int
do_announce_addr(struct vstate_dev *dev, void *arg)
{
	const struct announcement *a = arg;

	dev->guest.announced[a->qid].addr_known = true;
	dev->guest.announced[a->qid].desc_addr = a->desc_addr;
	dev->guest.announced[a->qid].driver_addr = a->driver_addr;
	dev->guest.announced[a->qid].device_addr = a->device_addr;
	ring_await(dev, a->qid, true);
	return 0;
}

void
vstate_start_announce_size(struct vstate_dev *dev, uint16_t qid, uint16_t size)
{
	struct announcement a = { .qid = qid, .size = size };

	vstate_control_run(do_announce_size, dev, &a);
}

void
vstate_start_announce_addr(struct vstate_dev *dev, uint16_t qid, uint64_t desc_addr,
		uint64_t driver_addr, uint64_t device_addr)
{
	struct announcement a = { qid, 0, desc_addr, driver_addr, device_addr };

	vstate_control_run(do_announce_addr, dev, &a);
}

struct class_message {
	enum vstate_class_msg msg;
	uint64_t value;
};

static int
do_message(struct vstate_dev *dev, void *arg)
{
	const struct class_message *m = arg;

	if (dev->class->message != NULL)
		dev->class->message(dev, m->msg, m->value);
	return 0;
}

void
vstate_start_message(struct vstate_dev *dev, enum vstate_class_msg msg, uint64_t value)
{
	struct class_message m = { msg, value };

	vstate_control_run(do_message, dev, &m);
}

/* ---- all rings ---- */

static void
setup_apply(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	uint16_t i;

	dev->guest.features = setup->features;
	dev->guest.mem = setup->mem;
	dev->guest.log_base = setup->log_base;
	dev->guest.log_size = setup->log_size;
	dev->guest.inflight_carried = setup->inflight_carried;
	if (dev->class->setup != NULL)
		dev->class->setup(dev, setup);
	for (i = 0; i < dev->nb_vqs; i++)
		vstate_vq_setup(dev, dev->vqs[i], &setup->rings[i]);
}

static int
do_pause(struct vstate_dev *dev, void *arg)
{
	RTE_SET_USED(arg);
	vstate_quiesce_always(dev);
	vstate_run_block(dev, VSTATE_BLOCK_MESSAGE);
	return 0;
}

/*
 * While another process owns the device, its poll threads still move the rings. Where they resume
 * is decided when this process owns the device.
 */
static int
resume_point_apply(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	if (vstate_run_is_blocked(dev, VSTATE_BLOCK_NOT_OWNER))
		return 0;
	return vstate_resume_point_apply(dev, setup);
}

static int
do_sync(struct vstate_dev *dev, void *arg)
{
	vstate_quiesce_always(dev);
	setup_apply(dev, arg);
	resume_point_apply(dev, arg);
	vstate_run_unblock(dev, VSTATE_BLOCK_MESSAGE);
	vstate_grant(dev);
	return 0;
}

static int
do_own(struct vstate_dev *dev, void *arg)
{
	vstate_run_unblock(dev, VSTATE_BLOCK_NOT_OWNER);
	if (arg != NULL)
		return do_sync(dev, arg);
	vstate_grant(dev);
	return 0;
}

/* The front end starts a device again: it resumes, unless it was suspended on request. */
static void
rings_resume(struct vstate_dev *dev)
{
	const uint8_t status = vstate_run_status(dev);

	if (vstate_run_is_blocked(dev, VSTATE_BLOCK_RINGS_TAKEN))
		vstate_run_status_set(dev, (status & ~S_SUSPEND) | S_DRIVER_OK);
	/* before the new set-up is applied, as deferred changes are older */
	if (!(vstate_run_status(dev) & S_SUSPEND) && dev->class->resume != NULL)
		dev->class->resume(dev);
}

static int
do_start(struct vstate_dev *dev, void *arg)
{
	const struct vstate_setup *setup = arg;
	int ret;

	vstate_quiesce_always(dev);
	kept_drop(dev);
	vstate_run_unblock(dev, VSTATE_BLOCK_NOT_STARTED);
	dev->history.starts++;
	rings_resume(dev);
	setup_apply(dev, setup);
	/*
	 * The start alone implies DRIVER_OK. A later message must neither resume a suspended device
	 * nor revive one that needs a reset.
	 */
	if (!setup->status_negotiated && !(vstate_run_status(dev) & S_SUSPEND))
		vstate_run_status_set(dev, vstate_run_status(dev) | S_FEATURES_OK | S_DRIVER_OK);
	ret = resume_point_apply(dev, setup);
	vstate_run_unblock(dev, VSTATE_BLOCK_MESSAGE);
	vstate_grant(dev);
	vstate_link_update(dev);
	return ret;
}

void
vstate_start_pause(struct vstate_dev *dev)
{
	vstate_control_run(do_pause, dev, NULL);
}

void
vstate_start_sync(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	vstate_control_run(do_sync, dev, RTE_PTR_UNQUAL(setup));
}

void
vstate_start_own(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	vstate_control_run(do_own, dev, RTE_PTR_UNQUAL(setup));
}

int
vstate_start(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	return vstate_control_run(do_start, dev, RTE_PTR_UNQUAL(setup));
}

/* ---- one ring ---- */

static int
do_ring_end(struct vstate_dev *dev, void *arg)
{
	struct vstate_vq *vq = dev->vqs[*(const uint16_t *)arg];

	vstate_quiesce_vq(dev, vq, false);
	vstate_run_vq_block(vq, VSTATE_BLOCK_NOT_READY);
	vstate_grant_vq(dev, vq);
	return 0;
}

struct ring_start {
	uint16_t qid;
	const struct vstate_ring_setup *ring;
};

static int
do_ring_start(struct vstate_dev *dev, void *arg)
{
	const struct ring_start *start = arg;
	struct vstate_vq *vq = dev->vqs[start->qid];

	if (vstate_run_is_blocked(dev, VSTATE_BLOCK_MESSAGE | VSTATE_BLOCK_NOT_OWNER) ||
			vstate_resume_point_needs_all(dev) ||
			(dev->class->vq_needs_all != NULL && dev->class->vq_needs_all(vq)))
		return -EAGAIN;
	/* a new base would drop the requests in flight */
	vstate_quiesce_vq(dev, vq, !start->ring->base_fresh);
	vstate_vq_setup(dev, vq, start->ring);
	if (vstate_run_vq_is_ready(vq))
		vstate_resume_point_apply_base(dev, vq, start->ring);
	vstate_grant_vq(dev, vq);
	return 0;
}

struct ring_fd {
	uint16_t qid;
	int fd;
};

static int
do_ring_call(struct vstate_dev *dev, void *arg)
{
	const struct ring_fd *call = arg;
	struct vstate_vq *vq = dev->vqs[call->qid];

	vstate_quiesce_poll_of(dev, vq);
	vstate_call_fd_set(vq, call->fd);
	/* An earlier call may be lost, if the front end no longer read the old eventfd. */
	vstate_call_vq(dev, vq);
	vstate_grant_vq(dev, vq);
	return 0;
}

/* No poll thread uses the eventfd. A watch reports a kick that came before it. */
static int
do_ring_kick(struct vstate_dev *dev, void *arg)
{
	const struct ring_fd *kick = arg;

	vstate_vq_setup_kick(dev, dev->vqs[kick->qid], kick->fd);
	return 0;
}

void
vstate_start_ring_end(struct vstate_dev *dev, uint16_t qid)
{
	vstate_control_run(do_ring_end, dev, &qid);
}

int
vstate_start_ring(struct vstate_dev *dev, uint16_t qid, const struct vstate_ring_setup *ring)
{
	struct ring_start start = { qid, ring };

	return vstate_control_run(do_ring_start, dev, &start);
}

void
vstate_start_ring_call(struct vstate_dev *dev, uint16_t qid, int fd)
{
	struct ring_fd call = { qid, fd };

	vstate_control_run(do_ring_call, dev, &call);
}

void
vstate_start_ring_kick(struct vstate_dev *dev, uint16_t qid, int fd)
{
	struct ring_fd kick = { qid, fd };

	vstate_control_run(do_ring_kick, dev, &kick);
}
