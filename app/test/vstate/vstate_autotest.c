/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * vstate-autotest runs all groups of unit tests, or the groups named by its arguments. Its exit
 * status is 0 if all tests passed, 1 if a test failed, and 2 if there is no group of a given name.
 */

#include <stdbool.h>
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
	{ "mem_populate", test_vstate_mem_populate },
	{ "dirty", test_vstate_dirty },
	{ "devargs", test_vstate_devargs },
	{ "chain", test_vstate_chain },
	{ "cvq", test_vstate_cvq },
	{ "net_filter", test_vstate_net_filter },
	{ "marks", test_vstate_marks },
	{ "request", test_vstate_request },
	{ "request_hostile", test_vstate_request_hostile },
	{ "blk", test_vstate_blk },
	{ "blk_stop", test_vstate_blk_stop },
	{ "scsi", test_vstate_scsi },
	{ "scsi_cdb", test_vstate_scsi_cdb },
	{ "scsi_stop", test_vstate_scsi_stop },
	{ "console", test_vstate_console },
	{ "console_ctrl", test_vstate_console_ctrl },
	{ "net_take", test_vstate_net_take },
	{ "net_put", test_vstate_net_put },
	{ "fail_calls", test_vstate_fail_calls },
	{ "fault", test_vstate_fault },
	{ "burst_bounds", test_vstate_burst_bounds },
	{ "notify", test_vstate_notify },
	{ "pace", test_vstate_pace },
	{ "cost", test_vstate_cost },
	{ "simd", test_vstate_simd },
	{ "net_mbuf", test_vstate_net_mbuf },
	{ "lease", test_vstate_lease },
	{ "net_offload", test_vstate_net_offload },
	{ "net_headers", test_vstate_net_headers },
	{ "net_segment", test_vstate_net_segment },
	{ "interrupted", test_vstate_interrupted },
	{ "used_ahead", test_vstate_used_ahead },
	{ "inflight", test_vstate_inflight },
	{ "msg", test_vstate_msg },
	{ "state_file", test_vstate_state_file },
	{ "msg_log", test_vstate_msg_log },
	{ "device_state", test_vstate_device_state },
	{ "fd_io", test_vstate_fd_io },
	{ "handover_msg", test_vstate_handover_msg },
	{ "door", test_vstate_door },
	{ "door_disk", test_vstate_door_disk },
	{ "door_net", test_vstate_door_net },
	{ "takeover", test_vstate_takeover },
	{ "takeover_ask", test_vstate_takeover_ask },
	{ "dev", test_vstate_dev },
	{ "run", test_vstate_run },
	{ "broken", test_vstate_broken },
	{ "restore", test_vstate_restore },
	{ "port", test_vstate_port },
	{ "port_conf", test_vstate_port_conf },
	{ "port_intr", test_vstate_port_intr },
	{ "port_queue", test_vstate_port_queue },
	{ "port_stats", test_vstate_port_stats },
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

/* Find group @p name. @return its index; RTE_DIM(groups): no group has this name */
static size_t
group_find(const char *name)
{
	size_t g;

	for (g = 0; g < RTE_DIM(groups) && strcmp(groups[g].name, name) != 0; g++)
		;
	return g;
}

/* An unknown name must not look like a run without failures. */
static bool
arguments_check(int argc, char **argv)
{
	size_t g;
	int i;

	for (i = 1; i < argc && group_find(argv[i]) < RTE_DIM(groups); i++)
		;
	if (i == argc)
		return true;
	fprintf(stderr, "vstate-autotest: no group of tests '%s'. The groups are:", argv[i]);
	for (g = 0; g < RTE_DIM(groups); g++)
		fprintf(stderr, " %s", groups[g].name);
	fputc('\n', stderr);
	return false;
}

int
main(int argc, char **argv)
{
	int failed = 0, i;
	size_t g;

	if (!arguments_check(argc, argv))
		return 2;
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
