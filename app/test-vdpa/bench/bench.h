/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_H
#define BENCH_H

/**
 * @file
 * The benchmark: net_vstate, net_vhost and a bare ring loop (the roofline) in the same run.
 * They use the same frames, rings and bursts, and take turns in short slices.
 *
 * Each of the three is a *side*: a guest of its own with the same layout, and a device that
 * processes its rings. Only the device's part is timed. All functions of the benchmark return 0 or
 * -errno unless they say otherwise.
 */

#include <stdbool.h>
#include <stdint.h>

#include "bench_case.h"

struct bench_case;
struct bench_guest;
struct bench_roof_vq;
struct rte_mempool;

enum bench_kind { BENCH_VSTATE, BENCH_VHOST, BENCH_ROOFLINE, BENCH_KINDS };

/** How cases are run. */
struct bench_conf {
	double seconds;
	uint64_t slice_us;
	bool two_core;
	/** CPUs of the device and of the guest. */
	int cpu, guest_cpu;
};

/** A port of an ethdev driver on a vhost-user socket. */
struct bench_port {
	bool present;
	char name[32];
	char path[108];
	uint16_t id;
};

/** Work of a device in a slice. */
struct bench_work {
	uint64_t cycles;
	/** Frames; in an idle case, polls. */
	uint64_t count;
	/** A step of more cycles was interrupted by other work; 0: no limit. */
	uint64_t limit;
	/** All steps, and the interrupted ones, which are not in cycles and count. */
	uint64_t steps, interrupted;
};

/** Add a step of @p cycles for @p count frames. */
static inline void
bench_work_add(struct bench_work *w, uint64_t cycles, uint64_t count)
{
	w->steps++;
	if (w->limit != 0 && cycles > w->limit) {
		w->interrupted++;
		return;
	}
	w->cycles += cycles;
	w->count += count;
}

struct bench_side {
	enum bench_kind kind;
	const struct bench_case *c;
	struct bench_port port;
	struct bench_guest *guest;
	struct rte_mempool *pool;
	/** The roofline's positions, one for each virtqueue. */
	struct bench_roof_vq *roof;
	/** Frames that the device received, sent or dropped, in all slices. */
	uint64_t taken, given, dropped;
};

#endif /* BENCH_H */
