/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * A back end is killed under load, and a new one takes its place. The new one reads the state file
 * of the old one (state_dir=), or the in-flight region. The two processes do not communicate.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend.h"
#include "guest_link.h"
#include "guest_traffic.h"
#include "migrate_kill.h"
#include "migrate_step.h"
#include "stats.h"

/* Frames of one burst, which a killed process may have dequeued and not delivered. */
#define BURST 64
/* Longest time of load before the next kill. */
#define LOAD_US 30000u
/* Size of the records at the begin of a state file; the states follow. */
#define RECORDS (64 * 1024)

/** Old records of a state file. */
struct stale {
	char path[PATH_MAX];
	uint8_t *bytes;
	size_t len;
};

static int
stale_fail(struct migrate *m, const char *what)
{
	return migrate_fail(m, "%s: %s: %s", m->opt->state_dir, what, strerror(errno));
}

/* Find the state file: the only file that is no socket. */
static int
state_file_find(struct migrate *m, char *path, size_t size)
{
	struct dirent *e;
	struct stat st;
	DIR *d;

	d = opendir(m->opt->state_dir);
	if (d == NULL)
		return stale_fail(m, "cannot open the directory");
	path[0] = '\0';
	while (path[0] == '\0' && (e = readdir(d)) != NULL) {
		if (snprintf(path, size, "%s/%s", m->opt->state_dir, e->d_name) >= (int)size ||
				stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
			path[0] = '\0';
	}
	closedir(d);
	return path[0] != '\0' ? 0 : migrate_fail(m, "%s: no state file", m->opt->state_dir);
}

static int
stale_keep(struct migrate *m, struct stale *old)
{
	ssize_t n = -1;
	int fd;

	if (state_file_find(m, old->path, sizeof(old->path)) < 0)
		return -1;
	old->bytes = malloc(RECORDS);
	fd = open(old->path, O_RDONLY | O_CLOEXEC);
	if (old->bytes != NULL && fd >= 0)
		n = read(fd, old->bytes, RECORDS);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return stale_fail(m, "cannot read the state file");
	old->len = (size_t)n;
	return 0;
}

/* Write the old records: the state file then has old positions of the rings. */
static int
stale_put(struct migrate *m, const struct stale *old)
{
	ssize_t n = -1;
	int fd;

	fd = open(old->path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		n = write(fd, old->bytes, old->len);
	if (fd >= 0)
		close(fd);
	if (n != (ssize_t)old->len)
		return stale_fail(m, "cannot write the state file");
	snprintf(m->res->broken, sizeof(m->res->broken),
		"state file with the positions from the start");
	return 0;
}

/* Connect again, as a front end does after the end of its back end. */
static int
link_reconnect(struct migrate *m)
{
	struct backend *be = m->be[0];
	int ret;

	ret = be->ops->revive(be);
	if (ret < 0)
		return migrate_fail(m, "%s: cannot start it again: %s", be->dev.name,
			strerror(-ret));
	if (migrate_link_open(m, 0, MIGRATE_NEGOTIATED) < 0)
		return -1;
	guest_link_recover(m->link[0]);
	ret = guest_link_prepare(m->link[0]);
	if (ret < 0)
		return migrate_fail(m, "%s: the guest cannot set it up: %s", be->dev.name,
			strerror(-ret));
	return migrate_link_run(m, 0);
}

static int
kill_once(struct migrate *m, const struct stale *old)
{
	struct backend *be = m->be[0];
	int ret;

	/* Kill it at a different point of its work each time. */
	usleep(1 + (useconds_t)(m->opt->seed * 7919 + m->res->rounds * 104729) % LOAD_US);
	guest_gap_start(m->guest);
	ret = be->ops->kill(be);
	if (ret < 0)
		return migrate_fail(m, "%s: cannot kill its process: %s", be->dev.name,
			strerror(-ret));
	migrate_link_close(m, 0);
	if (old != NULL && stale_put(m, old) < 0)
		return -1;
	if (link_reconnect(m) < 0 || migrate_flow_wait(m) < 0)
		return -1;
	if (stats_add(&m->res->blackout, guest_gap_stop(m->guest)) < 0)
		return migrate_fail(m, "out of memory");
	m->res->rounds++;
	m->res->lost_allowed += (uint64_t)BURST * m->opt->pairs;
	return 0;
}

int
migrate_kill_round(struct migrate *m)
{
	struct stale old = { .bytes = NULL };
	const bool spoil = m->opt->breakage != NULL && m->res->rounds == 0;
	int ret = 0;

	if (spoil)
		ret = stale_keep(m, &old);
	if (ret == 0)
		ret = kill_once(m, spoil ? &old : NULL);
	free(old.bytes);
	return ret;
}
