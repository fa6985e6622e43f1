/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_H
#define MIGRATE_H

/**
 * @file
 * The migrate subcommand: a device's state moves back and forth between two back ends while a guest
 * sends and checks numbered frames. Here: its options and its result.
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "guest_traffic.h"
#include "stats.h"

/** Memory in MB that EAL gets in a process with a device of up to 64 queue pairs. */
#define MIGRATE_MEMORY_MB 1024

struct migrate_break;
struct migrate_via;

struct migrate_options {
	/** 0: no limit except seconds. */
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
	/** The second back end runs in another process. */
	bool process;
	/** The devices have no sockets of their own; rte_vdpa attaches them to sockets. */
	bool vdpa;
	/** The back ends are rte_vhost's own data path, without a vstate device. */
	bool plain;
	bool json;
	bool verbose;
	/** How to spoil the first captured state; NULL: not at all. */
	const struct migrate_break *breakage;
	const struct migrate_via *via;
	/** Frames of all pairs depend on each other; captured states are checked for that. */
	bool causal;
	/** Every move with a multiple of this number fails; 0: none. */
	uint64_t fail_every;
	/** Most buffers of each virtqueue that are in flight at a stop; 0: none. */
	uint32_t inflight;
	/** The back end is killed and started again instead of stopped. */
	bool kill;
	/** A new process takes over the device from the old process. */
	bool upgrade;
	/** With upgrade: the guest's connection is not handed over; the guest connects again. */
	bool reconnect;
	/** With kill or upgrade: where the back end keeps its state file. */
	char state_dir[PATH_MAX];
	/** One buffer in flight is used before an older one. */
	bool overtake;
	/** The guest has a control queue, and its settings must move with the device. */
	bool cvq;
	/** Empty: a private file. */
	char state_file[PATH_MAX];
};

/** Result of a run. */
struct migrate_result {
	uint64_t rounds;
	/** Moves that failed on purpose. */
	uint64_t failed_moves;
	/** New processes that got the guest's connection together with the device. */
	uint64_t kept;
	/** Captured states of causal traffic that showed one instant. */
	uint64_t causal_states;
	/** Buffers that were in flight at a stop, and frames that overtook another one there. */
	uint64_t inflight, overtaken;
	/** Times that the settings of the control queue were compared. */
	uint64_t cvq_compared;
	/** Most frames that killed back ends may have lost. */
	uint64_t lost_allowed;
	struct guest_counts counts;
	struct stats suspend, capture_restore, blackout;
	/** Duration of the rounds. */
	uint64_t elapsed_ns;
	/** Why the run ended early; empty if it did not. */
	char failure[512];
	/** First error that the guest found; empty if there is none. */
	char guest_error[256];
	/** How the state was spoilt; empty if it was not. */
	char broken[128];
};

#endif /* MIGRATE_H */
