/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * What a front end does, as the control thread sees it: it connects, sets up rings, starts,
 * changes its mind, and goes.
 */

#include <errno.h>
#include <string.h>

#include <linux/virtio_ring.h>

#include <rte_byteorder.h>

#include <vstate_compat.h>

#include "vstate_control.h"
#include "vstate_dev.h"
#include "net/vstate_port_link.h"
#include "vstate_log.h"
#include "net/vstate_net.h"
#include "handover/vstate_state_file.h"
#include "handover/vstate_inflight_shm.h"

#define S_DRIVER_OK RTE_VHOST_STATE_S_DRIVER_OK
#define S_SUSPEND RTE_VHOST_STATE_S_SUSPEND
#define S_FEATURES_OK RTE_VHOST_STATE_S_FEATURES_OK
#define S_NEEDS_RESET RTE_VHOST_STATE_S_NEEDS_RESET

/* ---- queues ---- */

static bool
area_inside(const struct vstate_mem *mem, const void *area, uint64_t len, uint64_t *gpa)
{
	struct vstate_window win = { 0 };

	if (area == NULL)
		return false;
	*gpa = vstate_mem_gpa(mem, area);
	if (*gpa == UINT64_MAX || !vstate_window_move(&win, mem, *gpa))
		return false;
	return vstate_window_holds(&win, *gpa, len);
}

/* Take over where a ring lies. False: some of it is outside the guest's memory. */
static bool
vq_map(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring)
{
	const bool packed = dev->features & RTE_BIT64(VIRTIO_F_RING_PACKED);
	uint64_t desc_len, driver_len, device_len;

	if (ring->size == 0 || ring->size > RTE_VHOST_STATE_MAX_VQ_SIZE ||
			(!packed && !rte_is_power_of_2(ring->size)))
		return false;
	desc_len = ring->size * sizeof(struct vring_desc);
	if (packed) {
		driver_len = sizeof(struct vring_packed_desc_event);
		device_len = sizeof(struct vring_packed_desc_event);
	} else {
		/* flags, index and event index around the entries */
		driver_len = 3 * sizeof(uint16_t) + ring->size * sizeof(uint16_t);
		device_len = 3 * sizeof(uint16_t) + ring->size * sizeof(struct vring_used_elem);
	}
	if (!area_inside(&dev->mem, ring->desc, desc_len, &vq->desc_addr) ||
			!area_inside(&dev->mem, ring->driver, driver_len, &vq->driver_addr) ||
			!area_inside(&dev->mem, ring->device, device_len, &vq->device_addr))
		return false;
	if (((uintptr_t)ring->desc % 16) != 0 ||
			((uintptr_t)ring->driver % (packed ? 4 : 2)) != 0 ||
			((uintptr_t)ring->device % 4) != 0)
		return false;
	vq->size = ring->size;
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
	vq->ops = vstate_ring_ops(packed);
	return true;
}

/* What is in flight is that of a ring of this size and layout. */
static bool
inflight_fits(const struct vstate_vq *vq, bool packed)
{
	return vq->inflight == NULL ||
		(vq->inflight->packed == packed && vq->inflight->size == vq->size);
}

/* A base is the front end's word; keep it inside what the ring code relies on. */
static void
vq_set_base(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring)
{
	const bool packed = dev->features & RTE_BIT64(VIRTIO_F_RING_PACKED);

	/* A front end that took the ring and gives it again: what is in flight still is. */
	if (vq->inflight != NULL && inflight_fits(vq, packed) &&
			vq->avail.idx == ring->avail.idx && vq->avail.wrap == ring->avail.wrap)
		goto keep;
	vstate_inflight_drop(vq);
	vq->avail = ring->used;
	if (packed && vq->avail.idx >= ring->size)
		vq->avail.idx %= ring->size;
	if (!packed)
		vq->avail.wrap = 0;
	/* Nothing is in flight in this device between bursts. */
	vq->used = vq->avail;
keep:
	vq->signalled_valid = false;
	vq->fault = VSTATE_FAULT_NONE;
	vq->fault_told = false;
	vq->nb_shadow = 0;
	vq->nb_taken = 0;
}

