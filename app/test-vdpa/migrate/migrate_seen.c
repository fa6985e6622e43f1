/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include "migrate.h"
#include "migrate_break.h"
#include "migrate_causal.h"
#include "migrate_fail.h"
#include "migrate_inflight.h"
#include "migrate_seen.h"
#include "migrate_step.h"

/* Spoil the state if the options say so and it was not done yet. */
static int
state_break(struct migrate *m, struct rte_vhost_state *st)
{
	struct migrate_result *res = m->res;
	int ret;

	if (m->opt->breakage == NULL || res->broken[0] != '\0')
		return 0;
	ret = migrate_break_apply(m->opt->breakage, st, res->broken, sizeof(res->broken));
	return ret < 0 ? migrate_fail(m, "--break does not apply to this state") : 0;
}

static int
causal_check(struct migrate *m, const struct rte_vhost_state *st)
{
	char why[128];

	if (!m->opt->causal)
		return 0;
	if (!migrate_causal_holds(st, why, sizeof(why)))
		return migrate_fail(m, "the captured state does not show one instant: %s", why);
	m->res->causal_states++;
	return 0;
}

int
migrate_state_seen(struct migrate *m, unsigned int to, struct rte_vhost_state *st)
{
	if (causal_check(m, st) < 0)
		return -1;
	/* A move that must fail does not change the rings. */
	if (!m->must_fail && migrate_inflight_make(m, st) < 0)
		return -1;
	if (state_break(m, st) < 0)
		return -1;
	return m->must_fail ? migrate_fail_arrange(m, to, st) : 0;
}
