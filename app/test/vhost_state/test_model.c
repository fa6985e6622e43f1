/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>

#include <rte_errno.h>

#include "vhost_state_test.h"

static void
new_state_is_all_zero(void **state)
{
	struct rte_vhost_state *st = rte_vhost_state_alloc(RTE_VHOST_STATE_MAX_VQ);
	struct rte_vhost_state_vq *vq;
	uint16_t i;

	assert_non_null(st);
	assert_int_equal(st->nb_vqs, RTE_VHOST_STATE_MAX_VQ);
	assert_int_equal(st->device_id | st->status | st->net.mtu, 0);
	for (i = 0; i < st->nb_vqs; i++) {
		vq = &st->vqs[i];
		assert_int_equal(vq->size | vq->avail_idx | vq->used_idx | vq->nb_inflight, 0);
		assert_null(vq->inflight);
	}
	rte_vhost_state_free(st);
}

static void
state_with_wrong_number_of_virtqueues_is_not_allocated(void **state)
{
	rte_errno = 0;
	assert_null(rte_vhost_state_alloc(0));
	assert_int_equal(rte_errno, EINVAL);
	rte_errno = 0;
	assert_null(rte_vhost_state_alloc(RTE_VHOST_STATE_MAX_VQ + 1));
	assert_int_equal(rte_errno, EINVAL);
}

static void
freeing_null_does_nothing(void **state)
{
	rte_vhost_state_free(NULL);
}

static void
allocated_inflight_replaces_the_old_entries(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_vq *vq = &st->vqs[SAMPLE_BUSY_VQ];

	assert_int_equal(rte_vhost_state_vq_inflight_alloc(st, SAMPLE_BUSY_VQ, 5), 0);
	assert_int_equal(vq->nb_inflight, 5);
	assert_int_equal(vq->inflight[0].counter, 0);
	assert_int_equal(rte_vhost_state_vq_inflight_alloc(st, SAMPLE_BUSY_VQ, 0), 0);
	assert_int_equal(vq->nb_inflight, 0);
	assert_null(vq->inflight);
	rte_vhost_state_free(st);
}

static void
allocated_inflight_descriptors_replace_the_old_ones(void **state)
{
	struct rte_vhost_state *st = sample_packed_descs();
	struct rte_vhost_state_vq *vq = &st->vqs[SAMPLE_BUSY_VQ];

	assert_int_equal(rte_vhost_state_vq_inflight_descs_alloc(st, SAMPLE_BUSY_VQ, 7), 0);
	assert_int_equal(vq->nb_inflight_descs, 7);
	assert_int_equal(vq->inflight_descs[0].addr, 0);
	assert_int_equal(vq->nb_inflight, 3);
	assert_int_equal(rte_vhost_state_vq_inflight_descs_alloc(st, SAMPLE_BUSY_VQ, 0), 0);
	assert_int_equal(vq->nb_inflight_descs, 0);
	assert_null(vq->inflight_descs);
	rte_vhost_state_free(st);
}

static void
failed_allocation_of_inflight_changes_nothing(void **state)
{
	struct rte_vhost_state *st = sample_packed_descs();
	struct rte_vhost_state *before = rte_vhost_state_copy(st);

	assert_int_equal(rte_vhost_state_vq_inflight_alloc(st, SAMPLE_VQS, 1), -EINVAL);
	assert_int_equal(rte_vhost_state_vq_inflight_descs_alloc(st, SAMPLE_VQS, 1), -EINVAL);
	assert_int_equal(rte_vhost_state_vq_inflight_descs_alloc(st, SAMPLE_BUSY_VQ,
			RTE_VHOST_STATE_MAX_VQ_SIZE + 1), -EINVAL);
	assert_int_equal(rte_vhost_state_vq_inflight_alloc(st, SAMPLE_BUSY_VQ,
			RTE_VHOST_STATE_MAX_VQ_SIZE + 1), -EINVAL);
	test_fail_allocation(1);
	assert_int_equal(rte_vhost_state_vq_inflight_alloc(st, SAMPLE_BUSY_VQ, 2), -ENOMEM);
	test_fail_allocation(1);
	assert_int_equal(rte_vhost_state_vq_inflight_descs_alloc(st, SAMPLE_BUSY_VQ, 2), -ENOMEM);
	assert_true(rte_vhost_state_equal(st, before));
	rte_vhost_state_free(before);
	rte_vhost_state_free(st);
}

static void
copy_is_equal_and_independent(void **state)
{
	struct rte_vhost_state *st = sample_packed_descs();
	struct rte_vhost_state *copy = rte_vhost_state_copy(st);

	assert_non_null(copy);
	assert_true(rte_vhost_state_equal(st, copy));
	assert_ptr_not_equal(st->vqs[SAMPLE_BUSY_VQ].inflight, copy->vqs[SAMPLE_BUSY_VQ].inflight);
	assert_ptr_not_equal(st->vqs[SAMPLE_BUSY_VQ].inflight_descs,
			copy->vqs[SAMPLE_BUSY_VQ].inflight_descs);
	copy->vqs[SAMPLE_BUSY_VQ].inflight[2].counter++;
	assert_false(rte_vhost_state_equal(st, copy));
	rte_vhost_state_free(copy);
	rte_vhost_state_free(st);
}

