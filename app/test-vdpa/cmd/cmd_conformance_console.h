/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_CONFORMANCE_CONSOLE_H
#define CMD_CONFORMANCE_CONSOLE_H

#include <stdbool.h>

struct workdir;

/** conformance --class console. @param only one item; NULL: all. @return exit status */
int cmd_conformance_console(const char *only, bool json, const struct workdir *wd);

#endif /* CMD_CONFORMANCE_CONSOLE_H */
