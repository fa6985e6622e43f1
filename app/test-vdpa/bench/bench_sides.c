/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_vhost.h>

#include "bench.h"
#include "bench_case.h"
#include "bench_guest.h"
#include "bench_port.h"
#include "bench_roofline.h"
#include "bench_run.h"
#include "bench_sides.h"
#include "guest.h"
#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "workdir.h"

/* Features that a port offers. rte_vhost does not know the socket of net_vstate. */
static int
features_offered(const struct bench_port *port, uint64_t *features)
{
	struct rte_vhost_state_info info;

	if (rte_vhost_state_info_get(port->name, &info) != 0)
		return rte_vhost_driver_get_features(port->path, features);
	*features = info.limits.device_features;
	return 0;
}

static int
features_check(const struct bench_side sides[BENCH_KINDS], const struct bench_case *c,
		uint64_t *features)
{
	uint64_t offered;
	int kind, ret;

	*features = bench_guest_want(c);
	for (kind = 0; kind < BENCH_ROOFLINE; kind++) {
		if (!sides[kind].port.present)
			continue;
		ret = features_offered(&sides[kind].port, &offered);
		if (ret < 0) {
			fprintf(stderr, "dpdk-test-vdpa bench: %s: net_%s: the features are not known\n",
				c->name, bench_kind_names[kind]);
			return -EIO;
		}
		if ((*features & ~offered) == 0)
			continue;
		/* Otherwise the name of the case would be wrong. */
		fprintf(stderr, "dpdk-test-vdpa bench: %s: net_%s lacks features 0x%" PRIx64 "\n",
			c->name, bench_kind_names[kind], *features & ~offered);
		return -ENOTSUP;
	}
	return 0;
}

static int
side_connect(struct bench_side *s, uint64_t features)
{
	const char *why = NULL;
	int ret;

	s->guest = bench_guest_create(s->c, features);
	if (s->guest == NULL)
		return -rte_errno;
	if (s->kind == BENCH_ROOFLINE)
		return bench_roof_create(s);
	ret = bench_guest_connect(s->guest, s->port.path);
	if (ret < 0)
		why = guest_error(s->guest->g);
	else
		ret = bench_port_wait_link(&s->port, true);
	if (ret < 0)
		fprintf(stderr, "dpdk-test-vdpa bench: %s: net_%s: %s: %s\n", s->c->name,
			bench_kind_names[s->kind], s->guest->link == NULL ? "cannot connect" :
			"the link stays down", why != NULL ? why : rte_strerror(-ret));
	return ret;
}

int
bench_sides_open(struct bench_side sides[BENCH_KINDS], const struct bench_case *c,
		unsigned int mask, struct rte_mempool *pool, const struct workdir *wd)
{
	uint64_t features;
	int kind, ret = 0;

	memset(sides, 0, BENCH_KINDS * sizeof(*sides));
	for (kind = 0; kind < BENCH_KINDS && ret == 0; kind++) {
		sides[kind].kind = kind;
		sides[kind].c = c;
		sides[kind].pool = pool;
		if (kind != BENCH_ROOFLINE && (mask & (1u << kind)) != 0)
			ret = bench_port_open(&sides[kind].port, kind, c->pairs, pool, wd);
	}
	if (ret == 0)
		ret = features_check(sides, c, &features);
	for (kind = 0; kind < BENCH_KINDS && ret == 0; kind++)
		if ((mask & (1u << kind)) != 0)
			ret = side_connect(&sides[kind], features);
	for (kind = 0; kind < BENCH_KINDS && ret == 0; kind++)
		if ((mask & (1u << kind)) != 0)
			ret = bench_side_prime(&sides[kind]);
	if (ret < 0)
		bench_sides_close(sides);
	return ret;
}

void
bench_sides_close(struct bench_side sides[BENCH_KINDS])
{
	bool connected;
	int kind;

	for (kind = 0; kind < BENCH_KINDS; kind++) {
		connected = sides[kind].guest != NULL && sides[kind].guest->link != NULL;
		bench_guest_destroy(sides[kind].guest);
		/*
		 * Not at the same time: removing a device while its connection closes is another
		 * test.
		 */
		if (connected)
			bench_port_wait_link(&sides[kind].port, false);
		bench_port_close(&sides[kind].port);
		bench_roof_free(&sides[kind]);
		sides[kind].guest = NULL;
	}
}