/*
 * Positions outlive a stop, the size and the layout need not: a front end may change them
 * without a word about the base.
 */
static void
vq_keep_base(struct vstate_dev *dev, struct vstate_vq *vq)
{
	const bool packed = dev->features & RTE_BIT64(VIRTIO_F_RING_PACKED);

	if (inflight_fits(vq, packed) &&
			(!packed || (vq->avail.idx < vq->size && vq->used.idx < vq->size)))
		return;
	vstate_inflight_drop(vq);
	if (packed)
		vq->avail.idx %= vq->size;
	else
		vq->avail.wrap = 0;
	vq->used = vq->avail;
	vq->signalled_valid = false;
}

static void
vq_configure(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring)
{
	if (ring->ready && ring->callfd_fresh)
		vstate_vq_callfd_set(vq, ring->callfd);
	vq->ready = ring->ready && vq_map(dev, vq, ring);
	if (ring->ready && !vq->ready)
		VSTATE_LOG(ERR, "%s: queue %u has a ring outside the guest's memory, or a bad size",
				dev->name, vq->qid);
	if (!vq->ready) {
		/* the driver has begun anew, and not set this one up: no part of its state */
		if (vq->setup_resets != dev->resets)
			vq->size = 0;
		return;
	}
	vq->setup_resets = dev->resets;
	if (ring->base_fresh)
		vq_set_base(dev, vq, ring);
	else
		vq_keep_base(dev, vq);
	vq->mem = &dev->mem;
	vq->win = (struct vstate_window){ 0 };
	vstate_net_vq_configure(dev, vq);

	vq->dirty.nb_words = 0;
	vq->dirty.base = dev->features & RTE_BIT64(VHOST_F_LOG_ALL) ? dev->log_base : NULL;
	vq->dirty.size = dev->log_size;
}

/* ---- events, on the control thread ---- */

static void
setup_take(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	uint16_t i;

	dev->features = setup->features;
	dev->mem = setup->mem;
	dev->log_base = setup->log_base;
	dev->log_size = setup->log_size;
	if (setup->mtu != 0 && !(dev->status & S_SUSPEND))
		dev->mtu = setup->mtu;
	for (i = 0; i < dev->nb_vqs; i++)
		vq_configure(dev, dev->vqs[i], &setup->rings[i]);
}

static void
link_update(struct vstate_dev *dev)
{
	vstate_port_link_set(dev, dev->started && (dev->status & (S_DRIVER_OK | S_SUSPEND)));
}

static int
do_connect(struct vstate_dev *dev, void *arg)
{
	uint16_t i;

	RTE_SET_USED(arg);
	dev->connected = true;
	dev->status = 0;
	dev->mtu = dev->conf.mtu;
	for (i = 0; i < dev->nb_vqs; i++) {
		memset(&dev->announced[i], 0, sizeof(dev->announced[i]));
		/* queues of the guest before are none of this one's state */
		dev->vqs[i]->size = 0;
		dev->vqs[i]->call_due = false;
		vstate_inflight_drop(dev->vqs[i]);
	}
	return 0;
}

static int
do_stop(struct vstate_dev *dev, void *arg)
{
	uint16_t i;

	RTE_SET_USED(arg);
	vstate_quiesce_always(dev);
	/* A device whose rings are taken back is at rest, and shows it until it has them again. */
	if (dev->started && (dev->status & S_DRIVER_OK)) {
		dev->status = (dev->status & ~S_DRIVER_OK) | S_SUSPEND;
		dev->rings_taken = true;
	}
	/* QEMU takes the rings back, resets the status, and asks for the state after that. */
	if (dev->started) {
		rte_vhost_state_free(dev->kept);
		dev->kept = vstate_state_collect(dev);
		if (dev->closing)
			vstate_state_file_store(dev);
		else
			vstate_state_file_retire(dev);
		vstate_recover_drop(dev);
	}
	dev->started = false;
	vstate_restore_drop(dev);
	for (i = 0; i < dev->nb_vqs; i++) {
		dev->vqs[i]->ready = false;
		dev->vqs[i]->dirty.base = NULL;
	}
	vstate_grant(dev);
	link_update(dev);
	return 0;
}

