/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_errno.h>

#include <vstate_compat.h>

#include "vhost_state_class.h"
#include "vhost_state_features.h"

/*
 * Memory is from the heap of the C library, not from rte_malloc(). A tool that only reads a state
 * file then needs no EAL.
 */

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_alloc, 26.11)
struct rte_vhost_state *
rte_vhost_state_alloc(uint16_t nb_vqs)
{
	struct rte_vhost_state *st;

	if (nb_vqs == 0 || nb_vqs > RTE_VHOST_STATE_MAX_VQ) {
		rte_errno = EINVAL;
		return NULL;
	}
	st = calloc(1, sizeof(*st));
	if (st == NULL)
		goto no_memory;
	st->vqs = calloc(nb_vqs, sizeof(*st->vqs));
	if (st->vqs == NULL)
		goto no_memory;
	st->nb_vqs = nb_vqs;
	return st;

no_memory:
	free(st);
	rte_errno = ENOMEM;
	return NULL;
}

/**
 * Allocate an array of @p nb elements, all zero, for virtqueue @p vq. NULL if @p nb is 0. A
 * virtqueue has no more buffers, and no more descriptors, than RTE_VHOST_STATE_MAX_VQ_SIZE.
 */
static int
alloc_array(const struct rte_vhost_state *st, uint16_t vq, uint32_t nb, size_t size, void **array)
{
	*array = NULL;
	if (vq >= st->nb_vqs || nb > RTE_VHOST_STATE_MAX_VQ_SIZE)
		return -EINVAL;
	if (nb == 0)
		return 0;
	*array = calloc(nb, size);
	return *array != NULL ? 0 : -ENOMEM;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_vq_inflight_alloc, 26.11)
int
rte_vhost_state_vq_inflight_alloc(struct rte_vhost_state *st, uint16_t vq, uint16_t nb)
{
	void *inflight;
	int ret;

	ret = alloc_array(st, vq, nb, sizeof(*st->vqs[vq].inflight), &inflight);
	if (ret != 0)
		return ret;
	free(st->vqs[vq].inflight);
	st->vqs[vq].inflight = inflight;
	st->vqs[vq].nb_inflight = nb;
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_vq_inflight_descs_alloc, 26.11)
int
rte_vhost_state_vq_inflight_descs_alloc(struct rte_vhost_state *st, uint16_t vq, uint32_t nb)
{
	void *descs;
	int ret;

	ret = alloc_array(st, vq, nb, sizeof(*st->vqs[vq].inflight_descs), &descs);
	if (ret != 0)
		return ret;
	free(st->vqs[vq].inflight_descs);
	st->vqs[vq].inflight_descs = descs;
	st->vqs[vq].nb_inflight_descs = nb;
	return 0;
}

static int
vq_copy(struct rte_vhost_state *to, const struct rte_vhost_state *from, uint16_t i)
{
	const struct rte_vhost_state_vq *src = &from->vqs[i];
	struct rte_vhost_state_vq *dst = &to->vqs[i];
	struct rte_vhost_state_inflight *inflight;
	struct rte_vhost_state_desc *descs;
	int ret;

	ret = rte_vhost_state_vq_inflight_alloc(to, i, src->nb_inflight);
	if (ret == 0)
		ret = rte_vhost_state_vq_inflight_descs_alloc(to, i, src->nb_inflight_descs);
	if (ret != 0)
		return ret;
	inflight = dst->inflight;
	descs = dst->inflight_descs;
	*dst = *src;
	dst->inflight = inflight;
	dst->inflight_descs = descs;
	if (src->nb_inflight > 0)
		memcpy(inflight, src->inflight, src->nb_inflight * sizeof(*inflight));
	if (src->nb_inflight_descs > 0)
		memcpy(descs, src->inflight_descs, src->nb_inflight_descs * sizeof(*descs));
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_copy, 26.11)
struct rte_vhost_state *
rte_vhost_state_copy(const struct rte_vhost_state *st)
{
	struct rte_vhost_state *copy;
	struct rte_vhost_state_vq *vqs;
	uint16_t i;
	int ret;

	copy = rte_vhost_state_alloc(st->nb_vqs);
	if (copy == NULL)
		return NULL;
	vqs = copy->vqs;
	*copy = *st;
	copy->vqs = vqs;
	for (i = 0; i < st->nb_vqs; i++) {
		ret = vq_copy(copy, st, i);
		if (ret != 0) {
			rte_vhost_state_free(copy);
			rte_errno = -ret;
			return NULL;
		}
	}
	return copy;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_free, 26.11)
