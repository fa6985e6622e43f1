/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include "vhost_state_test.h"

/* The state of a console: what it refuses, and where it fits. */

#define CONSOLE_TYPE 0xf020
#define PORTS_TYPE 0xf021
#define PENDING_TYPE 0xf022
#define HEADER 16
#define PORT_SIZE 64

#define ROW(name, reason, expected, found, change) \
	TEST_REFUSAL(sample_console, name, reason, expected, found, change)
#define PORT st->console.ports

TEST_CHANGE(no_port, st->console.nb_ports = 0)
TEST_CHANGE(many_ports, st->console.nb_ports = 17)
TEST_CHANGE(wrong_ready, st->console.driver_ready = 2)
TEST_CHANGE(wrong_guest, PORT[0].guest_open = 3)
TEST_CHANGE(wrong_host, PORT[2].host_open = 2)
TEST_CHANGE(wrong_port_ready, PORT[1].ready = 9)
TEST_CHANGE(wrong_due, PORT[1].due = 0x20)
TEST_CHANGE(long_name, memset(PORT[0].name, 'a', RTE_VHOST_STATE_CONSOLE_NAME))
TEST_CHANGE(unprintable_name, PORT[0].name[3] = '\n')
TEST_CHANGE(quoted_name, PORT[0].name[3] = '"')
TEST_CHANGE(gap_in_name, PORT[0].name[20] = 'x')
TEST_CHANGE(not_first, PORT[0].to_host.id = 0)
TEST_CHANGE(no_buffer, PORT[0].to_guest.offset = 5)
TEST_CHANGE(id_without_offset, PORT[1].to_guest.id = 4)
TEST_CHANGE(queue_that_is_missing, PORT[2].to_host.offset = 6)
TEST_CHANGE(much_pending, PORT[1].nb_pending = 1025)

static const struct test_refusal invalid[] = {
	ROW("console_without_ports_is_refused", CONSOLE_PORTS, 1, 0, no_port),
	ROW("console_of_17_ports_is_refused", CONSOLE_PORTS, 16, 17, many_ports),
	ROW("driver_ready_of_2_is_refused", CONSOLE_FLAGS, 1, 2, wrong_ready),
	ROW("guest_open_of_3_is_refused", CONSOLE_FLAGS, 1, 3, wrong_guest),
	ROW("host_open_of_2_is_refused", CONSOLE_FLAGS, 1, 2, wrong_host),
	ROW("port_ready_of_9_is_refused", CONSOLE_FLAGS, 1, 9, wrong_port_ready),
	ROW("unknown_control_message_is_refused", CONSOLE_FLAGS, 0x1f, 0x20, wrong_due),
	ROW("name_without_end_is_refused", CONSOLE_NAME, 31, 32, long_name),
	ROW("name_with_control_character_is_refused", CONSOLE_NAME, ' ', '\n', unprintable_name),
	ROW("name_with_quote_is_refused", CONSOLE_NAME, ' ', '"', quoted_name),
	ROW("byte_behind_the_name_is_refused", CONSOLE_NAME, 0, 'x', gap_in_name),
	ROW("transfer_of_another_buffer_is_refused", CONSOLE_TRANSFER, 7, 0, not_first),
	ROW("transfer_without_buffer_in_flight_is_refused", CONSOLE_TRANSFER, 0, 5, no_buffer),
	ROW("buffer_of_no_transfer_is_refused", CONSOLE_TRANSFER, 0, 4, id_without_offset),
	ROW("transfer_of_a_missing_queue_is_refused", CONSOLE_TRANSFER, 0, 6,
			queue_that_is_missing),
	ROW("more_pending_bytes_than_fit_are_refused", CONSOLE_PENDING, 1024, 1025, much_pending),
};

TEST_CHANGE(other_number, lim->console_ports = 4)
TEST_CHANGE(disk, lim->device_id = RTE_VHOST_STATE_ID_BLK)

static const struct test_refusal unfit[] = {
	ROW("console_of_more_ports_does_not_fit", FIT_CONSOLE_PORTS, 4, 3, other_number),
	ROW("console_does_not_fit_disk", FIT_DEVICE_ID, 2, 3, disk),
};

static void
console_of_the_same_ports_fits(void **state)
{
	struct rte_vhost_state *st = sample_console();
	struct rte_vhost_state_limits lim = sample_console_limits();
	struct rte_vhost_state_error err;

	assert_int_equal(rte_vhost_state_check_fit(st, &lim, &err), 0);
	lim.console_ports = 0;
	assert_int_equal(rte_vhost_state_check_fit(st, &lim, &err), 0);
	rte_vhost_state_free(st);
}

