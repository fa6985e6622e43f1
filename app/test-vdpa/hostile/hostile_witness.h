/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_WITNESS_H
#define HOSTILE_WITNESS_H

/**
 * @file
 * The witness: a good guest on a second device of the attacked process. Whatever happens to the
 * first device, the second one must answer and move frames.
 */

#include <stdint.h>

#include "stats.h"

struct guest;
struct guest_link;

/** Longest wait for an answer or a frame, ms: far above what a busy machine needs. */
#define HOSTILE_WITNESS_MS 5000

struct hostile_witness {
	/** Socket on which the second device listens; NULL: there is no witness. */
	const char *path;
	struct guest *g;
	struct guest_link *l;
	/** Times to an answer. */
	struct stats times;
	/** Why the last function failed. */
	char why[160];
};

/** Begin without a connection; @p path NULL: all other functions do nothing and return 0. */
void hostile_witness_init(struct hostile_witness *w, const char *path);
/** Connect, set up one queue pair and wait for frames. Does nothing if it is connected. */
int hostile_witness_open(struct hostile_witness *w);
/** Ask for the features and wait for the answer. @return 0 or -EPROTO with w->why */
int hostile_witness_probe(struct hostile_witness *w);
/** The same, and wait until frames come back that were sent after this call. */
int hostile_witness_flow(struct hostile_witness *w);
/**
 * Ask for the features, stop the rings by GET_VRING_BASE, set them up again where they stopped, and
 * wait for frames. @return 0 or -EPROTO with w->why; the connection is closed after an error
 */
int hostile_witness_round(struct hostile_witness *w);
void hostile_witness_close(struct hostile_witness *w);

#endif /* HOSTILE_WITNESS_H */
