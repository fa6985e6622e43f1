/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * A back end that is killed under load, and one that takes its place: from a page that the first
 * one wrote (state_dir=), or from the in-flight region, without a word between the two.
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

/* A burst of the device, which a killed process had taken and not delivered. */
#define BURST 64
/* The load runs for so long at most before the next kill. */
#define LOAD_US 30000u
/* Where a page has its records; states come behind. */
#define RECORDS (64 * 1024)

/** The records of a page as they once were. */
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

/* The only file that is no socket. */
static int
page_find(struct migrate *m, char *path, size_t size)
{
	struct dirent *e;
	struct stat st;
	DIR *d;

	d = opendir(m->opt->state_dir);
	if (d == NULL)
		return stale_fail(m, "no directory");
	path[0] = '\0';
	while (path[0] == '\0' && (e = readdir(d)) != NULL) {
		if (snprintf(path, size, "%s/%s", m->opt->state_dir, e->d_name) >= (int)size ||
				stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
			path[0] = '\0';
	}
	closedir(d);
	return path[0] != '\0' ? 0 : migrate_fail(m, "%s has no page", m->opt->state_dir);
}

static int
stale_keep(struct migrate *m, struct stale *old)
{
	ssize_t n = -1;
	int fd;

	if (page_find(m, old->path, sizeof(old->path)) < 0)
		return -1;
	old->bytes = malloc(RECORDS);
	fd = open(old->path, O_RDONLY | O_CLOEXEC);
	if (old->bytes != NULL && fd >= 0)
		n = read(fd, old->bytes, RECORDS);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return stale_fail(m, "page cannot be read");
	old->len = (size_t)n;
	return 0;
}

/* The page tells where the rings were, not where they are. */
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
		return stale_fail(m, "page cannot be written");
	snprintf(m->res->broken, sizeof(m->res->broken), "page put back to where it began");
	return 0;
}

/* As a front end whose peer has gone: it connects again with what it knows. */
static int
link_reconnect(struct migrate *m)
{
	struct backend *be = m->be[0];
	int ret;

	ret = be->ops->revive(be);
	if (ret < 0)
		return migrate_fail(m, "%s does not come again: %s", be->dev.name, strerror(-ret));
	if (migrate_link_open(m, 0, MIGRATE_NEGOTIATED) < 0)
		return -1;
	guest_link_recover(m->link[0]);
	ret = guest_link_prepare(m->link[0]);
	if (ret < 0)
		return migrate_fail(m, "guest cannot set up %s: %s", be->dev.name, strerror(-ret));
	return migrate_link_run(m, 0);
}

static int
kill_once(struct migrate *m, const struct stale *old)
{
	struct backend *be = m->be[0];
	int ret;

	/* Anywhere in its work. */
	usleep(1 + (useconds_t)(m->opt->seed * 7919 + m->res->rounds * 104729) % LOAD_US);
	guest_gap_start(m->guest);
	ret = be->ops->kill(be);
	if (ret < 0)
		return migrate_fail(m, "%s cannot be killed: %s", be->dev.name, strerror(-ret));
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
