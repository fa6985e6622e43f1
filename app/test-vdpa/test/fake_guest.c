/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>

#include "fake_backend.h"
#include "guest.h"
#include "guest_ctrl.h"
#include "guest_hold.h"
#include "guest_inflight.h"
#include "guest_link.h"
#include "guest_state.h"
#include "guest_traffic.h"

struct guest {
	struct guest_conf conf;
	struct guest_counts counts;
	struct guest_link *active;
	/** Expected indices of the rings. */
	struct rte_vhost_state_vq vqs[2];
	bool vqs_known;
	/** Buffers that were dequeued from each ring, and those that the device must use. */
	uint16_t taken[2], left[2];
	/** Buffers of each ring that are marked in the in-flight region. */
	uint16_t marked[2];
	bool running;
	unsigned int recovered;
};

struct guest_link {
	struct guest *g;
	struct fake_device *fd;
};

struct guest *
guest_create(const struct guest_conf *conf)
{
	struct guest *g = calloc(1, sizeof(*g));

	if (g != NULL)
		g->conf = *conf;
	return g;
}

void
guest_destroy(struct guest *g)
{
	free(g);
}

/* The settings of a guest without a control queue. */
int
guest_ctrl_begin(struct guest *g)
{
	return 0;
}

int
guest_ctrl_change(struct guest *g)
{
	return 0;
}

const char *
guest_ctrl_differs(const struct guest *g, const struct rte_vhost_state *st)
{
	return NULL;
}

const char *
guest_error(const struct guest *g)
{
	return NULL;
}

struct guest_link *
guest_link_new(struct guest *g)
{
	rte_errno = ENOTSUP;
	return NULL;
}

int
guest_link_connect(struct guest_link *l, const char *path, bool server, int timeout_ms)
{
	return -ENOTSUP;
}

struct guest_link *
guest_link_open(struct guest *g, const char *path, bool server, int timeout_ms)
{
	struct fake_device *fd = fake_find(path);
	struct guest_link *l;

	if (fd == NULL) {
		rte_errno = ECONNREFUSED;
		return NULL;
	}
	l = calloc(1, sizeof(*l));
	if (l != NULL) {
		l->g = g;
		l->fd = fd;
	}
	return l;
}

int
guest_link_negotiate(struct guest_link *l)
{
	return 0;
}

int
guest_link_prepare(struct guest_link *l)
{
	l->fd->status = RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER |
		RTE_VHOST_STATE_S_FEATURES_OK;
	return 0;
}

void
guest_link_recover(struct guest_link *l)
{
	l->g->recovered++;
}

/* When the rings start, the device takes over the buffers in the in-flight region. */
static void
marked_take(struct guest *g, struct rte_vhost_state *st, uint16_t vq)
{
	if (g->marked[vq] == 0)
		return;
	rte_vhost_state_vq_inflight_alloc(st, vq, g->marked[vq]);
	st->vqs[vq].avail_idx += g->marked[vq];
	g->marked[vq] = 0;
}

int
guest_link_driver_ok(struct guest_link *l)
{
	struct guest *g = l->g;

	marked_take(g, l->fd->st, 0);
	marked_take(g, l->fd->st, 1);

	l->fd->status |= RTE_VHOST_STATE_S_DRIVER_OK;
	g->active = l;
	if (!g->vqs_known)
		memcpy(g->vqs, l->fd->st->vqs, sizeof(g->vqs));
	g->vqs_known = true;
	return 0;
}

int
guest_link_suspend(struct guest_link *l)
{
	l->fd->status = (l->fd->status & ~RTE_VHOST_STATE_S_DRIVER_OK) | RTE_VHOST_STATE_S_SUSPEND;
	return 0;
}

int
guest_link_resume(struct guest_link *l)
{
	l->fd->status = (l->fd->status & ~RTE_VHOST_STATE_S_SUSPEND) | RTE_VHOST_STATE_S_DRIVER_OK;
	return 0;
}

/* A base is all that a fake device has; only real devices have a whole state. */
int
guest_link_stop(struct guest_link *l)
{
	l->fd->status = 0;
	if (l->g->active == l)
		l->g->active = NULL;
	return 0;
}

uint32_t
guest_link_base(const struct guest_link *l, uint16_t vq)
{
	return l->fd->st->vqs[vq].avail_idx;
}

void
guest_link_set_base(struct guest_link *l, uint16_t vq, uint32_t num)
{
	l->fd->st->vqs[vq].avail_idx = num;
	l->fd->st->vqs[vq].used_idx = num;
}

int
guest_link_state_save(struct guest_link *l, void **bytes, size_t *len)
{
	size_t size = rte_vhost_state_encoded_size(l->fd->st);

	*bytes = malloc(size);
	return *bytes == NULL ? -ENOMEM :
		rte_vhost_state_encode(l->fd->st, *bytes, size, len, NULL);
}

int
guest_link_state_load(struct guest_link *l, const void *bytes, size_t len)
{
	struct rte_vhost_state *st = rte_vhost_state_decode(bytes, len, NULL);

	if (st == NULL || l->fd->refuse_restore) {
		rte_vhost_state_free(st);
		return -EREMOTEIO;
	}
	rte_vhost_state_free(l->fd->st);
	l->fd->st = st;
	l->fd->restores++;
	return 0;
}

