/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>

#include <vstate_compat.h>

#include "dev/vstate_class.h"
#include "dev/vstate_clock.h"
#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_front_end.h"
#include "dev/vstate_passed.h"
#include "dev/vstate_quiesce.h"
#include "dev/vstate_trace.h"
#include "ring/vstate_vq.h"
#include "vstate_handover.h"
#include "vstate_handover_msg.h"
#include "vstate_log.h"
#include "vstate_state_file.h"
#include "vstate_takeover.h"

/* Bound for the poll threads to leave the queues. After it the owner keeps the device. */
#define QUIESCE_NS 500000000ull
/* Bound for a message of the front end that is under way. After it the owner keeps the device. */
#define FREEZE_MS 500
/* Bound for a process that has connected to say what it wants. Other processes wait. */
#define ASK_MS 500
/* Bounds for the answers of the other process. Mapping a guest's memory may take long. */
#define OFFER_MS 3000
#define READY_MS 10000
#define GO_MS 3000
/*
 * Bound for the new process to serve the queues and to say so. A process that has not locked the
 * file within the first bound does not get the device. One that has locked it may map memory. Only
 * that process can serve the queues, so the owner still waits after the second bound, and logs a
 * warning.
 */
#define SILENT_MS 1000
#define RUNNING_MS 10000
/* Time between two looks whether the new process still owns the file. */
#define LOOK_MS 20
/* Time before the next attempt to accept a request. */
#define ACCEPT_US 100000
/* Bound for the kernel to release the lock of a process that died. */
#define LOCK_MS 2000
/* Bound for the application to poll a port that is started. After it the takeover begins. */
#define POLLED_MS 3000
/* Bound for the takeovers of other devices of this process, and the time between two looks. */
#define TURN_MS 5000
#define TURN_LOOK_US 2000

/*
 * Time that the thread sleeps before the queues rest. It has used its processor to map memory, so
 * the scheduler would let it wait behind other threads, such as poll threads, in the steps in which
 * the guest waits.
 */
#define NAP_US 10000

enum phase {
	PHASE_OWNER,
	PHASE_WAITING,
	PHASE_FAILED,
	PHASE_RELEASED,
};

struct vstate_takeover {
	struct vstate_thread thread;
	bool running;
	/** Set by any thread, which then writes to @p wake. */
	bool stop, release;
	int wake;
	/** Where the owner listens; -1: it does not, or this process is not the owner. */
	int listener;
	/** Written by the thread alone. Any thread reads it. */
	enum phase phase;
};

static double
ms_get_since(uint64_t start)
{
	return (vstate_clock_ns() - start) / 1e6;
}

static uint64_t
deadline_make(unsigned int ms)
{
	return vstate_clock_ms() + ms;
}

static bool
takeover_is_stopping(const struct vstate_takeover *t)
{
	return rte_atomic_load_explicit(&t->stop, rte_memory_order_acquire);
}

static void
phase_set(struct vstate_dev *dev, enum phase phase)
{
	static const char *const names[] = { "owner", "waiting", "failed", "released" };

	rte_atomic_store_explicit(&dev->handover->takeover->phase, phase, rte_memory_order_release);
	vstate_trace_takeover(dev->name, names[phase]);
}

static int
path_make(const struct vstate_dev *dev, char path[PATH_MAX])
{
	int len = snprintf(path, PATH_MAX, "%s/%s.handover", dev->conf.state_dir, dev->name);

	return len < (int)sizeof(((struct sockaddr_un *)NULL)->sun_path) ? 0 : -ENAMETOOLONG;
}

static int
value_send(int fd, enum vstate_handover_kind kind, uint32_t value)
{
	const struct vstate_handover_msg msg = VSTATE_HANDOVER_MSG(kind, value);

	return vstate_handover_msg_send(fd, &msg, deadline_make(ASK_MS));
}

/*
 * Receive a message of one kind.
 * @return 0; the errno of a REFUSED, negated; or an error of vstate_handover_msg_receive()
 */
static int
kind_receive(int fd, enum vstate_handover_kind kind, unsigned int ms, int wake,
		struct vstate_handover_msg *msg)
{
	int ret = vstate_handover_msg_receive(fd, msg, deadline_make(ms), wake);

