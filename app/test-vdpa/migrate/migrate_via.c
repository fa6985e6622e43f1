/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_thread.h>

#include "backend.h"
#include "guest_link.h"
#include "guest_state.h"
#include "migrate_inflight.h"
#include "migrate_seen.h"
#include "migrate_step.h"
#include "migrate_via.h"

static struct backend *
source_of(struct migrate *m)
{
	return m->be[m->active];
}

/* ---- stop and resume ---- */

static int
api_stop(struct migrate *m)
{
	struct rte_vhost_state_error err = { 0 };
	int ret;

	ret = source_of(m)->ops->suspend(source_of(m), MIGRATE_SUSPEND_US, &err);
	return ret < 0 ? migrate_fail_state(m, m->active, "suspend", ret, &err) : 0;
}

static int
api_back(struct migrate *m)
{
	struct rte_vhost_state_error err = { 0 };
	int ret;

	ret = source_of(m)->ops->resume(source_of(m), &err);
	return ret < 0 ? migrate_fail_state(m, m->active, "resume", ret, &err) : 0;
}

static int
status_stop(struct migrate *m)
{
	int ret = guest_link_suspend(m->link[m->active]);

	return ret < 0 ? migrate_fail(m, "%s: cannot suspend by the status byte: %s",
		source_of(m)->dev.name, strerror(-ret)) : 0;
}

static int
status_back(struct migrate *m)
{
	int ret = guest_link_resume(m->link[m->active]);

	if (ret < 0)
		return migrate_fail(m, "%s: cannot resume by the status byte: %s",
			source_of(m)->dev.name, strerror(-ret));
	/* The device runs already; this wakes the service lcore that polls it. */
	return api_back(m);
}

static int
rings_stop(struct migrate *m)
{
	int ret = guest_link_stop(m->link[m->active]);

	return ret < 0 ? migrate_fail(m, "%s: cannot stop its rings: %s",
		source_of(m)->dev.name, strerror(-ret)) : 0;
}

/* Set the bases of @p to from the answers of @p from to GET_VRING_BASE. */
static int
rings_hand_over(struct migrate *m, unsigned int from, unsigned int to)
{
	uint16_t vq;
	int ret;

	for (vq = 0; vq < 2 * m->opt->pairs + m->opt->cvq; vq++)
		guest_link_set_base(m->link[to], vq, guest_link_base(m->link[from], vq));
	if (from != to && m->opt->via->region && migrate_inflight_mark(m, to) < 0)
		return -1;
	ret = guest_link_prepare(m->link[to]);
	return ret < 0 ? migrate_fail(m, "%s: the guest cannot set it up: %s", m->be[to]->dev.name,
		strerror(-ret)) : 0;
}

static int
rings_back(struct migrate *m)
{
	int ret;

	ret = rings_hand_over(m, m->active, m->active);
	if (ret < 0)
		return ret;
	ret = guest_link_driver_ok(m->link[m->active]);
	return ret < 0 ? migrate_fail(m, "%s: a second DRIVER_OK failed: %s",
		source_of(m)->dev.name, strerror(-ret)) : 0;
}

/* ---- carry ---- */

static struct rte_vhost_state *
state_capture(struct migrate *m, unsigned int to)
{
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st;

	st = source_of(m)->ops->capture(source_of(m), &err);
	if (st == NULL) {
		migrate_fail_state(m, m->active, "capture its state", -rte_errno, &err);
		return NULL;
	}
	if (migrate_state_seen(m, to, st) == 0)
		return st;
	rte_vhost_state_free(st);
	return NULL;
}

/* Restore @p st in back end @p to, and free it. */
static int
state_restore(struct migrate *m, unsigned int to, struct rte_vhost_state *st)
{
	struct rte_vhost_state_error err = { 0 };
	int ret;

	ret = m->be[to]->ops->restore(m->be[to], st, &err);
	rte_vhost_state_free(st);
	return ret < 0 ? migrate_fail_state(m, to, "restore the state", ret, &err) : 0;
}

static int
struct_carry(struct migrate *m, unsigned int to)
{
	struct rte_vhost_state *st = state_capture(m, to);

	return st != NULL ? state_restore(m, to, st) : -1;
}

/* Through a file, as for a move to another host. */
static int
file_carry(struct migrate *m, unsigned int to)
{
	struct rte_vhost_state *st = state_capture(m, to), *loaded;
	struct rte_vhost_state_error err = { 0 };
	int ret;

	if (st == NULL)
		return -1;
	ret = rte_vhost_state_save(st, m->state_path, &err);
	rte_vhost_state_free(st);
	if (ret < 0)
		return migrate_fail_state(m, m->active, "save its state", ret, &err);
	loaded = rte_vhost_state_load(m->state_path, &err);
	if (loaded == NULL)
		return migrate_fail_state(m, m->active, "load its saved state", -rte_errno, &err);
	return state_restore(m, to, loaded);
}

/* A pipe holds less than a large state: one thread writes while another one reads. */
struct writer {
	const struct rte_vhost_state *st;
	int fd;
	int ret;
	struct rte_vhost_state_error err;
};

static uint32_t
writer_main(void *arg)
{
	struct writer *w = arg;

	w->ret = rte_vhost_state_write(w->st, w->fd, &w->err);
	close(w->fd);
	return 0;
}

