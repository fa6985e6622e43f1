/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>

#include <rte_common.h>

#include "clock.h"
#include "hostile.h"
#include "hostile_blk_env.h"
#include "hostile_blk_ring.h"
#include "hostile_case.h"
#include "vstate_compat.h"

#define W VRING_DESC_F_WRITE
#define NEXT VRING_DESC_F_NEXT
/* How long values change while the device reads them. */
#define RACE_NS 100000000ull
/* Changes between two looks whether a request returned. */
#define FLIPS 20

static struct vring_avail *
avail_of(const struct hostile_blk_env *e)
{
	return e->d->queues[0].ring.driver;
}

/* Make a good read of one sector available. */
static struct hostile_blk_sent
good_read(struct hostile_blk_env *e)
{
	struct hostile_desc d[3];
	const uint16_t n = hostile_blk_request(e, d, VIRTIO_BLK_T_IN, 512);

	hostile_blk_header(e, VIRTIO_BLK_T_IN, 0);
	hostile_blk_lend(e, d[1].addr, d[1].len);
	hostile_blk_lend(e, d[2].addr, d[2].len);
	hostile_blk_snapshot(e);
	return hostile_blk_put(e, 0, d, n);
}

/* ---- loops ---- */

/* Descriptors of the same length, of which each names the next one, and the last one "last". */
struct loop {
	uint16_t nb, last;
	uint32_t len;
};

static int
run_loop(struct hostile_blk_env *e, const struct hostile_blk_case *c)
{
	static struct hostile_desc d[HOSTILE_BLK_RING];
	const struct loop *loop = c->arg;
	struct hostile_blk_sent s;
	uint16_t i;

	hostile_blk_header(e, VIRTIO_BLK_T_OUT, 0);
	for (i = 0; i < loop->nb; i++)
		d[i] = (struct hostile_desc){ hostile_blk_at(e, HOSTILE_BLK_HDR_AT),
			loop->len, NEXT, i + 1 < loop->nb ? i + 1 : loop->last };
	hostile_blk_snapshot(e);
	s = hostile_blk_put(e, 0, d, loop->nb);
	return hostile_blk_breaks(e, &s);
}

/* ---- split: the available ring ---- */

static int
run_head(struct hostile_blk_env *e, const struct hostile_blk_case *c)
{
	struct guest_ring *r = &e->d->queues[0].ring;

	hostile_blk_snapshot(e);
	avail_of(e)->ring[r->avail++ % r->size] = *(const uint16_t *)c->arg;
	r->pending++;
	hostile_blk_kick(e, 0);
	return hostile_blk_breaks(e, NULL);
}

static int
run_idx(struct hostile_blk_env *e, const struct hostile_blk_case *c)
{
	hostile_blk_snapshot(e);
	e->d->queues[0].ring.avail += *(const uint16_t *)c->arg;
	e->d->queues[0].ring.pending++;
	hostile_blk_kick(e, 0);
	return hostile_blk_breaks(e, NULL);
}

/* A request that is under way, or was, is made available again. */
static int
run_same_head(struct hostile_blk_env *e, const struct hostile_blk_case *c)
{
	struct guest_ring *r = &e->d->queues[0].ring;
	uint16_t i;

	RTE_SET_USED(c);
	good_read(e);
	for (i = 0; i < 16; i++) {
		avail_of(e)->ring[r->avail++ % r->size] = 0;
		r->pending++;
	}
	hostile_blk_kick(e, 0);
	return hostile_blk_settle(e);
}

/* ---- packed ---- */

/* Requests of the same ID, which may be no descriptor of the ring. */
static int
run_id(struct hostile_blk_env *e, const struct hostile_blk_case *c)
{
	const uint16_t id = *(const uint16_t *)c->arg;
	struct hostile_desc d[3];
	uint16_t i, k, n;

	hostile_blk_header(e, VIRTIO_BLK_T_IN, 0);
	hostile_blk_lend(e, hostile_blk_at(e, HOSTILE_BLK_DATA_AT), 512);
	hostile_blk_lend(e, hostile_blk_at(e, HOSTILE_BLK_STATUS_AT), 1);
	hostile_blk_snapshot(e);
	for (i = 0; i < 8; i++) {
		n = hostile_blk_request(e, d, VIRTIO_BLK_T_IN, 512);
		for (k = 0; k < n; k++)
			d[k].next = id;
		hostile_blk_put(e, 0, d, n);
	}
	return hostile_blk_settle(e);
}

