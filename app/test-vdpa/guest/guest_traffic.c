/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "clock.h"
#include "guest.h"
#include "guest_core.h"
#include "guest_pair.h"
#include "guest_ring.h"
#include "guest_traffic.h"
#include "vstate_compat.h"

/* After this idle time yield; then sleep. The yield does not distort a measured blackout. */
#define YIELD_NS 5000ull
#define SLEEP_NS 50000000ull
#define SLEEP_US 50
/* A call that does not come within this time counts as missed. */
#define CALL_TIMEOUT_MS 20

static void
set_calls(struct guest *g, bool on)
{
	uint16_t vq;

	for (vq = 0; vq < 2 * g->conf.pairs; vq++) {
		struct guest_ring *r = guest_ring_of(g, vq);

		r->ops->calls(r, on);
	}
}

static bool
any_used(struct guest *g)
{
	uint16_t vq;

	for (vq = 0; vq < 2 * g->conf.pairs; vq++) {
		const struct guest_ring *r = guest_ring_of(g, vq);

		if (!g->pairs[vq / 2].paused && r->ops->used_ready(r))
			return true;
	}
	return false;
}

/* Sleep until the back end calls. */
static void
wait_call(struct guest *g)
{
	struct pollfd fds[2 * GUEST_MAX_PAIRS];
	struct guest_link *l;
	uint16_t i, nb = 2 * g->conf.pairs;
	int n;

	set_calls(g, true);
	pthread_mutex_lock(&g->lock);
	l = g->active;
	for (i = 0; l != NULL && i < nb; i++)
		fds[i] = (struct pollfd){ .fd = l->call[i], .events = POLLIN };
	pthread_mutex_unlock(&g->lock);
	if (l == NULL) {
		usleep(SLEEP_US);
	} else if (!any_used(g)) {
		n = poll(fds, nb, CALL_TIMEOUT_MS);
		/* Not if the active link changed: that is no error of the back end. */
		if (n == 0 && any_used(g) && guest_get(&g->active) == l)
			guest_set(&g->calls_missed, g->calls_missed + 1);
	}
	pthread_mutex_lock(&g->lock);
	l = g->active;
	for (i = 0; l != NULL && i < nb; i++) {
		uint64_t count;

		if (read(l->call[i], &count, sizeof(count)) == sizeof(count))
			guest_set(&g->calls, g->calls + count);
	}
	pthread_mutex_unlock(&g->lock);
	set_calls(g, false);
}

static void
idle_wait(struct guest *g, uint64_t now, uint64_t busy_at)
{
	if (now - busy_at < YIELD_NS)
		return;
	if (guest_get(&g->use_calls))
		wait_call(g);
	else if (now - busy_at < SLEEP_NS)
		sched_yield();
	else
		usleep(SLEEP_US);
}

static void
answer_watch(struct guest *g)
{
	uint64_t ask = rte_atomic_load_explicit(&g->watch_ask, rte_memory_order_acquire);
	uint16_t i;

	if (ask == g->watch_answer)
		return;
	for (i = 0; i < g->conf.pairs; i++) {
		guest_set(&g->pairs[i].watch_last, g->pairs[i].watch_max);
		guest_set(&g->pairs[i].watch_max, 0);
	}
	rte_atomic_store_explicit(&g->watch_answer, ask, rte_memory_order_release);
}

/* True if the pair takes part in traffic. */
static bool
answer_pause(struct guest_pair *p)
{
	bool want = guest_get(&p->pause_want);

	if (!want)
		guest_set(&p->paused, false);
	else if (guest_pair_on_way(p) == 0 && p->nb_tx_free == p->tx_slots)
		/* Release: the caller's thread may use the rings from now on. */
		rte_atomic_store_explicit(&p->paused, true, rte_memory_order_release);
	return !p->paused;
}

static bool
all_drained(const struct guest *g)
{
	uint16_t i;

	for (i = 0; i < g->conf.pairs; i++)
		if (guest_pair_on_way(&g->pairs[i]) != 0)
			return false;
	return true;
}

