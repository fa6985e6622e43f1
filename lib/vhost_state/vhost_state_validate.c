/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <rte_bitops.h>

#include <vstate_compat.h>

#include "vhost_state_class.h"
#include "vhost_state_features.h"
#include "vhost_state_reason.h"
#include "vhost_state_validate.h"

/*
 * No check changes the state. A state that passes all checks is one that a device can have had.
 * The first value that is wrong is reported: of the device, of its class, then of each virtqueue.
 */

#define FAULT(e, reason, vq, expected, found) \
	vhost_state_fault(e, RTE_VHOST_STATE_R_##reason, vq, -1, expected, found)

/* ---- device ---- */

static int
check_device(const struct rte_vhost_state *st, const struct vhost_state_class *class,
		struct rte_vhost_state_error *e)
{
	const uint8_t must = RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER |
			RTE_VHOST_STATE_S_FEATURES_OK | RTE_VHOST_STATE_S_SUSPEND;
	const uint8_t may = RTE_VHOST_STATE_S_NEEDS_RESET | RTE_VHOST_STATE_S_FAILED;
	uint64_t extra = st->driver_features & ~st->device_features & ~VHOST_STATE_F_TRANSPORT;
	int ret;

	if (st->nb_vqs == 0 || st->nb_vqs > RTE_VHOST_STATE_MAX_VQ || st->vqs == NULL)
		return FAULT(e, VQ_COUNT, -1, RTE_VHOST_STATE_MAX_VQ, st->nb_vqs);
	if (class == NULL)
		return vhost_state_class_fault(st->device_id, -1, e);
	ret = vhost_state_class_check_vqs(class, st->nb_vqs, -1, e);
	if (ret != 0)
		return ret;
	if (extra != 0)
		return FAULT(e, FEATURES_NOT_OFFERED, -1, 0, extra);
	if ((st->status & ~may) != must)
		return FAULT(e, STATUS, -1, must, st->status);
	return 0;
}

/* ---- virtqueue: size and areas ---- */

/** Return whether the driver never set up the virtqueue: every field is zero. */
static bool
vq_untouched(const struct rte_vhost_state_vq *vq)
{
	return vq->size == 0 && !vq->enabled &&
			(vq->desc_addr | vq->driver_addr | vq->device_addr) == 0 &&
			(vq->avail_idx | vq->used_idx | vq->avail_wrap | vq->used_wrap) == 0 &&
			vq->signalled_used == 0 && !vq->signalled_valid && !vq->notify_pending &&
			(vq->nb_inflight | vq->nb_inflight_descs) == 0 &&
			(vq->stats.packets | vq->stats.bytes) == 0;
}

static int
check_size(const struct rte_vhost_state_vq *vq, bool packed, int i,
		struct rte_vhost_state_error *e)
{
	if (vq->size == 0)
		return FAULT(e, VQ_SIZE, i, 1, 0);
	if (vq->size > RTE_VHOST_STATE_MAX_VQ_SIZE)
		return FAULT(e, VQ_SIZE, i, RTE_VHOST_STATE_MAX_VQ_SIZE, vq->size);
	if (!packed && !rte_is_power_of_2(vq->size))
		return FAULT(e, VQ_SIZE, i, rte_align32pow2(vq->size), vq->size);
	return 0;
}

static int
check_area(uint64_t addr, uint64_t align, uint64_t len, int i, struct rte_vhost_state_error *e)
{
	if (addr % align != 0)
		return FAULT(e, VQ_ADDRESS, i, addr - addr % align, addr);
	if (addr > UINT64_MAX - len)
		return FAULT(e, VQ_ADDRESS, i, UINT64_MAX - len, addr);
	return 0;
}

/*
 * Alignments and sizes are those of VIRTIO 1.4 "Split Virtqueues" and "Packed Virtqueues". The
 * sizes include the event fields.
 */
static int
check_addresses(const struct rte_vhost_state_vq *vq, bool packed, int i,
		struct rte_vhost_state_error *e)
{
	const uint64_t size = vq->size;
	int ret;

	ret = check_area(vq->desc_addr, 16, 16 * size, i, e);
	if (ret == 0)
		ret = check_area(vq->driver_addr, packed ? 4 : 2, packed ? 4 : 6 + 2 * size, i, e);
	if (ret == 0)
		ret = check_area(vq->device_addr, 4, packed ? 4 : 6 + 8 * size, i, e);
	return ret;
}

/* ---- virtqueue: indices ---- */

static int
check_indices(const struct rte_vhost_state_vq *vq, bool packed, int i,
		struct rte_vhost_state_error *e)
{
	const uint8_t wrap_max = packed ? 1 : 0;

	if (packed && vq->avail_idx >= vq->size)
		return FAULT(e, VQ_IDX_RANGE, i, vq->size - 1, vq->avail_idx);
	if (packed && vq->used_idx >= vq->size)
		return FAULT(e, VQ_IDX_RANGE, i, vq->size - 1, vq->used_idx);
	if (vq->avail_wrap > wrap_max)
		return FAULT(e, VQ_WRAP, i, wrap_max, vq->avail_wrap);
	if (vq->used_wrap > wrap_max)
		return FAULT(e, VQ_WRAP, i, wrap_max, vq->used_wrap);
	return 0;
}

/**
 * Return how far available is ahead of used. Split: in buffers, modulo 2^16. Packed: in
 * descriptors. Position and wrap counter together have 2 * size values. An empty ring and a
 * ring with all descriptors in flight therefore differ.
 */
static uint32_t
idx_distance(const struct rte_vhost_state_vq *vq, bool packed)
{
	const uint32_t period = 2 * (uint32_t)vq->size;
	uint32_t ahead;

	if (!packed)
		return (uint16_t)(vq->avail_idx - vq->used_idx);
	ahead = period + vq->avail_idx - vq->used_idx;
	if (vq->avail_wrap != vq->used_wrap)
		ahead += vq->size;
	return ahead % period;
}

/* ---- virtqueue: in flight ---- */

/** A set of buffer IDs: one bit for each value. */
struct id_set {
	uint64_t word[(UINT16_MAX + 1) / 64];
};

/** Add @p id to @p set. Return false if the set had it already. */
static bool
id_add(struct id_set *set, uint16_t id)
{
	uint64_t *word = &set->word[id / 64];
	const uint64_t bit = RTE_BIT64(id % 64);
	const bool fresh = (*word & bit) == 0;

	*word |= bit;
	return fresh;
}

static int
check_entry(const struct rte_vhost_state_vq *vq, const struct rte_vhost_state_inflight *entry,
		bool packed, int i, struct rte_vhost_state_error *e)
{
	if (entry->head >= vq->size)
		return FAULT(e, INFLIGHT_HEAD, i, vq->size - 1, entry->head);
	/* In a packed ring the driver may use any ID. */
	if (!packed && entry->id != entry->head)
		return FAULT(e, INFLIGHT_HEAD, i, entry->head, entry->id);
	if (entry->num == 0 || (!packed && entry->num != 1))
		return FAULT(e, INFLIGHT_COUNT, i, 1, entry->num);
	return 0;
}

/*
 * Entries are in dequeue order, so unique counters rise from entry to entry, and equal counters
 * are neighbours. IDs are unique. Heads of a packed ring need not be, see rte_vhost_state.h.
 */
static int
check_inflight(const struct rte_vhost_state_vq *vq, uint32_t distance, bool packed, int i,
		struct rte_vhost_state_error *e)
{
	const struct rte_vhost_state_inflight *entry = vq->inflight;
	struct id_set seen;
	uint64_t descs = 0;
	uint16_t n;
	int ret;

	if (vq->nb_inflight > 0 && entry == NULL)
		return FAULT(e, INFLIGHT_COUNT, i, vq->nb_inflight, 0);
	if (vq->nb_inflight > 0)
		memset(&seen, 0, sizeof(seen));
	for (n = 0; n < vq->nb_inflight; n++) {
		ret = check_entry(vq, &entry[n], packed, i, e);
		if (ret != 0)
			return ret;
		if (!id_add(&seen, entry[n].id))
			return FAULT(e, INFLIGHT_DUPLICATE, i, n, entry[n].id);
		if (n > 0 && entry[n].counter == entry[n - 1].counter)
			return FAULT(e, INFLIGHT_DUPLICATE, i, entry[n].counter + 1,
					entry[n].counter);
		if (n > 0 && entry[n].counter < entry[n - 1].counter)
			return FAULT(e, INFLIGHT_ORDER, i, entry[n - 1].counter + 1,
					entry[n].counter);
		descs += entry[n].num;
	}
	if (descs != distance)
		return FAULT(e, INFLIGHT_COUNT, i, distance, descs);
	return 0;
}

/* ---- virtqueue: descriptors in flight ---- */

/** Check the flags of the descriptor at position @p n of a buffer with @p num descriptors. */
static int
check_desc_flags(const struct rte_vhost_state_desc *desc, uint16_t n, uint16_t num, int i,
		struct rte_vhost_state_error *e)
{
	const uint16_t must = n + 1 < num ? RTE_VHOST_STATE_DESC_F_NEXT : 0;
	const uint16_t may = RTE_VHOST_STATE_DESC_F_WRITE |
			(num == 1 ? RTE_VHOST_STATE_DESC_F_INDIRECT : 0);

	if ((desc->flags & ~may) != must)
		return FAULT(e, INFLIGHT_DESC_FLAGS, i, must | (desc->flags & may), desc->flags);
	return 0;
}

/*
 * Addresses and lengths are values of the guest. The library does not know guest memory, so the
 * device checks them before use, as it does for descriptors in the ring.
 */
static int
check_inflight_descs(const struct rte_vhost_state_vq *vq, uint32_t distance, bool packed, int i,
		struct rte_vhost_state_error *e)
{
	const struct rte_vhost_state_desc *desc = vq->inflight_descs;
	uint16_t n, num, d;
	int ret;

	if (vq->nb_inflight_descs == 0)
		return 0;
	if (!packed || vq->nb_inflight_descs != distance)
		return FAULT(e, INFLIGHT_DESC_COUNT, i, packed ? distance : 0,
				vq->nb_inflight_descs);
	if (desc == NULL)
		return FAULT(e, INFLIGHT_DESC_COUNT, i, vq->nb_inflight_descs, 0);
	for (n = 0; n < vq->nb_inflight; n++) {
		num = vq->inflight[n].num;
		for (d = 0; d < num; d++, desc++) {
			ret = check_desc_flags(desc, d, num, i, e);
			if (ret != 0)
				return ret;
		}
		if (desc[-1].id != vq->inflight[n].id)
			return FAULT(e, INFLIGHT_DESC_ID, i, vq->inflight[n].id, desc[-1].id);
	}
	return 0;
}

static int
check_vq(const struct rte_vhost_state_vq *vq, bool packed, int i, struct rte_vhost_state_error *e)
{
	uint32_t distance;
	int ret;

	if (vq_untouched(vq))
		return 0;
	ret = check_size(vq, packed, i, e);
	if (ret == 0)
		ret = check_addresses(vq, packed, i, e);
	if (ret == 0)
		ret = check_indices(vq, packed, i, e);
	if (ret != 0)
		return ret;
	distance = idx_distance(vq, packed);
	if (distance > vq->size)
		return FAULT(e, VQ_IDX_DISTANCE, i, vq->size, distance);
	ret = check_inflight(vq, distance, packed, i, e);
	if (ret == 0)
		ret = check_inflight_descs(vq, distance, packed, i, e);
	return ret;
}

int
vhost_state_check(const struct rte_vhost_state *st, struct rte_vhost_state_error *e)
{
	const bool packed = rte_vhost_state_is_packed(st);
	const struct vhost_state_class *class = vhost_state_class_find(st->device_id);
	uint16_t i;
	int ret;

	ret = check_device(st, class, e);
	if (ret == 0)
		ret = class->check(st, e);
	for (i = 0; i < st->nb_vqs && ret == 0; i++)
		ret = check_vq(&st->vqs[i], packed, i, e);
	return ret;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_validate, 26.11)
int
rte_vhost_state_validate(const struct rte_vhost_state *st, struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_error e;

	vhost_state_no_error(&e);
	vhost_state_check(st, &e);
	return vhost_state_report(err, &e);
}
