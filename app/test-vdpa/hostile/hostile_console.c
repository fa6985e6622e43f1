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
#include "hostile_proc.h"

#define MAX_CASES 200
/* Cases in a row after which no driver was served, and then the others are not tried. */
#define DEAF_MAX 3

struct run {
	const struct hostile_conf *conf;
	const char *port;
	/** A good driver of the second console; it has no connection if there is none. */
	struct hostile_console_env witness;
	/** The back end's process, and what it uses without an attack. */
	pid_t pid;
	struct hostile_usage base;
	uint32_t passed, failed, deaf;
};

static struct hostile_console_env
env_make(const struct run *r, bool packed)
{
	return (struct hostile_console_env){ .conf = r->conf, .port = r->port, .packed = packed };
}

/* ---- checks ---- */

/* The second console answers. */
static int
witness_check(struct run *r, struct hostile_console_env *e)
{
	if (r->conf->witness == NULL || hostile_console_answer(&r->witness) == 0)
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

static bool
is_alive(const struct run *r)
{
	return r->pid == 0 || hostile_proc_alive(r->pid);
}

static int
usage_check(const struct run *r, struct hostile_console_env *e)
{
	char why[200];

	if (r->pid == 0 || hostile_usage_check(r->pid, &r->base, r->conf->rss_limit_mb, why,
				sizeof(why)) == 0)
		return 0;
	return hostile_console_fail(e, "%s", why);
}

/* ---- one case ---- */

static void
run_case(struct run *r, const struct hostile_console_case *c, bool packed)
{
	struct hostile_console_env e = env_make(r, packed);
	const char *ring = packed ? "packed" : "split";
	int ret, fresh = 0;

	ret = attack_run(r, &e, c);
	hostile_console_close(&e);
	if (is_alive(r))
		fresh = fresh_check(r, &e);
	r->deaf = fresh < 0 ? r->deaf + 1 : 0;
	if (ret == 0)
		ret = fresh;
	if (!is_alive(r)) {
		e.why[0] = '\0';
		ret = hostile_console_fail(&e, "the back end's process ended");
	}
	if (ret == 0)
		ret = usage_check(r, &e);
	/* what this case left behind must not fail the next one */
	if (ret < 0 && r->pid != 0)
		hostile_usage_steady(r->pid, &r->base);
	if (ret < 0)
		printf("FAIL %s %s: %s\n", c->name, ring, e.why);
	else
		printf("PASS %s %s%s%s\n", c->name, ring, r->conf->verbose ? ": " : "",
				r->conf->verbose ? e.did : "");
	fflush(stdout);
	r->failed += ret < 0;
	r->passed += ret == 0;
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
		r->pid = r->conf->pid != 0 ? r->conf->pid :
			hostile_proc_peer(e.guest.links[0].fe.fd);
	hostile_console_close(&e);
	if (ret == 0)
		ret = fresh_check(r, &e);
	if (ret < 0) {
		fprintf(stderr, "guest: %s: %s\n", r->conf->path, e.why);
		return ret;
	}
	/* The process of a container has another number here, or belongs to another user. */
	if (r->pid != 0 && hostile_usage_steady(r->pid, &r->base) < 0)
		r->pid = 0;
	return 0;
}

static int
ring_cases_run(struct run *r, const struct hostile_console_case *cases, uint32_t nb, bool packed)
{
	const char *names = r->conf->name;
	uint32_t i;

	if (warm_up(r, packed) < 0)
		return -EIO;
	for (i = 0; i < nb; i++) {
		if ((cases[i].flags & (packed ? HOSTILE_PACKED : HOSTILE_SPLIT)) == 0 ||
				(!hostile_name_is_listed(names, "all") &&
				 !hostile_name_is_listed(names, cases[i].name)))
			continue;
		run_case(r, &cases[i], packed);
		if (r->deaf < DEAF_MAX && is_alive(r))
			continue;
		printf("FAIL: the back end serves nobody after %s, no more cases are run\n",
			cases[i].name);
		r->failed++;
		return -EIO;
	}
	return 0;
}

int
hostile_console_run(const struct hostile_conf *conf, const char *port)
{
	static struct hostile_console_case cases[MAX_CASES];
	struct run r = { .conf = conf, .port = port };
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
	if (r.passed + r.failed == 0 && ret == 0)
		fprintf(stderr, "guest: no hostile case \"%s\" for this ring; see --hostile list\n",
			conf->name);
	printf("%u passed, %u failed\n", r.passed, r.failed);
	return ret == 0 && r.failed == 0 && r.passed != 0 ? 0 : -EPROTO;
}