static struct rte_vhost_state *
state_pipe(struct migrate *m, const struct rte_vhost_state *st)
{
	struct rte_vhost_state_error err = { 0 };
	struct writer w = { .st = st };
	struct rte_vhost_state *got;
	rte_thread_t thread;
	int ends[2], ret;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		migrate_fail(m, "cannot create a pipe: %s", strerror(errno));
		return NULL;
	}
	w.fd = ends[1];
	ret = rte_thread_create(&thread, NULL, writer_main, &w);
	if (ret != 0) {
		close(ends[0]);
		close(ends[1]);
		migrate_fail(m, "cannot create a thread: %s", strerror(ret));
		return NULL;
	}
	got = rte_vhost_state_read(ends[0], &err);
	ret = got != NULL ? 0 : -rte_errno;
	close(ends[0]);
	rte_thread_join(thread, NULL);
	if (w.ret < 0)
		migrate_fail_state(m, m->active, "write its state", w.ret, &w.err);
	else if (got == NULL)
		migrate_fail_state(m, m->active, "read its written state", ret, &err);
	if (w.ret < 0) {
		rte_vhost_state_free(got);
		got = NULL;
	}
	return got;
}

static int
fd_carry(struct migrate *m, unsigned int to)
{
	struct rte_vhost_state *st = state_capture(m, to), *got;

	if (st == NULL)
		return -1;
	got = state_pipe(m, st);
	rte_vhost_state_free(st);
	return got != NULL ? state_restore(m, to, got) : -1;
}

static int
base_carry(struct migrate *m, unsigned int to)
{
	return rings_hand_over(m, m->active, to);
}

/* Check or change the state that the source saved. @return its bytes, to be freed by the caller */
static void *
device_state_seen(struct migrate *m, unsigned int to, const void *bytes, size_t *len)
{
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st;
	void *out = NULL;
	size_t size;
	int ret;

	st = rte_vhost_state_decode(bytes, *len, &err);
	if (st == NULL) {
		migrate_fail_state(m, m->active, "save a valid state", -rte_errno, &err);
		return NULL;
	}
	if (migrate_state_seen(m, to, st) == 0) {
		size = rte_vhost_state_encoded_size(st);
		out = malloc(size);
		ret = out == NULL ? -ENOMEM : rte_vhost_state_encode(st, out, size, len, &err);
		if (ret < 0) {
			migrate_fail_state(m, m->active, "encode its state", ret,
				&err);
			free(out);
			out = NULL;
		}
	}
	rte_vhost_state_free(st);
	return out;
}

static int
device_state_carry(struct migrate *m, unsigned int to)
{
	void *bytes, *seen;
	size_t len;
	int ret;

	ret = guest_link_state_save(m->link[m->active], &bytes, &len);
	if (ret < 0)
		return migrate_fail(m, "%s: cannot save its state: %s", source_of(m)->dev.name,
			strerror(-ret));
	seen = device_state_seen(m, to, bytes, &len);
	free(bytes);
	if (seen == NULL)
		return -1;
	ret = guest_link_state_load(m->link[to], seen, len);
	free(seen);
	if (ret < 0)
		return migrate_fail(m, "%s: cannot load the state: %s", m->be[to]->dev.name,
			strerror(-ret));
	ret = guest_link_negotiate(m->link[to]);
	if (ret < 0)
		return migrate_fail(m, "%s: the guest cannot negotiate: %s", m->be[to]->dev.name,
			strerror(-ret));
	return rings_hand_over(m, m->active, to);
}

static const struct migrate_via vias[] = {
	{ .name = "file", .help = "API; saved to a file and loaded from it (default)",
	  .ready = MIGRATE_PREPARED, .whole = true,
	  .stop = api_stop, .carry = file_carry, .back = api_back },
	{ .name = "api", .help = "API; only the structure",
	  .ready = MIGRATE_PREPARED, .whole = true,
	  .stop = api_stop, .carry = struct_carry, .back = api_back },
	{ .name = "fd", .help = "API; written to a pipe and read from it",
	  .ready = MIGRATE_PREPARED, .whole = true,
	  .stop = api_stop, .carry = fd_carry, .back = api_back },
	{ .name = "status", .help = "suspended by the status byte; state by the API",
	  .ready = MIGRATE_PREPARED, .suspend_feature = true, .net_only = true, .whole = true,
	  .stop = status_stop, .carry = struct_carry, .back = status_back },
	{ .name = "device-state", .help = "vhost-user DEVICE_STATE, in QEMU's order",
	  .ready = MIGRATE_OPENED, .net_only = true, .whole = true,
	  .stop = rings_stop, .carry = device_state_carry, .back = rings_back },
	{ .name = "vring-base", .help = "only vhost-user GET/SET_VRING_BASE",
	  .ready = MIGRATE_NEGOTIATED,
	  .stop = rings_stop, .carry = base_carry, .back = rings_back },
	{ .name = "inflight", .help = "vring-base and the in-flight region of vhost-user",
	  .ready = MIGRATE_NEGOTIATED, .region = true,
	  .stop = rings_stop, .carry = base_carry, .back = rings_back },
};

const struct migrate_via *
migrate_via_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(vias); i++)
		if (strcmp(vias[i].name, name) == 0)
			return &vias[i];
	return NULL;
}

void
migrate_via_help(FILE *f)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(vias); i++)
		fprintf(f, "  %-16s%s\n", vias[i].name, vias[i].help);
}
