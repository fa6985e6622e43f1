/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "backend.h"
#include "backend_local.h"
#include "bench_disk.h"
#include "cmd.h"
#include "cmd_bench_disk.h"
#include "eal.h"
#include "guest_disk.h"
#include "guest_disk_codec.h"
#include "option.h"
#include "report.h"
#include "stop.h"
#include "workdir.h"

#define MEMORY_MB 128

/* Devices of a run: a disk, or a disk and a SCSI host, which are measured in turn. */
#define DEVICES_MAX 2

struct disk_bench_options {
	const struct disk_codec *codec;
	uint64_t depth, milliseconds;
	bool json, verbose;
};

static void
usage_print(FILE *f)
{
	fprintf(f, "Usage: dpdk-test-vdpa bench --class blk|scsi [OPTIONS]\n"
		"\n"
		"Measure a disk without storage: TSC cycles of the device for each read of 4096\n"
		"bytes. Guest and device run in turn on one core. With scsi a SCSI host and a disk\n"
		"take turns.\n"
		"\n"
		"  --depth N   requests under way, 1 to %u (default 64)\n"
		"  --ms N      time for each case and device in milliseconds (default 1000)\n"
		"  --json      the report as JSON\n"
		"  --verbose   show the logs of EAL and vhost\n"
		"  --help      this text\n"
		"\n"
		"Exit status: 0; 1 if a case failed; 2 on wrong usage.\n", DISK_MAX_DEPTH);
}

static int
option_take(void *options, int c, const char *word)
{
	struct disk_bench_options *opt = options;

	switch (c) {
	case 'c':
		opt->codec = disk_codec_find(word);
		if (opt->codec != NULL)
			return 0;
		fprintf(stderr, "dpdk-test-vdpa bench: --class: '%s' is no class of disks\n", word);
		return -EINVAL;
	case 'd':
		return option_number("bench", "--depth", word, 1, DISK_MAX_DEPTH, &opt->depth);
	case 'm': return option_number("bench", "--ms", word, 1, 1000000, &opt->milliseconds);
	case 'j': opt->json = true; return 0;
	case 'V': opt->verbose = true; return 0;
	default: return -EINVAL;
	}
}

static int
options_parse(struct disk_bench_options *opt, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "class", required_argument, NULL, 'c' },
		{ "depth", required_argument, NULL, 'd' },
		{ "ms", required_argument, NULL, 'm' },
		{ "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int ret;

	*opt = (struct disk_bench_options){ .codec = &disk_codec_blk, .depth = 64,
		.milliseconds = 1000 };
	ret = option_walk("bench", argc, argv, long_options, option_take, opt, usage_print);
	if (ret < 0)
		fprintf(stderr, "See dpdk-test-vdpa bench --class blk --help\n");
	return ret;
}

static void
result_print(json_t *report, const char *class, const struct bench_disk_case *c,
		const struct bench_disk_result *r)
{
	if (report != NULL)
		json_array_append_new(report, json_pack("{s:s, s:s, s:o, s:o, s:o}", "class", class,
				"case", c->name, "min", report_real(r->min, 1), "median", report_real(r->median, 1),
				"requests", report_count(r->requests)));
	else
		printf("%-4s %-20s min %6.1f  median %6.1f cycles a request (%" PRIu64 " requests)\n",
				class, c->name, r->min, r->median, r->requests);
	fflush(stdout);
}

static struct backend *
device_make(const struct workdir *wd, const struct disk_codec *codec)
{
	struct backend_device dev = { 0 };
	char name[16];

	snprintf(dev.name, sizeof(dev.name), "%s_vstate0", codec->name);
	snprintf(name, sizeof(name), "%s.sock", codec->name);
	if (workdir_path(wd, name, dev.socket, sizeof(dev.socket)) < 0)
		return NULL;
	snprintf(dev.args, sizeof(dev.args), "iface=%s,store=null,size=1073741824", dev.socket);
	return backend_local_create(&dev);
}

static int
cases_run(const struct disk_bench_options *opt, const struct bench_disk_device *devices,
		unsigned int nb_devices)
{
	json_t *report = opt->json ? json_array() : NULL;
	struct bench_disk_result res[DEVICES_MAX];
	const struct bench_disk_case *cases;
	unsigned int nb, i, k;
	int ret = 0;

	cases = bench_disk_cases(&nb);
	for (i = 0; i < nb && ret == 0 && stop_requested() == 0; i++) {
		ret = bench_disk_run(&cases[i], devices, nb_devices, opt->depth,
				opt->milliseconds / 1e3, res);
		for (k = 0; k < nb_devices && ret == 0; k++)
			result_print(report, devices[k].codec->name, &cases[i], &res[k]);
	}
	return opt->json && report_write(report, stdout) != 0 ? -EIO : ret;
}

static int
bench_main(void *arg, const struct workdir *wd)
{
	const struct disk_bench_options *opt = arg;
	const struct disk_codec *codecs[DEVICES_MAX] = { &disk_codec_blk, opt->codec };
	const unsigned int nb = opt->codec == &disk_codec_blk ? 1 : 2;
	struct bench_disk_device devices[DEVICES_MAX];
	struct backend *be[DEVICES_MAX] = { NULL };
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nb && ret == 0; i++) {
		be[i] = device_make(wd, codecs[i]);
		devices[i] = (struct bench_disk_device){ be[i], codecs[i] };
		ret = be[i] != NULL ? 0 : -ENODEV;
	}
	if (ret == 0)
		ret = cases_run(opt, devices, nb);
	for (i = 0; i < nb; i++) {
		if (be[i] != NULL)
			be[i]->ops->destroy(be[i]);
	}
	return ret == 0 ? CMD_OK : CMD_FAILED;
}

int
cmd_bench_disk(int argc, char **argv)
{
	struct eal_need need = { .memory_mb = MEMORY_MB, .plugin = true, .no_services = true };
	struct disk_bench_options opt;
	int ret;

	ret = options_parse(&opt, argc, argv);
	if (ret != 0)
		return ret > 0 ? CMD_OK : CMD_USAGE;
	need.verbose = opt.verbose;
	stop_install();
	return cmd_in_eal(&need, bench_main, &opt);
}
