/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef FUZZ_GUEST_H
#define FUZZ_GUEST_H

/**
 * @file
 * The guest's memory of a fuzzer: the three areas of a ring, each a region of exactly its size,
 * one region of buffers, and behind a hole two more that touch. All lie in one block with poisoned
 * bytes between them, so that the address sanitizer sees every access outside, and so that one
 * comparison shows whether a load is one of guest memory.
 *
 * While a burst runs, its loads of guest memory are counted, and the input changes memory directly
 * before some of them: see fuzz_race_begin().
 */

#include <stdbool.h>
#include <stdint.h>

#include "fuzz_in.h"
#include "ring/vstate_mem.h"

enum fuzz_area { FUZZ_DESC, FUZZ_DRIVER, FUZZ_DEVICE, FUZZ_BUF, FUZZ_BUF2, FUZZ_BUF3, FUZZ_AREAS };

/** Largest ring. */
#define FUZZ_RING_MAX 256
/** Bytes of the dirty log, for the pages of all areas. */
#define FUZZ_LOG_SIZE 128

struct fuzz_guest {
	struct vstate_mem mem;
	struct {
		uint64_t gpa;
		uint32_t size;
		/** Where it is, and the same bytes at the last snapshot. */
		uint8_t *hva, *copy;
	} areas[FUZZ_AREAS];
	uint8_t *log;
};

extern struct fuzz_guest fuzz_guest;

/** Make the memory for a ring of @p size entries, filled with a pattern. */
void fuzz_guest_make(bool packed, uint16_t size);
/** Return @p len bytes of guest memory, or NULL if they are not in one region. */
uint8_t *fuzz_guest_at(uint64_t gpa, uint32_t len);
/** Write bytes one by one; those outside are ignored. */
void fuzz_guest_write(uint64_t gpa, const void *bytes, uint32_t len);
/** Read bytes one by one. False: not all of them are the guest's. */
bool fuzz_guest_read(uint64_t gpa, void *bytes, uint32_t len);

/** Read an address: mostly near the begin or the end of an area. */
uint64_t fuzz_guest_addr(struct fuzz_in *in);

void fuzz_guest_snapshot(void);
/** Changes of the range since the snapshot are right. */
void fuzz_guest_allow(uint64_t gpa, uint32_t len);
/** Require that nothing else changed since the snapshot. */
void fuzz_guest_require_unchanged(const char *what);
/** Require a bit of the dirty log for each byte that changed since the snapshot. */
void fuzz_guest_require_logged(void);

/**
 * From now on, each load of guest memory may change it: the input has the number of loads to the
 * next change, and the change. Changes are in the snapshot too. The input ends the changes.
 */
void fuzz_race_begin(struct fuzz_in *in);
void fuzz_race_end(void);

#endif /* FUZZ_GUEST_H */
