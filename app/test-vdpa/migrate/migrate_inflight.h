/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_INFLIGHT_H
#define MIGRATE_INFLIGHT_H

struct migrate;
struct rte_vhost_state;

/** Put available buffers in flight in a captured state, as many as the options say. */
int migrate_inflight_make(struct migrate *m, struct rte_vhost_state *st);
/** Put buffers in flight in the in-flight region and in the bases for back end @p to. */
int migrate_inflight_mark(struct migrate *m, unsigned int to);
/** The move failed and the source, which holds none of the buffers, resumes: forget them. */
void migrate_inflight_forget(struct migrate *m);

#endif /* MIGRATE_INFLIGHT_H */
