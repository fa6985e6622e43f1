/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef FUZZ_IN_H
#define FUZZ_IN_H

/**
 * @file
 * What all fuzzers share: the input, read as a stream of small numbers, and properties that must
 * hold. Behind its end an input has zeros, so that each input is a valid one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_common.h>

struct fuzz_in {
	const uint8_t *at, *end;
};

static inline bool
fuzz_has_more(const struct fuzz_in *in)
{
	return in->at < in->end;
}

static inline uint8_t
fuzz_u8(struct fuzz_in *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static inline uint16_t
fuzz_u16(struct fuzz_in *in)
{
	uint16_t low = fuzz_u8(in);

	return low | fuzz_u8(in) << 8;
}

static inline uint32_t
fuzz_u32(struct fuzz_in *in)
{
	uint32_t low = fuzz_u16(in);

	return low | (uint32_t)fuzz_u16(in) << 16;
}

static inline uint64_t
fuzz_u64(struct fuzz_in *in)
{
	uint64_t low = fuzz_u32(in);

	return low | (uint64_t)fuzz_u32(in) << 32;
}

/** Copy up to @p max bytes of the input. @return their number */
static inline size_t
fuzz_bytes(struct fuzz_in *in, void *to, size_t max)
{
	size_t n = RTE_MIN(max, (size_t)(in->end - in->at));

	memcpy(to, in->at, n);
	in->at += n;
	return n;
}

/** Check a property. A failure prints it and ends the process, as libFuzzer needs. */
void fuzz_require(bool holds, const char *what);

/** Return the lowest number that no open descriptor has. It is the same if none was left open. */
int fuzz_free_fd(void);

/**
 * Begin or end the making of what lasts as long as the process. It lies in memory of EAL, in which
 * the leak sanitizer does not search for pointers.
 */
void fuzz_lasting(bool begin);

/** Start EAL without huge pages, devices and shared files. Ends the process on failure. */
void fuzz_eal_start(void);

/* What libFuzzer calls. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* FUZZ_IN_H */
