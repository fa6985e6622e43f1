/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_string_fns.h>
#include <rte_telemetry.h>

#include <vstate_compat.h>

#include "dev/vstate_clock.h"
#include "dev/vstate_class.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_state.h"
#include "vstate_connection.h"
#include "vstate_device_state.h"
#include "vstate_fd_io.h"
#include "vstate_log.h"

/* CHECK_DEVICE_STATE follows the last byte: at most the rest of a pipe must be read or written. */
#define CHECK_MS 2000
/* Far more bytes than a state of this device has, unknown optional parts included. */
#define LOAD_MAX (16u << 20)
#define LOAD_STEP 65536u

struct vstate_device_state {
	bool load;
	/** A file: complete when CHECK_DEVICE_STATE comes, and not before. */
	bool file;
	/** -1 after the last byte, or after an error. */
	int fd;
	uint8_t *buf;
	/** Bytes in the buffer, room of the buffer, bytes written to the descriptor. */
	size_t len, size, written;
	int result;
	/** When CHECK_DEVICE_STATE fails, in ms of vstate_clock_ms(); 0: it has not come. */
	uint64_t check_until;
};

/* ---- the bytes ---- */

/*
 * Most reads or writes in one step. A peer that sends single bytes must not hold the calling
 * thread: after so many calls a step returns -EAGAIN as if no byte was there.
 */
#define STEP_CALLS 64

static int
save_bytes(struct vstate_device_state *ds)
{
	unsigned int i;
	ssize_t n;

	for (i = 0; i < STEP_CALLS && ds->written < ds->len; i++) {
		n = vstate_fd_io_write(ds->fd, ds->buf + ds->written, ds->len - ds->written);
		if (n <= 0)
			return n < 0 ? n : -EIO;
		ds->written += n;
	}
	return ds->written == ds->len ? 0 : -EAGAIN;
}

static int
load_room(struct vstate_device_state *ds)
{
	uint8_t *buf;

	if (ds->len < ds->size)
		return 0;
	if (ds->size >= LOAD_MAX)
		return -EFBIG;
	buf = realloc(ds->buf, ds->size + LOAD_STEP);
	if (buf == NULL)
		return -ENOMEM;
	ds->buf = buf;
	ds->size += LOAD_STEP;
	return 0;
}

static int
load_bytes(struct vstate_device_state *ds)
{
	unsigned int i;
	ssize_t n;
	int ret;

	for (i = 0; i < STEP_CALLS; i++) {
		ret = load_room(ds);
		if (ret != 0)
			return ret;
		n = vstate_fd_io_read(ds->fd, ds->buf + ds->len, ds->size - ds->len);
		if (n <= 0)
			return n;
		ds->len += n;
	}
	return -EAGAIN;
}

/* Read or write without waiting. @return true after the last byte or an error */
static bool
bytes_step(struct vstate_device_state *ds)
{
	int ret;

	if (ds->fd < 0)
		return true;
	ret = ds->load ? load_bytes(ds) : save_bytes(ds);
	if (ret == -EAGAIN)
		return false;
	ds->result = ret;
	/* The end of the state is the end of the file. */
	close(ds->fd);
	ds->fd = -1;
	return true;
}

/* ---- the state ---- */

