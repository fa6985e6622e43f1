/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SIMD_H
#define VSTATE_SIMD_H

/**
 * @file
 * Lanes of 64-bit words: one operation on several descriptors. The number of lanes depends on the
 * instruction set of this build of the ring code (see vstate_isa.h). Without VSTATE_SIMD_LANES
 * plain C does all of the work.
 *
 * Fours: four neighbours of an array, loaded early and kept in a register until they are used.
 * A load behind a store to an address with the same lower 12 bits waits for that store, although
 * the two are unrelated. The stores of a burst of frames cover nearly all of these addresses.
 * Then the addresses of the mbufs and of the arrays on the stack decide whether a frame costs 15
 * or 35 cycles. Loaded four frames ahead, the words arrive while other frames are copied. Without
 * VSTATE_SIMD_FOUR the instruction set has too few registers for this.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

#ifdef __AVX2__

#include <immintrin.h>

#include "vstate_compat.h"

/* Load once: without this the compiler may load the value again at each use. */
static vstate_inline __m128i
simd_16_once(__m128i v)
{
	__asm__ volatile("" : "+x"(v));
	return v;
}

/** True if one of eight unsigned 16-bit words is greater than @p most. */
static vstate_inline bool
simd_16_any_above(__m128i v, uint16_t most)
{
	const __m128i above = _mm_subs_epu16(v, _mm_set1_epi16(most));

	return !_mm_testz_si128(above, above);
}

#endif

#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512DQ__)

#define VSTATE_SIMD_LANES 8
typedef __m512i vstate_simd;

static vstate_inline vstate_simd
simd_all(uint64_t v)
{
	return _mm512_set1_epi64(v);
}

static vstate_inline vstate_simd
simd_add(vstate_simd a, vstate_simd b)
{
	return _mm512_add_epi64(a, b);
}

static vstate_inline vstate_simd
simd_sub(vstate_simd a, vstate_simd b)
{
	return _mm512_sub_epi64(a, b);
}

static vstate_inline vstate_simd
simd_and(vstate_simd a, vstate_simd b)
{
	return _mm512_and_si512(a, b);
}

static vstate_inline vstate_simd
simd_or(vstate_simd a, vstate_simd b)
{
	return _mm512_or_si512(a, b);
}

/** Bit i of the result is set if lane i of @p a differs from lane i of @p b. */
static vstate_inline uint32_t
simd_differ(vstate_simd a, vstate_simd b)
{
	return _mm512_cmpneq_epi64_mask(a, b);
}

/** Bit i of the result is set if lane i of @p a is greater than lane i of @p b, unsigned. */
static vstate_inline uint32_t
simd_above(vstate_simd a, vstate_simd b)
{
	return _mm512_cmpgt_epu64_mask(a, b);
}

static vstate_inline void
simd_store(void *p, vstate_simd v)
{
	_mm512_storeu_si512(p, v);
}

/** Store the lower half of each lane, one after another. */
static vstate_inline void
simd_store_low(void *p, vstate_simd v)
{
	_mm256_storeu_si256(p, _mm512_cvtepi64_epi32(v));
}

/** Load one 16-bit word for each lane, once. */
static vstate_inline __m128i
simd_16_load(const uint16_t *p)
{
	return simd_16_once(_mm_loadu_si128((const __m128i *)p));
}

/** Widen 16-bit words to lanes and shift them left by 32 bits. */
static vstate_inline vstate_simd
simd_16_up_32(__m128i v)
{
	return _mm512_slli_epi64(_mm512_cvtepu16_epi64(v), 32);
}

/** Multiply 16-bit words by 16 and store them as 32-bit words. */
static vstate_inline void
simd_16_store_times_16(uint32_t *p, __m128i v)
{
	_mm256_storeu_si256((__m256i *)p, _mm256_slli_epi32(_mm256_cvtepu16_epi32(v), 4));
}

/* Split eight pairs into their first words and their second words. */
static vstate_inline void
simd_pairs_split(__m512i a, __m512i b, vstate_simd *first, vstate_simd *second)
{
	*first = _mm512_permutex2var_epi64(a, _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14), b);
	*second = _mm512_permutex2var_epi64(a, _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15), b);
}

/** Load one pair of words for each lane, from pairs one after another. */
static vstate_inline void
simd_load_pairs(const void *p, vstate_simd *first, vstate_simd *second)
{
	simd_pairs_split(_mm512_loadu_si512(p), _mm512_loadu_si512((const uint8_t *)p + 64),
			first, second);
}

static vstate_inline __m256i
simd_load_2_pairs(const void *low, const void *high)
{
	return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(low)),
			_mm_loadu_si128(high), 1);
}

/* Load four pairs of a table, at byte offsets @p at. */
static vstate_inline __m512i
simd_load_4_pairs(const uint8_t *table, const uint32_t *at)
{
	return _mm512_inserti64x4(_mm512_castsi256_si512(
			simd_load_2_pairs(table + at[0], table + at[1])),
			simd_load_2_pairs(table + at[2], table + at[3]), 1);
}

