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
#include <rte_vhost_state.h>
#include <rte_vhost_state_backend.h>

#include "backend.h"
#include "backend_owner.h"
#include "clock.h"
#include "guest_console.h"
#include "migrate_console.h"
#include "progress.h"
#include "reason.h"
#include "stats.h"
#include "stop.h"
#include "vstate_compat.h"

#define CONNECT_MS 5000
#define FLOW_MS 60000
#define DRAIN_MS 60000
#define SUSPEND_US 2000000
/* The host's side does not read for so long before a move, so that a buffer is half transferred. */
#define STALL_US 2000
/* Longest time of load before the next kill. */
#define LOAD_US 30000u
/* More buffers than a device moves in two turns: after them it has looked at both queues. */
#define TURNS_BUFFERS 200
/* The new process starts EAL before it asks for the device. */
#define HAND_OVER_MS 30000
#define LOOK_MS 1

/** A run. */
struct console_move {
	const struct migrate_console_options *opt;
	struct backend *const *be;
	struct migrate_console_result *res;
	struct console *console;
	unsigned int active;
	/** Back end whose process owns the device, if it is taken over. */
	unsigned int owner;
};

/* Record a failure. Only the first one is kept. -1 */
#define move_fail(m, ...) \
	reason_keep(-1, (m)->res->failure, sizeof((m)->res->failure), __VA_ARGS__)

const char *
migrate_console_fault_name(enum migrate_console_fault fault)
{
	static const char *const names[CONSOLE_FAULT_MAX] = {
		[CONSOLE_FAULT_REPEAT] = "repeat",
		[CONSOLE_FAULT_SKIP] = "skip",
		[CONSOLE_FAULT_AHEAD] = "ahead",
	};

	return names[fault];
}

static int
link_fail(struct console_move *m, unsigned int l, const char *verb, int ret)
{
	const char *why = console_error(m->console);

	return move_fail(m, "%s: cannot %s: %s%s%s", m->be[l]->dev.name, verb, strerror(-ret),
			why != NULL ? "; " : "", why != NULL ? why : "");
}

static int
state_fail(struct console_move *m, unsigned int l, const char *verb,
		const struct rte_vhost_state_error *err)
{
	char text[160];

	rte_vhost_state_error_format(err, text, sizeof(text));
	return move_fail(m, "%s: cannot %s: %s", m->be[l]->dev.name, verb, text);
}

static int
link_up(struct console_move *m, unsigned int l)
{
	int ret = console_connect(m->console, l, m->be[l]->dev.socket, CONNECT_MS);

	if (ret < 0)
		return link_fail(m, l, "connect", ret);
	ret = console_prepare(m->console, l);
	return ret < 0 ? link_fail(m, l, "set up the rings", ret) : 0;
}

static int
link_run(struct console_move *m, unsigned int l)
{
	int ret = console_run(m->console, l);

	if (ret < 0)
		return link_fail(m, l, "start", ret);
	m->active = l;
	return 0;
}

static int
host_up(struct console_move *m, unsigned int l)
{
	int ret = console_host_connect(m->console, m->opt->host[l], CONNECT_MS);

	return ret < 0 ? link_fail(m, l, "connect to its port", ret) : 0;
}

/* ---- by the state ---- */

static void
state_note(struct console_move *m, const struct rte_vhost_state_console_port *port)
{
	m->res->half += port->to_host.offset > 0;
	m->res->ahead += port->nb_pending > 0;
	m->res->ahead_bytes += port->nb_pending;
}

static void
state_break(struct console_move *m, struct rte_vhost_state_console_port *port)
{
	switch (m->opt->fault) {
	case CONSOLE_FAULT_REPEAT:
		memset(&port->to_host, 0, sizeof(port->to_host));
		return;
	case CONSOLE_FAULT_SKIP:
		port->to_host.offset += port->to_host.offset > 0;
		return;
	case CONSOLE_FAULT_AHEAD:
		port->nb_pending = 0;
		return;
	default:
		return;
	}
}

