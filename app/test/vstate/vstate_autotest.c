/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file vstate-autotest runs all groups of unit tests, or the groups named by its arguments. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>

#include "ut_groups.h"

static const struct {
	const char *name;
	int (*run)(void);
} groups[] = {
	{ "mem", test_vstate_mem },
	{ "mem_guard", test_vstate_mem_guard },
	{ "dirty", test_vstate_dirty },
	{ "devargs", test_vstate_devargs },
	{ "chain", test_vstate_chain },
	{ "request", test_vstate_request },
	{ "take", test_vstate_take },
	{ "put", test_vstate_put },
	{ "fault", test_vstate_fault },
	{ "ahead", test_vstate_ahead },
	{ "event", test_vstate_event },
	{ "cost", test_vstate_cost },
	{ "lanes", test_vstate_lanes },
	{ "frames", test_vstate_frames },
	{ "lease", test_vstate_lease },
	{ "offload", test_vstate_offload },
	{ "crash", test_vstate_crash },
	{ "foreign", test_vstate_foreign },
	{ "inflight", test_vstate_inflight },
	{ "msg", test_vstate_msg },
	{ "state_file", test_vstate_state_file },
	{ "relay", test_vstate_relay },
	{ "msg_log", test_vstate_msg_log },
	{ "handover_msg", test_vstate_handover_msg },
	{ "device_state", test_vstate_device_state },
	{ "fd_io", test_vstate_fd_io },
	{ "takeover", test_vstate_takeover },
	{ "dev", test_vstate_dev },
	{ "port", test_vstate_port },
	{ "net_bridge", test_vstate_net_bridge },
	{ "vdpa", test_vstate_vdpa },
};

/*
 * Start EAL without huge pages, devices and shared files, so that several processes can run the
 * tests on any machine. The environment variable VSTATE_SIMD_BITWIDTH selects the build of the ring
 * code under test, as --force-max-simd-bitwidth does.
 */
static int
eal_start(char *self)
{
	static char prefix[64], no_huge[] = "--no-huge", mem_opt[] = "-m", mem_val[] = "64",
		no_pci[] = "--no-pci", no_telemetry[] = "--no-telemetry", lcores[] = "--lcores=0",
		no_shconf[] = "--no-shconf", log_level[] = "--log-level=pmd.vdpa.vstate:emerg";
	char *argv[] = { self, no_huge, mem_opt, mem_val, no_pci, no_telemetry, lcores, no_shconf,
		log_level, prefix, NULL, NULL };
	const char *bitwidth = getenv("VSTATE_SIMD_BITWIDTH");
	static char width[48];
	int argc = RTE_DIM(argv) - 2;

	snprintf(prefix, sizeof(prefix), "--file-prefix=vstate-autotest-%d", getpid());
	if (bitwidth != NULL) {
		snprintf(width, sizeof(width), "--force-max-simd-bitwidth=%s", bitwidth);
		argv[argc++] = width;
	}
	return rte_eal_init(argc, argv);
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
