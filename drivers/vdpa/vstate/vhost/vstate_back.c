/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_string_fns.h>
#include <rte_vhost.h>

#include "dev/vstate_class.h"
#include "dev/vstate_dev.h"
#include "vstate_back.h"
#include "vstate_connection.h"
#include "vstate_event_thread.h"
#include "vstate_log.h"
#include "vstate_msg.h"
#include "vstate_msg_stream.h"

/* Where the private socket is, if EAL's runtime directory cannot be used. */
#define FALLBACK_DIR "/tmp"

/* ---- callbacks of rte_vhost, on its thread ---- */

/* The device that this thread connects: rte_vhost calls new_connection() before it returns. */
static __thread struct vstate_dev *connecting;

static int
new_connection(int vid)
{
	int ret = connecting != NULL ? vstate_connection_attach(vid, connecting) : -ENODEV;

	if (ret != 0)
		VSTATE_LOG(ERR, "%s: not attached to rte_vhost: %s", connecting != NULL ?
				connecting->name : "no device", strerror(-ret));
	return ret != 0 ? -1 : 0;
}

static int
vring_state_changed(int vid, uint16_t qid, int enable)
{
	return vstate_connection_ring_state(vid, qid, enable != 0);
}

static const struct rte_vhost_device_ops vhost_ops = {
	.new_device = vstate_connection_start,
	.destroy_device = vstate_connection_stop,
	.vring_state_changed = vring_state_changed,
	.new_connection = new_connection,
};

/* ---- connect ---- */

/* A directory that only this user can enter. It is removed when rte_vhost has connected. */
static int
dir_make(char *dir, size_t size)
{
	const char *bases[] = { rte_eal_get_runtime_dir(), FALLBACK_DIR };
	int len, ret = -ENAMETOOLONG;
	unsigned int i;

	for (i = 0; i < RTE_DIM(bases); i++) {
		if (bases[i] == NULL || bases[i][0] == '\0')
			continue;
		len = snprintf(dir, size, "%s/vstate.XXXXXX", bases[i]);
		if (len >= (int)size)
			continue;
		if (mkdtemp(dir) != NULL)
			return 0;
		ret = -errno;
	}
	return ret;
}

static int
listener_make(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), ret;

	if (fd < 0)
		return -errno;
	rte_strscpy(un.sun_path, path, sizeof(un.sun_path));
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0 && listen(fd, 1) == 0)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

/* The other end must be of this process, which has just connected. */
static int
listener_accept(int listener)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid == getpid())
		return fd;
	close(fd);
	return -EPERM;
}

static uint64_t
register_flags_get(const struct vstate_dev *dev)
{
	return RTE_VHOST_USER_CLIENT | RTE_VHOST_USER_NO_RECONNECT |
		RTE_VHOST_USER_NET_COMPLIANT_OL_FLAGS |
		(dev->conf.postcopy_support ? RTE_VHOST_USER_POSTCOPY_SUPPORT : 0);
}

/* rte_vhost offers no more than the device. It must not know what the device alone serves. */
static int
offer_limit(const struct vstate_dev *dev, const char *path)
{
	uint64_t library = 0;

	/* a class that rte_vhost does not have built in: it only passes the features on */
	if (!dev->class->built_in && rte_vhost_driver_set_features(path,
				dev->features_offered & ~vstate_connection_own_features(dev)) != 0)
		return -EIO;
	if (rte_vhost_driver_get_features(path, &library) != 0 ||
			rte_vhost_driver_disable_features(path,
				library & ~dev->features_offered) != 0)
		return -EIO;
	if (rte_vhost_driver_get_protocol_features(path, &library) != 0)
		return -EIO;
	library &= dev->connection->protocol_offered & ~VSTATE_OWN_PROTOCOL_FEATURES;
	return rte_vhost_driver_set_protocol_features(path, library) == 0 ? 0 : -EIO;
}

static int
back_connect(struct vstate_dev *dev, struct vstate_back *back)
{
	int listener = listener_make(back->path), ret;

	if (listener < 0)
		return listener;
	ret = rte_vhost_driver_register(back->path, register_flags_get(dev)) == 0 ? 0 : -EIO;
	back->registered = ret == 0;
	if (ret == 0)
		ret = offer_limit(dev, back->path);
	connecting = dev;
	if (ret == 0 && (rte_vhost_driver_callback_register(back->path, &vhost_ops) != 0 ||
			rte_vhost_driver_start(back->path) != 0))
		ret = -EIO;
	connecting = NULL;
	if (ret == 0)
		ret = listener_accept(listener);
	close(listener);
	unlink(back->path);
	if (ret < 0)
		return ret;
	back->fd = ret;
	return 0;
}

