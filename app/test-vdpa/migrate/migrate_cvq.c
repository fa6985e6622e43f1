/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_errno.h>

#include "backend.h"
#include "guest.h"
#include "guest_ctrl.h"
#include "migrate_cvq.h"
#include "migrate_step.h"

static int
guest_fail(struct migrate *m, int ret)
{
	return ret == 0 ? 0 : migrate_fail(m, "%s: %s", m->be[m->active]->dev.name,
		guest_error(m->guest));
}

int
migrate_cvq_begin(struct migrate *m)
{
	return m->opt->cvq ? guest_fail(m, guest_ctrl_begin(m->guest)) : 0;
}

int
migrate_cvq_change(struct migrate *m)
{
	return m->opt->cvq ? guest_fail(m, guest_ctrl_change(m->guest)) : 0;
}

static int
settings_compare(struct migrate *m, struct backend *be)
{
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st;
	const char *what;

	st = be->ops->capture(be, &err);
	if (st == NULL)
		return migrate_fail_state(m, m->active, "capture its state", -rte_errno, &err);
	what = guest_ctrl_differs(m->guest, st);
	rte_vhost_state_free(st);
	if (what != NULL)
		return migrate_fail(m, "%s: %s of the device are not those that the guest set",
			be->dev.name, what);
	m->res->cvq_compared++;
	return 0;
}

int
migrate_cvq_compare(struct migrate *m)
{
	struct backend *be = m->be[m->active];
	struct rte_vhost_state_error err = { 0 };
	int ret, end;

	if (!m->opt->cvq)
		return 0;
	ret = be->ops->suspend(be, MIGRATE_SUSPEND_US, &err);
	if (ret < 0)
		return migrate_fail_state(m, m->active, "suspend", ret, &err);
	ret = settings_compare(m, be);
	end = be->ops->resume(be, &err);
	if (ret == 0 && end < 0)
		return migrate_fail_state(m, m->active, "resume", end, &err);
	return ret;
}
