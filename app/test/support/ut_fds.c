/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <dirent.h>
#include <sys/eventfd.h>

#include "ut_fds.h"
#include "ut_groups.h"

unsigned int
fds_count(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

uint64_t
eventfd_counter(int fd)
{
	eventfd_t value = 0;

	assert_int_equal(eventfd_read(fd, &value), 0);
	assert_int_equal(eventfd_write(fd, value), 0);
	return value;
}
