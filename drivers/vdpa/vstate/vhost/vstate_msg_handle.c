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
#include <rte_vhost.h>

#include "dev/vstate_class.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_start.h"
#include "dev/vstate_status.h"
#include "dev/vstate_trace.h"
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

/* ---- before rte_vhost, or instead of it ---- */

static enum vstate_msg_result
reply_u64(struct vstate_msg_context *context, uint64_t value)
{
	context->msg->u64 = value;
	context->msg->size = sizeof(context->msg->u64);
	return VSTATE_MSG_ANSWERED;
}

static enum vstate_msg_result
refuse(struct vstate_dev *dev, struct vstate_msg_context *context, enum vstate_msg_refusal reason)
{
	vstate_msg_refuse(dev, context, reason);
	return VSTATE_MSG_REFUSED;
}

static enum vstate_msg_result
features_answer(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	/* rte_vdpa has the offer of a vDPA device, and rte_vhost answers with it. */
	if (dev->connection->vdpa != NULL)
		return VSTATE_MSG_PASS;
	return reply_u64(context, dev->features_offered);
}

/* rte_vhost refuses that, too, but only if it started the device. */
static bool
features_change_running(const struct vstate_dev *dev, uint64_t features)
{
	return vstate_run_is_started(dev) && ((features ^ vstate_connection_features(dev)) &
			~RTE_BIT64(VHOST_F_LOG_ALL)) != 0;
}

/*
 * rte_vhost refuses features that it does not know. The bit of the feature that the device alone
 * serves is removed here; vstate_connection_features() adds it again.
 */
static enum vstate_msg_result
features_filter(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	if (dev->connection->vdpa == NULL && ((context->msg->u64 & ~dev->features_offered) != 0 ||
			features_change_running(dev, context->msg->u64)))
		return refuse(dev, context, VSTATE_MSG_R_FEATURES);
	dev->connection->own_features = context->msg->u64 & dev->features_offered &
		vstate_connection_own_features(dev);
	context->msg->u64 &= ~dev->connection->own_features;
	return VSTATE_MSG_PASS;
}

static enum vstate_msg_result
protocol_features_answer(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	if (dev->connection->vdpa != NULL)
		return VSTATE_MSG_PASS;
	return reply_u64(context, dev->connection->protocol_offered);
}

/*
 * rte_vhost has handlers of some of these protocol features, and tables of its own once it sees
 * them. It must not see them: it leaks an in-flight region that it allocated and then refused, and
 * it writes to a region without a check of its size.
 */
static enum vstate_msg_result
protocol_features_filter(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	/* rte_vdpa makes the offer of a vDPA device, without these features */
	if (dev->connection->vdpa != NULL)
		return VSTATE_MSG_PASS;
	if ((context->msg->u64 & ~dev->connection->protocol_offered) != 0)
		return refuse(dev, context, VSTATE_MSG_R_FEATURES);
	dev->connection->protocol = context->msg->u64;
	context->msg->u64 &= ~VSTATE_OWN_PROTOCOL_FEATURES;
	return VSTATE_MSG_PASS;
}

static enum vstate_msg_result
queue_num_answer(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	return reply_u64(context, vstate_dev_queue_num(dev));
}

static enum vstate_msg_result
rarp_request(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	struct rte_ether_addr mac;
	uint64_t value = context->msg->u64;

	memcpy(&mac, &value, sizeof(mac));
	if (rte_is_valid_assigned_ether_addr(&mac))
		vstate_start_message(dev, VSTATE_CLASS_MSG_RARP, value);
	else
		VSTATE_LOG(WARNING, "%s: SEND_RARP ignored: not a valid MAC address", dev->name);
	return VSTATE_MSG_PASS;
}

static enum vstate_msg_result
status_answer(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	return reply_u64(context, vstate_status_read(dev));
}

/* ---- config space ---- */

/* An answer with the size 0 reports the failure to the front end. */
static enum vstate_msg_result
config_answer(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	struct msg *msg = context->msg;
	const uint32_t offset = msg->config.offset, size = msg->config.size;
	uint8_t config[MSG_CONFIG_MAX] = { 0 };

	if (dev->class->config_get(dev, config, offset + size) != 0) {
		VSTATE_LOG(ERR, "%s: GET_CONFIG of %u bytes from %u on refused", dev->name, size,
				offset);
		msg->size = 0;
		return VSTATE_MSG_ANSWERED;
	}
	memcpy(msg->config.region, config + offset, size);
	msg->size = MSG_CONFIG_HEADER_SIZE + size;
	return VSTATE_MSG_ANSWERED;
}

