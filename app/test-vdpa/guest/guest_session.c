/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "clock.h"
#include "guest_core.h"
#include "guest_ctrl.h"
#include "guest_link.h"
#include "guest_session.h"
#include "progress.h"
#include "stop.h"

#define CONNECT_MS 10000
#define DRAIN_MS 2000
/* Interval at which the end of the run is checked and the progress is shown. */
#define NAP_MS 100
/* Frames of one burst, which a process that ended may have dequeued and not delivered. */
#define BURST 64

struct run {
	struct guest *g;
	const struct guest_session *s;
	struct guest_session_result *r;
	/** NULL: no back end is connected. */
	struct guest_link *link;
	uint64_t start, end;
	struct progress progress;
};

static bool
run_is_over(const struct run *run)
{
	return stop_requested() != 0 || clock_ns() >= run->end;
}

static void
run_show(struct run *run)
{
	struct guest_counts c;

	guest_counts_get(run->g, &c);
	progress_show(&run->progress, "%5.1f s, %" PRIu64 " frames",
		(clock_ns() - run->start) / 1e9, c.received);
}

static int
link_start(struct run *run)
{
	int ret = guest_link_prepare(run->link);

	return ret == 0 ? guest_link_driver_ok(run->link) : ret;
}

/* Wait for the next back end, as long as the run lasts. @return 0 or -errno */
static int
next_wait(struct run *run)
{
	int ret;

	while (run->link == NULL && !run_is_over(run)) {
		run_show(run);
		run->link = guest_connect(run->g, run->s->path, true, NAP_MS);
		if (run->link == NULL && rte_errno != ETIMEDOUT && rte_errno != EINTR)
			return -rte_errno;
	}
	if (run->link == NULL)
		return -EPIPE;
	guest_link_recover(run->link);
	ret = link_start(run);
	if (ret == 0)
		run->r->reconnects++;
	return ret;
}

/* The back end went away. @return 0: another one took its place; or -errno */
static int
link_replace(struct run *run)
{
	guest_link_close(run->link);
	run->link = NULL;
	if (!run->s->server || run->s->cvq)
		return -EPIPE;
	if (run->g->region.map == NULL) {
		guest_complain(run->g, "it offered no in-flight region, so no other can take over");
		return -EPIPE;
	}
	run->r->lost_allowed += (uint64_t)BURST * guest_nb_vqs(run->g) / 2;
	return next_wait(run);
}

static int
run_for(struct run *run)
{
	uint64_t now;
	int ret = 0;

	progress_start(&run->progress);
	while (ret == 0 && !run_is_over(run)) {
		if (run->s->cvq)
			ret = guest_ctrl_change(run->g);
		run_show(run);
		now = clock_ns();
		if (ret == 0 && now < run->end && guest_link_hung_up(run->link,
				RTE_MIN((run->end - now) / 1000000 + 1, (uint64_t)NAP_MS)) &&
				stop_requested() == 0)
			ret = link_replace(run);
	}
	progress_end(&run->progress);
	return ret;
}

static int
traffic_run(struct run *run)
{
	int ret;

	guest_use_calls(run->g, run->s->calls);
	ret = link_start(run);
	if (ret == 0 && run->s->cvq)
		ret = guest_ctrl_begin(run->g);
	run->start = clock_ns();
	run->end = run->start + run->s->seconds * 1e9;
	if (ret == 0)
		ret = guest_traffic_start(run->g);
	if (ret < 0)
		return ret;
	ret = run_for(run);
	run->r->seconds = (clock_ns() - run->start) / 1e9;
	guest_traffic_stop(run->g, DRAIN_MS);
	return ret == 0 ? guest_link_stop(run->link) : ret;
}

int
guest_session_run(struct guest *g, const struct guest_session *s, struct guest_session_result *r)
{
	struct run run = { .g = g, .s = s, .r = r };
	int ret = 0;

	memset(r, 0, sizeof(*r));
	if (s->server)
		ret = guest_listen(g, s->path);
	if (ret < 0)
		return ret;
	run.link = guest_connect(g, s->path, s->server, CONNECT_MS);
	ret = run.link != NULL ? traffic_run(&run) : -rte_errno;
	if (run.link != NULL)
		guest_link_close(run.link);
	if (s->server)
		unlink(s->path);
	guest_counts_get(g, &r->counts);
	guest_notify_get(g, &r->notify);
	r->features = guest_features(g);
	return ret;
}
