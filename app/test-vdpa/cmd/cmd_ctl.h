/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_CTL_H
#define CMD_CTL_H

/** Control the devices of another process by its control socket. @return exit status of the tool */
int cmd_ctl(int argc, char **argv);

#endif /* CMD_CTL_H */
