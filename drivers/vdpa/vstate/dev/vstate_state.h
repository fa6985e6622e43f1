/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_STATE_H
#define VSTATE_STATE_H

/**
 * @file
 * Suspend, capture, restore, resume: the operations of rte_vhost_state on a device. Each takes the
 * control lock, checks the legal order first, and times itself.
 */

#include <stdint.h>

#include "rte_vhost_state.h"

struct vstate_dev;

/** A wait longer than this for a poll thread is an error, if the caller has no bound of its own. */
#define VSTATE_SUSPEND_TIMEOUT_NS 1000000000ull

/** For rte_vhost_state_register(). */
extern const struct rte_vhost_state_ops vstate_state_ops;

/**
 * The state for a front end that asks for it: as it was when the rings were taken back, or as it
 * is now if the device is suspended.
 * @param st written: the caller's; NULL for a device that never started
 * @return 0 or -errno with the reason in @p err
 */
int vstate_state_save(struct vstate_dev *dev, struct rte_vhost_state **st,
		struct rte_vhost_state_error *err);
/**
 * A front end brings a state before it sets the device up. What can be checked now is checked, the
 * rest at start.
 * @param st NULL: the state of a device that never started
 * @return 0 or -errno with the reason in @p err
 */
int vstate_state_load(struct vstate_dev *dev, const struct rte_vhost_state *st,
		struct rte_vhost_state_error *err);

/* Control lock held. */

/** The state as it is, of a device that is quiesced; the caller's. NULL without memory. */
struct rte_vhost_state *vstate_state_collect(const struct vstate_dev *dev);
/** Suspend within @p timeout_ns; -errno with the reason in @p err, and nothing changed. */
int vstate_state_suspend(struct vstate_dev *dev, uint64_t timeout_ns,
		struct rte_vhost_state_error *err);
/** Resume; -errno with the reason in @p err, and nothing changed. */
int vstate_state_resume(struct vstate_dev *dev, struct rte_vhost_state_error *err);

#endif /* VSTATE_STATE_H */
