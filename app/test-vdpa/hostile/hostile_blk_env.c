/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_ring.h>

#include <rte_errno.h>

#include "clock.h"
#include "guest_core.h"
#include "guest_disk.h"
#include "guest_disk_codec.h"
#include "guest_ring.h"
#include "hostile.h"
#include "hostile_blk_env.h"
#include "hostile_put.h"
#include "vhost_user_fe.h"
#include "vstate_compat.h"

#define CONNECT_MS 5000
/* GET_VRING_BASE must be answered in this time, whatever the ring contains. */
#define STOP_MS 5000
/* Pause after a connection that was refused. */
#define RETRY_US 1000
#define PATTERN 0xa5
#define F_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define F_USED (1u << VRING_PACKED_DESC_F_USED)

/* ---- connections ---- */

int
hostile_blk_connect(struct hostile_blk_env *e)
{
	int ret;

	ret = disk_connect(e->d, 0, e->conf->path, CONNECT_MS);
	e->d->links[0].fe.timeout_ms = STOP_MS;
	if (ret == 0)
		ret = disk_prepare(e->d, 0);
	return ret == 0 ? disk_run(e->d, 0) : ret;
}

int
hostile_blk_open(struct hostile_blk_env *e, bool region)
{
	const struct disk_conf conf = { .codec = &disk_codec_blk, .queues = e->queues,
		.ring_size = HOSTILE_BLK_RING, .packed = e->packed, .depth = 1, .blocks = 2,
		.seed = 1, .scratch = HOSTILE_BLK_MEMORY, .region = region,
		.optional = 1ull << VIRTIO_BLK_F_DISCARD | 1ull << VIRTIO_BLK_F_WRITE_ZEROES |
			1ull << VIRTIO_RING_F_INDIRECT_DESC };
	const uint64_t end = clock_ns() + CONNECT_MS * UINT64_C(1000000);
	int ret;

	e->d = disk_create(&conf);
	if (e->d == NULL)
		return hostile_blk_fail(e, "cannot create a driver: %s", strerror(rte_errno));
	ret = hostile_blk_connect(e);
	/* A back end may refuse a connection while the one before it has not ended yet. */
	while ((ret == -ECONNRESET || ret == -EPIPE) && clock_ns() < end) {
		disk_disconnect(e->d, 0);
		usleep(RETRY_US);
		ret = hostile_blk_connect(e);
	}
	if (ret < 0)
		return hostile_blk_fail(e, "the device cannot be set up: %s%s%s", strerror(-ret),
			disk_error(e->d) != NULL ? ": " : "",
			disk_error(e->d) != NULL ? disk_error(e->d) : "");
	return 0;
}

void
hostile_blk_close(struct hostile_blk_env *e)
{
	disk_destroy(e->d);
	free(e->snapshot);
	e->d = NULL;
	e->snapshot = NULL;
	e->nb_lent = 0;
	e->base[0] = e->base[1] = 0;
}

/* ---- memory ---- */

uint64_t
hostile_blk_at(const struct hostile_blk_env *e, uint32_t offset)
{
	return e->d->scratch_gpa + offset;
}

uint64_t
hostile_blk_end_of_memory(const struct hostile_blk_env *e)
{
	const struct guest_mem_region *r = &e->d->mem.regions[e->d->mem.island - 1];

	return r->gpa + r->size;
}

uint64_t
hostile_blk_hole(const struct hostile_blk_env *e)
{
	return e->d->mem.regions[e->d->mem.island].gpa - 0x10000;
}

void
hostile_blk_lend(struct hostile_blk_env *e, uint64_t gpa, uint64_t len)
{
	struct guest_mem_range *last = e->nb_lent > 0 ? &e->lent[e->nb_lent - 1] : NULL;

	if (last != NULL && gpa == last->gpa + last->len)
		last->len += len;
	else if (last != NULL && gpa == last->gpa)
		last->len = RTE_MAX(last->len, len);
	else if (e->nb_lent < RTE_DIM(e->lent))
		e->lent[e->nb_lent++] = (struct guest_mem_range){ .gpa = gpa, .len = len };
}