	if (ret != 0 || msg->kind == kind)
		return ret;
	ret = msg->kind == VSTATE_HANDOVER_REFUSED && msg->value != 0 && msg->value < INT_MAX ?
		-(int)msg->value : -EBADMSG;
	vstate_handover_msg_drop(msg);
	return ret;
}

static int
value_receive(int fd, enum vstate_handover_kind kind, unsigned int ms, int wake, uint32_t *value)
{
	struct vstate_handover_msg msg;
	int ret = kind_receive(fd, kind, ms, wake, &msg);

	if (ret != 0)
		return ret;
	*value = msg.value;
	vstate_handover_msg_drop(&msg);
	return 0;
}

/* ---- the owner ---- */

/* Quiesce the queues, and store where they are. On failure nothing changes. */
static int
do_rest(struct vstate_dev *dev, void *arg)
{
	uint16_t *late = arg;
	int ret = 0;

	if (vstate_run_is_started(dev)) {
		ret = vstate_quiesce(dev, QUIESCE_NS, late);
		if (ret == 0)
			vstate_state_file_store(dev);
	}
	if (ret == 0)
		vstate_run_block(dev, VSTATE_BLOCK_NOT_OWNER);
	return ret;
}

static int
do_stay(struct vstate_dev *dev, void *arg)
{
	RTE_SET_USED(arg);
	vstate_run_unblock(dev, VSTATE_BLOCK_NOT_OWNER);
	vstate_grant(dev);
	return 0;
}

static int
device_rest(struct vstate_dev *dev)
{
	uint16_t late = 0;
	int ret;

	ret = vstate_control_run_within(do_rest, dev, &late, QUIESCE_NS);
	if (ret != 0)
		VSTATE_LOG(ERR, "%s: not handed over: the poll thread of queue %u does not return, "
				"or another operation is under way; this process keeps the device",
				dev->name, late);
	return ret == -ETIME ? -EBUSY : ret;
}

static int
do_reread(struct vstate_dev *dev, void *arg)
{
	RTE_SET_USED(arg);
	vstate_state_file_reread(dev);
	return 0;
}

static int
do_left(struct vstate_dev *dev, void *arg)
{
	RTE_SET_USED(arg);
	if (dev->class->left != NULL)
		dev->class->left(dev);
	return 0;
}

/* The class leaves first, as it may use memory of the file. */
static int
do_file_close(struct vstate_dev *dev, void *arg)
{
	do_left(dev, arg);
	vstate_state_file_close(dev);
	return 0;
}

/* Write the parts of the class to a message. @return 0 or -errno */
static int
do_pass(struct vstate_dev *dev, void *arg)
{
	struct vstate_passed part;
	unsigned int i;
	int ret;

	for (i = 0; dev->class->pass != NULL && dev->class->pass(dev, i, &part) > 0; i++) {
		ret = vstate_handover_msg_add(arg, VSTATE_HANDOVER_CLASS, part.bytes, part.size,
				part.fds, part.nb_fds);
		if (ret != 0)
			return ret;
	}
	return 0;
}

/* @param seq number of the state when this process gave the file away */
static void
device_take_back(struct vstate_dev *dev, uint32_t seq, int why)
{
	VSTATE_LOG(WARNING, "%s: not handed over: %s; this process keeps the device", dev->name,
			why == -EPIPE ? "the other process died" : strerror(-why));
	/* the other process has not moved a ring */
	if (vstate_state_file_seq(dev) == seq) {
		vstate_control_run(do_stay, dev, NULL);
		return;
	}
	vstate_control_run(do_reread, dev, NULL);
	dev->front_ops->resume(dev);
}

/*
 * Wait until the new process serves the queues. If it fails instead, however late, the guest has
 * this process to fall back on.
 * @return 0: it serves them, or this device is removed; -errno: it does not, and this process has
 *         locked the file again
 */
static int
running_await(struct vstate_dev *dev, int fd)
{
	const uint64_t silent = deadline_make(SILENT_MS), late = deadline_make(RUNNING_MS);
	bool warned = false, removed;
	uint32_t value;
	int ret;

	for (;;) {
		ret = value_receive(fd, VSTATE_HANDOVER_RUNNING, LOOK_MS, -1, &value);
		if (ret == 0)
			return 0;
		removed = takeover_is_stopping(dev->handover->takeover) ||
			dev->front_ops->is_shut(dev);
		if (ret == -ETIMEDOUT && vstate_clock_ms() < silent && !removed)
			continue;
		if (vstate_state_file_relock(dev) == 0)
			return ret;
		if (removed)
			return 0;
		if (!warned && vstate_clock_ms() >= late) {
			VSTATE_LOG(WARNING, "%s: the process that owns the state file now has not "
					"served the queues for %u s; waiting for it", dev->name,
					RUNNING_MS / 1000);
			warned = true;
		}
		/* the kernel is about to release the lock of a process that died */
		usleep(1000);
	}
}

