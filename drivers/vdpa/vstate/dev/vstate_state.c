/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>

#include <linux/vhost_types.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_errno.h>

#include <vstate_compat.h>

#include "ring/vstate_inflight.h"
#include "ring/vstate_vq.h"
#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "vstate_broken.h"
#include "vstate_class.h"
#include "vstate_clock.h"
#include "vstate_control.h"
#include "vstate_counters.h"
#include "vstate_dev.h"
#include "vstate_quiesce.h"
#include "vstate_restore.h"
#include "vstate_state.h"
#include "vstate_state_inflight.h"
#include "vstate_trace.h"

/* vhost-user's own feature bit; it is not the guest's. */
#ifndef VHOST_USER_F_PROTOCOL_FEATURES
#define VHOST_USER_F_PROTOCOL_FEATURES 30
#endif

/* How long a request without a bound of its own waits for the control lock. */
#define TURN_TIMEOUT_NS 10000000000ull

struct request {
	struct rte_vhost_state_error *err;
	/** Bound in ns, counted from the call; and the time of the call. */
	uint64_t timeout_ns, start;
	const struct rte_vhost_state *in;
	struct rte_vhost_state *out;
	struct rte_vhost_state_info *info;
};

static void
timing_add(const struct vstate_dev *dev, const char *operation, struct vstate_latency *l,
		uint64_t start)
{
	const uint64_t ns = vstate_clock_ns() - start;

	vstate_latency_add(l, ns);
	vstate_trace_operation(dev->name, operation, ns);
}

/* ---- suspend and resume ---- */

int
vstate_state_suspend(struct vstate_dev *dev, uint64_t timeout_ns,
		struct rte_vhost_state_error *err)
{
	uint64_t start = vstate_clock_ns();
	uint16_t late = 0;
	uint8_t status;
	int ret;

	vstate_broken_report(dev);
	status = vstate_run_status(dev);
	ret = rte_vhost_state_may(status, RTE_VHOST_STATE_A_SUSPEND, err);
	if (ret != 0)
		return ret;
	if (status & RTE_VHOST_STATE_S_SUSPEND) {
		/* Suspended as the rings were taken back. Now the next start must not resume. */
		vstate_run_unblock(dev, VSTATE_BLOCK_RINGS_TAKEN);
		vstate_run_status_set(dev, status);
		return 0;
	}
	if (!vstate_run_is_started(dev))
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_NOT_CONNECTED, -1, 1, 0);
	if (vstate_quiesce(dev, timeout_ns, &late) != 0)
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_TIMEOUT, late, timeout_ns, 0);
	vstate_run_status_set(dev, (status & ~RTE_VHOST_STATE_S_DRIVER_OK) |
			RTE_VHOST_STATE_S_SUSPEND);
	timing_add(dev, "suspend", &dev->history.suspend, start);
	return 0;
}

int
vstate_state_resume(struct vstate_dev *dev, struct rte_vhost_state_error *err)
{
	const uint8_t status = vstate_run_status(dev);
	uint64_t start = vstate_clock_ns();
	int ret;

	ret = rte_vhost_state_may(status, RTE_VHOST_STATE_A_RESUME, err);
	if (ret != 0 || !(status & RTE_VHOST_STATE_S_SUSPEND))
		return ret;
	/* Rings that the front end took back can only come from the front end. */
	if (!vstate_run_is_started(dev))
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_NOT_CONNECTED, -1, 1, 0);
	vstate_run_status_set(dev, (status & ~RTE_VHOST_STATE_S_SUSPEND) |
			RTE_VHOST_STATE_S_DRIVER_OK);
	if (dev->class->resume != NULL)
		dev->class->resume(dev);
	vstate_grant(dev);
	timing_add(dev, "resume", &dev->history.resume, start);
	return 0;
}

static int
do_suspend(struct vstate_dev *dev, void *arg)
{
	struct request *req = arg;
	uint64_t waited = vstate_clock_ns() - req->start;

	/* The wait for the control lock is part of the bound. */
	return vstate_state_suspend(dev, req->timeout_ns - RTE_MIN(waited, req->timeout_ns),
			req->err);
}

static int
do_resume(struct vstate_dev *dev, void *arg)
{
	struct request *req = arg;

	return vstate_state_resume(dev, req->err);
}

/* ---- capture ---- */

static void
vq_capture(const struct vstate_dev *dev, const struct vstate_vq *vq,
		struct rte_vhost_state_vq *sv)
{
	/* A queue that was never set up stays all zero. */
	if (vq->size == 0)
		return;
	sv->size = vq->size;
	sv->enabled = vstate_run_vq_is_ready(vq);
	sv->desc_addr = vq->desc_addr;
	sv->driver_addr = vq->driver_addr;
	sv->device_addr = vq->device_addr;
	sv->avail_idx = vq->avail.idx;
	sv->used_idx = vq->used.idx;
	if (vstate_dev_is_packed(dev)) {
		sv->avail_wrap = vq->avail.wrap;
		sv->used_wrap = vq->used.wrap;
	}
	sv->signalled_used = vq->signalled_used;
	sv->signalled_valid = vq->signalled_valid;
	sv->notify_pending = vq->call_due;
}

