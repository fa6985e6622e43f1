/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * A state that was restored or loaded waits here for the rings, and meets them at start. All
 * on the control thread.
 */

#include <errno.h>

#include <linux/virtio_ring.h>

#include "vstate_dev.h"
#include "vstate_log.h"
#include "net/vstate_net.h"
#include "handover/vstate_state_file.h"

static int
announced_check(const struct vstate_dev *dev, const struct rte_vhost_state *st,
		struct rte_vhost_state_error *err)
{
	uint16_t i;

	for (i = 0; i < st->nb_vqs && i < dev->nb_vqs; i++) {
		const struct rte_vhost_state_vq *sv = &st->vqs[i];

		if (sv->size == 0)
			continue;
		if (dev->announced[i].size != 0 && dev->announced[i].size != sv->size)
			return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_FIT_VQ_SIZE, i,
					dev->announced[i].size, sv->size);
		if (!dev->announced[i].addr_known)
			continue;
		if (dev->announced[i].desc_addr != sv->desc_addr)
			return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_FIT_VQ_ADDRESS, i,
					dev->announced[i].desc_addr, sv->desc_addr);
		if (dev->announced[i].driver_addr != sv->driver_addr)
			return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_FIT_VQ_ADDRESS, i,
					dev->announced[i].driver_addr, sv->driver_addr);
		if (dev->announced[i].device_addr != sv->device_addr)
			return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_FIT_VQ_ADDRESS, i,
					dev->announced[i].device_addr, sv->device_addr);
	}
	return 0;
}

int
vstate_restore_set(struct vstate_dev *dev, const struct rte_vhost_state *st, bool loaded,
		struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_limits lim = { 0 };
	struct rte_vhost_state *copy;
	int ret;

	vstate_net_limits(dev, &lim);
	/* What is negotiated now may be what the front end is about to change. */
	if (loaded)
		lim.driver_features = 0;
	ret = rte_vhost_state_check_fit(st, &lim, err);
	if (ret == 0 && !loaded)
		ret = announced_check(dev, st, err);
	if (ret != 0)
		return ret;
	copy = rte_vhost_state_copy(st);
	if (copy == NULL)
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_NO_MEMORY, -1, 0, 0);
	vstate_restore_drop(dev);
	dev->restored = copy;
	dev->restored_loaded = loaded;
	return 0;
}

void
vstate_restore_drop(struct vstate_dev *dev)
{
	rte_vhost_state_free(dev->restored);
	dev->restored = NULL;
	dev->restored_loaded = false;
}

/* ---- a state meets the rings ---- */

static int
meet_check(const struct vstate_dev *dev, const struct vstate_setup *setup,
		struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_limits lim = { 0 };
	const struct vstate_vq *vq;
	uint16_t i;
	int ret;

	/* Once more: features, and with them the layout, may have changed since. */
	vstate_net_limits(dev, &lim);
	ret = rte_vhost_state_check_fit(dev->restored, &lim, err);
	for (i = 0; ret == 0 && i < dev->restored->nb_vqs; i++) {
		vq = dev->vqs[i];
		if (setup->rings[i].ready)
			ret = rte_vhost_state_check_vq(dev->restored, i,
					&(const struct rte_vhost_state_vq){
						.size = vq->size,
						.desc_addr = vq->desc_addr,
						.driver_addr = vq->driver_addr,
						.device_addr = vq->device_addr,
					}, err);
	}
	return ret;
}

static bool
pos_equal(struct vstate_pos a, uint16_t idx, uint8_t wrap)
{
	return a.idx == idx && a.wrap == wrap;
}

/* Bases of a front end that disagree with the state; the first of their rings in @p qid. */
static uint16_t
bases_against(const struct vstate_dev *dev, const struct vstate_setup *setup, uint16_t *qid)
{
	const struct rte_vhost_state_vq *sv;
	uint16_t i, n = 0;

	for (i = 0; i < dev->restored->nb_vqs; i++) {
		sv = &dev->restored->vqs[i];
		if (!setup->rings[i].ready || !setup->rings[i].base_fresh || sv->size == 0 ||
				pos_equal(setup->rings[i].avail, sv->avail_idx, sv->avail_wrap) ||
				pos_equal(setup->rings[i].used, sv->avail_idx, sv->avail_wrap))
			continue;
		if (n++ == 0)
			*qid = i;
	}
	return n;
}

