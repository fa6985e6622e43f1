/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_BLK_H
#define VHOST_STATE_BLK_H

/**
 * @file
 * Block device (VIRTIO "Block Device").
 */

#include "vhost_state_class.h"

extern const struct vhost_state_class vhost_state_blk;

#endif /* VHOST_STATE_BLK_H */
