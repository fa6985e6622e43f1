/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>

#include "clock.h"
#include "migrate_priv.h"
#include "progress.h"
#include "stop.h"

#define CONNECT_MS 5000
/*
 * A ring that gives nothing for so long is dead. Frames that only wait for their turn keep it
 * moving: with each burst behind another process's time slice, 32767 of them took 5.3 s.
 */
#define FLOW_MS 3000
#define DRAIN_MS 2000

int
migrate_fail(struct migrate *m, const char *fmt, ...)
{
	va_list ap;

	if (m->res->failure[0] == '\0') {
		va_start(ap, fmt);
		vsnprintf(m->res->failure, sizeof(m->res->failure), fmt, ap);
		va_end(ap);
	}
	return -1;
}

int
migrate_fail_state(struct migrate *m, unsigned int who, const char *verb, int ret,
		const struct rte_vhost_state_error *err)
{
	char why[192];

	if (err->reason == RTE_VHOST_STATE_R_NONE)
		snprintf(why, sizeof(why), "%s", strerror(-ret));
	else
		rte_vhost_state_error_format(err, why, sizeof(why));
	return migrate_fail(m, "%s does not %s: %s", m->be[who]->dev.name, verb, why);
}

static int
flow_ms(const struct migrate *m)
{
	return FLOW_MS + (m->opt->rate > 0 ? 3000 / m->opt->rate : 0);
}

/* The back end may still be busy with the end of its last connection. */
static int
disconnect_wait(struct migrate *m, unsigned int who)
{
	uint64_t until = clock_ns() + CONNECT_MS * UINT64_C(1000000);
	struct rte_vhost_state_info info;
	int ret;

	while ((ret = m->be[who]->ops->info(m->be[who], &info)) == 0 && info.connected) {
		if (clock_ns() >= until)
			return migrate_fail(m, "%s still has a front end", m->be[who]->dev.name);
		usleep(100);
	}
	return ret < 0 ? migrate_fail(m, "%s does not tell its status: %s", m->be[who]->dev.name,
		strerror(-ret)) : 0;
}

int
migrate_link_open(struct migrate *m, unsigned int who, enum migrate_ready ready)
{
	struct backend *be = m->be[who];
	int ret = 0;

	if (!m->opt->upgrade && disconnect_wait(m, who) < 0)
		return -1;
	m->link[who] = guest_link_open(m->guest, be->dev.socket, m->opt->upgrade, CONNECT_MS);
	if (m->link[who] == NULL)
		return migrate_fail(m, "guest cannot connect to %s: %s", be->dev.name,
			strerror(rte_errno));
	if (ready >= MIGRATE_NEGOTIATED)
		ret = guest_link_negotiate(m->link[who]);
	if (ret == 0 && ready >= MIGRATE_PREPARED)
		ret = guest_link_prepare(m->link[who]);
	if (ret < 0)
		return migrate_fail(m, "guest cannot set up %s: %s", be->dev.name, strerror(-ret));
	return 0;
}

void
migrate_link_close(struct migrate *m, unsigned int who)
{
	if (m->link[who] != NULL)
		guest_link_close(m->link[who]);
	m->link[who] = NULL;
}

/* Let the device behind a link have the rings. */
int
migrate_link_run(struct migrate *m, unsigned int who)
{
	int ret;

	ret = guest_link_driver_ok(m->link[who]);
	if (ret < 0)
		return migrate_fail(m, "%s does not take DRIVER_OK: %s", m->be[who]->dev.name,
			strerror(-ret));
	m->active = who;
	return 0;
}

int
migrate_flow_wait(struct migrate *m)
{
	const char *name = m->be[m->active]->dev.name;
	int ms = flow_ms(m), ret;

	ret = guest_wait_flow(m->guest, ms);
	if (ret == -ETIMEDOUT)
		return migrate_fail(m, "a queue pair gets no frame through %s for %d ms", name, ms);
	return ret < 0 ? migrate_fail(m, "guest cannot wait for frames through %s: %s", name,
		strerror(-ret)) : 0;
}

