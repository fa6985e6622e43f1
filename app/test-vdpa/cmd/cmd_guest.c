/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Subcommand guest: runs only the guest, with any vhost-user back end that sends frames back. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_vhost_state.h>

#include "cmd.h"
#include "cmd_guest.h"
#include "cmd_guest_class.h"
#include "cmd_guest_console.h"
#include "cmd_guest_disk.h"
#include "guest.h"
#include "guest_features.h"
#include "guest_session.h"
#include "hostile.h"
#include "option.h"
#include "report.h"
#include "stop.h"

struct options {
	struct guest_conf guest;
	struct hostile_conf hostile;
	const char *path;
	bool server, json, calls, ring_given;
	double seconds;
};

enum {
	OPT_SOCKET = 1, OPT_SERVER, OPT_QUEUES, OPT_RING, OPT_SIZE, OPT_SECONDS, OPT_FRAMES,
	OPT_FEATURES, OPT_ANY_LAYOUT, OPT_RX_VHOST, OPT_SEED, OPT_RATE, OPT_WINDOW, OPT_CALLS,
	OPT_JSON, OPT_HOSTILE, OPT_EXPECT_RESET, OPT_WITNESS, OPT_BACK_END_PID, OPT_RTE_VHOST,
	OPT_ROUNDS, OPT_RSS_LIMIT, OPT_HOLD, OPT_CVQ, OPT_ANY_PAIR, OPT_VERBOSE,
};

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "server", no_argument, NULL, OPT_SERVER },
	{ "queues", required_argument, NULL, OPT_QUEUES },
	{ "ring", required_argument, NULL, OPT_RING },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "frames", required_argument, NULL, OPT_FRAMES },
	{ "features", required_argument, NULL, OPT_FEATURES },
	{ "any-layout", no_argument, NULL, OPT_ANY_LAYOUT },
	{ "any-pair", no_argument, NULL, OPT_ANY_PAIR },
	{ "rx-as-rte-vhost", no_argument, NULL, OPT_RX_VHOST },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "window", required_argument, NULL, OPT_WINDOW },
	{ "calls", no_argument, NULL, OPT_CALLS },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "hostile", required_argument, NULL, OPT_HOSTILE },
	{ "expect-reset", no_argument, NULL, OPT_EXPECT_RESET },
	{ "witness", required_argument, NULL, OPT_WITNESS },
	{ "back-end-pid", required_argument, NULL, OPT_BACK_END_PID },
	{ "rte-vhost", no_argument, NULL, OPT_RTE_VHOST },
	{ "rounds", required_argument, NULL, OPT_ROUNDS },
	{ "rss-limit", required_argument, NULL, OPT_RSS_LIMIT },
	{ "hold", required_argument, NULL, OPT_HOLD },
	{ "cvq", no_argument, NULL, OPT_CVQ },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void
