/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "bench_cpu.h"

int
bench_cpu_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

bool
bench_cpu_usable(int cpu)
{
	cpu_set_t set;

	return cpu >= 0 && cpu < CPU_SETSIZE && sched_getaffinity(0, sizeof(set), &set) == 0 &&
		CPU_ISSET(cpu, &set);
}

/* The last usable CPU except @p not. The first one often serves interrupts. */
static int
cpu_last(const cpu_set_t *set, int not)
{
	int cpu;

	for (cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (cpu != not && CPU_ISSET(cpu, set))
			return cpu;
	return -1;
}

int
bench_cpus_choose(struct bench_conf *conf)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return -errno;
	if (conf->cpu < 0)
		conf->cpu = cpu_last(&set, conf->guest_cpu);
	if (conf->guest_cpu < 0)
		conf->guest_cpu = cpu_last(&set, conf->cpu);
	/* With only one CPU, guest and device share it. */
	if (conf->guest_cpu < 0)
		conf->guest_cpu = conf->cpu;
	return conf->cpu < 0 ? -ENOENT : 0;
}

void
bench_cpu_name(char *buf, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256], *value;

	snprintf(buf, size, "unknown CPU");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "model name", 10) != 0)
			continue;
		value = strchr(line, ':');
		if (value == NULL)
			continue;
		value[strcspn(value, "\n")] = '\0';
		snprintf(buf, size, "%s", value + 1 + (value[1] == ' '));
		break;
	}
	if (f != NULL)
		fclose(f);
}
