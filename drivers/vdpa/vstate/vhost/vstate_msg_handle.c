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

#include "dev/vstate_dev.h"
#include "dev/vstate_start.h"
#include "dev/vstate_status.h"
#include "handover/vstate_inflight_shm.h"
#include "ring/vstate_mem.h"
#include "vstate_connection.h"
#include "vstate_device_state.h"
#include "vstate_log.h"
#include "vstate_msg.h"
#include "vstate_msg_handle.h"
#include "vstate_msg_log.h"
#include "vstate_vhost_user.h"


/* Messages that change what the rings rest on: no poll thread may be inside meanwhile. */
static bool
moves_ground(uint32_t request)
{
	switch (request) {
	case MSG_SET_FEATURES:
	case MSG_SET_MEM_TABLE:
	case MSG_ADD_MEM_REG:
	case MSG_REM_MEM_REG:
	case MSG_SET_LOG_BASE:
	case MSG_SET_VRING_NUM:
	case MSG_SET_VRING_ADDR:
	case MSG_SET_VRING_BASE:
	case MSG_SET_INFLIGHT_FD:
		return true;
	default:
		return false;
	}
}

/* The queue that the message brings a descriptor for, or -1. */
static int
fd_queue(const struct msg *msg)
{
	if (msg->request != MSG_SET_VRING_CALL && msg->request != MSG_SET_VRING_KICK)
		return -1;
	return msg->u64 & MSG_VRING_FD_INDEX;
}

static enum rte_vhost_msg_result
reply_u64(struct msg *msg, uint64_t value)
{
	/* What came with the request is not what goes with the answer. */
	vstate_msg_close_fds(msg);
	msg->u64 = value;
	msg->size = sizeof(msg->u64);
	return RTE_VHOST_MSG_RESULT_REPLY;
}

static void
rarp(struct vstate_dev *dev, const struct msg *msg)
{
	struct rte_ether_addr mac;
	uint64_t value = msg->u64;

	memcpy(&mac, &value, sizeof(mac));
	if (rte_is_valid_assigned_ether_addr(&mac))
		vstate_start_message(dev, VSTATE_CLASS_MSG_RARP, value);
	else
		VSTATE_LOG(WARNING, "%s: RARP for an invalid MAC address ignored", dev->name);
}

/*
 * rte_vhost refuses features that it does not know. It is not to see the one that the device
 * alone serves; what the driver chose is put back by vstate_connection_features().
 */
static void
set_features(struct vstate_dev *dev, struct msg *msg)
{
	const uint64_t own = dev->features_offered & VSTATE_OWN_FEATURES;

	dev->connection->suspend_negotiated = msg->u64 & own;
	msg->u64 &= ~own;
}

/* ---- the state through a file descriptor ---- */

#define MOVE_SAVE 0
#define MOVE_LOAD 1
/* The only phase there is: the device is stopped. */
#define MOVE_STOPPED 0
/* Answer of SET_DEVICE_STATE_FD: errors in the lower byte; the fd that came is the one used. */
#define MOVE_NO_FD RTE_BIT64(8)

/* Take the one file descriptor that came with a message, or -1. */
static int
take_fd(void *context)
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
moves_state(const struct vstate_dev *dev, int vid)
{
	uint64_t protocol = 0;

	rte_vhost_get_negotiated_protocol_features(vid, &protocol);
	return dev->conf.device_state && (protocol & VSTATE_PROTOCOL_F_DEVICE_STATE);
}

static enum rte_vhost_msg_result
device_state_fd(struct vstate_dev *dev, int vid, struct msg *msg)
{
	int fd, ret = -EINVAL;

	if (!moves_state(dev, vid))
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	fd = msg->size >= sizeof(msg->move) ? take_fd(msg) : -1;
	vstate_msg_close_fds(msg);
	if (fd < 0 || msg->move.direction > MOVE_LOAD || msg->move.phase != MOVE_STOPPED) {
		VSTATE_LOG(ERR, "%s: state transfer refused: direction %u, phase %u%s", dev->name,
				msg->move.direction, msg->move.phase, fd < 0 ? ", no fd" : "");
		if (fd >= 0)
			close(fd);
	} else {
		ret = vstate_device_state_start(dev, msg->move.direction == MOVE_LOAD, fd);
	}
	return reply_u64(msg, MOVE_NO_FD | (ret != 0));
}