/* What a front end broke is whole for the next one, and after a reset. No one is inside. */
static void
faults_clear(struct vstate_dev *dev)
{
	uint16_t i;

	vstate_dev_watch(dev); /* counted all the same */
	for (i = 0; i < dev->nb_vqs; i++) {
		dev->vqs[i]->fault = VSTATE_FAULT_NONE;
		dev->vqs[i]->fault_told = false;
	}
}

static int
do_disconnect(struct vstate_dev *dev, void *arg)
{
	uint16_t i;

	do_stop(dev, arg);
	faults_clear(dev);
	dev->connected = false;
	dev->paused = false;
	dev->rings_taken = false;
	dev->mtu_next = 0;
	dev->status = 0;
	dev->features = 0;
	rte_vhost_state_free(dev->kept);
	dev->kept = NULL;
	/* where it was is not for a guest that went to say */
	__atomic_store_n(&dev->rarp_due, 0, __ATOMIC_RELAXED);
	vstate_inflight_shm_drop(dev);
	for (i = 0; i < dev->nb_vqs; i++)
		vstate_vq_callfd_set(dev->vqs[i], -1);
	return 0;
}

static int
do_pause(struct vstate_dev *dev, void *arg)
{
	RTE_SET_USED(arg);
	vstate_quiesce_always(dev);
	dev->paused = true;
	return 0;
}

/* Whoever says where the rings stand: a state that was brought, a process before, the front end. */
static int
rings_meet(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	uint16_t i;
	int ret;

	if (dev->restored != NULL) {
		vstate_recover_drop(dev);
		ret = vstate_restore_meet(dev, setup);
	} else {
		ret = 0;
		vstate_recover_meet(dev, setup);
	}
	for (i = 0; i < dev->nb_vqs; i++) {
		if (dev->vqs[i]->ready && !vstate_inflight_shm_begin(dev, dev->vqs[i]))
			vstate_state_file_attach(dev, dev->vqs[i]);
	}
	vstate_state_file_store(dev);
	return ret;
}

static int
do_sync(struct vstate_dev *dev, void *arg)
{
	vstate_quiesce_always(dev);
	setup_take(dev, arg);
	rings_meet(dev, arg);
	dev->paused = false;
	vstate_grant(dev);
	return 0;
}

static int
do_start(struct vstate_dev *dev, void *arg)
{
	const struct vstate_setup *setup = arg;
	int ret;

	vstate_quiesce_always(dev);
	rte_vhost_state_free(dev->kept);
	dev->kept = NULL;
	dev->started = true;
	dev->starts++;
	if (dev->rings_taken)
		dev->status = (dev->status & ~S_SUSPEND) | S_DRIVER_OK;
	dev->rings_taken = false;
	/* as at any other resume, before what the front end says now */
	if (dev->mtu_next != 0 && !(dev->status & S_SUSPEND)) {
		dev->mtu = dev->mtu_next;
		dev->mtu_next = 0;
	}
	setup_take(dev, setup);
	/* Said once, here: a later message must neither resume a suspended device nor revive
	 * one that needs a reset.
	 */
	if (!setup->status_negotiated && !(dev->status & S_SUSPEND))
		dev->status |= S_FEATURES_OK | S_DRIVER_OK;
	ret = rings_meet(dev, setup);
	dev->paused = false;
	vstate_grant(dev);
	link_update(dev);
	return ret;
}