static int
device_pass(struct vstate_dev *dev, int fd, bool kept)
{
	const uint64_t start = vstate_clock_ns();
	struct vstate_handover_msg go = VSTATE_HANDOVER_MSG(VSTATE_HANDOVER_GO, 0);
	double rest_ms;
	uint32_t seq;
	int ret;

	ret = device_rest(dev);
	if (ret == 0) {
		ret = vstate_control_run(do_pass, dev, &go);
		if (ret != 0)
			vstate_control_run(do_stay, dev, NULL);
	}
	if (ret != 0) {
		vstate_handover_msg_drop(&go);
		value_send(fd, VSTATE_HANDOVER_REFUSED, -ret);
		return ret;
	}
	seq = vstate_state_file_seq(dev);
	vstate_state_file_unlock(dev);
	/* if it cannot be sent, that process is gone */
	vstate_handover_msg_send(fd, &go, deadline_make(ASK_MS));
	vstate_handover_msg_drop(&go);
	ret = running_await(dev, fd);
	rest_ms = ms_get_since(start);
	if (ret != 0) {
		device_take_back(dev, seq, ret);
		return ret;
	}
	vstate_control_run(do_file_close, dev, NULL);
	dev->front_ops->leave(dev, kept);
	phase_set(dev, PHASE_RELEASED);
	VSTATE_LOG(NOTICE, "%s: handed over, %s; no queue was served for %.1f ms", dev->name,
			kept ? "with the connection" : "and the connection closed", rest_ms);
	return 0;
}

/* A frozen device. @return 0: handed over; -errno: this process keeps the device */
static int
device_offer(struct vstate_dev *dev, int fd, bool connection)
{
	struct vstate_takeover *t = dev->handover->takeover;
	struct vstate_handover_msg offer = VSTATE_HANDOVER_MSG(VSTATE_HANDOVER_OFFER, 0);
	uint32_t kept = 0;
	int ret;

	ret = dev->front_ops->offer(dev, connection, &offer);
	if (ret != 0 && connection)
		VSTATE_LOG(NOTICE, "%s: connection not handed over: no front end is connected, a "
				"message or a transfer is incomplete, or the device does not run",
				dev->name);
	ret = vstate_handover_msg_send(fd, &offer, deadline_make(OFFER_MS));
	vstate_handover_msg_drop(&offer);
	if (ret == 0)
		ret = value_receive(fd, VSTATE_HANDOVER_READY, READY_MS, t->wake, &kept);
	if (ret != 0) {
		VSTATE_LOG(WARNING, "%s: not handed over: the other process cannot take it: %s; "
				"this process keeps the device", dev->name, strerror(-ret));
		return ret;
	}
	return device_pass(dev, fd, kept != 0);
}

static int
request_serve(struct vstate_dev *dev, int fd)
{
	uint32_t connection;
	int ret;

	ret = value_receive(fd, VSTATE_HANDOVER_ASK, ASK_MS, -1, &connection);
	if (ret != 0) {
		VSTATE_LOG(WARNING, "%s: request for the device dropped: %s", dev->name,
				ret == -EBADMSG ? "it is of another version" : strerror(-ret));
		return ret;
	}
	ret = dev->front_ops->freeze(dev, FREEZE_MS);
	if (ret != 0) {
		VSTATE_LOG(ERR, "%s: not handed over: a message of the front end is under way; this "
				"process keeps the device", dev->name);
		value_send(fd, VSTATE_HANDOVER_REFUSED, EBUSY);
		return ret;
	}
	ret = device_offer(dev, fd, connection != 0);
	if (ret != 0)
		dev->front_ops->thaw(dev);
	return ret;
}

