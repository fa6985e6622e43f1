/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CONFORM_SUSPEND_H
#define CONFORM_SUSPEND_H

#include "conform.h"

struct conform_item;

/** Items of "Device Suspend"; the last one has no name. */
extern const struct conform_item conform_suspend_items[];

#endif /* CONFORM_SUSPEND_H */
