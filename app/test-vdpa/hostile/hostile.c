/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Runs hostile cases and checks the back end after each of them. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>

#include "clock.h"
#include "guest_core.h"
#include "guest_link.h"
#include "guest_mem.h"
#include "guest_traffic.h"
#include "hostile.h"
#include "hostile_case.h"
#include "hostile_connect.h"
#include "hostile_ctrl.h"
#include "hostile_door.h"
#include "hostile_env.h"
#include "hostile_fds.h"
#include "hostile_fuzz.h"
#include "hostile_known.h"
#include "hostile_msg.h"
#include "hostile_proc.h"
#include "hostile_queue.h"
#include "hostile_ring.h"
#include "hostile_send.h"
#include "hostile_seq.h"
#include "hostile_shared.h"
#include "hostile_tally.h"
#include "hostile_witness.h"
#include "vhost_user_fe.h"

#define MAX_CASES 500
/* Time for NEEDS_RESET to appear on a loaded machine; and time in which it must not appear. */
#define RESET_MS 10000
#define NO_RESET_MS 20

/* What all cases of a run share. */
struct run {
	struct hostile_tally tally;
	struct hostile_witness witness;
	/* What the last case left behind must not fail the next one. */
	bool after_failure;
};

/* The process must use no more than before the case. */
static int
check_usage(struct hostile_env *e)
{
	char why[200];

	if (hostile_usage_check(e->pid, e->before, e->conf->rss_limit_mb, why, sizeof(why)) == 0)
		return 0;
	return hostile_fail(e, "%s", why);
}

/* ---- verdict ---- */

static bool
is_lent(const struct hostile_env *e, uint64_t gpa)
{
	uint32_t i;

	for (i = 0; i < e->nb_lent; i++)
		if (gpa - e->lent[i].gpa < e->lent[i].len)
			return true;
	return false;
}

