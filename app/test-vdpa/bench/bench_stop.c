/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_pause.h>
#include <rte_thread.h>
#include <rte_vhost_state.h>
#include <rte_vhost_state_backend.h>

#include "bench.h"
#include "bench_case.h"
#include "bench_cpu.h"
#include "bench_device.h"
#include "bench_guest.h"
#include "bench_port.h"
#include "bench_report.h"
#include "bench_ring.h"
#include "bench_sides.h"
#include "bench_stop.h"
#include "clock.h"
#include "guest_core.h"
#include "guest_link.h"
#include "stats.h"
#include "stop.h"
#include "vhost_user_fe.h"
#include "vstate_compat.h"
#include "workdir.h"

#define RING_SIZE 256
#define BURST 32
#define FLOW_NS UINT64_C(2000000000)
/* Time between two stops, until the load is back to normal. */
#define BETWEEN_US 300

static const uint16_t sizes[BENCH_STOP_SIZES] = { 2, 8, 32, 128 };

/* A poll thread under full load. It also runs the guest, as in single-core mode. */
struct load {
	unsigned int lcore;
	int cpu;
	/** The side that shall be under load, and the one that is; NULL: none. */
	struct bench_side *want, *is;
	uint64_t frames;
	/** A number for the poll thread, and the last number that it answered. */
	uint64_t ask, answer;
	bool quit;
};

static void
guest_turn(struct bench_side *s, uint16_t pair)
{
	struct bench_vq *rx = bench_guest_rx(s->guest, pair);
	struct bench_vq *tx = bench_guest_tx(s->guest, pair);

	bench_vq_receive(rx);
	bench_vq_post(rx);
	bench_vq_reap(tx);
	bench_vq_send(tx, tx->nb_free);
}

static int
load_main(void *arg)
{
	struct load *l = arg;
	struct bench_side *s;
	uint16_t pair;

	bench_cpu_pin(l->cpu);
	while (!rte_atomic_load_explicit(&l->quit, rte_memory_order_acquire)) {
		s = rte_atomic_load_explicit(&l->want, rte_memory_order_acquire);
		rte_atomic_store_explicit(&l->is, s, rte_memory_order_release);
		if (s == NULL) {
			sched_yield();
			continue;
		}
		/* Two bursts of the device for each turn of the guest: mostly the device runs. */
		for (pair = 0; pair < s->c->pairs; pair++)
			guest_turn(s, pair);
		for (pair = 0; pair < 2 * s->c->pairs; pair++) {
			bench_device_burst(s, NULL, pair % s->c->pairs, BURST);
			rte_atomic_store_explicit(&l->answer,
					rte_atomic_load_explicit(&l->ask, rte_memory_order_relaxed),
				rte_memory_order_release);
		}
		rte_atomic_store_explicit(&l->frames, s->taken, rte_memory_order_release);
	}
	return 0;
}

static void
load_switch(struct load *l, struct bench_side *s)
{
	rte_atomic_store_explicit(&l->want, s, rte_memory_order_release);
	while (rte_atomic_load_explicit(&l->is, rte_memory_order_acquire) != s)
		sched_yield();
}

/*
 * The share of the machine, without a device: a sleeping thread is woken, waits until the poll
 * thread ends a burst, and answers. The longest times come from the scheduler, which may stop the
 * poll thread anywhere.
 */
struct echo {
	rte_thread_t thread;
	struct load *load;
	int ask, answer;
};

static uint32_t
echo_main(void *arg)
{
	const struct echo *e = arg;
	uint64_t n, number = 0;

	/* A counter above one ends the thread. */
	while (read(e->ask, &n, sizeof(n)) == sizeof(n) && n == 1) {
		rte_atomic_store_explicit(&e->load->ask, ++number, rte_memory_order_relaxed);
		while (rte_atomic_load_explicit(&e->load->answer,
				rte_memory_order_acquire) != number)
			rte_pause();
		if (write(e->answer, &n, sizeof(n)) != sizeof(n))
			break;
	}
	return 0;
}

