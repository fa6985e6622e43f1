/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>

#include <rte_cycles.h>

#include "bench.h"
#include "bench_cpu.h"
#include "bench_socket.h"
#include "bench_socket_report.h"
#include "report.h"

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
	fprintf(f, "%s, TSC %.2f GHz\nback ends of other processes, guest on CPU %d;\n"
		"slices of %" PRIu64 " us in turn, %g s a case\n\n", cpu, rte_get_tsc_hz() / 1e9,
		conf->guest_cpu, conf->slice_us, conf->seconds);
	fprintf(f, "%-*s %-15s%9s%9s%8s%9s\n", NAME_WIDTH, "Mpps seen by the guest", "", "min",
		"median", "GB/s", "to first");
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
		fprintf(f, "%-*s %-15s%9.3f%9.3f%8.3f%9.2f\n", NAME_WIDTH, r->c->name,
			socks->v[i].name, s->min, s->median, s->median * r->c->frame / 1e3,
			s->ratio);
	}
}

static json_t *
sides_json(const struct bench_sockets *socks, const struct bench_socket_result *r)
{
	const struct bench_socket_figures *s;
	json_t *sides = json_array();
	unsigned int i;

	for (i = 0; i < socks->nb && !r->failed; i++) {
		s = &r->side[i];
		json_array_append_new(sides, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
			"name", report_text(socks->v[i].name), "mpps_min", report_real(s->min, 4),
			"mpps_median", report_real(s->median, 4),
			"mpps_max", report_real(s->max, 4),
			"wall_cycles_median", report_real(cycles_of(s), 1),
			"to_first", report_real(s->ratio, 3)));
	}
	return sides;
}

int
bench_socket_json(const struct bench_sockets *socks, const struct bench_conf *conf,
		const struct bench_socket_result *results, unsigned int nb, FILE *f)
{
	json_t *cases = json_array();
	unsigned int i;

	for (i = 0; i < nb; i++) {
		const struct bench_socket_result *r = &results[i];

		json_array_append_new(cases, json_pack("{s:s, s:b, s:i, s:i, s:o, s:o}",
			"case", r->c->name, "ok", !r->failed, "frame", (int)r->c->frame,
			"queue_pairs", (int)r->c->pairs, "slices", report_count(r->slices),
			"sides", sides_json(socks, r)));
	}
	return report_write(json_pack("{s:o, s:s, s:o, s:o, s:o}",
		"tsc_hz", report_count(rte_get_tsc_hz()), "mode", "socket",
		"slice_us", report_count(conf->slice_us),
		"seconds", report_real(conf->seconds, 6), "cases", cases), f);
}
