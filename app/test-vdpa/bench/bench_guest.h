/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

/**
 * @file
 * A guest for the benchmark. It uses the memory and the front end of the tool's guest, but the fast
 * ring driver of bench_ring.c.
 */

#include "bench_case.h"
#include "bench_ring.h"

struct bench_guest {
	struct guest *g;
	struct guest_link *link;
	const struct bench_case *c;
	/** Virtqueues by index: even receive, odd transmit. */
	struct bench_vq *vqs;
	int log_fd;
};

/** Features that a guest of case @p c negotiates. */
uint64_t bench_guest_want(const struct bench_case *c);
/** Create a guest that negotiates exactly @p features. @return NULL with rte_errno */
struct bench_guest *bench_guest_create(const struct bench_case *c, uint64_t features);
void bench_guest_destroy(struct bench_guest *bg);
/** Connect, set the device up to DRIVER_OK, and enable dirty logging if the case has it. */
int bench_guest_connect(struct bench_guest *bg, const char *path);
/** After a stop of all rings: set the device up to DRIVER_OK again. */
int bench_guest_restart(struct bench_guest *bg);

static inline struct bench_vq *
bench_guest_rx(const struct bench_guest *bg, uint16_t pair)
{
	return &bg->vqs[2 * pair];
}

static inline struct bench_vq *
bench_guest_tx(const struct bench_guest *bg, uint16_t pair)
{
	return &bg->vqs[2 * pair + 1];
}

#endif /* BENCH_GUEST_H */
