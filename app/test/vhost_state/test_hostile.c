/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>
#include <unistd.h>

#include "vhost_state_test.h"

/*
 * Bytes that are not trusted. Each buffer is allocated at its exact length, so that
 * AddressSanitizer detects a read of one byte too many.
 */

/** Decode a copy. Return whether it is accepted; the state must then survive a round trip. */
static bool
decode_accepts(const uint8_t *bytes, size_t len)
{
	struct rte_vhost_state *st, *back;
	uint8_t *buf = malloc(len > 0 ? len : 1);
	size_t len_again;

	assert_non_null(buf);
	memcpy(buf, bytes, len);
	st = rte_vhost_state_decode(buf, len, NULL);
	free(buf);
	if (st == NULL)
		return false;
	assert_int_equal(rte_vhost_state_validate(st, NULL), 0);
	buf = test_encode(st, &len_again);
	back = rte_vhost_state_decode(buf, len_again, NULL);
	assert_non_null(back);
	assert_true(rte_vhost_state_equal(st, back));
	free(buf);
	rte_vhost_state_free(back);
	rte_vhost_state_free(st);
	return true;
}

static void
assert_every_flip_refused(struct rte_vhost_state *st)
{
	uint8_t *buf;
	size_t len, bit;

	buf = test_encode(st, &len);
	for (bit = 0; bit < 8 * len; bit++) {
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(decode_accepts(buf, len));
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(decode_accepts(buf, len));
	free(buf);
	rte_vhost_state_free(st);
}

static void
every_flipped_bit_is_refused(void **state)
{
	assert_every_flip_refused(sample_split());
	assert_every_flip_refused(sample_packed_descs());
}

/** With a valid checksum, a flipped bit is refused or makes another valid state. */
static void
try_every_sealed_flip(struct rte_vhost_state *st)
{
	unsigned int good = 0;
	uint8_t *buf, *work;
	size_t len, bit;

	buf = test_encode(st, &len);
	work = malloc(len);
	for (bit = 0; bit < 8 * len; bit++) {
		memcpy(work, buf, len);
		work[bit / 8] ^= (uint8_t)(1 << bit % 8);
		test_seal(work, len);
		good += decode_accepts(work, len);
	}
	/* Fields such as MAC and statistics may have any value. Most other fields may not. */
	assert_in_range(good, 1, 8 * len / 2);
	free(work);
	free(buf);
	rte_vhost_state_free(st);
}

static void
every_flipped_bit_with_valid_checksum_is_refused_or_valid(void **state)
{
	try_every_sealed_flip(sample_split());
	try_every_sealed_flip(sample_packed_descs());
}

static void
every_truncation_is_refused(void **state)
{
	struct rte_vhost_state *st = sample_packed_descs();
	uint8_t *buf;
	size_t len, n;

	buf = test_encode(st, &len);
	for (n = 0; n < len; n++)
		assert_false(decode_accepts(buf, n));
	free(buf);
	rte_vhost_state_free(st);
}

/** With a valid length and checksum, only the optional statistics at the end can be cut. */
static void
every_sealed_truncation_is_refused(void **state)
{
	struct rte_vhost_state *st = sample_packed();
	size_t len, n, stats;
	uint8_t *buf, *work;

	buf = test_encode(st, &len);
	work = malloc(len);
	stats = test_find_part(buf, len, 0xf003, 0);
	assert_int_equal(stats + 32, len);
	for (n = 32; n < len; n++) {
		memcpy(work, buf, n);
		test_seal(work, n);
		assert_int_equal(decode_accepts(work, n), n == stats);
	}
	free(work);
	free(buf);
	rte_vhost_state_free(st);
}

/** Part types and lengths at random places, so that many of them are read as part headers. */
static void
random_parts_are_refused_or_valid(void **state)
{
	static const uint16_t types[] = {
		0x100, 0x101, 0x103, 0x104, 0xf000, 0xf001, 0xf002, 0xf003, 0x200, 0xffff,
	};
	struct rte_vhost_state *st = sample_split();
	unsigned int seed = 1, round, n;
	uint8_t *buf, *work;
	uint16_t type;
	size_t len, at;

	buf = test_encode(st, &len);
	work = malloc(len);
	for (round = 0; round < 20000; round++) {
		memcpy(work, buf, len);
		for (n = 0; n < 3; n++) {
			at = 32 + (size_t)rand_r(&seed) % (len - 32 - 16);
			type = types[(unsigned int)rand_r(&seed) % RTE_DIM(types)];
			work[at] = (uint8_t)type;
			work[at + 1] = (uint8_t)(type >> 8);
			work[at + 2] = (uint8_t)(rand_r(&seed) & 1);
			work[at + 12] = (uint8_t)rand_r(&seed);
			work[at + 4] = (uint8_t)(rand_r(&seed) % 6);
		}
		test_seal(work, len);
		decode_accepts(work, len);
	}
	free(work);
	free(buf);
	rte_vhost_state_free(st);
}

/** Write a valid header that announces @p total bytes. */
static void
write_header(uint32_t total, uint8_t header[32])
{
	struct rte_vhost_state *st = sample_split();
	uint8_t *buf;
	size_t len;

	buf = test_encode(st, &len);
	memcpy(header, buf, 32);
	test_seal_header(header, total);
	free(buf);
	rte_vhost_state_free(st);
}

static void
length_beyond_any_state_is_refused(void **state)
{
	struct rte_vhost_state_error err;
	uint8_t header[32];

	/* 257 virtqueues of 32768 buffers and descriptors of 16 bytes each are 257 MiB. */
	write_header(288 << 20, header);
	assert_refused(RTE_VHOST_STATE_R_BAD_HEADER, &err,
			test_state_result(rte_vhost_state_decode(header, 32, &err)));
	assert_int_equal(err.offset, 12);
	assert_int_equal(err.found, 288 << 20);
}

static void
announced_length_that_never_arrives_allocates_no_memory(void **state)
{
	struct rte_vhost_state_error err;
	uint8_t header[32];
	int pipes[2];

	write_header(128 << 20, header);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], header, 32), 32);
	close(pipes[1]);
	test_largest_allocation();
	assert_refused(RTE_VHOST_STATE_R_TRUNCATED, &err,
			test_state_result(rte_vhost_state_read(pipes[0], &err)));
	assert_in_range(test_largest_allocation(), 1, 64 * 1024);
	assert_int_equal(err.expected, 128 << 20);
	assert_int_equal(err.found, 32);
	close(pipes[0]);
}

int
test_hostile(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_flipped_bit_is_refused),
		cmocka_unit_test(every_flipped_bit_with_valid_checksum_is_refused_or_valid),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(every_sealed_truncation_is_refused),
		cmocka_unit_test(random_parts_are_refused_or_valid),
		cmocka_unit_test(length_beyond_any_state_is_refused),
		cmocka_unit_test(announced_length_that_never_arrives_allocates_no_memory),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
