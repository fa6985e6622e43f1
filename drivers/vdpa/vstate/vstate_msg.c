/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdlib.h>
#include <string.h>

#include <linux/vhost.h>

#include <rte_ether.h>

#include "vstate_frontend.h"
#include "vstate_gate.h"
#include "vstate_log.h"
#include "vstate_msg.h"

/* vhost-user protocol: requests of the front end that matter here. */
enum {
	MSG_SET_FEATURES = 2,
	MSG_SET_MEM_TABLE = 5,
	MSG_SET_LOG_BASE = 6,
	MSG_SET_VRING_NUM = 8,
	MSG_SET_VRING_ADDR = 9,
	MSG_SET_VRING_BASE = 10,
	MSG_GET_QUEUE_NUM = 17,
	MSG_SEND_RARP = 19,
	MSG_ADD_MEM_REG = 37,
	MSG_REM_MEM_REG = 38,
	MSG_SET_STATUS = 39,
	MSG_GET_STATUS = 40,
};

/* The part of a message that goes over the wire, in host order (vhost-user "Header"). */
struct msg {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
	union {
		uint64_t u64;
		struct {
			uint32_t index;
			uint32_t num;
		} state;
		struct {
			uint32_t index;
			uint32_t flags;
			uint64_t desc, used, avail, log;
		} addr;
	};
} __rte_packed;

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
		return true;
	default:
		return false;
	}
}

static enum rte_vhost_msg_result
reply_u64(struct msg *msg, uint64_t value)
{
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
		vstate_dev_rarp(dev, &mac);
	else
		VSTATE_LOG(WARNING, "%s: RARP for an invalid MAC address ignored", dev->name);
}

static enum rte_vhost_msg_result
pre_handle(int vid, void *opaque)
{
	struct vstate_dev *dev = vstate_frontend_dev(vid);
	struct msg *msg = opaque;

	if (dev == NULL)
		dev = vstate_frontend_take_over(vid);
	if (dev == NULL || !vstate_gate_pass(dev, opaque))
		return RTE_VHOST_MSG_RESULT_ERR;

	/* The message before this one failed half way: see what is left. */
	if (dev->started && dev->paused)
		vstate_frontend_sync(dev);
	if (dev->started && moves_ground(msg->request))
		vstate_dev_pause(dev);

	switch (msg->request) {
	case MSG_GET_QUEUE_NUM:
		return reply_u64(msg, dev->nb_vqs / 2);
	case MSG_GET_STATUS:
		return reply_u64(msg, vstate_dev_status_read(dev));
	case MSG_SEND_RARP:
		/* here rte_vhost has not looked at the length yet */
		if (msg->size >= sizeof(msg->u64))
			rarp(dev, msg);
		break;
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
	vstate_dev_announce_addr(dev, qid, vstate_mem_gpa_of_uva(table, msg->addr.desc),
			vstate_mem_gpa_of_uva(table, msg->addr.avail),
			vstate_mem_gpa_of_uva(table, msg->addr.used));
	free(table);
}

static void
negotiate(struct vstate_dev *dev, int vid)
{
	uint64_t features = 0, protocol = 0;

	rte_vhost_get_negotiated_features(vid, &features);
	rte_vhost_get_negotiated_protocol_features(vid, &protocol);
	vstate_dev_negotiate(dev, features, protocol & RTE_BIT64(VHOST_USER_PROTOCOL_F_STATUS));
}

static enum rte_vhost_msg_result
post_handle(int vid, void *opaque)
{
	struct vstate_dev *dev = vstate_frontend_dev(vid);
	const struct msg *msg = opaque;

	if (dev == NULL)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;

	switch (msg->request) {
	case MSG_SET_FEATURES:
		negotiate(dev, vid);
		break;
	case MSG_SET_VRING_NUM:
		if (msg->state.index < dev->nb_vqs)
			vstate_dev_announce_size(dev, msg->state.index, msg->state.num);
		break;
	case MSG_SET_VRING_ADDR:
		announce_addr(dev, vid, msg);
		break;
	case MSG_SET_VRING_BASE:
		if (msg->state.index < dev->nb_vqs)
			dev->base_fresh[msg->state.index] = true;
		break;
	case MSG_SET_STATUS:
		vstate_dev_status_write(dev, msg->u64);
		break;
	default:
		break;
	}
	if (dev->started && moves_ground(msg->request))
		vstate_frontend_sync(dev);
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

const struct rte_vhost_user_extern_ops vstate_msg_ops = {
	.pre_msg_handle = pre_handle,
	.post_msg_handle = post_handle,
};
