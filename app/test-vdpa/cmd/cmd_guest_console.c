/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* guest --class console: the driver of a console and the peer at its port, with any back end. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_errno.h>

#include "clock.h"
#include "cmd.h"
#include "cmd_guest_class.h"
#include "cmd_guest_console.h"
#include "guest_console.h"
#include "hostile.h"
#include "hostile_console.h"
#include "option.h"
#include "report.h"
#include "stop.h"

#define CONNECT_MS 10000
#define DRAIN_MS 10000
#define NAP_US 50000

struct options {
	struct console_conf conf;
	struct hostile_conf hostile;
	const char *socket, *port;
	uint64_t depth, buf_max;
	double seconds;
	bool json, ring_given;
};

static void
usage_print(FILE *f)
{
	fprintf(f, "Usage: dpdk-test-vdpa guest --class console --socket PATH --port PATH\n"
		"       [OPTION]...\n"
		"A virtio-console driver on a vhost-user socket, and a peer at the socket of\n"
		"port 0. Both send numbered bytes and check those of the other one.\n\n"
		"  --socket PATH        vhost-user socket of the back end\n"
		"  --port PATH          UNIX socket of port 0\n"
		"  --ring split|packed  kind of virtqueue (split)\n"
		"  --depth N            buffers of each queue under way, 1 to %u (16)\n"
		"  --size N             bytes of the longest buffer, 1 to 1048576 (4096)\n"
		"  --seconds S          duration of the run (5)\n"
		"  --seed N             seed of the traffic (1)\n"
		"  --json               report as JSON\n"
		"  --hostile NAMES      misbehave, with a console of two ports: cases, or all;\n"
		"                       list: print the cases\n"
		"  --expect-reset       with --hostile: a broken queue must set NEEDS_RESET\n"
		"  --witness PATH       with --hostile: socket on which a second console of two\n"
		"                       ports of the same process listens; it must be served\n"
		"                       during the attacks\n"
		"  --back-end-pid PID   with --hostile: process whose descriptors, threads and\n"
		"                       memory are counted (that of the socket)\n"
		"  --rss-limit MB       with --hostile: memory by which the back end may grow\n"
		"                       (" RTE_STR(HOSTILE_RSS_LIMIT_MB) ")\n"
		"  --verbose            with --hostile: print what the back end did\n"
		"  --help               this text\n\n"
		"Exit status: 0 if bytes flowed both ways and none was lost, doubled or wrong\n"
		"(with --hostile: if the back end passed every case), 1 if not, 2 on wrong\n"
		"usage.\n", CONSOLE_MAX_DEPTH);
}

static int
option_take(void *options, int opt, const char *arg)
{
	struct options *o = options;

	switch (opt) {
	case 's': o->socket = arg; return 0;
	case 'p': o->port = arg; return 0;
	case 'j': o->json = true; return 0;
	case 'c': return 0;
	case 'r':
		o->ring_given = true;
		return option_choice("guest", "--ring", arg, "split", "packed", &o->conf.packed);
	case 'd':
		return option_number("guest", "--depth", arg, 1, CONSOLE_MAX_DEPTH, &o->depth);
	case 'z': return option_number("guest", "--size", arg, 1, 1 << 20, &o->buf_max);
	case 't': return option_seconds("guest", "--seconds", arg, &o->seconds);
	case 'e': return option_number("guest", "--seed", arg, 0, UINT64_MAX, &o->conf.seed);
	default: return cmd_guest_class_hostile(&o->hostile, opt, arg);
	}
}

