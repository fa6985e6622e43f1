/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_ether.h>

#include "backend.h"
#include "backend_local.h"
#include "backend_process.h"
#include "cmd.h"
#include "cmd_migrate.h"
#include "cmd_migrate_console.h"
#include "cmd_migrate_disk.h"
#include "eal.h"
#include "migrate.h"
#include "migrate_options.h"
#include "migrate_report.h"
#include "migrate_run.h"
#include "migrate_step.h"
#include "stop.h"
#include "workdir.h"

/* Largest MTU that the device supports. */
#define MTU_MAX 9600

static int
device_describe(const struct migrate_options *opt, const struct workdir *wd, unsigned int pos,
		struct backend_device *dev)
{
	unsigned int mtu = RTE_MIN(opt->frame_max - RTE_ETHER_HDR_LEN, (unsigned int)MTU_MAX);
	const bool keep_state = opt->upgrade || (opt->kill && !opt->via->region);
	const char *keep = opt->reconnect ? ",keep-connection=0" : "",
		*dir_key = opt->upgrade ? ",client=1,takeover=1,state_dir=" :
		keep_state ? ",state_dir=" : "", *dir = keep_state ? opt->state_dir : "";
	char file[16], mtu_arg[16] = "";
	int ret, len;

	memset(dev, 0, sizeof(*dev));
	dev->attach = opt->vdpa;
	dev->plain = opt->plain;
	dev->client = opt->upgrade;
	snprintf(dev->name, sizeof(dev->name), "%s%u", opt->vdpa ? "vdpa_vstate" :
		opt->plain ? "plain" : "net_vstate", pos);
	snprintf(file, sizeof(file), "%u.sock", pos);
	ret = workdir_path(wd, file, dev->socket, sizeof(dev->socket));
	if (ret < 0)
		return ret;
	if (mtu > RTE_ETHER_MTU)
		snprintf(mtu_arg, sizeof(mtu_arg), ",mtu=%u", mtu);
	if (opt->vdpa)
		len = snprintf(dev->args, sizeof(dev->args), "queues=%u%s%s%s", opt->pairs, mtu_arg,
			dir_key, dir);
	else
		len = snprintf(dev->args, sizeof(dev->args), "iface=%s,queues=%u,service=1%s%s%s%s%s",
			dev->socket, opt->pairs, opt->cvq ? ",cvq=1" : "", mtu_arg, keep, dir_key,
			dir);
	return len < (int)sizeof(dev->args) ? 0 : -ENAMETOOLONG;
}

/* Errors are reported on stderr. */
static int
process_create(const struct migrate_options *opt, const struct workdir *wd, unsigned int pos,
		struct backend **be)
{
	struct backend_device dev;
	int ret;

	ret = device_describe(opt, wd, pos, &dev);
	if (ret < 0)
		return ret;
	*be = backend_process_create(&dev, eal_user_args(), opt->verbose);
	if (*be != NULL)
		return 0;
	ret = -rte_errno;
	fprintf(stderr, "dpdk-test-vdpa: cannot create device %s,%s: %s\n", dev.name, dev.args,
		strerror(-ret));
	return ret;
}

/* Two processes for one device. The second is started later, by its revive operation. */
static int
upgrade_create(const struct migrate_options *opt, const struct workdir *wd, struct backend *be[2])
{
	int ret;

	ret = process_create(opt, wd, 0, &be[1]);
	if (ret == 0)
		ret = be[1]->ops->kill(be[1]);
	return ret == 0 ? process_create(opt, wd, 0, &be[0]) : ret;
}

static int
backends_create(const struct migrate_options *opt, const struct workdir *wd,
		struct backend *be[2])
{
	/* A killed device takes its own place again, so there is only one. */
	const unsigned int nb = opt->kill ? 1 : 2;
	struct backend_device dev;
	unsigned int i;
	int ret = 0;

	if (opt->upgrade)
		return upgrade_create(opt, wd, be);
	for (i = 0; i < nb && ret == 0; i++) {
		ret = device_describe(opt, wd, i, &dev);
		if (ret == 0 && (opt->kill || (i == 1 && opt->process)))
			be[i] = backend_process_create(&dev, eal_user_args(), opt->verbose);
		else if (ret == 0)
			be[i] = backend_local_create(&dev);
		if (ret == 0 && be[i] == NULL)
			ret = -rte_errno;
		if (ret < 0)
			fprintf(stderr, "dpdk-test-vdpa: cannot create device %s,%s: %s\n",
				dev.name, dev.args, strerror(-ret));
	}
	return ret;
}

static void
backends_destroy(struct backend *be[2])
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (be[i] != NULL)
			be[i]->ops->destroy(be[i]);
}

static int
migrate_main(void *arg, const struct workdir *wd)
{
	struct migrate_options *opt = arg;
	struct backend *be[2] = { NULL, NULL };
	struct migrate_result res = { 0 };
	char state[PATH_MAX];
	int ret;

	snprintf(opt->state_dir, sizeof(opt->state_dir), "%s", wd->path);
	if (opt->state_file[0] != '\0')
		snprintf(state, sizeof(state), "%s", opt->state_file);
	else
		workdir_path(wd, "state", state, sizeof(state));
	ret = backends_create(opt, wd, be);
	if (ret == 0) {
		migrate_run(opt, be, state, &res);
		migrate_report(opt, &res, stdout);
	}
	backends_destroy(be);
	ret = ret == 0 && migrate_held(&res) ? CMD_OK : CMD_FAILED;
	migrate_result_free(&res);
	return ret;
}

int
cmd_migrate(int argc, char **argv)
{
	struct eal_need need = { .memory_mb = MIGRATE_MEMORY_MB, .plugin = true };
	struct migrate_options opt;
	int ret;

	if (cmd_class_is_disk(argc, argv))
		return cmd_migrate_disk(argc, argv);
	if (cmd_class_is_console(argc, argv))
		return cmd_migrate_console(argc, argv);
	ret = migrate_options_parse(&opt, argc, argv);
	if (ret != 0)
		return ret > 0 ? CMD_OK : CMD_USAGE;
	need.verbose = opt.verbose;
	stop_install();
	return cmd_in_eal(&need, migrate_main, &opt);
}