static int
do_ring_stop(struct vstate_dev *dev, void *arg)
{
	struct vstate_vq *vq = dev->vqs[*(const uint16_t *)arg];

	vstate_quiesce_vq(dev, vq);
	vq->ready = false;
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

	/* States are met by, and pages hold, all rings at one instant. */
	if (dev->paused || dev->restored != NULL || dev->recovery != NULL || dev->state_file != NULL ||
			dev->inflight_shm != NULL)
		return -EAGAIN;
	vstate_quiesce_vq(dev, vq);
	vq_configure(dev, vq, start->ring);
	vstate_grant_vq(dev, vq);
	return 0;
}

struct ring_call {
	uint16_t qid;
	int fd;
};

static int
do_ring_call(struct vstate_dev *dev, void *arg)
{
	const struct ring_call *call = arg;
	struct vstate_vq *vq = dev->vqs[call->qid];

	vstate_quiesce_vq(dev, vq);
	vstate_vq_callfd_set(vq, call->fd);
	/* A call that came before may have gone where nobody listened any more. */
	vstate_dev_call_vq(dev, vq);
	vstate_grant_vq(dev, vq);
	return 0;
}

/* Suspend and resume by the status byte are those of the API, with its bound and its times. */
static int
status_change(struct vstate_dev *dev, uint8_t result, struct rte_vhost_state_error *err)
{
	const uint8_t changed = dev->status ^ result;
	int ret = 0;

	if ((changed & S_SUSPEND) && (result & S_SUSPEND)) {
		ret = vstate_state_suspend(dev, VSTATE_SUSPEND_TIMEOUT_NS, err);
	} else if ((changed & S_SUSPEND) && dev->started && result != 0) {
		ret = vstate_state_resume(dev, err);
	} else {
		vstate_quiesce_always(dev);
	}
	/* VIRTIO 1.4: a device that cannot suspend or resume sets NEEDS_RESET. */
	if (ret != 0)
		dev->status |= S_NEEDS_RESET;
	else
		dev->status = result != 0 ? result | (dev->status & S_NEEDS_RESET) : 0;
	return ret;
}

static int
do_status_write(struct vstate_dev *dev, void *arg)
{
	uint8_t next = *(const uint8_t *)arg, result;
	struct rte_vhost_state_error err = { 0 };
	uint8_t cur = dev->status;
	char text[128];
	int ret;

	/* vhost-user front ends tell the status only from FEATURES_OK on. */
	if (next & S_FEATURES_OK)
		next |= RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER;
	ret = rte_vhost_state_status_write(cur, next, dev->features, &result, &err);
	if (ret == 0 && result != cur) {
		ret = status_change(dev, result, &err);
		if (result == 0) {
			/* Positions stay: QEMU resets first, then asks for the indices. */
			dev->resets++;
			faults_clear(dev);
			/* a fault that was told only now was of before */
			dev->status = 0;
			dev->rings_taken = false;
			dev->mtu_next = 0;
			vstate_restore_drop(dev);
		}
		vstate_grant(dev);
		link_update(dev);
	}
	if (ret != 0) {
		rte_vhost_state_error_format(&err, text, sizeof(text));
		VSTATE_LOG(WARNING, "%s: status 0x%02x after 0x%02x not obeyed: %s", dev->name,
				next, cur, text);
	}
	return ret;
}

struct negotiation {
	uint64_t features;
	bool status_negotiated;
};

static int
do_negotiate(struct vstate_dev *dev, void *arg)
{
	const struct negotiation *n = arg;

	dev->features = n->features;
	if (dev->status & (S_DRIVER_OK | S_SUSPEND))
		return 0;
	/* The front end and the guest did these steps between them. */
	dev->status |= RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER;
	if (!n->status_negotiated)
		dev->status |= S_FEATURES_OK;
	return 0;
}

void
vstate_dev_connect(struct vstate_dev *dev)
{
	vstate_control_run(do_connect, dev, NULL);
}

