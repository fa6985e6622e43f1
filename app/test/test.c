/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file vstate-autotest: all groups, or those whose names are given. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>

#include "test.h"

static const struct {
	const char *name;
	int (*run)(void);
} groups[] = {
	{ "mem", test_vstate_mem },
	{ "dirty", test_vstate_dirty },
	{ "devargs", test_vstate_devargs },
	{ "take", test_vstate_take },
	{ "put", test_vstate_put },
	{ "fault", test_vstate_fault },
	{ "event", test_vstate_event },
	{ "lease", test_vstate_lease },
	{ "offload", test_vstate_offload },
	{ "crash", test_vstate_crash },
	{ "page", test_vstate_page },
	{ "dev", test_vstate_dev },
	{ "port", test_vstate_port },
	{ "service", test_vstate_service },
	{ "vdpa", test_vstate_vdpa },
};

/* Without huge pages, devices or files, so that it runs anywhere and beside anything. */
static int
eal_start(char *self)
{
	static char prefix[64], no_huge[] = "--no-huge", mem_opt[] = "-m", mem_val[] = "64",
		no_pci[] = "--no-pci", no_telemetry[] = "--no-telemetry", lcores[] = "--lcores=0",
		no_shconf[] = "--no-shconf", log_level[] = "--log-level=pmd.vdpa.vstate:emerg";
	char *argv[] = { self, no_huge, mem_opt, mem_val, no_pci, no_telemetry, lcores, no_shconf,
		log_level, prefix, NULL };

	snprintf(prefix, sizeof(prefix), "--file-prefix=vstate-autotest-%d", getpid());
	return rte_eal_init(RTE_DIM(argv) - 1, argv);
}

int
main(int argc, char **argv)
{
	int failed = 0, i;
	size_t g;

	if (eal_start(argv[0]) < 0)
		return 1;
	for (g = 0; g < RTE_DIM(groups); g++) {
		for (i = 1; i < argc && strcmp(argv[i], groups[g].name) != 0; i++)
			;
		if (argc == 1 || i < argc)
			failed += groups[g].run() != 0;
	}
	rte_eal_cleanup();
	return failed != 0;
}
