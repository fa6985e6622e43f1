/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_H
#define HOSTILE_H

/**
 * @file
 * Guests and front ends that misbehave, one way in each case, and the check that the back end took
 * no harm.
 */

#include <stdbool.h>

/** The back end, and what to do to it. */
struct hostile_conf {
	const char *path;
	/** The back end connects to the tool. */
	bool server;
	bool split, packed;
	/** Name of a case, or "all". */
	const char *name;
	/** A queue that the guest broke must set NEEDS_RESET, and no other case may set it. */
	bool expect_reset;
	/** Report what the back end did. */
	bool verbose;
};

/** Print names and descriptions of the cases. */
void hostile_list(void);
/**
 * Run the cases and print one line for each: PASS, FAIL or SKIP, and the name.
 * @return 0 if no case failed and at least one passed
 */
int hostile_run(const struct hostile_conf *conf);

#endif /* HOSTILE_H */
