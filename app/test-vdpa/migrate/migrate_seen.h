/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_SEEN_H
#define MIGRATE_SEEN_H

struct migrate;
struct rte_vhost_state;

/**
 * A whole state was captured for back end @p to: check it, put buffers in flight into it, spoil
 * it, as the options say. @return 0, or -1 after migrate_fail()
 */
int migrate_state_seen(struct migrate *m, unsigned int to, struct rte_vhost_state *st);

#endif /* MIGRATE_SEEN_H */
