/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_RESTORE_H
#define VSTATE_RESTORE_H

/**
 * @file
 * A state that was restored or loaded waits here for its rings, and is the first keeper that is
 * asked when they come. A state that does not fit is refused here: what can be checked at once is
 * checked at once, the rest when the rings come. Control lock held.
 */

#include <stdbool.h>

#include "vstate_resume_point.h"

struct rte_vhost_state_error;

extern const struct vstate_keeper vstate_restore_keeper;

/**
 * Let a copy of @p st wait for the rings, in place of one that waits already.
 * @param early  the front end has not set up anything yet, as with DEVICE_STATE
 * @return 0; -errno with the reason in @p err, and what waited before still waits
 */
int vstate_restore_set(struct vstate_dev *dev, const struct rte_vhost_state *st, bool early,
		struct rte_vhost_state_error *err);
/** Forget the state that waits, if there is one. */
void vstate_restore_drop(struct vstate_dev *dev);

/** What the rings of a state must fit; other limits are as wide as they can be. */
void vstate_restore_limits_of_rings(const struct vstate_dev *dev,
		struct rte_vhost_state_limits *lim);
/** What a state must fit: the limits of the rings and of the class. */
void vstate_restore_limits(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim);

#endif /* VSTATE_RESTORE_H */
