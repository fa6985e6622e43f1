/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_MIGRATE_CONSOLE_H
#define CMD_MIGRATE_CONSOLE_H

/** migrate --class console. */
int cmd_migrate_console(int argc, char **argv);

#endif /* CMD_MIGRATE_CONSOLE_H */
