/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * A back end that is upgraded under load: a new process asks the one that has the device for it
 * (takeover=1), gets the state page, and the guest's socket sees it come as the other one goes.
 */

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <rte_errno.h>

#include "clock.h"
#include "migrate_priv.h"

/* EAL of the new process starts, and its poll threads poll, before it asks. */
#define HAND_OVER_MS 20000
#define CONNECT_MS 5000

/** The guest watches the old process while the new one is started. */
struct watch {
	struct migrate *m;
	unsigned int from, to;
	int result;
	/** From the end of the one connection to DRIVER_OK on the other. */
	uint64_t reconnect_ns;
};

/* As QEMU does whose socket was closed by the other side: it waits for who comes. */
static int
reconnect(struct migrate *m, unsigned int from, unsigned int to)
{
	int ret;

	/* What the start of a process takes from the others is not part of it. */
	guest_gap_start_running(m->guest);
	ret = guest_link_connect(m->link[to], m->be[to]->dev.socket, true, CONNECT_MS);
	if (ret < 0)
		return migrate_fail(m, "the new process does not come: %s", strerror(-ret));
	guest_link_recover(m->link[to]);
	ret = guest_link_negotiate(m->link[to]);
	if (ret == 0)
		ret = guest_link_prepare(m->link[to]);
	if (ret < 0)
		return migrate_fail(m, "guest cannot set up the new process: %s", strerror(-ret));
	return migrate_link_run(m, to);
}

static void *
watch_main(void *arg)
{
	struct watch *w = arg;

	if (!guest_link_hung_up(w->m->link[w->from], HAND_OVER_MS)) {
		w->result = migrate_fail(w->m, "the device was not handed over within %d ms",
				HAND_OVER_MS);
		return NULL;
	}
	w->reconnect_ns = clock_ns();
	w->result = reconnect(w->m, w->from, w->to);
	w->reconnect_ns = clock_ns() - w->reconnect_ns;
	return NULL;
}

/* Children die with the thread that made them, so that it is not this one that waits. */
static int
hand_over(struct migrate *m, unsigned int from, unsigned int to)
{
	struct watch w = { .m = m, .from = from, .to = to };
	pthread_t thread;
	int ret;

	/* A guest has its eventfds before. */
	m->link[to] = guest_link_new(m->guest);
	if (m->link[to] == NULL)
		return migrate_fail(m, "no link: %s", strerror(rte_errno));
	if (pthread_create(&thread, NULL, watch_main, &w) != 0)
		return migrate_fail(m, "no thread");
	ret = m->be[to]->ops->revive(m->be[to]);
	pthread_join(thread, NULL);
	if (w.result == 0)
		migrate_link_close(m, from);
	if (ret < 0)
		return migrate_fail(m, "no new process: %s", strerror(-ret));
	if (w.result == 0 && stats_add(&m->res->capture_restore, w.reconnect_ns) < 0)
		return migrate_fail(m, "out of memory");
	return w.result;
}

int
migrate_upgrade_round(struct migrate *m)
{
	const unsigned int from = m->active, to = !from;
	int ret;

	if (hand_over(m, from, to) < 0 || migrate_flow_wait(m) < 0)
		return -1;
	if (stats_add(&m->res->blackout, guest_gap_stop(m->guest)) < 0)
		return migrate_fail(m, "out of memory");
	/* It has nothing any more. */
	ret = m->be[from]->ops->kill(m->be[from]);
	if (ret < 0)
		return migrate_fail(m, "the old process cannot be ended: %s", strerror(-ret));
	m->res->rounds++;
	return 0;
}