static enum vstate_msg_result
config_write(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	const struct msg *msg = context->msg;

	if (dev->class->config_set(dev, msg->config.region, msg->config.offset,
			msg->config.size) != 0)
		return refuse(dev, context, VSTATE_MSG_R_CONFIG);
	return VSTATE_MSG_DONE;
}

/* As a status of 0. The front end takes the rings back by other messages. */
static enum vstate_msg_result
device_reset(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	RTE_SET_USED(context);
	vstate_status_write(dev, 0);
	return VSTATE_MSG_DONE;
}

/* rte_vhost gets the descriptor, too: it is a part of postcopy. */
static enum vstate_msg_result
backend_req_set(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	if (dev->connection->protocol & VSTATE_PROTOCOL_F_CONFIG)
		vstate_backend_req_set(dev, context->fds[0]);
	return VSTATE_MSG_PASS;
}

/* ---- the state through a file descriptor ---- */

#define MOVE_LOAD 1
/* The specification has one phase: the device is stopped. */
#define MOVE_STOPPED 0
/* Answer of SET_DEVICE_STATE_FD: an error in the lower byte; the answer brings no descriptor. */
#define MOVE_NO_FD RTE_BIT64(8)

static enum vstate_msg_result
device_state_begin(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	const struct msg *msg = context->msg;
	int fd = vstate_msg_take_fd(context), ret = -EINVAL;

	if (msg->move.direction > MOVE_LOAD || msg->move.phase != MOVE_STOPPED) {
		VSTATE_LOG(ERR, "%s: SET_DEVICE_STATE_FD refused: direction %u, phase %u",
				dev->name, msg->move.direction, msg->move.phase);
		close(fd);
	} else {
		ret = vstate_device_state_start(dev, msg->move.direction == MOVE_LOAD, fd);
	}
	return reply_u64(context, MOVE_NO_FD | (ret != 0));
}

static enum vstate_msg_result
device_state_end(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	int ret = vstate_device_state_check(dev);

	return ret == -EAGAIN ? VSTATE_MSG_WAIT : reply_u64(context, ret != 0);
}

/* ---- in-flight regions ---- */

static struct vstate_inflight_shm_geometry
geometry_get(const struct msg *msg)
{
	return (struct vstate_inflight_shm_geometry){ msg->inflight.mmap_size,
		msg->inflight.mmap_offset, msg->inflight.num_queues, msg->inflight.queue_size };
}

static enum vstate_msg_result
inflight_answer(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	struct msg *msg = context->msg;
	struct vstate_inflight_shm_geometry g = geometry_get(msg);
	int fd = vstate_inflight_shm_make(dev, &g, vstate_connection_is_packed(dev));

	if (fd < 0) {
		VSTATE_LOG(ERR, "%s: GET_INFLIGHT_FD: no region for %u queues of size %u: %s",
				dev->name, g.num_queues, g.queue_size, strerror(-fd));
		/* A size of 0 and no descriptor report the failure to the front end. */
		g.mmap_size = 0;
	} else {
		context->fds[0] = fd;
		context->nb_fds = 1;
	}
	msg->inflight.mmap_size = g.mmap_size;
	msg->inflight.mmap_offset = g.mmap_offset;
	return VSTATE_MSG_ANSWERED;
}

static enum vstate_msg_result
inflight_set(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	const struct vstate_inflight_shm_geometry g = geometry_get(context->msg);
	int fd = vstate_msg_take_fd(context), ret;

	ret = vstate_inflight_shm_set(dev, &g, fd, vstate_connection_is_packed(dev));
	/* the mapping keeps the file open */
	close(fd);
	return ret == 0 ? VSTATE_MSG_DONE : VSTATE_MSG_REFUSED;
}

/* ---- after rte_vhost ---- */

