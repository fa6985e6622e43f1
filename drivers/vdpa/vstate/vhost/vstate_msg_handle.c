/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/vhost.h>
#include <linux/virtio_ring.h>

#include <rte_ether.h>

#include <vstate_compat.h>

#include "dev/vstate_class.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_start.h"
#include "dev/vstate_status.h"
#include "handover/vstate_inflight_shm.h"
#include "ring/vstate_mem.h"
#include "vstate_connection.h"
#include "vstate_device_state.h"
#include "vstate_log.h"
#include "vstate_mem_watch.h"
#include "vstate_mem_table.h"
#include "vstate_msg.h"
#include "vstate_msg_check.h"
#include "vstate_msg_handle.h"
#include "vstate_msg_log.h"
#include "vstate_vhost_user.h"

/* ---- before rte_vhost ---- */

static enum rte_vhost_msg_result
reply_u64(struct msg *msg, uint64_t value)
{
	/* rte_vhost would send the descriptors of the request with the answer. */
	vstate_msg_close_fds(msg);
	msg->u64 = value;
	msg->size = sizeof(msg->u64);
	return RTE_VHOST_MSG_RESULT_REPLY;
}

static enum rte_vhost_msg_result
features_answer(struct vstate_dev *dev, int vid, struct msg *msg)
{
	RTE_SET_USED(vid);
	/* rte_vdpa has the offer of a vDPA device, and rte_vhost answers with it. */
	if (dev->connection->vdpa != NULL)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	return reply_u64(msg, dev->features_offered);
}

/*
 * rte_vhost refuses features that it does not know. The bit of the feature that the device alone
 * serves is removed here; vstate_connection_features() adds it again.
 */