static int
move_by_state(struct console_move *m, unsigned int to, uint64_t *stopped)
{
	struct backend *from = m->be[m->active];
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st;
	uint64_t start, at_host;
	int ret;

	if (link_up(m, to) < 0)
		return -1;
	console_host_stall(m->console, true);
	usleep(STALL_US);
	console_host_mute(m->console, true);
	start = clock_ns();
	if (from->ops->suspend(from, SUSPEND_US, &err) < 0)
		return state_fail(m, m->active, "suspend", &err);
	*stopped = clock_ns() - start;
	st = from->ops->capture(from, &err);
	if (st == NULL)
		return state_fail(m, m->active, "capture", &err);
	state_note(m, &st->console.ports[0]);
	at_host = console_returned(m->console) + st->console.ports[0].to_host.offset;
	state_break(m, &st->console.ports[0]);
	ret = m->be[to]->ops->restore(m->be[to], st, &err);
	rte_vhost_state_free(st);
	if (ret < 0)
		return state_fail(m, to, "restore", &err);
	/* the host's side of the source has exactly what the state says */
	if (console_host_drain(m->console, at_host, DRAIN_MS) < 0)
		return move_fail(m, "%s: %s", from->dev.name, console_error(m->console));
	return 0;
}

/* ---- by the bases ---- */

static int
move_by_base(struct console_move *m, unsigned int to, uint64_t *stopped)
{
	uint64_t start;
	int ret;

	/* what the source has not read stays in its socket */
	console_host_mute(m->console, true);
	if (console_host_wait(m->console, FLOW_MS) < 0)
		return move_fail(m, "%s", console_error(m->console));
	console_host_stall(m->console, true);
	usleep(STALL_US);
	start = clock_ns();
	ret = console_take_back(m->console, m->active);
	if (ret < 0)
		return link_fail(m, m->active, "take the rings back", ret);
	*stopped = clock_ns() - start;
	if (console_host_drain(m->console, console_returned(m->console), DRAIN_MS) < 0)
		return move_fail(m, "%s: %s", m->be[m->active]->dev.name,
				console_error(m->console));
	return link_up(m, to);
}

static int
traffic_go_on(struct console_move *m, unsigned int to)
{
	console_host_stall(m->console, false);
	if (host_up(m, to) < 0)
		return -1;
	console_host_mute(m->console, false);
	if (console_wait_flow(m->console, 1, FLOW_MS) < 0)
		return move_fail(m, "%s: no buffer returns", m->be[to]->dev.name);
	return 0;
}

static int
blackout_note(struct console_move *m)
{
	struct console_counts c;

	console_counts_get(m->console, &c);
	return stats_add(&m->res->blackout, c.gap_max) < 0 ? move_fail(m, "out of memory") : 0;
}

static int
move_round(struct console_move *m)
{
	const unsigned int from = m->active, to = !from;
	uint64_t stopped = 0;
	int ret;

	console_gap_reset(m->console);
	ret = m->opt->by_base ? move_by_base(m, to, &stopped) : move_by_state(m, to, &stopped);
	if (ret < 0 || link_run(m, to) < 0)
		return -1;
	console_disconnect(m->console, from);
	if (traffic_go_on(m, to) < 0 || stats_add(&m->res->stop, stopped) < 0)
		return -1;
	return blackout_note(m);
}

/* ---- by a kill ---- */

/*
 * What the driver's side sent is exact: the dead process's bytes are in the peer's socket, and the
 * next process continues behind them. What the peer sent and the dead process had not read is lost
 * with its socket, so that the peer sends it again: from where the driver is when the next process
 * has put to it what the dead one had read.
 */
static int
kill_round(struct console_move *m)
{
	struct backend *be = m->be[0];
	int ret;

	usleep(1 + (useconds_t)(m->opt->conf.seed * 7919 + m->res->rounds * 104729) % LOAD_US);
	if (m->res->rounds % 2 == 1) {
		console_host_stall(m->console, true);
		usleep(STALL_US);
	}
	console_gap_reset(m->console);
	ret = be->ops->kill(be);
	if (ret < 0)
		return move_fail(m, "%s: cannot kill it: %s", be->dev.name, strerror(-ret));
	console_host_mute(m->console, true);
	console_disconnect(m->console, 0);
	m->res->in_flight += console_marks(m->console);
	console_back_end_died(m->console);
	if (console_host_drain(m->console, UINT64_MAX, DRAIN_MS) < 0)
		return move_fail(m, "%s: its port is not closed", be->dev.name);
	ret = be->ops->revive(be);
	if (ret < 0)
		return move_fail(m, "%s: cannot start it again: %s", be->dev.name, strerror(-ret));
	if (link_up(m, 0) < 0 || link_run(m, 0) < 0)
		return -1;
	console_host_stall(m->console, false);
	if (host_up(m, 0) < 0)
		return -1;
	if (console_wait_flow(m->console, TURNS_BUFFERS, FLOW_MS) < 0)
		return move_fail(m, "%s: no buffer returns after a kill", be->dev.name);
	console_host_rewind(m->console);
	console_host_mute(m->console, false);
	return blackout_note(m);
}

