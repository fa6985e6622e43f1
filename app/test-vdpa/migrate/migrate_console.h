/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_CONSOLE_H
#define MIGRATE_CONSOLE_H

/**
 * @file
 * migrate --class console: a console moves back and forth between two back ends, or its back end is
 * killed or taken over by another process, while numbered bytes flow in both directions.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "guest_console.h"
#include "stats.h"

struct backend;
struct rte_vhost_state;

/** Spoiled in the state of each move. */
enum migrate_console_fault {
	CONSOLE_FAULT_NONE,
	/** The part of a buffer that is transferred is forgotten. */
	CONSOLE_FAULT_REPEAT,
	/** One byte of the buffer is skipped. */
	CONSOLE_FAULT_SKIP,
	/** The bytes that were read ahead are forgotten. */
	CONSOLE_FAULT_AHEAD,
	CONSOLE_FAULT_MAX
};

struct migrate_console_options {
	uint64_t rounds;
	struct console_conf conf;
	/** By the bases only: the source returns all buffers. Else by the state. */
	bool by_base;
	/** The second back end runs in another process; all of them are killed. */
	bool process, kill;
	/** A new process takes the device over from the one before. */
	bool upgrade;
	bool json, verbose;
	enum migrate_console_fault fault;
	/** Socket of the port of each back end. */
	char host[2][sizeof(((struct sockaddr_un *)0)->sun_path)];
};

struct migrate_console_result {
	uint64_t rounds;
	/** Stops with a part of a buffer transferred, and with bytes read ahead; those bytes. */
	uint64_t half, ahead, ahead_bytes;
	/** Buffers in flight at the kills. */
	uint64_t in_flight;
	/** Upgrades in which the driver kept its connection. */
	uint64_t kept;
	struct console_counts counts;
	struct stats stop, blackout;
	char failure[256];
};

/** @return the name of a fault, or NULL */
const char *migrate_console_fault_name(enum migrate_console_fault fault);
/** Run the moves on back ends that exist. @return whether no byte was lost, doubled or wrong */
bool migrate_console_run(const struct migrate_console_options *opt, struct backend *const be[2],
		struct migrate_console_result *res);

#endif /* MIGRATE_CONSOLE_H */