int
vstate_back_open(struct vstate_dev *dev, struct vstate_back *back)
{
	char dir[sizeof(back->path)];
	int ret;

	vstate_event_thread_keep();
	*back = (struct vstate_back){ .fd = -1 };
	ret = dir_make(dir, sizeof(dir));
	if (ret != 0)
		return ret;
	if (snprintf(back->path, sizeof(back->path), "%s/%s", dir, dev->name) >=
			(int)sizeof(back->path))
		ret = -ENAMETOOLONG;
	if (ret == 0)
		ret = back_connect(dev, back);
	rmdir(dir);
	if (ret != 0)
		vstate_back_close(back);
	return ret;
}

void
vstate_back_close(struct vstate_back *back)
{
	/* this closes rte_vhost's end, and waits for its thread */
	if (back->registered)
		rte_vhost_driver_unregister(back->path);
	if (back->fd >= 0)
		close(back->fd);
	*back = (struct vstate_back){ .fd = -1 };
}

/* ---- the offer ---- */

int
vstate_back_offer(struct vstate_dev *dev)
{
	uint64_t features = 0, protocol = 0, ours = dev->class->protocol_features_of != NULL ?
		dev->class->protocol_features_of(&dev->conf) : dev->class->protocol_features;
	char path[PATH_MAX];
	int ret = 0;

	vstate_event_thread_keep();
	/*
	 * rte_vhost knows its features by path only. It never listens here, as it is not started.
	 * As a client it would lose the descriptor of its socket.
	 */
	snprintf(path, sizeof(path), "/proc/vstate-offer/%s", dev->name);
	if (rte_vhost_driver_register(path, register_flags_get(dev) & ~RTE_VHOST_USER_CLIENT &
			~RTE_VHOST_USER_NO_RECONNECT) != 0)
		return -EIO;
	if (dev->conf.postcopy_support)
		ours |= VSTATE_PROTOCOL_F_PAGEFAULT | VSTATE_PROTOCOL_F_BACKEND_REQ |
			VSTATE_PROTOCOL_F_BACKEND_SEND_FD;
	if (rte_vhost_driver_get_features(path, &features) != 0 ||
			rte_vhost_driver_get_protocol_features(path, &protocol) != 0)
		ret = -EIO;
	rte_vhost_driver_unregister(path);
	if (ret != 0)
		return ret;
	if (!dev->class->built_in)
		features = dev->features_offered;
	dev->features_offered = (dev->features_offered & (features | dev->class->own_features)) |
		VSTATE_OWN_FEATURES;
	dev->connection->protocol_offered = (protocol | VSTATE_OWN_PROTOCOL_FEATURES) & ours;
	dev->connection->protocol_offered |= VSTATE_PROTOCOL_F_INFLIGHT;
	if (dev->conf.device_state)
		dev->connection->protocol_offered |= VSTATE_PROTOCOL_F_DEVICE_STATE;
	return 0;
}

/* ---- one message ---- */

/* @return 0: ready; -ECANCELED; -errno */
static int
back_wait(const struct vstate_back *back, short events, int cancel)
{
	struct pollfd p[2] = {
		{ .fd = back->fd, .events = events },
		{ .fd = cancel, .events = POLLIN },
	};

	if (poll(p, RTE_DIM(p), -1) < 0)
		return errno == EINTR ? 0 : -errno;
	return p[1].revents != 0 ? -ECANCELED : 0;
}

static int
stream_send(const struct vstate_back *back, struct vstate_msg_stream *s, int cancel)
{
	int ret;

	while ((ret = vstate_msg_stream_write(s, back->fd)) == 0) {
		ret = back_wait(back, POLLOUT, cancel);
		if (ret != 0)
			break;
	}
	return ret < 0 ? ret : 0;
}

