/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_RUN_H
#define MIGRATE_RUN_H

#include <stdbool.h>

struct backend;
struct migrate_options;
struct migrate_result;

/**
 * Move the state between be[0], which starts, and be[1]. Both devices exist and have sockets.
 * @param res filled; its failure is the reason if something went wrong
 */
void migrate_run(const struct migrate_options *opt, struct backend *const be[2],
		const char *state_path, struct migrate_result *res);
void migrate_result_free(struct migrate_result *res);

#endif /* MIGRATE_RUN_H */
