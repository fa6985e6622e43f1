/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_vhost_state.h>

#include "backend.h"
#include "clock.h"
#include "guest_disk.h"
#include "migrate_disk.h"
#include "progress.h"
#include "stats.h"
#include "stop.h"

#define CONNECT_MS 5000
#define FLOW_MS 10000
#define DRAIN_MS 10000
#define SUSPEND_US 2000000
/* Longest time of load before the next kill. */
#define LOAD_US 30000u
/* Longest wait for requests in flight before a move. */
#define LOAD_NS 20000000ull

/** A run. */
struct disk_move {
	const struct migrate_disk_options *opt;
	struct backend *const *be;
	struct migrate_disk_result *res;
	struct disk *disk;
	unsigned int active;
};

__rte_format_printf(2, 3)
static int
move_fail(struct disk_move *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (m->res->failure[0] == '\0')
		vsnprintf(m->res->failure, sizeof(m->res->failure), fmt, ap);
	va_end(ap);
	return -1;
}

static int
link_fail(struct disk_move *m, unsigned int l, const char *verb, int ret)
{
	const char *why = disk_error(m->disk);

	return move_fail(m, "%s: cannot %s: %s%s%s", m->be[l]->dev.name, verb, strerror(-ret),
			why != NULL ? "; " : "", why != NULL ? why : "");
}

static int
state_fail(struct disk_move *m, unsigned int l, const char *verb,
		const struct rte_vhost_state_error *err)
{
	char text[160];

	rte_vhost_state_error_format(err, text, sizeof(text));
	return move_fail(m, "%s: cannot %s: %s", m->be[l]->dev.name, verb, text);
}

static unsigned int
in_flight_want(const struct disk_move *m)
{
	return m->opt->conf.queues * RTE_MAX(m->opt->conf.depth / 2u, 1u);
}

static void
in_flight_note(struct disk_move *m, uint64_t nb)
{
	m->res->in_flight += nb;
	m->res->busy_stops += nb >= in_flight_want(m);
}

static int
link_up(struct disk_move *m, unsigned int l)
{
	int ret = disk_connect(m->disk, l, m->be[l]->dev.socket, CONNECT_MS);

	if (ret < 0)
		return link_fail(m, l, "connect", ret);
	ret = disk_prepare(m->disk, l);
	return ret < 0 ? link_fail(m, l, "set up the rings", ret) : 0;
}

static int
link_run(struct disk_move *m, unsigned int l)
{
	int ret = disk_run(m->disk, l);

	if (ret < 0)
		return link_fail(m, l, "start", ret);
	m->active = l;
	return 0;
}

/* ---- by the state ---- */

/* Forget one request: a later one of the same queue takes its place in the list. */
static void
state_spoil(struct rte_vhost_state *st)
{
	uint16_t i, n;

	for (i = 0; i < st->nb_vqs; i++) {
		struct rte_vhost_state_vq *vq = &st->vqs[i];

		/* split: any head that is not in the list */
		for (n = 0; vq->nb_inflight > 0 && n < vq->size; n++) {
			uint16_t k;

			for (k = 0; k < vq->nb_inflight && vq->inflight[k].head != n; k++)
				;
			if (k < vq->nb_inflight)
				continue;
			vq->inflight[0].head = vq->inflight[0].id = n;
			return;
		}
	}
}

static int
move_by_state(struct disk_move *m, unsigned int to, bool spoil, uint64_t *stopped)
{
	struct backend *from = m->be[m->active];
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st;
	uint64_t nb = 0, start;
	uint16_t i;
	int ret;

	if (link_up(m, to) < 0)
		return -1;
	start = clock_ns();
	if (from->ops->suspend(from, SUSPEND_US, &err) < 0)
		return state_fail(m, m->active, "suspend", &err);
	*stopped = clock_ns() - start;
	st = from->ops->capture(from, &err);
	if (st == NULL)
		return state_fail(m, m->active, "capture", &err);
	for (i = 0; i < st->nb_vqs; i++)
		nb += st->vqs[i].nb_inflight;
	in_flight_note(m, nb);
	if (spoil)
		state_spoil(st);
	ret = m->be[to]->ops->restore(m->be[to], st, &err);
	rte_vhost_state_free(st);
	return ret < 0 ? state_fail(m, to, "restore", &err) : 0;
}

/* ---- by the bases, with or without the region ---- */

static int
move_by_base(struct disk_move *m, unsigned int to, bool spoil, uint64_t *stopped)
{
	const uint64_t start = clock_ns();
	int ret = disk_take_back(m->disk, m->active);

	if (ret < 0)
		return link_fail(m, m->active, "take the rings back", ret);
	*stopped = clock_ns() - start;
	in_flight_note(m, disk_marks(m->disk));
	if (spoil && !disk_mark_drop(m->disk))
		return move_fail(m, "no request is in flight that could be forgotten");
	return link_up(m, to);
}

