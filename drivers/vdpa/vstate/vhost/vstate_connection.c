/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/vhost.h>
#include <linux/virtio_ring.h>

#include <rte_vhost.h>

#include <vstate_compat.h>

#include "dev/vstate_class.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_setup.h"
#include "dev/vstate_start.h"
#include "ring/vstate_vq.h"
#include "vstate_connection.h"
#include "vstate_device_state.h"
#include "vstate_log.h"
#include "vstate_mem_watch.h"
#include "vstate_mem_table.h"
#include "vstate_msg_log.h"


/* Devices by vid. rte_vhost's threads write an entry before and after all messages of its vid. */
static struct vstate_dev *by_vid[RTE_MAX_VHOST_DEVICE];

int
vstate_connection_create(struct vstate_dev *dev)
{
	struct vstate_connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	dev->connection = c;
	pthread_mutex_init(&c->device_state_lock, NULL);
	c->vid = -1;
	c->fd_qid = -1;
	vstate_backend_req_init(dev);
	/* with rte_vdpa the connection belongs to the application: it is never passed on */
	if (dev->conf.state_dir[0] == '\0' || dev->conf.iface[0] == '\0')
		return 0;
	c->msg_log = vstate_msg_log_create(dev->nb_vqs);
	return c->msg_log != NULL ? 0 : -ENOMEM;
}

void
vstate_connection_destroy(struct vstate_dev *dev)
{
	struct vstate_connection *c = dev->connection;

	if (c == NULL)
		return;
	vstate_msg_log_free(c->msg_log);
	pthread_mutex_destroy(&c->device_state_lock);
	free(c);
	dev->connection = NULL;
}

struct vstate_dev *
vstate_connection_dev(int vid)
{
	if (vid < 0 || vid >= RTE_MAX_VHOST_DEVICE)
		return NULL;
	return rte_atomic_load_explicit(&by_vid[vid], rte_memory_order_acquire);
}

/* Whether this side ends the connection, and leaves the rings to another process. */
static bool
connection_is_left(const struct vstate_dev *dev)
{
	return rte_atomic_load_explicit(&dev->connection->leave, rte_memory_order_relaxed);
}

int
vstate_connection_attach(int vid, struct vstate_dev *dev)
{
	uint16_t i;

	if (vid < 0 || vid >= RTE_MAX_VHOST_DEVICE)
		return -EINVAL;
	if (by_vid[vid] == dev)
		return 0;
	if (dev->connection->vid >= 0)
		return -EBUSY;
	dev->connection->vid = vid;
	dev->connection->own_features = 0;
	dev->connection->protocol = 0;
	dev->connection->has_memory = false;
	dev->connection->memory_gone = false;
	dev->connection->vdpa_started = false;
	dev->connection->ring_came = false;
	dev->connection->driver_ok = false;
	for (i = 0; i < VSTATE_MAX_VQS; i++) {
		dev->connection->ring_ready[i] = false;
		dev->connection->base_fresh[i] = true;
		dev->connection->base_known[i] = false;
		dev->connection->callfd_fresh[i] = true;
		dev->connection->kickfd_fresh[i] = true;
	}
	dev->connection->fd_qid = -1;
	dev->connection->fd_taken = false;
	vstate_msg_log_begin(dev->connection->msg_log);
	vstate_start_connect(dev);
	rte_atomic_store_explicit(&by_vid[vid], dev, rte_memory_order_release);
	return 0;
}

void
vstate_connection_detach(int vid, struct vstate_dev *dev)
{
	struct vstate_dev *self = dev;

	if (vid < 0 || dev->connection->vid != vid)
		return;
	vstate_device_state_abort(dev);
	vstate_backend_req_end(dev);
	vstate_start_disconnect(dev, connection_is_left(dev));
	vstate_mem_watch_end(dev);
	rte_atomic_store_explicit(&dev->connection->memory_lost, 0, rte_memory_order_relaxed);
	/* drop the log, which holds descriptors of the front end's memory */
	vstate_msg_log_begin(dev->connection->msg_log);
	dev->connection->vid = -1;
	/* rte_vhost may have given the number to the connection of another device already */
	rte_atomic_compare_exchange_strong_explicit(&by_vid[vid], &self, NULL,
			rte_memory_order_release, rte_memory_order_relaxed);
}