static uint32_t
traffic_main(void *arg)
{
	struct guest *g = arg;
	uint64_t now = clock_ns(), busy_at = now;
	bool was_stop = false;
	uint16_t i;

	for (;;) {
		bool stop = rte_atomic_load_explicit(&g->stop, rte_memory_order_acquire);
		bool moved = false;

		now = clock_ns();
		/* As in pair_wait(): while frames arrive, the rest may still come. */
		if (stop && !was_stop)
			busy_at = now;
		was_stop = stop;
		if (stop && (all_drained(g) || now - busy_at >= g->drain_ns))
			return 0;
		answer_watch(g);
		for (i = 0; i < g->conf.pairs; i++) {
			struct guest_pair *p = &g->pairs[i];

			if (answer_pause(p))
				moved |= guest_pair_poll(p, now, !stop && !p->pause_want);
		}
		if (moved)
			busy_at = now;
		else
			idle_wait(g, now, busy_at);
	}
}

void
guest_traffic_fill(struct guest *g)
{
	uint32_t k;
	uint16_t i;

	for (i = 0; i < g->conf.pairs; i++) {
		struct guest_pair *p = &g->pairs[i];

		for (k = 0; k < p->rx_slots; k++)
			guest_pair_post(p, k);
		/* No kick yet: guest_link_driver_ok() kicks all virtqueues. */
		p->rx.ops->publish(&p->rx);
	}
	set_calls(g, false);
}

int
guest_traffic_start(struct guest *g)
{
	uint64_t now = clock_ns();
	uint16_t i;
	int ret;

	if (g->running)
		return -EALREADY;
	if (g->features == 0)
		return -ENOTCONN;
	for (i = 0; i < g->conf.pairs; i++) {
		g->pairs[i].rate_start = now;
		g->pairs[i].rate_sent = 0;
	}
	g->stop = false;
	ret = rte_thread_create(&g->thread, NULL, traffic_main, g);
	if (ret != 0)
		return -ret;
	g->running = true;
	return 0;
}

int
guest_traffic_stop(struct guest *g, int drain_ms)
{
	if (!g->running)
		return -EALREADY;
	g->drain_ns = (uint64_t)drain_ms * 1000000;
	rte_atomic_store_explicit(&g->stop, true, rte_memory_order_release);
	rte_thread_join(g->thread, NULL);
	g->running = false;
	return 0;
}

void
guest_use_calls(struct guest *g, bool on)
{
	guest_set(&g->use_calls, on);
}

void
guest_pair_counts_get(struct guest *g, uint16_t pair, struct guest_counts *c)
{
	const struct guest_pair *p = &g->pairs[pair];
	/* rx_next first: a frame that arrives between the two reads must not look lost. */
	uint64_t next = guest_get(&p->rx_next), unique = guest_get(&p->unique);

	memset(c, 0, sizeof(*c));
	c->sent = guest_get(&p->next_seq);
	c->received = guest_get(&p->received);
	c->duplicated = guest_get(&p->duplicated);
	c->reordered = guest_get(&p->reordered);
	c->corrupted = guest_get(&p->corrupted);
	c->empty = guest_get(&p->empty);
	c->gap_max_ns = guest_get(&p->gap_max);
	/* While traffic runs, only frames that later frames have overtaken are lost. */
	if (!g->running)
		next = c->sent;
	c->lost = next > unique ? next - unique : 0;
}

void
guest_counts_get(struct guest *g, struct guest_counts *sum)
{
	struct guest_counts c;
	uint16_t i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < g->conf.pairs; i++) {
		guest_pair_counts_get(g, i, &c);
		sum->sent += c.sent;
		sum->received += c.received;
		sum->lost += c.lost;
		sum->duplicated += c.duplicated;
		sum->reordered += c.reordered;
		sum->corrupted += c.corrupted;
		sum->empty += c.empty;
		if (c.gap_max_ns > sum->gap_max_ns)
			sum->gap_max_ns = c.gap_max_ns;
	}
}

