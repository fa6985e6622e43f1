/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_GUEST_CLASS_H
#define CMD_GUEST_CLASS_H

/** @file What "guest" has in common for all classes: errors, the end of a report, --hostile. */

#include <stdbool.h>

#include <jansson.h>

struct hostile_conf;

/** Print why a run on @p socket ended: -errno, and the first error of the driver, or NULL. */
void cmd_guest_class_error(const char *socket, int err, const char *why);
/** Add the verdict and the first error of the driver, or NULL. Write and free the report. */
void cmd_guest_class_report(json_t *report, bool good, const char *why);

/** Long options of --hostile, for the list of a class. */
#define CMD_GUEST_CLASS_HOSTILE \
	{ "hostile", required_argument, NULL, 'H' }, \
	{ "expect-reset", no_argument, NULL, 'R' }, \
	{ "witness", required_argument, NULL, 'W' }, \
	{ "back-end-pid", required_argument, NULL, 'P' }, \
	{ "rss-limit", required_argument, NULL, 'M' }, \
	{ "verbose", no_argument, NULL, 'V' }
/** Take an option of this list. @return 0; -EINVAL: no such option, or a bad value (reported) */
int cmd_guest_class_hostile(struct hostile_conf *c, int opt, const char *arg);
/** Whether only the names of the cases are wanted. */
bool cmd_guest_class_lists(const struct hostile_conf *c);

#endif /* CMD_GUEST_CLASS_H */