static enum rte_vhost_msg_result
features_filter(struct vstate_dev *dev, int vid, struct msg *msg)
{
	const uint64_t own = dev->features_offered & VSTATE_OWN_FEATURES;

	RTE_SET_USED(vid);
	dev->connection->suspend_negotiated = msg->u64 & own;
	msg->u64 &= ~own;
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

static enum rte_vhost_msg_result
queue_num_answer(struct vstate_dev *dev, int vid, struct msg *msg)
{
	RTE_SET_USED(vid);
	return reply_u64(msg, dev->conf.queues);
}

static enum rte_vhost_msg_result
rarp_request(struct vstate_dev *dev, int vid, struct msg *msg)
{
	struct rte_ether_addr mac;
	uint64_t value = msg->u64;

	RTE_SET_USED(vid);
	memcpy(&mac, &value, sizeof(mac));
	if (rte_is_valid_assigned_ether_addr(&mac))
		vstate_start_message(dev, VSTATE_CLASS_MSG_RARP, value);
	else
		VSTATE_LOG(WARNING, "%s: SEND_RARP ignored: not a valid MAC address", dev->name);
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

static enum rte_vhost_msg_result
status_answer(struct vstate_dev *dev, int vid, struct msg *msg)
{
	RTE_SET_USED(vid);
	return reply_u64(msg, vstate_status_read(dev));
}

/* ---- the state through a file descriptor ---- */

#define MOVE_LOAD 1
/* The specification has one phase: the device is stopped. */
#define MOVE_STOPPED 0
/* Answer of SET_DEVICE_STATE_FD: an error in the lower byte; the answer brings no descriptor. */
#define MOVE_NO_FD RTE_BIT64(8)

/* The one descriptor that came with a message, now the caller's; or -1. */
static int
fd_take(void *context)
{
	int *nb, *fds = vstate_msg_fds(context, &nb);
	int fd;

	if (*nb != 1)
		return -1;
	fd = fds[0];
	fds[0] = -1;
	*nb = 0;
	return fd;
}

static bool
device_state_is_negotiated(const struct vstate_dev *dev, int vid)
{
	uint64_t protocol = 0;

	rte_vhost_get_negotiated_protocol_features(vid, &protocol);
	return dev->conf.device_state && (protocol & VSTATE_PROTOCOL_F_DEVICE_STATE);
}

static enum rte_vhost_msg_result
device_state_begin(struct vstate_dev *dev, int vid, struct msg *msg)
{
	int fd, ret = -EINVAL;

	if (!device_state_is_negotiated(dev, vid))
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	fd = msg->size >= sizeof(msg->move) ? fd_take(msg) : -1;
	vstate_msg_close_fds(msg);
	if (fd < 0 || msg->move.direction > MOVE_LOAD || msg->move.phase != MOVE_STOPPED) {
		VSTATE_LOG(ERR, "%s: SET_DEVICE_STATE_FD refused: direction %u, phase %u%s",
				dev->name, msg->move.direction, msg->move.phase,
				fd < 0 ? ", not one descriptor" : "");
		if (fd >= 0)
			close(fd);
	} else {
		ret = vstate_device_state_start(dev, msg->move.direction == MOVE_LOAD, fd);
	}
	return reply_u64(msg, MOVE_NO_FD | (ret != 0));
}

static enum rte_vhost_msg_result
device_state_end(struct vstate_dev *dev, int vid, struct msg *msg)
{
	if (!device_state_is_negotiated(dev, vid))
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	return reply_u64(msg, vstate_device_state_check(dev) != 0);
}

/* ---- in-flight regions ---- */

/*
 * rte_vhost has handlers of these messages, and tables of its own once it sees the protocol
 * feature. It must see neither: it leaks the region that it allocated and then refused, and it
 * writes to a region without a check of its size.
 */
static enum rte_vhost_msg_result
protocol_features_filter(struct vstate_dev *dev, int vid, struct msg *msg)
{
	RTE_SET_USED(vid);
	/* rte_vdpa makes the offer of a vDPA device, without this feature */
	if (dev->connection->vdpa != NULL)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	dev->connection->inflight_negotiated = msg->u64 & VSTATE_PROTOCOL_F_INFLIGHT;
	msg->u64 &= ~VSTATE_PROTOCOL_F_INFLIGHT;
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

static struct vstate_inflight_shm_geometry
geometry_get(const struct msg *msg)
{
	return (struct vstate_inflight_shm_geometry){ msg->inflight.mmap_size,
		msg->inflight.mmap_offset, msg->inflight.num_queues, msg->inflight.queue_size };
}

static enum rte_vhost_msg_result
inflight_answer(struct vstate_dev *dev, int vid, struct msg *msg)
{
	struct vstate_inflight_shm_geometry g = geometry_get(msg);
	int *nb_fds, *fds = vstate_msg_fds(msg, &nb_fds);
	int fd = vstate_inflight_shm_make(dev, &g, vstate_connection_is_packed(dev, vid));

	vstate_msg_close_fds(msg);
	if (fd < 0) {
		VSTATE_LOG(ERR, "%s: GET_INFLIGHT_FD: no region for %u queues of size %u: %s",
				dev->name, g.num_queues, g.queue_size, strerror(-fd));
		/* A size of 0 and no descriptor report the failure to the front end. */
		g.mmap_size = 0;
	} else {
		fds[0] = fd;
		*nb_fds = 1;
	}
	msg->inflight.mmap_size = g.mmap_size;
	msg->inflight.mmap_offset = g.mmap_offset;
	return RTE_VHOST_MSG_RESULT_REPLY;
}

static enum rte_vhost_msg_result
inflight_set(struct vstate_dev *dev, int vid, struct msg *msg)
{
	const struct vstate_inflight_shm_geometry g = geometry_get(msg);
	int fd = fd_take(msg), ret = -EINVAL;

	if (fd >= 0) {
		ret = vstate_inflight_shm_set(dev, &g, fd, vstate_connection_is_packed(dev, vid));
		/* the mapping keeps the file open */
		close(fd);
	}
	return ret == 0 ? RTE_VHOST_MSG_RESULT_OK : RTE_VHOST_MSG_RESULT_ERR;
}

/* ---- after rte_vhost ---- */

static void
inflight_sent(struct vstate_dev *dev, int vid, struct msg *msg)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(vid);
	/* The front end received a descriptor of its own. */
	vstate_msg_close_fds(msg);
}

static void
features_negotiate(struct vstate_dev *dev, int vid, struct msg *msg)
{
	uint64_t protocol = 0;

	RTE_SET_USED(msg);
	rte_vhost_get_negotiated_protocol_features(vid, &protocol);
	vstate_start_negotiate(dev, vstate_connection_features(dev, vid),
			protocol & RTE_BIT64(VHOST_USER_PROTOCOL_F_STATUS));
}

static void
size_announce(struct vstate_dev *dev, int vid, struct msg *msg)
{
	RTE_SET_USED(vid);
	vstate_start_announce_size(dev, msg->state.index, msg->state.num);
}

/* SET_VRING_ADDR has addresses of the front end's process; a state has the guest's. */
static void
addr_announce(struct vstate_dev *dev, int vid, struct msg *msg)
{
	struct rte_vhost_memory *table = NULL;

	if (rte_vhost_get_mem_table(vid, &table) != 0 || table == NULL)
		return;
	vstate_start_announce_addr(dev, msg->addr.index,
			vstate_mem_table_gpa(table, msg->addr.desc),
			vstate_mem_table_gpa(table, msg->addr.avail),
			vstate_mem_table_gpa(table, msg->addr.used));
	free(table);
}

/*
 * vhost-user's base of a packed ring has the available position in its lower half and the used
 * position in its upper half. rte_vhost reads the lower half only, and sends 0 in the upper half.
 * This device completes all buffers that it dequeued before it stops, so its halves are equal.
 * Another source may have dequeued buffers that it did not complete. Both positions are then set
 * to the used position, so that the device dequeues these buffers again.
 */
static void
base_set(struct vstate_dev *dev, int vid, struct msg *msg)
{
	const uint16_t avail = msg->state.num & 0xffff, used = msg->state.num >> 16;

	dev->connection->base_fresh[msg->state.index] = true;
	dev->connection->base_said[msg->state.index] = avail;
	if (!vstate_connection_is_packed(dev, vid))
		return;
	if (used == avail || (used == 0 && avail != 0))
		return;
	VSTATE_LOG(NOTICE, "%s: queue %u starts at its used position: index %u, wrap %u; "
			"its available position was index %u, wrap %u", dev->name,
			msg->state.index, used & 0x7fff, used >> 15, avail & 0x7fff, avail >> 15);
	rte_vhost_set_vring_base(vid, msg->state.index, used, used);
}

static void
mtu_set(struct vstate_dev *dev, int vid, struct msg *msg)
{
	RTE_SET_USED(vid);
	vstate_start_message(dev, VSTATE_CLASS_MSG_SET_MTU, msg->u64);
}

static void
status_write(struct vstate_dev *dev, int vid, struct msg *msg)
{
	RTE_SET_USED(vid);
	vstate_status_write(dev, msg->u64);
}

/* ---- dispatch ---- */

typedef enum rte_vhost_msg_result (*before_fn)(struct vstate_dev *dev, int vid, struct msg *msg);
typedef void (*after_fn)(struct vstate_dev *dev, int vid, struct msg *msg);

static const before_fn before_handlers[] = {
	[MSG_BEFORE_GET_FEATURES] = features_answer,
	[MSG_BEFORE_SET_FEATURES] = features_filter,
	[MSG_BEFORE_SET_PROTOCOL_FEATURES] = protocol_features_filter,
	[MSG_BEFORE_GET_QUEUE_NUM] = queue_num_answer,
	[MSG_BEFORE_SEND_RARP] = rarp_request,
	[MSG_BEFORE_GET_INFLIGHT_FD] = inflight_answer,
	[MSG_BEFORE_SET_INFLIGHT_FD] = inflight_set,
	[MSG_BEFORE_GET_STATUS] = status_answer,
	[MSG_BEFORE_SET_DEVICE_STATE_FD] = device_state_begin,
	[MSG_BEFORE_CHECK_DEVICE_STATE] = device_state_end,
};

static const after_fn after_handlers[] = {
	[MSG_AFTER_SET_FEATURES] = features_negotiate,
	[MSG_AFTER_SET_VRING_NUM] = size_announce,
	[MSG_AFTER_SET_VRING_ADDR] = addr_announce,
	[MSG_AFTER_SET_VRING_BASE] = base_set,
	[MSG_AFTER_NET_SET_MTU] = mtu_set,
	[MSG_AFTER_GET_INFLIGHT_FD] = inflight_sent,
	[MSG_AFTER_SET_STATUS] = status_write,
};

/* No poll thread may be inside a queue that the message changes. */
static void
queues_quiesce(struct vstate_dev *dev, const struct vstate_msg_row *row, const struct msg *msg)
{
	uint32_t qid;
	int fd_qid = -1;

	if (row->quiesce == MSG_QUIESCE_VQ && vstate_msg_queue_get(row, msg, &qid))
		fd_qid = qid;
	vstate_connection_fd_message(dev, fd_qid, msg->request == MSG_SET_VRING_CALL);
	/* The previous message failed half way: apply what is left of the set-up. */
	if (vstate_run_is_started(dev) && vstate_run_is_blocked(dev, VSTATE_BLOCK_MESSAGE))
		vstate_connection_sync(dev);
	if (vstate_run_is_started(dev) && row->quiesce == MSG_QUIESCE_ALL)
		vstate_start_pause(dev);
	if (row->remap != MSG_REMAP_NONE)
		vstate_mem_watch_end(dev);
}

static enum rte_vhost_msg_result
message_begin(int vid, void *opaque)
{
	struct vstate_dev *dev = vstate_connection_dev(vid);
	enum rte_vhost_msg_result result = RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	const struct vstate_msg_row *row;
	struct msg *msg = opaque;
	int *nb_fds, *fds;

	RTE_BUILD_BUG_ON(RTE_DIM(before_handlers) != MSG_BEFORE_MAX);
	if (dev == NULL)
		dev = vstate_connection_take_over(vid);
	if (dev == NULL) {
		/* rte_vhost closes descriptors only where it refused or did not know the message */
		vstate_msg_close_fds(opaque);
		return RTE_VHOST_MSG_RESULT_ERR;
	}
	if (!vstate_msg_check(dev, opaque))
		return RTE_VHOST_MSG_RESULT_ERR;
	row = vstate_msg_find(msg->request);
	fds = vstate_msg_fds(opaque, &nb_fds);
	vstate_msg_log_note(dev->connection->msg_log, msg, fds, *nb_fds);
	queues_quiesce(dev, row, msg);
	if (before_handlers[row->before] != NULL)
		result = before_handlers[row->before](dev, vid, msg);
	return row->answer == MSG_ANSWER_RTE_VHOST ? RTE_VHOST_MSG_RESULT_NOT_HANDLED : result;
}

/*
 * The message may name a queue of a larger device, or name none: a vDPA connection is attached to
 * its device inside of a message, and message_begin() was not registered for that message yet.
 */
static bool
queue_is_known(const struct vstate_dev *dev, const struct vstate_msg_row *row,
		const struct msg *msg)
{
	uint32_t qid;

	return row->queue == MSG_QUEUE_NONE ||
		(vstate_msg_queue_get(row, msg, &qid) && qid < dev->nb_vqs);
}

/* rte_vhost passes the message here only if it was not refused. */
static enum rte_vhost_msg_result
message_end(int vid, void *opaque)
{
	struct vstate_dev *dev = vstate_connection_dev(vid);
	const struct vstate_msg_row *row;
	struct msg *msg = opaque;

	RTE_BUILD_BUG_ON(RTE_DIM(after_handlers) != MSG_AFTER_MAX);
	if (dev == NULL)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	row = vstate_msg_find(msg->request);
	vstate_msg_log_hold(dev->connection->msg_log);
	if (row->remap == MSG_REMAP_AWAY || row->remap == MSG_REMAP_TABLE)
		dev->connection->has_memory = row->remap == MSG_REMAP_TABLE;
	if (row->remap == MSG_REMAP_TABLE || row->remap == MSG_REMAP_LOG)
		vstate_mem_watch_begin(dev);
	if (after_handlers[row->after] != NULL && queue_is_known(dev, row, msg))
		after_handlers[row->after](dev, vid, msg);
	if (vstate_run_is_started(dev) && row->quiesce == MSG_QUIESCE_ALL)
		vstate_connection_sync(dev);
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

const struct rte_vhost_user_extern_ops vstate_msg_ops = {
	.pre_msg_handle = message_begin,
	.post_msg_handle = message_end,
};
