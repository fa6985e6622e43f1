/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>

#include "backend.h"
#include "backend_local.h"
#include "cmd.h"
#include "cmd_conformance.h"
#include "cmd_conformance_console.h"
#include "cmd_conformance_disk.h"
#include "conform.h"
#include "conform_change.h"
#include "conform_parts.h"
#include "conform_suspend.h"
#include "eal.h"
#include "guest.h"
#include "guest_link.h"
#include "guest_traffic.h"
#include "option.h"
#include "report.h"
#include "stop.h"
#include "workdir.h"

#define MEMORY_MB 256
#define DRAIN_MS 2000

struct options {
	/** One item; NULL: all items. */
	const char *item;
	/** A class of disks instead of a network device, or NULL. */
	const struct conform_disk_class *disk;
	/** A console instead of a network device. */
	bool console;
	bool json, verbose;
};

struct tally {
	unsigned int passed, failed;
	/** The report as JSON, or NULL. */
	json_t *items;
};

static void
usage_print(FILE *f)
{
	fprintf(f, "Usage: dpdk-test-vdpa conformance [OPTIONS]\n"
		"\n"
		"Test a net_vstate device against the items of VIRTIO 1.4 \"Device Suspend\"\n"
		"and \"Device parts\", with split and packed rings, through the API and through\n"
		"vhost-user. Or test a blk_vstate device against those of \"Block Device\", or a\n"
		"scsi_vstate device against those of \"SCSI Host Device\", and with requests and\n"
		"in-flight regions that no driver should send. Or test a console_vstate device\n"
		"against those of \"Console Device\", and of its state.\n"
		"\n"
		"  --class NAME  net, blk, scsi or console (default net)\n"
		"  --item NAME   one item only, such as S3\n"
		"  --json        report as one JSON object\n"
		"  --verbose     show the logs of EAL and vhost\n"
		"  --help        this text\n"
		"\n"
		"Exit status: 0 if all items hold, 1 if not, 2 on wrong usage.\n");
}

static int
option_take(void *options, int c, const char *word)
{
	struct options *opt = options;

	switch (c) {
	case 'c':
		opt->disk = cmd_conformance_disk_find(word);
		opt->console = strcmp(word, "console") == 0;
		if (opt->disk != NULL || opt->console || strcmp(word, "net") == 0)
			return 0;
		fprintf(stderr, "dpdk-test-vdpa conformance: no class '%s'\n", word);
		return -EINVAL;
	case 'i': opt->item = word; return 0;
	case 'j': opt->json = true; return 0;
	case 'v': opt->verbose = true; return 0;
	default: return -EINVAL;
	}
}

static int
options_parse(struct options *opt, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "class", required_argument, NULL, 'c' },
		{ "item", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int ret;

	memset(opt, 0, sizeof(*opt));
	ret = option_walk("conformance", argc, argv, long_options, option_take, opt, usage_print);
	if (ret < 0)
		fprintf(stderr, "See dpdk-test-vdpa conformance --help\n");
	return ret;
}

/* At the end of every item no frame may be lost, duplicated, reordered or corrupted. */
static int
frames_check(struct conform *c)
{
	struct guest_counts n;

	if (guest_traffic_stop(c->guest, DRAIN_MS) < 0)
		return 0;
	guest_counts_get(c->guest, &n);
	if (n.lost == 0 && n.duplicated == 0 && n.reordered == 0 && n.corrupted == 0)
		return 0;
	return conform_no(c, "%" PRIu64 " frames lost, %" PRIu64 " duplicated, %" PRIu64
		" reordered, %" PRIu64 " corrupted", n.lost, n.duplicated, n.reordered, n.corrupted);
}

static void
item_run(const struct conform_item *item, struct backend *be, unsigned int kind, struct tally *t)
{
	struct conform c = { .be = be, .packed = kind & 1, .user = kind & 2 };
	const char *ring = c.packed ? "packed" : "split";
	const char *through = c.user ? "vhost-user" : "api";
	int ret;

	ret = item->run(&c);
	if (ret == 0)
		ret = frames_check(&c);
	if (c.link != NULL)
		guest_link_close(c.link);
	guest_destroy(c.guest);
	if (t->items != NULL)
		json_array_append_new(t->items, json_pack("{s:s, s:s, s:s, s:b, s:o}",
			"item", item->name, "ring", ring, "through", through,
			"pass", ret == 0, "why", report_text(c.why)));
	else
		printf("%s %s %s %s: %s%s%s\n", ret == 0 ? "PASS" : "FAIL", item->name, ring,
			through, item->text, ret == 0 ? "" : ": ", c.why);
	fflush(stdout);
	if (ret == 0)
		t->passed++;
	else
		t->failed++;
}

static void
items_run(const struct conform_item *items, const struct options *opt, struct backend *be,
		struct tally *t)
{
	unsigned int kind;

	for (; items->name != NULL && stop_requested() == 0; items++) {
		if (opt->item != NULL && strcmp(opt->item, items->name) != 0)
			continue;
		for (kind = 0; kind < 4 && stop_requested() == 0; kind++)
			item_run(items, be, kind, t);
	}
}

static int
conformance_run(void *arg, const struct workdir *wd)
{
	const struct options *opt = arg;
	struct backend_device dev = { .name = "net_vstate0" };
	struct tally t = { 0 };
	struct backend *be;

	if (opt->disk != NULL)
		return cmd_conformance_disk(opt->disk, opt->item, opt->json, wd);
	if (opt->console)
		return cmd_conformance_console(opt->item, opt->json, wd);
	if (workdir_path(wd, "0.sock", dev.socket, sizeof(dev.socket)) < 0) {
		fprintf(stderr, "dpdk-test-vdpa: %s is too long for the path of a socket\n",
			wd->path);
		return CMD_FAILED;
	}
	snprintf(dev.args, sizeof(dev.args), "iface=%s,queues=2,service=1", dev.socket);
	be = backend_local_create(&dev);
	if (be == NULL) {
		fprintf(stderr, "dpdk-test-vdpa: cannot create device %s: %s\n", dev.name,
			strerror(rte_errno));
		return CMD_FAILED;
	}
	if (opt->json)
		t.items = json_array();
	items_run(conform_suspend_items, opt, be, &t);
	items_run(conform_parts_items, opt, be, &t);
	items_run(conform_change_items, opt, be, &t);
	if (opt->json)
		report_write(json_pack("{s:o, s:i, s:i}", "items", t.items,
			"passed", (int)t.passed, "failed", (int)t.failed), stdout);
	else
		printf("%u of %u passed\n", t.passed, t.passed + t.failed);
	be->ops->destroy(be);
	if (t.failed + t.passed == 0 && stop_requested() == 0)
		fprintf(stderr, "dpdk-test-vdpa conformance: no item is named %s\n", opt->item);
	return t.failed == 0 && t.passed > 0 ? CMD_OK : CMD_FAILED;
}

int
cmd_conformance(int argc, char **argv)
{
	struct eal_need need = { .memory_mb = MEMORY_MB, .plugin = true };
	struct options opt;
	int ret;

	ret = options_parse(&opt, argc, argv);
	if (ret != 0)
		return ret > 0 ? CMD_OK : CMD_USAGE;
	need.verbose = opt.verbose;
	stop_install();
	return cmd_in_eal(&need, conformance_run, &opt);
}