/* Change one byte of the value of a part, seal, and return the reason of the refusal. */
static enum rte_vhost_state_reason
spoil(uint16_t type, unsigned int at, uint8_t value)
{
	struct rte_vhost_state *st = sample_console();
	struct rte_vhost_state_error err;
	uint8_t *buf;
	size_t len;

	buf = test_encode(st, &len);
	buf[test_find_part(buf, len, type, 0) + HEADER + at] = value;
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
	const unsigned int second = 4 + SAMPLE_PENDING;

	assert_int_equal(spoil(CONSOLE_TYPE, 7, 1), RTE_VHOST_STATE_R_PART_RESERVED);
	assert_int_equal(spoil(PORTS_TYPE, 2 * PORT_SIZE + 12, 1),
			RTE_VHOST_STATE_R_PART_RESERVED);
	assert_int_equal(spoil(PORTS_TYPE, PORT_SIZE, 2), RTE_VHOST_STATE_R_CONSOLE_FLAGS);
	/* bytes of a port that is not there, of port 0 again, none, too many, not there */
	assert_int_equal(spoil(PENDING_TYPE, second, 3), RTE_VHOST_STATE_R_CONSOLE_PENDING);
	assert_int_equal(spoil(PENDING_TYPE, second, 0), RTE_VHOST_STATE_R_CONSOLE_PENDING);
	assert_int_equal(spoil(PENDING_TYPE, second + 2, 0), RTE_VHOST_STATE_R_CONSOLE_PENDING);
	assert_int_equal(spoil(PENDING_TYPE, 3, 4), RTE_VHOST_STATE_R_CONSOLE_PENDING);
	assert_int_equal(spoil(PENDING_TYPE, second + 2, 3), RTE_VHOST_STATE_R_CONSOLE_PENDING);
	/* a header of an entry that is cut */
	assert_int_equal(spoil(PENDING_TYPE, second + 2, 1), RTE_VHOST_STATE_R_CONSOLE_PENDING);
	/* another byte is another state */
	assert_int_equal(spoil(PENDING_TYPE, second + 4, 1), RTE_VHOST_STATE_R_NONE);
}

static void
most_pending_bytes_of_all_ports_are_carried(void **state)
{
	struct rte_vhost_state *st = sample_console(), *copy;
	struct rte_vhost_state_error err;
	uint8_t *buf;
	size_t len;
	unsigned int i;

	st->console.nb_ports = RTE_VHOST_STATE_CONSOLE_PORTS;
	for (i = 0; i < RTE_VHOST_STATE_CONSOLE_PORTS; i++) {
		st->console.ports[i].nb_pending = RTE_VHOST_STATE_CONSOLE_PENDING;
		memset(st->console.ports[i].pending, i, RTE_VHOST_STATE_CONSOLE_PENDING);
	}
	buf = test_encode(st, &len);
	copy = rte_vhost_state_decode(buf, len, &err);
	assert_non_null(copy);
	assert_true(rte_vhost_state_equal(st, copy));
	rte_vhost_state_free(copy);
	rte_vhost_state_free(st);
	free(buf);
}

static void
each_field_makes_a_difference(void **state)
{
	struct rte_vhost_state *a = sample_console(), *b = sample_console();

	assert_true(rte_vhost_state_equal(a, b));
#define DIFFERS(statement) do { \
		statement; \
		assert_false(rte_vhost_state_equal(a, b)); \
		b->console = a->console; \
	} while (0)
	DIFFERS(b->console.nb_ports = 2);
	DIFFERS(b->console.driver_ready = 0);
	DIFFERS(b->console.ports[0].guest_open = 0);
	DIFFERS(b->console.ports[0].host_open = 1);
	DIFFERS(b->console.ports[0].ready = 0);
	DIFFERS(b->console.ports[2].due = 1);
	DIFFERS(b->console.ports[0].cols = 81);
	DIFFERS(b->console.ports[0].rows = 1);
	DIFFERS(b->console.ports[0].name[0] = 'O');
	DIFFERS(b->console.ports[0].to_host.id = 1);
	DIFFERS(b->console.ports[0].to_host.offset = 1);
	DIFFERS(b->console.ports[1].to_guest.id = 1);
	DIFFERS(b->console.ports[1].to_guest.offset = 1);
	DIFFERS(b->console.ports[2].nb_pending = 1);
	DIFFERS(b->console.ports[0].pending[SAMPLE_PENDING - 1]++);
#undef DIFFERS
	/* bytes behind the last one are no part of the state */
	b->console.ports[2].pending[2] = 1;
	assert_true(rte_vhost_state_equal(a, b));
	rte_vhost_state_free(a);
	rte_vhost_state_free(b);
}

int
test_console(void)
{
	struct CMUnitTest rows[RTE_DIM(invalid) + RTE_DIM(unfit)];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(console_of_the_same_ports_fits),
		cmocka_unit_test(wrong_bytes_of_the_parts_are_refused),
		cmocka_unit_test(most_pending_bytes_of_all_ports_are_carried),
		cmocka_unit_test(each_field_makes_a_difference),
	};
	int failed;

	tests_of_rows(rows, invalid, test_is_invalid);
	tests_of_rows(rows + RTE_DIM(invalid), unfit, test_does_not_fit);
	failed = cmocka_run_group_tests_name("console refusals", rows, NULL, NULL);
	return failed + cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
