/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_H
#define HOSTILE_H

/**
 * @file
 * Guests and front ends that misbehave, one way each, and the check that the
 * back end took no harm.
 */

#include <stdbool.h>

/** Where to find the back end, and what to do to it. */
struct hostile_conf {
	const char *path;
	/** The back end connects to us. */
	bool server;
	bool split, packed;
	/** One case, or "all". */
	const char *name;
	/** A queue that the guest broke must show in the device status, and no other may. */
	bool expect_reset;
	/** Say what the back end did. */
	bool verbose;
};

/** Print names and descriptions. */
void hostile_list(void);
/** Run, one line a case: PASS, FAIL or SKIP and the name. 0 only if none failed and one passed. */
int hostile_run(const struct hostile_conf *conf);

#endif /* HOSTILE_H */
