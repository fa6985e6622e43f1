/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>

#include "hostile.h"
#include "hostile_case.h"
#include "hostile_tally.h"

/* Cases in a row after which nobody was served, and then the others are not tried. */
#define DEAF_MAX 3

void
hostile_tally_find(struct hostile_tally *t, int fd)
{
	t->pid = t->conf->pid != 0 ? t->conf->pid : hostile_proc_peer(fd);
}

int
hostile_tally_begin(struct hostile_tally *t, int ret, const char *why)
{
	if (ret < 0) {
		fprintf(stderr, "guest: %s: %s\n", t->conf->path, why);
		return ret;
	}
	/* The process of a container has another number here, or belongs to another user. */
	if (t->pid != 0 && hostile_usage_steady(t->pid, &t->base) < 0)
		t->pid = 0;
	return 0;
}

void
hostile_tally_renew(struct hostile_tally *t)
{
	if (t->pid != 0)
		hostile_usage_steady(t->pid, &t->base);
}

bool
hostile_tally_is_alive(const struct hostile_tally *t)
{
	return t->pid == 0 || hostile_proc_alive(t->pid);
}

int
hostile_tally_usage(const struct hostile_tally *t, char *why, size_t size)
{
	return t->pid == 0 ? 0 : hostile_usage_check(t->pid, &t->base, t->conf->rss_limit_mb, why,
			size);
}

bool
hostile_tally_wants(const struct hostile_tally *t, const char *name, uint32_t flags, bool packed)
{
	return (flags & (packed ? HOSTILE_PACKED : HOSTILE_SPLIT)) != 0 &&
		(hostile_name_is_listed(t->conf->name, "all") ||
		 hostile_name_is_listed(t->conf->name, name));
}

void
hostile_tally_add(struct hostile_tally *t, const char *name, const char *ring, int ret,
		const char *text)
{
	if (ret == HOSTILE_SKIPPED) {
		printf("SKIP %s%s: %s\n", name, ring, text);
		t->skipped++;
	} else if (ret < 0) {
		printf("FAIL %s%s: %s\n", name, ring, text);
		t->failed++;
	} else {
		printf("PASS %s%s%s%s\n", name, ring, t->conf->verbose ? ": " : "",
			t->conf->verbose ? text : "");
		t->passed++;
	}
	fflush(stdout);
}

int
hostile_tally_go_on(struct hostile_tally *t, const char *name)
{
	if (t->deaf < DEAF_MAX && hostile_tally_is_alive(t))
		return 0;
	printf("FAIL: the back end serves nobody after %s, no more cases are run\n", name);
	t->failed++;
	return -EIO;
}

int
hostile_tally_end(const struct hostile_tally *t)
{
	if (t->passed + t->failed + t->skipped == 0)
		fprintf(stderr, "guest: no hostile case \"%s\" for this ring; see --hostile list\n",
			t->conf->name);
	printf("%u passed, %u failed", t->passed, t->failed);
	if (t->skipped != 0)
		printf(", %u skipped", t->skipped);
	printf("\n");
	return t->failed == 0 && t->passed != 0 ? 0 : -EPROTO;
}
