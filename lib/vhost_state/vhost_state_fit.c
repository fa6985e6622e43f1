/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_bitops.h>

#include <vstate_compat.h>

#include "vhost_state_class.h"
#include "vhost_state_features.h"
#include "vhost_state_reason.h"

/*
 * A destination may offer more than the state needs: features, virtqueues, a larger MTU. It must
 * not offer less. The front end must have negotiated the features that it negotiated with the
 * source.
 */

#define FAULT(e, reason, vq, expected, found) \
	vhost_state_fault(e, RTE_VHOST_STATE_R_##reason, vq, -1, expected, found)

static int
fit_features(const struct rte_vhost_state *st, const struct rte_vhost_state_limits *lim,
		struct rte_vhost_state_error *e)
{
	const uint64_t needed = st->driver_features & ~VHOST_STATE_F_TRANSPORT;
	const uint64_t agreed = lim->driver_features & ~VHOST_STATE_F_TRANSPORT;

	/* Features that the source only offered are not needed (VIRTIO 1.4 "Device parts"). */
	if ((needed & ~lim->device_features) != 0)
		return FAULT(e, FIT_FEATURES, -1, lim->device_features, needed);
	if (lim->driver_features != 0 && needed != agreed)
		return FAULT(e, FIT_NEGOTIATED, -1, agreed, needed);
	return 0;
}

static int
fit_inflight(const struct rte_vhost_state *st, const struct rte_vhost_state_limits *lim,
		struct rte_vhost_state_error *e)
{
	const bool packed = rte_vhost_state_is_packed(st);
	const struct rte_vhost_state_vq *vq;
	uint16_t i;

	for (i = 0; i < st->nb_vqs; i++) {
		vq = &st->vqs[i];
		if (vq->nb_inflight == 0)
			continue;
		if (!lim->inflight)
			return FAULT(e, FIT_INFLIGHT, i, 0, vq->nb_inflight);
		/* The ring may hold the descriptors of a later buffer at these positions. */
		if (packed && vq->nb_inflight_descs == 0)
			return FAULT(e, FIT_INFLIGHT_DESCS, i, vq->nb_inflight, 0);
	}
	return 0;
}

static int
fit_device(const struct rte_vhost_state *st, const struct rte_vhost_state_limits *lim,
		struct rte_vhost_state_error *e)
{
	const struct vhost_state_class *class;
	int ret;

	if (st->device_id != lim->device_id)
		return FAULT(e, FIT_DEVICE_ID, -1, lim->device_id, st->device_id);
	class = vhost_state_class_find(st->device_id);
	if (class == NULL)
		return vhost_state_class_fault(st->device_id, -1, e);
	ret = fit_features(st, lim, e);
	if (ret != 0)
		return ret;
	if (st->nb_vqs > lim->max_vqs)
		return FAULT(e, FIT_VQ_COUNT, -1, lim->max_vqs, st->nb_vqs);
	ret = class->check_fit(st, lim, e);
	if (ret != 0)
		return ret;
	return fit_inflight(st, lim, e);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_check_fit, 26.11)
int
rte_vhost_state_check_fit(const struct rte_vhost_state *st,
		const struct rte_vhost_state_limits *lim, struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_error e;

	vhost_state_no_error(&e);
	fit_device(st, lim, &e);
	return vhost_state_report(err, &e);
}

static int
fit_vq(const struct rte_vhost_state *st, uint16_t i, const struct rte_vhost_state_vq *found,
		struct rte_vhost_state_error *e)
{
	const struct rte_vhost_state_vq *vq;

	if (i >= st->nb_vqs)
		return FAULT(e, VQ_INDEX, i, st->nb_vqs - 1, i);
	vq = &st->vqs[i];
	if (vq->size == 0)
		return 0;
	if (vq->size != found->size)
		return FAULT(e, FIT_VQ_SIZE, i, vq->size, found->size);
	if (vq->desc_addr != found->desc_addr)
		return FAULT(e, FIT_VQ_ADDRESS, i, vq->desc_addr, found->desc_addr);
	if (vq->driver_addr != found->driver_addr)
		return FAULT(e, FIT_VQ_ADDRESS, i, vq->driver_addr, found->driver_addr);
	if (vq->device_addr != found->device_addr)
		return FAULT(e, FIT_VQ_ADDRESS, i, vq->device_addr, found->device_addr);
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_check_vq, 26.11)
int
rte_vhost_state_check_vq(const struct rte_vhost_state *st, uint16_t vq,
		const struct rte_vhost_state_vq *found, struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_error e;

	vhost_state_no_error(&e);
	fit_vq(st, vq, found, &e);
	return vhost_state_report(err, &e);
}