/* ---- by a takeover ---- */

static int
upgrade_finish(struct console_move *m, unsigned int from, unsigned int to)
{
	const uint64_t end = clock_ns() + HAND_OVER_MS * UINT64_C(1000000);

	while (clock_ns() < end) {
		if (console_hung_up(m->console, 0, LOOK_MS))
			return move_fail(m, "the connection of the driver was not kept");
		if (backend_has_passed(m->be[from], m->be[to])) {
			m->res->kept++;
			return 0;
		}
	}
	return move_fail(m, "no process has the device after %d ms", HAND_OVER_MS);
}

/* The peer notices nothing: neither a closed connection nor a byte out of order. */
static int
upgrade_round(struct console_move *m)
{
	const unsigned int from = m->owner, to = !from;
	int ret;

	console_gap_reset(m->console);
	if (m->res->rounds % 2 == 1)
		console_host_stall(m->console, true);
	ret = m->be[to]->ops->revive(m->be[to]);
	if (ret != 0)
		return move_fail(m, "cannot start the new process: %s", strerror(-ret));
	if (upgrade_finish(m, from, to) < 0)
		return -1;
	console_host_stall(m->console, false);
	if (console_wait_flow(m->console, 1, FLOW_MS) < 0)
		return move_fail(m, "no buffer returns after a takeover");
	m->owner = to;
	ret = m->be[from]->ops->kill(m->be[from]);
	if (ret < 0)
		return move_fail(m, "cannot end the old process: %s", strerror(-ret));
	if (console_wait_flow(m->console, TURNS_BUFFERS, FLOW_MS) < 0)
		return move_fail(m, "no buffer returns without the old process");
	return blackout_note(m);
}

/* ---- all rounds ---- */

static bool
is_wrong(const struct console_counts *c)
{
	return (c->lost | c->doubled | c->wrong | c->foreign) != 0;
}

static void
rounds_run(struct console_move *m)
{
	const struct migrate_console_options *opt = m->opt;
	struct console_counts c;
	struct progress p;
	int ret;

	progress_start(&p);
	while (m->res->rounds < opt->rounds) {
		if (stop_requested() != 0) {
			move_fail(m, "interrupted");
			break;
		}
		ret = opt->upgrade ? upgrade_round(m) : opt->kill ? kill_round(m) : move_round(m);
		if (ret < 0)
			break;
		m->res->rounds++;
		console_counts_get(m->console, &c);
		if (is_wrong(&c))
			break;
		progress_show(&p, "round %" PRIu64 " of %" PRIu64 ", %" PRIu64 " bytes",
				m->res->rounds, opt->rounds, c.to_host + c.to_guest);
	}
	progress_end(&p);
}

bool
migrate_console_run(const struct migrate_console_options *opt, struct backend *const be[2],
		struct migrate_console_result *res)
{
	struct console_move m = { .opt = opt, .be = be, .res = res };
	int ret;

	m.console = console_create(&opt->conf);
	if (m.console == NULL) {
		move_fail(&m, "cannot create the guest: %s", strerror(rte_errno));
		return false;
	}
	if (opt->upgrade && console_listen(m.console, be[0]->dev.socket) < 0)
		move_fail(&m, "cannot listen at %s", be[0]->dev.socket);
	else if (link_up(&m, 0) == 0 && link_run(&m, 0) == 0 && host_up(&m, 0) == 0) {
		ret = console_start(m.console);
		if (ret < 0)
			move_fail(&m, "cannot start the traffic: %s", strerror(-ret));
		else if (console_wait_flow(m.console, 1, FLOW_MS) == 0)
			rounds_run(&m);
		console_host_stall(m.console, false);
		/* a run with a planted fault waits for what never comes */
		console_stop(m.console, res->failure[0] != '\0' ? 0 :
				opt->fault != CONSOLE_FAULT_NONE ? DRAIN_MS / 60 : DRAIN_MS);
	}
	console_counts_get(m.console, &res->counts);
	if (res->failure[0] == '\0' && console_error(m.console) != NULL)
		move_fail(&m, "%s", console_error(m.console));
	console_destroy(m.console);
	return res->failure[0] == '\0' && !is_wrong(&res->counts);
}
