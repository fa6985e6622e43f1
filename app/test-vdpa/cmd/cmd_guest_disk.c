/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* guest --class blk|scsi: the driver of a disk, with its model of the contents. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "clock.h"
#include "cmd.h"
#include "cmd_guest_class.h"
#include "cmd_guest_disk.h"
#include "guest_disk.h"
#include "guest_disk_codec.h"
#include "hostile.h"
#include "hostile_blk.h"
#include "option.h"
#include "report.h"
#include "stop.h"

#define CONNECT_MS 10000
#define DRAIN_MS 10000
/* Time between two looks whether the back end is still there. */
#define NAP_MS 50

struct options {
	struct disk_conf conf;
	struct hostile_conf hostile;
	const char *socket;
	uint64_t queues, depth;
	double seconds;
	bool json, ring_given;
};

static void
usage_print(FILE *f)
{
	fprintf(f, "Usage: dpdk-test-vdpa guest --class blk|scsi --socket PATH [OPTION]...\n"
		"The driver of a disk on a vhost-user socket. It writes to the first MiB of each\n"
		"queue, and checks that each block that is read has the last write that returned.\n"
		"WHAT THE DISK HAD THERE IS LOST.\n\n"
		"  --socket PATH        vhost-user socket of the back end\n"
		"  --ring split|packed  kind of virtqueue (split)\n"
		"  --queues N           queues, 1 to %u (1)\n"
		"  --depth N            requests of each queue under way, 1 to %u (64)\n"
		"  --indirect           one descriptor for each request\n"
		"  --seconds S          duration of the run (5)\n"
		"  --seed N             seed of the requests (1)\n"
		"  --reads              only reads of 4 KiB, contents not checked: for measurements\n"
		"  --no-status          do without the status byte, which a back end may lack\n"
		"  --json               report as JSON\n"
		"  --hostile NAMES      blk: misbehave: cases, or all; list: print the cases\n"
		"  --expect-reset       with --hostile: a broken queue must set NEEDS_RESET\n"
		"  --witness PATH       with --hostile: socket on which a second disk of the same\n"
		"                       process listens; it must be served during the attacks\n"
		"  --back-end-pid PID   with --hostile: process whose descriptors, threads and\n"
		"                       memory are counted (that of the socket)\n"
		"  --rss-limit MB       with --hostile: memory by which the back end may grow\n"
		"                       (" RTE_STR(HOSTILE_RSS_LIMIT_MB) ")\n"
		"  --verbose            with --hostile: print what the back end did\n"
		"  --help               this text\n\n"
		"Exit status: 0 if requests returned and none was lost, doubled or wrong (with\n"
		"--hostile: if the back end passed every case), 1 if not, 2 on wrong usage.\n",
		DISK_MAX_QUEUES, DISK_MAX_DEPTH);
}

static int
option_take(void *options, int opt, const char *arg)
{
	struct options *o = options;

	switch (opt) {
	case 's': o->socket = arg; return 0;
	case 'j': o->json = true; return 0;
	case 'i': o->conf.indirect = true; return 0;
	case 'o': o->conf.reads_only = true; return 0;
	case 'n': o->conf.no_status = true; return 0;
	case 'c':
		o->conf.codec = disk_codec_find(arg);
		if (o->conf.codec != NULL)
			return 0;
		fprintf(stderr, "dpdk-test-vdpa guest: --class: '%s' is no class of disks\n", arg);
		return -EINVAL;
	case 'r':
		o->ring_given = true;
		return option_choice("guest", "--ring", arg, "split", "packed", &o->conf.packed);
	case 'q':
		return option_number("guest", "--queues", arg, 1, DISK_MAX_QUEUES, &o->queues);
	case 'd': return option_number("guest", "--depth", arg, 1, DISK_MAX_DEPTH, &o->depth);
	case 't': return option_seconds("guest", "--seconds", arg, &o->seconds);
	case 'e': return option_number("guest", "--seed", arg, 0, UINT64_MAX, &o->conf.seed);
	default: return cmd_guest_class_hostile(&o->hostile, opt, arg);
	}
}

