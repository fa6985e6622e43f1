/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_OPS_H
#define VSTATE_NET_OPS_H

/** @file Which build of the bursts this processor runs; see ring/vstate_isa.h. */

#include <stdbool.h>

struct vstate_vq_ops;

/** Return the bursts for a ring layout, and for what the user allows of the processor. */
const struct vstate_vq_ops *vstate_net_ops(bool packed);

#endif /* VSTATE_NET_OPS_H */
