/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Bursts of frames through packed rings; compiled for each instruction set. */

#include "ring/vstate_packed.h"
