/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_thread.h>
#include <rte_vhost_state.h>
#include <rte_vhost_state_backend.h>

#include "backend.h"
#include "backend_owner.h"
#include "clock.h"
#include "guest_disk.h"
#include "migrate_disk.h"
#include "progress.h"
#include "reason.h"
#include "stats.h"
#include "stop.h"
#include "vstate_compat.h"

#define CONNECT_MS 5000
#define FLOW_MS 60000
#define DRAIN_MS 60000
#define SUSPEND_US 2000000
/* Longest time of load before the next kill. */
#define LOAD_US 30000u
/* Longest wait for requests in flight before a move. */
#define LOAD_NS 20000000ull

/* The new process starts EAL and its poll threads before it asks for the device. */
#define HAND_OVER_MS 30000
/* Time between two looks at the old and at the new process. */
#define LOOK_US 200
#define LOOK_MS 1
/* Time in which the driver uses all slots; requests for each block until an old write lands. */
#define LATE_US 5000
#define LATE_REQUESTS 10

/** A run. */
struct disk_move {
	const struct migrate_disk_options *opt;
	struct backend *const *be;
	struct migrate_disk_result *res;
	struct disk *disk;
	unsigned int active;
	/** Back end whose process owns the device, if it is taken over. */
	unsigned int owner;
	/** Writes under way at the last stop. */
	struct disk_write late[DISK_MAX_DEPTH];
	unsigned int nb_late;
};

/* Record a failure. Only the first one is kept. -1 */
#define move_fail(m, ...) \
	reason_keep(-1, (m)->res->failure, sizeof((m)->res->failure), __VA_ARGS__)

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

