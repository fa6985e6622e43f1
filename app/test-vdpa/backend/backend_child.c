/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>

#include "backend.h"
#include "backend_child.h"
#include "backend_msg.h"
#include "rte_vhost_state_backend.h"

/* The tool reads answers at once, so one second is enough. */
#define ANSWER_MS 1000

static int
serve_create(struct backend_child *bc, const void *bytes, size_t len)
{
	struct backend_device dev;

	if (len != sizeof(dev))
		return -EBADMSG;
	if (bc->be != NULL)
		return -EEXIST;
	memcpy(&dev, bytes, sizeof(dev));
	bc->be = bc->create(&dev);
	return bc->be != NULL ? 0 : -rte_errno;
}

static int
serve_info(struct backend_child *bc, struct backend_msg_head *head, void **out)
{
	struct rte_vhost_state_info *info;
	int ret;

	info = calloc(1, sizeof(*info));
	if (info == NULL)
		return -ENOMEM;
	ret = bc->be->ops->info(bc->be, info);
	head->len = sizeof(*info);
	*out = info;
	return ret;
}

static int
serve_capture(struct backend_child *bc, struct backend_msg_head *head, void **out)
{
	struct rte_vhost_state *st;
	size_t size, len;
	int ret;

	st = bc->be->ops->capture(bc->be, &head->err);
	if (st == NULL)
		return -rte_errno;
	size = rte_vhost_state_encoded_size(st);
	*out = malloc(size);
	ret = *out != NULL ? rte_vhost_state_encode(st, *out, size, &len, &head->err) : -ENOMEM;
	if (ret == 0)
		head->len = len;
	rte_vhost_state_free(st);
	return ret;
}

static int
serve_restore(struct backend_child *bc, struct backend_msg_head *head, const void *bytes,
		size_t len)
{
	struct rte_vhost_state *st;
	int ret;

	st = rte_vhost_state_decode(bytes, len, &head->err);
	if (st == NULL)
		return -rte_errno;
	ret = bc->be->ops->restore(bc->be, st, &head->err);
	rte_vhost_state_free(st);
	return ret;
}

static void
device_destroy(struct backend_child *bc)
{
	if (bc->be != NULL)
		bc->be->ops->destroy(bc->be);
	bc->be = NULL;
}

static int
request_run(struct backend_child *bc, struct backend_msg_head *head, const void *in, size_t len,
		void **out)
{
	if (head->op == BACKEND_MSG_CREATE)
		return serve_create(bc, in, len);
	if (bc->be == NULL)
		return -ENODEV;
	switch (head->op) {
	case BACKEND_MSG_INFO:
		return serve_info(bc, head, out);
	case BACKEND_MSG_SUSPEND:
		return bc->be->ops->suspend(bc->be, head->arg, &head->err);
	case BACKEND_MSG_CAPTURE:
		return serve_capture(bc, head, out);
	case BACKEND_MSG_RESTORE:
		return serve_restore(bc, head, in, len);
	case BACKEND_MSG_RESUME:
		return bc->be->ops->resume(bc->be, &head->err);
	case BACKEND_MSG_DESTROY:
		device_destroy(bc);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

int
backend_child_serve(struct backend_child *bc, int fd)
{
	struct backend_msg_head head;
	void *in, *out;
	bool last = false;
	size_t len;
	int ret;

	do {
		ret = backend_msg_recv(fd, &head, &in, -1);
		if (ret < 0)
			break;
		len = head.len;
		head.len = 0;
		memset(&head.err, 0, sizeof(head.err));
		out = NULL;
		last = head.op == BACKEND_MSG_DESTROY;
		head.result = request_run(bc, &head, in, len, &out);
		if (head.result < 0)
			head.len = 0;
		ret = backend_msg_send(fd, &head, out, ANSWER_MS);
		free(in);
		free(out);
	} while (ret == 0 && !last);
	device_destroy(bc);
	return ret;
}