/* Checks that need more than one option. */
static int
options_check(const struct options *o)
{
	if (o->hostile.name != NULL && o->conf.codec != &disk_codec_blk) {
		fprintf(stderr, "dpdk-test-vdpa guest: --hostile needs --class blk\n");
		return -EINVAL;
	}
	if (o->socket != NULL || cmd_guest_class_lists(&o->hostile))
		return 0;
	fprintf(stderr, "dpdk-test-vdpa guest: --socket is missing\n");
	return -EINVAL;
}

/* @return 0; 1 if the help was printed; -EINVAL */
static int
options_parse(struct options *o, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "class", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "ring", required_argument, NULL, 'r' },
		{ "queues", required_argument, NULL, 'q' },
		{ "depth", required_argument, NULL, 'd' },
		{ "indirect", no_argument, NULL, 'i' },
		{ "seconds", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 'e' },
		{ "reads", no_argument, NULL, 'o' },
		{ "no-status", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		CMD_GUEST_CLASS_HOSTILE,
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int ret;

	*o = (struct options){ .conf = { .seed = 1, .zeroes = true }, .queues = 1, .depth = 64,
		.hostile = { .rss_limit_mb = HOSTILE_RSS_LIMIT_MB }, .seconds = 5 };
	ret = option_walk("guest", argc, argv, long_options, option_take, o, usage_print);
	if (ret == 0)
		ret = options_check(o);
	if (ret < 0)
		fprintf(stderr, "See dpdk-test-vdpa guest --class blk --help\n");
	o->conf.queues = o->queues;
	disk_conf_size(&o->conf, o->depth);
	return ret;
}

static int
hostile_cases_run(struct options *o)
{
	if (cmd_guest_class_lists(&o->hostile)) {
		hostile_blk_list();
		return CMD_OK;
	}
	o->hostile.path = o->socket;
	o->hostile.split = !o->ring_given || !o->conf.packed;
	o->hostile.packed = !o->ring_given || o->conf.packed;
	return hostile_blk_run(&o->hostile) == 0 ? CMD_OK : CMD_FAILED;
}

static int
traffic_run(struct disk *d, const struct options *o)
{
	const uint64_t end = clock_ns() + o->seconds * 1e9;
	int ret;

	ret = disk_connect(d, 0, o->socket, CONNECT_MS);
	if (ret == 0)
		ret = disk_prepare(d, 0);
	if (ret == 0)
		ret = disk_run(d, 0);
	if (ret == 0)
		ret = disk_start(d);
	if (ret < 0)
		return ret;
	while (ret == 0 && stop_requested() == 0 && clock_ns() < end)
		ret = disk_hung_up(d, 0, NAP_MS) ? -EPIPE : 0;
	/* what is missing then counts as lost */
	disk_stop(d, ret == 0 ? DRAIN_MS : 0);
	return ret;
}

static void
report_print(const struct options *o, const struct disk_counts *c, bool good, const char *why)
{
	json_t *report = o->json ? json_object() : NULL;
	const char *name;
	unsigned int i;
	uint64_t n;

	for (i = 0; (name = disk_count_get(c, i, &n)) != NULL; i++) {
		if (o->json)
			json_object_set_new(report, name, report_count(n));
		else
			printf("%-12s %" PRIu64 "\n", name, n);
	}
	if (!o->json) {
		if (why != NULL)
			printf("first error: %s\n", why);
		return;
	}
	cmd_guest_class_report(report, good, why);
}

int
cmd_guest_disk(int argc, char **argv)
{
	struct disk_counts counts;
	struct options o;
	struct disk *d;
	bool good;
	int ret;

	ret = options_parse(&o, argc, argv);
	if (ret != 0)
		return ret > 0 ? CMD_OK : CMD_USAGE;
	if (o.hostile.name != NULL)
		return hostile_cases_run(&o);
	stop_install();
	d = disk_create(&o.conf);
	if (d == NULL) {
		fprintf(stderr, "dpdk-test-vdpa guest: %s\n", strerror(rte_errno));
		return CMD_FAILED;
	}
	ret = traffic_run(d, &o);
	if (ret < 0)
		cmd_guest_class_error(o.socket, ret, disk_error(d));
	disk_counts_get(d, &counts);
	good = ret == 0 && counts.reads > 0 && (counts.writes > 0 || o.conf.reads_only) &&
		!disk_counts_are_wrong(&counts);
	if (ret == 0 || counts.reads > 0)
		report_print(&o, &counts, good, disk_error(d));
	disk_destroy(d);
	return good ? CMD_OK : CMD_FAILED;
}
