/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* A front end brings back the in-flight region with other contents than the back end left there. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>

#include <rte_common.h>

#include "clock.h"
#include "guest_disk.h"
#include "guest_ring.h"
#include "hostile.h"
#include "hostile_blk_env.h"
#include "hostile_blk_region.h"
#include "hostile_case.h"

/* Layout of the region, as vhost-user defines it: of the header, then of an entry. */
#define VERSION 8
#define DESC_NUM 10
#define HEAD 12
#define OLD_HEAD 14
#define SPLIT_USED 14
#define PACKED_USED 16
#define PACKED_OLD_USED 18
#define PACKED_WRAP 20
#define SPLIT_NEXT 6
#define PACKED_NEXT 2
#define PACKED_LAST 4
#define PACKED_NUM 6
#define COUNTER 8
#define PACKED_ID 16
#define PACKED_FLAGS 18
#define PACKED_LEN 20
#define PACKED_ADDR 24

#define FIELDS 4
/* Entries that a case marks as in flight. */
#define MARKS 4
/* Requests that no back end has seen when the region changes. */
#define WAITING 2
/* How long the region changes under a running queue. */
#define SCRIBBLE_NS 100000000ull

/** A number at an offset of the header, or of each marked entry. */
struct field {
	uint32_t at, size;
	uint64_t value;
	bool in_entry;
};

struct change {
	/** The first entry that is marked, and how many; their counters descend. */
	uint16_t first, marks;
	struct field split[FIELDS], packed[FIELDS];
	/** Descriptors of the ring at the second connection; 0: as before. */
	uint16_t ring_size;
	/** Of the message: queue size and bytes; 0: those of the region. */
	uint16_t queue_size;
	uint64_t bytes;
};

static uint8_t *
entry_at(const struct disk_region *r, uint16_t i)
{
	return r->bytes + (r->packed ? 32 + 32 * i : 16 + 16 * i);
}

static void
fields_write(const struct disk_region *r, const struct field *f, const struct change *ch)
{
	uint16_t i, k;

	for (i = 0; i < FIELDS && f[i].size != 0; i++) {
		if (!f[i].in_entry)
			memcpy(r->bytes + f[i].at, &f[i].value, f[i].size);
		for (k = 0; f[i].in_entry && k < ch->marks; k++)
			memcpy(entry_at(r, ch->first + k) + f[i].at, &f[i].value, f[i].size);
	}
}

static void
region_change(const struct disk_region *r, const struct change *ch)
{
	uint64_t counter;
	uint16_t k;

	for (k = 0; k < ch->marks; k++) {
		counter = 100 - k;
		entry_at(r, ch->first + k)[0] = 1;
		memcpy(entry_at(r, ch->first + k) + COUNTER, &counter, sizeof(counter));
	}
	fields_write(r, r->packed ? ch->packed : ch->split, ch);
}

/* Reads that wait for the next back end. Their buffers are lent. */
static void
requests_leave(struct hostile_blk_env *e)
{
	struct hostile_desc d[3];
	unsigned int i;

	hostile_blk_header(e, VIRTIO_BLK_T_IN, 0);
	for (i = 0; i < WAITING; i++)
		hostile_blk_put(e, 0, d, hostile_blk_request(e, d, VIRTIO_BLK_T_IN, 512));
}

/* The second connection. A back end may refuse the region. */
static int
region_bring(struct hostile_blk_env *e, const struct change *ch)
{
	const struct vu_inflight geometry = e->d->geometry;
	int ret;

	if (ch->ring_size != 0)
		e->d->queues[0].ring.size = ch->ring_size;
	if (ch->queue_size != 0)
		e->d->geometry.queue_size = ch->queue_size;
	if (ch->bytes != 0)
		e->d->geometry.mmap_size = ch->bytes;
	ret = hostile_blk_connect(e);
	e->d->geometry = geometry;
	if (ret == -ETIMEDOUT)
		return hostile_blk_fail(e, "the back end does not answer");
	if (ret < 0) {
		snprintf(e->did, sizeof(e->did), "refused it: %s", strerror(-ret));
		disk_disconnect(e->d, 0);
		return 0;
	}
	return hostile_blk_settle(e);
}

