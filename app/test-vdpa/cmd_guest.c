/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Subcommand guest: only the guest, against any vhost-user back end that loops frames back. */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_errno.h>

#include "guest.h"
#include "guest_features.h"
#include "hostile.h"

int cmd_guest(int argc, char **argv);

#define CONNECT_MS 10000
#define DRAIN_MS 2000

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
	OPT_JSON, OPT_HOSTILE, OPT_VERBOSE, OPT_HELP,
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
	{ "rx-as-rte-vhost", no_argument, NULL, OPT_RX_VHOST },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "window", required_argument, NULL, OPT_WINDOW },
	{ "calls", no_argument, NULL, OPT_CALLS },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "hostile", required_argument, NULL, OPT_HOSTILE },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static void
usage(FILE *f)
{
	fputs("Usage: dpdk-test-vdpa guest --socket PATH [OPTION]...\n"
		"A virtio-net guest on a vhost-user socket: sends numbered frames on every queue pair\n"
		"and checks each one that the back end loops back.\n\n"
		"  --socket PATH        vhost-user socket of the back end\n"
		"  --server             listen on PATH; the back end is the client\n"
		"  --queues N           queue pairs (1)\n"
		"  --ring split|packed  kind of virtqueue (split)\n"
		"  --size N             descriptors of a ring (256)\n"
		"  --seconds S          how long (5)\n"
		"  --frames LEN[-LEN]   frame lengths without FCS (60-1514)\n"
		"  --features LIST      wanted of: ", f);
	guest_features_print(f, ~0ull, ",");
	fputs(";\n                       \"none\", or default mrg,indirect,event-idx\n"
		"  --any-layout         headers and frames over random numbers of descriptors\n"
		"  --rx-as-rte-vhost    but receive buffers only as rte_vhost can take them\n"
		"  --seed N             of lengths, contents and layouts (by time)\n"
		"  --rate N             frames a second and queue (as fast as possible)\n"
		"  --window N           most frames of a queue on their way (as many as fit)\n"
		"  --calls              sleep until the back end calls, do not poll\n"
		"  --json               report as JSON\n"
		"  --hostile NAME       misbehave; all: in every way; list: which ways there are\n"
		"  --verbose            with --hostile: what the back end did\n"
		"  --help               this text\n\n"
		"Exit status 0: frames flowed, none was lost, duplicated, reordered or corrupted;\n"
		"with --hostile: the back end passed every case.\n", f);
}

static bool
number(const char *s, uint64_t min, uint64_t max, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(s, &end, 0);
	return *s >= '0' && *s <= '9' && errno == 0 && *end == '\0' && *value >= min &&
		*value <= max;
}

static bool
parse_frames(const char *s, struct guest_conf *c)
{
	char *end;

	c->frame_min = c->frame_max = strtoul(s, &end, 0);
	if (*end == '-')
		c->frame_max = strtoul(end + 1, &end, 0);
	return *end == '\0' && c->frame_min >= 60 && c->frame_min <= c->frame_max &&
		c->frame_max <= 65550;
}

static bool
parse_one(int opt, const char *arg, struct options *o)
{
	struct guest_conf *c = &o->guest;
	uint64_t v = 0;
	bool ok = true;
	char *end;

	switch (opt) {
	case OPT_SOCKET: o->path = arg; break;
	case OPT_SERVER: o->server = true; break;
	case OPT_QUEUES:
		ok = number(arg, 1, GUEST_MAX_PAIRS, &v);
		c->pairs = v;
		break;
	case OPT_RING:
		o->ring_given = true;
		c->packed = strcmp(arg, "packed") == 0;
		ok = c->packed || strcmp(arg, "split") == 0;
		break;
	case OPT_SIZE:
		ok = number(arg, 8, 32768, &v);
		c->ring_size = v;
		break;
	case OPT_SECONDS:
		o->seconds = strtod(arg, &end);
		ok = *end == '\0' && o->seconds > 0;
		break;
	case OPT_FRAMES: ok = parse_frames(arg, c); break;
	case OPT_FEATURES: ok = guest_features_parse(arg, &c->features); break;
	case OPT_ANY_LAYOUT: c->any_layout = true; break;
	case OPT_RX_VHOST: c->rx_as_rte_vhost = true; break;
	case OPT_SEED: ok = number(arg, 0, UINT64_MAX, &c->seed); break;
	case OPT_RATE: ok = number(arg, 1, UINT64_MAX, &c->rate); break;
	case OPT_WINDOW:
		ok = number(arg, 1, 32768, &v);
		c->window = v;
		break;
	case OPT_CALLS: o->calls = true; break;
	case OPT_JSON: o->json = true; break;
	case OPT_HOSTILE: o->hostile.name = arg; break;
	case OPT_VERBOSE: o->hostile.verbose = true; break;
	default: return false;
	}
	if (!ok)
		fprintf(stderr, "guest: bad value \"%s\"\n", arg);
	return ok;
}

