/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CONFORM_PARTS_H
#define CONFORM_PARTS_H

#include "conform.h"

struct conform_item;

/** Items of "Device parts"; the last one has no name. */
extern const struct conform_item conform_parts_items[];

#endif /* CONFORM_PARTS_H */
