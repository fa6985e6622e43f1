/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_CASE_H
#define BENCH_CASE_H

/**
 * @file
 * The list of cases that are measured, each with a name.
 */

#include <stdbool.h>
#include <stdint.h>

/** Most frames of a queue pair in one turn; most queue pairs. */
#define BENCH_MAX_FILL 256
#define BENCH_MAX_PAIRS 64

enum bench_op {
	/** The guest sends, the device receives and frees. */
	BENCH_DEQUEUE,
	/** The device sends, the guest receives. */
	BENCH_ENQUEUE,
	/** The device sends back what it receives. */
	BENCH_LOOP,
	/** The device polls an empty queue. */
	BENCH_IDLE,
};

struct bench_case {
	char name[48];
	enum bench_op op;
	bool packed, in_order, mergeable, indirect, log;
	/** Bytes of a frame, without virtio header and FCS. */
	uint32_t frame;
	uint16_t pairs, burst, ring_size;
	/** Frames of each queue pair in one turn. */
	uint32_t fill;
	/** Descriptors of a frame that the guest sends. */
	uint16_t tx_segs;
};

/** Case number @p pos; NULL past the last one. */
const struct bench_case *bench_case_get(unsigned int pos);
/** True if @p name matches a shell pattern in @p list, which has commas between patterns. */
bool bench_case_match(const char *list, const char *name);

#endif /* BENCH_CASE_H */