int
vstate_connection_replace(int vid, struct vstate_dev *dev)
{
	if (dev->connection->vid >= 0 && dev->connection->vid != vid) {
		VSTATE_LOG(NOTICE, "%s: a new front end replaces the old one, which has not "
				"disconnected", dev->name);
		/* after this, queued and later messages of the old front end find no device */
		vstate_connection_detach(dev->connection->vid, dev);
	}
	return vstate_connection_attach(vid, dev);
}

/* ---- read the set-up from rte_vhost ---- */

/* Refuse a call descriptor that is not an eventfd, because it could block the poll thread. */
static int
callfd_check(const struct vstate_dev *dev, uint16_t qid, int fd)
{
	static const char want[] = "anon_inode:[eventfd]";
	char path[32], target[sizeof(want)];
	ssize_t len;

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, target, sizeof(target));
	if (len == sizeof(want) - 1 && memcmp(target, want, len) == 0) {
		/* If the front end filled the counter, a blocking write would wait for it. */
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		return fd;
	}
	VSTATE_LOG(ERR, "%s: call descriptor of queue %u is not an eventfd: the driver gets no "
			"calls", dev->name, qid);
	return -1;
}

void
vstate_connection_base_set(struct vstate_dev *dev, uint16_t qid, uint32_t base)
{
	dev->connection->base_fresh[qid] = true;
	dev->connection->base_known[qid] = true;
	dev->connection->base_said[qid] = base;
}

static struct vstate_pos
pos_of_wire(uint16_t wire)
{
	return (struct vstate_pos){ wire & 0x7fff, wire >> 15 };
}

/*
 * QEMU before 8.1 keeps the wrap counter in the used index of a packed ring (virtio.c,
 * virtio_queue_packed_set_last_avail_idx()). If the counter is 1, and QEMU uses up a frame itself
 * while the link is down, it aborts, and the guest with it. Such a QEMU negotiates all that is
 * offered but DEVICE_STATE, which is of 8.2.
 */
static bool
front_end_aborts_with_wrap(const struct vstate_dev *dev)
{
	const struct vstate_connection *c = dev->connection;

	return (c->protocol_offered & VSTATE_PROTOCOL_F_INFLIGHT) &&
		(c->protocol_offered & ~(VSTATE_PROTOCOL_F_DEVICE_STATE |
			VSTATE_PROTOCOL_F_BASE_INFLIGHT)) == c->protocol;
}

uint32_t
vstate_connection_base_get(const struct vstate_dev *dev, uint16_t qid)
{
	const struct vstate_connection *c = dev->connection;
	const bool packed = vstate_connection_is_packed(dev);
	const struct vstate_pos first = { 0, 1 };
	const struct vstate_vq *vq;

	if (qid >= dev->nb_vqs || c->base_fresh[qid]) {
		if (qid < dev->nb_vqs && c->base_known[qid])
			return c->base_said[qid];
		return packed ? (uint32_t)vstate_pos_wire(first) << 16 |
			vstate_pos_wire(first) : 0;
	}
	vq = dev->vqs[qid];
	if (!packed)
		return vq->avail.idx;
	return (uint32_t)vstate_pos_wire(vq->used) << 16 | vstate_pos_wire(vq->avail);
}

uint32_t
vstate_connection_base_answer(const struct vstate_dev *dev, uint16_t qid)
{
	const uint32_t base = vstate_connection_base_get(dev, qid);

	if (qid >= dev->nb_vqs || dev->connection->base_fresh[qid] ||
			!vstate_connection_is_packed(dev))
		return base;
	/* 0: not known. The device knows it, if the front end comes back. */
	return pos_of_wire(base >> 16).wrap && front_end_aborts_with_wrap(dev) ?
		base & 0xffff : base;
}

/*
 * vhost-user's base of a packed ring has the available position in its lower half and the used
 * position in its upper half. A back end that answers with the lower half alone, as rte_vhost does,
 * makes its front end send 0 in the upper half: then only the available position is known.
 */