/* ---- in-flight regions ---- */

/*
 * rte_vhost has handlers of these messages, and tables of its own once it sees the protocol
 * feature. It sees neither: it keeps what it allocates for a region that is refused, and
 * writes to a region without a look at its size.
 */
static void
set_protocol_features(struct vstate_dev *dev, struct msg *msg)
{
	/* not of a vDPA device, whose offer is not ours */
	if (dev->connection->vdpa != NULL || msg->size < sizeof(msg->u64))
		return;
	dev->connection->inflight_negotiated = msg->u64 & VSTATE_PROTOCOL_F_INFLIGHT;
	msg->u64 &= ~VSTATE_PROTOCOL_F_INFLIGHT;
}

static struct vstate_inflight_shm_geometry
geometry_of(const struct msg *msg)
{
	return (struct vstate_inflight_shm_geometry){ msg->inflight.mmap_size,
		msg->inflight.mmap_offset, msg->inflight.num_queues, msg->inflight.queue_size };
}

static enum rte_vhost_msg_result
get_inflight_fd(struct vstate_dev *dev, int vid, struct msg *msg)
{
	struct vstate_inflight_shm_geometry g = geometry_of(msg);
	int *nb_fds, *fds = vstate_msg_fds(msg, &nb_fds);
	int fd = vstate_inflight_shm_make(dev, &g, vstate_connection_is_packed(dev, vid));

	vstate_msg_close_fds(msg);
	if (fd < 0) {
		VSTATE_LOG(ERR, "%s: no in-flight region of %u queues of %u: %s", dev->name,
				g.num_queues, g.queue_size, strerror(-fd));
		/* no size, no descriptor: the front end sees that there is none */
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
set_inflight_fd(struct vstate_dev *dev, int vid, struct msg *msg)
{
	const struct vstate_inflight_shm_geometry g = geometry_of(msg);
	int fd = take_fd(msg), ret = -EINVAL;

	if (fd >= 0) {
		ret = vstate_inflight_shm_set(dev, &g, fd, vstate_connection_is_packed(dev, vid));
		/* the mapping keeps it */
		close(fd);
	}
	return ret == 0 ? RTE_VHOST_MSG_RESULT_OK : RTE_VHOST_MSG_RESULT_ERR;
}

static enum rte_vhost_msg_result
pre_handle(int vid, void *opaque)
{
	struct vstate_dev *dev = vstate_connection_dev(vid);
	struct msg *msg = opaque;
	int *nb_fds, *fds;

	if (dev == NULL)
		dev = vstate_connection_take_over(vid);
	if (dev == NULL) {
		/* rte_vhost closes those only that it refused or did not know itself */
		vstate_msg_close_fds(opaque);
		return RTE_VHOST_MSG_RESULT_ERR;
	}
	if (!vstate_msg_check(dev, opaque))
		return RTE_VHOST_MSG_RESULT_ERR;
	fds = vstate_msg_fds(opaque, &nb_fds);
	vstate_msg_log_note(dev->connection->msg_log, msg, fds, *nb_fds);

	vstate_connection_fd_message(dev, fd_queue(msg), msg->request == MSG_SET_VRING_CALL);
	/* The message before this one failed half way: see what is left. */
	if (vstate_run_is_started(dev) && vstate_run_is_blocked(dev, VSTATE_BLOCK_MESSAGE))
		vstate_connection_sync(dev);
	if (vstate_run_is_started(dev) && moves_ground(msg->request))
		vstate_start_pause(dev);

	switch (msg->request) {
	case MSG_GET_FEATURES:
		if (dev->connection->vdpa == NULL)
			return reply_u64(msg, dev->features_offered);
		break;
	case MSG_SET_FEATURES:
		set_features(dev, msg);
		break;
	case MSG_SET_PROTOCOL_FEATURES:
		set_protocol_features(dev, msg);
		break;
	case MSG_GET_INFLIGHT_FD:
		return get_inflight_fd(dev, vid, msg);
	case MSG_SET_INFLIGHT_FD:
		return set_inflight_fd(dev, vid, msg);
	case MSG_GET_QUEUE_NUM:
		return reply_u64(msg, dev->conf.queues);
	case MSG_GET_STATUS:
		return reply_u64(msg, vstate_status_read(dev));
	case MSG_SEND_RARP:
		/* here rte_vhost has not looked at the length yet */
		if (msg->size >= sizeof(msg->u64))
			rarp(dev, msg);
		break;
	case MSG_SET_DEVICE_STATE_FD:
		return device_state_fd(dev, vid, msg);
	case MSG_CHECK_DEVICE_STATE:
		if (!moves_state(dev, vid))
			break;
		return reply_u64(msg, vstate_device_state_check(dev) != 0);
	default:
		break;
	}
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

/* SET_VRING_ADDR has addresses of the front end's own; a state has the guest's. */
static void
announce_addr(struct vstate_dev *dev, int vid, const struct msg *msg)
{
	struct rte_vhost_memory *table = NULL;
	uint32_t qid = msg->addr.index;

	if (qid >= dev->nb_vqs || rte_vhost_get_mem_table(vid, &table) != 0 || table == NULL)
		return;
	vstate_start_announce_addr(dev, qid, vstate_mem_gpa_of_uva(table, msg->addr.desc),
			vstate_mem_gpa_of_uva(table, msg->addr.avail),
			vstate_mem_gpa_of_uva(table, msg->addr.used));
	free(table);
}

static void
negotiate(struct vstate_dev *dev, int vid)
{
	uint64_t protocol = 0;

	rte_vhost_get_negotiated_protocol_features(vid, &protocol);
	vstate_start_negotiate(dev, vstate_connection_features(dev, vid),
			protocol & RTE_BIT64(VHOST_USER_PROTOCOL_F_STATUS));
}

/*
 * vhost-user's base of a packed ring has the available position in its lower half and the used
 * one in its upper half. rte_vhost reads the lower half only, and sends nothing in the upper.
 * This device finishes what it takes before it stops, so that both are equal; a source that
 * had taken buffers and not used them leaves them to be read again.
 */
static void
base_set(struct vstate_dev *dev, int vid, const struct msg *msg)
{
	const uint16_t avail = msg->state.num & 0xffff, used = msg->state.num >> 16;

	dev->connection->base_fresh[msg->state.index] = true;
	dev->connection->base_said[msg->state.index] = avail;
	if (!vstate_connection_is_packed(dev, vid))
		return;
	if (used == avail || (used == 0 && avail != 0))
		return;
	VSTATE_LOG(NOTICE, "%s: queue %u begins at its used position %u (wrap %u), not at %u (wrap %u)",
			dev->name, msg->state.index, used & 0x7fff, used >> 15, avail & 0x7fff,
			avail >> 15);
	rte_vhost_set_vring_base(vid, msg->state.index, used, used);
}

static enum rte_vhost_msg_result
post_handle(int vid, void *opaque)
{
	struct vstate_dev *dev = vstate_connection_dev(vid);
	struct msg *msg = opaque;

	if (dev == NULL)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;

	vstate_msg_log_hold(dev->connection->msg_log);
	switch (msg->request) {
	case MSG_GET_INFLIGHT_FD:
		/* sent; the front end has its own now */
		vstate_msg_close_fds(opaque);
		break;
	case MSG_SET_FEATURES:
		negotiate(dev, vid);
		break;
	case MSG_SET_VRING_NUM:
		if (msg->state.index < dev->nb_vqs)
			vstate_start_announce_size(dev, msg->state.index, msg->state.num);
		break;
	case MSG_SET_VRING_ADDR:
		announce_addr(dev, vid, msg);
		break;
	case MSG_SET_VRING_BASE:
		if (msg->state.index < dev->nb_vqs)
			base_set(dev, vid, msg);
		break;
	case MSG_NET_SET_MTU:
		vstate_start_message(dev, VSTATE_CLASS_MSG_SET_MTU, msg->u64);
		break;
	case MSG_SET_STATUS:
		vstate_status_write(dev, msg->u64);
		break;
	default:
		break;
	}
	if (vstate_run_is_started(dev) && moves_ground(msg->request))
		vstate_connection_sync(dev);
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

const struct rte_vhost_user_extern_ops vstate_msg_ops = {
	.pre_msg_handle = pre_handle,
	.post_msg_handle = post_handle,
};
