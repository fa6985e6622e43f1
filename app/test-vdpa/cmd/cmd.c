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

bool
cmd_class_is_blk(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--class=blk") == 0 || (strcmp(argv[i], "--class") == 0 &&
				i + 1 < argc && strcmp(argv[i + 1], "blk") == 0))
			return true;
	}
	return false;
}
