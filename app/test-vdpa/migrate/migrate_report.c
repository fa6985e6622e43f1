/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>

#include "guest.h"
#include "guest_traffic.h"
#include "migrate.h"
#include "migrate_break.h"
#include "migrate_report.h"
#include "migrate_step.h"
#include "report.h"
#include "stats.h"

bool
migrate_held(const struct migrate_result *res)
{
	const struct guest_counts *c = &res->counts;

	return res->failure[0] == '\0' && res->rounds > 0 && c->received > 0 &&
		c->lost <= res->lost_allowed &&
		c->duplicated == 0 && c->reordered == res->overtaken && c->corrupted == 0;
}

static const char *
ring_name(const struct migrate_options *opt)
{
	return opt->packed ? "packed" : "split";
}

static void
times_text(const char *what, struct stats *s, FILE *f)
{
	struct stats_summary sum;

	/* what the run did not measure has no row */
	if (s->nb == 0)
		return;
	stats_summarize(s, &sum);
	fprintf(f, "%-21s%10.1f %10.1f %10.1f %10.1f\n", what, sum.p50 / 1e3, sum.p99 / 1e3,
		sum.p999 / 1e3, sum.max / 1e3);
}

static void
text_print(const struct migrate_options *opt, struct migrate_result *res, FILE *f)
{
	const struct guest_counts *c = &res->counts;

	if (opt->verbose) {
		stats_histogram(&res->suspend, "suspend", f);
		stats_histogram(&res->capture_restore, "capture + restore", f);
		stats_histogram(&res->blackout, "blackout", f);
	}
	fprintf(f, "%s ring of %u, via %s, %s, seed %" PRIu64 ", %.1f s\n", ring_name(opt),
		opt->ring_size, opt->via->name, opt->process ? "two processes" : "one process",
		opt->seed, res->elapsed_ns / 1e9);
	fprintf(f, "rounds      %12" PRIu64 "\n", res->rounds);
	if (opt->fail_every != 0)
		fprintf(f, "failed      %12" PRIu64 "\n", res->failed_moves);
	if (opt->upgrade)
		fprintf(f, "kept        %12" PRIu64 "\n", res->kept);
	if (opt->causal)
		fprintf(f, "causal      %12" PRIu64 "\n", res->causal_states);
	if (opt->inflight != 0)
		fprintf(f, "in flight   %12" PRIu64 "\n", res->inflight);
	if (opt->overtake)
		fprintf(f, "overtaken   %12" PRIu64 "\n", res->overtaken);
	if (opt->kill)
		fprintf(f, "allowed     %12" PRIu64 " lost\nempty       %12" PRIu64 "\n",
			res->lost_allowed, c->empty);
	if (opt->cvq)
		fprintf(f, "settings    %12" PRIu64 " times the same\n", res->cvq_compared);
	fprintf(f, "virtqueues  %12u\n", 2 * opt->pairs + opt->cvq);
	fprintf(f, "frames      %12" PRIu64 "\n", c->sent);
	fprintf(f, "lost        %12" PRIu64 "\n", c->lost);
	fprintf(f, "duplicated  %12" PRIu64 "\n", c->duplicated);
	fprintf(f, "reordered   %12" PRIu64 "\n", c->reordered);
	fprintf(f, "corrupted   %12" PRIu64 "\n", c->corrupted);
	if (res->suspend.nb + res->capture_restore.nb + res->blackout.nb == 0)
		return;
	fprintf(f, "%-21s%10s %10s %10s %10s\n", "us", "p50", "p99", "p99.9", "max");
	times_text("suspend", &res->suspend, f);
	times_text("capture + restore", &res->capture_restore, f);
	times_text("blackout", &res->blackout, f);
}

/* Null if the run did not measure it. */
static json_t *
times_json(struct stats *s)
{
	struct stats_summary sum;

	if (s->nb == 0)
		return json_null();
	stats_summarize(s, &sum);
	return json_pack("{s:o, s:o, s:o, s:o}", "p50", report_real(sum.p50 / 1e3, 3),
		"p99", report_real(sum.p99 / 1e3, 3), "p999", report_real(sum.p999 / 1e3, 3),
		"max", report_real(sum.max / 1e3, 3));
}