/** Load one pair of words of a table for each lane, at byte offsets @p at. */
static vstate_inline void
simd_load_pairs_at(const void *table, const uint32_t *at, vstate_simd *first, vstate_simd *second)
{
	simd_pairs_split(simd_load_4_pairs(table, at), simd_load_4_pairs(table, at + 4), first,
			second);
}

#elif defined(__AVX2__)

#define VSTATE_SIMD_LANES 4
typedef __m256i vstate_simd;

static vstate_inline vstate_simd
simd_all(uint64_t v)
{
	return _mm256_set1_epi64x(v);
}

static vstate_inline vstate_simd
simd_add(vstate_simd a, vstate_simd b)
{
	return _mm256_add_epi64(a, b);
}

static vstate_inline vstate_simd
simd_sub(vstate_simd a, vstate_simd b)
{
	return _mm256_sub_epi64(a, b);
}

static vstate_inline vstate_simd
simd_and(vstate_simd a, vstate_simd b)
{
	return _mm256_and_si256(a, b);
}

static vstate_inline vstate_simd
simd_or(vstate_simd a, vstate_simd b)
{
	return _mm256_or_si256(a, b);
}

static vstate_inline uint32_t
simd_mask(__m256i v)
{
	return _mm256_movemask_pd(_mm256_castsi256_pd(v));
}

static vstate_inline uint32_t
simd_differ(vstate_simd a, vstate_simd b)
{
	return simd_mask(_mm256_cmpeq_epi64(a, b)) ^ 0xf;
}

static vstate_inline uint32_t
simd_above(vstate_simd a, vstate_simd b)
{
	/* AVX2 compares signed values only. */
	const vstate_simd sign = simd_all(UINT64_C(1) << 63);

	return simd_mask(_mm256_cmpgt_epi64(_mm256_xor_si256(a, sign), _mm256_xor_si256(b, sign)));
}

static vstate_inline void
simd_store(void *p, vstate_simd v)
{
	_mm256_storeu_si256(p, v);
}

static vstate_inline void
simd_store_low(void *p, vstate_simd v)
{
	__m256i low = _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 2, 4, 6, 0, 0, 0, 0));

	_mm_storeu_si128(p, _mm256_castsi256_si128(low));
}

static vstate_inline __m128i
simd_16_load(const uint16_t *p)
{
	return simd_16_once(_mm_loadl_epi64((const __m128i *)p));
}

static vstate_inline vstate_simd
simd_16_up_32(__m128i v)
{
	return _mm256_slli_epi64(_mm256_cvtepu16_epi64(v), 32);
}

static vstate_inline void
simd_16_store_times_16(uint32_t *p, __m128i v)
{
	_mm_storeu_si128((__m128i *)p, _mm_slli_epi32(_mm_cvtepu16_epi32(v), 4));
}

/* Split pairs 0 and 2 (@p even) and pairs 1 and 3 (@p odd) into first and second words. */
static vstate_inline void
simd_pairs_split(__m256i even, __m256i odd, vstate_simd *first, vstate_simd *second)
{
	*first = _mm256_unpacklo_epi64(even, odd);
	*second = _mm256_unpackhi_epi64(even, odd);
}

static vstate_inline __m256i
simd_load_2_pairs(const void *low, const void *high)
{
	return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(low)),
			_mm_loadu_si128(high), 1);
}

static vstate_inline void
simd_load_pairs(const void *p, vstate_simd *first, vstate_simd *second)
{
	const __m128i *pair = p;

	simd_pairs_split(simd_load_2_pairs(&pair[0], &pair[2]),
			simd_load_2_pairs(&pair[1], &pair[3]), first, second);
}

static vstate_inline void
simd_load_pairs_at(const void *table, const uint32_t *at, vstate_simd *first, vstate_simd *second)
{
	const uint8_t *p = table;

	simd_pairs_split(simd_load_2_pairs(p + at[0], p + at[2]),
			simd_load_2_pairs(p + at[1], p + at[3]), first, second);
}

#endif

#ifdef __AVX2__

#define VSTATE_SIMD_FOUR 4

typedef uint64_t vstate_simd_four VSTATE_VECTOR(32);
typedef uint32_t vstate_simd_four_32 VSTATE_VECTOR(16);
typedef uint64_t vstate_simd_four_any VSTATE_VECTOR_AT(32, 1);
typedef uint32_t vstate_simd_four_32_any VSTATE_VECTOR_AT(16, 1);

/** Load four words or pointers. */
static vstate_inline vstate_simd_four
simd_four_load(const void *p)
{
	vstate_simd_four v = *(const vstate_simd_four_any *)p;

	/* Without this the compiler loads each word where it is used. */
	__asm__ volatile("" : "+x"(v));
	return v;
}

/** Load four 32-bit words. */
static vstate_inline vstate_simd_four_32
simd_four_load_32(const uint32_t *p)
{
	vstate_simd_four_32 v = *(const vstate_simd_four_32_any *)p;

	__asm__ volatile("" : "+x"(v));
	return v;
}

/** Index of the four behind those at @p i, or of the last four of @p n if fewer follow. */
static vstate_inline unsigned int
simd_four_next(unsigned int i, unsigned int n)
{
	return RTE_MIN(i + VSTATE_SIMD_FOUR, n - VSTATE_SIMD_FOUR);
}

#endif

#endif /* VSTATE_SIMD_H */
