/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef EAL_HOST_H
#define EAL_HOST_H

#include <stddef.h>

/** CPUs this process may run on, as a list ("0-1,4"). */
int eal_host_cpus(char *buf, size_t size);
/** Free hugepages of all sizes that someone may map, in MB. */
unsigned int eal_host_huge_free_mb(void);

#endif /* EAL_HOST_H */
