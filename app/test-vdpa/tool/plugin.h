/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef PLUGIN_H
#define PLUGIN_H

#include <stdbool.h>

/**
 * Find and load the driver plugin, whose constructors register its drivers.
 * Call it before rte_eal_init(), which refuses plugins below a world-writable directory; dlopen()
 * does not.
 * @param must  if the plugin is not found, report the searched places on stderr
 * @return 0, -ENOENT, -ELIBBAD (found, but cannot be loaded; always reported)
 */
int plugin_load(bool must);

#endif /* PLUGIN_H */