static void
base_get_packed(const struct vstate_dev *dev, uint16_t qid, struct vstate_ring_setup *ring)
{
	const struct vstate_pos first = { 0, 1 };
	const uint32_t base = dev->connection->base_said[qid];

	ring->avail = ring->used = first;
	if (!dev->connection->base_known[qid])
		return;
	ring->avail = pos_of_wire(base & 0xffff);
	ring->used = base >> 16 != 0 ? pos_of_wire(base >> 16) : ring->avail;
}

/* rte_vhost moves a split ring to the used index in the guest's memory. */
static void
base_get_split(const struct vstate_dev *dev, uint16_t qid, struct vstate_ring_setup *ring)
{
	uint16_t avail = 0, used = 0;

	rte_vhost_get_vring_base(dev->connection->vid, qid, &avail, &used);
	ring->avail.idx = dev->connection->base_known[qid] ? dev->connection->base_said[qid] : 0;
	ring->used.idx = used;
}

static void
ring_get(const struct vstate_dev *dev, uint16_t qid, bool packed, struct vstate_ring_setup *ring)
{
	struct rte_vhost_vring vring = { .callfd = -1 };

	if (!dev->connection->ring_ready[qid] ||
			rte_vhost_get_vhost_vring(dev->connection->vid, qid, &vring) != 0)
		return;
	ring->ready = true;
	ring->size = vring.size;
	/* split and packed rings use the same members of a union */
	ring->desc = vring.desc;
	ring->driver = vring.avail;
	ring->device = vring.used;
	ring->kickfd = vring.kickfd;
	ring->kickfd_fresh = dev->connection->kickfd_fresh[qid];
	ring->callfd_fresh = dev->connection->callfd_fresh[qid];
	if (ring->callfd_fresh)
		ring->callfd = callfd_check(dev, qid, vring.callfd);
	ring->base_fresh = dev->connection->base_fresh[qid];
	if (!ring->base_fresh)
		return;
	if (packed)
		base_get_packed(dev, qid, ring);
	else
		base_get_split(dev, qid, ring);
}

uint64_t
vstate_connection_own_features(const struct vstate_dev *dev)
{
	return VSTATE_OWN_FEATURES | dev->class->own_features;
}

uint64_t
vstate_connection_features(const struct vstate_dev *dev)
{
	uint64_t features = 0;

	rte_vhost_get_negotiated_features(dev->connection->vid, &features);
	return features | dev->connection->own_features;
}

uint64_t
vstate_connection_protocol(const struct vstate_dev *dev)
{
	uint64_t protocol = 0;

	if (dev->connection->vdpa == NULL)
		return dev->connection->protocol;
	rte_vhost_get_negotiated_protocol_features(dev->connection->vid, &protocol);
	return protocol;
}

bool
vstate_connection_is_packed(const struct vstate_dev *dev)
{
	return vstate_connection_features(dev) & RTE_BIT64(VIRTIO_F_RING_PACKED);
}

/* @return NULL without memory, or if the guest's memory is not set up */
static struct vstate_setup *
setup_get(struct vstate_dev *dev)
{
	struct rte_vhost_memory *table = NULL;
	struct vstate_setup *setup;
	uint64_t log_base = 0;
	bool packed;
	uint16_t i;
	int ret;

	/* rte_vhost says that the rings are ready, and would read through a NULL pointer */
	if (dev->connection->vdpa != NULL && dev->connection->memory_gone)
		return NULL;
	setup = calloc(1, sizeof(*setup));
	if (setup == NULL)
		return NULL;
	if (rte_vhost_get_mem_table(dev->connection->vid, &table) != 0 || table == NULL)
		goto fail;
	ret = vstate_mem_table_build(&setup->mem, table);
	free(table);
	if (ret != 0) {
		VSTATE_LOG(ERR, "%s: memory table of SET_MEM_TABLE refused: %s; the queues wait "
				"for another one", dev->name, strerror(-ret));
		goto fail;
	}
	setup->features = vstate_connection_features(dev);
	setup->status_negotiated = vstate_connection_protocol(dev) & VSTATE_PROTOCOL_F_STATUS;
	setup->inflight_carried = vstate_connection_protocol(dev) &
		VSTATE_PROTOCOL_F_BASE_INFLIGHT;
	if (rte_vhost_get_mtu(dev->connection->vid, &setup->mtu) != 0)
		setup->mtu = 0;
	if (rte_vhost_get_log_base(dev->connection->vid, &log_base, &setup->log_size) == 0)
		setup->log_base = (uint8_t *)(uintptr_t)log_base;
	packed = setup->features & RTE_BIT64(VIRTIO_F_RING_PACKED);
	for (i = 0; i < dev->nb_vqs; i++)
		ring_get(dev, i, packed, &setup->rings[i]);
	dev->connection->has_memory = true;
	vstate_mem_watch_begin(dev);
	return setup;
fail:
	free(setup);
	return NULL;
}

