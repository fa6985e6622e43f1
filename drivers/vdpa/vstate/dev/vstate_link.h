/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_LINK_H
#define VSTATE_LINK_H

/** @file Whether the guest is there with its driver, for the class to show as its link. */

struct vstate_dev;

/** Show it as it is now. Control lock. */
void vstate_link_update(struct vstate_dev *dev);

#endif /* VSTATE_LINK_H */