/* @return 0; 1 if the help was printed; -EINVAL */
static int
options_parse(struct options *o, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "class", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "port", required_argument, NULL, 'p' },
		{ "ring", required_argument, NULL, 'r' },
		{ "depth", required_argument, NULL, 'd' },
		{ "size", required_argument, NULL, 'z' },
		{ "seconds", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 'e' },
		{ "json", no_argument, NULL, 'j' },
		CMD_GUEST_CLASS_HOSTILE,
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int ret;

	*o = (struct options){ .conf = { .seed = 1 }, .depth = 16, .buf_max = 4096, .seconds = 5,
		.hostile = { .rss_limit_mb = HOSTILE_RSS_LIMIT_MB } };
	ret = option_walk("guest", argc, argv, long_options, option_take, o, usage_print);
	if (ret == 0 && (o->socket == NULL || o->port == NULL) &&
			!cmd_guest_class_lists(&o->hostile)) {
		fprintf(stderr, "dpdk-test-vdpa guest: --socket or --port is missing\n");
		ret = -EINVAL;
	}
	if (ret < 0)
		fprintf(stderr, "See dpdk-test-vdpa guest --class console --help\n");
	o->conf.depth = o->depth;
	o->conf.buf_max = o->buf_max;
	o->conf.window = RTE_MAX(o->conf.buf_max, 4096u) * 16;
	o->conf.ring_size = rte_align32pow2(RTE_MAX(o->conf.depth * 4u, 8u));
	return ret;
}

static int
hostile_cases_run(struct options *o)
{
	if (cmd_guest_class_lists(&o->hostile)) {
		hostile_console_list();
		return CMD_OK;
	}
	o->hostile.path = o->socket;
	o->hostile.split = !o->ring_given || !o->conf.packed;
	o->hostile.packed = !o->ring_given || o->conf.packed;
	return hostile_console_run(&o->hostile, o->port) == 0 ? CMD_OK : CMD_FAILED;
}

static int
traffic_run(struct console *c, const struct options *o)
{
	const uint64_t end = clock_ns() + o->seconds * 1e9;
	int ret;

	ret = console_connect(c, 0, o->socket, CONNECT_MS);
	if (ret == 0)
		ret = console_prepare(c, 0);
	if (ret == 0)
		ret = console_run(c, 0);
	if (ret == 0)
		ret = console_host_connect(c, o->port, CONNECT_MS);
	if (ret == 0)
		ret = console_start(c);
	while (ret == 0 && stop_requested() == 0 && clock_ns() < end)
		usleep(NAP_US);
	/* what is missing then counts as lost */
	if (ret == 0)
		console_stop(c, DRAIN_MS);
	return ret;
}

static bool
report_print(const struct options *o, const struct console_counts *n, const char *why)
{
	const bool good = n->to_host > 0 && n->to_guest > 0 &&
		(n->lost | n->doubled | n->wrong | n->foreign) == 0;
	json_t *report;

	if (!o->json) {
		printf("to the host   %" PRIu64 " bytes\nto the guest  %" PRIu64 " bytes\n"
			"lost          %" PRIu64 "\ndoubled       %" PRIu64 "\n"
			"wrong         %" PRIu64 "\nforeign       %" PRIu64 "\n",
			n->to_host, n->to_guest, n->lost, n->doubled, n->wrong, n->foreign);
		if (why != NULL)
			printf("first error: %s\n", why);
		return good;
	}
	report = json_object();
	json_object_set_new(report, "to_host", report_count(n->to_host));
	json_object_set_new(report, "to_guest", report_count(n->to_guest));
	json_object_set_new(report, "lost", report_count(n->lost));
	json_object_set_new(report, "doubled", report_count(n->doubled));
	json_object_set_new(report, "wrong", report_count(n->wrong));
	json_object_set_new(report, "foreign", report_count(n->foreign));
	cmd_guest_class_report(report, good, why);
	return good;
}

int
cmd_guest_console(int argc, char **argv)
{
	struct console_counts counts;
	struct console *c;
	struct options o;
	bool good = false;
	int ret;

	ret = options_parse(&o, argc, argv);
	if (ret != 0)
		return ret > 0 ? CMD_OK : CMD_USAGE;
	if (o.hostile.name != NULL)
		return hostile_cases_run(&o);
	stop_install();
	c = console_create(&o.conf);
	if (c == NULL) {
		fprintf(stderr, "dpdk-test-vdpa guest: %s\n", strerror(rte_errno));
		return CMD_FAILED;
	}
	ret = traffic_run(c, &o);
	if (ret < 0)
		cmd_guest_class_error(o.socket, ret, console_error(c));
	console_counts_get(c, &counts);
	if (ret == 0)
		good = report_print(&o, &counts, console_error(c));
	console_destroy(c);
	return good ? CMD_OK : CMD_FAILED;
}
