/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "bench.h"
#include "bench_case.h"
#include "bench_result.h"

int
bench_series_add(struct bench_series *s, const struct bench_work *work)
{
	size_t room = s->room > 0 ? 2 * s->room : 256;
	double *grown;

	if (s->nb == s->room) {
		grown = realloc(s->v, room * sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		s->v = grown;
		s->room = room;
	}
	s->v[s->nb++] = (double)work->cycles / work->count;
	s->steps += work->steps;
	s->interrupted += work->interrupted;
	return 0;
}

void
bench_series_free(struct bench_series *s)
{
	free(s->v);
	memset(s, 0, sizeof(*s));
}

static int
doubles_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

void
bench_min_median(double *v, size_t nb, double *min, double *median)
{
	qsort(v, nb, sizeof(*v), doubles_compare);
	*min = v[0];
	*median = nb % 2 == 1 ? v[nb / 2] : (v[nb / 2 - 1] + v[nb / 2]) / 2;
}

static struct bench_ratio
ratio_make(const struct bench_series *a, const struct bench_series *b, double *work)
{
	size_t nb = RTE_MIN(a->nb, b->nb), i;
	struct bench_ratio r = { 0 };
	double ignored;

	if (nb == 0)
		return r;
	for (i = 0; i < nb; i++)
		work[i] = a->v[i] / b->v[i];
	bench_min_median(work, nb, &ignored, &r.median);
	return r;
}

int
bench_result_make(struct bench_result *r, const struct bench_case *c,
		const struct bench_series series[BENCH_KINDS], uint64_t tsc_hz)
{
	const struct bench_series *own = &series[BENCH_VSTATE];
	struct bench_figures *f;
	size_t most = 0;
	double *work;
	int kind;

	memset(r, 0, sizeof(*r));
	r->c = c;
	for (kind = 0; kind < BENCH_KINDS; kind++)
		most = RTE_MAX(most, series[kind].nb);
	r->slices = most;
	work = malloc((most + 1) * sizeof(*work));
	if (work == NULL)
		return -ENOMEM;
	for (kind = 0; kind < BENCH_KINDS; kind++) {
		f = &r->side[kind];
		if (series[kind].nb == 0)
			continue;
		memcpy(work, series[kind].v, series[kind].nb * sizeof(*work));
		bench_min_median(work, series[kind].nb, &f->min, &f->median);
		f->mpps = tsc_hz / f->median / 1e6;
		f->gbytes = f->mpps * c->frame / 1e3;
		f->interrupted = (double)series[kind].interrupted / series[kind].steps;
	}
	r->to_vhost = ratio_make(own, &series[BENCH_VHOST], work);
	r->to_roofline = ratio_make(own, &series[BENCH_ROOFLINE], work);
	f = r->side;
	if (f[BENCH_VHOST].min > 0)
		r->to_vhost.min = f[BENCH_VSTATE].min / f[BENCH_VHOST].min;
	if (f[BENCH_ROOFLINE].min > 0)
		r->to_roofline.min = f[BENCH_VSTATE].min / f[BENCH_ROOFLINE].min;
	free(work);
	return 0;
}
