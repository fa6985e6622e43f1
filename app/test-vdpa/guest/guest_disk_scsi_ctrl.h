/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_DISK_SCSI_CTRL_H
#define GUEST_DISK_SCSI_CTRL_H

/**
 * @file
 * Control queue and event queue of a virtio-scsi driver: members of struct disk_codec. While
 * commands are under way, the driver asks for them (QUERY TASK SET) and resets their logical unit.
 * A reset may only be answered when the driver can see the end of each command before it.
 */

#include <stdint.h>

struct disk;

int disk_scsi_ctrl_reserve(struct disk *d);
void disk_scsi_ctrl_fill(struct disk *d);
unsigned int disk_scsi_ctrl_drain(struct disk *d);
void disk_scsi_ctrl_check(struct disk *d);

#endif /* GUEST_DISK_SCSI_CTRL_H */
