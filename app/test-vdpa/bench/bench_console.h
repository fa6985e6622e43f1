/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_CONSOLE_H
#define BENCH_CONSOLE_H

/**
 * @file
 * bench --class console: bytes of one port in one direction. This thread is both the driver, which
 * keeps buffers available, and the peer at the port's socket. The thread of the device moves the
 * bytes. No thread is bound to a processor.
 */

#include <stdbool.h>
#include <stdint.h>

struct bench_console_case {
	const char *name;
	bool packed;
	/** From the driver to the peer, or from the peer to the driver. */
	bool to_host;
	/** Bytes of a buffer. */
	uint32_t bytes;
};

struct bench_console_result {
	/** 10^9 bytes a second: median and most of the slices. */
	double median, max;
	/** TSC cycles for each byte of the device's thread, with those of the kernel. */
	double cycles;
	uint64_t bytes;
};

/** The cases; nb is written. */
const struct bench_console_case *bench_console_cases(unsigned int *nb);
/**
 * Run one case.
 * @param socket  of a console of this process that has one port
 * @param port    the port's socket
 * @return 0; -errno, reported on stderr: also -EIO if the other side has not got each byte
 */
int bench_console_run(const struct bench_console_case *c, const char *socket, const char *port,
		double seconds, struct bench_console_result *res);

#endif /* BENCH_CONSOLE_H */
