/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_STATE_H
#define CMD_STATE_H

/** The subcommand state. @return exit status of the tool */
int cmd_state(int argc, char **argv);

#endif /* CMD_STATE_H */
