/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/virtio_ring.h>

#include "dev/vstate_dev.h"
#include "handover/vstate_handover_msg.h"
#include "ring/vstate_vq.h"
#include "vstate_connection.h"
#include "vstate_front.h"
#include "vstate_log.h"
#include "vstate_msg.h"
#include "vstate_msg_check.h"
#include "vstate_msg_handle.h"
#include "vstate_msg_log.h"

#define S_DRIVER_OK RTE_VHOST_STATE_S_DRIVER_OK
#define S_NEEDS_RESET RTE_VHOST_STATE_S_NEEDS_RESET

/* While a state is under way, time between two looks whether it is whole. */
#define STATE_MS 1

void
vstate_front_init(struct vstate_front *f, struct vstate_dev *dev, int cancel)
{
	memset(f, 0, sizeof(*f));
	f->dev = dev;
	f->fd = -1;
	f->cancel = cancel;
	f->back.fd = -1;
}

int
vstate_front_begin(struct vstate_front *f, int fd)
{
	int ret;

	f->fd = fd;
	ret = vstate_back_open(f->dev, &f->back);
	if (ret == 0)
		return 0;
	VSTATE_LOG(ERR, "%s: front end refused: cannot connect to rte_vhost: %s", f->dev->name,
			strerror(-ret));
	vstate_front_end(f, true);
	return ret;
}

void
vstate_front_end(struct vstate_front *f, bool hang_up)
{
	const int vid = f->dev->connection->vid;

	/*
	 * Stop the device here. rte_vhost would do it too, but with a lock that all its sockets
	 * share, and a poll thread may need long to leave.
	 */
	if (vid >= 0)
		vstate_connection_stop(vid);
	vstate_back_close(&f->back);
	if (vid >= 0)
		vstate_connection_detach(vid, f->dev);
	vstate_msg_stream_clear(&f->in);
	vstate_msg_stream_clear(&f->out);
	f->answering = f->waiting = f->table_unacked = false;
	/* last, as a supervisor may end this process when the front end sees the hang-up */
	if (f->fd >= 0) {
		if (hang_up)
			shutdown(f->fd, SHUT_RDWR);
		close(f->fd);
	}
	f->fd = -1;
}

/* ---- one message ---- */

static void
answer_take(struct vstate_msg_context *context, struct vstate_msg_stream *out)
{
	memcpy(&out->msg, context->msg, vstate_msg_stream_length(context->msg));
	memcpy(out->fds, context->fds, context->nb_fds * sizeof(out->fds[0]));
	out->nb_fds = context->nb_fds;
	context->nb_fds = 0;
}

static int
message_pass(struct vstate_front *f, struct vstate_msg_context *context,
		struct vstate_msg_stream *out)
{
	const struct vstate_msg_row *row = vstate_msg_find(context->msg->request);
	struct vstate_msg_context answer = { &out->msg, out->fds, 0 };
	int ret;

	ret = vstate_back_call(&f->back, context, &answer, f->cancel);
	out->nb_fds = answer.nb_fds;
	if (ret == -EREMOTEIO) {
		vstate_msg_refuse(f->dev, context, VSTATE_MSG_R_RTE_VHOST);
		vstate_msg_failed(f->dev, context);
	}
	if (ret < 0)
		return ret;
	/* the device waits for the front end, which registers the addresses of the answer first */
	if (ret == 1 && !row->answer_payload) {
		f->table_unacked = true;
		return 1;
	}
	vstate_msg_end(f->dev, context);
	if (row->answer != MSG_ANSWER_DEVICE_AFTER)
		return ret;
	answer_take(context, out);
	return 1;
}

/*
 * @return 1: @p out has the answer; 0: processed; -EAGAIN: it waits; -EREMOTEIO: refused; or
 *   another -errno
 */
static int
message_process(struct vstate_front *f, struct vstate_msg_context *context,
		struct vstate_msg_stream *out)
{
	enum vstate_msg_result result;

	result = f->waiting ? vstate_msg_wait(f->dev, context) : vstate_msg_begin(f->dev, context);
	f->waiting = result == VSTATE_MSG_WAIT;
	switch (result) {
	case VSTATE_MSG_PASS:
		return message_pass(f, context, out);
	case VSTATE_MSG_ANSWERED:
		vstate_msg_end(f->dev, context);
		answer_take(context, out);
		return 1;
	case VSTATE_MSG_DONE:
		vstate_msg_end(f->dev, context);
		return 0;
	case VSTATE_MSG_WAIT:
		return -EAGAIN;
	default:
		vstate_msg_failed(f->dev, context);
		return -EREMOTEIO;
	}
}

/* In postcopy, the front end's word that it has the addresses of its memory table. */
static int
table_ack_take(struct vstate_front *f)
{
	struct vstate_msg_context context = { &f->in.msg, f->in.fds, f->in.nb_fds };
	const bool right = f->in.msg.request == MSG_SET_MEM_TABLE &&
		f->in.msg.size == sizeof(f->in.msg.u64) && f->in.nb_fds == 0;

	f->table_unacked = false;
	if (!right) {
		f->in.nb_fds = 0;
		vstate_msg_refuse(f->dev, &context, VSTATE_MSG_R_UNKNOWN);
		return -EREMOTEIO;
	}
	vstate_msg_end(f->dev, &context);
	return 0;
}

static void
ack_make(struct vstate_msg_stream *out, uint32_t request, bool refused)
{
	out->msg.request = request;
	out->msg.u64 = refused;
	out->msg.size = sizeof(out->msg.u64);
	out->nb_fds = 0;
}

