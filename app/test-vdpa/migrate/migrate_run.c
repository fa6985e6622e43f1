/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>

#include "backend.h"
#include "clock.h"
#include "guest.h"
#include "guest_link.h"
#include "guest_traffic.h"
#include "migrate.h"
#include "migrate_cvq.h"
#include "migrate_fail.h"
#include "migrate_inflight.h"
#include "migrate_kill.h"
#include "migrate_run.h"
#include "migrate_step.h"
#include "migrate_upgrade.h"
#include "progress.h"
#include "stats.h"
#include "stop.h"

#define DRAIN_MS 2000

/* After a failed move: resume the source. @return true if frames flow */
static bool
source_resumes(struct migrate *m)
{
	return m->opt->via->back(m) == 0 && guest_wait_flow(m->guest, migrate_flow_ms(m)) == 0;
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
		m->be[m->active]->dev.name, well ? "resumed" : "did not resume either");
}

/* After a move that failed on purpose: resume the source, and start the destination again. */
static int
failed_move_end(struct migrate *m, unsigned int to)
{
	int ret = 0;

	m->must_fail = false;
	m->res->failure[0] = '\0';
	if (!source_resumes(m))
		return migrate_fail(m, "%s: frames do not flow after a failed move",
			m->be[m->active]->dev.name);
	migrate_link_close(m, to);
	if (m->killed)
		ret = m->be[to]->ops->revive(m->be[to]);
	m->killed = false;
	if (ret < 0)
		return migrate_fail(m, "%s: cannot start it again: %s", m->be[to]->dev.name,
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

/* Stop the source, carry the state, run the destination. After a failure the source resumes. */
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
		return migrate_fail(m, "%s: accepted a state that it must refuse",
			m->be[to]->dev.name);
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
	int ret = migrate_cvq_change(m);

	if (ret == 0 && m->opt->upgrade)
		ret = migrate_upgrade_round(m);
	else if (ret == 0)
		ret = m->opt->kill ? migrate_kill_round(m) : round_run(m);
	return ret == 0 ? migrate_cvq_compare(m) : ret;
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
		migrate_fail(m, "the guest cannot start its traffic: %s", strerror(-ret));
		return;
	}
	if (migrate_flow_wait(m) == 0)
		rounds_run(m);
	ret = guest_traffic_stop(m->guest, DRAIN_MS);
	if (ret < 0)
		migrate_fail(m, "the guest cannot stop its traffic: %s", strerror(-ret));
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
		.cvq = opt->cvq,
	};
	struct migrate m = { .opt = opt, .be = be, .state_path = state_path, .res = res };

	m.guest = guest_create(&conf);
	if (m.guest == NULL) {
		migrate_fail(&m, "cannot create the guest: %s", strerror(rte_errno));
		return;
	}
	if (opt->upgrade && guest_listen(m.guest, be[0]->dev.socket) < 0)
		migrate_fail(&m, "the guest cannot listen on %s", be[0]->dev.socket);
	else if (migrate_link_open(&m, 0, MIGRATE_PREPARED) == 0 && migrate_link_run(&m, 0) == 0 &&
			migrate_cvq_begin(&m) == 0)
		traffic_run(&m);
	guest_error_keep(&m);
	migrate_link_close(&m, 0);
	migrate_link_close(&m, 1);
	guest_destroy(m.guest);
}

void
migrate_result_free(struct migrate_result *res)
{
	stats_free(&res->suspend);
	stats_free(&res->capture_restore);
	stats_free(&res->blackout);
}
