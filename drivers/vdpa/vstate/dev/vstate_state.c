/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Suspend, capture, restore, resume: the operations that rte_vhost_state calls. Each
 * runs on the control thread, checks the order first, and times itself.
 */

#include <errno.h>

#include <linux/virtio_ring.h>

#include <rte_cycles.h>
#include <rte_errno.h>

#include <vstate_compat.h>

#include "vstate_control.h"
#include "vstate_dev.h"
#include "net/vstate_net.h"

/* How long a request that has no bound of its own waits for its turn. */
#define TURN_TIMEOUT_NS 10000000000ull

struct request {
	struct rte_vhost_state_error *err;
	/** Bound, counted from the call, and when that was. */
	uint64_t timeout_ns, start;
	const struct rte_vhost_state *in;
	struct rte_vhost_state *out;
	struct rte_vhost_state_info *info;
};

static uint64_t
ns_since(uint64_t start)
{
	return (rte_get_timer_cycles() - start) * (1e9 / rte_get_timer_hz());
}

static void
timing_add(struct rte_vhost_state_timing *t, uint64_t start)
{
	uint64_t ns = ns_since(start);

	t->count++;
	t->last_ns = ns;
	t->max_ns = RTE_MAX(t->max_ns, ns);
	t->sum_ns += ns;
}

/* ---- suspend and resume ---- */

int
vstate_state_suspend(struct vstate_dev *dev, uint64_t timeout_ns,
		struct rte_vhost_state_error *err)
{
	uint64_t start = rte_get_timer_cycles();
	uint16_t late = 0;
	int ret;

	vstate_dev_watch(dev);
	ret = rte_vhost_state_may(dev->status, RTE_VHOST_STATE_A_SUSPEND, err);
	if (ret != 0)
		return ret;
	if (dev->status & RTE_VHOST_STATE_S_SUSPEND) {
		/* Someone asks for what the end of the rings did by itself: now it lasts. */
		dev->rings_taken = false;
		return 0;
	}
	if (!dev->started)
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_NOT_CONNECTED, -1, 1, 0);
	if (vstate_quiesce(dev, timeout_ns, &late) != 0)
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_TIMEOUT, late, timeout_ns, 0);
	dev->status = (dev->status & ~RTE_VHOST_STATE_S_DRIVER_OK) | RTE_VHOST_STATE_S_SUSPEND;
	timing_add(&dev->suspend_time, start);
	return 0;
}

int
vstate_state_resume(struct vstate_dev *dev, struct rte_vhost_state_error *err)
{
	uint64_t start = rte_get_timer_cycles();
	int ret;

	ret = rte_vhost_state_may(dev->status, RTE_VHOST_STATE_A_RESUME, err);
	if (ret != 0 || !(dev->status & RTE_VHOST_STATE_S_SUSPEND))
		return ret;
	/* Rings that the front end took back are its to give. */
	if (!dev->started)
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_NOT_CONNECTED, -1, 1, 0);
	dev->status = (dev->status & ~RTE_VHOST_STATE_S_SUSPEND) | RTE_VHOST_STATE_S_DRIVER_OK;
	if (dev->mtu_next != 0)
		dev->mtu = dev->mtu_next;
	dev->mtu_next = 0;
	vstate_grant(dev);
	timing_add(&dev->resume_time, start);
	return 0;
}

static int
do_suspend(struct vstate_dev *dev, void *arg)
{
	struct request *req = arg;
	uint64_t waited = ns_since(req->start);

	/* What it waited for its turn counts. */
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
	sv->enabled = vq->ready;
	sv->desc_addr = vq->desc_addr;
	sv->driver_addr = vq->driver_addr;
	sv->device_addr = vq->device_addr;
	sv->avail_idx = vq->avail.idx;
	sv->used_idx = vq->used.idx;
	if (dev->features & RTE_BIT64(VIRTIO_F_RING_PACKED)) {
		sv->avail_wrap = vq->avail.wrap;
		sv->used_wrap = vq->used.wrap;
	}
	sv->signalled_used = vq->signalled_used;
	sv->signalled_valid = vq->signalled_valid;
	sv->notify_pending = vq->call_due;
	sv->stats.packets = vq->counters.packets;
	sv->stats.bytes = vq->counters.bytes;
}

