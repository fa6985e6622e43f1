/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_GUEST_CONSOLE_H
#define CMD_GUEST_CONSOLE_H

/** guest --class console. */
int cmd_guest_console(int argc, char **argv);

#endif /* CMD_GUEST_CONSOLE_H */
