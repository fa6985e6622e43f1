/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * Index arithmetic of the driver (vstate_pos.h) and of the library's validation against
 * counters that never wrap: all indices and wraps of small rings, the edges of large ones.
 * What is expected is searched for, one place after the other, where rings are small, and
 * computed on 64 bits where they are not.
 */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rte_vhost_state.h"
#include "vhost_state_features.h"
#include "vhost_state_reason.h"
#include "vhost_state_validate.h"
#include "ring/vstate_pos.h"

#define MAX_SIZE 32768u
#define IDX_PERIOD 65536u

/* Far from zero: the counters of the model do not wrap, where the indices have many times. */
#define LONG_AFTER (1ull << 40)

static uint64_t nb_cases;

/* cmocka's own assertions cost a call each, which is too much for what runs here. */
#define expect(condition, ...) \
	do { \
		nb_cases++; \
		if (!(condition)) \
			fail_msg(__VA_ARGS__); \
	} while (0)

static int
cases_print(void **state)
{
	RTE_SET_USED(state);
	printf("%" PRIu64 " cases\n", nb_cases);
	nb_cases = 0;
	return 0;
}

/** A ring starts at place 0 with wrap counter 1, which changes at each turn. */
static struct vstate_pos
place_of(uint64_t counter, uint16_t size)
{
	return (struct vstate_pos){ counter % size, counter / size % 2 == 0 ? 1 : 0 };
}

static bool
same_place(struct vstate_pos a, struct vstate_pos b)
{
	return a.idx == b.idx && a.wrap == b.wrap;
}

/** 0, half of @p size, @p size and @p max with their neighbours, as far as they are <= @p max. */
static unsigned int
edges_list(uint32_t size, uint32_t max, uint32_t out[16])
{
	const int64_t around[] = { 0, 1, 2, 3, size / 2 - 1, size / 2, size / 2 + 1,
		(int64_t)size - 2, (int64_t)size - 1, size, (int64_t)size + 1, max };
	unsigned int i, nb = 0;

	for (i = 0; i < RTE_DIM(around); i++)
		if (around[i] >= 0 && around[i] <= max)
			out[nb++] = around[i];
	return nb;
}

static const uint16_t large_sizes[] = {
	127, 128, 129, 255, 256, 257, 1000, 1024, 4095, 4096, 16383, 16384, 16385,
	32766, 32767, 32768,
};

/* ---- steps ---- */

static void
check_step(uint64_t counter, uint16_t n, uint16_t size)
{
	struct vstate_pos pos = place_of(counter, size);

	vstate_pos_step(&pos, n, size);
	expect(same_place(pos, place_of(counter + n, size)),
			"size %u: %u after counter %" PRIu64 ": place %u wrap %u", size, n, counter,
			pos.idx, pos.wrap);
	expect(vstate_pos_distance(pos, place_of(counter, size), size) == n,
			"size %u: distance of %u from counter %" PRIu64, size, n, counter);
	vstate_pos_step_back(&pos, n, size);
	expect(same_place(pos, place_of(counter, size)),
			"size %u: %u back to counter %" PRIu64 ": place %u wrap %u", size, n, counter,
			pos.idx, pos.wrap);
}

static void
step_small(void **state)
{
	uint64_t counter;
	uint16_t size, n;

	RTE_SET_USED(state);
	for (size = 1; size <= 64; size++)
		for (counter = 0; counter < 4u * size; counter++)
			for (n = 0; n <= size; n++) {
				check_step(counter, n, size);
				check_step(LONG_AFTER + counter, n, size);
			}
}

static void
step_large(void **state)
{
	uint32_t edge[16];
	uint64_t counter;
	unsigned int i, j, nb;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(large_sizes); i++) {
		nb = edges_list(large_sizes[i], large_sizes[i], edge);
		for (counter = 0; counter < 2u * large_sizes[i]; counter++)
			for (j = 0; j < nb; j++)
				check_step(counter, edge[j], large_sizes[i]);
	}
}

/* ---- split: distance and event ---- */

