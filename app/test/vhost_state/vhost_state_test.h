/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_TEST_H
#define VHOST_STATE_TEST_H

/**
 * @file
 * Helpers of vhost-state-autotest. Each file has one concern and one group of tests.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <rte_vhost_state.h>

#include "vhost_state_sample.h"

/* Run a group of tests. Return the number of failed tests. */
int test_model(void);
int test_codec(void);
int test_blk(void);
int test_net_ctrl(void);
int test_console(void);
int test_scsi(void);
int test_class(void);
int test_golden(void);
int test_refuse_model(void);
int test_refuse_bytes(void);
int test_refuse_fit(void);
int test_hostile(void);
int test_order(void);
int test_reason(void);
int test_io(void);
int test_backend(void);
int test_dump(void);
/** Test that the other groups have seen every reason. Must be the last group. */
int test_coverage(void);

/* ---- refusals ---- */

/** Reasons that assert_refused() has seen. */
extern bool test_reason_seen[RTE_VHOST_STATE_R_MAX];

/**
 * Assert that @p call returns the -errno of @p why, fills @p err with it and counts it once.
 * A macro, so that a failure has the line of the test.
 */
#define assert_refused(why, err, call) do { \
	const uint64_t before_ = rte_vhost_state_reason_count(why); \
	assert_int_equal(call, -rte_vhost_state_reason_errno(why)); \
	assert_string_equal(rte_vhost_state_reason_name((err)->reason), \
			rte_vhost_state_reason_name(why)); \
	assert_int_equal(rte_vhost_state_reason_count(why), before_ + 1); \
	test_reason_seen[why] = true; \
} while (0)

/**
 * Make a test of each row of @p table, from @p to on. The row has the name of the test and is its
 * initial state. A macro, because each table has its own type.
 */
#define tests_of_rows(to, table, func) do { \
	struct CMUnitTest *to_ = (to); \
	unsigned int i_; \
	for (i_ = 0; i_ < RTE_DIM(table); i_++) \
		to_[i_] = (struct CMUnitTest){ \
			.name = (table)[i_].name, \
			.test_func = (func), \
			.initial_state = (void *)(uintptr_t)&(table)[i_], \
		}; \
} while (0)

/**
 * A change of a sample, or of limits that it fits, for which it is refused. A failure of the test
 * has its name.
 */
struct test_refusal {
	const char *name;
	enum rte_vhost_state_reason reason;
	uint64_t expected, found;
	struct rte_vhost_state *(*sample)(void);
	struct rte_vhost_state_limits (*limits)(void);
	void (*change)(struct rte_vhost_state *st, struct rte_vhost_state_limits *lim);
};

/** @p sample  function that makes the sample; with "_limits" behind its name, the limits */
#define TEST_REFUSAL(sample, name, reason, expected, found, change) \
	{ name, RTE_VHOST_STATE_R_##reason, expected, found, sample, sample##_limits, change }
/** Define a change: @p statement changes st or lim. */
#define TEST_CHANGE(name, statement) \
	static void name(struct rte_vhost_state *st, struct rte_vhost_state_limits *lim) \
	{ (void)st; (void)lim; statement; }

/* Tests of rows of struct test_refusal. */
/** The changed sample is not valid. */
void test_is_invalid(void **state);
/** The changed sample does not fit the changed limits. */
void test_does_not_fit(void **state);

/** Convert the result of a function that returns a state to 0 or -rte_errno. Frees the state. */
int test_state_result(struct rte_vhost_state *st);

/* ---- bytes ---- */

/** Encode the valid state @p st. Return its bytes, to be freed. */
uint8_t *test_encode(const struct rte_vhost_state *st, size_t *len);

/** Assert that @p st is encoded to the @p len bytes @p bytes. */
void test_assert_encoded(const struct rte_vhost_state *st, const uint8_t *bytes, size_t len);

/** Correct length and checksums after a change of other bytes. */
void test_seal(uint8_t *buf, size_t len);

/** Write the length @p total into a header and correct the checksum of the header. */
void test_seal_header(uint8_t *buf, uint32_t total);

/** Return the offset of the nth part (0: first) of @p type, or 0 if there is none. */
size_t test_find_part(const uint8_t *buf, size_t len, uint16_t type, unsigned int nth);

/** Return the length in bytes of the part at @p at, including its header. */
size_t test_part_len(const uint8_t *buf, size_t at);

/* ---- failing system calls and allocations ---- */

/** Let the nth allocation from now on fail; 0: none. */
void test_fail_allocation(unsigned int nth);

/** Return the size in bytes of the largest allocation since the last call. */
size_t test_largest_allocation(void);

/** Limit read() and write() to @p max bytes, and interrupt every second call; 0: do neither. */
void test_disturb_io(size_t max);

/** Let the nth call of write(), fsync() or rename() from now on fail with @p err; 0: none. */
void test_fail_file_call(unsigned int nth, int err);
/** Return true if that call was made. */
bool test_file_call_failed(void);

/** Clear the log of file calls. */
void test_file_calls_clear(void);
/** Return the first calls since then, in order: w write(), s fsync(), r rename(). */
const char *test_file_calls(void);

#endif /* VHOST_STATE_TEST_H */