/* Spoil the state if that was asked for and is not done yet. */
static int
state_break(struct migrate *m, struct rte_vhost_state *st)
{
	struct migrate_result *res = m->res;
	int ret;

	if (m->opt->breakage == NULL || res->broken[0] != '\0')
		return 0;
	ret = migrate_break_apply(m->opt->breakage, st, res->broken, sizeof(res->broken));
	return ret < 0 ? migrate_fail(m, "the state cannot be broken like that") : 0;
}

static int
causal_check(struct migrate *m, const struct rte_vhost_state *st)
{
	char why[128];

	if (!m->opt->causal)
		return 0;
	if (!migrate_causal_holds(st, why, sizeof(why)))
		return migrate_fail(m, "captured state is not one instant: %s", why);
	m->res->causal_states++;
	return 0;
}

int
migrate_state_seen(struct migrate *m, unsigned int to, struct rte_vhost_state *st)
{
	if (causal_check(m, st) < 0)
		return -1;
	/* A move that is to fail leaves all as it is. */
	if (!m->must_fail && migrate_inflight_make(m, st) < 0)
		return -1;
	if (state_break(m, st) < 0)
		return -1;
	return m->must_fail ? migrate_fail_arrange(m, to, st) : 0;
}

/* The move failed: the source goes on as if nothing had been. */
static bool
source_resumes(struct migrate *m)
{
	return m->opt->via->back(m) == 0 && guest_wait_flow(m->guest, flow_ms(m)) == 0;
}

static void
source_resume(struct migrate *m)
{
	size_t len;
	bool well;

	migrate_inflight_forget(m);
	well = source_resumes(m);
	len = strlen(m->res->failure);
	snprintf(m->res->failure + len, sizeof(m->res->failure) - len, "; %s %s",
		m->be[m->active]->dev.name, well ? "went on" : "did not go on either");
}

/* A move that was to fail did so: the source goes on, and the destination is there again. */
static int
failed_move_end(struct migrate *m, unsigned int to)
{
	int ret = 0;

	m->must_fail = false;
	m->res->failure[0] = '\0';
	if (!source_resumes(m))
		return migrate_fail(m, "%s does not go on after a move that failed",
			m->be[m->active]->dev.name);
	migrate_link_close(m, to);
	if (m->killed)
		ret = m->be[to]->ops->revive(m->be[to]);
	m->killed = false;
	if (ret < 0)
		return migrate_fail(m, "%s does not come again: %s", m->be[to]->dev.name,
			strerror(-ret));
	m->res->failed_moves++;
	return 0;
}

static int
samples_add(struct migrate *m, uint64_t suspend, uint64_t carry, uint64_t blackout)
{
	if (stats_add(&m->res->suspend, suspend) < 0 ||
			stats_add(&m->res->capture_restore, carry) < 0 ||
			stats_add(&m->res->blackout, blackout) < 0)
		return migrate_fail(m, "out of memory");
	return 0;
}

/* Stop, carry, run: all that may fail with the source as the one who goes on. */
static int
move_run(struct migrate *m, unsigned int to, uint64_t t[3])
{
	t[0] = clock_ns();
	if (m->opt->via->stop(m) < 0)
		return -1;
	t[1] = clock_ns();
	if (m->opt->via->carry(m, to) < 0)
		return -1;
	t[2] = clock_ns();
	return migrate_link_run(m, to);
}

static int
round_run(struct migrate *m)
{
	unsigned int from = m->active, to = !from;
	uint64_t t[3] = { 0 };

	if (migrate_link_open(m, to, m->opt->via->ready) < 0)
		return -1;
	m->must_fail = migrate_fail_due(m->opt, m->res->rounds + m->res->failed_moves);
	guest_gap_start(m->guest);
	if (move_run(m, to, t) < 0) {
		if (m->must_fail)
			return failed_move_end(m, to);
		source_resume(m);
		return -1;
	}
	if (m->must_fail)
		return migrate_fail(m, "%s took what it should have refused", m->be[to]->dev.name);
	if (migrate_flow_wait(m) < 0)
		return -1;
	if (samples_add(m, t[1] - t[0], t[2] - t[1], guest_gap_stop(m->guest)) < 0)
		return -1;
	migrate_link_close(m, from);
	m->res->rounds++;
	return 0;
}

