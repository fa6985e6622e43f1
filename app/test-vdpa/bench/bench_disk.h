/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_DISK_H
#define BENCH_DISK_H

/**
 * @file
 * bench --class blk and scsi: TSC cycles of the device for each request. The guest fills the ring,
 * then the device's service runs once, in turn on this thread; only the service is timed.
 */

#include <stdbool.h>
#include <stdint.h>

struct backend;
struct disk_codec;

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

/** A device of this process, and its class. */
struct bench_disk_device {
	const struct backend *be;
	const struct disk_codec *codec;
};

/**
 * Run one case on some devices, which take turns.
 * @param seconds  time for each device
 * @param res      written: a result for each device
 * @return 0; -errno, reported on stderr
 */
int bench_disk_run(const struct bench_disk_case *c, const struct bench_disk_device *devices,
		unsigned int nb_devices, uint16_t depth, double seconds,
		struct bench_disk_result *res);

#endif /* BENCH_DISK_H */