/* Release the device for a process that starts later. */
static int
release_serve(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->handover->takeover;
	int ret;

	rte_atomic_store_explicit(&t->release, false, rte_memory_order_release);
	ret = dev->front_ops->freeze(dev, FREEZE_MS);
	if (ret != 0) {
		VSTATE_LOG(ERR, "%s: not released: a message of the front end is under way; this "
				"process keeps the device", dev->name);
		return ret;
	}
	ret = device_rest(dev);
	dev->front_ops->thaw(dev);
	if (ret != 0)
		return ret;
	vstate_control_run(do_file_close, dev, NULL);
	dev->front_ops->close(dev);
	phase_set(dev, PHASE_RELEASED);
	VSTATE_LOG(NOTICE, "%s: released, and the connection closed", dev->name);
	return 0;
}

/* @return 0: this process does not own the device any more */
static int
requests_look(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->handover->takeover;
	int fd, ret;

	if (rte_atomic_load_explicit(&t->release, rte_memory_order_acquire))
		return release_serve(dev);
	fd = t->listener >= 0 ? vstate_handover_msg_accept(t->listener) : -EAGAIN;
	if (fd == -EPERM)
		VSTATE_LOG(ERR, "%s: request for the device refused: it is of another user",
				dev->name);
	/* without descriptors, poll() would report the same request at once again */
	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM) {
		VSTATE_LOG(ERR, "%s: cannot accept a request for the device: %s", dev->name,
				strerror(-fd));
		usleep(ACCEPT_US);
	}
	if (fd < 0)
		return fd;
	ret = request_serve(dev, fd);
	close(fd);
	return ret;
}

static void
requests_serve(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->handover->takeover;
	struct pollfd p[2] = {
		{ .fd = t->wake, .events = POLLIN },
		{ .fd = t->listener, .events = POLLIN },
	};
	eventfd_t value;

	while (!takeover_is_stopping(t)) {
		poll(p, RTE_DIM(p), -1);
		if (p[0].revents != 0 && !takeover_is_stopping(t))
			eventfd_read(t->wake, &value);
		if (!takeover_is_stopping(t) && requests_look(dev) == 0)
			return;
	}
}

/* ---- the new process ---- */

/* Wait until a thread polls. Before that, a takeover would only stop the guest for longer. */
static void
poller_wait(struct vstate_dev *dev)
{
	unsigned int ms = 0;
	uint16_t i;

	while (!takeover_is_stopping(dev->handover->takeover) && !dev->front_ops->is_shut(dev)) {
		/* a thread that sleeps until there is work never asks for a lease before */
		if (rte_atomic_load_explicit(&dev->run.poller, rte_memory_order_relaxed) ==
				VSTATE_POLLER_THREAD)
			return;
		for (i = 0; i < dev->nb_vqs; i++) {
			if (vstate_lease_is_asked(&dev->vqs[i]->lease))
				return;
		}
		if (!vstate_run_is_blocked(dev, VSTATE_BLOCK_NO_POLLER) && ++ms > POLLED_MS)
			return;
		usleep(1000);
	}
}

static int
do_file_open(struct vstate_dev *dev, void *arg)
{
	RTE_SET_USED(arg);
	return vstate_state_file_open(dev);
}

/* Lock the file. The kernel may need a moment to release the lock of an owner that died. */
static int
file_take(struct vstate_dev *dev, bool died)
{
	const uint64_t until = deadline_make(died ? LOCK_MS : 0);
	int ret;

	while ((ret = vstate_control_run(do_file_open, dev, NULL)) == -EBUSY &&
			vstate_clock_ms() < until)
		usleep(1000);
	return ret;
}

/* Take the parts of the class. A part that cannot be used is made from scratch. */
static int
do_take(struct vstate_dev *dev, void *arg)
{
	struct vstate_handover_cursor cursor = { 0 };
	struct vstate_handover_item item;
	struct vstate_passed part;

	while (vstate_handover_msg_next(arg, &cursor, &item) > 0) {
		if (item.type != VSTATE_HANDOVER_CLASS || dev->class->take == NULL ||
				item.size > sizeof(part.bytes) || item.nb_fds > RTE_DIM(part.fds))
			continue;
		part.size = item.size;
		part.nb_fds = item.nb_fds;
		memcpy(part.bytes, item.bytes, item.size);
		if (item.nb_fds > 0)
			memcpy(part.fds, item.fds, item.nb_fds * sizeof(part.fds[0]));
		if (dev->class->take(dev, &part) != 0)
			VSTATE_LOG(WARNING, "%s: a part of the %s from the other process is not "
					"used", dev->name, dev->class->name);
		if (item.nb_fds > 0)
			memcpy(item.fds, part.fds, item.nb_fds * sizeof(part.fds[0]));
	}
	return 0;
}

