/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * libFuzzer target of the decoder. Build and run:
 *
 *   CC=clang meson setup build-fuzz -Dfuzz=true && ninja -C build-fuzz
 *   meson test -C build-fuzz --suite fuzz
 *
 * fuzz_run.py runs it for a longer time. It makes the corpus from the golden files and from the
 * output of vhost-state-samples. A defect that the fuzzer finds gets a test in test_hostile.c.
 *
 * Each input is tried twice: unchanged, and with correct length and checksums. A fuzzer does not
 * find a checksum by chance, so it would never reach the bytes behind it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_vhost_state.h>

#include "vhost_state_bytes.h"
#include "vhost_state_crc.h"
#include "vhost_state_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *sink;

/** Check a property of every accepted state. A failure ends the process, as libFuzzer needs. */
static void
require_property(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static void
dump_state(const struct rte_vhost_state *st)
{
	if (sink == NULL)
		sink = fopen("/dev/null", "w");
	if (sink == NULL)
		return;
	rte_vhost_state_dump(st, sink);
	rte_vhost_state_dump_json(st, sink);
}

static void
round_trip(const struct rte_vhost_state *st)
{
	const size_t size = rte_vhost_state_encoded_size(st);
	struct rte_vhost_state *back;
	uint8_t *buf = malloc(size);
	size_t len;

	if (buf == NULL)
		return;
	require_property(rte_vhost_state_encode(st, buf, size, &len, NULL) == 0 && len == size,
			"an accepted state can be encoded");
	back = rte_vhost_state_decode(buf, len, NULL);
	require_property(back != NULL, "an encoded state is accepted");
	require_property(rte_vhost_state_equal(st, back), "a decoded state equals the encoded one");
	rte_vhost_state_free(back);
	free(buf);
}

static void
try_input(const uint8_t *data, size_t size)
{
	struct rte_vhost_state_error err;
	struct rte_vhost_state *st;
	char text[256];

	st = rte_vhost_state_decode(data, size, &err);
	require_property((st != NULL) == (err.reason == RTE_VHOST_STATE_R_NONE),
			"a refusal has a reason");
	rte_vhost_state_error_format(&err, text, sizeof(text));
	if (st == NULL)
		return;
	require_property(rte_vhost_state_validate(st, NULL) == 0, "an accepted state is valid");
	round_trip(st);
	dump_state(st);
	rte_vhost_state_free(st);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *sealed;

	try_input(data, size);
	if (size < VHOST_STATE_HEADER_SIZE)
		return 0;
	sealed = malloc(size);
	if (sealed == NULL)
		return 0;
	memcpy(sealed, data, size);
	vhost_state_put_le(sealed + VHOST_STATE_H_TOTAL, size, 4);
	vhost_state_put_le(sealed + VHOST_STATE_H_PARTS_CRC, vhost_state_crc32(0,
			sealed + VHOST_STATE_HEADER_SIZE, size - VHOST_STATE_HEADER_SIZE), 4);
	vhost_state_put_le(sealed + VHOST_STATE_H_CRC,
			vhost_state_crc32(0, sealed, VHOST_STATE_H_CRC), 4);
	try_input(sealed, size);
	free(sealed);
	return 0;
}