usage_print(FILE *f)
{
	fputs("Usage: dpdk-test-vdpa guest --socket PATH [OPTION]...\n"
		"A virtio-net guest on a vhost-user socket. It sends numbered frames on every\n"
		"queue pair and checks each frame that the back end sends back.\n\n"
		"  --socket PATH        vhost-user socket of the back end\n"
		"  --server             listen on PATH; the back end is the client. If it goes\n"
		"                       away, the run continues with the next one\n"
		"  --queues N           queue pairs, 1 to " RTE_STR(GUEST_MAX_PAIRS) " (1)\n"
		"  --ring split|packed  kind of virtqueue (split)\n"
		"  --size N             descriptors of a ring, 8 to 32768 (256)\n"
		"  --seconds S          duration of the run (5)\n"
		"  --frames LEN[-LEN]   frame lengths without FCS, 60 to 65550 (60-1514)\n"
		"  --features LIST      virtio features to ask for, of:\n"
		"                       ", f);
	guest_features_wrap(f, 23);
	fputs(";\n                       \"none\", or default mrg,indirect,event-idx\n"
		"  --any-layout         spread frames over random numbers of descriptors\n"
		"  --any-pair           a frame may come back on another queue pair, as through a\n"
		"                       switch or a port with fewer queues than the guest\n"
		"  --rx-as-rte-vhost    with --any-layout: only receive buffers that rte_vhost\n"
		"                       can handle\n"
		"  --seed N             seed of lengths, contents and layouts (the time)\n"
		"  --rate N             frames a second and queue (as fast as possible)\n"
		"  --window N           most frames of a queue on their way (as many as fit)\n"
		"  --calls              sleep until the back end calls, do not poll\n"
		"  --cvq                use a control queue, for a back end with cvq=1: settings\n"
		"                       change at random during the run\n"
		"  --json               report as JSON\n"
		"  --hostile NAMES      misbehave: cases, all, or door (half messages, floods,\n"
		"                       descriptors); list: print the cases; fuzz: random\n"
		"                       messages of --seed for --seconds; connects: a table of\n"
		"                       growth; ctrl: chains in the control queue (cvq=1)\n"
		"  --expect-reset       with --hostile: a broken queue must set NEEDS_RESET\n"
		"  --witness PATH       with --hostile: socket on which a second device of the\n"
		"                       same process listens; it must be served during the\n"
		"                       attacks\n"
		"  --back-end-pid PID   with --hostile: process whose descriptors, threads and\n"
		"                       memory are counted (that of the socket)\n"
		"  --rte-vhost          with --hostile: skip what rte_vhost does not survive\n"
		"  --rounds N           with --hostile: connections of a connect case ("
		RTE_STR(HOSTILE_ROUNDS) ")\n"
		"  --rss-limit MB       with --hostile: memory by which the back end may grow\n"
		"                       (" RTE_STR(HOSTILE_RSS_LIMIT_MB) ")\n"
		"  --hold S             with --hostile: hold a message that does not end (0)\n"
		"  --verbose            with --hostile: print what the back end did\n"
		"  --help               this text\n\n"
		"Exit status: 0 if frames flowed and none was lost, duplicated, reordered or\n"
		"corrupted (lost: but for a burst of 64 a queue pair with each back end that\n"
		"went away) (with --hostile: if the back end passed every case), 1 if not, 2 on\n"
		"wrong usage.\n", f);
}

static int
number_parse_opt(const char *opt, const char *word, uint64_t min, uint64_t max, uint64_t *value)
{
	return option_number("guest", opt, word, min, max, value);
}

static int
guest_option(struct guest_conf *c, int opt, const char *arg)
{
	uint64_t n = 0;
	int ret = 0;

	switch (opt) {
	case OPT_QUEUES:
		ret = number_parse_opt("--queues", arg, 1, GUEST_MAX_PAIRS, &n);
		c->pairs = n;
		break;
	case OPT_SIZE:
		ret = number_parse_opt("--size", arg, 8, RTE_VHOST_STATE_MAX_VQ_SIZE, &n);
		c->ring_size = n;
		break;
	case OPT_WINDOW:
		ret = number_parse_opt("--window", arg, 1, RTE_VHOST_STATE_MAX_VQ_SIZE, &n);
		c->window = n;
		break;
	case OPT_FRAMES:
		return option_frames("guest", "--frames", arg, &c->frame_min, &c->frame_max);
	case OPT_FEATURES:
		/* it reports an unknown name itself */
		return guest_features_parse(arg, &c->features) ? 0 : -EINVAL;
	case OPT_ANY_LAYOUT: c->any_layout = true; break;
	case OPT_ANY_PAIR: c->any_pair = true; break;
	case OPT_CVQ: c->cvq = true; break;
	case OPT_RX_VHOST: c->rx_as_rte_vhost = true; break;
	case OPT_SEED: return number_parse_opt("--seed", arg, 0, UINT64_MAX, &c->seed);
	case OPT_RATE: return number_parse_opt("--rate", arg, 1, UINT64_MAX, &c->rate);
	default: return -EINVAL;
	}
	return ret;
}

static int
hostile_option(struct hostile_conf *c, int opt, const char *arg)
{
	uint64_t n = 0;
	double seconds = 0;
	int ret = 0;

	switch (opt) {
	case OPT_HOSTILE: c->name = arg; break;
	case OPT_EXPECT_RESET: c->expect_reset = true; break;
	case OPT_WITNESS: c->witness = arg; break;
	case OPT_RTE_VHOST: c->rte_vhost = true; break;
	case OPT_VERBOSE: c->verbose = true; break;
	case OPT_BACK_END_PID:
		ret = number_parse_opt("--back-end-pid", arg, 1, INT32_MAX, &n);
		c->pid = n;
		break;
	case OPT_ROUNDS:
		ret = number_parse_opt("--rounds", arg, 1, UINT32_MAX, &n);
		c->rounds = n;
		break;
	case OPT_RSS_LIMIT:
		ret = number_parse_opt("--rss-limit", arg, 0, 1 << 20, &n);
		c->rss_limit_mb = n;
		break;
	case OPT_HOLD:
		ret = option_seconds("guest", "--hold", arg, &seconds);
		c->hold_ms = RTE_MIN(seconds * 1000, (double)INT32_MAX);
		break;
	default: return -EINVAL;
	}
	return ret;
}

