/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include <linux/vhost.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>

#include "ring/vstate_inflight.h"
#include "ring/vstate_vq.h"
#include "rte_vhost_state.h"
#include "vstate_class.h"
#include "vstate_dev.h"
#include "vstate_log.h"
#include "vstate_quiesce.h"
#include "vstate_restore.h"
#include "vstate_setup.h"
#include "vstate_state_inflight.h"

/* vhost-user's own feature bit; it is not the guest's. */
#ifndef VHOST_USER_F_PROTOCOL_FEATURES
#define VHOST_USER_F_PROTOCOL_FEATURES 30
#endif

/* Bytes of the text of a refusal. */
#define TEXT_MAX 256

void
vstate_restore_limits_of_rings(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim)
{
	lim->device_id = dev->class->virtio_id;
	lim->device_features = dev->features_offered;
	/* The front end negotiates these two bits with the back end: they are not the guest's. */
	lim->driver_features = dev->guest.features &
		~(RTE_BIT64(VHOST_F_LOG_ALL) | RTE_BIT64(VHOST_USER_F_PROTOCOL_FEATURES));
	lim->max_vqs = dev->nb_vqs;
	lim->max_mtu = UINT16_MAX;
	lim->ctrl_vq = UINT16_MAX;
	lim->inflight = true;
}

void
vstate_restore_limits(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim)
{
	vstate_restore_limits_of_rings(dev, lim);
	dev->class->limits(dev, lim);
}

/* ---- accept a state ---- */

static int
address_check(uint16_t i, uint64_t announced, uint64_t in_state, struct rte_vhost_state_error *err)
{
	return announced == in_state ? 0 : rte_vhost_state_refuse(err,
			RTE_VHOST_STATE_R_FIT_VQ_ADDRESS, i, announced, in_state);
}

/* Compare the state of a ring with the size and the addresses that the front end announced. */
static int
ring_check(const struct vstate_dev *dev, uint16_t i, const struct rte_vhost_state_vq *sv,
		struct rte_vhost_state_error *err)
{
	int ret;

	if (sv->size == 0)
		return 0;
	if (dev->guest.announced[i].size != 0 && dev->guest.announced[i].size != sv->size)
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_FIT_VQ_SIZE, i,
				dev->guest.announced[i].size, sv->size);
	if (!dev->guest.announced[i].addr_known)
		return 0;
	ret = address_check(i, dev->guest.announced[i].desc_addr, sv->desc_addr, err);
	if (ret == 0)
		ret = address_check(i, dev->guest.announced[i].driver_addr, sv->driver_addr, err);
	if (ret == 0)
		ret = address_check(i, dev->guest.announced[i].device_addr, sv->device_addr, err);
	return ret;
}

static int
rings_check(const struct vstate_dev *dev, const struct rte_vhost_state *st,
		struct rte_vhost_state_error *err)
{
	uint16_t i;
	int ret = 0;

	for (i = 0; i < st->nb_vqs && i < dev->nb_vqs && ret == 0; i++)
		ret = ring_check(dev, i, &st->vqs[i], err);
	return ret;
}

int
vstate_restore_set(struct vstate_dev *dev, const struct rte_vhost_state *st, bool early,
		struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_limits lim = { 0 };
	struct rte_vhost_state *copy;
	int ret;

	vstate_restore_limits(dev, &lim);
	/* The front end may still change the features that are negotiated now. */
	if (early)
		lim.driver_features = 0;
	ret = rte_vhost_state_check_fit(st, &lim, err);
	if (ret == 0 && !early)
		ret = rings_check(dev, st, err);
	if (ret != 0)
		return ret;
	copy = rte_vhost_state_copy(st);
	if (copy == NULL)
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_NO_MEMORY, -1, 0, 0);
	vstate_restore_drop(dev);
	dev->resume_point.restored = copy;
	dev->resume_point.restored_early = early;
	return 0;
}

void
vstate_restore_drop(struct vstate_dev *dev)
{
	rte_vhost_state_free(dev->resume_point.restored);
	dev->resume_point.restored = NULL;
	dev->resume_point.restored_early = false;
}

/* ---- apply the state to the rings ---- */

/* Check again, because the features, and the layout with them, may have changed since. */
static int
fit_check(const struct vstate_dev *dev, const struct vstate_setup *setup,
		struct rte_vhost_state_error *err)
{
	const struct rte_vhost_state *st = dev->resume_point.restored;
	struct rte_vhost_state_limits lim = { 0 };
	const struct vstate_vq *vq;
	uint16_t i;
	int ret;

	vstate_restore_limits(dev, &lim);
	ret = rte_vhost_state_check_fit(st, &lim, err);
	for (i = 0; ret == 0 && i < st->nb_vqs; i++) {
		vq = dev->vqs[i];
		if (setup->rings[i].ready)
			ret = rte_vhost_state_check_vq(st, i, &(const struct rte_vhost_state_vq){
						.size = vq->size,
						.desc_addr = vq->desc_addr,
						.driver_addr = vq->driver_addr,
						.device_addr = vq->device_addr,
					}, err);
	}
	return ret;
}

static bool
pos_equals(struct vstate_pos a, uint16_t idx, uint8_t wrap)
{
	return a.idx == idx && a.wrap == wrap;
}

/* Count the rings whose base differs from the state, and write the first of them to @p qid. */
static uint16_t
bases_differ(const struct vstate_dev *dev, const struct vstate_setup *setup, uint16_t *qid)
{
	const struct rte_vhost_state *st = dev->resume_point.restored;
	const struct rte_vhost_state_vq *sv;
	uint16_t i, n = 0;

	for (i = 0; i < st->nb_vqs; i++) {
		sv = &st->vqs[i];
		if (!setup->rings[i].ready || !setup->rings[i].base_fresh || sv->size == 0 ||
				pos_equals(setup->rings[i].avail, sv->avail_idx, sv->avail_wrap) ||
				pos_equals(setup->rings[i].used, sv->avail_idx, sv->avail_wrap))
			continue;
		if (n++ == 0)
			*qid = i;
	}
	return n;
}

