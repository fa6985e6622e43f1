/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Bursts of frames through split rings; compiled for each instruction set. */

#define LAYOUT_PACKED 0
#define LAYOUT_OPS VSTATE_ISA_NAME(vstate_net_split_ops)

#include "vstate_net_burst_ops.h"
