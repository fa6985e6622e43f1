/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "hostile_proc.h"

#define LOOK_US 5000
/* Time for the back end to close descriptors after a case. */
#define SETTLE_MS 2000
#define STEADY_LOOKS 4
#define STEADY_US 50000
#define STEADY_TRIES 40

pid_t
hostile_proc_peer(int fd)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 ? 0 : cred.pid;
}

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

/* The kernel lends a process with io_uring threads of its own, and takes them back later. */
static bool
is_kernel_thread(const char *task_folder, const char *tid)
{
	char path[128], name[4] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%.20s/comm", task_folder, tid);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	if (fread(name, 1, sizeof(name), f) < sizeof(name))
		name[0] = '\0';
	fclose(f);
	return memcmp(name, "iou-", sizeof(name)) == 0;
}

/* Number of entries of a folder of /proc/PID, or -errno. */
static int
entries_count(pid_t pid, const char *folder, bool is_task)
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
		n += d->d_name[0] != '.' && !(is_task && is_kernel_thread(path, d->d_name));
	closedir(dir);
	return n;
}

int
hostile_usage_read(pid_t pid, struct hostile_usage *u)
{
	int64_t pages = 0;
	char path[64];
	FILE *f;

	u->fds = entries_count(pid, "fd", false);
	u->threads = entries_count(pid, "task", true);
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

int
hostile_usage_check(pid_t pid, const struct hostile_usage *before, uint32_t rss_mb, char *why,
		size_t size)
{
	struct hostile_usage now = { 0 };
	int ret = hostile_usage_settle(pid, before, SETTLE_MS, &now);

	if (ret == -EBUSY) {
		snprintf(why, size, "%d open file descriptors and %d threads before the case, "
			"%d and %d after it", before->fds, before->threads, now.fds, now.threads);
	} else if (ret < 0) {
		snprintf(why, size, "cannot read what process %d uses: %s", (int)pid,
			strerror(-ret));
	} else if (now.rss_kb - before->rss_kb > rss_mb * 1024l) {
		snprintf(why, size, "%" PRId64 " KiB of memory before the case, %" PRId64
			" KiB after it", before->rss_kb, now.rss_kb);
		ret = -EBUSY;
	}
	return ret;
}
