/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Fuzzer of the decoder of states. It begins with the golden files and with the output of
 * vhost-state-samples. A defect that it finds gets a test in test_hostile.c.
 *
 * Each input is tried twice: unchanged, and with correct length and checksums. A fuzzer does not
 * find a checksum by chance, so it would never reach the bytes behind it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_vhost_state.h>

#include "fuzz_in.h"
#include "vhost_state_bytes.h"
#include "vhost_state_crc.h"
#include "vhost_state_format.h"

static FILE *sink;

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
	fuzz_require(rte_vhost_state_encode(st, buf, size, &len, NULL) == 0 && len == size,
			"an accepted state can be encoded");
	back = rte_vhost_state_decode(buf, len, NULL);
	fuzz_require(back != NULL, "an encoded state is accepted");
	fuzz_require(rte_vhost_state_equal(st, back), "a decoded state equals the encoded one");
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
	fuzz_require((st != NULL) == (err.reason == RTE_VHOST_STATE_R_NONE),
			"a refusal has a reason");
	rte_vhost_state_error_format(&err, text, sizeof(text));
	if (st == NULL)
		return;
	fuzz_require(rte_vhost_state_validate(st, NULL) == 0, "an accepted state is valid");
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