static bool
is_lent(const struct hostile_blk_env *e, uint64_t gpa)
{
	uint32_t i;

	for (i = 0; i < e->nb_lent; i++)
		if (gpa - e->lent[i].gpa < e->lent[i].len)
			return true;
	return false;
}

void
hostile_blk_fill(const struct hostile_blk_env *e)
{
	uint8_t bytes[4096];
	uint32_t at;

	memset(bytes, PATTERN, sizeof(bytes));
	for (at = 0; at < HOSTILE_BLK_MEMORY; at += sizeof(bytes))
		guest_mem_write(&e->d->mem, hostile_blk_at(e, at), bytes, sizeof(bytes));
}

void
hostile_blk_snapshot(struct hostile_blk_env *e)
{
	if (e->snapshot == NULL)
		e->snapshot = malloc(HOSTILE_BLK_MEMORY);
	if (e->snapshot != NULL)
		guest_mem_read(&e->d->mem, hostile_blk_at(e, 0), e->snapshot, HOSTILE_BLK_MEMORY);
}

int
hostile_blk_check_memory(struct hostile_blk_env *e)
{
	const int64_t bad = guest_mem_canary_check(&e->d->mem);
	uint8_t now[4096];
	uint32_t at, i;

	if (bad >= 0)
		return hostile_blk_fail(e, "the back end wrote outside of all buffers, at memory "
			"file offset 0x%" PRIx64, (uint64_t)bad);
	for (at = 0; e->snapshot != NULL && at < HOSTILE_BLK_MEMORY; at += sizeof(now)) {
		guest_mem_read(&e->d->mem, hostile_blk_at(e, at), now, sizeof(now));
		if (memcmp(now, e->snapshot + at, sizeof(now)) == 0)
			continue;
		for (i = 0; i < sizeof(now); i++)
			if (now[i] != e->snapshot[at + i] && !is_lent(e, hostile_blk_at(e, at + i)))
				return hostile_blk_fail(e, "the back end wrote 0x%02x to byte 0x%x "
					"of the driver's memory, which it does not own", now[i],
					at + i);
	}
	return 0;
}

/* ---- requests ---- */

void
hostile_blk_header(struct hostile_blk_env *e, uint32_t type, uint64_t sector)
{
	const struct virtio_blk_outhdr hdr = { .type = type, .sector = sector };
	const uint8_t none = HOSTILE_BLK_NO_STATUS;

	guest_mem_write(&e->d->mem, hostile_blk_at(e, HOSTILE_BLK_HDR_AT), &hdr, sizeof(hdr));
	guest_mem_write(&e->d->mem, hostile_blk_at(e, HOSTILE_BLK_STATUS_AT), &none, 1);
}

uint16_t
hostile_blk_request(const struct hostile_blk_env *e, struct hostile_desc *d, uint32_t type,
		uint32_t len)
{
	const uint16_t write = type == VIRTIO_BLK_T_IN ? VRING_DESC_F_WRITE : 0;
	uint16_t n = 0;

	d[n] = (struct hostile_desc){ hostile_blk_at(e, HOSTILE_BLK_HDR_AT),
		sizeof(struct virtio_blk_outhdr), VRING_DESC_F_NEXT, n + 1 };
	n++;
	if (len > 0) {
		d[n] = (struct hostile_desc){ hostile_blk_at(e, HOSTILE_BLK_DATA_AT), len,
			VRING_DESC_F_NEXT | write, n + 1 };
		n++;
	}
	d[n] = (struct hostile_desc){ hostile_blk_at(e, HOSTILE_BLK_STATUS_AT), 1,
		VRING_DESC_F_WRITE, 0 };
	return n + 1;
}

void
hostile_blk_kick(struct hostile_blk_env *e, uint16_t q)
{
	struct disk_queue *dq = &e->d->queues[q];
	const uint64_t one = 1;

	/* Kick in any case, so that a sleeping device reads the ring. */
	dq->ring.ops->publish(&dq->ring);
	if (write(dq->kick, &one, sizeof(one)) < 0 && errno != EAGAIN)
		hostile_blk_fail(e, "cannot kick queue %u: %s", q, strerror(errno));
}

