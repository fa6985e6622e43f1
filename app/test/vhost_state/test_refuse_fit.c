/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include "vhost_state_test.h"

/*
 * check_fit() and check_vq(). Each row is a destination that offers too little. The other tests
 * have destinations that offer enough.
 */

struct refusal {
	const char *name;
	enum rte_vhost_state_reason reason;
	int vq;
	uint64_t expected, found;
	void (*change)(struct rte_vhost_state_limits *lim, struct rte_vhost_state *st);
};

#define CHANGE(name, statement) \
	static void name(struct rte_vhost_state_limits *lim, struct rte_vhost_state *st) \
	{ statement; }

CHANGE(block_device, lim->device_id = 2)
CHANGE(no_event_idx, lim->device_features &= ~SAMPLE_F_EVENT_IDX)
CHANGE(no_packed, lim->device_features &= ~SAMPLE_F_RING_PACKED)
CHANGE(packed_not_negotiated, lim->driver_features = st->driver_features & ~SAMPLE_F_RING_PACKED)
CHANGE(more_negotiated, lim->driver_features = st->driver_features | UINT64_C(1) << 35)
CHANGE(fewer_vqs, lim->max_vqs = SAMPLE_VQS - 1)
CHANGE(smaller_mtu, lim->max_mtu = 1500)
CHANGE(no_inflight, lim->inflight = false)
CHANGE(no_descs, assert_int_equal(
		rte_vhost_state_vq_inflight_descs_alloc(st, SAMPLE_BUSY_VQ, 0), 0))

