/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include <linux/vhost_types.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>

#include "ring/vstate_call.h"
#include "ring/vstate_dirty.h"
#include "ring/vstate_kick.h"
#include "ring/vstate_vq.h"
#include "rte_vhost_state.h"
#include "vstate_class.h"
#include "vstate_dev.h"
#include "vstate_log.h"
#include "vstate_setup.h"
#include "vstate_vq_setup.h"

static bool
area_is_inside(const struct vstate_mem *mem, const void *area, uint64_t len, uint64_t *gpa)
{
	struct vstate_window win = { 0 };

	if (area == NULL)
		return false;
	*gpa = vstate_mem_gpa(mem, area);
	if (*gpa == UINT64_MAX || !vstate_window_move(&win, mem, *gpa))
		return false;
	return vstate_window_holds(&win, *gpa, len);
}

/* Write the lengths in bytes of driver and device area: VIRTIO "Virtqueues". */
static void
area_lengths(uint16_t size, bool packed, uint64_t *driver, uint64_t *device)
{
	if (packed) {
		*driver = sizeof(struct vring_packed_desc_event);
		*device = sizeof(struct vring_packed_desc_event);
	} else {
		/* flags, index and event index around the entries */
		*driver = 3 * sizeof(uint16_t) + size * sizeof(uint16_t);
		*device = 3 * sizeof(uint16_t) + size * sizeof(struct vring_used_elem);
	}
}

/* Check the three areas of a ring. False: bad size, outside the guest's memory, or misaligned. */
static bool
areas_check(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring,
		bool packed)
{
	uint64_t driver_len, device_len;

	if (ring->size == 0 || ring->size > RTE_VHOST_STATE_MAX_VQ_SIZE ||
			(!packed && !rte_is_power_of_2(ring->size)))
		return false;
	area_lengths(ring->size, packed, &driver_len, &device_len);
	if (!area_is_inside(&dev->guest.mem, ring->desc, ring->size * sizeof(struct vring_desc),
				&vq->desc_addr) ||
			!area_is_inside(&dev->guest.mem, ring->driver, driver_len,
				&vq->driver_addr) ||
			!area_is_inside(&dev->guest.mem, ring->device, device_len,
				&vq->device_addr))
		return false;
	return ((uintptr_t)ring->desc % 16) == 0 &&
		((uintptr_t)ring->driver % (packed ? 4 : 2)) == 0 &&
		((uintptr_t)ring->device % 4) == 0;
}

static bool
vq_map(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring)
{
	const bool packed = vstate_dev_is_packed(dev);

	if (!areas_check(dev, vq, ring, packed))
		return false;
	vq->size = ring->size;
	vq->is_packed = packed;
	vq->event_idx = dev->guest.features & RTE_BIT64(VIRTIO_RING_F_EVENT_IDX);
	vq->indirect = dev->guest.features & RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC);
	if (packed) {
		vq->packed.desc = ring->desc;
		vq->packed.driver = ring->driver;
		vq->packed.device = ring->device;
		vq->used_gpa = vq->desc_addr;
		vq->event_gpa = vq->device_addr;
	} else {
		vq->split.desc = ring->desc;
		vq->split.avail = ring->driver;
		vq->split.used = ring->device;
		vq->used_gpa = vq->device_addr;
	}
	return true;
}

static void
vq_unset(struct vstate_dev *dev, struct vstate_vq *vq)
{
	vstate_run_vq_block(vq, VSTATE_BLOCK_NOT_READY);
	/* The driver reset the device and does not use this queue: the state leaves it out. */
	if (vq->setup_resets != dev->history.resets)
		vq->size = 0;
}

void
vstate_vq_setup_kick(struct vstate_dev *dev, struct vstate_vq *vq, int fd)
{
	int ret;

	if (dev->class->wants_kicks == NULL || !dev->class->wants_kicks(vq))
		return;
	ret = vstate_kick_fd_set(vq, fd);
	if (ret != 0)
		VSTATE_LOG(WARNING, "%s: queue %u: kicks are not seen: %s", dev->name, vq->qid,
				strerror(-ret));
}

void
vstate_vq_setup(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring)
{
	if (ring->ready && ring->callfd_fresh)
		vstate_call_fd_set(vq, ring->callfd);
	if (!ring->ready || !vq_map(dev, vq, ring)) {
		if (ring->ready)
			VSTATE_LOG(ERR, "%s: queue %u is not served: its ring is outside the "
					"guest's memory, misaligned, or has a bad size (%u)",
					dev->name, vq->qid, ring->size);
		vq_unset(dev, vq);
		return;
	}
	if (ring->kickfd_fresh || vq->kickfd < 0)
		vstate_vq_setup_kick(dev, vq, ring->kickfd);
	vq->setup_resets = dev->history.resets;
	vq->mem = &dev->guest.mem;
	vq->win = (struct vstate_window){ 0 };
	vq->dirty.nb_words = 0;
	vq->dirty.base = dev->guest.features & RTE_BIT64(VHOST_F_LOG_ALL) ?
		dev->guest.log_base : NULL;
	vq->dirty.size = dev->guest.log_size;
	dev->class->vq_setup(dev, vq);
	vstate_run_vq_unblock(vq, VSTATE_BLOCK_NOT_READY);
}
