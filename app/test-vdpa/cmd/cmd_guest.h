/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_GUEST_H
#define CMD_GUEST_H

/** The subcommand guest. @return exit status of the tool */
int cmd_guest(int argc, char **argv);

#endif /* CMD_GUEST_H */
