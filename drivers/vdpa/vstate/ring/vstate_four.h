/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_FOUR_H
#define VSTATE_FOUR_H

/**
 * @file
 * Four neighbours of an array, read early and kept in a register until they are used.
 *
 * A load that follows a store to an address with the same lower 12 bits has to wait for that
 * store, though it has nothing to do with it. The stores of a burst of frames have nearly all of
 * these addresses. Where the array of a batch lies on the stack, and where the mbufs lie, then
 * decides whether a frame costs 15 or 35 cycles. Read four frames ahead, the words wait while
 * others are copied.
 *
 * Where VSTATE_FOUR is not defined there are not enough registers for that.
 */

#include <stdint.h>

#include <rte_common.h>

#ifdef __AVX2__

#define VSTATE_FOUR 4

typedef uint64_t vstate_four __attribute__((vector_size(32)));
typedef uint32_t vstate_four_32 __attribute__((vector_size(16)));
typedef uint64_t vstate_four_any __attribute__((vector_size(32), aligned(1), may_alias));
typedef uint32_t vstate_four_32_any __attribute__((vector_size(16), aligned(1), may_alias));

/** Words or pointers. */
static __rte_always_inline vstate_four
four_load(const void *p)
{
	vstate_four v = *(const vstate_four_any *)p;

	/* Else the compiler reads each of them where it is used. */
	__asm__ volatile("" : "+x"(v));
	return v;
}

static __rte_always_inline vstate_four_32
four_load_32(const uint32_t *p)
{
	vstate_four_32 v = *(const vstate_four_32_any *)p;

	__asm__ volatile("" : "+x"(v));
	return v;
}

/** Where the next four of @p n begin; the last four again when there are not so many. */
static __rte_always_inline unsigned int
four_next(unsigned int i, unsigned int n)
{
	return RTE_MIN(i + VSTATE_FOUR, n - VSTATE_FOUR);
}

#endif

#endif /* VSTATE_FOUR_H */
