/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_RECOVER_H
#define VSTATE_RECOVER_H

/**
 * @file
 * The state file as a keeper: what a killed or orderly ended owner left there is applied to the rings.
 * It is better than the base of the front end, which does not know where the owner stopped. QEMU
 * reads the used index of a split ring from the guest's memory, as is done here, but of a packed
 * ring QEMU knows only where it once began.
 *
 * Control lock held, no poll thread inside.
 */

#include "dev/vstate_resume_point.h"

extern const struct vstate_keeper vstate_recover_keeper;

/** Free what was left by a previous owner, applied or not. Nothing is done without it. */
void vstate_recover_drop(struct vstate_dev *dev);

#endif /* VSTATE_RECOVER_H */
