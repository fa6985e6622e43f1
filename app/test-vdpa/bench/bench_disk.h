/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_DISK_H
#define BENCH_DISK_H

/**
 * @file
 * bench --class blk: TSC cycles of the device for each request. The guest fills the ring, then the
 * device's service runs once, in turn on this thread; only the service is timed.
 */

#include <stdbool.h>
#include <stdint.h>

struct backend;

struct bench_disk_case {
	const char *name;
	bool packed, indirect;
	/** The front end has an in-flight region, so that marks are written to it too. */
	bool region;
};

struct bench_disk_result {
	/** Cycles for a request: fewest and median of the slices. */
	double min, median;
	uint64_t requests;
};

/** The cases; nb is written. */
const struct bench_disk_case *bench_disk_cases(unsigned int *nb);

/**
 * Run one case on a device of this process.
 * @return 0; -errno, reported on stderr
 */
int bench_disk_run(const struct bench_disk_case *c, const struct backend *be, uint16_t depth,
		double seconds, struct bench_disk_result *res);

#endif /* BENCH_DISK_H */
