/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_H
#define MIGRATE_H

/**
 * @file
 * The main job: a device's state moves to and fro between two back ends while a
 * guest sends and checks numbered frames.
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "backend.h"
#include "guest.h"
#include "migrate_break.h"
#include "stats.h"

/** Memory that EAL gets in a process with a device of up to 64 queue pairs. */
#define MIGRATE_MEMORY_MB 1024

struct migrate_via;
/** NULL if there is none of this name. */
const struct migrate_via *migrate_via_find(const char *name);
void migrate_via_help(FILE *f);

struct migrate_options {
	/** 0: no limit, as long as seconds. */
	uint64_t rounds;
	uint16_t pairs;
	bool packed;
	uint16_t ring_size;
	/** 0: no limit. */
	unsigned int seconds;
	uint64_t seed;
	uint32_t frame_min, frame_max;
	uint64_t rate;
	uint64_t features;
	bool any_layout;
	/** The second back end lives in another process. */
	bool process;
	/** The devices have no sockets of their own, but are attached through rte_vdpa. */
	bool vdpa;
	/** Neither: the back ends are rte_vhost's own data path. */
	bool plain;
	bool json;
	bool verbose;
	const struct migrate_break *breakage;
	const struct migrate_via *via;
	/** Frames of all pairs depend on each other; captured states are checked for that. */
	bool causal;
	/** Each move of this number fails; 0: none. */
	uint64_t fail_every;
	/** Buffers of each virtqueue that are in flight at a stop, at most; 0: none. */
	uint32_t inflight;
	/** The back end is killed and comes again, instead of being stopped. */
	bool kill;
	/** The back end's process gives way to a new one that asks for the device. */
	bool upgrade;
	/** The guest is to connect to it, and not to be taken over as well. */
	bool reconnect;
	/** Where it leaves its page then. */
	char state_dir[PATH_MAX];
	/** One of them is used ahead of another one. */
	bool overtake;
	/** Empty: a private one. */
	char state_file[PATH_MAX];
};

/** What came out. */
struct migrate_result {
	uint64_t rounds;
	/** Moves that failed as they were to. */
	uint64_t failed_moves;
	/** New processes that got the guest's connection with the device. */
	uint64_t kept;
	/** Captured states of causal traffic that were one instant. */
	uint64_t causal_states;
	/** Buffers that were in flight at a stop, and frames that overtook another one there. */
	uint64_t inflight, overtaken;
	/** Frames that killed back ends may have had in their hands. */
	uint64_t lost_allowed;
	struct guest_counts counts;
	struct stats suspend, capture_restore, blackout;
	/** How long the rounds took. */
	uint64_t elapsed_ns;
	/** Why it ended before its time; empty if it did not. */
	char failure[512];
	/** What the guest found wrong first; empty if nothing. */
	char guest_error[256];
	/** What was done to the state; empty if nothing was. */
	char broken[128];
};

/**
 * Read the command line.
 * @return 0; 1 if all is done (--help); -EINVAL, told on stderr
 */
int migrate_options_parse(struct migrate_options *opt, int argc, char **argv);

/**
 * Move the state between be[0], which starts, and be[1]. The devices are there and
 * have sockets. Fills @p res, whose failure tells what went wrong.
 */
void migrate_run(const struct migrate_options *opt, struct backend *const be[2],
		const char *state_path, struct migrate_result *res);

/** True if all rounds ran and every frame was seen once, in order and whole. */
bool migrate_held(const struct migrate_result *res);

/** Print the report for people, or as JSON. */
void migrate_report(const struct migrate_options *opt, struct migrate_result *res, FILE *f);
void migrate_result_free(struct migrate_result *res);

#endif /* MIGRATE_H */
