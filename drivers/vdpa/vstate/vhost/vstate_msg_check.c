/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdint.h>
#include <stdio.h>

#include "dev/vstate_dev.h"
#include "dev/vstate_limits.h"
#include "dev/vstate_trace.h"
#include "vstate_connection.h"
#include "vstate_log.h"
#include "vstate_msg.h"
#include "vstate_msg_check.h"
#include "vstate_msg_refused.h"
#include "vstate_vhost_user.h"

static bool
needs_are_met(const struct vstate_msg_row *row, const struct vstate_dev *dev)
{
	return row->needs == 0 || (row->needs & ~vstate_connection_protocol(dev)) == 0;
}

/* With an invalid number of regions, the check of the payload finds the better reason. */
static bool
fds_are_right(const struct vstate_msg_row *row, const struct vstate_msg_context *context)
{
	int min, max;

	if (!vstate_msg_fds_range(row, context->msg, &min, &max))
		return true;
	return (int)context->nb_fds >= min && (int)context->nb_fds <= max;
}

static enum vstate_msg_refusal
refusal_find(const struct vstate_dev *dev, const struct vstate_msg_context *context)
{
	const struct msg *msg = context->msg;
	const struct vstate_msg_row *row = vstate_msg_find(msg->request);
	enum vstate_msg_refusal reason = VSTATE_MSG_R_NONE;
	uint32_t qid;

	if ((msg->flags & (MSG_VERSION_MASK | MSG_REPLY)) != MSG_VERSION)
		return VSTATE_MSG_R_VERSION;
	if (row->name == NULL)
		return VSTATE_MSG_R_UNKNOWN;
	if (msg->size < row->min_size)
		return VSTATE_MSG_R_PAYLOAD_SHORT;
	if (!needs_are_met(row, dev))
		return VSTATE_MSG_R_NOT_OFFERED;
	if (!fds_are_right(row, context))
		return row->fds_refused != VSTATE_MSG_R_NONE ? row->fds_refused : VSTATE_MSG_R_FDS;
	if (row->payload_check != NULL)
		reason = row->payload_check(msg, context->fds);
	if (reason != VSTATE_MSG_R_NONE)
		return reason;
	/*
	 * A queue of a larger device is not refused. A front end that migrates to a device with too
	 * few queues sets them up first; then the refusal of its state gives the better reason.
	 */
	if (vstate_msg_queue_get(row, msg, &qid) && qid >= VSTATE_MAX_VQS)
		return VSTATE_MSG_R_QUEUE_INDEX;
	return VSTATE_MSG_R_NONE;
}

void
vstate_msg_refuse(struct vstate_dev *dev, struct vstate_msg_context *context,
		enum vstate_msg_refusal reason)
{
	const struct msg *msg = context->msg;
	char name[VSTATE_MSG_NAME_SIZE], queue[24] = "";
	uint32_t qid;

	if (vstate_msg_queue_get(vstate_msg_find(msg->request), msg, &qid))
		snprintf(queue, sizeof(queue), "queue %u, ", qid);
	vstate_trace_message_refused(dev->name, vstate_msg_name(msg->request, name),
			vstate_msg_refused_name(reason));
	vstate_msg_refused_count(&dev->connection->refused, reason);
	VSTATE_LOG(ERR, "%s: %s refused: %s (%s%u bytes, %u descriptors)", dev->name,
			vstate_msg_name(msg->request, name), vstate_msg_refused_text(reason),
			queue, msg->size, context->nb_fds);
	vstate_msg_close_fds(context);
}

bool
vstate_msg_check(struct vstate_dev *dev, struct vstate_msg_context *context)
{
	enum vstate_msg_refusal reason = refusal_find(dev, context);

	if (reason == VSTATE_MSG_R_NONE)
		return true;
	vstate_msg_refuse(dev, context, reason);
	return false;
}
