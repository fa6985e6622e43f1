/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_KILL_H
#define MIGRATE_KILL_H

struct migrate;

/** One round: kill the back end under load and start another one in its place. */
int migrate_kill_round(struct migrate *m);

#endif /* MIGRATE_KILL_H */