static int
message_serve(struct vstate_front *f)
{
	struct vstate_msg_context context = { &f->in.msg, f->in.fds, f->in.nb_fds };
	const uint32_t request = f->in.msg.request;
	const bool ack = f->in.msg.flags & MSG_NEED_REPLY;
	int ret;

	ret = message_process(f, &context, &f->out);
	/* the descriptors are the context's */
	f->in.nb_fds = context.nb_fds;
	if (ret == -EAGAIN)
		return 0;
	vstate_msg_stream_clear(&f->in);
	if (ret == -EREMOTEIO && !ack) {
		VSTATE_LOG(ERR, "%s: connection closed: a message was refused, and the front end "
				"does not ask for acknowledgements", f->dev->name);
		return ret;
	}
	if (ret < 0 && ret != -EREMOTEIO)
		return ret;
	if (ret != 1 && !ack)
		return 0;
	if (ret != 1)
		ack_make(&f->out, request, ret != 0);
	f->out.done = 0;
	f->out.msg.flags = MSG_VERSION | MSG_REPLY;
	f->answering = true;
	return 0;
}

/* ---- the connection ---- */

short
vstate_front_events(const struct vstate_front *f)
{
	if (f->answering)
		return POLLOUT;
	return f->waiting ? 0 : POLLIN;
}

int
vstate_front_timeout(const struct vstate_front *f)
{
	return f->waiting ? STATE_MS : -1;
}

static int
answer_send(struct vstate_front *f)
{
	int ret = vstate_msg_stream_write(&f->out, f->fd);

	f->answering = ret == 0;
	return ret < 0 ? ret : 0;
}

int
vstate_front_serve(struct vstate_front *f)
{
	int ret = 0;

	if (!f->answering) {
		if (!f->waiting) {
			ret = vstate_msg_stream_read(&f->in, f->fd);
			if (ret <= 0)
				return ret;
		}
		if (f->table_unacked) {
			ret = table_ack_take(f);
			vstate_msg_stream_clear(&f->in);
		} else {
			ret = message_serve(f);
		}
	}
	/* most answers go at once */
	if (ret == 0 && f->answering)
		ret = answer_send(f);
	return ret;
}

/* ---- handover ---- */

/*
 * Only a device that runs can be passed, because the new process starts with a device that runs.
 * For a device that is between two states or suspended, the front end must reconnect.
 */
static bool
device_can_pass(const struct vstate_dev *dev)
{
	const struct vstate_connection *c = dev->connection;
	const uint8_t status = vstate_run_status(dev);

	return c->msg_log != NULL && c->vid >= 0 && vstate_run_is_started(dev) &&
		!vstate_run_is_blocked(dev, VSTATE_BLOCK_MESSAGE) &&
		(status & S_DRIVER_OK) && !(status & S_NEEDS_RESET) &&
		c->device_state == NULL && vstate_msg_log_is_whole(c->msg_log);
}

/*
 * Replace the bases in the log by the current positions. A ring that does not run has no other
 * source of the position in the new process.
 */
static void
log_rebase(struct vstate_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		if (!dev->connection->base_fresh[i])
			vstate_msg_log_rebase(dev->connection->msg_log, i,
					vstate_connection_base_get(dev, i));
	}
}

int
vstate_front_offer(struct vstate_front *f, struct vstate_handover_msg *msg)
{
	int ret;

	if (f->fd < 0 || f->answering || f->waiting || f->table_unacked ||
			!device_can_pass(f->dev))
		return -ENOTCONN;
	log_rebase(f->dev);
	ret = vstate_msg_log_offer(f->dev->connection->msg_log, msg);
	if (ret == 0 && f->in.done > 0)
		ret = vstate_handover_msg_add(msg, VSTATE_HANDOVER_PARTIAL, &f->in.msg, f->in.done,
				f->in.fds, f->in.nb_fds);
	if (ret == 0)
		ret = vstate_handover_msg_add(msg, VSTATE_HANDOVER_CONNECTION, NULL, 0, &f->fd, 1);
	return ret;
}

static int
partial_take(struct vstate_front *f, struct vstate_handover_item *item)
{
	if (f->in.done != 0 || item->size > sizeof(f->in.msg) || item->nb_fds > MSG_MAX_FDS)
		return -EBADMSG;
	memcpy(&f->in.msg, item->bytes, item->size);
	f->in.done = item->size;
	while (f->in.nb_fds < item->nb_fds) {
		f->in.fds[f->in.nb_fds] = item->fds[f->in.nb_fds];
		item->fds[f->in.nb_fds++] = -1;
	}
	return 0;
}

int
vstate_front_replay(struct vstate_front *f, struct vstate_handover_item *item)
{
	struct vstate_msg_stream s = { .msg = { item->type, MSG_VERSION, item->size } };
	struct vstate_msg_stream out = { 0 };
	struct vstate_msg_context context = { &s.msg, s.fds, item->nb_fds };
	unsigned int i;
	int ret;

	if (item->type == VSTATE_HANDOVER_PARTIAL)
		return partial_take(f, item);
	if (item->type >= MSG_REQUEST_MAX || item->size > MSG_PAYLOAD_MAX ||
			item->nb_fds > MSG_MAX_FDS)
		return -EBADMSG;
	if (item->size > 0)
		memcpy(s.msg.payload, item->bytes, item->size);
	for (i = 0; i < item->nb_fds; i++) {
		s.fds[i] = item->fds[i];
		item->fds[i] = -1;
	}
	ret = message_process(f, &context, &out);
	/* the front end had the answer from the process before */
	vstate_msg_stream_clear(&out);
	vstate_msg_close_fds(&context);
	return ret < 0 ? ret : 0;
}
