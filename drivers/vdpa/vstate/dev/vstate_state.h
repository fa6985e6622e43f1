/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_STATE_H
#define VSTATE_STATE_H

/**
 * @file
 * Suspend, capture, restore, resume: the operations of rte_vhost_state on a device. Each takes the
 * control lock, checks the legal order first, and measures its duration.
 */

#include <stdint.h>

#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"

struct vstate_dev;

/** Nanoseconds that a suspend waits for poll threads, if the caller gives no bound. */
#define VSTATE_SUSPEND_TIMEOUT_NS 1000000000ull

/** Operations for rte_vhost_state_register(). */
extern const struct rte_vhost_state_ops vstate_state_ops;

/**
 * Return the state for a front end that asks for it. It is the state of the instant when the front
 * end took the rings back, or the current state of a suspended device.
 * @param st written: owned by the caller; NULL for a device that never started
 * @return 0; -errno with the reason in @p err
 */
int vstate_state_save(struct vstate_dev *dev, struct rte_vhost_state **st,
		struct rte_vhost_state_error *err);
/**
 * Load a state from a front end that has not set the device up yet. Checks that need the rings are
 * deferred until the start.
 * @param st NULL: the state of a device that never started
 * @return 0; -errno with the reason in @p err
 */
int vstate_state_load(struct vstate_dev *dev, const struct rte_vhost_state *st,
		struct rte_vhost_state_error *err);

/* Control lock held. */

/** Return the current state of a quiesced device, owned by the caller. NULL without memory. */
struct rte_vhost_state *vstate_state_collect(const struct vstate_dev *dev);
/** Suspend within @p timeout_ns. @return 0; -errno with the reason in @p err, nothing changed */
int vstate_state_suspend(struct vstate_dev *dev, uint64_t timeout_ns,
		struct rte_vhost_state_error *err);
/** Resume. @return 0; -errno with the reason in @p err, nothing changed */
int vstate_state_resume(struct vstate_dev *dev, struct rte_vhost_state_error *err);

#endif /* VSTATE_STATE_H */
