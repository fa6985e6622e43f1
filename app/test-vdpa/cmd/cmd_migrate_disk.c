/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "backend.h"
#include "cmd.h"
#include "cmd_migrate_class.h"
#include "cmd_migrate_disk.h"
#include "eal.h"
#include "guest_disk.h"
#include "guest_disk_codec.h"
#include "migrate_disk.h"
#include "option.h"
#include "stats.h"
#include "stop.h"
#include "workdir.h"

#define MEMORY_MB 128
/* Rows of the report. */
#define ROWS_MAX 24

static void
usage_print(FILE *f)
{
	fprintf(f, "Usage: dpdk-test-vdpa migrate --class blk|scsi [OPTIONS]\n"
		"\n"
		"Move a disk, or a SCSI host with one, back and forth between two back ends while the built-in driver has\n"
		"requests under way. Each block that is read must have the data of the last write\n"
		"that returned. Lost, doubled, stale, torn and misplaced blocks are counted.\n"
		"\n"
		"  --rounds N      moves (default 1000)\n"
		"  --queues N      queues, 1 to %u (default 1)\n"
		"  --depth N       requests of each queue under way, 1 to %u (default 64)\n"
		"  --packed        packed rings\n"
		"  --indirect      one descriptor for each request\n"
		"  --via NAME      api: the state, by the library; region: the in-flight region and\n"
		"                  the bases (bit 20 of vhost-user); base: the bases, after all\n"
		"                  requests are complete (default api). A SCSI host has no bit 20\n"
		"  --process       the second back end runs in another process\n"
		"  --kill          the back end is killed and started again; needs --via region\n"
		"  --upgrade       a new process takes the disk over in each round\n"
		"  --delay-us N    each request takes about N us in the store, in random order; 0:\n"
		"                  as fast as the file (default 300)\n"
		"  --store NAME    uring or threads (default: uring, or threads without it)\n"
		"  --break NAME    plant a fault in each move; the run must fail. skip: forget one\n"
		"                  request in flight; reverse: submit them again in the reverse\n"
		"                  order; nowait: writes of the source land after its stop. With\n"
		"                  --via region also clear: clear the marks of a batch too early;\n"
		"                  twice: submit a request again that has returned\n"
		"  --seed N        seed of the requests (default 1)\n"
		"  --json          the report as JSON\n"
		"  --verbose       show the logs of EAL and vhost\n"
		"  --help          this text\n"
		"\n"
		"Exit status: 0 if nothing was lost, doubled or wrong; 1 if not; 2 on wrong usage.\n",
		DISK_MAX_QUEUES, DISK_MAX_DEPTH);
}

static int
via_parse(const char *name, enum migrate_disk_via *via)
{
	static const char *const names[] = { "api", "region", "base" };
	unsigned int i;

	for (i = 0; i < RTE_DIM(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*via = i;
			return 0;
		}
	}
	fprintf(stderr, "dpdk-test-vdpa migrate: --via: no carrier '%s' for a disk\n", name);
	return -EINVAL;
}

static int
class_parse(const char *name, struct disk_conf *conf)
{
	const struct disk_codec *codec = disk_codec_find(name);

	if (codec == NULL) {
		fprintf(stderr, "dpdk-test-vdpa migrate: --class: '%s' is no class of disks\n",
				name);
		return -EINVAL;
	}
	conf->codec = codec;
	return 0;
}

static int
fault_parse(const char *name, enum migrate_disk_fault *fault)
{
	*fault = migrate_disk_fault_find(name);
	if (*fault != DISK_FAULT_NONE)
		return 0;
	fprintf(stderr, "dpdk-test-vdpa migrate: --break: no fault '%s' for a disk\n", name);
	return -EINVAL;
}

struct parsed {
	struct migrate_disk_options *opt;
	uint64_t queues, depth, delay_us;
	const char *store;
};

