/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CONFORM_SCSI_H
#define CONFORM_SCSI_H

/** @file Commands of a SCSI host, for its items; and the items of its control and event queue. */

#include <stdint.h>

struct conform_disk;

/** @return 0; -1: logical unit 0 does not serve a command, and the item fails */
int conform_scsi_ready(struct conform_disk *c);
/** Do an INQUIRY. @return as above */
int conform_scsi_inquiry(struct conform_disk *c);

/* As struct conform_disk_item::run. */
int conform_scsi_functions(struct conform_disk *c);
int conform_scsi_ctrl_fields(struct conform_disk *c);
int conform_scsi_ctrl_cuts(struct conform_disk *c);
int conform_scsi_ctrl_chains(struct conform_disk *c);
int conform_scsi_events(struct conform_disk *c);

#endif /* CONFORM_SCSI_H */