static int
echo_start(struct echo *e, struct load *l)
{
	int ret;

	e->load = l;
	l->ask = l->answer = 0;
	e->ask = eventfd(0, EFD_CLOEXEC);
	e->answer = eventfd(0, EFD_CLOEXEC);
	ret = e->ask < 0 || e->answer < 0 ? errno :
		rte_thread_create(&e->thread, NULL, echo_main, e);
	if (ret == 0)
		return 0;
	close(e->ask);
	close(e->answer);
	return -ret;
}

static void
echo_stop(struct echo *e)
{
	const uint64_t end = 2;

	if (write(e->ask, &end, sizeof(end)) == sizeof(end))
		rte_thread_join(e->thread, NULL);
	close(e->ask);
	close(e->answer);
}

static int
echo_once(const struct echo *e, struct stats *times)
{
	uint64_t n = 1, begin = clock_ns();

	if (write(e->ask, &n, sizeof(n)) != sizeof(n) ||
			read(e->answer, &n, sizeof(n)) != sizeof(n))
		return -errno;
	return stats_add(times, clock_ns() - begin);
}

/* Wait until frames flow: otherwise the device would be stopped without load. */
static int
flow_wait(struct load *l)
{
	uint64_t end = clock_ns() + FLOW_NS, before;

	before = rte_atomic_load_explicit(&l->frames, rte_memory_order_acquire);
	do {
		usleep(BETWEEN_US);
		if (rte_atomic_load_explicit(&l->frames, rte_memory_order_acquire) != before)
			return 0;
	} while (clock_ns() < end);
	fprintf(stderr, "dpdk-test-vdpa bench: no frames flow\n");
	return -ETIMEDOUT;
}

static int
suspend_once(struct bench_side *s, struct load *l, struct stats *times)
{
	struct rte_vhost_state_error err = { 0 };
	uint64_t begin, end;
	char why[160];
	int ret;

	ret = flow_wait(l);
	if (ret < 0)
		return ret;
	begin = clock_ns();
	ret = rte_vhost_state_suspend(s->port.name, 0, &err);
	end = clock_ns();
	if (ret == 0)
		ret = rte_vhost_state_resume(s->port.name, &err);
	if (ret == 0)
		return stats_add(times, end - begin);
	rte_vhost_state_error_format(&err, why, sizeof(why));
	fprintf(stderr, "dpdk-test-vdpa bench: %s: %s\n", s->port.name, why);
	return ret;
}

/* Measure the first GET_VRING_BASE. Then stop the other rings and start all of them again. */
static int
vring_base_once(struct bench_side *s, struct load *l, struct stats *times)
{
	struct guest_link *link = s->guest->link;
	uint64_t begin, end;
	uint32_t base;
	uint16_t vq;
	int ret;

	ret = flow_wait(l);
	if (ret < 0)
		return ret;
	begin = clock_ns();
	ret = vu_fe_get_vring_base(&link->fe, 0, &base);
	end = clock_ns();
	for (vq = 0; vq < link->nb_vqs && ret == 0; vq++) {
		if (vq > 0)
			ret = vu_fe_get_vring_base(&link->fe, vq, &base);
		guest_link_set_base(link, vq, base);
	}
	if (ret == 0)
		ret = vu_fe_set_u64(&link->fe, VU_SET_STATUS, 0);
	if (ret == 0)
		ret = bench_guest_restart(s->guest);
	if (ret == 0)
		ret = bench_port_wait_link(&s->port, true);
	if (ret == 0)
		return stats_add(times, end - begin);
	fprintf(stderr, "dpdk-test-vdpa bench: %s: stop by GET_VRING_BASE: %s\n", s->port.name,
		rte_strerror(-ret));
	return ret;
}

static void
result_add(struct bench_stop_result *r, const char *how, enum bench_kind kind, uint16_t vqs,
		struct stats *times)
{
	r->how = how;
	r->kind = kind;
	r->vqs = vqs;
	r->samples = times->nb;
	stats_summarize(times, &r->ns);
}

