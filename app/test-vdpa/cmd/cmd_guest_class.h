/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_GUEST_CLASS_H
#define CMD_GUEST_CLASS_H

/** @file What "guest" has in common for all classes: errors and the end of a report. */

#include <stdbool.h>

#include <jansson.h>

/** Print why a run on @p socket ended: -errno, and the first error of the driver, or NULL. */
void cmd_guest_class_error(const char *socket, int err, const char *why);
/** Add the verdict and the first error of the driver, or NULL. Write and free the report. */
void cmd_guest_class_report(json_t *report, bool good, const char *why);

#endif /* CMD_GUEST_CLASS_H */
