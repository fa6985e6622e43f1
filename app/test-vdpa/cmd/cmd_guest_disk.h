/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_GUEST_DISK_H
#define CMD_GUEST_DISK_H

/** guest --class blk, guest --class scsi: the driver of a disk with any back end. */
int cmd_guest_disk(int argc, char **argv);

#endif /* CMD_GUEST_DISK_H */
