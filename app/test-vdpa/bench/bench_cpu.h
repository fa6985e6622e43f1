/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_CPU_H
#define BENCH_CPU_H

#include <stdbool.h>
#include <stddef.h>

struct bench_conf;

/** Choose the CPUs of device and guest that the user did not choose (-1 in @p conf). */
int bench_cpus_choose(struct bench_conf *conf);
/** Return whether this process may use @p cpu. */
bool bench_cpu_usable(int cpu);
/** Pin this thread to @p cpu. */
int bench_cpu_pin(int cpu);
/** Model name of the CPU. */
void bench_cpu_name(char *buf, size_t size);

#endif /* BENCH_CPU_H */