static bool
rounds_left(const struct migrate *m)
{
	const struct migrate_options *opt = m->opt;

	if (opt->rounds > 0 && m->res->rounds >= opt->rounds)
		return false;
	return opt->seconds == 0 ||
		clock_ns() - m->start_ns < opt->seconds * UINT64_C(1000000000);
}

static void
rounds_show(struct migrate *m, struct progress *p)
{
	double s = (clock_ns() - m->start_ns) / 1e9;
	struct guest_counts c;

	guest_counts_get(m->guest, &c);
	if (m->opt->rounds > 0)
		progress_show(p, "round %" PRIu64 " of %" PRIu64 ", %.0f s, %" PRIu64 " frames, "
			"%" PRIu64 " lost", m->res->rounds, m->opt->rounds, s, c.received, c.lost);
	else
		progress_show(p, "round %" PRIu64 ", %.0f s of %u, %" PRIu64 " frames, "
			"%" PRIu64 " lost", m->res->rounds, s, m->opt->seconds, c.received, c.lost);
}

static int
any_round_run(struct migrate *m)
{
	if (m->opt->upgrade)
		return migrate_upgrade_round(m);
	return m->opt->kill ? migrate_kill_round(m) : round_run(m);
}

static void
rounds_run(struct migrate *m)
{
	struct progress p;

	m->start_ns = clock_ns();
	progress_start(&p);
	while (rounds_left(m)) {
		if (stop_requested() != 0) {
			migrate_fail(m, "interrupted");
			break;
		}
		if (any_round_run(m) < 0)
			break;
		rounds_show(m, &p);
	}
	progress_end(&p);
	m->res->elapsed_ns = clock_ns() - m->start_ns;
}

static void
traffic_run(struct migrate *m)
{
	int ret;

	ret = guest_traffic_start(m->guest);
	if (ret < 0) {
		migrate_fail(m, "guest cannot start its traffic: %s", strerror(-ret));
		return;
	}
	if (migrate_flow_wait(m) == 0)
		rounds_run(m);
	ret = guest_traffic_stop(m->guest, DRAIN_MS);
	if (ret < 0)
		migrate_fail(m, "guest cannot stop its traffic: %s", strerror(-ret));
	guest_counts_get(m->guest, &m->res->counts);
}

static void
guest_error_keep(struct migrate *m)
{
	const char *why = guest_error(m->guest);

	if (why != NULL)
		snprintf(m->res->guest_error, sizeof(m->res->guest_error), "%s", why);
}

void
migrate_run(const struct migrate_options *opt, struct backend *const be[2],
		const char *state_path, struct migrate_result *res)
{
	const struct guest_conf conf = {
		.pairs = opt->pairs,
		.ring_size = opt->ring_size,
		.packed = opt->packed,
		.features = opt->features,
		.frame_min = opt->frame_min,
		.frame_max = opt->frame_max,
		.seed = opt->seed,
		.rate = opt->rate,
		.any_layout = opt->any_layout,
		.causal = opt->causal,
		.inflight = opt->via->region,
		.crashes = opt->kill,
	};
	struct migrate m = { .opt = opt, .be = be, .state_path = state_path, .res = res };

	m.guest = guest_create(&conf);
	if (m.guest == NULL) {
		migrate_fail(&m, "guest cannot be made: %s", strerror(rte_errno));
		return;
	}
	if (opt->upgrade && guest_listen(m.guest, be[0]->dev.socket) < 0)
		migrate_fail(&m, "guest cannot listen on %s", be[0]->dev.socket);
	else if (migrate_link_open(&m, 0, MIGRATE_PREPARED) == 0 && migrate_link_run(&m, 0) == 0)
		traffic_run(&m);
	guest_error_keep(&m);
	migrate_link_close(&m, 0);
	migrate_link_close(&m, 1);
	guest_destroy(m.guest);
}

bool
migrate_held(const struct migrate_result *res)
{
	const struct guest_counts *c = &res->counts;

	return res->failure[0] == '\0' && res->rounds > 0 && c->received > 0 &&
		c->lost <= res->lost_allowed &&
		c->duplicated == 0 && c->reordered == res->overtaken && c->corrupted == 0;
}

void
migrate_result_free(struct migrate_result *res)
{
	stats_free(&res->suspend);
	stats_free(&res->capture_restore);
	stats_free(&res->blackout);
}