static int
option_take(void *parsed, int c, const char *word)
{
	struct parsed *p = parsed;

	switch (c) {
	case 'r':
		return option_number("migrate", "--rounds", word, 1, UINT32_MAX, &p->opt->rounds);
	case 'q':
		return option_number("migrate", "--queues", word, 1, DISK_MAX_QUEUES, &p->queues);
	case 'd':
		return option_number("migrate", "--depth", word, 1, DISK_MAX_DEPTH, &p->depth);
	case 's':
		return option_number("migrate", "--seed", word, 0, UINT64_MAX,
				&p->opt->conf.seed);
	case 'u':
		return option_number("migrate", "--delay-us", word, 0, 10000000, &p->delay_us);
	case 'v':
		return via_parse(word, &p->opt->via);
	case 'S':
		p->store = word;
		return 0;
	case 'b':
		return fault_parse(word, &p->opt->fault);
	case 'p':
		p->opt->conf.packed = true;
		return 0;
	case 'i':
		p->opt->conf.indirect = true;
		return 0;
	case 'P':
		p->opt->process = true;
		return 0;
	case 'k':
		p->opt->kill = true;
		return 0;
	case 'U':
		p->opt->upgrade = true;
		return 0;
	case 'j':
		p->opt->json = true;
		return 0;
	case 'V':
		p->opt->verbose = true;
		return 0;
	case 'c':
		return class_parse(word, &p->opt->conf);
	default:
		return -EINVAL;
	}
}

/* Whether requests are in flight at a stop, and go with what is carried. */
static bool
has_in_flight(const struct migrate_disk_options *opt)
{
	return opt->via == MIGRATE_DISK_API || (opt->via == MIGRATE_DISK_REGION &&
		(opt->kill || opt->conf.codec->carries_region));
}

/* Whether the carrier has what the fault spoils. */
static int
fault_check(const struct migrate_disk_options *opt)
{
	const bool region = opt->via == MIGRATE_DISK_REGION;
	const char *why = NULL;

	if ((opt->fault == DISK_FAULT_CLEAR || opt->fault == DISK_FAULT_TWICE) && !region)
		why = "needs --via region";
	else if (opt->fault != DISK_FAULT_NONE && !has_in_flight(opt))
		why = "needs requests in flight at a stop";
	else if (opt->fault == DISK_FAULT_NOWAIT && opt->kill)
		why = "is a fault of a stop: not with --kill";
	if (why == NULL)
		return 0;
	fprintf(stderr, "dpdk-test-vdpa migrate: --break %s %s\n",
			migrate_disk_fault_name(opt->fault), why);
	return -EINVAL;
}

static int
options_finish(struct parsed *p)
{
	struct migrate_disk_options *opt = p->opt;
	struct disk_conf *conf = &opt->conf;
	int len;

	if (opt->upgrade && (opt->kill || opt->process || opt->fault != DISK_FAULT_NONE)) {
		fprintf(stderr, "dpdk-test-vdpa migrate: --upgrade: not with --kill, --process or "
				"--break\n");
		return -EINVAL;
	}
	if (opt->kill && opt->via != MIGRATE_DISK_REGION) {
		fprintf(stderr, "dpdk-test-vdpa migrate: --kill needs --via region\n");
		return -EINVAL;
	}
	if (fault_check(opt) < 0)
		return -EINVAL;
	conf->queues = p->queues;
	conf->zeroes = true;
	disk_conf_size(conf, p->depth);
	conf->region = opt->via == MIGRATE_DISK_REGION;
	conf->carried = conf->region && conf->codec->carries_region && !opt->kill && !opt->upgrade;
	len = snprintf(opt->store, sizeof(opt->store), "%s%s", p->store != NULL ? ",store=" : "",
			p->store != NULL ? p->store : "");
	if (p->delay_us > 0)
		snprintf(opt->store + len, sizeof(opt->store) - len,
				",delay-us=%" PRIu64 ",reorder=1", p->delay_us);
	return 0;
}

