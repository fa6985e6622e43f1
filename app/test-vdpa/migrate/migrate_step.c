/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>

#include "backend.h"
#include "clock.h"
#include "guest_link.h"
#include "guest_traffic.h"
#include "migrate_step.h"
#include "rte_vhost_state_backend.h"

#define CONNECT_MS 5000
/*
 * A ring that delivers no frame in this time is dead. This is the limit for the next frame, not for
 * all frames: on a busy machine 32767 frames took 5.3 s, each burst after another time slice.
 */
#define FLOW_MS 3000

int
migrate_fail_state(struct migrate *m, unsigned int idx, const char *verb, int ret,
		const struct rte_vhost_state_error *err)
{
	char why[192];

	if (err->reason == RTE_VHOST_STATE_R_NONE)
		snprintf(why, sizeof(why), "%s", strerror(-ret));
	else
		rte_vhost_state_error_format(err, why, sizeof(why));
	return migrate_fail(m, "%s: cannot %s: %s", m->be[idx]->dev.name, verb, why);
}

int
migrate_flow_ms(const struct migrate *m)
{
	return FLOW_MS + (m->opt->rate > 0 ? 3000 / m->opt->rate : 0);
}

/* The back end may still be closing its last connection. */
static int
disconnect_wait(struct migrate *m, unsigned int idx)
{
	uint64_t until = clock_ns() + CONNECT_MS * UINT64_C(1000000);
	struct rte_vhost_state_info info;
	int ret;

	while ((ret = m->be[idx]->ops->info(m->be[idx], &info)) == 0 && info.connected) {
		if (clock_ns() >= until)
			return migrate_fail(m, "%s: the last connection is still open",
				m->be[idx]->dev.name);
		usleep(100);
	}
	return ret < 0 ? migrate_fail(m, "%s: cannot read its status: %s", m->be[idx]->dev.name,
		strerror(-ret)) : 0;
}

int
migrate_link_open(struct migrate *m, unsigned int idx, enum migrate_ready ready)
{
	struct backend *be = m->be[idx];
	int ret = 0;

	if (!m->opt->upgrade && disconnect_wait(m, idx) < 0)
		return -1;
	m->link[idx] = guest_link_open(m->guest, be->dev.socket, m->opt->upgrade, CONNECT_MS);
	if (m->link[idx] == NULL)
		return migrate_fail(m, "%s: the guest cannot connect: %s", be->dev.name,
			strerror(rte_errno));
	if (ready >= MIGRATE_NEGOTIATED)
		ret = guest_link_negotiate(m->link[idx]);
	if (ret == 0 && ready >= MIGRATE_PREPARED)
		ret = guest_link_prepare(m->link[idx]);
	if (ret < 0)
		return migrate_fail(m, "%s: the guest cannot set it up: %s", be->dev.name,
			strerror(-ret));
	return 0;
}

void
migrate_link_close(struct migrate *m, unsigned int idx)
{
	if (m->link[idx] != NULL)
		guest_link_close(m->link[idx]);
	m->link[idx] = NULL;
}

int
migrate_link_run(struct migrate *m, unsigned int idx)
{
	int ret;

	ret = guest_link_driver_ok(m->link[idx]);
	if (ret < 0)
		return migrate_fail(m, "%s: DRIVER_OK failed: %s", m->be[idx]->dev.name,
			strerror(-ret));
	m->active = idx;
	return 0;
}

int
migrate_flow_wait(struct migrate *m)
{
	const char *name = m->be[m->active]->dev.name;
	int ms = migrate_flow_ms(m), ret;

	ret = guest_wait_flow(m->guest, ms);
	if (ret == -ETIMEDOUT)
		return migrate_fail(m, "%s: a queue pair receives no frame for %d ms", name, ms);
	return ret < 0 ? migrate_fail(m, "%s: the guest cannot wait for frames: %s", name,
		strerror(-ret)) : 0;
}
