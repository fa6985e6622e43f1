/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Bursts of frames through split rings; compiled for each instruction set. */

#include "ring/vstate_split.h"
