/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef EAL_HOST_H
#define EAL_HOST_H

#include <stddef.h>

/** List the CPUs that this process may use ("0-1,4"). @return 0, -ENOSPC, -errno */
int eal_host_cpus(char *buf, size_t size);
/** Memory in free hugepages of all sizes, MB. */
unsigned int eal_host_huge_free_mb(void);

#endif /* EAL_HOST_H */