struct rte_vhost_state *
vstate_state_collect(const struct vstate_dev *dev)
{
	struct rte_vhost_state *st;
	uint16_t i;

	st = rte_vhost_state_alloc(dev->nb_vqs);
	if (st == NULL)
		return NULL;
	st->device_id = RTE_VHOST_STATE_ID_NET;
	/* Also for a device that was reset after its rings had been taken back. */
	st->status = (dev->status & (RTE_VHOST_STATE_S_NEEDS_RESET | RTE_VHOST_STATE_S_FAILED)) |
		RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER |
		RTE_VHOST_STATE_S_FEATURES_OK | RTE_VHOST_STATE_S_SUSPEND;
	st->device_features = dev->features_offered;
	/* What front end and back end agree upon between them is no business of the guest. */
	st->driver_features = dev->features & ~(RTE_BIT64(VHOST_F_LOG_ALL) |
			RTE_BIT64(VHOST_USER_F_PROTOCOL_FEATURES));
	vstate_net_capture(dev, &st->net);
	for (i = 0; i < dev->nb_vqs; i++) {
		vq_capture(dev, dev->vqs[i], &st->vqs[i]);
		if (dev->vqs[i]->size != 0 && dev->vqs[i]->inflight != NULL &&
				vstate_inflight_capture(dev->vqs[i], st, i) != 0) {
			rte_vhost_state_free(st);
			return NULL;
		}
	}
	return st;
}

static int
do_capture(struct vstate_dev *dev, void *arg)
{
	uint64_t start = rte_get_timer_cycles();
	struct request *req = arg;
	int ret;

	ret = rte_vhost_state_may(dev->status, RTE_VHOST_STATE_A_CAPTURE, req->err);
	if (ret != 0)
		return ret;
	/* Rings that are gone are captured as they were. */
	req->out = dev->started || dev->kept == NULL ? vstate_state_collect(dev) :
		rte_vhost_state_copy(dev->kept);
	if (req->out == NULL)
		return rte_vhost_state_refuse(req->err, RTE_VHOST_STATE_R_NO_MEMORY, -1, 0, 0);
	timing_add(&dev->capture_time, start);
	return 0;
}

static int
do_save(struct vstate_dev *dev, void *arg)
{
	struct request *req = arg;

	if (dev->kept == NULL && dev->started)
		return do_capture(dev, arg);
	if (dev->kept == NULL)
		return 0;
	req->out = rte_vhost_state_copy(dev->kept);
	return req->out != NULL ? 0 :
		rte_vhost_state_refuse(req->err, RTE_VHOST_STATE_R_NO_MEMORY, -1, 0, 0);
}

int
vstate_dev_save(struct vstate_dev *dev, struct rte_vhost_state **st,
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
	uint64_t start = rte_get_timer_cycles();
	struct request *req = arg;
	int ret;

	if (!dev->connected)
		return rte_vhost_state_refuse(req->err, RTE_VHOST_STATE_R_NOT_CONNECTED, -1, 1, 0);
	ret = rte_vhost_state_may(dev->status, RTE_VHOST_STATE_A_RESTORE, req->err);
	if (ret == 0)
		ret = vstate_restore_set(dev, req->in, false, req->err);
	if (ret == 0)
		timing_add(&dev->restore_time, start);
	return ret;
}

static int
do_load(struct vstate_dev *dev, void *arg)
{
	uint64_t start = rte_get_timer_cycles();
	struct request *req = arg;
	int ret;

	if (dev->started)
		return rte_vhost_state_refuse(req->err, RTE_VHOST_STATE_R_NOT_CONFIGURABLE, -1,
				0, dev->status);
	if (req->in == NULL) {
		vstate_restore_drop(dev);
		return 0;
	}
	ret = vstate_restore_set(dev, req->in, true, req->err);
	if (ret == 0)
		timing_add(&dev->restore_time, start);
	return ret;
}

int
vstate_dev_load(struct vstate_dev *dev, const struct rte_vhost_state *st,
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

	vstate_dev_watch(dev);
	info->status = dev->status;
	info->connected = dev->connected;
	vstate_net_limits(dev, &info->limits);
	info->suspend = dev->suspend_time;
	info->capture = dev->capture_time;
	info->restore = dev->restore_time;
	info->resume = dev->resume_time;
	return 0;
}

/* ---- the operations ---- */

/* The control thread may be held up by a poll thread of another device. */
static int
request_run(vstate_control_fn fn, struct vstate_dev *dev, struct request *req)
{
	int ret;

	if (req->timeout_ns == 0)
		req->timeout_ns = TURN_TIMEOUT_NS;
	req->start = rte_get_timer_cycles();
	ret = vstate_control_run_within(fn, dev, req, req->timeout_ns);
	return ret != -ETIME ? ret : rte_vhost_state_refuse(req->err,
			RTE_VHOST_STATE_R_TIMEOUT, -1, req->timeout_ns, ns_since(req->start));
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

const struct rte_vhost_state_ops vstate_state_ops = {
	.info_get = state_info_get,
	.suspend = state_suspend,
	.resume = state_resume,
	.capture = state_capture,
	.restore = state_restore,
};
