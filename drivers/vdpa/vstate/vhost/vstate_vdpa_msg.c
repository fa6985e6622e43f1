/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_common.h>
#include <rte_vhost.h>

#include <vstate_compat.h>

#include "vstate_connection.h"
#include "vstate_msg.h"
#include "vstate_msg_handle.h"
#include "vstate_vdpa_msg.h"

/* The descriptors are in rte_vhost's context, which stays their owner. */
static struct vstate_msg_context
context_get(void *opaque)
{
	int *nb_fds, *fds = vstate_msg_fds(opaque, &nb_fds);

	return (struct vstate_msg_context){ opaque, fds, RTE_MAX(*nb_fds, 0) };
}

/* Descriptors that were closed or taken are at the end of the array. */
static void
context_put(void *opaque, const struct vstate_msg_context *context)
{
	int *nb_fds, *fds = vstate_msg_fds(opaque, &nb_fds);
	int i;

	for (i = context->nb_fds; i < *nb_fds; i++)
		fds[i] = -1;
	*nb_fds = context->nb_fds;
}

static enum rte_vhost_msg_result
message_begin(int vid, void *opaque)
{
	struct vstate_msg_context context = context_get(opaque);
	struct vstate_dev *dev = vstate_connection_dev(vid);
	enum vstate_msg_result result = VSTATE_MSG_REFUSED;

	/* a front end that another one has replaced */
	if (dev == NULL)
		vstate_msg_close_fds(&context);
	else
		result = vstate_msg_begin(dev, &context);
	context_put(opaque, &context);
	switch (result) {
	case VSTATE_MSG_PASS:
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	case VSTATE_MSG_ANSWERED:
		return RTE_VHOST_MSG_RESULT_REPLY;
	case VSTATE_MSG_DONE:
		return RTE_VHOST_MSG_RESULT_OK;
	/* a vDPA device is not offered the request that waits */
	default:
		return RTE_VHOST_MSG_RESULT_ERR;
	}
}

/* rte_vhost passes the message here only if it was not refused. */
static enum rte_vhost_msg_result
message_end(int vid, void *opaque)
{
	struct vstate_msg_context context = context_get(opaque);
	struct vstate_dev *dev = vstate_connection_dev(vid);

	if (dev != NULL)
		vstate_msg_end(dev, &context);
	context_put(opaque, &context);
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

const struct rte_vhost_user_extern_ops vstate_vdpa_msg_ops = {
	.pre_msg_handle = message_begin,
	.post_msg_handle = message_end,
};
