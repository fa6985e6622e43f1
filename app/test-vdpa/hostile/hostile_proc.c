/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "hostile_proc.h"

#define LOOK_US 5000
#define STEADY_LOOKS 4
#define STEADY_US 50000
#define STEADY_TRIES 40

bool
hostile_proc_alive(pid_t pid)
{
	char path[64], line[512], *end;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = '\0';
	/* The name of the process may contain blanks and brackets. */
	end = strrchr(line, ')');
	return end != NULL && strlen(end) > 2 && end[2] != 'Z' && end[2] != 'X';
}

/* Number of entries of a folder of /proc/PID, or -errno. */
static int
entries_count(pid_t pid, const char *folder)
{
	struct dirent *d;
	char path[64];
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, folder);
	dir = opendir(path);
	if (dir == NULL)
		return errno == ENOENT ? -ESRCH : -errno;
	while ((d = readdir(dir)) != NULL)
		n += d->d_name[0] != '.';
	closedir(dir);
	return n;
}

int
hostile_usage_read(pid_t pid, struct hostile_usage *u)
{
	int64_t pages = 0;
	char path[64];
	FILE *f;

	u->fds = entries_count(pid, "fd");
	u->threads = entries_count(pid, "task");
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "r");
	if (f != NULL) {
		if (fscanf(f, "%*s %" SCNd64, &pages) != 1)
			pages = 0;
		fclose(f);
	}
	u->rss_kb = pages * (sysconf(_SC_PAGESIZE) / 1024);
	if (u->fds < 0)
		return u->fds;
	return u->threads < 0 ? u->threads : 0;
}

int
hostile_usage_settle(pid_t pid, const struct hostile_usage *before, int ms,
		struct hostile_usage *now)
{
	uint64_t end = clock_ns() + ms * UINT64_C(1000000);
	int ret;

	for (;;) {
		ret = hostile_usage_read(pid, now);
		if (ret < 0)
			return ret;
		if (now->fds <= before->fds && now->threads <= before->threads)
			return 0;
		if (clock_ns() >= end)
			return -EBUSY;
		usleep(LOOK_US);
	}
}

int
hostile_usage_steady(pid_t pid, struct hostile_usage *u)
{
	struct hostile_usage last = { 0 };
	int same = 0, i, ret;

	for (i = 0; i < STEADY_TRIES && same < STEADY_LOOKS; i++) {
		ret = hostile_usage_read(pid, u);
		if (ret < 0)
			return ret;
		same = u->fds == last.fds && u->threads == last.threads ? same + 1 : 0;
		last = *u;
		usleep(STEADY_US);
	}
	return 0;
}
