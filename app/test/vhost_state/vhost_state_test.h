/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_TEST_H
#define VHOST_STATE_TEST_H

/**
 * @file
 * What the files of vhost-state-autotest share. One file a concern, each with one group of tests.
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

/* Groups of tests; each returns the number of those that failed. */
int test_model(void);
int test_codec(void);
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
/** Last: that every reason was seen by one of the others. */
int test_coverage(void);

/* ---- refusals ---- */

/** Reasons that assert_refused() has seen. */
extern bool test_reason_seen[RTE_VHOST_STATE_R_MAX];

/**
 * That @p call returns the -errno of @p why, fills @p err with it and counts it once.
 * A macro, so that a failure tells the line of the test.
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
 * A test of each row of @p table, which has a name and is the test's initial state, from @p to
 * on. A macro, as each table is of its own type.
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

/** The result of a function that returns a state, as 0 or -rte_errno; frees the state. */
int test_state_result(struct rte_vhost_state *st);

/* ---- bytes ---- */

/** Encode @p st, which must be valid; to be freed. */
uint8_t *test_encode(const struct rte_vhost_state *st, size_t *len);

/** That @p st is encoded to the @p len bytes @p bytes. */
void test_assert_encoded(const struct rte_vhost_state *st, const uint8_t *bytes, size_t len);

/** Write length and checksums anew after a change of other bytes. */
void test_seal(uint8_t *buf, size_t len);

/** The same for a header alone, which then announces @p total bytes. */
void test_seal_header(uint8_t *buf, uint32_t total);

/** Offset of the nth part (0: first) of @p type, or 0. */
size_t test_find_part(const uint8_t *buf, size_t len, uint16_t type, unsigned int nth);

/** Length of the part at @p at, its header included. */
size_t test_part_len(const uint8_t *buf, size_t at);

/* ---- faults of the system ---- */

/** The nth allocation from now on fails; 0: none. */
void test_fail_allocation(unsigned int nth);

/** Bytes of the largest allocation since the last call. */
size_t test_largest_allocation(void);

/** read() and write() move at most @p max bytes and every other one is interrupted; 0: not. */
void test_disturb_io(size_t max);

/** The nth call from now on of write(), fsync() or rename() fails with @p err; 0: none. */
void test_fail_file_call(unsigned int nth, int err);
/** True if that call was reached. */
bool test_file_call_failed(void);

/** Empty the log of file calls. */
void test_file_calls_clear(void);
/** The first calls since then, in order: w write(), s fsync(), r rename(). */
const char *test_file_calls(void);

#endif /* VHOST_STATE_TEST_H */