static int
refusal_report(struct vstate_dev *dev, const char *what, int ret,
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
 * Pairs that the front end never set up are not part of the guest's state. A destination needs
 * no more pairs than the guest uses.
 */
static void
unused_drop(const struct vstate_dev *dev, struct rte_vhost_state *st)
{
	/* a control queue comes after the pairs */
	if (dev->class->more_vqs != NULL && dev->class->more_vqs(&dev->conf) != 0 &&
			st->nb_vqs == dev->nb_vqs && st->vqs[st->nb_vqs - 1].size == 0)
		st->nb_vqs--;
	while (st->nb_vqs > 2 && st->vqs[st->nb_vqs - 1].size == 0 &&
			st->vqs[st->nb_vqs - 2].size == 0)
		st->nb_vqs -= 2;
}

/* A device that was never started has no state: it saves 0 bytes, and a load accepts 0 bytes. */
static int
save_prepare(struct vstate_dev *dev, struct vstate_device_state *ds)
{
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st = NULL;
	int ret;

	ret = vstate_state_save(dev, &st, &err);
	if (ret == 0 && st != NULL) {
		unused_drop(dev, st);
		ds->size = rte_vhost_state_encoded_size(st);
		ds->buf = malloc(ds->size);
		ret = ds->buf == NULL ? -ENOMEM :
			rte_vhost_state_encode(st, ds->buf, ds->size, &ds->len, &err);
	}
	rte_vhost_state_free(st);
	return ret == 0 ? 0 : refusal_report(dev, "save", ret, &err);
}

static int
load_apply(struct vstate_dev *dev, const struct vstate_device_state *ds)
{
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st = NULL;
	int ret;

	if (ds->len != 0) {
		st = rte_vhost_state_decode(ds->buf, ds->len, &err);
		if (st == NULL)
			return refusal_report(dev, "load", -rte_errno, &err);
	}
	ret = vstate_state_load(dev, st, &err);
	rte_vhost_state_free(st);
	return ret == 0 ? 0 : refusal_report(dev, "load", ret, &err);
}

/* ---- begin and end ---- */

static void
device_state_free(struct vstate_device_state *ds)
{
	if (ds->fd >= 0)
		close(ds->fd);
	free(ds->buf);
	free(ds);
}

/* Owns the descriptor, also on failure. */
static int
device_state_create(struct vstate_dev *dev, bool load, int fd,
		struct vstate_device_state **created)
{
	struct vstate_device_state *ds = NULL;
	int ret = vstate_fd_io_check(fd, load);

	if (ret < 0)
		VSTATE_LOG(ERR, "%s: SET_DEVICE_STATE_FD refused: cannot %s a state: %s",
				dev->name, load ? "load" : "save", strerror(-ret));
	else
		ds = calloc(1, sizeof(*ds));
	if (ds == NULL) {
		close(fd);
		return ret < 0 ? ret : -ENOMEM;
	}
	ds->load = load;
	ds->file = ret == VSTATE_FD_IO_FILE;
	ds->fd = fd;
	*created = ds;
	return 0;
}

/* From here on the watch thread moves its bytes. */
static void
device_state_put(struct vstate_dev *dev, struct vstate_device_state *ds)
{
	pthread_mutex_lock(&dev->connection->device_state_lock);
	dev->connection->device_state = ds;
	pthread_mutex_unlock(&dev->connection->device_state_lock);
}

/*
 * Most states fit into a pipe. They are written here and read in CHECK_DEVICE_STATE, so that the
 * front end waits for no other thread. That thread could wait milliseconds for a core where poll
 * threads occupy all cores. The watch thread moves the bytes that do not fit, step by step.
 */
int
vstate_device_state_start(struct vstate_dev *dev, bool load, int fd)
{
	struct vstate_device_state *ds;
	int ret;

	/* A state whose result no CHECK_DEVICE_STATE asked for. */
	vstate_device_state_abort(dev);
	ret = device_state_create(dev, load, fd, &ds);
	if (ret != 0)
		return ret;
	if (!load)
		ret = save_prepare(dev, ds);
	if (ret != 0) {
		device_state_free(ds);
		return ret;
	}
	if (!load)
		bytes_step(ds);
	device_state_put(dev, ds);
	return 0;
}

bool
vstate_device_state_watch(struct vstate_dev *dev)
{
	struct vstate_device_state *ds;
	bool moved = false;
	size_t before;

	/* The front end's thread replaces or ends the state now. */
	if (pthread_mutex_trylock(&dev->connection->device_state_lock) != 0)
		return false;
	ds = dev->connection->device_state;
	if (ds != NULL && !ds->file) {
		before = ds->len + ds->written;
		moved = !bytes_step(ds) && ds->len + ds->written > before;
	}
	pthread_mutex_unlock(&dev->connection->device_state_lock);
	return moved;
}

static struct vstate_device_state *
device_state_take(struct vstate_dev *dev)
{
	struct vstate_device_state *ds;

	pthread_mutex_lock(&dev->connection->device_state_lock);
	ds = dev->connection->device_state;
	dev->connection->device_state = NULL;
	pthread_mutex_unlock(&dev->connection->device_state_lock);
	return ds;
}

/* @return 0 after the last byte; -EAGAIN: later; or another -errno */
static int
bytes_finish(struct vstate_device_state *ds)
{
	const uint64_t now = vstate_clock_ms();

	if (bytes_step(ds))
		return ds->result;
	if (ds->check_until == 0)
		ds->check_until = now + CHECK_MS;
	return now < ds->check_until ? -EAGAIN : -ETIMEDOUT;
}

static void
result_count(struct vstate_dev *dev, const struct vstate_device_state *ds)
{
	if (ds->load) {
		dev->connection->moved.loaded++;
		dev->connection->moved.loaded_bytes += ds->len;
	} else {
		dev->connection->moved.saved++;
		dev->connection->moved.saved_bytes += ds->len;
	}
	VSTATE_LOG(NOTICE, "%s: state %s, %zu bytes", dev->name, ds->load ? "loaded" : "saved",
			ds->len);
}

int
vstate_device_state_check(struct vstate_dev *dev)
{
	struct vstate_device_state *ds = device_state_take(dev);
	int ret;

	if (ds == NULL) {
		VSTATE_LOG(ERR, "%s: CHECK_DEVICE_STATE refused: no SET_DEVICE_STATE_FD before it",
				dev->name);
		return -ENOENT;
	}
	ret = bytes_finish(ds);
	if (ret == -EAGAIN) {
		device_state_put(dev, ds);
		return ret;
	}
	if (ret != 0)
		VSTATE_LOG(ERR, "%s: %s of the state failed: %s", dev->name,
				ds->load ? "load" : "save", strerror(-ret));
	else if (ds->load)
		ret = load_apply(dev, ds);
	if (ret == 0)
		result_count(dev, ds);
	device_state_free(ds);
	return ret;
}

void
vstate_device_state_abort(struct vstate_dev *dev)
{
	struct vstate_device_state *ds = device_state_take(dev);

	if (ds != NULL)
		device_state_free(ds);
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
