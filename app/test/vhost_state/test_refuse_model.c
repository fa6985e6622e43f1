/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rte_vhost_state_backend.h"
#include "vhost_state_test.h"

/*
 * Each row is a way in which a state can be invalid. It is tried on every function that takes a
 * state: validate, encode, write, save, restore. None of them may change anything.
 */

struct refusal {
	const char *name;
	enum rte_vhost_state_reason reason;
	/** Virtqueue that the error must have. */
	int vq;
	uint64_t expected, found;
	struct rte_vhost_state *(*sample)(void);
	void (*change)(struct rte_vhost_state *st);
};

/** Return the virtqueue with buffers in flight. */
static struct rte_vhost_state_vq *
busy_vq(struct rte_vhost_state *st)
{
	return &st->vqs[SAMPLE_BUSY_VQ];
}

static void
add_descs(struct rte_vhost_state *st, uint16_t vq, uint32_t nb)
{
	assert_int_equal(rte_vhost_state_vq_inflight_descs_alloc(st, vq, nb), 0);
}

#define CHANGE(name, statement) \
	static void name(struct rte_vhost_state *st) { statement; }

CHANGE(no_vqs, st->nb_vqs = 0)
CHANGE(too_many_vqs, st->nb_vqs = RTE_VHOST_STATE_MAX_VQ + 1)
CHANGE(other_class, st->device_id = 99)
CHANGE(feature_not_offered, st->device_features &= ~SAMPLE_F_EVENT_IDX)
CHANGE(status_running, st->status = 0x0f)
CHANGE(running_and_suspended, st->status |= RTE_VHOST_STATE_S_DRIVER_OK)
CHANGE(not_negotiated, st->status &= ~RTE_VHOST_STATE_S_FEATURES_OK)
CHANGE(unknown_status, st->status |= 0x20)
CHANGE(size_0_but_used, busy_vq(st)->size = 0)
CHANGE(size_0_but_enabled, st->vqs[SAMPLE_UNUSED_VQ].enabled = true)
CHANGE(size_0_but_counted, st->vqs[SAMPLE_UNUSED_VQ].stats.bytes = 1)
CHANGE(size_too_large, busy_vq(st)->size = 0x8001)
CHANGE(size_no_power_of_2, busy_vq(st)->size = 10)
CHANGE(desc_unaligned, busy_vq(st)->desc_addr += 8)
CHANGE(driver_unaligned, busy_vq(st)->driver_addr += 1)
CHANGE(packed_driver_unaligned, busy_vq(st)->driver_addr += 2)
CHANGE(device_unaligned, busy_vq(st)->device_addr += 2)
CHANGE(desc_wraps, busy_vq(st)->desc_addr = UINT64_MAX - 15)
CHANGE(driver_wraps, busy_vq(st)->driver_addr = UINT64_MAX - 15)
CHANGE(device_wraps, busy_vq(st)->device_addr = UINT64_MAX - 15)
CHANGE(avail_idx_is_size, busy_vq(st)->avail_idx = 10)
CHANGE(used_idx_is_size, busy_vq(st)->used_idx = 10)
CHANGE(avail_wrap_2, busy_vq(st)->avail_wrap = 2)
CHANGE(used_wrap_2, busy_vq(st)->used_wrap = 2)
CHANGE(split_avail_wrap, busy_vq(st)->avail_wrap = 1)
CHANGE(split_used_wrap, busy_vq(st)->used_wrap = 1)
CHANGE(flipped_wrap, busy_vq(st)->avail_wrap ^= 1)
CHANGE(flipped_wrap_idle, st->vqs[0].used_wrap ^= 1)
CHANGE(avail_too_far, st->vqs[0].avail_idx += 257)
CHANGE(avail_behind, st->vqs[0].avail_idx -= 1)
CHANGE(avail_1_more, busy_vq(st)->avail_idx++)
CHANGE(used_1_more, busy_vq(st)->used_idx++)
CHANGE(entry_lost, busy_vq(st)->nb_inflight--)
CHANGE(chain_longer, busy_vq(st)->inflight[1].num++)
CHANGE(chain_empty, busy_vq(st)->inflight[1].num = 0)
CHANGE(split_chain_of_2, busy_vq(st)->inflight[1].num = 2)
CHANGE(head_is_size, busy_vq(st)->inflight[0].head = 8; busy_vq(st)->inflight[0].id = 8)
CHANGE(packed_head_is_size, busy_vq(st)->inflight[0].head = 10)
CHANGE(split_id_not_head, busy_vq(st)->inflight[0].id = 6)
CHANGE(head_twice, busy_vq(st)->inflight[2].head = 7; busy_vq(st)->inflight[2].id = 7)
CHANGE(packed_id_twice, busy_vq(st)->inflight[2].id = 0xabcd)
CHANGE(counter_twice, busy_vq(st)->inflight[1].counter = 41)
CHANGE(counter_back, busy_vq(st)->inflight[1].counter = 40)
CHANGE(descs_of_unused_vq, add_descs(st, SAMPLE_UNUSED_VQ, 1))
CHANGE(split_descs, add_descs(st, SAMPLE_BUSY_VQ, 3))
CHANGE(descs_of_idle_vq, add_descs(st, 0, 1))
CHANGE(desc_lost, busy_vq(st)->nb_inflight_descs--)
CHANGE(desc_with_avail_bit, busy_vq(st)->inflight_descs[0].flags |= 0x80)
CHANGE(desc_with_used_bit, busy_vq(st)->inflight_descs[4].flags |= 0x8000)
CHANGE(desc_chain_broken, busy_vq(st)->inflight_descs[2].flags &= ~RTE_VHOST_STATE_DESC_F_NEXT)
CHANGE(desc_chain_open, busy_vq(st)->inflight_descs[3].flags |= RTE_VHOST_STATE_DESC_F_NEXT)
CHANGE(desc_single_open, busy_vq(st)->inflight_descs[4].flags |= RTE_VHOST_STATE_DESC_F_NEXT)
CHANGE(desc_chain_indirect, busy_vq(st)->inflight_descs[3].flags |= RTE_VHOST_STATE_DESC_F_INDIRECT)
CHANGE(desc_other_id, busy_vq(st)->inflight_descs[3].id = 2)
CHANGE(mac_multicast, st->net.mac.addr_bytes[0] |= 1)
CHANGE(mac_zero, memset(&st->net.mac, 0, sizeof(st->net.mac)))
CHANGE(mtu_small, st->net.mtu = 67)
CHANGE(no_pairs, st->net.active_pairs = 0)
CHANGE(more_pairs_than_vqs, st->net.active_pairs = SAMPLE_VQS / 2 + 1)
CHANGE(offload_not_negotiated, st->net.guest_offloads |= UINT64_C(1) << 10)

