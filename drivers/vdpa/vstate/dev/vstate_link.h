/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_LINK_H
#define VSTATE_LINK_H

/** @file Whether the guest and its driver are present. The class shows it as its link. */

struct vstate_dev;

/** Report the current link to the class. Control lock held. */
void vstate_link_update(struct vstate_dev *dev);

#endif /* VSTATE_LINK_H */
