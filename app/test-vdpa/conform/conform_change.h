/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CONFORM_CHANGE_H
#define CONFORM_CHANGE_H

#include "conform.h"

struct conform_item;

/** Items about changes to a suspended device, and its start; the last one has no name. */
extern const struct conform_item conform_change_items[];

#endif /* CONFORM_CHANGE_H */