/* ---- values that change while the device reads them ---- */

/** A number in memory that changes between a good value and others. */
struct race {
	/** In the memory for requests; or, if ring, in the descriptor of the data. */
	uint32_t at, size;
	bool ring;
	uint64_t bad[2];
	/** Type of the request, and the good value if it is no descriptor's. */
	uint32_t type;
	uint64_t good;
};

static void
number_store(void *field, uint32_t size, uint64_t value)
{
	if (size == 4)
		rte_atomic_store_explicit((uint32_t *)field, (uint32_t)value,
				rte_memory_order_relaxed);
	else
		rte_atomic_store_explicit((uint64_t *)field, value, rte_memory_order_relaxed);
}

/* Change the number until the request returns. @return false: it does not */
static bool
flip_until_returned(const struct hostile_blk_env *e, const struct hostile_blk_sent *s,
		const struct race *race, void *field, uint64_t good)
{
	const uint64_t end = clock_ns() + HOSTILE_BLK_SETTLE_US * UINT64_C(1000);
	unsigned int k;

	while (!hostile_blk_returned(e, s)) {
		if (clock_ns() >= end)
			return false;
		for (k = 0; k < FLIPS; k++)
			number_store(field, race->size, k % 2 == 0 ? race->bad[k / 2 % 2] : good);
	}
	return true;
}

/* Send one request and change the number. @return false: it did not return */
static bool
race_step(struct hostile_blk_env *e, const struct race *race)
{
	const struct virtio_blk_discard_write_zeroes range = { HOSTILE_BLK_FREE, 8, 0 };
	struct guest_ring *r = &e->d->queues[0].ring;
	uint64_t good = race->good;
	struct hostile_blk_sent s;
	struct hostile_desc d[3];
	uint16_t n, slot;
	void *field;

	hostile_blk_header(e, race->type, HOSTILE_BLK_FREE);
	guest_mem_write(&e->d->mem, hostile_blk_at(e, HOSTILE_BLK_RANGE_AT), &range, sizeof(range));
	n = hostile_blk_request(e, d, race->type, 4096);
	if (race->type == VIRTIO_BLK_T_WRITE_ZEROES) {
		d[1].addr = hostile_blk_at(e, HOSTILE_BLK_RANGE_AT);
		d[1].len = sizeof(range);
	}
	field = guest_mem_va(&e->d->mem, hostile_blk_at(e, race->at), race->size);
	s = hostile_blk_put(e, 0, d, n);
	if (race->ring) {
		good = race->at == 0 ? d[1].addr : d[1].len;
		slot = ((e->packed ? r->avail : e->base[0]) + r->size - n + 1) % r->size;
		field = RTE_PTR_ADD(r->desc, 16 * slot + race->at);
	}
	return flip_until_returned(e, &s, race, field, good);
}

/* Each request does what the good or what a bad value says, or breaks the queue. */
static int
run_race(struct hostile_blk_env *e, const struct hostile_blk_case *c)
{
	const uint64_t end = clock_ns() + RACE_NS;
	unsigned int n = 0;

	/* whatever is read may come to the data, also as long as a bad length says */
	hostile_blk_lend(e, hostile_blk_at(e, HOSTILE_BLK_HDR_AT), 256);
	hostile_blk_lend(e, hostile_blk_at(e, HOSTILE_BLK_DATA_AT),
		HOSTILE_BLK_MEMORY - HOSTILE_BLK_DATA_AT);
	hostile_blk_snapshot(e);
	while (clock_ns() < end && race_step(e, c->arg))
		n++;
	hostile_blk_settle(e);
	snprintf(e->did, sizeof(e->did), "returned %u requests", n);
	return 0;
}

static const uint16_t size_value = HOSTILE_BLK_RING, above = HOSTILE_BLK_RING + 1, half = 0x7fff,
	most = UINT16_MAX, one = 1;
static const struct loop loop_self = { 2, 1, 16 }, loop_two = { 2, 0, 16 },
	loop_empty = { 2, 0, 0 }, loop_all = { HOSTILE_BLK_RING, 0, 16 },
	next_range = { 2, HOSTILE_BLK_RING, 16 },
	next_most = { 2, UINT16_MAX, 16 };