static int
option_store(void *options, int opt, const char *arg)
{
	struct options *o = options;

	switch (opt) {
	case OPT_SOCKET: o->path = arg; return 0;
	case OPT_SERVER:
		o->server = true;
		/* back ends may come and go */
		o->guest.inflight = o->guest.inflight_if_offered = o->guest.crashes = true;
		return 0;
	case OPT_RING:
		o->ring_given = true;
		return option_choice("guest", "--ring", arg, "split", "packed", &o->guest.packed);
	case OPT_SECONDS: return option_seconds("guest", "--seconds", arg, &o->seconds);
	case OPT_CALLS: o->calls = true; return 0;
	case OPT_JSON: o->json = true; return 0;
	case OPT_HOSTILE:
	case OPT_EXPECT_RESET:
	case OPT_WITNESS:
	case OPT_BACK_END_PID:
	case OPT_RTE_VHOST:
	case OPT_ROUNDS:
	case OPT_RSS_LIMIT:
	case OPT_HOLD:
	case OPT_VERBOSE: return hostile_option(&o->hostile, opt, arg);
	default: return guest_option(&o->guest, opt, arg);
	}
}

static bool
hostile_list_wanted(const struct options *o)
{
	return o->hostile.name != NULL && strcmp(o->hostile.name, "list") == 0;
}

/* Checks that need more than one option. */
static int
options_check(const struct options *o)
{
	if (hostile_list_wanted(o))
		return 0;
	if (o->path == NULL) {
		fprintf(stderr, "dpdk-test-vdpa guest: --socket is missing\n");
		return -EINVAL;
	}
	if (!o->guest.packed && (o->guest.ring_size & (o->guest.ring_size - 1)) != 0) {
		fprintf(stderr, "dpdk-test-vdpa guest: --size %u: the size of a split ring is a "
			"power of two\n", o->guest.ring_size);
		return -EINVAL;
	}
	return 0;
}

/* @return 0; 1 if the help was printed; -EINVAL */
static int
options_parse(struct options *o, int argc, char **argv)
{
	int ret;

	*o = (struct options){
		.guest = { .pairs = 1, .ring_size = 256, .frame_min = 60, .frame_max = 1514,
			.seed = (uint64_t)time(NULL), .features = GUEST_FEATURES_DEFAULT },
		.hostile = { .rounds = HOSTILE_ROUNDS, .rss_limit_mb = HOSTILE_RSS_LIMIT_MB },
		.seconds = 5,
	};
	ret = option_walk("guest", argc, argv, long_options, option_store, o, usage_print);
	if (ret == 0)
		ret = options_check(o);
	if (ret < 0)
		fprintf(stderr, "See dpdk-test-vdpa guest --help\n");
	return ret;
}

/* @param ret  result of the run */
static bool
report_good(const struct guest_session_result *r, int ret)
{
	const struct guest_counts *c = &r->counts;

	return ret == 0 && c->received != 0 && c->lost <= r->lost_allowed && c->duplicated == 0 &&
		c->reordered == 0 && c->corrupted == 0 && r->notify.calls_missed == 0;
}

static json_t *
features_json(uint64_t features)
{
	json_t *value = NULL;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	guest_features_print(f, features, ",");
	if (fclose(f) == 0)
		value = report_text(text);
	free(text);
	return value;
}

