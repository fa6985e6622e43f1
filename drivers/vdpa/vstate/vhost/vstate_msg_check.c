/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdint.h>
#include <stdio.h>

#include <vstate_compat.h>

#include "dev/vstate_dev.h"
#include "dev/vstate_limits.h"
#include "vstate_connection.h"
#include "vstate_log.h"
#include "vstate_msg.h"
#include "vstate_msg_check.h"
#include "vstate_msg_refused.h"
#include "vstate_vhost_user.h"

static bool
offer_holds(const struct vstate_msg_row *row, const struct vstate_dev *dev)
{
	return row->offer == MSG_OFFER_ALWAYS ||
		(row->offer == MSG_OFFER_INFLIGHT && dev->connection->inflight_negotiated);
}

/* With an invalid number of regions, the check of the payload finds the better reason. */
static bool
fds_are_right(const struct vstate_msg_row *row, const struct msg *msg, int nb_fds)
{
	int min, max;

	if (row->fds_refused == VSTATE_MSG_R_NONE || !vstate_msg_fds_range(row, msg, &min, &max))
		return true;
	return nb_fds >= min && nb_fds <= max;
}

static enum vstate_msg_refusal
refusal_find(const struct vstate_dev *dev, const struct msg *msg, const int *fds, int nb_fds)
{
	const struct vstate_msg_row *row = vstate_msg_find(msg->request);
	enum vstate_msg_refusal reason = VSTATE_MSG_R_NONE;
	uint32_t qid;

	if (msg->size < row->min_size)
		return VSTATE_MSG_R_PAYLOAD_SHORT;
	if (!offer_holds(row, dev))
		return VSTATE_MSG_R_NOT_OFFERED;
	if (!fds_are_right(row, msg, nb_fds))
		return row->fds_refused;
	if (row->payload_check != NULL)
		reason = row->payload_check(msg, fds);
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

static void
refusal_log(const struct vstate_dev *dev, const struct msg *msg, int nb_fds,
		enum vstate_msg_refusal reason)
{
	char name[VSTATE_MSG_NAME_SIZE], queue[24] = "";
	uint32_t qid;

	if (vstate_msg_queue_get(vstate_msg_find(msg->request), msg, &qid))
		snprintf(queue, sizeof(queue), "queue %u, ", qid);
	VSTATE_LOG(ERR, "%s: %s refused: %s (%s%u bytes, %d descriptors)", dev->name,
			vstate_msg_name(msg->request, name), vstate_msg_refused_text(reason),
			queue, msg->size, nb_fds);
}

bool
vstate_msg_check(struct vstate_dev *dev, void *opaque)
{
	int *nb_fds, *fds = vstate_msg_fds(opaque, &nb_fds);
	const struct msg *msg = opaque;
	enum vstate_msg_refusal reason = refusal_find(dev, msg, fds, *nb_fds);

	if (reason == VSTATE_MSG_R_NONE)
		return true;
	vstate_msg_refused_count(&dev->connection->refused, reason);
	refusal_log(dev, msg, *nb_fds, reason);
	vstate_msg_close_fds(opaque);
	return false;
}