/*
 * Ask the owner, and set the device up with its offer.
 * @return 0: the file is free; -EPIPE: the owner died; or another -errno: it keeps the device
 */
static int
owner_ask(struct vstate_dev *dev, int fd, bool *kept)
{
	struct vstate_takeover *t = dev->handover->takeover;
	struct vstate_handover_msg offer, go;
	int ret;

	ret = value_send(fd, VSTATE_HANDOVER_ASK, dev->conf.keep_connection);
	if (ret == 0)
		ret = kind_receive(fd, VSTATE_HANDOVER_OFFER, OFFER_MS, t->wake, &offer);
	if (ret != 0)
		return ret;
	ret = dev->front_ops->adopt(dev, &offer, kept);
	vstate_handover_msg_drop(&offer);
	if (ret != 0) {
		value_send(fd, VSTATE_HANDOVER_REFUSED, -ret);
		return ret;
	}
	usleep(NAP_US);
	ret = value_send(fd, VSTATE_HANDOVER_READY, *kept);
	if (ret == 0)
		ret = kind_receive(fd, VSTATE_HANDOVER_GO, GO_MS, t->wake, &go);
	if (ret == 0) {
		vstate_control_run(do_take, dev, &go);
		vstate_handover_msg_drop(&go);
	}
	return ret;
}

/* The file is free, or its owner died. @return 0: this process serves the device */
static int
device_own(struct vstate_dev *dev, bool died)
{
	int ret = file_take(dev, died);

	if (ret != 0)
		return ret;
	ret = dev->front_ops->run(dev);
	/* release the file, so that another process can own the device */
	if (ret != 0)
		vstate_control_run(do_file_close, dev, NULL);
	return ret;
}

/*
 * The devices of a process are taken over one after the other. The threads of several takeovers
 * would compete for the processors, and the queues of each device would rest for longer.
 */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

/* False: the turn of another device takes long, and this one begins without its own. */
static bool
turn_take(const struct vstate_dev *dev)
{
	const uint64_t until = deadline_make(TURN_MS);

	while (pthread_mutex_trylock(&turn) != 0) {
		if (takeover_is_stopping(dev->handover->takeover) || vstate_clock_ms() >= until)
			return false;
		usleep(TURN_LOOK_US);
	}
	return true;
}