static void
split_distance(void **state)
{
	uint64_t behind, d;
	uint32_t edge[16];
	unsigned int i, nb = edges_list(MAX_SIZE, IDX_PERIOD - 1, edge);

	RTE_SET_USED(state);
	for (i = 0; i < nb; i++)
		for (d = 0; d < IDX_PERIOD; d++) {
			behind = LONG_AFTER + edge[i];
			expect(vstate_split_distance(behind + d, behind) == d,
					"%" PRIu64 " behind by %" PRIu64, behind, d);
			behind = d;
			expect(vstate_split_distance(behind + edge[i], behind) == edge[i],
					"%" PRIu64 " behind by %u", behind, edge[i]);
		}
}

static void
check_split_event(uint16_t event, uint64_t old, uint32_t n, bool expected)
{
	expect(vstate_split_event_passed(event, old + n, old) == expected,
			"event %u, from %" PRIu64 " on %u: expected %d", event, old, n, expected);
}

/* Each index, each number of elements of a small ring, each event from far before to far behind. */
static void
split_event_small(void **state)
{
	const int around = 24;
	uint64_t old, counter;
	uint32_t n;
	bool found;
	int at;

	RTE_SET_USED(state);
	for (old = LONG_AFTER; old < LONG_AFTER + IDX_PERIOD; old++)
		for (n = 0; n <= 16; n++)
			for (at = -around; at <= around; at++) {
				found = false;
				for (counter = old; counter < old + n; counter++)
					found |= (uint16_t)counter == (uint16_t)(old + at);
				check_split_event(old + at, old, n, found);
			}
}

static void
split_event_large(void **state)
{
	uint32_t olds[16], ns[16], event, ahead;
	unsigned int i, j;
	const unsigned int nb_olds = edges_list(MAX_SIZE, IDX_PERIOD - 1, olds);
	const unsigned int nb_ns = edges_list(MAX_SIZE, MAX_SIZE, ns);

	RTE_SET_USED(state);
	for (i = 0; i < nb_olds; i++)
		for (j = 0; j < nb_ns; j++)
			for (event = 0; event < IDX_PERIOD; event++) {
				/* to the next element of that index */
				ahead = (event + IDX_PERIOD - olds[i]) % IDX_PERIOD;
				check_split_event(event, LONG_AFTER + olds[i], ns[j],
						ahead < ns[j]);
			}
}

/* ---- packed: event ---- */

static void
check_packed_event(uint16_t off_wrap, uint64_t old, uint32_t n, uint16_t size, bool expected)
{
	const uint16_t old_idx = place_of(old, size).idx;
	const struct vstate_pos now = place_of(old + n, size);

	expect(vstate_packed_event_passed(off_wrap, now, old_idx, size) == expected,
			"size %u: event 0x%04x, from counter %" PRIu64 " on %u: expected %d", size,
			off_wrap, old, n, expected);
}

static void
packed_event_small(void **state)
{
	struct vstate_pos event;
	uint64_t old, counter;
	uint16_t size;
	uint32_t n, wrap;
	bool found;

	RTE_SET_USED(state);
	for (size = 1; size <= 24; size++)
		for (old = 0; old < 2u * size; old++)
			for (n = 1; n <= size; n++)
				for (wrap = 0; wrap < 2; wrap++)
					for (event.idx = 0; event.idx < size; event.idx++) {
						event.wrap = wrap;
						found = false;
						for (counter = old; counter < old + n; counter++)
							found |= same_place(place_of(counter, size),
									event);
						check_packed_event(event.idx | wrap << 15, old, n,
								size, found);
					}
}

static void
packed_event_size(uint16_t size)
{
	const uint32_t period = 2u * size;
	uint32_t olds[16], ns[16], at, ahead;
	unsigned int i, j;
	const unsigned int nb_olds = edges_list(size, period - 1, olds);
	const unsigned int nb_ns = edges_list(size, size, ns);
	struct vstate_pos event;

	for (i = 0; i < nb_olds; i++)
		for (j = 0; j < nb_ns; j++)
			for (at = 0; at < period && ns[j] > 0; at++) {
				event = place_of(at, size);
				ahead = (at + period - olds[i]) % period;
				check_packed_event(event.idx | event.wrap << 15, olds[i], ns[j],
						size, ahead < ns[j]);
			}
}