/* Name of the area of pair 0 at an address. */
static const char *
area_name(const struct hostile_env *e, uint64_t gpa)
{
	const struct guest_pair *p = e->p;
	const struct { uint64_t gpa; const char *name; } areas[] = {
		{ p->tx_gpa, "transmit buffers" }, { p->rx_gpa, "receive buffers" },
		{ p->tx.tables_gpa, "transmit tables" },
		{ p->tx.device_gpa, "transmit device area" },
		{ p->tx.driver_gpa, "transmit driver area" },
		{ p->tx.desc_gpa, "transmit descriptors" },
		{ p->rx.tables_gpa, "receive tables" }, { p->rx.device_gpa, "receive device area" },
		{ p->rx.driver_gpa, "receive driver area" },
		{ p->rx.desc_gpa, "receive descriptors" },
	};
	uint32_t i;

	for (i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
		if (gpa >= areas[i].gpa)
			return areas[i].name;
	return "nothing";
}

static int
check_memory(struct hostile_env *e)
{
	int64_t bad = guest_mem_canary_check(&e->g->mem);
	uint64_t i;
	uint8_t b;

	if (bad >= 0)
		return hostile_fail(e,
			"the back end wrote outside of all buffers, at memory file offset 0x%" PRIx64,
			(uint64_t)bad);
	for (i = 0; e->snapshot != NULL && i < e->p->zone.len; i++) {
		uint64_t gpa = e->p->zone.gpa + i;

		if (guest_mem_read(&e->g->mem, gpa, &b, 1) && b != e->snapshot[i] &&
				!is_lent(e, gpa))
			return hostile_fail(e,
				"the back end wrote 0x%02x to 0x%" PRIx64 " (%s), which it does not own",
				b, gpa, area_name(e, gpa));
	}
	return 0;
}

static bool
case_breaks(const struct hostile_env *e, const struct hostile_case *c)
{
	return (c->flags & (e->packed ? HOSTILE_BREAKS_PACKED : HOSTILE_BREAKS_SPLIT)) != 0;
}

/* Check the device status after the time that the back end needs to see the attack. */
static int
check_status(struct hostile_env *e, const struct hostile_case *c)
{
	const bool judged = e->conf->expect_reset && (c->flags & HOSTILE_MAY_BREAK) == 0;
	const uint32_t ms = !judged ? 0 : case_breaks(e, c) ? RESET_MS : NO_RESET_MS;
	const uint64_t end = clock_ns() + ms * 1000000ull;
	bool reset;
	int status;

	for (;;) {
		status = guest_link_status(e->l);
		reset = status >= 0 && (status & GUEST_S_NEEDS_RESET) != 0;
		if (reset || status < 0 || clock_ns() >= end)
			break;
		usleep(5000);
	}
	snprintf(e->did, sizeof(e->did), "status 0x%x", status < 0 ? 0 : (unsigned int)status);
	if (!judged)
		return 0;
	if (status < 0)
		return hostile_fail(e, "cannot read the device status: %s", strerror(-status));
	if (reset == case_breaks(e, c))
		return 0;
	return hostile_fail(e, reset ? "NEEDS_RESET is set without a broken ring, status 0x%x" :
		"the ring is broken, but NEEDS_RESET is not set, status 0x%x",
		(unsigned int)status);
}

static int
check_ring_attack(struct hostile_env *e, const struct hostile_case *c)
{
	int ret;

	usleep(HOSTILE_SETTLE_US);
	if (guest_wait_flow(e->g, HOSTILE_FLOW_MS) < 0)
		return hostile_fail(e, "frames of pair 1 no longer come back");
	ret = hostile_check_counts(e, 1);
	if (ret == 0)
		ret = check_memory(e);
	if (ret == 0)
		ret = check_status(e, c);
	if (ret < 0)
		return ret;
	/* Otherwise the witness would count the frames that the stop holds back as lost. */
	guest_traffic_stop(e->g, HOSTILE_FLOW_MS);
	ret = guest_link_stop(e->l);
	if (ret < 0)
		return hostile_fail(e, "GET_VRING_BASE or reset failed: %s", strerror(-ret));
	return check_memory(e);
}

/* The back end must still answer, or have closed the connection. Both are correct. */
static int
check_msg_attack(struct hostile_env *e)
{
	int ret = hostile_answered(&e->l->fe);

	if (ret == -ETIMEDOUT)
		return hostile_fail(e, "the back end no longer answers");
	snprintf(e->did, sizeof(e->did), ret < 0 ? "closed the connection" : "still answers");
	usleep(HOSTILE_SETTLE_US);
	return check_memory(e);
}

static int
check_witness(struct hostile_env *e)
{
	if (e->witness == NULL || hostile_witness_flow(e->witness) == 0)
		return 0;
	return hostile_fail(e, "%s", e->witness->why);
}

/* A case that makes its own connections, and judges them. */
static int
door_run(struct hostile_env *e, const struct hostile_case *c)
{
	int ret = c->run(e, c);

	return ret == 0 && e->g != NULL ? check_memory(e) : ret;
}

static int
attack_run(struct hostile_env *e, const struct hostile_case *c)
{
	uint64_t features = HOSTILE_FEATURES;
	int ret;

	if ((c->flags & HOSTILE_DOOR) != 0)
		return door_run(e, c);
	if ((c->flags & HOSTILE_PLAIN) != 0)
		features &= ~(1ull << VIRTIO_NET_F_MRG_RXBUF);
	ret = hostile_open(e, features);
	if (ret == 0 && (c->flags & HOSTILE_MSG) == 0)
		ret = hostile_take_pair(e, (c->flags & HOSTILE_EMPTY_RX) != 0);
	if (ret == 0)
		ret = c->run(e, c);
	if (ret < 0)
		return hostile_fail(e, "the attack was not possible: %s", strerror(-ret));
	ret = (c->flags & HOSTILE_MSG) != 0 ? check_msg_attack(e) : check_ring_attack(e, c);
	return ret == 0 ? check_witness(e) : ret;
}

/* Why the case is not run here; NULL: it is run. */
static const char *
skip_reason(const struct hostile_conf *conf, const struct hostile_case *c)
{
	if ((c->flags & HOSTILE_LISTENING) != 0 && conf->server)
		return "the device makes one connection only";
	return conf->rte_vhost ? hostile_known_fault(c->name) : NULL;
}

static void
run_case(struct run *r, const struct hostile_case *c, bool packed)
{
	struct hostile_env e = { .conf = r->tally.conf, .packed = packed, .pid = r->tally.pid,
		.wire = { .fd = -1 } };
	const char *skip = skip_reason(r->tally.conf, c);
	int ret, fresh = 0;
	bool alive;

	if (skip != NULL) {
		hostile_tally_add(&r->tally, c->name, "", HOSTILE_SKIPPED, skip);
		return;
	}
	if (r->after_failure) {
		/* An error is reported by the case. */
		hostile_witness_open(&r->witness);
		hostile_tally_renew(&r->tally);
		r->after_failure = false;
	}
	if (r->witness.path != NULL)
		e.witness = &r->witness;
	if (r->tally.pid != 0)
		e.before = &r->tally.base;
	ret = attack_run(&e, c);
	hostile_close(&e);
	alive = hostile_tally_is_alive(&r->tally);
	if (alive)
		fresh = hostile_fresh(&e, "after the attack", NULL);
	r->tally.deaf = fresh < 0 ? r->tally.deaf + 1 : 0;
	if (ret == 0)
		ret = fresh;
	if (!alive || !hostile_tally_is_alive(&r->tally)) {
		e.why[0] = '\0';
		ret = hostile_fail(&e, "the back end's process ended");
	}
	if (ret == 0 && e.before != NULL)
		ret = check_usage(&e);
	r->after_failure = ret < 0;
	hostile_tally_add(&r->tally, c->name, (c->flags & HOSTILE_MSG) != 0 ? "" : packed ?
			" packed" : " split", ret, ret < 0 ? e.why : e.did);
}

static uint32_t
all_cases(struct hostile_case *c)
{
	uint32_t n = 0;

	n += hostile_ring_cases(c + n, MAX_CASES - n);
	n += hostile_queue_cases(c + n, MAX_CASES - n);
	n += hostile_msg_cases(c + n, MAX_CASES - n);
	n += hostile_seq_cases(c + n, MAX_CASES - n);
	n += hostile_door_cases(c + n, MAX_CASES - n);
	n += hostile_ctrl_cases(c + n, MAX_CASES - n);
	n += hostile_shared_cases(c + n, MAX_CASES - n);
	n += hostile_fds_cases(c + n, MAX_CASES - n);
	n += hostile_connect_cases(c + n, MAX_CASES - n);
	return n;
}

void
hostile_list(void)
{
	static struct hostile_case cases[MAX_CASES];
	uint32_t i, n = all_cases(cases);

	for (i = 0; i < n; i++)
		printf("%-34s %-7s %s\n", cases[i].name,
			(cases[i].flags & HOSTILE_CTRL) != 0 ? "ctrl" :
			(cases[i].flags & HOSTILE_DOOR) != 0 ? "door" :
			(cases[i].flags & HOSTILE_MSG) != 0 ? "message" :
			(cases[i].flags & HOSTILE_ANY) == HOSTILE_ANY ? "ring" :
			(cases[i].flags & HOSTILE_SPLIT) != 0 ? "split" : "packed", cases[i].what);
}

/*
 * The back end may open descriptors and threads in its first connections and keep them. Only what
 * it uses afterwards can be compared.
 */
static int
warm_up(struct run *r, bool packed)
{
	struct hostile_env e = { .conf = r->tally.conf, .packed = packed, .wire = { .fd = -1 } };
	int ret;

	ret = hostile_open(&e, HOSTILE_FEATURES);
	if (ret == 0)
		hostile_tally_find(&r->tally, e.l->fe.fd);
	hostile_close(&e);
	if (ret == 0)
		ret = hostile_fresh(&e, "again", NULL);
	if (ret == 0 && hostile_witness_open(&r->witness) < 0)
		ret = hostile_fail(&e, "%s", r->witness.why);
	return hostile_tally_begin(&r->tally, ret, e.why);
}

static bool
case_wanted(const struct hostile_conf *conf, const struct hostile_case *c, bool packed)
{
	const bool ctrl = (c->flags & HOSTILE_CTRL) != 0;

	/* most back ends serve no control queue: its cases are no part of the others */
	if (!hostile_name_is_listed(conf->name, ctrl ? "ctrl" : "all") &&
			!hostile_name_is_listed(conf->name, c->name) &&
			(!hostile_name_is_listed(conf->name, "door") || ctrl ||
			 (c->flags & HOSTILE_DOOR) == 0))
		return false;
	if ((c->flags & (packed ? HOSTILE_PACKED : HOSTILE_SPLIT)) == 0)
		return false;
	/* Cases without rings run only once. */
	return !packed || !conf->split || (c->flags & HOSTILE_MSG) == 0;
}

/* @return 0; -EIO if the back end cannot be served any more */
static int
run_cases(struct run *r, const struct hostile_case *cases, uint32_t nb, bool packed)
{
	uint32_t i;

	for (i = 0; i < nb; i++) {
		if (!case_wanted(r->tally.conf, &cases[i], packed))
			continue;
		run_case(r, &cases[i], packed);
		if (hostile_tally_go_on(&r->tally, cases[i].name) != 0)
			return -EIO;
	}
	return 0;
}

static int
cases_run(struct run *r)
{
	static struct hostile_case cases[MAX_CASES];
	uint32_t n = all_cases(cases);
	int packed, ret = 0;

	for (packed = 0; packed < 2 && ret == 0; packed++) {
		if (packed ? !r->tally.conf->packed : !r->tally.conf->split)
			continue;
		if (warm_up(r, packed) < 0)
			return -EIO;
		ret = run_cases(r, cases, n, packed);
	}
	return hostile_tally_end(&r->tally);
}

int
hostile_run(const struct hostile_conf *conf)
{
	bool fuzz = strcmp(conf->name, "fuzz") == 0;
	struct run r = { .tally = { .conf = conf } };
	int ret;

	hostile_witness_init(&r.witness, conf->witness);
	if (!fuzz && strcmp(conf->name, "connects") != 0) {
		ret = cases_run(&r);
	} else {
		ret = warm_up(&r, !conf->split);
		if (ret == 0 && fuzz)
			ret = hostile_fuzz_run(conf, &r.witness, r.tally.pid);
		else if (ret == 0 && r.tally.pid != 0)
			ret = hostile_connect_table(conf, &r.witness, r.tally.pid);
	}
	hostile_witness_close(&r.witness);
	return ret;
}
