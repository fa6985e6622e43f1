/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_STATUS_H
#define VSTATE_STATUS_H

/**
 * @file
 * The device status byte, as the driver writes and reads it (VIRTIO "Device Status Field"). Each
 * function takes the control lock.
 */

#include <stdint.h>

struct vstate_dev;

/** The driver wrote the status byte. A step that is not legal is logged and changes nothing. */
void vstate_status_write(struct vstate_dev *dev, uint8_t status);
/** Return the status byte, with NEEDS_RESET if a queue is broken. */
uint8_t vstate_status_read(struct vstate_dev *dev);

#endif /* VSTATE_STATUS_H */