static void
packed_event_large(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(large_sizes); i++)
		packed_event_size(large_sizes[i]);
}

/* ---- the library's distance, as its validation shows it ---- */

#define NB_INFLIGHT 16

static struct rte_vhost_state_inflight inflight[NB_INFLIGHT];
static struct rte_vhost_state_vq vqs[2];

static struct rte_vhost_state
valid_state(uint16_t size, bool packed)
{
	const uint64_t features = packed ? RTE_BIT64(VHOST_STATE_F_RING_PACKED) : 0;
	struct rte_vhost_state st = {
		.device_id = RTE_VHOST_STATE_ID_NET,
		.status = RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER |
			RTE_VHOST_STATE_S_FEATURES_OK | RTE_VHOST_STATE_S_SUSPEND,
		.device_features = features,
		.driver_features = features,
		.net = {
			.mac.addr_bytes = { 2, 0, 0, 0, 0, 1 },
			.mtu = 1500,
			.active_pairs = 1,
		},
		.nb_vqs = RTE_DIM(vqs),
		.vqs = vqs,
	};

	memset(vqs, 0, sizeof(vqs));
	vqs[0].size = size;
	vqs[0].desc_addr = 0x10000;
	vqs[0].driver_addr = 0x200000;
	vqs[0].device_addr = 0x400000;
	vqs[0].inflight = inflight;
	return st;
}

static void
set_indices(bool packed, uint64_t used, uint64_t avail)
{
	struct vstate_pos a = { avail, 0 }, u = { used, 0 };

	if (packed) {
		a = place_of(avail, vqs[0].size);
		u = place_of(used, vqs[0].size);
	}
	vqs[0].avail_idx = a.idx;
	vqs[0].avail_wrap = a.wrap;
	vqs[0].used_idx = u.idx;
	vqs[0].used_wrap = u.wrap;
}

/*
 * Without a buffer in flight a state is valid at distance 0 only; the refusals of others tell the
 * distance that the library saw.
 */
static void
check_distance(const struct rte_vhost_state *st, bool packed, uint64_t used, uint32_t d)
{
	const uint16_t size = vqs[0].size;
	struct rte_vhost_state_error e;

	vhost_state_no_error(&e);
	set_indices(packed, used, used + d);
	vhost_state_check(st, &e);
	if (d == 0)
		expect(e.reason == RTE_VHOST_STATE_R_NONE, "size %u used %" PRIu64 ": reason %d",
				size, used, e.reason);
	else if (d <= size)
		expect(e.reason == RTE_VHOST_STATE_R_INFLIGHT_COUNT && e.expected == d &&
				e.found == 0, "size %u used %" PRIu64 " distance %u: reason %d, %"
				PRIu64, size, used, d, e.reason, e.expected);
	else
		expect(e.reason == RTE_VHOST_STATE_R_VQ_IDX_DISTANCE && e.expected == size &&
				e.found == d, "size %u used %" PRIu64 " distance %u: reason %d, %"
				PRIu64, size, used, d, e.reason, e.found);
}

static void
state_distance_packed(void **state)
{
	struct rte_vhost_state st;
	uint32_t edge[16], d;
	uint64_t used;
	uint16_t size;
	unsigned int i, j, nb;

	RTE_SET_USED(state);
	for (size = 1; size <= 64; size++) {
		st = valid_state(size, true);
		for (used = 0; used < 2u * size; used++)
			for (d = 0; d < 2u * size; d++)
				check_distance(&st, true, used, d);
	}
	for (i = 0; i < RTE_DIM(large_sizes); i++) {
		size = large_sizes[i];
		st = valid_state(size, true);
		nb = edges_list(size, 2u * size - 1, edge);
		for (j = 0; j < nb; j++)
			for (d = 0; d < 2u * size; d++) {
				check_distance(&st, true, edge[j], d);
				check_distance(&st, true, d, edge[j]);
			}
	}
}