void
vstate_dev_disconnect(struct vstate_dev *dev)
{
	vstate_control_run(do_disconnect, dev, NULL);
}

void
vstate_dev_pause(struct vstate_dev *dev)
{
	vstate_control_run(do_pause, dev, NULL);
}

void
vstate_dev_sync(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	vstate_control_run(do_sync, dev, RTE_PTR_UNQUAL(setup));
}

int
vstate_dev_start(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	return vstate_control_run(do_start, dev, RTE_PTR_UNQUAL(setup));
}

void
vstate_dev_stop(struct vstate_dev *dev)
{
	vstate_control_run(do_stop, dev, NULL);
}

void
vstate_dev_ring_stop(struct vstate_dev *dev, uint16_t qid)
{
	vstate_control_run(do_ring_stop, dev, &qid);
}

int
vstate_dev_ring_start(struct vstate_dev *dev, uint16_t qid, const struct vstate_ring_setup *ring)
{
	struct ring_start start = { qid, ring };

	return vstate_control_run(do_ring_start, dev, &start);
}

void
vstate_dev_ring_call(struct vstate_dev *dev, uint16_t qid, int fd)
{
	struct ring_call call = { qid, fd };

	vstate_control_run(do_ring_call, dev, &call);
}

void
vstate_dev_status_write(struct vstate_dev *dev, uint8_t status)
{
	vstate_control_run(do_status_write, dev, &status);
}

void
vstate_dev_negotiate(struct vstate_dev *dev, uint64_t features, bool status_negotiated)
{
	struct negotiation n = { features, status_negotiated };

	vstate_control_run(do_negotiate, dev, &n);
}

static int
do_status_read(struct vstate_dev *dev, void *arg)
{
	RTE_SET_USED(arg);
	vstate_dev_watch(dev);
	return dev->status;
}

uint8_t
vstate_dev_status_read(struct vstate_dev *dev)
{
	return vstate_control_run(do_status_read, dev, NULL);
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

	dev->announced[a->qid].size = a->size;
	return 0;
}

static int
do_announce_addr(struct vstate_dev *dev, void *arg)
{
	const struct announcement *a = arg;

	dev->announced[a->qid].addr_known = true;
	dev->announced[a->qid].desc_addr = a->desc_addr;
	dev->announced[a->qid].driver_addr = a->driver_addr;
	dev->announced[a->qid].device_addr = a->device_addr;
	return 0;
}

void
vstate_dev_announce_size(struct vstate_dev *dev, uint16_t qid, uint16_t size)
{
	struct announcement a = { .qid = qid, .size = size };

	vstate_control_run(do_announce_size, dev, &a);
}

void
vstate_dev_announce_addr(struct vstate_dev *dev, uint16_t qid, uint64_t desc_addr,
		uint64_t driver_addr, uint64_t device_addr)
{
	struct announcement a = { qid, 0, desc_addr, driver_addr, device_addr };

	vstate_control_run(do_announce_addr, dev, &a);
}

static int
do_mtu(struct vstate_dev *dev, void *arg)
{
	uint16_t mtu = *(const uint16_t *)arg;

	if (dev->status & S_SUSPEND)
		dev->mtu_next = mtu;
	else
		dev->mtu = mtu;
	return 0;
}

void
vstate_dev_mtu(struct vstate_dev *dev, uint16_t mtu)
{
	vstate_control_run(do_mtu, dev, &mtu);
}

static int
do_rarp(struct vstate_dev *dev, void *arg)
{
	uint64_t due = 0;

	memcpy(&due, arg, RTE_ETHER_ADDR_LEN);
	__atomic_store_n(&dev->rarp_due, rte_le_to_cpu_64(due) | VSTATE_RARP_DUE,
			__ATOMIC_RELAXED);
	return 0;
}

void
vstate_dev_rarp(struct vstate_dev *dev, const struct rte_ether_addr *mac)
{
	vstate_control_run(do_rarp, dev, RTE_PTR_UNQUAL(mac));
}