void
guest_notify_get(struct guest *g, struct guest_notify *n)
{
	pthread_mutex_lock(&g->lock);
	n->kicks = g->kicks;
	n->calls = guest_get(&g->calls);
	n->calls_missed = guest_get(&g->calls_missed);
	pthread_mutex_unlock(&g->lock);
}

/* @return the answer of the traffic thread after it started the new measurement */
static uint64_t
gap_watch(struct guest *g, uint64_t start)
{
	uint64_t ask = g->watch_ask + 1;
	uint16_t i;

	guest_set(&g->watch_start, start);
	if (!g->running) {
		for (i = 0; i < g->conf.pairs; i++)
			g->pairs[i].watch_max = 0;
		return g->watch_answer;
	}
	rte_atomic_store_explicit(&g->watch_ask, ask, rte_memory_order_release);
	return ask;
}

static void
gap_watch_wait(struct guest *g, uint64_t start)
{
	uint64_t ask = gap_watch(g, start);

	while (rte_atomic_load_explicit(&g->watch_answer, rte_memory_order_acquire) != ask)
		sched_yield();
}

void
guest_gap_start(struct guest *g)
{
	gap_watch_wait(g, clock_ns());
}

uint64_t
guest_gap_next(struct guest *g)
{
	uint64_t max = 0;
	uint16_t i;

	gap_watch_wait(g, 0);
	for (i = 0; i < g->conf.pairs; i++)
		max = RTE_MAX(max, guest_get(&g->pairs[i].watch_last));
	return max;
}

uint64_t
guest_gap_stop(struct guest *g)
{
	uint64_t now = clock_ns(), start = g->watch_start, max = 0;
	uint16_t i;

	for (i = 0; i < g->conf.pairs; i++) {
		uint64_t gap = guest_get(&g->pairs[i].watch_max);
		uint64_t since = guest_get(&g->pairs[i].wait_since);

		/* A gap that has not ended yet counts as well. */
		if (since != 0 && since < start)
			since = start;
		if (since != 0 && now > since && now - since > gap)
			gap = now - since;
		if (gap > max)
			max = gap;
	}
	return max;
}

/*
 * On a busy machine a queue of 32768 frames takes seconds, because each burst waits for a CPU. A
 * dead ring delivers nothing. Therefore the time limit is for the next frame, not for all frames.
 */
static int
pair_wait(struct guest_pair *p, uint64_t mark, uint64_t patience)
{
	uint64_t moved = clock_ns(), last = guest_get(&p->rx_next), next;

	while ((next = guest_get(&p->rx_next)) <= mark && !guest_get(&p->pause_want)) {
		if (next != last)
			moved = clock_ns();
		else if (clock_ns() - moved >= patience)
			return -ETIMEDOUT;
		last = next;
		usleep(SLEEP_US);
	}
	return 0;
}

int
guest_wait_flow(struct guest *g, int timeout_ms)
{
	uint64_t mark[GUEST_MAX_PAIRS];
	uint16_t i;
	int ret = 0;

	if (!g->running)
		return -EINVAL;
	for (i = 0; i < g->conf.pairs; i++)
		mark[i] = rte_atomic_load_explicit(&g->pairs[i].next_seq, rte_memory_order_seq_cst);
	for (i = 0; i < g->conf.pairs && ret == 0; i++)
		ret = pair_wait(&g->pairs[i], mark[i], (uint64_t)timeout_ms * 1000000);
	return ret;
}

int
guest_pair_pause(struct guest *g, uint16_t pair, int timeout_ms)
{
	struct guest_pair *p = &g->pairs[pair];
	uint64_t end = clock_ns() + (uint64_t)timeout_ms * 1000000;

	guest_set(&p->pause_want, true);
	while (!rte_atomic_load_explicit(&p->paused, rte_memory_order_acquire)) {
		if (clock_ns() >= end)
			return -ETIMEDOUT;
		usleep(SLEEP_US);
	}
	return 0;
}

void
guest_pair_resume(struct guest *g, uint16_t pair)
{
	guest_set(&g->pairs[pair].pause_want, false);
}