#define HDR_TYPE offsetof(struct virtio_blk_outhdr, type)
#define HDR_SECTOR offsetof(struct virtio_blk_outhdr, sector)
#define RANGE_SECTOR (HOSTILE_BLK_RANGE_AT + \
	offsetof(struct virtio_blk_discard_write_zeroes, sector))
#define RANGE_NUM (HOSTILE_BLK_RANGE_AT + \
	offsetof(struct virtio_blk_discard_write_zeroes, num_sectors))
static const struct race
	race_type = { HDR_TYPE, 4, false, { VIRTIO_BLK_T_IN, VIRTIO_BLK_T_FLUSH },
		VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_OUT },
	race_sector = { HDR_SECTOR, 8, false, { UINT64_MAX, 1ull << 55 }, VIRTIO_BLK_T_OUT,
		HOSTILE_BLK_FREE },
	race_range = { RANGE_SECTOR, 8, false, { UINT64_MAX, 1ull << 55 },
		VIRTIO_BLK_T_WRITE_ZEROES, HOSTILE_BLK_FREE },
	race_num = { RANGE_NUM, 4, false, { UINT32_MAX, 0 }, VIRTIO_BLK_T_WRITE_ZEROES, 8 },
	race_len = { 8, 4, true, { UINT32_MAX, 0 }, VIRTIO_BLK_T_IN, 0 },
	race_addr = { 0, 8, true, { UINT64_MAX - 4095, 0 }, VIRTIO_BLK_T_IN, 0 };

static const struct hostile_blk_case cases[] = {
	{ "loop-self", "a descriptor whose next one is itself", HOSTILE_SPLIT, 0, run_loop,
		&loop_self },
	{ "loop-two", "two descriptors that name each other", HOSTILE_SPLIT, 0, run_loop,
		&loop_two },
	{ "loop-empty", "the same, of no bytes", HOSTILE_SPLIT, 0, run_loop, &loop_empty },
	{ "loop-all", "all descriptors chained, no last one", HOSTILE_ANY, 0, run_loop, &loop_all },
	{ "next-range", "a next descriptor equal to the ring size", HOSTILE_SPLIT, 0, run_loop,
		&next_range },
	{ "next-65535", "next descriptor 65535", HOSTILE_SPLIT, 0, run_loop, &next_most },
	{ "head-range", "a head equal to the ring size", HOSTILE_SPLIT, 0, run_head, &size_value },
	{ "head-65535", "head 65535", HOSTILE_SPLIT, 0, run_head, &most },
	{ "idx-ahead-1", "an available index one more than the ring size ahead", HOSTILE_SPLIT, 0,
		run_idx, &above },
	{ "idx-ahead-half", "an available index 0x7fff ahead", HOSTILE_SPLIT, 0, run_idx, &half },
	{ "same-head", "one request made available 17 times", HOSTILE_SPLIT, 0, run_same_head,
		NULL },
	{ "id-range", "requests with a buffer ID equal to the ring size", HOSTILE_PACKED, 0,
		run_id, &size_value },
	{ "id-65535", "requests with buffer ID 65535", HOSTILE_PACKED, 0, run_id, &most },
	{ "id-same", "eight requests with the same buffer ID", HOSTILE_PACKED, 0, run_id, &one },
	{ "race-type", "the type changes while it is read", HOSTILE_ANY, 0, run_race, &race_type },
	{ "race-sector", "the sector changes while it is read", HOSTILE_ANY, 0, run_race,
		&race_sector },
	{ "race-range", "the sector of a range changes while it is read", HOSTILE_ANY,
		VIRTIO_BLK_F_WRITE_ZEROES, run_race, &race_range },
	{ "race-num", "the sectors of a range change while they are read", HOSTILE_ANY,
		VIRTIO_BLK_F_WRITE_ZEROES, run_race, &race_num },
	{ "race-len", "the length of data changes while it is read", HOSTILE_ANY, 0, run_race,
		&race_len },
	{ "race-addr", "the address of data changes while it is read", HOSTILE_ANY, 0, run_race,
		&race_addr },
};

uint32_t
hostile_blk_ring_cases(struct hostile_blk_case *c, uint32_t room)
{
	const uint32_t n = RTE_MIN((uint32_t)RTE_DIM(cases), room);

	memcpy(c, cases, n * sizeof(cases[0]));
	return n;
}
