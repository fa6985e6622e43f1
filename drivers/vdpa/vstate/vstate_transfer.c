/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_string_fns.h>

#include <vstate_compat.h>

#include "vstate_clock.h"
#include "vstate_log.h"
#include "vstate_transfer.h"

/* A peer that does nothing for so long has died. */
#define IDLE_MS 10000
/* CHECK comes after the end of the transfer; the thread only has to see that end. */
#define CHECK_MS 2000
/* Far more than a state of this device takes, unknown optional parts included. */
#define LOAD_MAX (16u << 20)
#define LOAD_STEP 65536u

struct vstate_transfer {
	bool load;
	int fd;
	/** Readable: give up. */
	int cancel;
	uint8_t *buf;
	size_t len, size;
	struct vstate_thread thread;

	pthread_mutex_t lock;
	pthread_cond_t ended;
	/** Guarded by lock: the thread is through, with this result. */
	bool done;
	int result;
};

/* ---- the thread ---- */

static int
fd_wait(const struct vstate_transfer *t, short events)
{
	struct pollfd fds[2] = {
		{ .fd = t->fd, .events = events },
		{ .fd = t->cancel, .events = POLLIN },
	};
	int n;

	do {
		n = poll(fds, 2, IDLE_MS);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (fds[1].revents != 0)
		return -ECANCELED;
	return n == 0 ? -ETIMEDOUT : 0;
}

static int
save_bytes(struct vstate_transfer *t)
{
	size_t done = 0;
	ssize_t n;
	int ret;

	while (done < t->len) {
		n = write(t->fd, t->buf + done, t->len - done);
		if (n >= 0) {
			done += n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		ret = fd_wait(t, POLLOUT);
		if (ret != 0)
			return ret;
	}
	return 0;
}

static int
load_room(struct vstate_transfer *t)
{
	uint8_t *buf;

	if (t->len < t->size)
		return 0;
	if (t->size >= LOAD_MAX)
		return -EFBIG;
	buf = realloc(t->buf, t->size + LOAD_STEP);
	if (buf == NULL)
		return -ENOMEM;
	t->buf = buf;
	t->size += LOAD_STEP;
	return 0;
}

static int
load_bytes(struct vstate_transfer *t)
{
	ssize_t n;
	int ret;

	for (;;) {
		ret = load_room(t);
		if (ret != 0)
			return ret;
		n = read(t->fd, t->buf + t->len, t->size - t->len);
		if (n == 0)
			return 0;
		if (n > 0) {
			t->len += n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		ret = fd_wait(t, POLLIN);
		if (ret != 0)
			return ret;
	}
}

static void *
transfer_main(void *arg)
{
	struct vstate_transfer *t = arg;
	sigset_t pipe_broken;
	int ret;

	/* A reader that goes away is an error of this transfer, and no end of the process. */
	sigemptyset(&pipe_broken);
	sigaddset(&pipe_broken, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_broken, NULL);

	ret = t->load ? load_bytes(t) : save_bytes(t);
	/* The end of the state is the end of the file. */
	close(t->fd);
	pthread_mutex_lock(&t->lock);
	t->result = ret;
	t->done = true;
	pthread_cond_signal(&t->ended);
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

/* ---- the state ---- */

static int
refused(struct vstate_dev *dev, const char *what, int ret,
		const struct rte_vhost_state_error *err)
{
	char text[256];

	if (err->reason == RTE_VHOST_STATE_R_NONE)
		rte_strscpy(text, strerror(-ret), sizeof(text));
	else
		rte_vhost_state_error_format(err, text, sizeof(text));
	VSTATE_LOG(ERR, "%s: %s refused: %s", dev->name, what, text);
	dev->moved.refused++;
	return ret;
}

/*
 * Pairs that the front end never set up are no part of the guest's state, and a destination
 * that has as many as the guest uses is large enough.
 */
static void
unused_drop(struct rte_vhost_state *st)
{
	while (st->nb_vqs > 2 && st->vqs[st->nb_vqs - 1].size == 0 &&
			st->vqs[st->nb_vqs - 2].size == 0)
		st->nb_vqs -= 2;
}

/* A device that was never started has no state: no bytes at all, which a load takes as such. */
static int
save_prepare(struct vstate_dev *dev, struct vstate_transfer *t)
{
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st = NULL;
	int ret;

	ret = vstate_dev_save(dev, &st, &err);
	if (ret == 0 && st != NULL) {
		unused_drop(st);
		t->size = rte_vhost_state_encoded_size(st);
		t->buf = malloc(t->size);
		ret = t->buf == NULL ? -ENOMEM :
			rte_vhost_state_encode(st, t->buf, t->size, &t->len, &err);
	}
	rte_vhost_state_free(st);
	return ret == 0 ? 0 : refused(dev, "save", ret, &err);
}

static int
load_take(struct vstate_dev *dev, const struct vstate_transfer *t)
{
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st = NULL;
	int ret;

	if (t->len != 0) {
		st = rte_vhost_state_decode(t->buf, t->len, &err);
		if (st == NULL)
			return refused(dev, "load", -rte_errno, &err);
	}
	ret = vstate_dev_load(dev, st, &err);
	rte_vhost_state_free(st);
	return ret == 0 ? 0 : refused(dev, "load", ret, &err);
}

/* ---- begin and end ---- */

static void
transfer_free(struct vstate_transfer *t)
{
	if (t->cancel >= 0)
		close(t->cancel);
	pthread_cond_destroy(&t->ended);
	pthread_mutex_destroy(&t->lock);
	free(t->buf);
	free(t);
}

static struct vstate_transfer *
transfer_alloc(bool load, int fd)
{
	struct vstate_transfer *t = calloc(1, sizeof(*t));
	int flags;

	if (t == NULL)
		return NULL;
	t->load = load;
	t->fd = fd;
	pthread_mutex_init(&t->lock, NULL);
	vstate_cond_init(&t->ended);
	t->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	flags = fcntl(fd, F_GETFL);
	/* A write that waits could not be told to give up. */
	if (t->cancel >= 0 && flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0)
		return t;
	transfer_free(t);
	return NULL;
}

int
vstate_transfer_start(struct vstate_dev *dev, bool load, int fd)
{
	struct vstate_transfer *t;
	int ret;

	/* One that was never asked for its result. */
	vstate_transfer_abort(dev);
	t = transfer_alloc(load, fd);
	ret = t == NULL ? -ENOMEM : 0;
	if (ret == 0 && !load)
		ret = save_prepare(dev, t);
	if (ret == 0)
		ret = vstate_thread_create(&t->thread, "vstate-move", transfer_main, t);
	if (ret == 0) {
		dev->transfer = t;
		return 0;
	}
	if (t != NULL)
		transfer_free(t);
	close(fd);
	return ret;
}

/* True if the thread came to its end by itself. */
static bool
transfer_wait(struct vstate_transfer *t, unsigned int ms)
{
	const struct timespec until = vstate_deadline_in(ms * 1000000ull);
	bool done;
	int ret = 0;

	pthread_mutex_lock(&t->lock);
	while (!t->done && ret == 0)
		ret = pthread_cond_timedwait(&t->ended, &t->lock, &until);
	done = t->done;
	pthread_mutex_unlock(&t->lock);
	return done;
}

static struct vstate_transfer *
transfer_join(struct vstate_dev *dev)
{
	struct vstate_transfer *t = dev->transfer;

	dev->transfer = NULL;
	eventfd_write(t->cancel, 1);
	vstate_thread_join(&t->thread);
	return t;
}

static void
account(struct vstate_dev *dev, const struct vstate_transfer *t)
{
	if (t->load) {
		dev->moved.loaded++;
		dev->moved.loaded_bytes += t->len;
	} else {
		dev->moved.saved++;
		dev->moved.saved_bytes += t->len;
	}
	VSTATE_LOG(NOTICE, "%s: state %s, %zu bytes", dev->name, t->load ? "loaded" : "saved",
			t->len);
}

int
vstate_transfer_check(struct vstate_dev *dev)
{
	struct vstate_transfer *t = dev->transfer;
	int ret;

	if (t == NULL) {
		VSTATE_LOG(ERR, "%s: no state was moved that could be checked", dev->name);
		return -ENOENT;
	}
	ret = transfer_wait(t, CHECK_MS) ? 0 : -ETIMEDOUT;
	t = transfer_join(dev);
	if (ret == 0)
		ret = t->result;
	if (ret != 0)
		VSTATE_LOG(ERR, "%s: %s of the state failed: %s", dev->name,
				t->load ? "load" : "save", strerror(-ret));
	else if (t->load)
		ret = load_take(dev, t);
	if (ret == 0)
		account(dev, t);
	transfer_free(t);
	return ret;
}

void
vstate_transfer_abort(struct vstate_dev *dev)
{
	if (dev->transfer != NULL)
		transfer_free(transfer_join(dev));
}