/* The bases are those of rings that no device has touched yet. */
static bool
bases_are_new(const struct vstate_dev *dev, const struct vstate_setup *setup)
{
	const uint8_t wrap = dev->features & RTE_BIT64(VIRTIO_F_RING_PACKED) ? 1 : 0;
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		if (setup->rings[i].ready && !(setup->rings[i].base_fresh &&
				pos_equal(setup->rings[i].used, 0, wrap)))
			return false;
	}
	return true;
}

/* What a queue is to finish first. @return false without memory */
static bool
inflight_apply(struct vstate_vq *vq, const struct rte_vhost_state_vq *sv, bool packed)
{
	struct vstate_inflight *list;

	vstate_inflight_drop(vq);
	if (sv->nb_inflight == 0)
		return true;
	list = vstate_inflight_of_state(sv, packed, sv->nb_inflight);
	if (list == NULL)
		return false;
	vstate_inflight_attach(vq, list);
	return true;
}

/* Rings that are not ready yet get their part when they are. */
static int
meet_apply(struct vstate_dev *dev)
{
	struct rte_vhost_state *st = dev->restored;
	const bool packed = rte_vhost_state_is_packed(st);
	struct rte_vhost_state_vq *sv;
	struct vstate_vq *vq;
	uint16_t i;

	for (i = 0; i < st->nb_vqs; i++) {
		sv = &st->vqs[i];
		vq = dev->vqs[i];
		if (sv->size == 0 || !vq->ready)
			continue;
		/* what a region said before is of no use */
		vstate_state_file_attach(dev, vq);
		vq->used = (struct vstate_pos){ sv->used_idx, sv->used_wrap };
		if (!inflight_apply(vq, sv, packed))
			return -ENOMEM;
		vq->avail = (struct vstate_pos){ sv->avail_idx, sv->avail_wrap };
		vq->signalled_used = sv->signalled_used;
		vq->signalled_valid = sv->signalled_valid;
		if (sv->notify_pending)
			vstate_dev_call_vq(dev, vq);
		sv->size = 0; /* taken over */
	}
	if (st->net.mtu != 0)
		dev->mtu = RTE_MIN(dev->mtu, st->net.mtu);
	st->net.mtu = 0;
	return 0;
}

/*
 * A front end loads a state before it knows what the guest will do. Where the guest had reset
 * its device before the move, it comes with new rings, and the state is one of old times.
 */
static bool
outdated(const struct vstate_dev *dev, const struct vstate_setup *setup, int fit)
{
	uint16_t qid;

	return dev->restored_loaded && bases_are_new(dev, setup) &&
		(fit != 0 || bases_against(dev, setup, &qid) != 0);
}

static void
unfit(struct vstate_dev *dev)
{
	dev->status = (dev->status | RTE_VHOST_STATE_S_NEEDS_RESET) & ~RTE_VHOST_STATE_S_DRIVER_OK;
	vstate_restore_drop(dev);
}

int
vstate_restore_meet(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	struct rte_vhost_state_error err = { 0 };
	uint16_t qid = 0, against;
	char text[256];
	int ret;

	if (dev->restored == NULL)
		return 0;
	ret = meet_check(dev, setup, &err);
	if (outdated(dev, setup, ret)) {
		VSTATE_LOG(NOTICE, "%s: loaded state dropped: the front end begins anew",
				dev->name);
		vstate_restore_drop(dev);
		return 0;
	}
	if (ret != 0) {
		rte_vhost_state_error_format(&err, text, sizeof(text));
		VSTATE_LOG(ERR, "%s: restored state does not fit: %s", dev->name, text);
		unfit(dev);
		return ret;
	}
	against = dev->restored_loaded ? bases_against(dev, setup, &qid) : 0;
	if (against != 0)
		VSTATE_LOG(WARNING, "%s: base of queue %u is not that of the loaded state (%u queues "
				"in all): the state counts", dev->name, qid, against);
	ret = meet_apply(dev);
	if (ret != 0) {
		VSTATE_LOG(ERR, "%s: no memory for buffers in flight", dev->name);
		unfit(dev);
	}
	return ret;
}