static void
copy_without_memory_is_null_and_leaks_nothing(void **state)
{
	struct rte_vhost_state *st = sample_packed_descs();
	struct rte_vhost_state *copy = NULL;
	unsigned int nth;

	for (nth = 1; copy == NULL; nth++) {
		rte_errno = 0;
		test_fail_allocation(nth);
		copy = rte_vhost_state_copy(st);
		test_fail_allocation(0);
		if (copy == NULL)
			assert_int_equal(rte_errno, ENOMEM);
	}
	/* Allocations: state, virtqueues, a list of buffers in flight, a list of descriptors. */
	assert_int_equal(nth - 2, 4);
	rte_vhost_state_free(copy);
	rte_vhost_state_free(st);
}

/** Change one field. A macro, so that a failure has the line of the field. */
#define assert_field_compared(st, field) do { \
	struct rte_vhost_state *other_ = rte_vhost_state_copy(st); \
	assert_true(rte_vhost_state_equal(st, other_)); \
	other_->field ^= 1; \
	assert_false(rte_vhost_state_equal(st, other_)); \
	other_->field ^= 1; \
	rte_vhost_state_free(other_); \
} while (0)

static void
difference_in_any_field_makes_states_unequal(void **state)
{
	struct rte_vhost_state *st = sample_packed_descs();
	struct rte_vhost_state *copy;

	assert_field_compared(st, device_id);
	assert_field_compared(st, status);
	assert_field_compared(st, device_features);
	assert_field_compared(st, driver_features);
	assert_field_compared(st, net.mac.addr_bytes[5]);
	assert_field_compared(st, net.mtu);
	assert_field_compared(st, net.status);
	assert_field_compared(st, net.active_pairs);
	assert_field_compared(st, net.rx_mode);
	assert_field_compared(st, net.guest_offloads);
	assert_field_compared(st, vqs[1].size);
	assert_field_compared(st, vqs[1].enabled);
	assert_field_compared(st, vqs[1].desc_addr);
	assert_field_compared(st, vqs[1].driver_addr);
	assert_field_compared(st, vqs[1].device_addr);
	assert_field_compared(st, vqs[1].avail_idx);
	assert_field_compared(st, vqs[1].used_idx);
	assert_field_compared(st, vqs[1].avail_wrap);
	assert_field_compared(st, vqs[1].used_wrap);
	assert_field_compared(st, vqs[1].signalled_used);
	assert_field_compared(st, vqs[1].signalled_valid);
	assert_field_compared(st, vqs[1].notify_pending);
	assert_field_compared(st, vqs[1].inflight[2].head);
	assert_field_compared(st, vqs[1].inflight[2].id);
	assert_field_compared(st, vqs[1].inflight[2].num);
	assert_field_compared(st, vqs[1].inflight[2].counter);
	assert_field_compared(st, vqs[1].inflight_descs[4].addr);
	assert_field_compared(st, vqs[1].inflight_descs[4].len);
	assert_field_compared(st, vqs[1].inflight_descs[4].id);
	assert_field_compared(st, vqs[1].inflight_descs[4].flags);
	assert_field_compared(st, vqs[3].stats.packets);
	assert_field_compared(st, vqs[3].stats.bytes);

	copy = rte_vhost_state_copy(st);
	copy->vqs[1].nb_inflight--;
	assert_false(rte_vhost_state_equal(st, copy));
	copy->vqs[1].nb_inflight++;
	copy->vqs[1].nb_inflight_descs--;
	assert_false(rte_vhost_state_equal(st, copy));
	copy->nb_vqs--;
	assert_false(rte_vhost_state_equal(st, copy));
	copy->nb_vqs++;
	rte_vhost_state_free(copy);
	rte_vhost_state_free(st);
}

static void
ring_is_packed_if_the_feature_was_negotiated(void **state)
{
	struct rte_vhost_state *st = sample_split();

	st->device_features |= SAMPLE_F_RING_PACKED;
	assert_false(rte_vhost_state_is_packed(st));
	st->driver_features |= SAMPLE_F_RING_PACKED;
	assert_true(rte_vhost_state_is_packed(st));
	rte_vhost_state_free(st);
}

int
test_model(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_state_is_all_zero),
		cmocka_unit_test(state_with_wrong_number_of_virtqueues_is_not_allocated),
		cmocka_unit_test(freeing_null_does_nothing),
		cmocka_unit_test(allocated_inflight_replaces_the_old_entries),
		cmocka_unit_test(allocated_inflight_descriptors_replace_the_old_ones),
		cmocka_unit_test(failed_allocation_of_inflight_changes_nothing),
		cmocka_unit_test(copy_is_equal_and_independent),
		cmocka_unit_test(copy_without_memory_is_null_and_leaks_nothing),
		cmocka_unit_test(difference_in_any_field_makes_states_unequal),
		cmocka_unit_test(ring_is_packed_if_the_feature_was_negotiated),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
