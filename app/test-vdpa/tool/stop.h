/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef STOP_H
#define STOP_H

#include <stdbool.h>

/** From here on SIGINT and SIGTERM only ask to stop, and interrupt blocking calls. */
void stop_install(void);
/** The signal that asked; 0: none yet. */
int stop_requested(void);
/** Wait for a signal. */
void stop_wait(void);

#endif /* STOP_H */