struct rte_vhost_state *
vstate_state_collect(const struct vstate_dev *dev)
{
	struct rte_vhost_state *st;
	uint16_t i;

	st = rte_vhost_state_alloc(dev->nb_vqs);
	if (st == NULL)
		return NULL;
	st->device_id = dev->class->virtio_id;
	/* The device counts as suspended, even if it was reset after the rings were taken back. */
	st->status = (vstate_run_status(dev) &
			(RTE_VHOST_STATE_S_NEEDS_RESET | RTE_VHOST_STATE_S_FAILED)) |
		RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER |
		RTE_VHOST_STATE_S_FEATURES_OK | RTE_VHOST_STATE_S_SUSPEND;
	st->device_features = dev->features_offered;
	/* The front end negotiates these two bits with the back end: they are not the guest's. */
	st->driver_features = dev->guest.features & ~(RTE_BIT64(VHOST_F_LOG_ALL) |
			RTE_BIT64(VHOST_USER_F_PROTOCOL_FEATURES));
	for (i = 0; i < dev->nb_vqs; i++) {
		vq_capture(dev, dev->vqs[i], &st->vqs[i]);
		if (dev->vqs[i]->size != 0 && dev->vqs[i]->inflight != NULL &&
				vstate_state_inflight_capture(dev->vqs[i], st, i) != 0) {
			rte_vhost_state_free(st);
			return NULL;
		}
	}
	dev->class->capture(dev, st);
	return st;
}

static int
do_capture(struct vstate_dev *dev, void *arg)
{
	uint64_t start = vstate_clock_ns();
	struct request *req = arg;
	int ret;

	ret = rte_vhost_state_may(vstate_run_status(dev), RTE_VHOST_STATE_A_CAPTURE, req->err);
	if (ret != 0)
		return ret;
	/* If the front end took the rings back, the state is that of the last instant before. */
	if (vstate_run_is_started(dev) || dev->resume_point.kept == NULL)
		req->out = vstate_state_collect(dev);
	else
		req->out = rte_vhost_state_copy(dev->resume_point.kept);
	if (req->out == NULL)
		return rte_vhost_state_refuse(req->err, RTE_VHOST_STATE_R_NO_MEMORY, -1, 0, 0);
	timing_add(dev, "capture", &dev->history.capture, start);
	return 0;
}

static bool
rings_were_taken_back(const struct vstate_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs && !dev->vqs[i]->taken_back; i++)
		;
	return i < dev->nb_vqs;
}

static int
do_save(struct vstate_dev *dev, void *arg)
{
	struct request *req = arg;

	if (dev->resume_point.kept == NULL && vstate_run_is_started(dev))
		return do_capture(dev, arg);
	/* There was no memory for the state of rings that were taken back: that is not "no state". */
	if (dev->resume_point.kept == NULL && !rings_were_taken_back(dev))
		return 0;
	if (dev->resume_point.kept != NULL)
		req->out = rte_vhost_state_copy(dev->resume_point.kept);
	return req->out != NULL ? 0 :
		rte_vhost_state_refuse(req->err, RTE_VHOST_STATE_R_NO_MEMORY, -1, 0, 0);
}

int
vstate_state_save(struct vstate_dev *dev, struct rte_vhost_state **st,
		struct rte_vhost_state_error *err)
{
	struct request req = { .err = err };
	int ret = vstate_control_run(do_save, dev, &req);

	*st = req.out;
	return ret;
}

/* ---- restore ---- */

static int
do_restore(struct vstate_dev *dev, void *arg)
{
	uint64_t start = vstate_clock_ns();
	struct request *req = arg;
	int ret;

	if (vstate_run_is_blocked(dev, VSTATE_BLOCK_NOT_CONNECTED))
		return rte_vhost_state_refuse(req->err, RTE_VHOST_STATE_R_NOT_CONNECTED, -1, 1, 0);
	ret = rte_vhost_state_may(vstate_run_status(dev), RTE_VHOST_STATE_A_RESTORE, req->err);
	if (ret == 0)
		ret = vstate_restore_set(dev, req->in, false, req->err);
	if (ret == 0)
		timing_add(dev, "restore", &dev->history.restore, start);
	return ret;
}