/* Whether all bases are those of new rings, which no device has used yet. */
static bool
bases_are_new(const struct vstate_dev *dev, const struct vstate_setup *setup)
{
	const uint8_t wrap = vstate_dev_is_packed(dev) ? 1 : 0;
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		if (setup->rings[i].ready && !(setup->rings[i].base_fresh &&
				pos_equals(setup->rings[i].used, 0, wrap)))
			return false;
	}
	return true;
}

/*
 * A front end loads a state before the guest runs. If the guest had reset its device before the
 * migration, it sets up new rings. The state then describes rings that do not exist any more.
 */
static bool
state_is_outdated(const struct vstate_dev *dev, const struct vstate_setup *setup, int fit)
{
	uint16_t qid;

	return dev->resume_point.restored_early && bases_are_new(dev, setup) &&
		(fit != 0 || bases_differ(dev, setup, &qid) != 0);
}

/* Set NEEDS_RESET for the driver, and stop serving the rings. */
static void
device_fail(struct vstate_dev *dev)
{
	vstate_run_status_set(dev, (vstate_run_status(dev) | RTE_VHOST_STATE_S_NEEDS_RESET) &
			~RTE_VHOST_STATE_S_DRIVER_OK);
	vstate_restore_drop(dev);
}

/* A loaded state has priority over the front end's bases. Log it if they differ. */
static void
bases_report(const struct vstate_dev *dev, const struct vstate_setup *setup)
{
	uint16_t qid = 0, n;

	n = dev->resume_point.restored_early ? bases_differ(dev, setup, &qid) : 0;
	if (n != 0)
		VSTATE_LOG(WARNING, "%s: base of queue %u is not that of the loaded state (%u "
				"queues in all): the loaded state is used", dev->name, qid, n);
}

static int
restore_begin(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	struct rte_vhost_state_error err = { 0 };
	char text[TEXT_MAX];
	int ret;

	if (dev->resume_point.restored == NULL)
		return 0;
	ret = fit_check(dev, setup, &err);
	if (state_is_outdated(dev, setup, ret)) {
		VSTATE_LOG(NOTICE, "%s: loaded state dropped: the guest set up new rings and "
				"starts from scratch", dev->name);
		vstate_restore_drop(dev);
		return 1;
	}
	if (ret != 0) {
		rte_vhost_state_error_format(&err, text, sizeof(text));
		VSTATE_LOG(ERR, "%s: restored state does not fit: %s; the device needs a reset",
				dev->name, text);
		device_fail(dev);
		return ret;
	}
	bases_report(dev, setup);
	return 1;
}

/* Attach the buffers in flight of the state, which the queue serves first. False: no memory. */
static bool
inflight_apply(struct vstate_vq *vq, const struct rte_vhost_state_vq *sv, bool packed)
{
	struct vstate_inflight *list;

	vstate_inflight_drop(vq);
	if (sv->nb_inflight == 0)
		return true;
	list = vstate_state_inflight_list(sv, packed, sv->nb_inflight);
	if (list == NULL)
		return false;
	vstate_inflight_attach(vq, list);
	return true;
}

/* A ring that is not ready yet keeps its part of the state until it is ready. */
static enum vstate_keeper_answer
restore_apply(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring,
		const char **why)
{
	struct rte_vhost_state *st = dev->resume_point.restored;
	struct rte_vhost_state_vq *sv;

	RTE_SET_USED(ring);
	if (st == NULL || vq->qid >= st->nb_vqs || st->vqs[vq->qid].size == 0)
		return VSTATE_KEEPER_SILENT;
	sv = &st->vqs[vq->qid];
	/* an in-flight region does not describe the positions of the state */
	vstate_vq_detach(vq);
	vq->used = (struct vstate_pos){ sv->used_idx, sv->used_wrap };
	if (!inflight_apply(vq, sv, rte_vhost_state_is_packed(st))) {
		*why = "no memory for buffers in flight";
		return VSTATE_KEEPER_REFUSED;
	}
	vq->avail = (struct vstate_pos){ sv->avail_idx, sv->avail_wrap };
	vq->signalled_used = sv->signalled_used;
	vq->signalled_valid = sv->signalled_valid;
	if (sv->notify_pending)
		vstate_call_vq(dev, vq);
	sv->size = 0; /* applied: restore_end() takes a ready queue with a size as failed */
	return VSTATE_KEEPER_APPLIED;
}

static int
restore_end(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	struct rte_vhost_state *st = dev->resume_point.restored;
	uint16_t i;
	int ret;

	RTE_SET_USED(setup);
	if (st == NULL)
		return 0;
	for (i = 0; i < st->nb_vqs; i++) {
		if (st->vqs[i].size != 0 && vstate_run_vq_is_ready(dev->vqs[i])) {
			device_fail(dev);
			return -ENOMEM;
		}
	}
	ret = dev->class->restore != NULL ? dev->class->restore(dev, st) : 0;
	if (ret != 0)
		device_fail(dev);
	return ret;
}

static bool
restore_needs_all(const struct vstate_dev *dev)
{
	return dev->resume_point.restored != NULL;
}

const struct vstate_keeper vstate_restore_keeper = {
	.name = "restored state",
	.begin = restore_begin,
	.apply = restore_apply,
	.end = restore_end,
	.forget = vstate_restore_drop,
	.needs_all = restore_needs_all,
};
