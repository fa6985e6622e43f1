/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef PLUGIN_H
#define PLUGIN_H

#include <stdbool.h>

/**
 * Find and load the driver plugin, whose constructors register its drivers.
 * To be called before rte_eal_init(), which refuses plugins below a world-writable
 * directory; dlopen() here does not.
 * @param must  say on stderr where it was looked for, if it is not found
 * @return 0, -ENOENT, -ELIBBAD (found, but not loadable; always told)
 */
int plugin_load(bool must);

#endif /* PLUGIN_H */
