/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sanitizer/lsan_interface.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_memory.h>

#include "fuzz_in.h"

void
fuzz_require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

void
fuzz_lasting(bool begin)
{
	if (begin)
		__lsan_disable();
	else
		__lsan_enable();
}

int
fuzz_free_fd(void)
{
	int fd = dup(STDERR_FILENO);

	fuzz_require(fd >= 0, "there are descriptors");
	close(fd);
	return fd;
}

/*
 * The driver keeps its devices in memory of EAL, with pointers to what it gets from malloc(). The
 * leak sanitizer looks for pointers in such memory only if it knows of it, and reports a list of
 * buffers in flight that a queue still has.
 */
static int
memory_register(const struct rte_memseg_list *list, const struct rte_memseg *seg, size_t len,
		void *arg)
{
	RTE_SET_USED(list);
	RTE_SET_USED(arg);
	__lsan_register_root_region(seg->addr, len);
	return 0;
}

void
fuzz_eal_start(void)
{
	static char self[] = "fuzz", prefix[64], no_huge[] = "--no-huge", mem_opt[] = "-m",
		mem_val[] = "64", no_pci[] = "--no-pci", no_telemetry[] = "--no-telemetry",
		lcores[] = "--lcores=0", no_shconf[] = "--no-shconf",
		log_level[] = "--log-level=*:emerg";
	static char *argv[] = { self, no_huge, mem_opt, mem_val, no_pci, no_telemetry, lcores,
		no_shconf, log_level, prefix, NULL };

	snprintf(prefix, sizeof(prefix), "--file-prefix=vstate-fuzz-%d", getpid());
	fuzz_require(rte_eal_init(RTE_DIM(argv) - 1, argv) >= 0, "EAL starts");
	fuzz_require(rte_memseg_contig_walk(memory_register, NULL) == 0, "EAL has memory");
}
