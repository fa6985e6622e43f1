/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_MIGRATE_H
#define CMD_MIGRATE_H

/** The subcommand migrate. @return exit status of the tool */
int cmd_migrate(int argc, char **argv);

#endif /* CMD_MIGRATE_H */