void
rte_vhost_state_free(struct rte_vhost_state *st)
{
	uint16_t i;

	if (st == NULL)
		return;
	for (i = 0; i < st->nb_vqs; i++) {
		free(st->vqs[i].inflight);
		free(st->vqs[i].inflight_descs);
	}
	free(st->vqs);
	free(st);
}

/* Structures are compared field by field, because padding has no defined value. */

static bool
inflight_equal(const struct rte_vhost_state_inflight *a, const struct rte_vhost_state_inflight *b)
{
	return a->head == b->head && a->id == b->id && a->num == b->num &&
			a->counter == b->counter;
}

static bool
desc_equal(const struct rte_vhost_state_desc *a, const struct rte_vhost_state_desc *b)
{
	return a->addr == b->addr && a->len == b->len && a->id == b->id && a->flags == b->flags;
}

static bool
vq_equal(const struct rte_vhost_state_vq *a, const struct rte_vhost_state_vq *b)
{
	uint32_t i;

	if (a->size != b->size || a->enabled != b->enabled ||
			a->desc_addr != b->desc_addr || a->driver_addr != b->driver_addr ||
			a->device_addr != b->device_addr ||
			a->avail_idx != b->avail_idx || a->avail_wrap != b->avail_wrap ||
			a->used_idx != b->used_idx || a->used_wrap != b->used_wrap ||
			a->signalled_used != b->signalled_used ||
			a->signalled_valid != b->signalled_valid ||
			a->notify_pending != b->notify_pending ||
			a->nb_inflight != b->nb_inflight ||
			a->nb_inflight_descs != b->nb_inflight_descs ||
			a->stats.packets != b->stats.packets || a->stats.bytes != b->stats.bytes)
		return false;
	for (i = 0; i < a->nb_inflight; i++)
		if (!inflight_equal(&a->inflight[i], &b->inflight[i]))
			return false;
	for (i = 0; i < a->nb_inflight_descs; i++)
		if (!desc_equal(&a->inflight_descs[i], &b->inflight_descs[i]))
			return false;
	return true;
}

static bool
class_equal(const struct rte_vhost_state *a, const struct rte_vhost_state *b)
{
	const struct vhost_state_class *class = vhost_state_class_find(a->device_id);

	/* The fields of an unknown class are not known, so all bytes are compared. */
	if (class == NULL)
		return memcmp(a->class_data, b->class_data, sizeof(a->class_data)) == 0;
	return class->equal(a, b);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_equal, 26.11)
bool
rte_vhost_state_equal(const struct rte_vhost_state *a, const struct rte_vhost_state *b)
{
	uint16_t i;

	if (a->device_id != b->device_id || a->status != b->status ||
			a->device_features != b->device_features ||
			a->driver_features != b->driver_features || a->nb_vqs != b->nb_vqs ||
			!class_equal(a, b))
		return false;
	for (i = 0; i < a->nb_vqs; i++)
		if (!vq_equal(&a->vqs[i], &b->vqs[i]))
			return false;
	return true;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_is_packed, 26.11)
bool
rte_vhost_state_is_packed(const struct rte_vhost_state *st)
{
	return (st->driver_features & RTE_BIT64(VHOST_STATE_F_RING_PACKED)) != 0;
}