static int
do_load(struct vstate_dev *dev, void *arg)
{
	uint64_t start = vstate_clock_ns();
	struct request *req = arg;
	int ret;

	if (vstate_run_is_started(dev))
		return rte_vhost_state_refuse(req->err, RTE_VHOST_STATE_R_NOT_CONFIGURABLE, -1,
				0, vstate_run_status(dev));
	if (req->in == NULL) {
		vstate_restore_drop(dev);
		return 0;
	}
	ret = vstate_restore_set(dev, req->in, true, req->err);
	if (ret == 0)
		timing_add(dev, "restore", &dev->history.restore, start);
	return ret;
}

int
vstate_state_load(struct vstate_dev *dev, const struct rte_vhost_state *st,
		struct rte_vhost_state_error *err)
{
	struct request req = { .err = err, .in = st };

	return vstate_control_run(do_load, dev, &req);
}

static int
do_info(struct vstate_dev *dev, void *arg)
{
	struct request *req = arg;
	struct rte_vhost_state_info *info = req->info;

	vstate_broken_report(dev);
	info->status = vstate_run_status(dev);
	info->connected = !vstate_run_is_blocked(dev, VSTATE_BLOCK_NOT_CONNECTED);
	vstate_restore_limits(dev, &info->limits);
	info->suspend = dev->history.suspend.timing;
	info->capture = dev->history.capture.timing;
	info->restore = dev->history.restore.timing;
	info->resume = dev->history.resume.timing;
	return 0;
}

/* ---- the operations ---- */

/* Run with a bound, because another operation on this device may wait for a poll thread. */
static int
request_run(vstate_control_fn fn, struct vstate_dev *dev, struct request *req)
{
	int ret;

	if (req->timeout_ns == 0)
		req->timeout_ns = TURN_TIMEOUT_NS;
	req->start = vstate_clock_ns();
	ret = vstate_control_run_within(fn, dev, req, req->timeout_ns);
	return ret != -ETIME ? ret : rte_vhost_state_refuse(req->err,
			RTE_VHOST_STATE_R_TIMEOUT, -1, req->timeout_ns,
			vstate_clock_ns() - req->start);
}

static int
state_info_get(void *ctx, struct rte_vhost_state_info *info)
{
	struct request req = { .info = info };

	return request_run(do_info, ctx, &req);
}

static int
state_suspend(void *ctx, uint32_t timeout_us, struct rte_vhost_state_error *err)
{
	struct request req = {
		.err = err,
		.timeout_ns = timeout_us != 0 ? timeout_us * 1000ull : VSTATE_SUSPEND_TIMEOUT_NS,
	};

	return request_run(do_suspend, ctx, &req);
}

static int
state_resume(void *ctx, struct rte_vhost_state_error *err)
{
	struct request req = { .err = err };

	return request_run(do_resume, ctx, &req);
}

static struct rte_vhost_state *
state_capture(void *ctx, struct rte_vhost_state_error *err)
{
	struct request req = { .err = err };
	int ret = request_run(do_capture, ctx, &req);

	if (ret != 0)
		rte_errno = -ret;
	return req.out;
}

static int
state_restore(void *ctx, const struct rte_vhost_state *st, struct rte_vhost_state_error *err)
{
	struct request req = { .err = err, .in = st };

	return request_run(do_restore, ctx, &req);
}

static int
state_release(void *ctx, struct rte_vhost_state_error *err)
{
	struct vstate_dev *dev = ctx;
	int ret = dev->release != NULL ? dev->release(dev) : -ENOTSUP;

	if (ret == 0)
		return 0;
	return rte_vhost_state_refuse(err, ret == -EALREADY ? RTE_VHOST_STATE_R_UNDER_WAY :
			RTE_VHOST_STATE_R_NOT_SUPPORTED, -1, 0, 0);
}

/* The counters are those of telemetry. They need no lock. */
static int
state_stats_get(void *ctx, rte_vhost_state_stat_cb cb, void *arg)
{
	struct vstate_dev *dev = ctx;
	char name[64];
	uint16_t qid, i;

	cb(arg, -1, "starts", dev->history.starts);
	cb(arg, -1, "resets", dev->history.resets);
	for (i = VSTATE_FAULT_NONE + 1; i < VSTATE_FAULT_MAX; i++) {
		if (vstate_broken_count(dev, i) == 0)
			continue;
		snprintf(name, sizeof(name), "broken_%s", vstate_fault_name(i));
		cb(arg, -1, name, vstate_broken_count(dev, i));
	}
	for (qid = 0; qid < dev->nb_vqs; qid++) {
		for (i = 0; i < dev->class->nb_counters; i++)
			cb(arg, qid, dev->class->counters[i].name,
					vstate_counter_get(dev, qid, i));
	}
	return 0;
}

const struct rte_vhost_state_ops vstate_state_ops = {
	.info_get = state_info_get,
	.suspend = state_suspend,
	.resume = state_resume,
	.capture = state_capture,
	.restore = state_restore,
	.release = state_release,
	.stats_get = state_stats_get,
};
