/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include "backend.h"
#include "fake_backend.h"
#include "migrate_break.h"
#include "unit.h"

static struct rte_vhost_state *
state_make(bool packed)
{
	const struct backend_device dev = { .name = "d" };
	struct rte_vhost_state *st;
	struct backend *be;

	fake_packed(packed);
	be = fake_create(&dev);
	assert_non_null(be);
	st = rte_vhost_state_copy(fake_device(be)->st);
	be->ops->destroy(be);
	st->status = RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER |
		RTE_VHOST_STATE_S_FEATURES_OK | RTE_VHOST_STATE_S_SUSPEND;
	assert_int_equal(rte_vhost_state_validate(st, NULL), 0);
	return st;
}

/* Apply a break, then validate. @return result of the validation */
static int
break_apply(struct rte_vhost_state *st, const char *name)
{
	char what[128];

	assert_non_null(migrate_break_find(name));
	assert_int_equal(migrate_break_apply(migrate_break_find(name), st, what, sizeof(what)), 0);
	assert_true(what[0] != '\0');
	return rte_vhost_state_validate(st, NULL);
}

static void
consistent_breaks_pass_validation_and_change_the_state(void **state)
{
	static const char *const names[] = { "index", "used-index", "wrap", "drop" };
	struct rte_vhost_state *st, *before;
	unsigned int i, packed;

	for (packed = 0; packed < 2; packed++) {
		for (i = 0; i < 4; i++) {
			if (!packed && strcmp(names[i], "wrap") == 0)
				continue;
			st = state_make(packed);
			before = rte_vhost_state_copy(st);
			assert_int_equal(break_apply(st, names[i]), 0);
			assert_false(rte_vhost_state_equal(st, before));
			rte_vhost_state_free(st);
			rte_vhost_state_free(before);
		}
	}
}

static void
raw_breaks_are_refused_by_the_library(void **state)
{
	static const char *const names[] = { "raw-index", "raw-used-index", "raw-wrap" };
	struct rte_vhost_state *st;
	unsigned int i, packed;

	for (packed = 0; packed < 2; packed++) {
		for (i = 0; i < 3; i++) {
			if (!packed && strcmp(names[i], "raw-wrap") == 0)
				continue;
			st = state_make(packed);
			assert_int_equal(break_apply(st, names[i]), -EINVAL);
			rte_vhost_state_free(st);
		}
	}
}

static void
packed_index_wraps_with_its_counter(void **state)
{
	struct rte_vhost_state *st = state_make(true);

	st->vqs[1].avail_idx = st->vqs[1].used_idx = 255;
	assert_int_equal(break_apply(st, "drop"), 0);
	assert_int_equal(st->vqs[1].avail_idx, 0);
	assert_int_equal(st->vqs[1].avail_wrap, 0);
	assert_int_equal(break_apply(st, "index"), 0);
	assert_int_equal(st->vqs[1].avail_idx, 255);
	assert_int_equal(st->vqs[1].avail_wrap, 1);
	rte_vhost_state_free(st);
}

static void
split_index_runs_over_16_bits(void **state)
{
	struct rte_vhost_state *st = state_make(false);

	st->vqs[1].avail_idx = st->vqs[1].used_idx = 0;
	assert_int_equal(break_apply(st, "index"), 0);
	assert_int_equal(st->vqs[1].avail_idx, 65535);
	assert_int_equal(break_apply(st, "drop"), 0);
	assert_int_equal(st->vqs[1].avail_idx, 0);
	assert_int_equal(st->vqs[1].avail_wrap, 0);
	rte_vhost_state_free(st);
}

static void
split_ring_has_no_wrap_counter_to_flip(void **state)
{
	struct rte_vhost_state *st = state_make(false);
	struct rte_vhost_state *before = rte_vhost_state_copy(st);
	char what[128];

	assert_int_equal(migrate_break_apply(migrate_break_find("wrap"), st, what, sizeof(what)),
		-EOPNOTSUPP);
	assert_true(rte_vhost_state_equal(st, before));
	rte_vhost_state_free(st);
	rte_vhost_state_free(before);
}

static void
buffers_in_flight_change_places(void **state)
{
	struct rte_vhost_state *st;
	struct rte_vhost_state_vq *vq;
	unsigned int packed;
	uint16_t i;

	for (packed = 0; packed < 2; packed++) {
		st = state_make(packed);
		vq = &st->vqs[1];
		assert_int_equal(rte_vhost_state_vq_inflight_alloc(st, 1, 3), 0);
		if (packed)
			assert_int_equal(rte_vhost_state_vq_inflight_descs_alloc(st, 1, 3), 0);
		vq->avail_idx += 3;
		for (i = 0; i < 3; i++) {
			vq->inflight[i] = (struct rte_vhost_state_inflight){ 10 + i, 10 + i, 1,
				100 + i };
			if (packed)
				vq->inflight_descs[i].id = 10 + i;
		}
		assert_int_equal(rte_vhost_state_validate(st, NULL), 0);
		assert_int_equal(break_apply(st, "inflight-order"), 0);
		assert_int_equal(vq->inflight[0].head, 11);
		assert_int_equal(vq->inflight[0].counter, 100);
		assert_int_equal(vq->inflight[1].head, 10);
		assert_int_equal(vq->inflight[1].counter, 101);
		assert_int_equal(vq->inflight[2].head, 12);
		rte_vhost_state_free(st);
	}
}

static void
nothing_is_swapped_where_nothing_is_in_flight(void **state)
{
	struct rte_vhost_state *st = state_make(false);
	struct rte_vhost_state *before = rte_vhost_state_copy(st);
	char what[128];

	assert_int_equal(migrate_break_apply(migrate_break_find("inflight-order"), st, what,
		sizeof(what)), 0);
	assert_string_equal(what, "");
	assert_true(rte_vhost_state_equal(st, before));
	rte_vhost_state_free(st);
	rte_vhost_state_free(before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(consistent_breaks_pass_validation_and_change_the_state),
		cmocka_unit_test(raw_breaks_are_refused_by_the_library),
		cmocka_unit_test(packed_index_wraps_with_its_counter),
		cmocka_unit_test(split_index_runs_over_16_bits),
		cmocka_unit_test(split_ring_has_no_wrap_counter_to_flip),
		cmocka_unit_test(buffers_in_flight_change_places),
		cmocka_unit_test(nothing_is_swapped_where_nothing_is_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
