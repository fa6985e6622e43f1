/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"
#include "vstate_compat.h"

#define BAR_WIDTH 50

int
stats_add(struct stats *s, uint64_t ns)
{
	size_t room = s->room > 0 ? s->room * 2 : 256;
	uint64_t *grown;

	if (s->nb == s->room) {
		grown = realloc(s->ns, room * sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		s->ns = grown;
		s->room = room;
	}
	s->ns[s->nb++] = ns;
	return 0;
}

static int
ns_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void
stats_sort(struct stats *s)
{
	if (s->nb > 0)
		qsort(s->ns, s->nb, sizeof(*s->ns), ns_compare);
}

/* The samples are sorted. */
static uint64_t
percentile_of(const struct stats *s, unsigned int per_mille)
{
	size_t rank = (s->nb * per_mille + 999) / 1000;

	return s->ns[rank > 0 ? rank - 1 : 0];
}

uint64_t
stats_percentile(struct stats *s, unsigned int per_mille)
{
	if (s->nb == 0)
		return 0;
	stats_sort(s);
	return percentile_of(s, per_mille);
}

void
stats_summarize(struct stats *s, struct stats_summary *sum)
{
	memset(sum, 0, sizeof(*sum));
	if (s->nb == 0)
		return;
	stats_sort(s);
	sum->p50 = percentile_of(s, 500);
	sum->p99 = percentile_of(s, 990);
	sum->p999 = percentile_of(s, 999);
	sum->max = s->ns[s->nb - 1];
}

/* Bucket n holds 2^(n-1) <= us < 2^n; bucket 0 holds samples below 1 us. */
static unsigned int
bucket_of(uint64_t ns)
{
	uint64_t us = ns / 1000;

	return us == 0 ? 0 : 64 - rte_clz64(us);
}

void
stats_histogram(struct stats *s, const char *title, FILE *f)
{
	size_t count, i = 0;
	unsigned int b;

	if (s->nb == 0)
		return;
	stats_sort(s);
	fprintf(f, "%s, us\n", title);
	for (b = bucket_of(s->ns[0]); i < s->nb; b++) {
		for (count = 0; i < s->nb && bucket_of(s->ns[i]) == b; i++)
			count++;
		fprintf(f, "  %8" PRIu64 " .. %-8" PRIu64 " %8zu %.*s\n",
			b == 0 ? 0 : UINT64_C(1) << (b - 1), UINT64_C(1) << b, count,
			(int)((count * BAR_WIDTH + s->nb - 1) / s->nb),
			"##################################################");
	}
}

void
stats_free(struct stats *s)
{
	free(s->ns);
	memset(s, 0, sizeof(*s));
}
