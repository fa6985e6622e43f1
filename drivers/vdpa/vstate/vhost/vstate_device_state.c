/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_string_fns.h>
#include <rte_telemetry.h>

#include <vstate_compat.h>

#include "dev/vstate_clock.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_state.h"
#include "vstate_connection.h"
#include "vstate_device_state.h"
#include "vstate_fd_io.h"
#include "vstate_log.h"


/* CHECK comes after the end of the transfer; what is in the pipe then only has to be taken. */
#define CHECK_MS 2000
/* Far more than a state of this device takes, unknown optional parts included. */
#define LOAD_MAX (16u << 20)
#define LOAD_STEP 65536u

struct vstate_device_state {
	bool load;
	/** A file, of which all is there when CHECK comes, and not before. */
	bool file;
	/** -1 once all is through, or the transfer has failed. */
	int fd;
	uint8_t *buf;
	/** Bytes that are there, that there is room for, and that were written. */
	size_t len, size, written;
	int result;
};

/* ---- the bytes ---- */

/*
 * Reads or writes in one go: a peer that sends byte by byte is not to keep whoever moves them. It
 * does not wait after that many, and says the same: not now.
 */
#define STEP_CALLS 64

static int
save_bytes(struct vstate_device_state *t)
{
	unsigned int i;
	ssize_t n;

	for (i = 0; i < STEP_CALLS && t->written < t->len; i++) {
		n = vstate_fd_io_write(t->fd, t->buf + t->written, t->len - t->written);
		if (n <= 0)
			return n < 0 ? n : -EIO;
		t->written += n;
	}
	return t->written == t->len ? 0 : -EAGAIN;
}

static int
load_room(struct vstate_device_state *t)
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
load_bytes(struct vstate_device_state *t)
{
	unsigned int i;
	ssize_t n;
	int ret;

	for (i = 0; i < STEP_CALLS; i++) {
		ret = load_room(t);
		if (ret != 0)
			return ret;
		n = vstate_fd_io_read(t->fd, t->buf + t->len, t->size - t->len);
		if (n <= 0)
			return n;
		t->len += n;
	}
	return -EAGAIN;
}

