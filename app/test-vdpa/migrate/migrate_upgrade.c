/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * A back end is upgraded under load: a new process requests the device from the old process
 * (takeover=1) and gets the state file. It also gets the guest's connection, or the guest accepts a
 * new connection after the end of the old one.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_thread.h>

#include "backend.h"
#include "backend_owner.h"
#include "clock.h"
#include "guest_link.h"
#include "guest_traffic.h"
#include "migrate_step.h"
#include "migrate_upgrade.h"
#include "rte_vhost_state_backend.h"
#include "stats.h"
#include "vstate_compat.h"

/* The new process starts EAL and its poll threads before it requests the device. */
#define HAND_OVER_MS 20000
#define CONNECT_MS 5000

/* Intervals of the checks of the old and of the new process. */
#define LOOK_US 200
#define LOOK_MS 1

/** The guest watches the old process while the new one is started. */
struct watch {
	struct migrate *m;
	unsigned int from, to;
	/** The new process has its device and answers requests. */
	bool made;
	int result;
	/** The new process got the guest's connection. */
	bool kept;
	/** Longest gap until the old process no longer had the device. */
	uint64_t gap_ns;
	/** Time from then until the new process runs the device. */
	uint64_t change_ns;
};

/* As QEMU does after the end of a connection: accept the next one. */
static int
link_reconnect(struct migrate *m, unsigned int to)
{
	int ret;

	ret = guest_link_connect(m->link[to], m->be[to]->dev.socket, true, CONNECT_MS);
	if (ret < 0)
		return migrate_fail(m, "the new process does not connect: %s", strerror(-ret));
	guest_link_recover(m->link[to]);
	ret = guest_link_negotiate(m->link[to]);
	if (ret == 0)
		ret = guest_link_prepare(m->link[to]);
	if (ret < 0)
		return migrate_fail(m, "the guest cannot set up the new process: %s",
			strerror(-ret));
	return migrate_link_run(m, to);
}

/*
 * Wait until the old process no longer has the device. A gap during the start of the new process is
 * not part of the handover. But the gap of the handover may end before the check sees it, so the
 * last measurement counts.
 */
static int
watch_old(struct watch *w, uint64_t until)
{
	struct rte_vhost_state_info info = { .connected = true };
	struct migrate *m = w->m;

	do {
		w->gap_ns = guest_gap_next(m->guest);
		usleep(LOOK_US);
		if (m->be[w->from]->ops->info(m->be[w->from], &info) != 0)
			return migrate_fail(m, "cannot read the status of the old process");
		if (clock_ns() > until)
			return migrate_fail(m, "the device was not handed over within %d ms",
				HAND_OVER_MS);
	} while (info.connected);
	return 0;
}

/* The new process runs the device with the connection that the guest has. */
static bool
is_kept(const struct watch *w)
{
	return rte_atomic_load_explicit(&w->made, rte_memory_order_acquire) &&
			backend_has_passed(w->m->be[w->from], w->m->be[w->to]);
}

static int
watch_new(struct watch *w, uint64_t until)
{
	struct migrate *m = w->m;

	while (clock_ns() < until) {
		if (guest_link_hung_up(m->link[w->from], LOOK_MS))
			return link_reconnect(m, w->to);
		if (is_kept(w)) {
			w->kept = true;
			return 0;
		}
	}
	return migrate_fail(m, "no process has the device after %d ms", HAND_OVER_MS);
}

static uint32_t
watch_main(void *arg)
{
	const uint64_t until = clock_ns() + HAND_OVER_MS * UINT64_C(1000000);
	struct watch *w = arg;

	w->result = watch_old(w, until);
	if (w->result != 0)
		return 0;
	w->change_ns = clock_ns();
	w->result = watch_new(w, until);
	w->change_ns = clock_ns() - w->change_ns;
	return 0;
}

/* Keep one link: the one to the process that has the device. */
static void
links_settle(struct migrate *m, const struct watch *w)
{
	migrate_link_close(m, w->kept ? w->to : w->from);
	if (!w->kept)
		return;
	m->link[w->to] = m->link[w->from];
	m->link[w->from] = NULL;
	m->active = w->to;
	m->res->kept++;
}

/*
 * A child dies with the thread that created it. Therefore this thread starts the new process, and
 * another thread watches.
 */
static int
device_hand_over(struct migrate *m, unsigned int from, unsigned int to, uint64_t *gap_ns)
{
	struct watch w = { .m = m, .from = from, .to = to };
	rte_thread_t thread;
	int ret;

	/* The link first: its eventfds must exist before the new process connects. */
	m->link[to] = guest_link_new(m->guest);
	if (m->link[to] == NULL)
		return migrate_fail(m, "cannot create a link: %s", strerror(rte_errno));
	if (rte_thread_create(&thread, NULL, watch_main, &w) != 0)
		return migrate_fail(m, "cannot create a thread");
	ret = m->be[to]->ops->revive(m->be[to]);
	rte_atomic_store_explicit(&w.made, ret == 0, rte_memory_order_release);
	rte_thread_join(thread, NULL);
	if (w.result == 0)
		links_settle(m, &w);
	if (ret < 0)
		return migrate_fail(m, "cannot start the new process: %s", strerror(-ret));
	if (w.result == 0 && stats_add(&m->res->capture_restore, w.change_ns) < 0)
		return migrate_fail(m, "out of memory");
	*gap_ns = w.gap_ns;
	return w.result;
}

int
migrate_upgrade_round(struct migrate *m)
{
	const unsigned int from = m->active, to = !from;
	uint64_t gap_ns = 0;
	int ret;

	if (device_hand_over(m, from, to, &gap_ns) < 0 || migrate_flow_wait(m) < 0)
		return -1;
	gap_ns = RTE_MAX(gap_ns, guest_gap_stop(m->guest));
	if (stats_add(&m->res->blackout, gap_ns) < 0)
		return migrate_fail(m, "out of memory");
	/* The old process no longer has a device or a connection. */
	ret = m->be[from]->ops->kill(m->be[from]);
	if (ret < 0)
		return migrate_fail(m, "cannot end the old process: %s", strerror(-ret));
	m->res->rounds++;
	return 0;
}
