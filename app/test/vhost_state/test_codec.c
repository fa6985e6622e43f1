/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include "vhost_state_test.h"

#define RANDOM_STATES 500

static void
assert_round_trip(struct rte_vhost_state *st)
{
	struct rte_vhost_state_error err;
	struct rte_vhost_state *back;
	uint8_t *buf;
	size_t len;

	buf = test_encode(st, &len);
	back = rte_vhost_state_decode(buf, len, &err);
	assert_non_null(back);
	assert_int_equal(err.reason, RTE_VHOST_STATE_R_NONE);
	assert_true(rte_vhost_state_equal(st, back));
	test_assert_encoded(back, buf, len);
	free(buf);
	rte_vhost_state_free(back);
	rte_vhost_state_free(st);
}

static void
split_state_with_inflight_survives_the_round_trip(void **state)
{
	assert_round_trip(sample_split());
}

static void
packed_state_with_inflight_survives_the_round_trip(void **state)
{
	assert_round_trip(sample_packed());
}

static void
packed_state_with_descriptors_survives_the_round_trip(void **state)
{
	assert_round_trip(sample_packed_descs());
}

static void
random_states_survive_the_round_trip(void **state)
{
	uint64_t seed;

	for (seed = 0; seed < RANDOM_STATES; seed++)
		assert_round_trip(sample_random(seed));
}

static void
state_with_full_rings_survives_the_round_trip(void **state)
{
	assert_round_trip(sample_split_full(65000));
}

static void
packed_state_with_full_ring_of_descriptors_survives_the_round_trip(void **state)
{
	struct rte_vhost_state *st = sample_packed_descs();
	struct rte_vhost_state_vq *vq = &st->vqs[2];
	uint32_t n;

	vq->size = RTE_VHOST_STATE_MAX_VQ_SIZE;
	vq->used_wrap = 0;
	assert_int_equal(rte_vhost_state_vq_inflight_alloc(st, 2, vq->size), 0);
	assert_int_equal(rte_vhost_state_vq_inflight_descs_alloc(st, 2, vq->size), 0);
	for (n = 0; n < vq->size; n++) {
		vq->inflight[n] = (struct rte_vhost_state_inflight){ (uint16_t)n, (uint16_t)n, 1,
				n };
		vq->inflight_descs[n] = (struct rte_vhost_state_desc){ n * 4096, n, (uint16_t)n,
				RTE_VHOST_STATE_DESC_F_WRITE };
	}
	assert_round_trip(st);
}

static void
state_with_most_virtqueues_survives_the_round_trip(void **state)
{
	struct rte_vhost_state *from = sample_split();
	struct rte_vhost_state *st = rte_vhost_state_alloc(RTE_VHOST_STATE_MAX_VQ);
	struct rte_vhost_state_vq *vqs = st->vqs;
	uint16_t i;

	*st = *from;
	st->nb_vqs = RTE_VHOST_STATE_MAX_VQ;
	st->vqs = vqs;
	for (i = 0; i < st->nb_vqs; i++)
		vqs[i] = from->vqs[0];
	st->net.active_pairs = 128;
	assert_round_trip(st);
	rte_vhost_state_free(from);
}

/** Packed rings of small sizes: every pair of positions and wraps, with one chain in flight. */
static void
small_packed_ring_is_valid_at_every_distance_up_to_its_size(void **state)
{
	struct rte_vhost_state *st = sample_packed();
	struct rte_vhost_state_vq *vq = &st->vqs[0];
	unsigned int size, used, step, pos;

	assert_int_equal(rte_vhost_state_vq_inflight_alloc(st, 0, 1), 0);
	for (size = 1; size <= 9; size++) {
		for (used = 0; used < 2 * size; used++) {
			vq->size = (uint16_t)size;
			vq->used_idx = (uint16_t)(used % size);
			vq->used_wrap = (uint8_t)(used / size);
			/* Available is 0 .. 2 * size - 1 descriptors ahead. */
			for (step = 0, pos = used; step < 2 * size; step++) {
				vq->avail_idx = (uint16_t)(pos % size);
				vq->avail_wrap = (uint8_t)(pos / size);
				vq->nb_inflight = step > 0 ? 1 : 0;
				vq->inflight[0].num = (uint16_t)step;
				assert_int_equal(rte_vhost_state_validate(st, NULL) == 0,
						step <= size);
				pos = (pos + 1) % (2 * size);
			}
		}
	}
	rte_vhost_state_free(st);
}