/* The device applied base and descriptors of a ring, if the ring was ready. */
static void
ring_set_applied(struct vstate_dev *dev, uint16_t qid)
{
	struct vstate_connection *c = dev->connection;

	if (!c->ring_ready[qid])
		return;
	c->callfd_fresh[qid] = false;
	c->kickfd_fresh[qid] = false;
	/* the device has not moved the rings, and does so when this process owns it */
	if (!vstate_run_is_blocked(dev, VSTATE_BLOCK_NOT_OWNER))
		c->base_fresh[qid] = false;
}

static void
rings_set_applied(struct vstate_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++)
		ring_set_applied(dev, i);
}

void
vstate_connection_sync(struct vstate_dev *dev)
{
	struct vstate_setup *setup;

	/* Without memory the device stays paused until another message sets it up. */
	if (!dev->connection->has_memory)
		return;
	setup = setup_get(dev);
	if (setup == NULL)
		return;
	vstate_start_sync(dev, setup);
	rings_set_applied(dev);
	free(setup);
}

int
vstate_connection_own(struct vstate_dev *dev)
{
	struct vstate_setup *setup;

	if (!vstate_run_is_started(dev) || !dev->connection->has_memory)
		return -ENOTCONN;
	setup = setup_get(dev);
	if (setup == NULL)
		return -ENOTCONN;
	vstate_start_own(dev, setup);
	rings_set_applied(dev);
	free(setup);
	return 0;
}

/* ---- callbacks of rte_vhost ---- */

int
vstate_connection_start(int vid)
{
	struct vstate_dev *dev = vstate_connection_dev(vid);
	struct vstate_setup *setup;

	if (dev == NULL)
		return -1;
	/* the start rule of the class did not wait for rte_vhost */
	if (dev->connection->vdpa == NULL && vstate_run_is_started(dev))
		return 0;
	setup = setup_get(dev);
	if (setup == NULL)
		return -1;
	vstate_msg_log_run(dev->connection->msg_log);
	/* If a restored state does not fit, the device sets NEEDS_RESET: no error for rte_vhost. */
	vstate_start(dev, setup);
	rings_set_applied(dev);
	free(setup);
	return 0;
}

void
vstate_connection_start_by_rule(struct vstate_dev *dev)
{
	const struct vstate_connection *c = dev->connection;
	uint16_t i;

	if (dev->class->built_in || vstate_run_is_started(dev) || !c->has_memory || !c->ring_came ||
			((c->protocol & VSTATE_PROTOCOL_F_STATUS) && !c->driver_ok))
		return;
	for (i = 0; i < dev->class->vqs_to_start; i++) {
		if (!c->ring_ready[i])
			return;
	}
	vstate_connection_start(c->vid);
}

/*
 * Behind rte_vdpa, rte_vhost answers GET_VRING_BASE with these positions. The door answers with
 * vstate_connection_base_get().
 */
