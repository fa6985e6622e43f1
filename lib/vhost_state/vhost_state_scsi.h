/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_SCSI_H
#define VHOST_STATE_SCSI_H

/**
 * @file
 * SCSI host (VIRTIO "SCSI Host Device").
 */

#include "vhost_state_class.h"

extern const struct vhost_state_class vhost_state_scsi;

#endif /* VHOST_STATE_SCSI_H */
