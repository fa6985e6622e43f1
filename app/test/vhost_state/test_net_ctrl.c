/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include "vhost_state_bytes.h"
#include "vhost_state_test.h"

/* The settings of a control virtqueue: what is refused, and where they fit. */

#define CVQ_CFG_TYPE 0x0200
#define VLANS_TYPE 0xf011
#define HEADER 16

#define ROW(name, reason, expected, found, change) \
	TEST_REFUSAL(sample_net_ctrl, name, reason, expected, found, change)

#define ALL ((1 << RTE_VHOST_STATE_NET_CTRL_MAX) - 1)
#define CSUM SAMPLE_F_GUEST_CSUM

TEST_CHANGE(unknown_command, st->net.ctrl.accepted = ALL + 1)
TEST_CHANGE(other_mode, st->net.ctrl.rx_mode = 0x20)
TEST_CHANGE(mode_not_set, st->net.ctrl.accepted = ALL & ~2)
TEST_CHANGE(other_mac, st->net.ctrl.mac.addr_bytes[5] = 9)
TEST_CHANGE(other_pairs, st->net.ctrl.pairs = 1)
TEST_CHANGE(other_offloads, st->net.ctrl.offloads = 0)
TEST_CHANGE(no_offload, st->net.ctrl.offloads |= RTE_BIT64(17))
TEST_CHANGE(many_macs, st->net.ctrl.nb_multicast = 255)

static const struct test_refusal invalid[] = {
	ROW("unknown_command_is_refused", NET_CTRL_VALUE, ALL, ALL + 1, unknown_command),
	ROW("mode_that_contradicts_the_device_is_refused", NET_CTRL_VALUE, 0x22, 0x20, other_mode),
	ROW("mode_that_was_never_set_is_refused", NET_CTRL_VALUE, 0x20, 0x22, mode_not_set),
	ROW("address_that_is_not_the_device's_is_refused", NET_CTRL_VALUE, 1, 0, other_mac),
	ROW("pairs_that_are_not_the_device's_are_refused", NET_CTRL_VALUE, 2, 1, other_pairs),
	ROW("offloads_that_are_not_the_device's_are_refused", NET_CTRL_VALUE, CSUM, 0,
			other_offloads),
	ROW("feature_that_is_no_offload_is_refused", NET_CTRL_VALUE, CSUM, CSUM | RTE_BIT64(17),
			no_offload),
	ROW("more_addresses_than_there_is_room_for_are_refused", NET_CTRL_VALUE,
			RTE_VHOST_STATE_NET_MACS, 257, many_macs),
};

TEST_CHANGE(other_index, lim->ctrl_vq = 8; lim->max_vqs = 9)
TEST_CHANGE(no_queue, lim->ctrl_vq = 0)

static const struct test_refusal unfit[] = {
	ROW("control_queue_of_another_index_does_not_fit", FIT_CTRL_VQ, 8, SAMPLE_CTRL_VQ,
			other_index),
	ROW("control_queue_does_not_fit_device_without_one", FIT_CTRL_VQ, 0, SAMPLE_CTRL_VQ,
			no_queue),
};

static void
command_without_its_feature_is_refused(void **state)
{
	struct rte_vhost_state *st = sample_net_ctrl();
	struct rte_vhost_state_error err;
	unsigned int bit;

	for (bit = 0; bit < 24; bit++) {
		if ((SAMPLE_F_CTRL >> bit & 1) == 0)
			continue;
		st->driver_features ^= UINT64_C(1) << bit;
		assert_refused(RTE_VHOST_STATE_R_NET_CTRL_FEATURE, &err,
				rte_vhost_state_validate(st, &err));
		st->driver_features ^= UINT64_C(1) << bit;
	}
	assert_int_equal(rte_vhost_state_validate(st, &err), 0);
	rte_vhost_state_free(st);
}

static void
control_queue_fits_where_its_index_is_the_same(void **state)
{
	struct rte_vhost_state *st = sample_net_ctrl();
	struct rte_vhost_state_limits lim = sample_net_ctrl_limits();
	struct rte_vhost_state_error err;

	assert_int_equal(rte_vhost_state_check_fit(st, &lim, &err), 0);
	lim.ctrl_vq = UINT16_MAX;
	assert_int_equal(rte_vhost_state_check_fit(st, &lim, &err), 0);
	/* a front end that serves the queue itself never set it up */
	memset(&st->net.ctrl, 0, sizeof(st->net.ctrl));
	memset(&st->vqs[SAMPLE_CTRL_VQ], 0, sizeof(st->vqs[0]));
	lim.ctrl_vq = 8;
	assert_int_equal(rte_vhost_state_check_fit(st, &lim, &err), 0);
	rte_vhost_state_free(st);
}

/* Change one byte of the value of a part, seal, and return the reason of the refusal. */
static enum rte_vhost_state_reason
spoil(uint16_t type, unsigned int nth, unsigned int at, uint8_t value)
{
	struct rte_vhost_state *st = sample_net_ctrl();
	struct rte_vhost_state_error err;
	uint8_t *buf;
	size_t len;

	buf = test_encode(st, &len);
	buf[test_find_part(buf, len, type, nth) + at] = value;
	test_seal(buf, len);
	rte_vhost_state_free(st);
	st = rte_vhost_state_decode(buf, len, &err);
	rte_vhost_state_free(st);
	free(buf);
	return st == NULL ? err.reason : RTE_VHOST_STATE_R_NONE;
}

