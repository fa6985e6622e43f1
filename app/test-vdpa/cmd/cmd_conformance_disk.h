/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_CONFORMANCE_DISK_H
#define CMD_CONFORMANCE_DISK_H

#include <stdbool.h>

struct conform_disk_class;
struct workdir;

/** conformance --class blk, --class scsi. @param only one item; NULL: all. @return exit status */
int cmd_conformance_disk(const struct conform_disk_class *class, const char *only, bool json,
		const struct workdir *wd);
/** Return a class of disks; NULL: there is none of this name. */
const struct conform_disk_class *cmd_conformance_disk_find(const char *name);

#endif /* CMD_CONFORMANCE_DISK_H */
