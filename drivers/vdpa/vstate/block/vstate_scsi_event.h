/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SCSI_EVENT_H
#define VSTATE_SCSI_EVENT_H

/**
 * @file
 * The event queue of a SCSI host (VIRTIO 1.4 "Device Operation: eventq"). The only event is that the
 * capacity of a logical unit has changed, if the driver negotiated VIRTIO_SCSI_F_CHANGE.
 *
 * An event stays due until the driver has a buffer for it, so none is missed. Nothing is in flight
 * while the lease is free.
 */

#include <stdbool.h>
#include <stdint.h>

struct vstate_dev;
struct vstate_scsi;

/** The capacity of a logical unit has changed. Any thread. */
void vstate_scsi_event_add(struct vstate_scsi *scsi, unsigned int lun);
/** Return whether the event of a logical unit is due. Any thread. */
bool vstate_scsi_event_is_due(const struct vstate_scsi *scsi, unsigned int lun);
/** Put an event that is due into a buffer of the driver. Poll thread. @return buffers moved */
uint32_t vstate_scsi_event_poll(struct vstate_dev *dev);

#endif /* VSTATE_SCSI_EVENT_H */
