/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Marks of requests in flight: what a list brings, and what a new region gets. */

#include <stdlib.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include "ut_groups.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_marks.h"
#include "ring/vstate_vq.h"

#define SIZE 8
#define FIRST_ID 3
#define SECOND_ID 5

/* A queue with two requests in flight; the first one of a packed ring has two descriptors. */
static struct vstate_vq vq;

static struct vstate_inflight *
marks_open(bool packed)
{
	const uint16_t num = packed ? 2 : 1;
	struct vstate_inflight *list;

	memset(&vq, 0, sizeof(vq));
	vq.size = SIZE;
	vq.is_packed = packed;
	assert_int_equal(vstate_marks_alloc(&vq, SIZE), 0);
	list = vstate_inflight_alloc(2, packed ? 3 : 0, packed);
	assert_non_null(list);
	list->bufs[0] = (struct vstate_inflight_buf){ .counter = 7, .head = FIRST_ID,
		.id = FIRST_ID, .num = num };
	list->bufs[1] = (struct vstate_inflight_buf){ .counter = 9, .head = SECOND_ID,
		.id = SECOND_ID, .num = 1, .first_desc = num };
	vstate_marks_import(&vq, list);
	return list;
}

static void
marks_close(struct vstate_inflight *list)
{
	vstate_inflight_free(list);
	vstate_marks_free(&vq);
}

static void
imported_requests_are_marked(void **state)
{
	struct vstate_inflight *list;
	const struct vstate_marks *m;
	int packed;

	RTE_SET_USED(state);
	for (packed = 0; packed < 2; packed++) {
		list = marks_open(packed);
		m = vq.marks;
		assert_int_equal(m->nb, 2);
		/* the next request comes behind them */
		assert_int_equal(m->counter, 10);
		assert_int_equal(m->marks[list->bufs[0].slot].counter, 7);
		assert_int_equal(m->marks[list->bufs[1].slot].counter, 9);
		assert_int_equal(m->marks[list->bufs[0].slot].state, VSTATE_MARK_WAITING);
		assert_int_equal(m->marks[list->bufs[1].slot].state, VSTATE_MARK_WAITING);
		/* a driver that uses such an ID again is refused */
		if (packed)
			assert_int_equal(m->ids[0], RTE_BIT64(FIRST_ID) | RTE_BIT64(SECOND_ID));
		marks_close(list);
	}
}

static void
region_gets_the_marks(void **state)
{
	union vstate_inflight_head *region;
	struct vstate_inflight *list;
	uint16_t i, found;
	int packed;

	RTE_SET_USED(state);
	for (packed = 0; packed < 2; packed++) {
		list = marks_open(packed);
		region = calloc(1, sizeof(*region) + SIZE *
				sizeof(struct vstate_inflight_packed_desc));
		assert_non_null(region);
		vstate_marks_region_write(&vq, region);
		for (i = 0, found = 0; i < SIZE; i++) {
			const struct vstate_inflight_packed_desc *p =
				&vstate_inflight_packed_descs(&region->packed)[i];
			const struct vstate_inflight_split_desc *s =
				&vstate_inflight_split_descs(&region->split)[i];
			const uint16_t slot = list->bufs[found == 0 ? 0 : 1].slot;

			if ((packed ? p->inflight : s->inflight) == 0)
				continue;
			assert_int_equal(i, slot);
			assert_int_equal(packed ? p->counter : s->counter, found == 0 ? 7 : 9);
			found++;
		}
		assert_int_equal(found, 2);
		free(region);
		marks_close(list);
	}
}

int
test_vstate_marks(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(imported_requests_are_marked),
		cmocka_unit_test(region_gets_the_marks),
	};

	return cmocka_run_group_tests_name("vstate_marks", tests, NULL, NULL);
}
