/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_REPORT_H
#define MIGRATE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

struct migrate_options;
struct migrate_result;

/** True if all rounds ran and the guest received every frame once, in order and unchanged. */
bool migrate_held(const struct migrate_result *res);
/** Print the report as text or as JSON; reasons of a failure go to stderr. */
void migrate_report(const struct migrate_options *opt, struct migrate_result *res, FILE *f);

#endif /* MIGRATE_REPORT_H */
