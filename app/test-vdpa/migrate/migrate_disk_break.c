/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vhost_state.h>

#include "guest_disk.h"
#include "migrate_disk_break.h"

/* Requests that a device publishes together, for DISK_FAULT_CLEAR. */
#define BATCH 4

static const char *const names[DISK_FAULT_MAX] = {
	[DISK_FAULT_SKIP] = "skip",
	[DISK_FAULT_CLEAR] = "clear",
	[DISK_FAULT_REVERSE] = "reverse",
	[DISK_FAULT_TWICE] = "twice",
	[DISK_FAULT_NOWAIT] = "nowait",
};

const char *
migrate_disk_fault_name(enum migrate_disk_fault fault)
{
	return names[fault];
}

enum migrate_disk_fault
migrate_disk_fault_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < DISK_FAULT_MAX; i++) {
		if (names[i] != NULL && strcmp(names[i], name) == 0)
			return i;
	}
	return DISK_FAULT_NONE;
}

/* ---- in a state ---- */

/* Split: any head that is not in the list takes the place of a request. */
static bool
state_forget(struct rte_vhost_state_vq *vq)
{
	uint16_t n, k;

	for (n = 0; vq->nb_inflight > 0 && n < vq->size; n++) {
		for (k = 0; k < vq->nb_inflight && vq->inflight[k].head != n; k++)
			;
		if (k < vq->nb_inflight)
			continue;
		vq->inflight[0].head = vq->inflight[0].id = n;
		return true;
	}
	return false;
}

static bool
state_reverse(struct rte_vhost_state_vq *vq)
{
	uint32_t i, k;

	for (i = 0, k = vq->nb_inflight; i + 1 < k; i++) {
		struct rte_vhost_state_inflight a = vq->inflight[i], b = vq->inflight[--k];

		RTE_SWAP(a.counter, b.counter);
		vq->inflight[i] = b;
		vq->inflight[k] = a;
	}
	return vq->nb_inflight > 1;
}

bool
migrate_disk_break_state(struct rte_vhost_state *st, enum migrate_disk_fault fault)
{
	bool done = false;
	uint16_t i;

	for (i = 0; i < st->nb_vqs; i++) {
		if (fault == DISK_FAULT_REVERSE)
			done |= state_reverse(&st->vqs[i]);
		else if (state_forget(&st->vqs[i]))
			return true;
	}
	return done;
}

/* ---- in the region ---- */

/* A descriptor of the region; the counter has the same place in both layouts. */
struct entry {
	uint8_t inflight, padding[7];
	uint64_t counter;
};

static struct entry *
entry_at(const struct disk_region *r, uint16_t q, uint16_t i)
{
	uint8_t *p = r->bytes + q * r->stride + (r->packed ? 32 + 32 * i : 16 + 16 * i);

	return (struct entry *)(void *)p;
}

/* The request in flight with the lowest counter, or NULL. */
static struct entry *
oldest_get(const struct disk_region *r, uint16_t q)
{
	struct entry *oldest = NULL, *e;
	uint16_t i;

	for (i = 0; i < r->ring_size; i++) {
		e = entry_at(r, q, i);
		if (e->inflight == 1 && (oldest == NULL || e->counter < oldest->counter))
			oldest = e;
	}
	return oldest;
}

static bool
region_clear(const struct disk_region *r, uint16_t q, unsigned int nb)
{
	struct entry *e = NULL;
	unsigned int n;

	for (n = 0; n < nb && (e = oldest_get(r, q)) != NULL; n++)
		e->inflight = 0;
	return n > 0;
}

static bool
region_reverse(const struct disk_region *r, uint16_t q)
{
	const struct entry *oldest = oldest_get(r, q);
	uint64_t sum, newest = 0;
	unsigned int n = 0;
	uint16_t i;

	if (oldest == NULL)
		return false;
	for (i = 0; i < r->ring_size; i++) {
		if (entry_at(r, q, i)->inflight != 1)
			continue;
		newest = RTE_MAX(newest, entry_at(r, q, i)->counter);
		n++;
	}
	sum = oldest->counter + newest;
	for (i = 0; i < r->ring_size; i++) {
		if (entry_at(r, q, i)->inflight == 1)
			entry_at(r, q, i)->counter = sum - entry_at(r, q, i)->counter;
	}
	return n > 1;
}

/* An entry that was in flight once: its descriptors are still there. */
static bool
region_repeat(const struct disk_region *r, uint16_t q)
{
	uint16_t i;

	for (i = 0; i < r->ring_size; i++) {
		if (entry_at(r, q, i)->inflight != 0 || entry_at(r, q, i)->counter == 0)
			continue;
		entry_at(r, q, i)->inflight = 1;
		return true;
	}
	return false;
}

bool
migrate_disk_break_region(struct disk *d, enum migrate_disk_fault fault)
{
	struct disk_region r;
	bool done = false;
	uint16_t q;

	if (!disk_region_get(d, &r))
		return false;
	for (q = 0; q < r.queues && (!done || fault == DISK_FAULT_REVERSE); q++) {
		switch (fault) {
		case DISK_FAULT_REVERSE:
			done |= region_reverse(&r, q);
			break;
		case DISK_FAULT_TWICE:
			done = region_repeat(&r, q);
			break;
		default:
			done = region_clear(&r, q, fault == DISK_FAULT_CLEAR ? BATCH : 1);
		}
	}
	return done;
}

/* ---- in the file ---- */

int
migrate_disk_break_file(const char *path, const struct disk_write *writes, unsigned int nb)
{
	uint8_t block[DISK_BLOCK];
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;
	unsigned int i;

	if (fd < 0)
		return -errno;
	for (i = 0; i < nb && ret == 0; i++) {
		disk_block_fill(block, &writes[i]);
		if (pwrite(fd, block, sizeof(block), writes[i].number * DISK_BLOCK) !=
				(ssize_t)sizeof(block))
			ret = -EIO;
	}
	close(fd);
	return ret;
}
