/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONSOLE_CLASS_H
#define VSTATE_CONSOLE_CLASS_H

/** @file The table of the console class. */

#include "dev/vstate_class.h"

extern const struct vstate_class vstate_console_class;

#endif /* VSTATE_CONSOLE_CLASS_H */