#define ALL UINT64_MAX
#define NEEDED UINT64_C(0x5200100a2)
#define ROW(name, reason, vq, expected, found, change) \
	{ name, RTE_VHOST_STATE_R_##reason, vq, expected, found, change }

static const struct refusal refusals[] = {
	ROW("state_of_other_class_does_not_fit", FIT_DEVICE_ID, -1, 2, 1, block_device),
	ROW("missing_feature_does_not_fit", FIT_FEATURES, -1, ALL & ~SAMPLE_F_EVENT_IDX, NEEDED,
			no_event_idx),
	ROW("packed_state_does_not_fit_split_device", FIT_FEATURES, -1,
			ALL & ~SAMPLE_F_RING_PACKED, NEEDED, no_packed),
	ROW("packed_state_does_not_fit_split_front_end", FIT_NEGOTIATED, -1,
			NEEDED & ~SAMPLE_F_RING_PACKED, NEEDED, packed_not_negotiated),
	ROW("state_with_fewer_features_than_negotiated_does_not_fit", FIT_NEGOTIATED, -1,
			NEEDED | UINT64_C(1) << 35, NEEDED, more_negotiated),
	ROW("more_virtqueues_do_not_fit", FIT_VQ_COUNT, -1, 3, 4, fewer_vqs),
	ROW("larger_mtu_does_not_fit", FIT_MTU, -1, 1500, 9000, smaller_mtu),
	ROW("inflight_buffers_do_not_fit_device_without", FIT_INFLIGHT, 1, 0, 3, no_inflight),
	ROW("packed_inflight_buffers_without_descriptors_do_not_fit", FIT_INFLIGHT_DESCS, 1, 3, 0,
			no_descs),
};

static void
does_not_fit(void **state)
{
	const struct refusal *r = *state;
	struct rte_vhost_state *st = sample_packed_descs();
	struct rte_vhost_state_limits lim = sample_limits();
	struct rte_vhost_state_error err;
	struct rte_vhost_state *before;

	assert_int_equal(st->driver_features, NEEDED);
	r->change(&lim, st);
	before = rte_vhost_state_copy(st);
	assert_refused(r->reason, &err, rte_vhost_state_check_fit(st, &lim, &err));
	assert_int_equal(err.vq, r->vq);
	assert_int_equal(err.expected, r->expected);
	assert_int_equal(err.found, r->found);
	assert_true(rte_vhost_state_equal(st, before));
	rte_vhost_state_free(before);
	rte_vhost_state_free(st);
}

static void
larger_destination_fits(void **state)
{
	struct rte_vhost_state *st = sample_packed_descs();
	struct rte_vhost_state_limits lim = sample_limits();
	struct rte_vhost_state_error err;

	assert_int_equal(rte_vhost_state_check_fit(st, &lim, &err), 0);
	assert_int_equal(err.reason, RTE_VHOST_STATE_R_NONE);
	lim.max_vqs = 64;
	lim.max_mtu = 65535;
	lim.driver_features = st->driver_features;
	assert_int_equal(rte_vhost_state_check_fit(st, &lim, NULL), 0);
	rte_vhost_state_free(st);
}

/** VIRTIO 1.4 P6: a feature that was offered and not negotiated is not needed. */
static void
feature_only_offered_at_the_source_fits(void **state)
{
	struct rte_vhost_state *st = sample_packed_descs();
	struct rte_vhost_state_limits lim = sample_limits();

	lim.device_features = st->driver_features;
	assert_int_not_equal(st->device_features, lim.device_features);
	assert_int_equal(rte_vhost_state_check_fit(st, &lim, NULL), 0);
	rte_vhost_state_free(st);
}

/** Only the source of a live migration has dirty logging on. */
static void
dirty_logging_does_not_affect_the_fit(void **state)
{
	struct rte_vhost_state *st = sample_packed_descs();
	struct rte_vhost_state_limits lim = sample_limits();

	lim.driver_features = st->driver_features;
	lim.device_features = st->device_features;
	st->driver_features |= SAMPLE_F_LOG_ALL;
	assert_int_equal(rte_vhost_state_check_fit(st, &lim, NULL), 0);
	rte_vhost_state_free(st);
}

/** A split ring keeps the descriptors. */
static void
split_inflight_buffers_fit_without_descriptors(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_limits lim = sample_limits();

	assert_int_equal(rte_vhost_state_check_fit(st, &lim, NULL), 0);
	rte_vhost_state_free(st);
}

static void
idle_state_fits_device_without_inflight(void **state)
{
	struct rte_vhost_state *st = sample_packed_descs();
	struct rte_vhost_state_limits lim = sample_limits();

	assert_int_equal(rte_vhost_state_vq_inflight_alloc(st, SAMPLE_BUSY_VQ, 0), 0);
	lim.inflight = false;
	assert_int_equal(rte_vhost_state_check_fit(st, &lim, NULL), 0);
	rte_vhost_state_free(st);
}

/* ---- a virtqueue, compared with the set-up of the front end ---- */

static void
virtqueue_set_up_alike_fits(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_vq found = {
		.size = 256,
		.desc_addr = UINT64_C(0x100000000),
		.driver_addr = UINT64_C(0x100100000),
		.device_addr = UINT64_C(0x100200000),
	};

	assert_int_equal(rte_vhost_state_check_vq(st, 0, &found, NULL), 0);
	assert_int_equal(rte_vhost_state_check_vq(st, SAMPLE_UNUSED_VQ, &found, NULL), 0);
	rte_vhost_state_free(st);
}

static void
virtqueue_of_other_size_does_not_fit(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_vq found = st->vqs[0];
	struct rte_vhost_state_error err;

	found.size = 512;
	assert_refused(RTE_VHOST_STATE_R_FIT_VQ_SIZE, &err,
			rte_vhost_state_check_vq(st, 0, &found, &err));
	assert_int_equal(err.vq, 0);
	assert_int_equal(err.expected, 256);
	assert_int_equal(err.found, 512);
	rte_vhost_state_free(st);
}

static void
virtqueue_elsewhere_does_not_fit(void **state)
{
	struct rte_vhost_state *st = sample_split();
	uint64_t *const addr[] = {
		&st->vqs[1].desc_addr, &st->vqs[1].driver_addr, &st->vqs[1].device_addr,
	};
	struct rte_vhost_state_vq found;
	struct rte_vhost_state_error err;
	unsigned int i;

	for (i = 0; i < RTE_DIM(addr); i++) {
		found = st->vqs[1];
		*addr[i] += 4096;
		assert_refused(RTE_VHOST_STATE_R_FIT_VQ_ADDRESS, &err,
				rte_vhost_state_check_vq(st, 1, &found, &err));
		assert_int_equal(err.vq, 1);
		assert_int_equal(err.expected, *addr[i]);
		assert_int_equal(err.found, *addr[i] - 4096);
		*addr[i] -= 4096;
	}
	rte_vhost_state_free(st);
}

static void
virtqueue_out_of_range_does_not_fit(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_error err;

	assert_refused(RTE_VHOST_STATE_R_VQ_INDEX, &err,
			rte_vhost_state_check_vq(st, SAMPLE_VQS, &st->vqs[0], &err));
	rte_vhost_state_free(st);
}

int
test_refuse_fit(void)
{
	struct CMUnitTest tests[RTE_DIM(refusals) + 9] = {
		cmocka_unit_test(larger_destination_fits),
		cmocka_unit_test(feature_only_offered_at_the_source_fits),
		cmocka_unit_test(dirty_logging_does_not_affect_the_fit),
		cmocka_unit_test(split_inflight_buffers_fit_without_descriptors),
		cmocka_unit_test(idle_state_fits_device_without_inflight),
		cmocka_unit_test(virtqueue_set_up_alike_fits),
		cmocka_unit_test(virtqueue_of_other_size_does_not_fit),
		cmocka_unit_test(virtqueue_elsewhere_does_not_fit),
		cmocka_unit_test(virtqueue_out_of_range_does_not_fit),
	};

	tests_of_rows(tests + 9, refusals, does_not_fit);
	return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
