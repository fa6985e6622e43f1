/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_PRIV_H
#define MIGRATE_PRIV_H

/**
 * @file
 * What the files of the migrate command share: a run, and how a state gets from one back end
 * to the other.
 */

#include <rte_common.h>

#include "migrate.h"

#define MIGRATE_SUSPEND_US 1000000

/** A run. */
struct migrate {
	const struct migrate_options *opt;
	struct backend *const *be;
	const char *state_path;
	struct migrate_result *res;
	struct guest *guest;
	struct guest_link *link[2];
	/** Which of the two has the rings. */
	unsigned int active;
	uint64_t start_ns;
	/** This round's move is to fail, and the source to go on. */
	bool must_fail;
	/** A move to a back end that was killed has failed as it should; it is to come again. */
	bool killed;
};

/** How far the destination's link is set up before the source stops. */
enum migrate_ready {
	/** Connected; the state comes before features and rings. */
	MIGRATE_OPENED,
	/** Features negotiated; rings are set up with what the source says at its stop. */
	MIGRATE_NEGOTIATED,
	/** All but DRIVER_OK. */
	MIGRATE_PREPARED,
};

/** One way of a state from one back end to the other. All return 0, or -1 after migrate_fail(). */
struct migrate_via {
	const char *name;
	const char *help;
	enum migrate_ready ready;
	/** It needs the status byte's SUSPEND. */
	bool suspend_feature;
	/** Only devices with sockets of their own. */
	bool net_only;
	/** The whole state is seen on its way: it can be checked, and spoilt on purpose. */
	bool whole;
	/** The back ends note in a region what they have in flight. */
	bool region;
	/** Bring the source to rest. */
	int (*stop)(struct migrate *m);
	/** Carry the state over; the destination is then ready for DRIVER_OK. */
	int (*carry)(struct migrate *m, unsigned int to);
	/** Let the source go on. */
	int (*back)(struct migrate *m);
};

/** Keep the first failure: what follows is its consequence. Returns -1. */
int migrate_fail(struct migrate *m, const char *fmt, ...) __rte_format_printf(2, 3);
int migrate_fail_state(struct migrate *m, unsigned int who, const char *verb, int ret,
		const struct rte_vhost_state_error *err);
/** A whole state was captured: check it, spoil it, as was asked for. */
int migrate_state_seen(struct migrate *m, unsigned int to, struct rte_vhost_state *st);

/** Connect to back end @p who, and set up its link as far as @p ready says. */
int migrate_link_open(struct migrate *m, unsigned int who, enum migrate_ready ready);
void migrate_link_close(struct migrate *m, unsigned int who);
/** Let the device behind a link have the rings. */
int migrate_link_run(struct migrate *m, unsigned int who);
/** Wait until each queue pair has got a frame through the device that has the rings. */
int migrate_flow_wait(struct migrate *m);

/* ---- migrate_kill.c ---- */

/** Kill the back end under load, and go on with another one. */
int migrate_kill_round(struct migrate *m);

/* ---- migrate_causal.c ---- */

/**
 * Whether a captured state of causal traffic is one instant: no frame was received or sent
 * whose cause is not in the state.
 * @param why written if it is not
 */
bool migrate_causal_holds(const struct rte_vhost_state *st, char *why, size_t size);

/* ---- migrate_inflight.c ---- */

/** Have buffers in flight in a captured state, as many of those available as were asked for. */
int migrate_inflight_make(struct migrate *m, struct rte_vhost_state *st);
/** The same in the in-flight region, and in the bases that back end @p to gets. */
int migrate_inflight_mark(struct migrate *m, unsigned int to);
/** The move failed: the source, which holds none of them, goes on. */
void migrate_inflight_forget(struct migrate *m);

/* ---- migrate_fail.c ---- */

/** Whether move number @p move is one of those that are to fail. */
bool migrate_fail_due(const struct migrate_options *opt, uint64_t move);
/** Change a state, or kill who is to take it, so that the move cannot succeed. */
int migrate_fail_arrange(struct migrate *m, unsigned int to, struct rte_vhost_state *st);

/* ---- migrate_upgrade.c ---- */

/** A new process takes over from the one that has the device. */
int migrate_upgrade_round(struct migrate *m);

#endif /* MIGRATE_PRIV_H */
