/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef STOP_H
#define STOP_H

#include <stdbool.h>

/** From now on SIGINT and SIGTERM only request a stop, and interrupt blocking calls. */
void stop_install(void);
/** The signal that requested the stop; 0: none yet. */
int stop_requested(void);
/** Wait until a stop is requested. */
void stop_wait(void);

#endif /* STOP_H */
