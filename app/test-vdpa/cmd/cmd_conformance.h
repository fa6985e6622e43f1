/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_CONFORMANCE_H
#define CMD_CONFORMANCE_H

/** The subcommand conformance. @return exit status of the tool */
int cmd_conformance(int argc, char **argv);

#endif /* CMD_CONFORMANCE_H */
