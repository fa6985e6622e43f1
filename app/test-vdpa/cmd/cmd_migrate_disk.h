/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_MIGRATE_DISK_H
#define CMD_MIGRATE_DISK_H

/** migrate --class blk. */
int cmd_migrate_disk(int argc, char **argv);

#endif /* CMD_MIGRATE_DISK_H */