static void
features_negotiate(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	RTE_SET_USED(context);
	vstate_start_negotiate(dev, vstate_connection_features(dev),
			vstate_connection_protocol(dev) & VSTATE_PROTOCOL_F_STATUS);
}

static void
size_announce(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	vstate_start_announce_size(dev, context->msg->state.index, context->msg->state.num);
}

/* SET_VRING_ADDR has addresses of the front end's process; a state has the guest's. */
static void
addr_announce(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	const struct msg *msg = context->msg;
	struct rte_vhost_memory *table = NULL;

	if (!dev->connection->has_memory ||
			rte_vhost_get_mem_table(dev->connection->vid, &table) != 0 || table == NULL)
		return;
	vstate_start_announce_addr(dev, msg->addr.index,
			vstate_mem_table_gpa(table, msg->addr.desc),
			vstate_mem_table_gpa(table, msg->addr.avail),
			vstate_mem_table_gpa(table, msg->addr.used));
	free(table);
}

static void
base_set(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	vstate_connection_base_set(dev, context->msg->state.index, context->msg->state.num);
}

/* rte_vhost's own answer has 16 bits: the used position of a packed ring would be missing. */
static void
base_answer(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	struct msg *msg = context->msg;

	if (dev->connection->vdpa != NULL)
		return;
	msg->state.num = vstate_connection_base_answer(dev, msg->state.index);
	msg->size = sizeof(msg->state);
}

static void
mtu_set(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	vstate_start_message(dev, VSTATE_CLASS_MSG_SET_MTU, context->msg->u64);
}

static void
status_write(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	dev->connection->driver_ok = context->msg->u64 & RTE_VHOST_STATE_S_DRIVER_OK;
	vstate_status_write(dev, context->msg->u64);
}

/* ---- dispatch ---- */

typedef enum vstate_msg_result (*before_fn)(struct vstate_dev *dev,
		struct vstate_msg_context *context);
typedef void (*after_fn)(struct vstate_dev *dev, struct vstate_msg_context *context);

static const before_fn before_handlers[] = {
	[MSG_BEFORE_GET_FEATURES] = features_answer,
	[MSG_BEFORE_SET_FEATURES] = features_filter,
	[MSG_BEFORE_GET_PROTOCOL_FEATURES] = protocol_features_answer,
	[MSG_BEFORE_SET_PROTOCOL_FEATURES] = protocol_features_filter,
	[MSG_BEFORE_GET_QUEUE_NUM] = queue_num_answer,
	[MSG_BEFORE_SEND_RARP] = rarp_request,
	[MSG_BEFORE_GET_INFLIGHT_FD] = inflight_answer,
	[MSG_BEFORE_SET_INFLIGHT_FD] = inflight_set,
	[MSG_BEFORE_GET_STATUS] = status_answer,
	[MSG_BEFORE_GET_CONFIG] = config_answer,
	[MSG_BEFORE_SET_CONFIG] = config_write,
	[MSG_BEFORE_RESET_DEVICE] = device_reset,
	[MSG_BEFORE_SET_DEVICE_STATE_FD] = device_state_begin,
	[MSG_BEFORE_CHECK_DEVICE_STATE] = device_state_end,
	[MSG_BEFORE_SET_BACKEND_REQ_FD] = backend_req_set,
};

static const after_fn after_handlers[] = {
	[MSG_AFTER_SET_FEATURES] = features_negotiate,
	[MSG_AFTER_SET_VRING_NUM] = size_announce,
	[MSG_AFTER_SET_VRING_ADDR] = addr_announce,
	[MSG_AFTER_SET_VRING_BASE] = base_set,
	[MSG_AFTER_GET_VRING_BASE] = base_answer,
	[MSG_AFTER_NET_SET_MTU] = mtu_set,
	[MSG_AFTER_SET_STATUS] = status_write,
};

static bool
message_is_half_done(const struct vstate_dev *dev)
{
	return vstate_run_is_started(dev) && vstate_run_is_blocked(dev, VSTATE_BLOCK_MESSAGE);
}

/*
 * The front end takes a ring or all rings back: stop them in the thread of the door. rte_vhost has
 * one thread for all devices, which must not wait for the poll threads and the requests of one.
 */