static void
wrong_bytes_of_the_parts_are_refused(void **state)
{
	/* a mode of 2, numbers of addresses, VLANs out of order and out of range */
	assert_int_equal(spoil(CVQ_CFG_TYPE, 0, HEADER, 2), RTE_VHOST_STATE_R_PART_RESERVED);
	assert_int_equal(spoil(CVQ_CFG_TYPE, 6, HEADER, 3), RTE_VHOST_STATE_R_PART_LENGTH);
	assert_int_equal(spoil(CVQ_CFG_TYPE, 6, HEADER + 3, 0xff), RTE_VHOST_STATE_R_PART_LENGTH);
	assert_int_equal(spoil(VLANS_TYPE, 0, HEADER + 2, 1), RTE_VHOST_STATE_R_PART_RESERVED);
	assert_int_equal(spoil(VLANS_TYPE, 0, HEADER + 5, 0x10), RTE_VHOST_STATE_R_PART_RESERVED);
	/* selectors: an unknown command, the command before, a third byte */
	assert_int_equal(spoil(CVQ_CFG_TYPE, 1, 5, 6), RTE_VHOST_STATE_R_PART_UNKNOWN);
	assert_int_equal(spoil(CVQ_CFG_TYPE, 1, 5, 0), RTE_VHOST_STATE_R_PART_DUPLICATE);
	assert_int_equal(spoil(CVQ_CFG_TYPE, 0, 5, 2), RTE_VHOST_STATE_R_PART_ORDER);
	assert_int_equal(spoil(CVQ_CFG_TYPE, 0, 6, 1), RTE_VHOST_STATE_R_PART_RESERVED);
	/* bit 0 of the flags: a reader that does not know the command skips it */
	assert_int_equal(spoil(CVQ_CFG_TYPE, 0, 2, 1), RTE_VHOST_STATE_R_NONE);
}

static void
each_setting_makes_a_difference(void **state)
{
	struct rte_vhost_state *a = sample_net_ctrl(), *b = sample_net_ctrl();
	struct rte_vhost_state_net_ctrl *ctrl = &b->net.ctrl;

	assert_true(rte_vhost_state_equal(a, b));
#define DIFFERS(statement) do { \
		statement; \
		assert_false(rte_vhost_state_equal(a, b)); \
		*ctrl = a->net.ctrl; \
	} while (0)
	DIFFERS(ctrl->accepted = 0);
	DIFFERS(ctrl->rx_mode = 0);
	DIFFERS(ctrl->mac.addr_bytes[0] = 0);
	DIFFERS(ctrl->pairs = 1);
	DIFFERS(ctrl->offloads = 0);
	DIFFERS(ctrl->nb_unicast = 1);
	DIFFERS(ctrl->nb_multicast = 0);
	DIFFERS(ctrl->macs[2].addr_bytes[5] = 0);
	DIFFERS(ctrl->vlans[63] = 0);
#undef DIFFERS
	assert_true(rte_vhost_state_equal(a, b));
	rte_vhost_state_free(a);
	rte_vhost_state_free(b);
}

static void
full_table_of_addresses_is_encoded_and_decoded(void **state)
{
	struct rte_vhost_state *st = sample_net_ctrl(), *got;
	struct rte_vhost_state_error err;
	uint8_t *buf;
	size_t len;

	st->net.ctrl.nb_unicast = 0;
	st->net.ctrl.nb_multicast = RTE_VHOST_STATE_NET_MACS;
	memset(st->net.ctrl.macs, 0x5b, sizeof(st->net.ctrl.macs));
	memset(st->net.ctrl.vlans, 0xff, sizeof(st->net.ctrl.vlans));
	buf = test_encode(st, &len);
	got = rte_vhost_state_decode(buf, len, &err);
	assert_non_null(got);
	assert_true(rte_vhost_state_equal(st, got));
	free(buf);
	rte_vhost_state_free(got);
	rte_vhost_state_free(st);
}

int
test_net_ctrl(void)
{
	struct CMUnitTest rows[RTE_DIM(invalid) + RTE_DIM(unfit)];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_without_its_feature_is_refused),
		cmocka_unit_test(control_queue_fits_where_its_index_is_the_same),
		cmocka_unit_test(wrong_bytes_of_the_parts_are_refused),
		cmocka_unit_test(each_setting_makes_a_difference),
		cmocka_unit_test(full_table_of_addresses_is_encoded_and_decoded),
	};
	int failed;

	tests_of_rows(rows, invalid, test_is_invalid);
	tests_of_rows(rows + RTE_DIM(invalid), unfit, test_does_not_fit);
	failed = cmocka_run_group_tests_name("net control refusals", rows, NULL, NULL);
	return failed + cmocka_run_group_tests_name("net control", tests, NULL, NULL);
}
