/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_FDS_H
#define UT_FDS_H

/** @file File descriptors of the test: how many are open, and which eventfd one is. */

#include <stdint.h>

/** How many descriptors this process has open, give or take a constant. */
unsigned int fds_count(void);

/** The counter of an eventfd, which stays as it is. Fails the test if it is 0. */
uint64_t eventfd_counter(int fd);

#endif /* UT_FDS_H */