/* Move what can be moved without waiting. @return true at the end of the transfer */
static bool
transfer_step(struct vstate_device_state *t)
{
	int ret;

	if (t->fd < 0)
		return true;
	ret = t->load ? load_bytes(t) : save_bytes(t);
	if (ret == -EAGAIN)
		return false;
	t->result = ret;
	/* The end of the state is the end of the file. */
	close(t->fd);
	t->fd = -1;
	return true;
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
	dev->connection->moved.refused++;
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
save_prepare(struct vstate_dev *dev, struct vstate_device_state *t)
{
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st = NULL;
	int ret;

	ret = vstate_state_save(dev, &st, &err);
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
load_take(struct vstate_dev *dev, const struct vstate_device_state *t)
{
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st = NULL;
	int ret;

	if (t->len != 0) {
		st = rte_vhost_state_decode(t->buf, t->len, &err);
		if (st == NULL)
			return refused(dev, "load", -rte_errno, &err);
	}
	ret = vstate_state_load(dev, st, &err);
	rte_vhost_state_free(st);
	return ret == 0 ? 0 : refused(dev, "load", ret, &err);
}

/* ---- begin and end ---- */

static void
transfer_free(struct vstate_device_state *t)
{
	if (t->fd >= 0)
		close(t->fd);
	free(t->buf);
	free(t);
}

/* Takes the descriptor, also where it fails. */
static int
transfer_create(struct vstate_dev *dev, bool load, int fd, struct vstate_device_state **created)
{
	struct vstate_device_state *t = NULL;
	int ret = vstate_fd_io_check(fd, load);

	if (ret < 0)
		VSTATE_LOG(ERR, "%s: cannot use the descriptor for a state: %s", dev->name,
				strerror(-ret));
	else
		t = calloc(1, sizeof(*t));
	if (t == NULL) {
		close(fd);
		return ret < 0 ? ret : -ENOMEM;
	}
	t->load = load;
	t->file = ret == VSTATE_FD_IO_FILE;
	t->fd = fd;
	*created = t;
	return 0;
}

/*
 * A state fits into a pipe: it is written here and read by CHECK, and the front end waits for
 * no thread, which may get a processor only after milliseconds where poll threads have them all.
 * What does not fit is moved by the control thread, bit by bit.
 */
int
vstate_device_state_start(struct vstate_dev *dev, bool load, int fd)
{
	struct vstate_device_state *t;
	int ret;

	/* One that was never asked for its result. */
	vstate_device_state_abort(dev);
	ret = transfer_create(dev, load, fd, &t);
	if (ret != 0)
		return ret;
	if (!load)
		ret = save_prepare(dev, t);
	if (ret != 0) {
		transfer_free(t);
		return ret;
	}
	if (!load)
		transfer_step(t);
	pthread_mutex_lock(&dev->connection->device_state_lock);
	dev->connection->device_state = t;
	pthread_mutex_unlock(&dev->connection->device_state_lock);
	return 0;
}

bool
vstate_device_state_watch(struct vstate_dev *dev)
{
	struct vstate_device_state *t;
	bool moved = false;
	size_t before;

	/* Its owner is about to end it. */
	if (pthread_mutex_trylock(&dev->connection->device_state_lock) != 0)
		return false;
	t = dev->connection->device_state;
	if (t != NULL && !t->file) {
		before = t->len + t->written;
		moved = !transfer_step(t) && t->len + t->written > before;
	}
	pthread_mutex_unlock(&dev->connection->device_state_lock);
	return moved;
}

static struct vstate_device_state *
transfer_take(struct vstate_dev *dev)
{
	struct vstate_device_state *t;

	pthread_mutex_lock(&dev->connection->device_state_lock);
	t = dev->connection->device_state;
	dev->connection->device_state = NULL;
	pthread_mutex_unlock(&dev->connection->device_state_lock);
	return t;
}

static int
transfer_finish(struct vstate_device_state *t)
{
	const uint64_t until = vstate_clock_ms() + CHECK_MS;
	struct pollfd p = { .fd = t->fd, .events = t->load ? POLLIN : POLLOUT };
	uint64_t now;

	while (!transfer_step(t)) {
		now = vstate_clock_ms();
		if (now >= until)
			return -ETIMEDOUT;
		poll(&p, 1, until - now);
	}
	return t->result;
}

static void
account(struct vstate_dev *dev, const struct vstate_device_state *t)
{
	if (t->load) {
		dev->connection->moved.loaded++;
		dev->connection->moved.loaded_bytes += t->len;
	} else {
		dev->connection->moved.saved++;
		dev->connection->moved.saved_bytes += t->len;
	}
	VSTATE_LOG(NOTICE, "%s: state %s, %zu bytes", dev->name, t->load ? "loaded" : "saved",
			t->len);
}

int
vstate_device_state_check(struct vstate_dev *dev)
{
	struct vstate_device_state *t = transfer_take(dev);
	int ret;

	if (t == NULL) {
		VSTATE_LOG(ERR, "%s: no state was moved that could be checked", dev->name);
		return -ENOENT;
	}
	ret = transfer_finish(t);
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
vstate_device_state_abort(struct vstate_dev *dev)
{
	struct vstate_device_state *t = transfer_take(dev);

	if (t != NULL)
		transfer_free(t);
}

void
vstate_device_state_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d)
{
	const struct vstate_connection *c = dev->connection;

	vstate_tel_dict_uint(d, "state_saved_count", c->moved.saved);
	vstate_tel_dict_uint(d, "state_saved_bytes", c->moved.saved_bytes);
	vstate_tel_dict_uint(d, "state_loaded_count", c->moved.loaded);
	vstate_tel_dict_uint(d, "state_loaded_bytes", c->moved.loaded_bytes);
	vstate_tel_dict_uint(d, "state_refused_count", c->moved.refused);
}