/* Wait, but not long, until half of the requests are in flight. */
static void
requests_wait(struct disk_move *m)
{
	const unsigned int want = in_flight_want(m);
	const uint64_t end = clock_ns() + LOAD_NS;

	usleep(500);
	while (m->opt->conf.region && m->opt->via != MIGRATE_DISK_BASE &&
			disk_marks(m->disk) < want && clock_ns() < end)
		usleep(20);
}

static int
move_round(struct disk_move *m, bool spoil)
{
	const unsigned int from = m->active, to = !from;
	struct disk_counts c;
	uint64_t stopped = 0;
	int ret;

	requests_wait(m);
	disk_gap_reset(m->disk);
	ret = m->opt->via == MIGRATE_DISK_API ? move_by_state(m, to, spoil, &stopped) :
		move_by_base(m, to, spoil, &stopped);
	if (ret < 0 || link_run(m, to) < 0)
		return -1;
	disk_disconnect(m->disk, from);
	if (disk_wait_flow(m->disk, FLOW_MS) < 0)
		return move_fail(m, "%s: no request returns", m->be[to]->dev.name);
	disk_counts_get(m->disk, &c);
	if (stats_add(&m->res->stop, stopped) < 0 || stats_add(&m->res->blackout, c.gap_max) < 0)
		return move_fail(m, "out of memory");
	return 0;
}

/* ---- by a kill ---- */

static int
kill_round(struct disk_move *m, bool spoil)
{
	struct backend *be = m->be[0];
	struct disk_counts c;
	int ret;

	usleep(1 + (useconds_t)(m->opt->conf.seed * 7919 + m->res->rounds * 104729) % LOAD_US);
	disk_gap_reset(m->disk);
	ret = be->ops->kill(be);
	if (ret < 0)
		return move_fail(m, "%s: cannot kill it: %s", be->dev.name, strerror(-ret));
	disk_disconnect(m->disk, 0);
	in_flight_note(m, disk_marks(m->disk));
	if (spoil && !disk_mark_drop(m->disk))
		return move_fail(m, "no request is in flight that could be forgotten");
	disk_back_end_died(m->disk);
	ret = be->ops->revive(be);
	if (ret < 0)
		return move_fail(m, "%s: cannot start it again: %s", be->dev.name, strerror(-ret));
	if (link_up(m, 0) < 0 || link_run(m, 0) < 0)
		return -1;
	if (disk_wait_flow(m->disk, FLOW_MS) < 0)
		return move_fail(m, "%s: no request returns after a kill", be->dev.name);
	disk_counts_get(m->disk, &c);
	return stats_add(&m->res->blackout, c.gap_max) < 0 ? move_fail(m, "out of memory") : 0;
}

/* ---- all rounds ---- */

static bool
is_wrong(const struct disk_counts *c)
{
	return (c->errors | c->stale | c->torn | c->misplaced | c->doubled | c->lost) != 0;
}

static void
rounds_run(struct disk_move *m)
{
	const struct migrate_disk_options *opt = m->opt;
	struct disk_counts c;
	struct progress p;
	bool spoil;

	progress_start(&p);
	for (; m->res->rounds < opt->rounds; m->res->rounds++) {
		if (stop_requested() != 0) {
			move_fail(m, "interrupted");
			break;
		}
		spoil = opt->skip_one && m->res->rounds == 0;
		if ((opt->kill ? kill_round(m, spoil) : move_round(m, spoil)) < 0)
			break;
		disk_counts_get(m->disk, &c);
		if (is_wrong(&c)) {
			m->res->rounds++;
			break;
		}
		progress_show(&p, "round %" PRIu64 " of %" PRIu64 ", %" PRIu64 " requests",
				m->res->rounds, opt->rounds, c.reads + c.writes);
	}
	progress_end(&p);
}

bool
migrate_disk_run(const struct migrate_disk_options *opt, struct backend *const be[2],
		struct migrate_disk_result *res)
{
	struct disk_move m = { .opt = opt, .be = be, .res = res };
	int ret;

	m.disk = disk_create(&opt->conf);
	if (m.disk == NULL) {
		move_fail(&m, "cannot create the guest: %s", strerror(rte_errno));
		return false;
	}
	if (link_up(&m, 0) == 0 && link_run(&m, 0) == 0) {
		ret = disk_start(m.disk);
		if (ret < 0)
			move_fail(&m, "cannot start the traffic: %s", strerror(-ret));
		else if (disk_wait_flow(m.disk, FLOW_MS) == 0)
			rounds_run(&m);
		else
			move_fail(&m, "no request returns");
		disk_stop(m.disk, DRAIN_MS);
	}
	disk_counts_get(m.disk, &res->counts);
	if (res->failure[0] == '\0' && disk_error(m.disk) != NULL)
		move_fail(&m, "%s", disk_error(m.disk));
	disk_destroy(m.disk);
	return res->failure[0] == '\0' && !is_wrong(&res->counts);
}
