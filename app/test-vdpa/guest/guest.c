/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>

#include "guest.h"
#include "guest_core.h"
#include "guest_frame.h"
#include "guest_inflight.h"
#include "guest_layout.h"
#include "guest_mem.h"
#include "guest_traffic.h"

static bool
conf_ok(const struct guest_conf *c)
{
	if (c->pairs == 0 || c->pairs > GUEST_MAX_PAIRS)
		return false;
	if (c->ring_size < 8 || c->ring_size > 32768)
		return false;
	if (!c->packed && (c->ring_size & (c->ring_size - 1)) != 0)
		return false;
	return c->frame_min >= GUEST_FRAME_MIN && c->frame_max <= GUEST_FRAME_MAX &&
		c->frame_min <= c->frame_max;
}

struct guest *
guest_create(const struct guest_conf *conf)
{
	struct guest *g;

	if (!conf_ok(conf)) {
		rte_errno = EINVAL;
		return NULL;
	}
	g = calloc(1, sizeof(*g));
	if (g != NULL)
		g->pairs = calloc(conf->pairs, sizeof(*g->pairs));
	if (g == NULL || g->pairs == NULL) {
		free(g);
		rte_errno = ENOMEM;
		return NULL;
	}
	g->conf = *conf;
	g->listener = -1;
	g->frame.seed = conf->seed;
	g->frame.any_pair = conf->any_pair;
	g->frame.pairs = conf->pairs;
	g->frame.min = conf->frame_min;
	g->frame.max = conf->frame_max;
	guest_mem_init(&g->mem);
	pthread_mutex_init(&g->lock, NULL);
	return g;
}

void
guest_destroy(struct guest *g)
{
	if (g == NULL)
		return;
	guest_traffic_stop(g, 0);
	guest_layout_free(g);
	guest_inflight_free(g);
	if (g->listener >= 0)
		close(g->listener);
	pthread_mutex_destroy(&g->lock);
	free(g->pairs);
	free(g);
}

void
guest_complain(struct guest *g, const char *fmt, ...)
{
	va_list ap;

	/* Only the first error is kept: the others usually follow from it. */
	if (g->why[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(g->why, sizeof(g->why), fmt, ap);
	va_end(ap);
}

const char *
guest_error(const struct guest *g)
{
	return g->why[0] != '\0' ? g->why : NULL;
}

uint64_t
guest_features(const struct guest *g)
{
	return g->features;
}