static int
options_parse(struct migrate_disk_options *opt, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "class", required_argument, NULL, 'c' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "queues", required_argument, NULL, 'q' },
		{ "depth", required_argument, NULL, 'd' },
		{ "packed", no_argument, NULL, 'p' },
		{ "indirect", no_argument, NULL, 'i' },
		{ "via", required_argument, NULL, 'v' },
		{ "process", no_argument, NULL, 'P' },
		{ "kill", no_argument, NULL, 'k' },
		{ "upgrade", no_argument, NULL, 'U' },
		{ "delay-us", required_argument, NULL, 'u' },
		{ "store", required_argument, NULL, 'S' },
		{ "break", required_argument, NULL, 'b' },
		{ "seed", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct parsed p = { .opt = opt, .queues = 1, .depth = 64, .delay_us = 300 };
	int ret;

	*opt = (struct migrate_disk_options){ .rounds = 1000, .conf.seed = 1,
		.conf.codec = &disk_codec_blk };
	ret = option_walk("migrate", argc, argv, long_options, option_take, &p, usage_print);
	if (ret == 0)
		ret = options_finish(&p);
	if (ret < 0)
		fprintf(stderr, "See dpdk-test-vdpa migrate --class %s --help\n",
				opt->conf.codec->name);
	return ret;
}

/* ---- the run ---- */

static int
file_make(struct migrate_disk_options *opt, const struct workdir *wd)
{
	const off_t size = (off_t)opt->conf.queues * opt->conf.blocks * DISK_BLOCK;
	int fd, ret;

	ret = workdir_path(wd, "disk", opt->file, sizeof(opt->file));
	if (ret < 0)
		return ret;
	fd = open(opt->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ret = fd >= 0 && ftruncate(fd, size) == 0 ? 0 : -errno;
	if (fd >= 0)
		close(fd);
	return ret;
}

static int
args_make(void *arg, const struct workdir *wd, unsigned int i, const char *keep,
		struct backend_device *dev)
{
	const struct migrate_disk_options *opt = arg;

	RTE_SET_USED(wd);
	RTE_SET_USED(i);
	return snprintf(dev->args, sizeof(dev->args), "iface=%s,%s=%s,queues=%u%s%s", dev->socket,
			opt->conf.codec->file_arg, opt->file, opt->conf.queues, opt->store, keep) <
		(int)sizeof(dev->args) ? 0 : -ENAMETOOLONG;
}

static void
report_print(const struct migrate_disk_options *opt, struct migrate_disk_result *res)
{
	struct cmd_migrate_class_row rows[ROWS_MAX] = {
		{ "rounds", res->rounds }, { "kept", res->kept },
		{ "in_flight", res->in_flight }, { "busy_stops", res->busy_stops },
	};
	struct cmd_migrate_class_report report = { rows, 4, &res->stop, &res->blackout,
		res->failure, opt->json };
	struct cmd_migrate_class_row *row;
	unsigned int i;

	for (i = 0; report.nb_rows < RTE_DIM(rows); i++, report.nb_rows++) {
		row = &rows[report.nb_rows];
		row->name = disk_count_get(&res->counts, i, &row->value);
		if (row->name == NULL)
			break;
	}
	cmd_migrate_class_report(&report, stdout);
}

static int
disk_main(void *arg, const struct workdir *wd)
{
	struct migrate_disk_options *opt = arg;
	const struct cmd_migrate_class_conf conf = { .class = opt->conf.codec->name,
		.kill = opt->kill, .upgrade = opt->upgrade, .process = opt->process,
		.verbose = opt->verbose,
		.args_make = args_make, .arg = opt };
	struct migrate_disk_result res = { 0 };
	struct backend *be[2];
	bool held = false;
	int ret;

	ret = file_make(opt, wd);
	if (ret < 0) {
		fprintf(stderr, "dpdk-test-vdpa migrate: cannot make the disk's file: %s\n",
				strerror(-ret));
		return CMD_FAILED;
	}
	if (cmd_migrate_class_open(&conf, wd, be) == 0) {
		held = migrate_disk_run(opt, be, &res);
		report_print(opt, &res);
	}
	cmd_migrate_class_close(be);
	stats_free(&res.stop);
	stats_free(&res.blackout);
	return held ? CMD_OK : CMD_FAILED;
}

int
cmd_migrate_disk(int argc, char **argv)
{
	struct eal_need need = { .memory_mb = MEMORY_MB, .plugin = true };
	struct migrate_disk_options opt;
	int ret;

	ret = options_parse(&opt, argc, argv);
	if (ret != 0)
		return ret > 0 ? CMD_OK : CMD_USAGE;
	need.verbose = opt.verbose;
	stop_install();
	return cmd_in_eal(&need, disk_main, &opt);
}
