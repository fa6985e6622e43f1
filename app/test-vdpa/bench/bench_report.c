/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>

#include <vstate_compat.h>

#include "bench.h"
#include "bench_case.h"
#include "bench_port.h"
#include "bench_report.h"
#include "bench_result.h"
#include "report.h"

#define NAME_WIDTH 28

void
bench_report_head(const struct bench_report *rep, FILE *f)
{
	const struct bench_conf *conf = rep->conf;

	fprintf(f, "%s, TSC %.2f GHz,\n%s\n", rep->cpu, rep->tsc_hz / 1e9, rte_version());
	if (rep->nb_stops > 0) {
		fprintf(f, "one thread of load on CPU %d, stopped from CPU %d\n\n", conf->cpu,
			conf->guest_cpu);
		return;
	}
	if (conf->two_core)
		fprintf(f, "two cores: device on CPU %d, guest on CPU %d", conf->cpu,
			conf->guest_cpu);
	else
		fprintf(f, "one core: guest and device in turn on CPU %d", conf->cpu);
	fprintf(f, ";\nslices of %" PRIu64 " us in turn, %g s a case\n\n", conf->slice_us,
		conf->seconds);
}

/* 80 columns. The minima are in the report as JSON. */
void
bench_report_columns(FILE *f)
{
	fprintf(f, "%-*s%24s %13s %13s\n", NAME_WIDTH, "median of slices", "TSC cycles per packet",
		"vstate to", "vstate");
	fprintf(f, "%-*s%8s%8s%9s%7s%7s%6s%7s\n", NAME_WIDTH, "case", "vstate", "vhost", "roofline",
		"vhost", "roof", "Mpps", "GB/s");
}

void
bench_report_row(const struct bench_result *r, FILE *f)
{
	int kind;

	fprintf(f, "%-*s", NAME_WIDTH, r->c->name);
	if (r->failed) {
		fprintf(f, " FAILED\n");
		return;
	}
	for (kind = 0; kind < BENCH_KINDS; kind++) {
		const int width = kind == BENCH_ROOFLINE ? 9 : 8;

		if (r->side[kind].median > 0)
			fprintf(f, "%*.1f", width, r->side[kind].median);
		else
			fprintf(f, "%*s", width, "-");
	}
	if (r->to_vhost.median > 0)
		fprintf(f, "%7.2f", r->to_vhost.median);
	else
		fprintf(f, "%7s", "-");
	if (r->to_roofline.median > 0)
		fprintf(f, "%7.2f", r->to_roofline.median);
	else
		fprintf(f, "%7s", "-");
	/* Not for idle cases, which count polls instead of packets. */
	if (r->c->op != BENCH_IDLE && r->side[BENCH_VSTATE].median > 0)
		fprintf(f, "%6.1f%7.2f", r->side[BENCH_VSTATE].mpps, r->side[BENCH_VSTATE].gbytes);
	fprintf(f, "\n");
}

void
bench_report_stops(const struct bench_report *rep, FILE *f)
{
	unsigned int i;

	if (rep->nb_stops == 0)
		return;
	fprintf(f, "%-8s %-16s %5s %8s %9s %9s %9s %9s\n", "stop, us", "by", "vqs", "samples",
		"p50", "p99", "p99.9", "max");
	for (i = 0; i < rep->nb_stops; i++) {
		const struct bench_stop_result *s = &rep->stops[i];

		fprintf(f, "%-8s %-16s %5u %8zu %9.1f %9.1f %9.1f %9.1f\n",
			bench_kind_names[s->kind], s->how, s->vqs, s->samples, s->ns.p50 / 1e3,
			s->ns.p99 / 1e3, s->ns.p999 / 1e3, s->ns.max / 1e3);
	}
}

static json_t *
ratio_json(double min, double median)
{
	return json_pack("{s:o, s:o}", "min", report_real(min, 3), "median",
		report_real(median, 3));
}

static json_t *
result_json(const struct bench_result *r)
{
	json_t *result = json_pack("{s:s, s:b, s:i, s:i, s:i, s:o}", "case", r->c->name,
		"ok", !r->failed, "frame", (int)r->c->frame, "queue_pairs", (int)r->c->pairs,
		"burst", (int)r->c->burst, "slices", report_count(r->slices));
	int kind;

	for (kind = 0; kind < BENCH_KINDS; kind++) {
		const struct bench_figures *s = &r->side[kind];

		if (s->median == 0)
			continue;
		json_object_set_new(result, bench_kind_names[kind],
			json_pack("{s:o, s:o, s:o, s:o, s:o}",
				"cycles_min", report_real(s->min, 2),
				"cycles_median", report_real(s->median, 2),
				"mpps", report_real(s->mpps, 3),
				"gbytes_per_second", report_real(s->gbytes, 3),
				"interrupted", report_real(s->interrupted, 4)));
	}
	if (r->to_vhost.median > 0)
		json_object_set_new(result, "to_vhost",
			ratio_json(r->to_vhost.min, r->to_vhost.median));
	if (r->to_roofline.median > 0)
		json_object_set_new(result, "to_roofline",
			ratio_json(r->to_roofline.min, r->to_roofline.median));
	return result;
}

static json_t *
stop_json(const struct bench_stop_result *s)
{
	return json_pack("{s:s, s:s, s:i, s:o, s:{s:o, s:o, s:o, s:o}}",
		"device", bench_kind_names[s->kind], "by", s->how, "virtqueues", (int)s->vqs,
		"samples", report_count(s->samples), "us",
		"p50", report_real(s->ns.p50 / 1e3, 1), "p99", report_real(s->ns.p99 / 1e3, 1),
		"p999", report_real(s->ns.p999 / 1e3, 1), "max", report_real(s->ns.max / 1e3, 1));
}

int
bench_report_json(const struct bench_report *rep, FILE *f)
{
	json_t *cases = json_array(), *stops = json_array();
	unsigned int i;

	for (i = 0; i < rep->nb_results; i++)
		json_array_append_new(cases, result_json(&rep->results[i]));
	for (i = 0; i < rep->nb_stops; i++)
		json_array_append_new(stops, stop_json(&rep->stops[i]));
	return report_write(json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o}",
		"dpdk", rte_version(), "cpu", report_text(rep->cpu),
		"tsc_hz", report_count(rep->tsc_hz),
		"mode", rep->conf->two_core ? "two-core" : "single-core",
		"slice_us", report_count(rep->conf->slice_us),
		"seconds", report_real(rep->conf->seconds, 6), "cases", cases, "stops", stops), f);
}
