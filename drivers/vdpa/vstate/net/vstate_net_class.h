/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_CLASS_H
#define VSTATE_NET_CLASS_H

/** @file The table of the network class. */

#include "dev/vstate_class.h"

extern const struct vstate_class vstate_net_class;

#endif /* VSTATE_NET_CLASS_H */