void
guest_link_close(struct guest_link *l)
{
	l->fd->status = 0;
	if (l->g->active == l)
		l->g->active = NULL;
	free(l);
}

int
guest_traffic_start(struct guest *g)
{
	g->running = true;
	return 0;
}

int
guest_traffic_stop(struct guest *g, int drain_ms)
{
	g->running = false;
	/* One frame is on its way and never comes back. */
	if (g->active == NULL || g->active->fd->dead)
		g->counts.lost++;
	return 0;
}

void
guest_counts_get(struct guest *g, struct guest_counts *sum)
{
	*sum = g->counts;
}

/* A device that is behind the guest repeats frames; a device ahead of it skips frames. */
static void
index_compare(struct guest *g, const struct rte_vhost_state_vq *want,
		const struct rte_vhost_state_vq *have)
{
	int16_t ahead = have->avail_idx - want->avail_idx;

	if (ahead > 0)
		g->counts.lost += ahead;
	else
		g->counts.duplicated -= ahead;
	if (have->used_idx != have->avail_idx || have->avail_wrap != want->avail_wrap)
		g->counts.corrupted++;
}

/* Buffers that are available while the device is stopped. */
#define AVAILABLE 4

bool
guest_hold_take(struct guest *g, uint16_t vq, struct guest_pos *avail, struct guest_held *held)
{
	if (g->taken[vq] == AVAILABLE)
		return false;
	g->taken[vq]++;
	held->head = held->id = avail->idx++ % 256;
	held->num = 1;
	return true;
}

void
guest_hold_desc(struct guest *g, uint16_t vq, const struct guest_held *held, uint16_t n,
		struct guest_desc *desc)
{
	*desc = (struct guest_desc){ .addr = 0x1000 + held->head, .len = 64, .id = held->head };
}

uint32_t
guest_hold_fill_frame(struct guest *g, uint16_t vq, const struct guest_held *held,
		const struct guest_held *sent)
{
	g->counts.reordered++;
	return 100;
}

uint32_t
guest_hold_fill_foreign(struct guest *g, uint16_t vq, const struct guest_held *held)
{
	return 100;
}

void
guest_hold_use(struct guest *g, uint16_t vq, struct guest_pos *used, const struct guest_held *held,
		uint32_t len)
{
	used->idx++;
}

int
guest_hold_await(struct guest *g, uint16_t vq, const struct guest_pos *used, int timeout_ms)
{
	return 0;
}

int
guest_hold_expect(struct guest *g, uint16_t vq, const struct guest_pos *used,
		const struct guest_held *held, uint16_t nb, int timeout_ms)
{
	g->left[vq] = nb;
	return 0;
}

struct guest_pos
guest_hold_used(struct guest *g, uint16_t vq, uint32_t base, uint32_t descs)
{
	return (struct guest_pos){ .idx = g->vqs[vq].used_idx };
}

/* The in-flight region is always empty for a reader: marks go into the destination's state. */
uint16_t
guest_inflight_read(struct guest *g, uint16_t vq, struct guest_held *held, uint64_t *counter,
		uint16_t max)
{
	return 0;
}

int
guest_inflight_mark(struct guest *g, uint16_t vq, const struct guest_held *held, uint64_t counter)
{
	g->marked[vq]++;
	return 0;
}

uint16_t
guest_hold_left(struct guest *g, uint16_t vq)
{
	return g->left[vq];
}

void
guest_hold_forget(struct guest *g, uint16_t vq)
{
	g->taken[vq] = g->left[vq] = 0;
}

/* The device uses the buffers that it took over. */
static void
held_finish(struct guest *g, struct fake_device *fd, uint16_t vq)
{
	struct rte_vhost_state_vq *sv = &fd->st->vqs[vq];

	if (sv->nb_inflight != g->left[vq])
		g->counts.lost++;
	sv->used_idx += sv->nb_inflight;
	g->vqs[vq].avail_idx += g->taken[vq];
	rte_vhost_state_vq_inflight_alloc(fd->st, vq, 0);
	rte_vhost_state_vq_inflight_descs_alloc(fd->st, vq, 0);
	guest_hold_forget(g, vq);
}

int
guest_wait_flow(struct guest *g, int timeout_ms)
{
	struct fake_device *fd;
	unsigned int i;

	if (g->active == NULL || g->active->fd->dead ||
			(g->active->fd->status & RTE_VHOST_STATE_S_DRIVER_OK) == 0)
		return -ETIMEDOUT;
	fd = g->active->fd;
	g->counts.sent++;
	g->counts.received++;
	for (i = 0; i < 2; i++) {
		held_finish(g, fd, i);
		index_compare(g, &g->vqs[i], &fd->st->vqs[i]);
		/* One more frame. The fake rings never wrap around. */
		fd->st->vqs[i].avail_idx++;
		fd->st->vqs[i].used_idx++;
		g->vqs[i] = fd->st->vqs[i];
	}
	return 0;
}

void
guest_gap_start(struct guest *g)
{
}

uint64_t
guest_gap_stop(struct guest *g)
{
	return 1000;
}

int
guest_listen(struct guest *g, const char *path)
{
	return fake_find(path) != NULL ? 0 : -ENOENT;
}

bool
guest_link_hung_up(const struct guest_link *l, int timeout_ms)
{
	return l->fd == NULL;
}

uint64_t
guest_gap_next(struct guest *g)
{
	guest_gap_start(g);
	return 0;
}
