/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>

#include <rte_cycles.h>

#include "bench.h"
#include "bench_cpu.h"
#include "bench_socket.h"
#include "bench_socket_report.h"

#define NAME_WIDTH 28

static double
cycles_of(const struct bench_socket_figures *f)
{
	return rte_get_tsc_hz() / (f->median * 1e6);
}

void
bench_socket_head(const struct bench_conf *conf, FILE *f)
{
	char cpu[64];

	bench_cpu_name(cpu, sizeof(cpu));
	fprintf(f, "%s, TSC %.2f GHz\nback ends of other processes, guest on CPU %d; slices of %"
		PRIu64 " us in turn, %g s a case\n\n", cpu, rte_get_tsc_hz() / 1e9, conf->guest_cpu,
		conf->slice_us, conf->seconds);
	fprintf(f, "%-*s %-15s %8s %8s %8s %8s %8s %8s\n", NAME_WIDTH, "Mpps seen by the guest", "",
		"min", "median", "max", "GB/s", "wall cyc", "to first");
}

void
bench_socket_rows(const struct bench_sockets *socks, const struct bench_socket_result *r, FILE *f)
{
	const struct bench_socket_figures *s;
	unsigned int i;

	if (r->failed) {
		fprintf(f, "%-*s FAILED\n", NAME_WIDTH, r->c->name);
		return;
	}
	for (i = 0; i < socks->nb; i++) {
		s = &r->side[i];
		fprintf(f, "%-*s %-15s %8.3f %8.3f %8.3f %8.3f %8.1f %8.2f\n", NAME_WIDTH,
			r->c->name, socks->v[i].name, s->min, s->median, s->max,
			s->median * r->c->frame / 1e3, cycles_of(s), s->ratio);
	}
}

static void
json_sides(const struct bench_sockets *socks, const struct bench_socket_result *r, FILE *f)
{
	const struct bench_socket_figures *s;
	unsigned int i;

	for (i = 0; i < socks->nb; i++) {
		s = &r->side[i];
		fprintf(f, "%s\n      {\"name\": \"%s\", \"mpps_min\": %.4f, "
			"\"mpps_median\": %.4f, \"mpps_max\": %.4f, "
			"\"wall_cycles_median\": %.1f, \"to_first\": %.3f}",
			i > 0 ? "," : "", socks->v[i].name, s->min, s->median, s->max, cycles_of(s),
			s->ratio);
	}
}

void
bench_socket_json(const struct bench_sockets *socks, const struct bench_conf *conf,
		const struct bench_socket_result *results, unsigned int nb, FILE *f)
{
	unsigned int i;

	fprintf(f, "{\n  \"tsc_hz\": %" PRIu64 ", \"mode\": \"socket\", \"slice_us\": %" PRIu64
		", \"seconds\": %g,\n  \"cases\": [", rte_get_tsc_hz(), conf->slice_us,
		conf->seconds);
	for (i = 0; i < nb; i++) {
		const struct bench_socket_result *r = &results[i];

		fprintf(f, "%s\n    {\"case\": \"%s\", \"ok\": %s, \"frame\": %u, "
			"\"queue_pairs\": %u, \"slices\": %zu, \"sides\": [", i > 0 ? "," : "",
			r->c->name, r->failed ? "false" : "true", r->c->frame, r->c->pairs,
			r->slices);
		if (!r->failed)
			json_sides(socks, r, f);
		fprintf(f, "]}");
	}
	fprintf(f, "\n  ]\n}\n");
}
