/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_CLASS_H
#define VSTATE_BLK_CLASS_H

/** @file The table of the block class. */

#include "dev/vstate_class.h"

extern const struct vstate_class vstate_blk_class;

#endif /* VSTATE_BLK_CLASS_H */