/* 0: go on; 1: help was given; -EINVAL. */
static int
parse(int argc, char **argv, struct options *o)
{
	int opt;

	optind = 1;
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (opt == OPT_HELP) {
			usage(stdout);
			return 1;
		}
		if (!parse_one(opt, optarg, o))
			return -EINVAL;
	}
	if (optind < argc) {
		fprintf(stderr, "guest: unexpected \"%s\"\n", argv[optind]);
		return -EINVAL;
	}
	if (o->hostile.name != NULL && strcmp(o->hostile.name, "list") == 0)
		return 0;
	if (o->path == NULL) {
		fprintf(stderr, "guest: --socket is missing; see --help\n");
		return -EINVAL;
	}
	if (!o->guest.packed && (o->guest.ring_size & (o->guest.ring_size - 1)) != 0) {
		fprintf(stderr, "guest: a split ring's size is a power of two\n");
		return -EINVAL;
	}
	return 0;
}

/* What a run gave. */
struct report {
	struct guest_counts counts;
	struct guest_notify notify;
	double seconds;
	uint64_t features;
};

static bool
good(const struct report *r)
{
	const struct guest_counts *c = &r->counts;

	return c->received != 0 && c->lost == 0 && c->duplicated == 0 && c->reordered == 0 &&
		c->corrupted == 0 && r->notify.calls_missed == 0;
}

static void
print_json(const struct options *o, const struct report *r, const char *why)
{
	const struct guest_counts *c = &r->counts;

	printf("{\"ring\": \"%s\", \"queues\": %u, \"size\": %u, \"features\": \"",
		o->guest.packed ? "packed" : "split", o->guest.pairs, o->guest.ring_size);
	guest_features_print(stdout, r->features, ",");
	printf("\", \"seed\": %" PRIu64 ", \"seconds\": %.3f, \"sent\": %" PRIu64
		", \"frames\": %" PRIu64 ", \"frames_per_second\": %.0f, \"lost\": %" PRIu64
		", \"duplicated\": %" PRIu64 ", \"reordered\": %" PRIu64 ", \"corrupted\": %" PRIu64
		", \"gap_max_us\": %.1f, \"kicks\": %" PRIu64 ", \"calls\": %" PRIu64
		", \"calls_missed\": %" PRIu64 ", \"ok\": %s",
		o->guest.seed, r->seconds, c->sent, c->received, c->received / r->seconds, c->lost,
		c->duplicated, c->reordered, c->corrupted, c->gap_max_ns / 1e3, r->notify.kicks,
		r->notify.calls, r->notify.calls_missed, good(r) ? "true" : "false");
	if (why != NULL)
		printf(", \"first_error\": \"%s\"", why);
	printf("}\n");
}

