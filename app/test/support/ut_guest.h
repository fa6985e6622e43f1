/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_GUEST_H
#define UT_GUEST_H

/**
 * @file
 * A guest's memory. Each region is one allocation of exactly its size, so that the address
 * sanitizer sees every access outside.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ring/vstate_mem.h"

#define GUEST_REGIONS 8

struct guest {
	struct vstate_mem mem;
	struct {
		uint64_t gpa, size;
		uint8_t *hva;
		/** What it was at the last guest_snapshot(). */
		uint8_t *copy;
	} regions[GUEST_REGIONS];
	unsigned int nb_regions;
};

/** Add a region, filled with a pattern. */
void guest_add(struct guest *g, uint64_t gpa, uint64_t size);
void guest_free(struct guest *g);

/** One byte; fails the test if the guest has none there. */
uint8_t *guest_at(const struct guest *g, uint64_t gpa);
void guest_write(const struct guest *g, uint64_t gpa, const void *src, uint32_t len);
void guest_read(const struct guest *g, uint64_t gpa, void *dst, uint32_t len);

void guest_snapshot(struct guest *g);
/** Say that changes of [gpa, gpa + len) since the snapshot are all right. */
void guest_allow(struct guest *g, uint64_t gpa, uint32_t len);
/** Fail if a byte differs from the snapshot. */
void guest_assert_unchanged(const struct guest *g);
/** Fail if a byte differs whose page has no bit in @p log. */
void guest_assert_logged(const struct guest *g, const uint8_t *log, uint64_t size);

#endif /* UT_GUEST_H */