static void
rings_take_back(struct vstate_dev *dev, const struct vstate_msg_row *row, const struct msg *msg)
{
	const int vid = dev->connection->vid;

	if (row->stops)
		vstate_connection_stop(vid);
	else if (msg->request == MSG_SET_VRING_ENABLE && msg->state.num == 0)
		vstate_connection_ring_state(vid, msg->state.index, false);
}

/* No poll thread may be inside a queue that the message changes. */
static void
queues_quiesce(struct vstate_dev *dev, const struct vstate_msg_row *row, const struct msg *msg)
{
	uint32_t qid;
	int fd_qid = -1;

	if (row->quiesce == MSG_QUIESCE_VQ && vstate_msg_queue_get(row, msg, &qid))
		fd_qid = qid;
	vstate_connection_fd_message(dev, fd_qid, msg->request == MSG_SET_VRING_CALL);
	if (dev->connection->vdpa == NULL)
		rings_take_back(dev, row, msg);
	/* The previous message failed half way: apply what is left of the set-up. */
	if (message_is_half_done(dev))
		vstate_connection_sync(dev);
	if (vstate_run_is_started(dev) && row->quiesce == MSG_QUIESCE_ALL)
		vstate_start_pause(dev);
	if (row->remap != MSG_REMAP_NONE)
		vstate_mem_watch_end(dev);
	/* if the message fails, rte_vhost has no memory table, and must not be asked for it */
	if (row->remap == MSG_REMAP_AWAY || row->remap == MSG_REMAP_TABLE) {
		dev->connection->has_memory = false;
		dev->connection->memory_gone = true;
	}
}

enum vstate_msg_result
vstate_msg_begin(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	const struct vstate_msg_row *row = vstate_msg_find(context->msg->request);
	char name[VSTATE_MSG_NAME_SIZE];
	before_fn before;

	RTE_BUILD_BUG_ON(RTE_DIM(before_handlers) != MSG_BEFORE_MAX);
	vstate_trace_message(dev->name, vstate_msg_name(context->msg->request, name),
			context->msg->request, context->msg->size, context->nb_fds);
	if (!vstate_msg_check(dev, context))
		return VSTATE_MSG_REFUSED;
	vstate_msg_log_note(dev->connection->msg_log, context->msg, context->fds, context->nb_fds);
	queues_quiesce(dev, row, context->msg);
	before = before_handlers[row->before];
	return before != NULL ? before(dev, context) : VSTATE_MSG_PASS;
}

enum vstate_msg_result
vstate_msg_wait(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	return device_state_end(dev, context);
}

/*
 * The message may name a queue of a larger device, or name none: a vDPA connection is attached to
 * its device inside of a message, and vstate_msg_begin() did not see that message.
 */
static bool
queue_is_known(const struct vstate_dev *dev, const struct vstate_msg_row *row,
		const struct msg *msg)
{
	uint32_t qid;

	return row->queue == MSG_QUEUE_NONE ||
		(vstate_msg_queue_get(row, msg, &qid) && qid < dev->nb_vqs);
}

void
vstate_msg_end(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	const struct vstate_msg_row *row = vstate_msg_find(context->msg->request);

	RTE_BUILD_BUG_ON(RTE_DIM(after_handlers) != MSG_AFTER_MAX);
	vstate_msg_log_hold(dev->connection->msg_log);
	if (row->remap == MSG_REMAP_TABLE) {
		dev->connection->has_memory = true;
		dev->connection->memory_gone = false;
	}
	if (row->remap == MSG_REMAP_TABLE || row->remap == MSG_REMAP_LOG)
		vstate_mem_watch_begin(dev);
	if (after_handlers[row->after] != NULL && (row->answer == MSG_ANSWER_DEVICE_AFTER ||
			queue_is_known(dev, row, context->msg)))
		after_handlers[row->after](dev, context);
	if (vstate_run_is_started(dev) && row->quiesce == MSG_QUIESCE_ALL)
		vstate_connection_sync(dev);
	if (dev->connection->vdpa == NULL)
		vstate_connection_start_by_rule(dev);
}

void
vstate_msg_failed(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	const struct vstate_msg_row *row = vstate_msg_find(context->msg->request);

	if (row->remap != MSG_REMAP_NONE)
		vstate_mem_watch_begin(dev);
	if (message_is_half_done(dev))
		vstate_connection_sync(dev);
}