static void
print_text(const struct options *o, const struct report *r, const char *why)
{
	const struct guest_counts *c = &r->counts;

	printf("guest: %s, %u queue pair%s of %u, features ", o->guest.packed ? "packed" : "split",
		o->guest.pairs, o->guest.pairs == 1 ? "" : "s", o->guest.ring_size);
	guest_features_print(stdout, r->features, ",");
	printf(", seed %" PRIu64 "\n", o->guest.seed);
	printf("  frames      %" PRIu64 " sent, %" PRIu64 " received in %.1f s, %.0f a second\n",
		c->sent, c->received, r->seconds, c->received / r->seconds);
	printf("  lost        %" PRIu64 "\n  duplicated  %" PRIu64 "\n  reordered   %" PRIu64
		"\n  corrupted   %" PRIu64 "\n", c->lost, c->duplicated, c->reordered, c->corrupted);
	printf("  longest gap %.1f us\n", c->gap_max_ns / 1e3);
	printf("  kicks %" PRIu64 ", calls %" PRIu64 ", missed %" PRIu64 "\n", r->notify.kicks, r->notify.calls, r->notify.calls_missed);
	if (why != NULL)
		printf("  first error: %s\n", why);
}

static volatile sig_atomic_t interrupted;

static void
on_signal(int sig)
{
	interrupted = 1;
}

static double
seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void
run_for(struct guest *g, const struct options *o)
{
	bool progress = isatty(STDERR_FILENO) && o->seconds > 2;
	double start = seconds_now(), left;
	struct guest_counts c;

	while (!interrupted && (left = start + o->seconds - seconds_now()) > 0) {
		usleep(left < 0.1 ? left * 1e6 + 1 : 100000);
		if (!progress)
			continue;
		guest_counts_get(g, &c);
		fprintf(stderr, "\r%5.1f s, %" PRIu64 " frames ", seconds_now() - start, c.received);
	}
	if (progress)
		fputc('\n', stderr);
}

static int
traffic(struct guest *g, const struct options *o, struct report *r)
{
	struct guest_link *l = guest_connect(g, o->path, o->server, CONNECT_MS);
	double start;
	int ret;

	if (l == NULL) {
		ret = -rte_errno;
		goto out;
	}
	guest_use_calls(g, o->calls);
	ret = guest_link_prepare(l);
	if (ret == 0)
		ret = guest_link_driver_ok(l);
	start = seconds_now();
	if (ret == 0)
		ret = guest_traffic_start(g);
	if (ret == 0) {
		run_for(g, o);
		r->seconds = seconds_now() - start;
		guest_traffic_stop(g, DRAIN_MS);
		ret = guest_link_stop(l);
	}
	guest_link_close(l);
	guest_counts_get(g, &r->counts);
	guest_notify_get(g, &r->notify);
	r->features = guest_features(g);
out:
	if (ret < 0)
		fprintf(stderr, "guest: %s: %s%s%s\n", o->path, strerror(-ret),
			guest_error(g) != NULL ? ": " : "",
			guest_error(g) != NULL ? guest_error(g) : "");
	return ret;
}

int
cmd_guest(int argc, char **argv)
{
	struct options o = {
		.guest = { .pairs = 1, .ring_size = 256, .frame_min = 60, .frame_max = 1514,
			.seed = (uint64_t)time(NULL), .features = GUEST_FEATURES_DEFAULT },
		.seconds = 5,
	};
	struct report r = { .seconds = 1 };
	struct guest *g;
	int ret;

	ret = parse(argc, argv, &o);
	if (ret != 0)
		return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (o.hostile.name != NULL && strcmp(o.hostile.name, "list") == 0) {
		hostile_list();
		return EXIT_SUCCESS;
	}
	if (o.hostile.name != NULL) {
		o.hostile.path = o.path;
		o.hostile.server = o.server;
		o.hostile.split = !o.ring_given || !o.guest.packed;
		o.hostile.packed = !o.ring_given || o.guest.packed;
		return hostile_run(&o.hostile) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	g = guest_create(&o.guest);
	if (g == NULL) {
		fprintf(stderr, "guest: %s\n", strerror(rte_errno));
		return EXIT_FAILURE;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	ret = traffic(g, &o, &r);
	if (ret == 0) {
		if (o.json)
			print_json(&o, &r, guest_error(g));
		else
			print_text(&o, &r, guest_error(g));
	}
	guest_destroy(g);
	return ret == 0 && good(&r) ? EXIT_SUCCESS : EXIT_FAILURE;
}
