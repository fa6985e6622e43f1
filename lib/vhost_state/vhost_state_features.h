/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_FEATURES_H
#define VHOST_STATE_FEATURES_H

/**
 * @file
 * Feature bits that the library itself looks at.
 */

#include <rte_bitops.h>

/* VIRTIO_F_RING_PACKED: the only feature that changes the meaning of a field of the model. */
#define VHOST_STATE_F_RING_PACKED	34

/*
 * VHOST_F_LOG_ALL (26) and VHOST_USER_F_PROTOCOL_FEATURES (30) use the feature words of vhost
 * messages. Front end and back end agree on them; device and driver do not. A live migration sets
 * the first one at the source only, so no comparison includes these bits.
 */
#define VHOST_STATE_F_TRANSPORT (RTE_BIT64(26) | RTE_BIT64(30))

#endif /* VHOST_STATE_FEATURES_H */
