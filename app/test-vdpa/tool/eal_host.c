/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "eal_host.h"

#define HUGE_DIR "/sys/kernel/mm/hugepages"

/* Append the CPUs first .. last. @return false if there is no room */
static bool
run_append(char *buf, size_t size, int first, int last)
{
	size_t len = strlen(buf);
	int n;

	if (first == last)
		n = snprintf(buf + len, size - len, "%s%d", len > 0 ? "," : "", first);
	else
		n = snprintf(buf + len, size - len, "%s%d-%d", len > 0 ? "," : "", first, last);
	return n > 0 && (size_t)n < size - len;
}

int
eal_host_cpus(char *buf, size_t size)
{
	int cpu, first = -1;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return -errno;
	buf[0] = '\0';
	/* EAL supports only CPUs below RTE_MAX_LCORE. */
	for (cpu = 0; cpu <= RTE_MAX_LCORE; cpu++) {
		bool in = cpu < RTE_MAX_LCORE && CPU_ISSET(cpu, &set);

		if (in && first < 0) {
			first = cpu;
		} else if (!in && first >= 0) {
			if (!run_append(buf, size, first, cpu - 1))
				return -ENOSPC;
			first = -1;
		}
	}
	return buf[0] == '\0' ? -ENOENT : 0;
}

unsigned int
eal_host_huge_free_mb(void)
{
	uint64_t kb, pages, sum = 0;
	char path[512];
	struct dirent *e;
	FILE *f;
	DIR *d;

	d = opendir(HUGE_DIR);
	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL) {
		if (sscanf(e->d_name, "hugepages-%" SCNu64 "kB", &kb) != 1)
			continue;
		snprintf(path, sizeof(path), HUGE_DIR "/%s/free_hugepages", e->d_name);
		f = fopen(path, "r");
		if (f == NULL)
			continue;
		if (fscanf(f, "%" SCNu64, &pages) == 1)
			sum += kb * pages;
		fclose(f);
	}
	closedir(d);
	return sum / 1024;
}