/* The whole distribution, whatever the number of rounds: the percentiles 0 to 100. */
static json_t *
percentiles_json(struct stats *s)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i <= 100 && s->nb > 0; i++)
		json_array_append_new(list, report_real(stats_percentile(s, 10 * i) / 1e3, 3));
	return list;
}

static json_t *
report_json(const struct migrate_options *opt, struct migrate_result *res)
{
	const struct guest_counts *c = &res->counts;
	json_t *report = json_pack("{s:o, s:i, s:o, s:o, s:o, s:o, s:o}",
		"rounds", report_count(res->rounds), "virtqueues", 2 * (int)opt->pairs + opt->cvq,
		"frames", report_count(c->sent), "lost", report_count(c->lost),
		"duplicated", report_count(c->duplicated),
		"reordered", report_count(c->reordered),
		"corrupted", report_count(c->corrupted));

	json_object_set_new(report, "suspend_us", times_json(&res->suspend));
	json_object_set_new(report, "blackout_us", times_json(&res->blackout));
	json_object_set_new(report, "blackout_percentiles_us", percentiles_json(&res->blackout));
	json_object_set_new(report, "capture_restore_us", times_json(&res->capture_restore));
	json_object_set_new(report, "via", report_text(opt->via->name));
	json_object_set_new(report, "failed_moves", report_count(res->failed_moves));
	json_object_set_new(report, "causal_states", report_count(res->causal_states));
	json_object_set_new(report, "inflight", report_count(res->inflight));
	json_object_set_new(report, "overtaken", report_count(res->overtaken));
	json_object_set_new(report, "lost_allowed", report_count(res->lost_allowed));
	json_object_set_new(report, "empty", report_count(c->empty));
	json_object_set_new(report, "connections_kept", report_count(res->kept));
	json_object_set_new(report, "settings_compared", report_count(res->cvq_compared));
	json_object_set_new(report, "ring", report_text(ring_name(opt)));
	json_object_set_new(report, "seed", report_count(opt->seed));
	json_object_set_new(report, "seconds", report_real(res->elapsed_ns / 1e9, 3));
	return report;
}

/* Report the counts that are wrong in a run that did not end early. */
static void
shortfall_print(const struct migrate_result *res)
{
	const struct guest_counts *c = &res->counts;

	if (migrate_held(res) || (res->failure[0] != '\0' && c->sent == 0))
		return;
	fprintf(stderr, "dpdk-test-vdpa: %" PRIu64 " frames sent in %" PRIu64 " rounds, %" PRIu64
		" received, %" PRIu64 " lost (%" PRIu64 " allowed), %" PRIu64
		" duplicated, %" PRIu64 " reordered (%" PRIu64 " on purpose), %" PRIu64
		" corrupted\n", c->sent, res->rounds, c->received, c->lost, res->lost_allowed,
		c->duplicated, c->reordered, res->overtaken, c->corrupted);
}

/* Report why a run failed, and what was spoilt on purpose. Not on stdout, which may have JSON. */
static void
verdict_print(const struct migrate_options *opt, const struct migrate_result *res)
{
	if (res->broken[0] != '\0')
		fprintf(stderr, "dpdk-test-vdpa: state broken on purpose (%s), %s\n",
			opt->breakage->name, res->broken);
	if (res->guest_error[0] != '\0')
		fprintf(stderr, "dpdk-test-vdpa: guest: %s\n", res->guest_error);
	if (res->failure[0] != '\0')
		fprintf(stderr, "dpdk-test-vdpa: %s\n", res->failure);
	if (res->broken[0] == '\0') {
		shortfall_print(res);
		return;
	}
	fprintf(stderr, "dpdk-test-vdpa: %s\n", migrate_held(res) ?
		"NOT DETECTED: every frame came back" : "the broken state was detected");
}

void
migrate_report(const struct migrate_options *opt, struct migrate_result *res, FILE *f)
{
	if (opt->json)
		report_write(report_json(opt, res), f);
	else
		text_print(opt, res, f);
	fflush(f);
	verdict_print(opt, res);
}