static int
run_change(struct hostile_blk_env *e, const struct hostile_blk_case *c)
{
	const struct change *ch = c->arg;
	struct disk_region r;

	if (!disk_region_get(e->d, &r))
		return hostile_blk_fail(e, "there is no region");
	if (hostile_blk_do(e, 0, VIRTIO_BLK_T_OUT, HOSTILE_BLK_FREE, 4096) != VIRTIO_BLK_S_OK)
		return hostile_blk_fail(e, "a write before the attack fails");
	disk_disconnect(e->d, 0);
	disk_back_end_died(e->d);
	/* A mark may name any descriptor of the driver: those of the write, and those that wait. */
	hostile_blk_lend(e, hostile_blk_at(e, HOSTILE_BLK_STATUS_AT), 1);
	hostile_blk_lend(e, hostile_blk_at(e, HOSTILE_BLK_DATA_AT), 4096);
	requests_leave(e);
	region_change(&r, ch);
	hostile_blk_snapshot(e);
	return region_bring(e, ch);
}

/* The back end writes the region, and must not need what it wrote there. */
static int
run_scribble(struct hostile_blk_env *e, const struct hostile_blk_case *c)
{
	const uint64_t end = clock_ns() + SCRIBBLE_NS;
	uint64_t rnd = 1, n;
	struct disk_region r;
	unsigned int k;

	RTE_SET_USED(c);
	if (!disk_region_get(e->d, &r))
		return hostile_blk_fail(e, "there is no region");
	hostile_blk_lend(e, hostile_blk_at(e, HOSTILE_BLK_HDR_AT), 256);
	hostile_blk_snapshot(e);
	for (n = 0; clock_ns() < end; n++) {
		if (hostile_blk_do(e, 0, VIRTIO_BLK_T_OUT, HOSTILE_BLK_FREE, 4096) !=
				VIRTIO_BLK_S_OK)
			return hostile_blk_fail(e, "a write fails");
		for (k = 0; k < 64; k++)
			r.bytes[guest_rnd(&rnd, k % 2 == 0 ? 512 : r.stride)] =
				guest_rnd(&rnd, 256);
	}
	snprintf(e->did, sizeof(e->did), "returned %u writes", (unsigned int)n);
	return 0;
}

#define IN_HEAD(at, size, value) { at, size, value, false }
#define IN_ENTRY(at, size, value) { at, size, value, true }
#define BOTH(field) .split = { field }, .packed = { field }

static const struct change
	version = { BOTH(IN_HEAD(VERSION, 2, UINT16_MAX)) },
	version_0 = { 0, MARKS, BOTH(IN_HEAD(VERSION, 2, 0)) },
	desc_num_0 = { 0, MARKS, BOTH(IN_HEAD(DESC_NUM, 2, 0)) },
	desc_num_most = { 0, MARKS, BOTH(IN_HEAD(DESC_NUM, 2, UINT16_MAX)) },
	head = { 0, MARKS, .split = { IN_HEAD(HEAD, 2, UINT16_MAX) },
		.packed = { IN_HEAD(HEAD, 2, UINT16_MAX), IN_HEAD(OLD_HEAD, 2, UINT16_MAX - 1) } },
	used = { 0, MARKS, .split = { IN_HEAD(SPLIT_USED, 2, 0x7fff) },
		.packed = { IN_HEAD(PACKED_USED, 2, HOSTILE_BLK_RING),
			IN_HEAD(PACKED_OLD_USED, 2, UINT16_MAX),
			IN_HEAD(PACKED_WRAP, 2, UINT16_MAX) } },
	next_loop = { 1, MARKS, .split = { IN_ENTRY(SPLIT_NEXT, 2, 1) },
		.packed = { IN_ENTRY(PACKED_NEXT, 2, 1), IN_ENTRY(PACKED_NUM, 2, 2) } },
	next_most = { 0, MARKS, .split = { IN_ENTRY(SPLIT_NEXT, 2, UINT16_MAX),
		IN_HEAD(HEAD, 2, 0) },
		.packed = { IN_ENTRY(PACKED_NEXT, 2, UINT16_MAX), IN_ENTRY(PACKED_NUM, 2, 3) } },
	last_most = { 0, MARKS, .packed = { IN_ENTRY(PACKED_LAST, 2, UINT16_MAX),
		IN_ENTRY(PACKED_NUM, 2, UINT16_MAX) } },
	num_0 = { 0, MARKS, .packed = { IN_ENTRY(PACKED_NUM, 2, 0) } },
	id_most = { 0, MARKS, .packed = { IN_ENTRY(PACKED_ID, 2, UINT16_MAX),
		IN_ENTRY(PACKED_NUM, 2, 1) } },
	copy_hole = { 0, MARKS, .packed = { IN_ENTRY(PACKED_ADDR, 8, UINT64_MAX - 15),
		IN_ENTRY(PACKED_LEN, 4, UINT32_MAX), IN_ENTRY(PACKED_NUM, 2, 1),
		IN_ENTRY(PACKED_FLAGS, 2, VRING_DESC_F_WRITE) } },
	copy_flags = { 0, MARKS, .packed = { IN_ENTRY(PACKED_FLAGS, 2, UINT16_MAX),
		IN_ENTRY(PACKED_NUM, 2, 1) } },
	counters_same = { 0, MARKS, BOTH(IN_ENTRY(COUNTER, 8, 7)) },
	counters_most = { 0, MARKS, BOTH(IN_ENTRY(COUNTER, 8, UINT64_MAX)) },
	marks_wrong = { 0, MARKS, BOTH(IN_ENTRY(0, 1, 0xff)) },
	marks_free = { 1000, MARKS, BOTH(IN_ENTRY(COUNTER, 8, 7)) },
	marks_all = { 0, HOSTILE_BLK_RING, BOTH(IN_ENTRY(COUNTER, 8, 7)) },
	marks_beyond = { 64, HOSTILE_BLK_RING - 64, .ring_size = 64 },
	queue_size_1 = { 0, MARKS, .queue_size = 1 },
	queue_size_most = { 0, MARKS, .queue_size = UINT16_MAX },
	bytes_few = { 0, MARKS, .bytes = 64 },
	bytes_many = { 0, MARKS, .bytes = 1ull << 40 };

