/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Moves that fail on purpose. The source must then resume without any loss. */

#include <string.h>

#include "backend.h"
#include "migrate.h"
#include "migrate_fail.h"
#include "migrate_step.h"

bool
migrate_fail_due(const struct migrate_options *opt, uint64_t move)
{
	return opt->fail_every != 0 && (move + 1) % opt->fail_every == 0;
}

/* Change a state so that it stays valid, but does not fit the destination. */
static void
state_misfit(struct rte_vhost_state *st, bool size)
{
	uint16_t i;

	if (size && st->vqs[0].size <= RTE_VHOST_STATE_MAX_VQ_SIZE / 2) {
		for (i = 0; i < st->nb_vqs; i++)
			st->vqs[i].size *= 2;
		return;
	}
	/* A feature that no device offers. */
	st->device_features |= UINT64_C(1) << 62;
	st->driver_features |= UINT64_C(1) << 62;
}

int
migrate_fail_arrange(struct migrate *m, unsigned int to, struct rte_vhost_state *st)
{
	struct backend *be = m->be[to];
	int ret;

	if (be->ops->kill == NULL || m->res->failed_moves % 3 != 0) {
		state_misfit(st, m->res->failed_moves % 2 == 0);
		return 0;
	}
	ret = be->ops->kill(be);
	if (ret < 0)
		return migrate_fail(m, "%s: cannot kill its process: %s", be->dev.name,
			strerror(-ret));
	m->killed = true;
	return 0;
}
