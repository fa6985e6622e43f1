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
#include <stdint.h>
#include <sys/types.h>

/** The back end, and what to do to it. */
struct hostile_conf {
	const char *path;
	/** The back end connects to the tool. */
	bool server;
	bool split, packed;
	/**
	 * Names of cases, with commas; "all"; "door": those of half messages, floods and descriptors;
	 * alone: "fuzz": random messages; "connects": a table of many connections.
	 */
	const char *name;
	/** Socket on which a second device of the same process listens; NULL: none. */
	const char *witness;
	/** The back end's process; 0: the one that the socket names. */
	pid_t pid;
	/** rte_vhost reads the messages: skip the cases that it does not survive. */
	bool rte_vhost;
	/** Connections of a case that makes many. */
	uint32_t rounds;
	/** Random messages: their seed, and for how long. */
	uint64_t seed;
	double seconds;
	/** Resident memory by which a case or the random messages may let the back end grow. */
	uint32_t rss_limit_mb;
	/** Time for which a message that does not end is held. */
	uint32_t hold_ms;
	/** A queue that the guest broke must set NEEDS_RESET, and no other case may set it. */
	bool expect_reset;
	/** Report what the back end did. */
	bool verbose;
};

/** Default of rounds, of rss_limit_mb. */
#define HOSTILE_ROUNDS 1000
#define HOSTILE_RSS_LIMIT_MB 64

/** Print names and descriptions of the cases. */
void hostile_list(void);
/**
 * Run the cases and print one line for each: PASS, FAIL or SKIP, and the name. When the back end
 * has ended, the other cases are not run.
 * @return 0 if no case failed and at least one passed
 */
int hostile_run(const struct hostile_conf *conf);

#endif /* HOSTILE_H */
