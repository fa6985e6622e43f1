/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_SERVE_H
#define CMD_SERVE_H

/** The subcommand serve. @return exit status of the tool */
int cmd_serve(int argc, char **argv);

#endif /* CMD_SERVE_H */
