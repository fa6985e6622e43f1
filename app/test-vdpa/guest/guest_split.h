/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_SPLIT_H
#define GUEST_SPLIT_H

#include "guest_ring.h"

/** The driver of a split virtqueue. */
extern const struct guest_ring_ops guest_split_ops;

#endif /* GUEST_SPLIT_H */
