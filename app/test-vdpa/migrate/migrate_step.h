/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_STEP_H
#define MIGRATE_STEP_H

/**
 * @file
 * A run of the migrate subcommand, and the steps that its rounds are made of.
 * All steps return 0, or -1 after migrate_fail().
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_vhost_state.h>

#include "migrate.h"
#include "reason.h"

#define MIGRATE_SUSPEND_US 1000000

struct backend;
struct guest;
struct guest_link;

/** A run. */
struct migrate {
	const struct migrate_options *opt;
	struct backend *const *be;
	const char *state_path;
	struct migrate_result *res;
	struct guest *guest;
	struct guest_link *link[2];
	/** Index of the back end that runs the rings. */
	unsigned int active;
	uint64_t start_ns;
	/** The move of this round must fail; then the source resumes. */
	bool must_fail;
	/** The destination was killed to make the move fail. It must be started again. */
	bool killed;
};

/** How far the destination's link is set up before the source stops. */
enum migrate_ready {
	/** Connected; the state comes before features and rings. */
	MIGRATE_OPENED,
	/** Features negotiated; the rings are set up with the source's answers to its stop. */
	MIGRATE_NEGOTIATED,
	/** All but DRIVER_OK. */
	MIGRATE_PREPARED,
};

/** One carrier: how a state gets from one back end to the other. */
struct migrate_via {
	const char *name;
	const char *help;
	enum migrate_ready ready;
	/** It needs SUSPEND in the status byte. */
	bool suspend_feature;
	/** It needs devices with sockets of their own. */
	bool net_only;
	/** The tool sees the whole state, so it can check and spoil it. */
	bool whole;
	/** The back ends mark their buffers in an in-flight region. */
	bool region;
	/** Stop the source. */
	int (*stop)(struct migrate *m);
	/** Carry the state to back end @p to, which is then ready for DRIVER_OK. */
	int (*carry)(struct migrate *m, unsigned int to);
	/** Resume the source after a move that failed. */
	int (*back)(struct migrate *m);
};

/** Record a failure. Only the first one is kept: the others follow from it. @return -1 */
#define migrate_fail(m, ...) \
	reason_keep(-1, (m)->res->failure, sizeof((m)->res->failure), __VA_ARGS__)
/** Record that back end @p idx cannot @p verb, with the reason in @p err or @p ret. @return -1 */
int migrate_fail_state(struct migrate *m, unsigned int idx, const char *verb, int ret,
		const struct rte_vhost_state_error *err);

/** Connect to back end @p idx, and set up its link as far as @p ready says. */
int migrate_link_open(struct migrate *m, unsigned int idx, enum migrate_ready ready);
void migrate_link_close(struct migrate *m, unsigned int idx);
/** Write DRIVER_OK to back end @p idx: it runs the rings from now on. */
int migrate_link_run(struct migrate *m, unsigned int idx);
/** Longest time in ms in which a queue pair may receive no frame. */
int migrate_flow_ms(const struct migrate *m);
/** Wait until each queue pair received a frame through the active back end. */
int migrate_flow_wait(struct migrate *m);

#endif /* MIGRATE_STEP_H */