static void
print_json(const struct options *o, const struct guest_session_result *r, int ret, const char *why)
{
	const struct guest_counts *c = &r->counts;
	json_t *report = json_pack("{s:s, s:i, s:i, s:o, s:o, s:o}",
		"ring", o->guest.packed ? "packed" : "split", "queues", (int)o->guest.pairs,
		"size", (int)o->guest.ring_size, "features", features_json(r->features),
		"seed", report_count(o->guest.seed), "seconds", report_real(r->seconds, 3));

	json_object_set_new(report, "sent", report_count(c->sent));
	json_object_set_new(report, "frames", report_count(c->received));
	json_object_set_new(report, "frames_per_second", report_real(c->received / r->seconds, 0));
	json_object_set_new(report, "reconnects", report_count(r->reconnects));
	json_object_set_new(report, "lost", report_count(c->lost));
	json_object_set_new(report, "lost_allowed", report_count(r->lost_allowed));
	json_object_set_new(report, "duplicated", report_count(c->duplicated));
	json_object_set_new(report, "reordered", report_count(c->reordered));
	json_object_set_new(report, "corrupted", report_count(c->corrupted));
	json_object_set_new(report, "gap_max_us", report_real(c->gap_max_ns / 1e3, 1));
	json_object_set_new(report, "kicks", report_count(r->notify.kicks));
	json_object_set_new(report, "calls", report_count(r->notify.calls));
	json_object_set_new(report, "calls_missed", report_count(r->notify.calls_missed));
	cmd_guest_class_report(report, report_good(r, ret), why);
}

static void
print_text(const struct options *o, const struct guest_session_result *r, const char *why)
{
	const struct guest_counts *c = &r->counts;

	printf("guest: %s, %u queue pair%s of %u, features ",
		o->guest.packed ? "packed" : "split", o->guest.pairs,
		o->guest.pairs == 1 ? "" : "s", o->guest.ring_size);
	guest_features_print(stdout, r->features, ",");
	printf(", seed %" PRIu64 "\n", o->guest.seed);
	printf("  frames      %" PRIu64 " sent, %" PRIu64 " received in %.1f s, %.0f a second\n",
		c->sent, c->received, r->seconds, c->received / r->seconds);
	if (r->reconnects > 0)
		printf("  back ends   %u, which may have lost %" PRIu64 " frames\n",
			r->reconnects + 1, r->lost_allowed);
	printf("  lost        %" PRIu64 "\n  duplicated  %" PRIu64 "\n  reordered   %" PRIu64
		"\n  corrupted   %" PRIu64 "\n", c->lost, c->duplicated, c->reordered,
		c->corrupted);
	printf("  longest gap %.1f us\n", c->gap_max_ns / 1e3);
	printf("  kicks %" PRIu64 ", calls %" PRIu64 ", missed %" PRIu64 "\n", r->notify.kicks,
		r->notify.calls, r->notify.calls_missed);
	if (why != NULL)
		printf("  first error: %s\n", why);
}

static int
hostile_cases_run(struct options *o)
{
	o->hostile.path = o->path;
	o->hostile.server = o->server;
	o->hostile.seed = o->guest.seed;
	o->hostile.seconds = o->seconds;
	o->hostile.split = !o->ring_given || !o->guest.packed;
	o->hostile.packed = !o->ring_given || o->guest.packed;
	return hostile_run(&o->hostile) == 0 ? CMD_OK : CMD_FAILED;
}

static int
guest_run(const struct options *o)
{
	const struct guest_session session = { .path = o->path, .server = o->server,
		.calls = o->calls, .cvq = o->guest.cvq, .seconds = o->seconds };
	struct guest_session_result r;
	struct guest *g;
	int ret;

	g = guest_create(&o->guest);
	if (g == NULL) {
		fprintf(stderr, "dpdk-test-vdpa guest: %s\n", strerror(rte_errno));
		return CMD_FAILED;
	}
	stop_install();
	ret = guest_session_run(g, &session, &r);
	if (ret < 0)
		cmd_guest_class_error(o->path, ret, guest_error(g));
	/* what was seen until an error is worth a report, too */
	if (ret == 0 || r.seconds > 0) {
		if (o->json)
			print_json(o, &r, ret, guest_error(g));
		else
			print_text(o, &r, guest_error(g));
	}
	guest_destroy(g);
	return report_good(&r, ret) ? CMD_OK : CMD_FAILED;
}

int
cmd_guest(int argc, char **argv)
{
	struct options o;
	int ret;

	if (cmd_class_is_console(argc, argv))
		return cmd_guest_console(argc, argv);
	if (cmd_class_is_disk(argc, argv))
		return cmd_guest_disk(argc, argv);
	ret = options_parse(&o, argc, argv);
	if (ret != 0)
		return ret > 0 ? CMD_OK : CMD_USAGE;
	if (hostile_list_wanted(&o)) {
		hostile_list();
		return CMD_OK;
	}
	return o.hostile.name != NULL ? hostile_cases_run(&o) : guest_run(&o);
}