static void
bases_put(struct vstate_dev *dev)
{
	const bool packed = vstate_dev_is_packed(dev);
	const struct vstate_vq *vq;
	uint16_t i, avail, used;

	if (dev->connection->vdpa == NULL)
		return;
	for (i = 0; i < dev->nb_vqs; i++) {
		vq = dev->vqs[i];
		if (dev->connection->base_fresh[i])
			continue;
		avail = packed ? vstate_pos_wire(vq->avail) : vq->avail.idx;
		used = packed ? vstate_pos_wire(vq->used) : vq->used.idx;
		rte_vhost_set_vring_base(dev->connection->vid, i, avail, used);
	}
}

/* Stop the queue if its descriptor was to be replaced and it is not ready again. */
static void
fd_message_end(struct vstate_dev *dev)
{
	if (!dev->connection->fd_taken)
		return;
	dev->connection->fd_taken = false;
	dev->connection->ring_ready[dev->connection->fd_qid] = false;
	if (vstate_run_is_started(dev))
		vstate_start_ring_end(dev, dev->connection->fd_qid);
}

void
vstate_connection_stop(int vid)
{
	struct vstate_dev *dev = vstate_connection_dev(vid);

	if (dev == NULL)
		return;
	dev->connection->ring_came = false;
	/* behind a door the thread of the door stops the device, before rte_vhost */
	if (dev->connection->vdpa != NULL || vstate_run_is_started(dev))
		vstate_start_end(dev, connection_is_left(dev));
	/* the socket closes, and rte_vhost unmaps all */
	if (connection_is_left(dev))
		vstate_mem_watch_end(dev);
	bases_put(dev);
	fd_message_end(dev);
}

static void
ring_start(struct vstate_dev *dev, uint16_t qid)
{
	struct vstate_ring_setup ring = { 0 };

	ring_get(dev, qid, vstate_connection_is_packed(dev), &ring);
	if (vstate_start_ring(dev, qid, &ring) == 0)
		ring_set_applied(dev, qid);
	else
		vstate_connection_sync(dev);
}

/* A message replaced only the descriptor of a running queue: the queue need not stop. */
static void
fd_replace(struct vstate_dev *dev, uint16_t qid)
{
	struct vstate_connection *c = dev->connection;
	struct rte_vhost_vring vring;

	c->fd_taken = false;
	if (rte_vhost_get_vhost_vring(c->vid, qid, &vring) != 0)
		return;
	if (c->callfd_fresh[qid])
		vstate_start_ring_call(dev, qid, callfd_check(dev, qid, vring.callfd));
	if (c->kickfd_fresh[qid])
		vstate_start_ring_kick(dev, qid, vring.kickfd);
	c->callfd_fresh[qid] = c->kickfd_fresh[qid] = false;
}

void
vstate_connection_fd_message(struct vstate_dev *dev, int qid, bool is_call)
{
	fd_message_end(dev);
	dev->connection->fd_qid = qid < dev->nb_vqs ? qid : -1;
	if (dev->connection->fd_qid < 0)
		return;
	if (is_call)
		dev->connection->callfd_fresh[qid] = true;
	else
		dev->connection->kickfd_fresh[qid] = true;
}

int
vstate_connection_ring_state(int vid, uint16_t qid, bool ready)
{
	struct vstate_dev *dev = vstate_connection_dev(vid);

	if (dev == NULL || qid >= dev->nb_vqs)
		return 0;
	if (vstate_run_is_started(dev) && qid == dev->connection->fd_qid) {
		/* rte_vhost stops the queue during the message: there is no need to quiesce it */
		if (!ready && dev->connection->ring_ready[qid]) {
			dev->connection->fd_taken = true;
			return 0;
		}
		if (ready && dev->connection->fd_taken) {
			fd_replace(dev, qid);
			return 0;
		}
	}
	dev->connection->ring_ready[qid] = ready;
	dev->connection->ring_came |= ready;
	if (!vstate_run_is_started(dev))
		return 0;
	if (ready)
		ring_start(dev, qid);
	else
		vstate_start_ring_end(dev, qid);
	return 0;
}

void
vstate_connection_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d)
{
	vstate_device_state_telemetry(dev, d);
	vstate_backend_req_telemetry(dev, d);
	vstate_msg_refused_telemetry(&dev->connection->refused, d);
}
