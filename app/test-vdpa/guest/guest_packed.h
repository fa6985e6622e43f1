/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_PACKED_H
#define GUEST_PACKED_H

#include "guest_ring.h"

/** The driver of a packed virtqueue. */
extern const struct guest_ring_ops guest_packed_ops;

#endif /* GUEST_PACKED_H */
