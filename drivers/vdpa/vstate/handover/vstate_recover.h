/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_RECOVER_H
#define VSTATE_RECOVER_H

/**
 * @file
 * The state file as a keeper: the state that the old process left is applied to the rings. It is
 * better than the front end's base, because the front end does not know where the old process
 * stopped. For a split ring, QEMU reads the used index from the guest's memory, and so does this
 * file. For a packed ring, QEMU knows only where the ring once started.
 *
 * Control lock held, no poll thread inside.
 */

#include "dev/vstate_resume_point.h"

extern const struct vstate_keeper vstate_recover_keeper;

/** Free the state that the previous owner left, if there is one. */
void vstate_recover_drop(struct vstate_dev *dev);

#endif /* VSTATE_RECOVER_H */
