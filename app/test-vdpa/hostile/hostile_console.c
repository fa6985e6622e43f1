/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Runs hostile cases of a console and checks the back end after each of them. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "hostile.h"
#include "hostile_case.h"
#include "hostile_console.h"
#include "hostile_console_env.h"
#include "hostile_tally.h"

#define MAX_CASES 200

struct run {
	struct hostile_tally tally;
	const char *port;
	/** A good driver of the second console; it has no connection if there is none. */
	struct hostile_console_env witness;
};

static struct hostile_console_env
env_make(const struct run *r, bool packed)
{
	return (struct hostile_console_env){ .conf = r->tally.conf, .port = r->port,
		.packed = packed };
}

/* ---- checks ---- */

/* The second console answers. */
static int
witness_check(struct run *r, struct hostile_console_env *e)
{
	if (r->tally.conf->witness == NULL || hostile_console_answer(&r->witness) == 0)
		return 0;
	return hostile_console_fail(e, "the second device: %s", r->witness.why);
}

/* What must hold at the end of an attack: the queues that were not attacked are served. */
static int
attack_check(struct run *r, struct hostile_console_env *e, const struct hostile_console_case *c)
{
	int ret = hostile_console_check_memory(e);

	if (ret == 0)
		ret = witness_check(r, e);
	if (ret == 0 && c->q < PORTS_CTRL_RX)
		ret = hostile_console_answer(e);
	return ret;
}

static int
attack_run(struct run *r, struct hostile_console_env *e, const struct hostile_console_case *c)
{
	int ret = hostile_console_open(e);

	if (ret == 0) {
		hostile_console_fill(e);
		ret = c->run(e, c);
	}
	return ret == 0 ? attack_check(r, e, c) : ret;
}

/* A new driver gets bytes each way, and first those that the one before it did not take. */
static int
fresh_check(const struct run *r, struct hostile_console_env *e)
{
	struct hostile_console_env fresh = env_make(r, e->packed);
	int ret;

	fresh.left = e->left;
	ret = hostile_console_open(&fresh);
	if (ret == 0)
		ret = hostile_console_pass(&fresh);
	hostile_console_close(&fresh);
	return ret == 0 ? 0 : hostile_console_fail(e, "a new driver after the attack: %s",
			fresh.why);
}

/* ---- one case ---- */

static void
run_case(struct run *r, const struct hostile_console_case *c, bool packed)
{
	struct hostile_console_env e = env_make(r, packed);
	struct hostile_tally *t = &r->tally;
	char why[200];
	int ret, fresh = 0;

	ret = attack_run(r, &e, c);
	hostile_console_close(&e);
	if (hostile_tally_is_alive(t))
		fresh = fresh_check(r, &e);
	t->deaf = fresh < 0 ? t->deaf + 1 : 0;
	if (ret == 0)
		ret = fresh;
	if (!hostile_tally_is_alive(t)) {
		e.why[0] = '\0';
		ret = hostile_console_fail(&e, "the back end's process ended");
	}
	if (ret == 0 && hostile_tally_usage(t, why, sizeof(why)) != 0)
		ret = hostile_console_fail(&e, "%s", why);
	if (ret < 0)
		hostile_tally_renew(t);
	hostile_tally_add(t, c->name, packed ? " packed" : " split", ret, ret < 0 ? e.why : e.did);
}

/* ---- all cases ---- */

void
hostile_console_list(void)
{
	static struct hostile_console_case cases[MAX_CASES];
	uint32_t i, n = hostile_console_cases(cases, MAX_CASES);

	for (i = 0; i < n; i++)
		printf("%-20s %-7s %s\n", cases[i].name, cases[i].flags == HOSTILE_ANY ? "ring" :
			cases[i].flags == HOSTILE_SPLIT ? "split" : "packed", cases[i].what);
}

/* The first connections may open descriptors that the back end keeps. */
static int
warm_up(struct run *r, bool packed)
{
	struct hostile_console_env e = env_make(r, packed);
	int ret = hostile_console_open(&e);

	if (ret == 0)
		hostile_tally_find(&r->tally, e.guest.links[0].fe.fd);
	hostile_console_close(&e);
	if (ret == 0)
		ret = fresh_check(r, &e);
	return hostile_tally_begin(&r->tally, ret, e.why);
}

static int
ring_cases_run(struct run *r, const struct hostile_console_case *cases, uint32_t nb, bool packed)
{
	struct hostile_tally *t = &r->tally;
	uint32_t i;

	if (warm_up(r, packed) < 0)
		return -EIO;
	for (i = 0; i < nb; i++) {
		if (!hostile_tally_wants(t, cases[i].name, cases[i].flags, packed))
			continue;
		run_case(r, &cases[i], packed);
		if (hostile_tally_go_on(t, cases[i].name) != 0)
			return -EIO;
	}
	return 0;
}

int
hostile_console_run(const struct hostile_conf *conf, const char *port)
{
	static struct hostile_console_case cases[MAX_CASES];
	struct run r = { .tally = { .conf = conf }, .port = port };
	uint32_t n = hostile_console_cases(cases, MAX_CASES);
	int packed, ret = 0;

	r.witness = env_make(&r, false);
	if (conf->witness != NULL && hostile_console_drive(&r.witness, conf->witness) < 0) {
		fprintf(stderr, "guest: %s: %s\n", conf->witness, r.witness.why);
		ret = -EIO;
	}
	for (packed = 0; packed < 2 && ret == 0; packed++) {
		if (packed ? conf->packed : conf->split)
			ret = ring_cases_run(&r, cases, n, packed);
	}
	if (conf->witness != NULL)
		hostile_console_close(&r.witness);
	return hostile_tally_end(&r.tally) == 0 && ret == 0 ? 0 : -EPROTO;
}
