/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_UPGRADE_H
#define MIGRATE_UPGRADE_H

struct migrate;

/** One round: a new process takes over the device from the process that owns it. */
int migrate_upgrade_round(struct migrate *m);

#endif /* MIGRATE_UPGRADE_H */
