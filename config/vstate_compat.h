/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef _VSTATE_COMPAT_H_
#define _VSTATE_COMPAT_H_

/**
 * @file
 * All differences between DPDK releases (22.11 to 26.07), in this one place.
 */

#include <rte_version.h>

#endif /* _VSTATE_COMPAT_H_ */