static int
device_take(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->handover->takeover;
	char path[PATH_MAX];
	bool kept = false;
	uint64_t start;
	int fd, ret;

	if (takeover_is_stopping(t) || dev->front_ops->is_shut(dev))
		return -ECANCELED;
	VSTATE_LOG(NOTICE, "%s: asks the process that owns it", dev->name);
	start = vstate_clock_ns();
	ret = path_make(dev, path);
	fd = ret == 0 ? vstate_handover_msg_connect(path) : ret;
	/* nobody listens: the owner has died or is about to */
	ret = fd >= 0 ? owner_ask(dev, fd, &kept) :
		fd == -ENOENT || fd == -ECONNREFUSED ? -EPIPE : fd;
	if (ret == 0 || ret == -EPIPE)
		ret = device_own(dev, ret == -EPIPE);
	if (ret != 0) {
		dev->front_ops->abandon(dev);
		vstate_control_run(do_left, dev, NULL);
		if (fd >= 0)
			value_send(fd, VSTATE_HANDOVER_REFUSED, -ret);
	} else {
		if (fd >= 0)
			value_send(fd, VSTATE_HANDOVER_RUNNING, 0);
		VSTATE_LOG(NOTICE, "%s: taken over in %.1f ms, %s", dev->name, ms_get_since(start),
				kept ? "with the connection" : "for the front end to connect");
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

static const char *
failure_text(int ret)
{
	switch (ret) {
	case -ETIMEDOUT: return "the other process does not answer, or one of its poll threads does "
		"not return";
	case -EBUSY: return "the other process is busy, or keeps the state file";
	case -EBADMSG: return "the other process is of another version";
	case -EPERM: return "another user's process listens next to the state file";
	default: return strerror(-ret);
	}
}

/* ---- the thread ---- */

static void
requests_listen(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->handover->takeover;
	char path[PATH_MAX];
	int ret = path_make(dev, path);

	if (ret == 0)
		ret = vstate_handover_msg_listen(path);
	t->listener = ret;
	if (ret < 0)
		VSTATE_LOG(WARNING, "%s: no process can take it over: cannot listen on %s: %s",
				dev->name, path, strerror(-ret));
}

static void *
takeover_main(void *arg)
{
	struct vstate_dev *dev = arg;
	struct vstate_takeover *t = dev->handover->takeover;
	bool has_turn;
	int ret;

	if (t->phase == PHASE_WAITING) {
		poller_wait(dev);
		has_turn = turn_take(dev);
		ret = device_take(dev);
		if (has_turn)
			pthread_mutex_unlock(&turn);
		if (ret != 0) {
			phase_set(dev, PHASE_FAILED);
			VSTATE_LOG(ERR, "%s: not taken over: %s", dev->name, failure_text(ret));
			return NULL;
		}
		requests_listen(dev);
		phase_set(dev, PHASE_OWNER);
	}
	requests_serve(dev);
	return NULL;
}

/* ---- create and destroy ---- */

static int
takeover_make(struct vstate_dev *dev, enum phase phase)
{
	struct vstate_takeover *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return -ENOMEM;
	t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->wake < 0) {
		free(t);
		return -errno;
	}
	t->listener = -1;
	t->phase = phase;
	dev->handover->takeover = t;
	return 0;
}

int
vstate_takeover_prepare(struct vstate_dev *dev)
{
	uint32_t pid = 0;
	int ret;

	ret = vstate_state_file_look(dev, &pid);
	if (ret == 0)
		ret = takeover_make(dev, PHASE_WAITING);
	if (ret != 0)
		return ret;
	vstate_run_block(dev, VSTATE_BLOCK_NOT_OWNER);
	VSTATE_LOG(NOTICE, "%s: process %u owns the device, and will be asked for it", dev->name,
			pid);
	return 0;
}

int
vstate_takeover_open(struct vstate_dev *dev)
{
	int ret;

	if (dev->handover->takeover == NULL) {
		ret = dev->front_ops->open(dev);
		if (ret != 0 || dev->handover->state_file == NULL)
			return ret;
		ret = takeover_make(dev, PHASE_OWNER);
		if (ret != 0)
			return ret;
		requests_listen(dev);
	}
	ret = vstate_thread_create(&dev->handover->takeover->thread, "vstate-take", takeover_main,
			dev);
	dev->handover->takeover->running = ret == 0;
	return ret;
}

/* The file is removed only by the owner: a process that has taken over has made a new one. */
static void
listener_close(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->handover->takeover;
	char path[PATH_MAX];

	if (t->listener < 0)
		return;
	if (t->phase == PHASE_OWNER && path_make(dev, path) == 0)
		unlink(path);
	close(t->listener);
	t->listener = -1;
}

void
vstate_takeover_end(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->handover->takeover;

	if (t == NULL)
		return;
	rte_atomic_store_explicit(&t->stop, true, rte_memory_order_release);
	eventfd_write(t->wake, 1);
	if (t->running)
		vstate_thread_join(&t->thread);
	t->running = false;
	listener_close(dev);
}

void
vstate_takeover_free(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->handover->takeover;

	if (t == NULL)
		return;
	listener_close(dev);
	close(t->wake);
	free(t);
	dev->handover->takeover = NULL;
}

void
vstate_takeover_interrupt(struct vstate_dev *dev)
{
	if (dev->handover->takeover != NULL)
		eventfd_write(dev->handover->takeover->wake, 1);
}

int
vstate_takeover_ask(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->handover->takeover;

	if (t == NULL || rte_atomic_load_explicit(&t->phase, rte_memory_order_acquire) !=
			PHASE_OWNER)
		return -ENOTSUP;
	if (rte_atomic_exchange_explicit(&t->release, true, rte_memory_order_seq_cst))
		return -EALREADY;
	eventfd_write(t->wake, 1);
	return 0;
}

const char *
vstate_takeover_phase(const struct vstate_dev *dev)
{
	static const char *const phases[] = { "", "waiting", "failed", "released" };

	return dev->handover->takeover != NULL ?
		phases[rte_atomic_load_explicit(&dev->handover->takeover->phase, rte_memory_order_acquire)] : "";
}