struct hostile_blk_sent
hostile_blk_put(struct hostile_blk_env *e, uint16_t q, const struct hostile_desc *d, uint16_t nb)
{
	struct guest_ring *r = &e->d->queues[q].ring;
	const struct vring_used *used = r->device;
	struct hostile_blk_sent s = { .q = q };
	struct vring_packed_desc *head;
	uint16_t flags;

	if (e->packed) {
		s.head = head = (struct vring_packed_desc *)r->desc + r->avail;
		s.wrap = r->avail_wrap;
		flags = hostile_put_packed(r, d, nb);
		rte_atomic_store_explicit(&head->flags, flags, rte_memory_order_release);
	} else {
		/* Attacks of many requests wait for each of them: all descriptors are free. */
		if (e->base[q] + nb > r->size)
			e->base[q] = 0;
		s.used = rte_atomic_load_explicit(&used->idx, rte_memory_order_acquire);
		hostile_put_split(r, &e->base[q], d, nb);
	}
	hostile_blk_kick(e, q);
	return s;
}

bool
hostile_blk_returned(const struct hostile_blk_env *e, const struct hostile_blk_sent *s)
{
	const struct vring_used *used = e->d->queues[s->q].ring.device;
	uint16_t flags;

	if (!e->packed)
		return rte_atomic_load_explicit(&used->idx, rte_memory_order_acquire) != s->used;
	flags = rte_atomic_load_explicit(&s->head->flags, rte_memory_order_acquire);
	return ((flags & F_AVAIL) != 0) == s->wrap && ((flags & F_USED) != 0) == s->wrap;
}

bool
hostile_blk_wait(const struct hostile_blk_env *e, const struct hostile_blk_sent *s, int ms)
{
	const uint64_t end = clock_ns() + ms * UINT64_C(1000000);

	while (!hostile_blk_returned(e, s)) {
		if (clock_ns() >= end)
			return false;
		usleep(20);
	}
	return true;
}

uint8_t
hostile_blk_status(const struct hostile_blk_env *e)
{
	uint8_t status = HOSTILE_BLK_NO_STATUS;

	guest_mem_read(&e->d->mem, hostile_blk_at(e, HOSTILE_BLK_STATUS_AT), &status, 1);
	return status;
}

int
hostile_blk_do(struct hostile_blk_env *e, uint16_t q, uint32_t type, uint64_t sector, uint32_t len)
{
	struct hostile_desc d[3];
	struct hostile_blk_sent s;

	hostile_blk_header(e, type, sector);
	s = hostile_blk_put(e, q, d, hostile_blk_request(e, d, type, len));
	if (!hostile_blk_wait(e, &s, HOSTILE_BLK_WAIT_MS))
		return hostile_blk_fail(e, "a good request of queue %u does not return", q);
	return hostile_blk_status(e);
}

/* ---- verdicts ---- */

bool
hostile_blk_needs_reset(struct hostile_blk_env *e)
{
	uint64_t status = 0;

	return vu_fe_get_u64(&e->d->links[0].fe, VU_GET_STATUS, &status) == 0 &&
		(status & GUEST_S_NEEDS_RESET) != 0;
}

int
hostile_blk_settle(struct hostile_blk_env *e)
{
	usleep(HOSTILE_BLK_SETTLE_US);
	snprintf(e->did, sizeof(e->did), hostile_blk_needs_reset(e) ? "broke the queue" :
		"went on");
	return 0;
}

int
hostile_blk_breaks(struct hostile_blk_env *e, const struct hostile_blk_sent *s)
{
	const uint64_t end = clock_ns() + HOSTILE_BLK_WAIT_MS * UINT64_C(1000000);
	bool reset = false;

	if (e->conf->expect_reset) {
		while (!reset && clock_ns() < end) {
			reset = hostile_blk_needs_reset(e);
			if (!reset)
				usleep(1000);
		}
		if (!reset)
			return hostile_blk_fail(e,
				"the queue is broken, but NEEDS_RESET is not set");
	} else {
		usleep(HOSTILE_BLK_SETTLE_US);
	}
	if (s != NULL && hostile_blk_returned(e, s))
		return hostile_blk_fail(e, "the request returned");
	snprintf(e->did, sizeof(e->did), "broke the queue");
	return 0;
}