static const struct hostile_blk_case cases[] = {
	{ "region-version", "version 65535", HOSTILE_ANY, 0, run_change, &version },
	{ "region-version-0", "marks in a region that was never used", HOSTILE_ANY, 0, run_change,
		&version_0 },
	{ "region-desc-num-0", "a region of no descriptors", HOSTILE_ANY, 0, run_change,
		&desc_num_0 },
	{ "region-desc-num-65535", "a region of 65535 descriptors", HOSTILE_ANY, 0, run_change,
		&desc_num_most },
	{ "region-head", "batch or free head 65535", HOSTILE_ANY, 0, run_change, &head },
	{ "region-used", "a used position outside of the ring", HOSTILE_ANY, 0, run_change, &used },
	{ "region-next-loop", "marks whose next ones are a loop", HOSTILE_ANY, 0, run_change,
		&next_loop },
	{ "region-next-65535", "marks whose next one is 65535", HOSTILE_ANY, 0, run_change,
		&next_most },
	{ "region-last-65535", "marks of 65535 descriptors", HOSTILE_PACKED, 0, run_change,
		&last_most },
	{ "region-num-0", "marks of no descriptors", HOSTILE_PACKED, 0, run_change, &num_0 },
	{ "region-id-65535", "marks with buffer ID 65535", HOSTILE_PACKED, 0, run_change,
		&id_most },
	{ "region-copy-hole", "copies of descriptors outside of memory", HOSTILE_PACKED, 0,
		run_change, &copy_hole },
	{ "region-copy-flags", "copies of descriptors with all flags", HOSTILE_PACKED, 0,
		run_change, &copy_flags },
	{ "region-counters-same", "marks with the same counter", HOSTILE_ANY, 0, run_change,
		&counters_same },
	{ "region-counters-max", "marks with the highest counter", HOSTILE_ANY, 0, run_change,
		&counters_most },
	{ "region-marks-255", "marks of value 255", HOSTILE_ANY, 0, run_change, &marks_wrong },
	{ "region-marks-free", "marks of descriptors that were never used", HOSTILE_ANY, 0,
		run_change, &marks_free },
	{ "region-marks-all", "all descriptors are marked", HOSTILE_ANY, 0, run_change,
		&marks_all },
	{ "region-marks-beyond", "marks beyond the ring, which is now smaller", HOSTILE_ANY, 0,
		run_change, &marks_beyond },
	{ "region-queue-size-1", "a queue size of 1 in SET_INFLIGHT_FD", HOSTILE_ANY, 0,
		run_change, &queue_size_1 },
	{ "region-queue-size-65535", "a queue size of 65535 in SET_INFLIGHT_FD", HOSTILE_ANY, 0,
		run_change, &queue_size_most },
	{ "region-bytes-64", "64 bytes in SET_INFLIGHT_FD", HOSTILE_ANY, 0, run_change,
		&bytes_few },
	{ "region-bytes-max", "2^40 bytes in SET_INFLIGHT_FD", HOSTILE_ANY, 0, run_change,
		&bytes_many },
	{ "region-scribble", "any bytes written to the region while the queue runs", HOSTILE_ANY, 0,
		run_scribble, NULL },
};

uint32_t
hostile_blk_region_cases(struct hostile_blk_case *c, uint32_t room)
{
	uint32_t n;

	for (n = 0; n < RTE_DIM(cases) && n < room; n++) {
		c[n] = cases[n];
		c[n].flags |= HOSTILE_BLK_REGION;
	}
	return n;
}