/** Split rings: every distance, also where the 16 bits of an index overflow. */
static void
split_ring_is_valid_at_every_distance_up_to_its_size(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_vq *vq = &st->vqs[0];
	uint32_t distance;
	uint16_t n;

	vq->size = 4;
	vq->used_idx = 0xfffe;
	assert_int_equal(rte_vhost_state_vq_inflight_alloc(st, 0, 4), 0);
	for (n = 0; n < 4; n++)
		vq->inflight[n] = (struct rte_vhost_state_inflight){ n, n, 1, n };
	for (distance = 0; distance <= UINT16_MAX; distance++) {
		vq->avail_idx = (uint16_t)(vq->used_idx + distance);
		vq->nb_inflight = (uint16_t)(distance <= 4 ? distance : 4);
		assert_int_equal(rte_vhost_state_validate(st, NULL) == 0, distance <= 4);
	}
	rte_vhost_state_free(st);
}

static void
encoded_size_is_known_before_encoding(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_error err;
	const size_t size = rte_vhost_state_encoded_size(st);
	uint8_t *buf = malloc(size + 1);
	size_t len = 0;

	buf[size] = 0xa5;
	assert_int_equal(rte_vhost_state_encode(st, buf, size + 1, &len, &err), 0);
	assert_int_equal(len, size);
	assert_int_equal(buf[size], 0xa5);
	free(buf);
	rte_vhost_state_free(st);
}

static void
too_small_buffer_is_refused_and_unchanged(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_error err;
	uint8_t buf[64];
	uint8_t before[64];
	size_t len = 0;

	memset(buf, 0xa5, sizeof(buf));
	memcpy(before, buf, sizeof(buf));
	assert_refused(RTE_VHOST_STATE_R_NO_SPACE, &err,
			rte_vhost_state_encode(st, buf, sizeof(buf), &len, &err));
	assert_int_equal(len, rte_vhost_state_encoded_size(st));
	assert_int_equal(err.expected, len);
	assert_int_equal(err.found, sizeof(buf));
	assert_memory_equal(buf, before, sizeof(buf));
	rte_vhost_state_free(st);
}

static void
error_argument_may_be_null(void **state)
{
	struct rte_vhost_state *st = sample_split();
	uint8_t *buf;
	size_t len;

	buf = test_encode(st, &len);
	assert_null(rte_vhost_state_decode(buf, len - 1, NULL));
	st->nb_vqs = 0;
	assert_int_not_equal(rte_vhost_state_encode(st, buf, len, &len, NULL), 0);
	st->nb_vqs = SAMPLE_VQS;
	free(buf);
	rte_vhost_state_free(st);
}

int
test_codec(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_state_with_inflight_survives_the_round_trip),
		cmocka_unit_test(packed_state_with_inflight_survives_the_round_trip),
		cmocka_unit_test(packed_state_with_descriptors_survives_the_round_trip),
		cmocka_unit_test(random_states_survive_the_round_trip),
		cmocka_unit_test(state_with_full_rings_survives_the_round_trip),
		cmocka_unit_test(
			packed_state_with_full_ring_of_descriptors_survives_the_round_trip),
		cmocka_unit_test(state_with_most_virtqueues_survives_the_round_trip),
		cmocka_unit_test(small_packed_ring_is_valid_at_every_distance_up_to_its_size),
		cmocka_unit_test(split_ring_is_valid_at_every_distance_up_to_its_size),
		cmocka_unit_test(encoded_size_is_known_before_encoding),
		cmocka_unit_test(too_small_buffer_is_refused_and_unchanged),
		cmocka_unit_test(error_argument_may_be_null),
	};

	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