/* A run with a planted fault waits for what never comes. */
static int
patience_get(const struct disk_move *m, int ms)
{
	return m->opt->fault != DISK_FAULT_NONE ? ms / 20 : ms;
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
link_connect(struct disk_move *m, unsigned int l)
{
	int ret = disk_connect(m->disk, l, m->be[l]->dev.socket, CONNECT_MS);

	return ret < 0 ? link_fail(m, l, "connect", ret) : 0;
}

static int
link_prepare(struct disk_move *m, unsigned int l)
{
	int ret = disk_prepare(m->disk, l);

	return ret < 0 ? link_fail(m, l, "set up the rings", ret) : 0;
}

static int
link_up(struct disk_move *m, unsigned int l)
{
	return link_connect(m, l) < 0 ? -1 : link_prepare(m, l);
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

/* ---- planted faults ---- */

/*
 * Whether to spoil the requests of this round. Reversed twice, they would be in order again: so
 * they return in the next round. The late write of DISK_FAULT_NOWAIT is that of the store.
 */
static bool
fault_is_due(const struct disk_move *m)
{
	switch (m->opt->fault) {
	case DISK_FAULT_NONE:
	case DISK_FAULT_NOWAIT:
		return false;
	case DISK_FAULT_REVERSE:
		return m->res->rounds % 2 == 0;
	default:
		return true;
	}
}

/* Wait until @p nb more requests have returned. */
static int
requests_return_wait(struct disk_move *m, uint64_t nb)
{
	const uint64_t end = clock_ns() + FLOW_MS * 1000000ull;
	struct disk_counts c;
	uint64_t until;

	disk_counts_get(m->disk, &c);
	until = c.reads + c.writes + nb;
	for (; c.reads + c.writes < until; disk_counts_get(m->disk, &c)) {
		if (clock_ns() >= end)
			return -ETIMEDOUT;
		usleep(100);
	}
	return 0;
}

/* The device has stopped: soon all requests of the driver are under way. */
static void
writes_note(struct disk_move *m)
{
	if (m->opt->fault != DISK_FAULT_NOWAIT)
		return;
	usleep(LATE_US);
	m->nb_late = disk_writes_get(m->disk, m->late, RTE_DIM(m->late));
}

/*
 * Wait until the driver has met the fault. The writes that the source had under way land when the
 * driver has gone on for some time.
 */
static int
fault_wait(struct disk_move *m)
{
	const uint64_t all = (uint64_t)m->opt->conf.blocks * m->opt->conf.queues;
	const uint64_t depth = (uint64_t)m->opt->conf.depth * m->opt->conf.queues;

	if (m->opt->fault == DISK_FAULT_REVERSE)
		return requests_return_wait(m, 2 * depth);
	if (m->opt->fault != DISK_FAULT_NOWAIT)
		return 0;
	if (requests_return_wait(m, LATE_REQUESTS * all) < 0)
		return -ETIMEDOUT;
	return migrate_disk_break_file(m->opt->file, m->late, m->nb_late);
}

/* ---- by the state ---- */

static int
move_by_state(struct disk_move *m, unsigned int to, uint64_t *stopped)
{
	/* without a status byte a device starts with its rings, and takes a state before them */
	const bool rings_first = disk_has_status(m->disk);
	struct backend *from = m->be[m->active];
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st;
	uint64_t nb = 0, start;
	uint16_t i;
	int ret;

	if (link_connect(m, to) < 0 || (rings_first && link_prepare(m, to) < 0))
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
	if (fault_is_due(m))
		migrate_disk_break_state(st, m->opt->fault);
	writes_note(m);
	ret = m->be[to]->ops->restore(m->be[to], st, &err);
	rte_vhost_state_free(st);
	if (ret < 0)
		return state_fail(m, to, "restore", &err);
	return rings_first ? 0 : link_prepare(m, to);
}

/* ---- by the bases, with or without the region ---- */

static int
move_by_base(struct disk_move *m, unsigned int to, uint64_t *stopped)
{
	const uint64_t start = clock_ns();
	int ret = disk_take_back(m->disk, m->active);

	if (ret < 0)
		return link_fail(m, m->active, "take the rings back", ret);
	*stopped = clock_ns() - start;
	in_flight_note(m, disk_marks(m->disk));
	if (fault_is_due(m))
		migrate_disk_break_region(m->disk, m->opt->fault);
	writes_note(m);
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
move_round(struct disk_move *m)
{
	const unsigned int from = m->active, to = !from;
	struct disk_counts c;
	uint64_t stopped = 0;
	int ret;

	requests_wait(m);
	disk_gap_reset(m->disk);
	ret = m->opt->via == MIGRATE_DISK_API ? move_by_state(m, to, &stopped) :
		move_by_base(m, to, &stopped);
	if (ret < 0 || link_run(m, to) < 0)
		return -1;
	disk_disconnect(m->disk, from);
	if (disk_wait_flow(m->disk, patience_get(m, FLOW_MS)) < 0 || fault_wait(m) < 0)
		return move_fail(m, "%s: no request returns", m->be[to]->dev.name);
	disk_counts_get(m->disk, &c);
	if (stats_add(&m->res->stop, stopped) < 0 || stats_add(&m->res->blackout, c.gap_max) < 0)
		return move_fail(m, "out of memory");
	return 0;
}

/* ---- by a kill ---- */

static int
kill_round(struct disk_move *m)
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
	if (fault_is_due(m))
		migrate_disk_break_region(m->disk, m->opt->fault);
	disk_back_end_died(m->disk);
	ret = be->ops->revive(be);
	if (ret < 0)
		return move_fail(m, "%s: cannot start it again: %s", be->dev.name, strerror(-ret));
	if (link_up(m, 0) < 0 || link_run(m, 0) < 0)
		return -1;
	if (disk_wait_flow(m->disk, patience_get(m, FLOW_MS)) < 0)
		return move_fail(m, "%s: no request returns after a kill", be->dev.name);
	disk_counts_get(m->disk, &c);
	return stats_add(&m->res->blackout, c.gap_max) < 0 ? move_fail(m, "out of memory") : 0;
}

/* ---- by a takeover ---- */

/** Another thread looks at the old process while this one starts the new process. */
struct watch {
	struct disk_move *m;
	/**
	 * The old process no longer has the connection. Until then only this thread may send
	 * requests to the old process.
	 */
	bool left;
	/** The new process serves, or could not start. */
	bool finished;
	/** The longest gap at the time when the old process lost the device. */
	uint64_t gap_ns;
};

/*
 * The start of a process takes time from the others, which is no part of the handover. So the gap
 * begins again while the old process has the device. The last measurement counts: the gap of the
 * handover may be over before this thread looks.
 */
static uint32_t
watch_main(void *arg)
{
	struct watch *w = arg;
	struct backend *be = w->m->be[w->m->owner];
	struct rte_vhost_state_info info = { .connected = true };
	struct disk_counts c;

	for (;;) {
		disk_counts_get(w->m->disk, &c);
		w->gap_ns = c.gap_max;
		disk_gap_reset(w->m->disk);
		usleep(LOOK_US);
		if (be->ops->info(be, &info) != 0 || !info.connected ||
				rte_atomic_load_explicit(&w->finished, rte_memory_order_acquire))
			break;
	}
	rte_atomic_store_explicit(&w->left, !info.connected, rte_memory_order_release);
	return 0;
}

/* The new process runs the device with the connection of the driver, or connects again. */
static int
upgrade_finish(struct disk_move *m, struct watch *w, unsigned int to)
{
	const uint64_t end = clock_ns() + HAND_OVER_MS * 1000000ull;

	while (clock_ns() < end) {
		if (disk_hung_up(m->disk, 0, LOOK_MS)) {
			disk_disconnect(m->disk, 0);
			disk_back_end_died(m->disk);
			return link_up(m, 0) < 0 || link_run(m, 0) < 0 ? -1 : 0;
		}
		if (rte_atomic_load_explicit(&w->left, rte_memory_order_acquire) &&
				backend_is_connected(m->be[to])) {
			m->res->kept++;
			return 0;
		}
	}
	return move_fail(m, "no process has the device after %d ms", HAND_OVER_MS);
}

static int
upgrade_round(struct disk_move *m)
{
	const unsigned int from = m->owner, to = !from;
	struct watch w = { .m = m };
	struct disk_counts c;
	rte_thread_t thread;
	int ret;

	requests_wait(m);
	in_flight_note(m, disk_marks(m->disk));
	if (rte_thread_create(&thread, NULL, watch_main, &w) != 0)
		return move_fail(m, "cannot create a thread");
	ret = m->be[to]->ops->revive(m->be[to]);
	if (ret == 0)
		ret = upgrade_finish(m, &w, to);
	else
		move_fail(m, "cannot start the new process: %s", strerror(-ret));
	rte_atomic_store_explicit(&w.finished, true, rte_memory_order_release);
	rte_thread_join(thread, NULL);
	if (ret != 0)
		return -1;
	if (disk_wait_flow(m->disk, patience_get(m, FLOW_MS)) < 0)
		return move_fail(m, "no request returns after a takeover");
	disk_counts_get(m->disk, &c);
	m->owner = to;
	ret = m->be[from]->ops->kill(m->be[from]);
	if (ret < 0)
		return move_fail(m, "cannot end the old process: %s", strerror(-ret));
	return stats_add(&m->res->blackout, RTE_MAX(c.gap_max, w.gap_ns)) < 0 ?
		move_fail(m, "out of memory") : 0;
}

/* ---- all rounds ---- */

static int
round_run(struct disk_move *m)
{
	if (m->opt->upgrade)
		return upgrade_round(m);
	return m->opt->kill ? kill_round(m) : move_round(m);
}

static void
rounds_run(struct disk_move *m)
{
	const struct migrate_disk_options *opt = m->opt;
	struct disk_counts c;
	struct progress p;

	progress_start(&p);
	for (; m->res->rounds < opt->rounds; m->res->rounds++) {
		if (stop_requested() != 0) {
			move_fail(m, "interrupted");
			break;
		}
		if (round_run(m) < 0)
			break;
		disk_counts_get(m->disk, &c);
		if (disk_counts_are_wrong(&c)) {
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
	if (opt->upgrade && disk_listen(m.disk, be[0]->dev.socket) < 0)
		move_fail(&m, "cannot listen at %s", be[0]->dev.socket);
	else if (link_up(&m, 0) == 0 && link_run(&m, 0) == 0) {
		ret = disk_start(m.disk);
		if (ret < 0)
			move_fail(&m, "cannot start the traffic: %s", strerror(-ret));
		else if (disk_wait_flow(m.disk, FLOW_MS) == 0)
			rounds_run(&m);
		else
			move_fail(&m, "no request returns");
		disk_stop(m.disk, patience_get(&m, DRAIN_MS));
	}
	disk_counts_get(m.disk, &res->counts);
	if (res->failure[0] == '\0' && disk_error(m.disk) != NULL)
		move_fail(&m, "%s", disk_error(m.disk));
	disk_destroy(m.disk);
	return res->failure[0] == '\0' && !disk_counts_are_wrong(&res->counts);
}