static int
vring_bases_measure(struct bench_side sides[BENCH_KINDS], unsigned int mask, struct load *l,
		uint64_t repeat, struct stats base[BENCH_ROOFLINE])
{
	uint64_t i;
	int kind, ret = 0;

	for (i = 0; i < repeat && ret == 0 && !stop_requested(); i++) {
		for (kind = 0; kind < BENCH_ROOFLINE && ret == 0; kind++) {
			if ((mask & (1u << kind)) == 0)
				continue;
			load_switch(l, &sides[kind]);
			ret = vring_base_once(&sides[kind], l, &base[kind]);
		}
	}
	load_switch(l, NULL);
	return ret;
}

static int
suspends_measure(struct bench_side *s, struct load *l, uint64_t repeat, struct stats *suspend,
		struct stats *wake)
{
	struct echo echo;
	uint64_t i;
	int ret;

	ret = echo_start(&echo, l);
	if (ret < 0)
		return ret;
	load_switch(l, s);
	for (i = 0; i < repeat && ret == 0 && !stop_requested(); i++) {
		ret = suspend_once(s, l, suspend);
		if (ret == 0)
			ret = echo_once(&echo, wake);
	}
	load_switch(l, NULL);
	echo_stop(&echo);
	return ret;
}

static int
size_measure(struct bench_side sides[BENCH_KINDS], unsigned int mask, uint16_t vqs,
		struct load *l, uint64_t repeat, struct bench_stop_result *results,
		unsigned int *nb)
{
	struct stats suspend = STATS_INIT, base[BENCH_ROOFLINE] = { STATS_INIT, STATS_INIT };
	struct stats wake = STATS_INIT;
	int kind, ret = 0;

	if ((mask & (1u << BENCH_VSTATE)) != 0)
		ret = suspends_measure(&sides[BENCH_VSTATE], l, repeat, &suspend, &wake);
	if (ret == 0)
		ret = vring_bases_measure(sides, mask, l, repeat / 10, base);
	if (ret == 0) {
		if (suspend.nb > 0)
			result_add(&results[(*nb)++], "suspend", BENCH_VSTATE, vqs, &suspend);
		for (kind = 0; kind < BENCH_ROOFLINE; kind++)
			if (base[kind].nb > 0)
				result_add(&results[(*nb)++], "GET_VRING_BASE", kind, vqs,
					&base[kind]);
		if (wake.nb > 0)
			result_add(&results[(*nb)++], "thread to thread", BENCH_ROOFLINE, vqs,
				&wake);
	}
	stats_free(&suspend);
	stats_free(&wake);
	for (kind = 0; kind < BENCH_ROOFLINE; kind++)
		stats_free(&base[kind]);
	return ret;
}

int
bench_stop(const struct bench_conf *conf, unsigned int mask, unsigned int size,
		uint64_t repeat, struct rte_mempool *pool, const struct workdir *wd,
		struct bench_stop_result *results, unsigned int *nb)
{
	struct load l = { .cpu = conf->cpu, .lcore = rte_get_next_lcore(-1, 1, 0) };
	const struct bench_case c = {
		.op = BENCH_LOOP, .frame = 64, .pairs = sizes[size] / 2, .burst = BURST,
		.ring_size = RING_SIZE, .fill = BURST, .tx_segs = 1, .name = "stop",
	};
	struct bench_side sides[BENCH_KINDS];
	int ret;

	mask &= 1u << BENCH_VSTATE | 1u << BENCH_VHOST;
	ret = bench_sides_open(sides, &c, mask, pool, wd);
	if (ret < 0)
		return ret;
	ret = l.lcore < RTE_MAX_LCORE ? rte_eal_remote_launch(load_main, &l, l.lcore) : -ENOENT;
	if (ret < 0) {
		fprintf(stderr, "dpdk-test-vdpa bench: cannot use a second lcore: %s\n",
			rte_strerror(-ret));
	} else {
		ret = size_measure(sides, mask, sizes[size], &l, repeat, results, nb);
		rte_atomic_store_explicit(&l.quit, true, rte_memory_order_release);
		rte_eal_wait_lcore(l.lcore);
	}
	bench_sides_close(sides);
	return ret;
}
