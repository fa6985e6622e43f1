/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_RESTORE_H
#define VSTATE_RESTORE_H

/**
 * @file
 * A state that was restored or loaded waits here until the front end sets its rings up. It is the
 * first keeper that is asked where a ring resumes. A state that does not fit is refused here. Part
 * of the checks need the rings and run when the rings are set up. Control lock held.
 */

#include <stdbool.h>

#include "vstate_resume_point.h"

struct rte_vhost_state_error;

extern const struct vstate_keeper vstate_restore_keeper;

/**
 * Check @p st and keep a copy of it until the rings are set up. The copy replaces a state that
 * waits already.
 * @param early  the front end has not set up anything yet, as with DEVICE_STATE
 * @return 0; -errno with the reason in @p err, and the state that waited before is unchanged
 */
int vstate_restore_set(struct vstate_dev *dev, const struct rte_vhost_state *st, bool early,
		struct rte_vhost_state_error *err);
/** Drop the state that waits, if there is one. */
void vstate_restore_drop(struct vstate_dev *dev);

/** Write the limits for the rings of a state. All other limits are as wide as possible. */
void vstate_restore_limits_of_rings(const struct vstate_dev *dev,
		struct rte_vhost_state_limits *lim);
/** Write all limits for a state: those of the rings and those of the class. */
void vstate_restore_limits(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim);

#endif /* VSTATE_RESTORE_H */
