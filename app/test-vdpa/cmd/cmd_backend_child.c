/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include "backend_child.h"
#include "backend_local.h"
#include "backend_process.h"
#include "cmd.h"
#include "cmd_backend_child.h"
#include "eal.h"
#include "migrate.h"

int
cmd_backend_child(int argc, char **argv)
{
	struct eal_need need = {
		.memory_mb = MIGRATE_MEMORY_MB,
		.verbose = argc > 1 && strcmp(argv[1], "--verbose") == 0,
		.plugin = true,
	};
	struct backend_child bc = { .create = backend_local_create };
	int ret;

	if (eal_start(&need) < 0)
		return CMD_FAILED;
	ret = backend_child_serve(&bc, BACKEND_CHILD_FD);
	eal_stop();
	return ret == 0 ? CMD_OK : CMD_FAILED;
}
