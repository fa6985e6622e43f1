/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_SOCKET_H
#define BENCH_SOCKET_H

/**
 * @file
 * The benchmark with back ends of other processes: a guest for each, in turns.
 *
 * The cycles of a back end are not visible from outside. Visible is how many frames a second pass
 * through it while the guest has a core of its own.
 * All functions return 0 or -errno, and report errors on stderr.
 */

#include <stdio.h>

#include "bench.h"

#define BENCH_SOCKETS_MAX 8

/** A back end: its name in the report, and the socket at which it listens. */
struct bench_socket {
	char name[16];
	char path[108];
};

struct bench_sockets {
	struct bench_socket v[BENCH_SOCKETS_MAX];
	unsigned int nb;
};

/** Rates of one back end in one case, in millions of frames a second. */
struct bench_socket_figures {
	double min, median, max;
	/** Median of the ratios to the first back end's neighbouring slices. */
	double ratio;
};

struct bench_socket_result {
	const struct bench_case *c;
	size_t slices;
	struct bench_socket_figures side[BENCH_SOCKETS_MAX];
	bool failed;
};

/** Add "NAME=PATH". @return -EINVAL (no such word), -E2BIG, -EEXIST */
int bench_socket_add(struct bench_sockets *socks, const char *word);
/** Run one case. r->failed is set if it failed. */
int bench_socket_case(const struct bench_sockets *socks, const struct bench_conf *conf,
		const struct bench_case *c, struct bench_socket_result *r);

#endif /* BENCH_SOCKET_H */