/* The busy virtqueue has 3 of 8 buffers in flight if split, 5 of 10 descriptors if packed. */
#define S(name, reason, vq, expected, found, change) \
	{ name, RTE_VHOST_STATE_R_##reason, vq, expected, found, sample_split, change }
#define P(name, reason, vq, expected, found, change) \
	{ name, RTE_VHOST_STATE_R_##reason, vq, expected, found, sample_packed, change }
#define D(name, reason, vq, expected, found, change) \
	{ name, RTE_VHOST_STATE_R_##reason, vq, expected, found, sample_packed_descs, change }

static const struct refusal refusals[] = {
	S("state_without_virtqueues_is_refused", VQ_COUNT, -1, 257, 0, no_vqs),
	S("state_with_too_many_virtqueues_is_refused", VQ_COUNT, -1, 257, 258, too_many_vqs),
	S("state_of_unknown_class_is_refused", DEVICE_ID, -1, 1, 99, other_class),
	S("state_with_feature_never_offered_is_refused", FEATURES_NOT_OFFERED, -1, 0,
			SAMPLE_F_EVENT_IDX, feature_not_offered),
	S("state_of_running_device_is_refused", STATUS, -1, 0x1b, 0x0f, status_running),
	S("state_running_and_suspended_is_refused", STATUS, -1, 0x1b, 0x1f,
			running_and_suspended),
	S("state_before_features_ok_is_refused", STATUS, -1, 0x1b, 0x13, not_negotiated),
	S("state_with_unknown_status_bit_is_refused", STATUS, -1, 0x1b, 0x3b, unknown_status),
	S("used_vq_of_size_0_is_refused", VQ_SIZE, 1, 1, 0, size_0_but_used),
	S("enabled_vq_of_size_0_is_refused", VQ_SIZE, 3, 1, 0, size_0_but_enabled),
	S("counting_vq_of_size_0_is_refused", VQ_SIZE, 3, 1, 0, size_0_but_counted),
	S("vq_larger_than_32768_is_refused", VQ_SIZE, 1, 0x8000, 0x8001, size_too_large),
	P("packed_vq_larger_than_32768_is_refused", VQ_SIZE, 1, 0x8000, 0x8001, size_too_large),
	S("split_size_no_power_of_two_is_refused", VQ_SIZE, 1, 16, 10, size_no_power_of_2),
	S("unaligned_descriptors_are_refused", VQ_ADDRESS, 1, 0x101000000, 0x101000008,
			desc_unaligned),
	S("unaligned_avail_ring_is_refused", VQ_ADDRESS, 1, 0x101100000, 0x101100001,
			driver_unaligned),
	P("unaligned_driver_event_is_refused", VQ_ADDRESS, 1, 0x101100000, 0x101100002,
			packed_driver_unaligned),
	S("unaligned_used_ring_is_refused", VQ_ADDRESS, 1, 0x101200000, 0x101200002,
			device_unaligned),
	S("descriptors_beyond_the_address_space_are_refused", VQ_ADDRESS, 1, UINT64_MAX - 128,
			UINT64_MAX - 15, desc_wraps),
	S("avail_ring_beyond_the_address_space_is_refused", VQ_ADDRESS, 1, UINT64_MAX - 22,
			UINT64_MAX - 15, driver_wraps),
	S("used_ring_beyond_the_address_space_is_refused", VQ_ADDRESS, 1, UINT64_MAX - 70,
			UINT64_MAX - 15, device_wraps),
	P("avail_idx_beyond_packed_ring_is_refused", VQ_IDX_RANGE, 1, 9, 10, avail_idx_is_size),
	P("used_idx_beyond_packed_ring_is_refused", VQ_IDX_RANGE, 1, 9, 10, used_idx_is_size),
	P("avail_wrap_counter_of_2_is_refused", VQ_WRAP, 1, 1, 2, avail_wrap_2),
	P("used_wrap_counter_of_2_is_refused", VQ_WRAP, 1, 1, 2, used_wrap_2),
	S("avail_wrap_counter_of_split_ring_is_refused", VQ_WRAP, 1, 0, 1, split_avail_wrap),
	S("used_wrap_counter_of_split_ring_is_refused", VQ_WRAP, 1, 0, 1, split_used_wrap),
	P("restore_wrong_wrap_counter_is_refused", VQ_IDX_DISTANCE, 1, 10, 15, flipped_wrap),
	P("restore_wrong_wrap_counter_of_idle_vq_is_refused", INFLIGHT_COUNT, 0, 255, 0,
			flipped_wrap_idle),
	S("avail_too_far_ahead_is_refused", VQ_IDX_DISTANCE, 0, 256, 257, avail_too_far),
	S("avail_behind_used_is_refused", VQ_IDX_DISTANCE, 0, 256, 65535, avail_behind),
	S("avail_idx_off_by_one_is_refused", INFLIGHT_COUNT, 1, 4, 3, avail_1_more),
	S("used_idx_off_by_one_is_refused", INFLIGHT_COUNT, 1, 2, 3, used_1_more),
	P("packed_avail_idx_off_by_one_is_refused", INFLIGHT_COUNT, 1, 6, 5, avail_1_more),
	P("packed_used_idx_off_by_one_is_refused", INFLIGHT_COUNT, 1, 4, 5, used_1_more),
	S("lost_inflight_buffer_is_refused", INFLIGHT_COUNT, 1, 3, 2, entry_lost),
	P("lost_packed_inflight_buffer_is_refused", INFLIGHT_COUNT, 1, 5, 4, entry_lost),
	P("chain_of_wrong_length_is_refused", INFLIGHT_COUNT, 1, 5, 6, chain_longer),
	P("empty_chain_is_refused", INFLIGHT_COUNT, 1, 1, 0, chain_empty),
	S("split_chain_of_two_is_refused", INFLIGHT_COUNT, 1, 1, 2, split_chain_of_2),
	S("inflight_head_beyond_ring_is_refused", INFLIGHT_HEAD, 1, 7, 8, head_is_size),
	P("packed_inflight_head_beyond_ring_is_refused", INFLIGHT_HEAD, 1, 9, 10,
			packed_head_is_size),
	S("split_id_other_than_head_is_refused", INFLIGHT_HEAD, 1, 7, 6, split_id_not_head),
	S("inflight_head_twice_is_refused", INFLIGHT_DUPLICATE, 1, 2, 7, head_twice),
	P("packed_buffer_id_twice_is_refused", INFLIGHT_DUPLICATE, 1, 2, 0xabcd,
			packed_id_twice),
	S("inflight_counter_twice_is_refused", INFLIGHT_DUPLICATE, 1, 42, 41, counter_twice),
	S("inflight_not_in_dequeue_order_is_refused", INFLIGHT_ORDER, 1, 42, 40, counter_back),
	P("descriptors_of_vq_of_size_0_are_refused", VQ_SIZE, 3, 1, 0, descs_of_unused_vq),
	S("descriptors_of_split_ring_are_refused", INFLIGHT_DESC_COUNT, 1, 0, 3, split_descs),
	D("descriptors_of_idle_vq_are_refused", INFLIGHT_DESC_COUNT, 0, 0, 1, descs_of_idle_vq),
	D("lost_inflight_descriptor_is_refused", INFLIGHT_DESC_COUNT, 1, 5, 4, desc_lost),
	D("descriptor_with_avail_bit_is_refused", INFLIGHT_DESC_FLAGS, 1, 4, 0x84,
			desc_with_avail_bit),
	D("descriptor_with_used_bit_is_refused", INFLIGHT_DESC_FLAGS, 1, 0, 0x8000,
			desc_with_used_bit),
	D("chain_that_ends_too_early_is_refused", INFLIGHT_DESC_FLAGS, 1, 3, 2,
			desc_chain_broken),
	D("chain_that_does_not_end_is_refused", INFLIGHT_DESC_FLAGS, 1, 2, 3, desc_chain_open),
	D("single_descriptor_with_next_flag_is_refused", INFLIGHT_DESC_FLAGS, 1, 0, 1,
			desc_single_open),
	D("indirect_descriptor_in_a_chain_is_refused", INFLIGHT_DESC_FLAGS, 1, 2, 6,
			desc_chain_indirect),
	D("descriptor_with_id_of_another_buffer_is_refused", INFLIGHT_DESC_ID, 1, 9, 2,
			desc_other_id),
	S("multicast_mac_is_refused", NET_MAC, -1, 0, 0x535400123456, mac_multicast),
	S("zero_mac_is_refused", NET_MAC, -1, 0, 0, mac_zero),
	S("mtu_below_68_is_refused", NET_MTU, -1, 68, 67, mtu_small),
	S("no_active_queue_pair_is_refused", NET_QUEUE_PAIRS, -1, 2, 0, no_pairs),
	S("more_queue_pairs_than_virtqueues_are_refused", NET_QUEUE_PAIRS, -1, 2, 3,
			more_pairs_than_vqs),
	S("offload_never_negotiated_is_refused", NET_OFFLOADS, -1, 0, 0x400,
			offload_not_negotiated),
};

/* ---- a back end that must never get an invalid state ---- */

static unsigned int restored;

static int
stub_info_get(void *ctx, struct rte_vhost_state_info *info)
{
	return 0;
}

static int
stub_suspend(void *ctx, uint32_t timeout_us, struct rte_vhost_state_error *err)
{
	return 0;
}

static int
stub_resume(void *ctx, struct rte_vhost_state_error *err)
{
	return 0;
}

static struct rte_vhost_state *
stub_capture(void *ctx, struct rte_vhost_state_error *err)
{
	return NULL;
}

static int
stub_restore(void *ctx, const struct rte_vhost_state *st, struct rte_vhost_state_error *err)
{
	restored++;
	return 0;
}

static const struct rte_vhost_state_ops stub_ops = {
	.info_get = stub_info_get,
	.suspend = stub_suspend,
	.resume = stub_resume,
	.capture = stub_capture,
	.restore = stub_restore,
};

/* ---- functions that take a state ---- */

static void
assert_error(const struct refusal *r, const struct rte_vhost_state_error *err)
{
	assert_int_equal(err->vq, r->vq);
	assert_int_equal(err->offset, -1);
	assert_int_equal(err->expected, r->expected);
	assert_int_equal(err->found, r->found);
}

static void
refused_by_encode(const struct refusal *r, const struct rte_vhost_state *st)
{
	struct rte_vhost_state_error err;
	uint8_t buf[2048], before[2048];
	size_t len = 7;

	memset(buf, 0xa5, sizeof(buf));
	memcpy(before, buf, sizeof(buf));
	assert_refused(r->reason, &err,
			rte_vhost_state_encode(st, buf, sizeof(buf), &len, &err));
	assert_error(r, &err);
	assert_memory_equal(buf, before, sizeof(buf));
	assert_int_equal(len, 7);
}

static void
refused_by_write(const struct refusal *r, const struct rte_vhost_state *st)
{
	struct rte_vhost_state_error err;
	FILE *f = tmpfile();

	assert_non_null(f);
	assert_refused(r->reason, &err, rte_vhost_state_write(st, fileno(f), &err));
	assert_error(r, &err);
	assert_int_equal(lseek(fileno(f), 0, SEEK_END), 0);
	fclose(f);
}

static void
refused_by_save(const struct refusal *r, const struct rte_vhost_state *st)
{
	char dir[] = "/tmp/vhost-state-XXXXXX";
	struct rte_vhost_state_error err;
	char path[64];

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/state", dir);
	assert_refused(r->reason, &err, rte_vhost_state_save(st, path, &err));
	assert_error(r, &err);
	/* No file is left: only an empty directory can be removed. */
	assert_int_equal(rmdir(dir), 0);
}

static void
refused_by_restore(const struct refusal *r, const struct rte_vhost_state *st)
{
	struct rte_vhost_state_error err;

	restored = 0;
	assert_int_equal(rte_vhost_state_register("stub", &stub_ops, NULL), 0);
	assert_refused(r->reason, &err, rte_vhost_state_restore("stub", st, &err));
	assert_error(r, &err);
	assert_int_equal(restored, 0);
	assert_int_equal(rte_vhost_state_unregister("stub"), 0);
}

static void
refused_by_every_function(void **state)
{
	const struct refusal *r = *state;
	struct rte_vhost_state *st = r->sample();
	struct rte_vhost_state *twin = rte_vhost_state_copy(st);
	struct rte_vhost_state_error err;

	assert_int_equal(rte_vhost_state_validate(st, &err), 0);
	assert_int_equal(err.reason, RTE_VHOST_STATE_R_NONE);
	r->change(st);
	r->change(twin);
	assert_refused(r->reason, &err, rte_vhost_state_validate(st, &err));
	assert_error(r, &err);
	refused_by_encode(r, st);
	refused_by_write(r, st);
	refused_by_save(r, st);
	refused_by_restore(r, st);
	/* The state is unchanged. The comparison needs the correct number of virtqueues. */
	assert_int_equal(st->nb_vqs, twin->nb_vqs);
	st->nb_vqs = SAMPLE_VQS;
	twin->nb_vqs = SAMPLE_VQS;
	assert_true(rte_vhost_state_equal(st, twin));
	rte_vhost_state_free(twin);
	rte_vhost_state_free(st);
}

static void
missing_inflight_array_is_refused(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_inflight *inflight = busy_vq(st)->inflight;
	struct rte_vhost_state_error err;

	busy_vq(st)->inflight = NULL;
	assert_refused(RTE_VHOST_STATE_R_INFLIGHT_COUNT, &err,
			rte_vhost_state_validate(st, &err));
	assert_int_equal(err.expected, 3);
	assert_int_equal(err.found, 0);
	busy_vq(st)->inflight = inflight;
	rte_vhost_state_free(st);
}

static void
missing_inflight_descs_array_is_refused(void **state)
{
	struct rte_vhost_state *st = sample_packed_descs();
	struct rte_vhost_state_desc *descs = busy_vq(st)->inflight_descs;
	struct rte_vhost_state_error err;

	busy_vq(st)->inflight_descs = NULL;
	assert_refused(RTE_VHOST_STATE_R_INFLIGHT_DESC_COUNT, &err,
			rte_vhost_state_validate(st, &err));
	assert_int_equal(err.expected, 5);
	assert_int_equal(err.found, 0);
	busy_vq(st)->inflight_descs = descs;
	rte_vhost_state_free(st);
}

static void
missing_virtqueue_array_is_refused(void **state)
{
	struct rte_vhost_state st = { .nb_vqs = 2 };
	struct rte_vhost_state_error err;

	assert_refused(RTE_VHOST_STATE_R_VQ_COUNT, &err, rte_vhost_state_validate(&st, &err));
}

/** Values next to the refused ones. */
static void
states_at_the_limits_are_accepted(void **state)
{
	struct rte_vhost_state *st = sample_packed();

	/* A position of a packed ring can be reused while an older buffer is in flight. */
	busy_vq(st)->inflight[2].head = busy_vq(st)->inflight[0].head;
	assert_int_equal(rte_vhost_state_validate(st, NULL), 0);
	/* A device with NEEDS_RESET or FAILED can be migrated. */
	st->status |= RTE_VHOST_STATE_S_NEEDS_RESET | RTE_VHOST_STATE_S_FAILED;
	assert_int_equal(rte_vhost_state_validate(st, NULL), 0);
	/* Bits in the feature words that front end and back end agree on. */
	st->driver_features |= SAMPLE_F_LOG_ALL;
	assert_int_equal(rte_vhost_state_validate(st, NULL), 0);
	st->net.mtu = 68;
	st->net.active_pairs = SAMPLE_VQS / 2;
	st->vqs[0].size = 32768;
	st->vqs[0].desc_addr = UINT64_MAX - 16 * 32768 - 15;
	assert_int_equal(rte_vhost_state_validate(st, NULL), 0);
	rte_vhost_state_free(st);
}

int
test_refuse_model(void)
{
	struct CMUnitTest tests[RTE_DIM(refusals) + 4] = {
		cmocka_unit_test(missing_inflight_array_is_refused),
		cmocka_unit_test(missing_inflight_descs_array_is_refused),
		cmocka_unit_test(missing_virtqueue_array_is_refused),
		cmocka_unit_test(states_at_the_limits_are_accepted),
	};

	tests_of_rows(tests + 4, refusals, refused_by_every_function);
	return cmocka_run_group_tests_name("refuse model", tests, NULL, NULL);
}