static void
state_distance_split(void **state)
{
	struct rte_vhost_state st;
	uint32_t edge[16], size, d;
	unsigned int i, nb;

	RTE_SET_USED(state);
	for (size = 1; size <= MAX_SIZE; size *= 2) {
		st = valid_state(size, false);
		nb = edges_list(size, IDX_PERIOD - 1, edge);
		for (i = 0; i < nb; i++)
			for (d = 0; d < IDX_PERIOD; d++) {
				check_distance(&st, false, edge[i], d);
				check_distance(&st, false, d, edge[i]);
			}
	}
}

/* ---- in flight ---- */

/** Buffers of the lengths that the bits of @p cuts make of @p total descriptors. */
static void
inflight_fill(uint32_t total, uint32_t cuts)
{
	uint16_t nb = 0, num = 0;
	uint32_t i;

	for (i = 0; i < total; i++) {
		num++;
		if (i + 1 < total && (cuts & RTE_BIT32(i)) == 0)
			continue;
		inflight[nb] = (struct rte_vhost_state_inflight){
			.id = nb, .num = num, .counter = nb };
		nb++;
		num = 0;
	}
	vqs[0].nb_inflight = nb;
}

/* Each way to make buffers of up to eight descriptors, at each distance of each place. */
static void
inflight_packed(void **state)
{
	const uint16_t size = 8;
	struct rte_vhost_state st = valid_state(size, true);
	struct rte_vhost_state_error e;
	uint32_t total, cuts, d;
	uint64_t used;

	RTE_SET_USED(state);
	for (total = 1; total <= size; total++)
		for (cuts = 0; cuts < RTE_BIT32(total - 1); cuts++) {
			inflight_fill(total, cuts);
			for (used = 0; used < 2u * size; used++)
				for (d = 0; d <= size; d++) {
					set_indices(true, used, used + d);
					vhost_state_no_error(&e);
					vhost_state_check(&st, &e);
					if (d == total)
						expect(e.reason == RTE_VHOST_STATE_R_NONE,
								"%u of %u: reason %d", total, d,
								e.reason);
					else
						expect(e.reason ==
								RTE_VHOST_STATE_R_INFLIGHT_COUNT &&
								e.expected == d && e.found == total,
								"%u of %u: reason %d", total, d,
								e.reason);
				}
		}
}

/* Sums beyond 16 bits do not come round to the distance. */
static void
inflight_sum(void **state)
{
	struct rte_vhost_state st = valid_state(MAX_SIZE, true);
	struct rte_vhost_state_error e;
	uint16_t n, d;

	RTE_SET_USED(state);
	for (n = 3; n <= NB_INFLIGHT; n += 2)
		for (d = 1; d <= 9; d++) {
			inflight_fill(n, UINT32_MAX);
			for (vqs[0].nb_inflight = 0; vqs[0].nb_inflight < n - 1;
					vqs[0].nb_inflight++)
				inflight[vqs[0].nb_inflight].num = MAX_SIZE;
			inflight[vqs[0].nb_inflight++].num = d;
			set_indices(true, 5, 5 + d);
			vhost_state_no_error(&e);
			vhost_state_check(&st, &e);
			expect(e.reason == RTE_VHOST_STATE_R_INFLIGHT_COUNT && e.expected == d &&
					e.found == (n - 1ull) * MAX_SIZE + d,
					"%u buffers: reason %d, found %" PRIu64, n, e.reason,
					e.found);
		}
}

#define INDEX_TEST(name) cmocka_unit_test_teardown(name, cases_print)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		INDEX_TEST(step_small),
		INDEX_TEST(step_large),
		INDEX_TEST(split_distance),
		INDEX_TEST(split_event_small),
		INDEX_TEST(split_event_large),
		INDEX_TEST(packed_event_small),
		INDEX_TEST(packed_event_large),
		INDEX_TEST(state_distance_packed),
		INDEX_TEST(state_distance_split),
		INDEX_TEST(inflight_packed),
		INDEX_TEST(inflight_sum),
	};

	return cmocka_run_group_tests_name("vstate_pos", tests, NULL, NULL);
}
