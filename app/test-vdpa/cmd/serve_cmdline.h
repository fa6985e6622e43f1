/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef SERVE_CMDLINE_H
#define SERVE_CMDLINE_H

#include <stdbool.h>

/**
 * Run commands from standard input until "quit", the end of input or a signal.
 * @param client sockets that "create" opens connect instead of listening
 * @return 0; -EIO if a command failed that did not come from a terminal
 */
int serve_prompt(bool client);

#endif /* SERVE_CMDLINE_H */
