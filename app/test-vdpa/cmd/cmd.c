/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "eal.h"
#include "workdir.h"

int
cmd_in_eal(const struct eal_need *need, int (*job)(void *opt, const struct workdir *wd), void *opt)
{
	struct workdir wd;
	int ret;

	ret = workdir_create(&wd);
	if (ret < 0) {
		fprintf(stderr, "dpdk-test-vdpa: cannot create a temporary directory: %s\n",
			strerror(-ret));
		return CMD_FAILED;
	}
	ret = CMD_FAILED;
	if (eal_start(need) == 0) {
		ret = job(opt, &wd);
		eal_stop();
	}
	workdir_remove(&wd);
	return ret;
}

static bool
class_is(int argc, char **argv, const char *name)
{
	int i;

	for (i = 1; i < argc; i++) {
		if ((strncmp(argv[i], "--class=", 8) == 0 && strcmp(argv[i] + 8, name) == 0) ||
				(strcmp(argv[i], "--class") == 0 && i + 1 < argc &&
				strcmp(argv[i + 1], name) == 0))
			return true;
	}
	return false;
}

bool
cmd_class_is_disk(int argc, char **argv)
{
	return class_is(argc, argv, "blk") || class_is(argc, argv, "scsi");
}

bool
cmd_class_is_console(int argc, char **argv)
{
	return class_is(argc, argv, "console");
}
