/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_BACKEND_CHILD_H
#define CMD_BACKEND_CHILD_H

/** The subcommand backend-child. @return exit status of the tool */
int cmd_backend_child(int argc, char **argv);

#endif /* CMD_BACKEND_CHILD_H */
