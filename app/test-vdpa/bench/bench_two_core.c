/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_pause.h>

#include "bench.h"
#include "bench_case.h"
#include "bench_cpu.h"
#include "bench_device.h"
#include "bench_run.h"
#include "bench_turn.h"
#include "bench_two_core.h"
#include "vstate_compat.h"

/* A slice starts with this part of its length without counting. */
#define WARM_UP 8
#define ENQUEUE_MBUFS 64u
/* Longer than any burst, shorter than a time slice of another process. */
#define INTERRUPTED_US 200

struct bench_helper {
	unsigned int lcore;
	int cpu;
	/** The side whose guest shall run; NULL: none. Written by the device's thread. */
	struct bench_side *want;
	/** The side whose guest runs. Written by the guest's thread. */
	struct bench_side *is;
	bool quit;
};

static int
helper_main(void *arg)
{
	struct bench_helper *h = arg;
	struct bench_side *s, *old = NULL;

	bench_cpu_pin(h->cpu);
	while (!rte_atomic_load_explicit(&h->quit, rte_memory_order_acquire)) {
		/* Acquire: changes that the device's thread made to the side are visible. */
		s = rte_atomic_load_explicit(&h->want, rte_memory_order_acquire);
		if (s != old) {
			if (old != NULL)
				bench_guest_reap(old->guest);
			old = s;
			/*
			 * Release: the counts of the previous side are visible to the device's
			 * thread.
			 */
			rte_atomic_store_explicit(&h->is, s, rte_memory_order_release);
		}
		if (s == NULL) {
			rte_pause();
			continue;
		}
		bench_guest_turn(s->guest);
	}
	return 0;
}

struct bench_helper *
bench_helper_start(int cpu)
{
	struct bench_helper *h = calloc(1, sizeof(*h));
	int ret = -ENOMEM;

	if (h != NULL) {
		h->cpu = cpu;
		h->lcore = rte_get_next_lcore(-1, 1, 0);
		ret = h->lcore < RTE_MAX_LCORE ?
			rte_eal_remote_launch(helper_main, h, h->lcore) : -ENOENT;
	}
	if (ret == 0)
		return h;
	free(h);
	rte_errno = -ret;
	return NULL;
}

void
bench_helper_stop(struct bench_helper *h)
{
	if (h == NULL)
		return;
	rte_atomic_store_explicit(&h->quit, true, rte_memory_order_release);
	rte_eal_wait_lcore(h->lcore);
	free(h);
}

static void
helper_switch(struct bench_helper *h, struct bench_side *s)
{
	rte_atomic_store_explicit(&h->want, s, rte_memory_order_release);
	while (rte_atomic_load_explicit(&h->is, rte_memory_order_acquire) != s)
		sched_yield(); /* both threads may share a CPU */
}

static int
device_until(struct bench_side *s, struct bench_mbufs *b, uint64_t end, struct bench_work *work)
{
	uint64_t begin, now;
	uint16_t pair = 0;
	uint32_t n;
	int ret = 0;

	do {
		if (s->c->op == BENCH_ENQUEUE && s->kind != BENCH_ROOFLINE && b->nb == b->next)
			ret = bench_mbufs_prepare(s, b, ENQUEUE_MBUFS);
		begin = rte_rdtsc();
		n = bench_device_burst(s, b, pair, s->c->burst);
		now = rte_rdtsc();
		/* An empty poll waits for the guest, so it is not counted as cost of the device. */
		if (n > 0)
			bench_work_add(work, now - begin, n);
		pair = pair + 1 < s->c->pairs ? pair + 1 : 0;
	} while (now < end && ret == 0);
	return ret;
}

int
bench_slice_two_core(struct bench_helper *h, struct bench_side *s, uint64_t cycles,
		struct bench_work *work)
{
	struct bench_mbufs b = { .nb = 0 };
	struct bench_work warm_up = { 0 };
	int ret;

	if (s->c->op == BENCH_IDLE)
		return bench_slice(s, cycles, work);
	work->limit = rte_get_tsc_hz() / 1000000 * INTERRUPTED_US;
	helper_switch(h, s);
	ret = device_until(s, &b, rte_rdtsc() + cycles / WARM_UP, &warm_up);
	if (ret == 0)
		ret = device_until(s, &b, rte_rdtsc() + cycles, work);
	helper_switch(h, NULL);
	bench_mbufs_drop(&b);
	return ret == 0 ? bench_side_check(s) : ret;
}