static int
request_send(const struct vstate_back *back, const struct vstate_msg_context *context, int cancel)
{
	struct vstate_msg_stream s;
	int ret;

	s.done = 0;
	memcpy(&s.msg, context->msg, vstate_msg_stream_length(context->msg));
	/* rte_vhost then acknowledges the message, and does not hang up if it refuses it */
	s.msg.flags = MSG_VERSION | MSG_NEED_REPLY;
	s.nb_fds = context->nb_fds;
	memcpy(s.fds, context->fds, context->nb_fds * sizeof(s.fds[0]));
	ret = stream_send(back, &s, cancel);
	vstate_msg_stream_clear(&s);
	return ret;
}

/* @param size 0, or 8 for the value 0 */
static int
short_send(const struct vstate_back *back, uint32_t request, uint32_t size, int cancel)
{
	struct vstate_msg_stream s = {
		.msg = { .request = request, .flags = MSG_VERSION, .size = size },
	};

	return stream_send(back, &s, cancel);
}

static int
answer_receive(const struct vstate_back *back, struct vstate_msg_stream *s, int cancel)
{
	int ret;

	vstate_msg_stream_clear(s);
	while ((ret = vstate_msg_stream_read(s, back->fd)) == 0) {
		ret = back_wait(back, POLLIN, cancel);
		if (ret != 0)
			break;
	}
	return ret < 0 ? ret : 0;
}

/*
 * rte_vhost acknowledges a message, and only then calls the device for rings that are ready. It
 * answers a second request when it has done that.
 */
#define BARRIER MSG_GET_FEATURES

/* In postcopy the front end registers the addresses of the answer before it acknowledges them. */
static bool
is_answered_half_way(const struct vstate_back *back, const struct vstate_msg_context *context)
{
	return back->postcopy && context->msg->request == MSG_SET_MEM_TABLE;
}

static void
answer_give(struct vstate_msg_stream *s, struct vstate_msg_context *answer)
{
	memcpy(answer->msg, &s->msg, vstate_msg_stream_length(&s->msg));
	memcpy(answer->fds, s->fds, s->nb_fds * sizeof(s->fds[0]));
	answer->nb_fds = s->nb_fds;
	s->nb_fds = 0;
}

/* Whether a message of rte_vhost says that it refused the request. */
static bool
is_refusal(const struct vstate_msg_row *row, const struct msg *msg)
{
	/* the queue of this answer cannot be told from an error */
	if (row->answer == MSG_ANSWER_DEVICE_AFTER)
		return false;
	return msg->size == sizeof(msg->u64) && msg->u64 != 0;
}

static int
answers_collect(struct vstate_back *back, struct vstate_msg_context *context,
		struct vstate_msg_context *answer, int cancel)
{
	const struct vstate_msg_row *row = vstate_msg_find(context->msg->request);
	const bool half_way = is_answered_half_way(back, context);
	struct vstate_msg_stream s = { 0 };
	bool refused = false, given = false;
	int ret;

	for (;;) {
		ret = answer_receive(back, &s, cancel);
		if (ret != 0 || s.msg.request == BARRIER)
			break;
		if (s.msg.request != context->msg->request)
			continue;
		refused = is_refusal(row, &s.msg);
		if (!refused && (row->answer_payload || half_way)) {
			answer_give(&s, answer);
			given = true;
		}
		if (!half_way)
			continue;
		/* The device does not run before the front end's own acknowledgement. */
		ret = refused ? 0 : short_send(back, context->msg->request, 8, cancel);
		if (ret == 0)
			ret = short_send(back, BARRIER, 0, cancel);
		if (ret != 0)
			break;
	}
	vstate_msg_stream_clear(&s);
	if (ret != 0)
		return ret;
	return refused ? -EREMOTEIO : given;
}

static void
postcopy_note(struct vstate_back *back, uint32_t request)
{
	if (request == MSG_POSTCOPY_LISTEN)
		back->postcopy = true;
	else if (request == MSG_POSTCOPY_END)
		back->postcopy = false;
}

int
vstate_back_call(struct vstate_back *back, struct vstate_msg_context *context,
		struct vstate_msg_context *answer, int cancel)
{
	int ret;

	ret = request_send(back, context, cancel);
	context->nb_fds = 0;
	if (ret == 0 && !is_answered_half_way(back, context))
		ret = short_send(back, BARRIER, 0, cancel);
	if (ret == 0)
		ret = answers_collect(back, context, answer, cancel);
	if (ret >= 0)
		postcopy_note(back, context->msg->request);
	return ret;
}
