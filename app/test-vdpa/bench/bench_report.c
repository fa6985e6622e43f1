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

#define NAME_WIDTH 28

void
bench_report_head(const struct bench_report *rep, FILE *f)
{
	const struct bench_conf *conf = rep->conf;

	fprintf(f, "%s, TSC %.2f GHz, %s\n", rep->cpu, rep->tsc_hz / 1e9, rte_version());
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
	fprintf(f, "; slices of %" PRIu64 " us in turn, %g s a case\n\n", conf->slice_us,
		conf->seconds);
}

void
bench_report_columns(FILE *f)
{
	fprintf(f, "%-*s  %-15s %-15s %-15s  %-11s %-11s  %s\n", NAME_WIDTH,
		"TSC cycles per packet", "vstate", "vhost", "roofline", "to vhost", "to roofline",
		"vstate");
	fprintf(f, "%-*s  %7s %7s %7s %7s %7s %7s  %5s %5s %5s %5s  %6s %6s\n", NAME_WIDTH, "case",
		"min", "median", "min", "median", "min", "median", "min", "med", "min", "med",
		"Mpps", "GB/s");
}

void
bench_report_row(const struct bench_result *r, FILE *f)
{
	int kind;

	fprintf(f, "%-*s ", NAME_WIDTH, r->c->name);
	if (r->failed) {
		fprintf(f, " FAILED\n");
		return;
	}
	for (kind = 0; kind < BENCH_KINDS; kind++) {
		if (r->side[kind].median > 0)
			fprintf(f, " %7.1f %7.1f", r->side[kind].min, r->side[kind].median);
		else
			fprintf(f, " %7s %7s", "-", "-");
	}
	fprintf(f, "  %5.2f %5.2f %5.2f %5.2f ", r->to_vhost.min, r->to_vhost.median,
		r->to_roofline.min, r->to_roofline.median);
	/* Not for idle cases, which count polls instead of packets. */
	if (r->c->op != BENCH_IDLE && r->side[BENCH_VSTATE].median > 0)
		fprintf(f, " %6.1f %6.2f", r->side[BENCH_VSTATE].mpps,
			r->side[BENCH_VSTATE].gbytes);
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

static void
json_result(const struct bench_result *r, FILE *f)
{
	int kind;

	fprintf(f, "    {\"case\": \"%s\", \"ok\": %s, \"frame\": %u, \"queue_pairs\": %u, "
		"\"burst\": %u, \"slices\": %zu", r->c->name, r->failed ? "false" : "true",
		r->c->frame, r->c->pairs, r->c->burst, r->slices);
	for (kind = 0; kind < BENCH_KINDS; kind++) {
		const struct bench_figures *s = &r->side[kind];

		if (s->median == 0)
			continue;
		fprintf(f, ",\n     \"%s\": {\"cycles_min\": %.2f, \"cycles_median\": %.2f, "
			"\"mpps\": %.3f, \"gbytes_per_second\": %.3f, \"interrupted\": %.4f}",
			bench_kind_names[kind], s->min, s->median, s->mpps, s->gbytes,
			s->interrupted);
	}
	if (r->to_vhost.median > 0)
		fprintf(f, ",\n     \"to_vhost\": {\"min\": %.3f, \"median\": %.3f}",
			r->to_vhost.min, r->to_vhost.median);
	if (r->to_roofline.median > 0)
		fprintf(f, ",\n     \"to_roofline\": {\"min\": %.3f, \"median\": %.3f}",
			r->to_roofline.min, r->to_roofline.median);
	fprintf(f, "}");
}

void
bench_report_json(const struct bench_report *rep, FILE *f)
{
	unsigned int i;

	fprintf(f, "{\n  \"dpdk\": \"%s\", \"cpu\": \"%s\", \"tsc_hz\": %" PRIu64
		", \"mode\": \"%s\", \"slice_us\": %" PRIu64 ", \"seconds\": %g,\n"
		"  \"cases\": [\n", rte_version(), rep->cpu, rep->tsc_hz,
		rep->conf->two_core ? "two-core" : "single-core", rep->conf->slice_us,
		rep->conf->seconds);
	for (i = 0; i < rep->nb_results; i++) {
		json_result(&rep->results[i], f);
		fprintf(f, "%s\n", i + 1 < rep->nb_results ? "," : "");
	}
	fprintf(f, "  ],\n  \"stops\": [\n");
	for (i = 0; i < rep->nb_stops; i++) {
		const struct bench_stop_result *s = &rep->stops[i];

		fprintf(f, "    {\"device\": \"%s\", \"by\": \"%s\", \"virtqueues\": %u, "
			"\"samples\": %zu, \"us\": {\"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, "
			"\"max\": %.1f}}%s\n", bench_kind_names[s->kind], s->how, s->vqs,
			s->samples, s->ns.p50 / 1e3, s->ns.p99 / 1e3, s->ns.p999 / 1e3,
			s->ns.max / 1e3, i + 1 < rep->nb_stops ? "," : "");
	}
	fprintf(f, "  ]\n}\n");
}
