/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <sanitizer/asan_interface.h>

#include <rte_branch_prediction.h>

#include "fuzz_guest.h"

/* Poisoned bytes around each area; more than the widest vector, and than a few descriptors. */
#define GAP 256
#define BUF_SIZE 8192
#define BUF3_SIZE 1024
/* Room of the block and of the snapshot. */
#define BLOCK_SIZE 65536

struct fuzz_guest fuzz_guest;

static struct {
	alignas(4096) uint8_t bytes[BLOCK_SIZE];
	uint8_t copy[BLOCK_SIZE], pattern[BLOCK_SIZE];
	uint8_t log[FUZZ_LOG_SIZE];
	/** Bytes in use. */
	uint32_t used;
} block;

static const uint64_t gpas[FUZZ_AREAS] = { 0x10000, 0x20000, 0x30000, 0x100000, 0x200000,
	0x200000 + BUF_SIZE };

/*
 * ---- changes while a burst runs ----
 *
 * This file is compiled without sanitizers: the hook is called at each load of the driver.
 */

static struct {
	struct fuzz_in *in;
	/** Loads up to the next change. */
	uint32_t left;
} race;

static void
race_next(void)
{
	if (race.in->at >= race.in->end)
		race.in = NULL;
	else
		race.left = 1 + *race.in->at++;
}

/* Change a byte, or a few, at or near the address that is loaded next. */
static void
race_change(uint8_t *p)
{
	const uint8_t how = race.in->at < race.in->end ? *race.in->at++ : 0;
	const uint8_t value = race.in->at < race.in->end ? *race.in->at++ : 0;
	int32_t off = how & 0x80 ? (int8_t)(how << 4) * 2 : how >> 3 & 7;
	uint32_t at = (uint32_t)(p - block.bytes) + off;

	if (at >= block.used)
		return;
	/* a poisoned byte is no memory of the guest */
	if (__asan_address_is_poisoned(&block.bytes[at]))
		return;
	switch (how & 3) {
	case 0:
		block.bytes[at] = value;
		break;
	case 1:
		block.bytes[at] ^= value;
		break;
	case 2:
		block.bytes[at] += value;
		break;
	default:
		block.bytes[at] ^= 1 << (value & 7);
		break;
	}
	block.copy[at] = block.bytes[at];
}

static inline void
race_load(void *p)
{
	if (likely(race.in == NULL) || (uintptr_t)p - (uintptr_t)block.bytes >= block.used ||
			--race.left > 0)
		return;
	race_change(p);
	race_next();
}

/* What the compiler calls before each load of the driver (-fsanitize-coverage=trace-loads). */
#define LOAD_HOOK(name, type) \
	void name(type *p); \
	void \
	name(type *p) { race_load(p); }

LOAD_HOOK(__sanitizer_cov_load1, uint8_t)
LOAD_HOOK(__sanitizer_cov_load2, uint16_t)
LOAD_HOOK(__sanitizer_cov_load4, uint32_t)
LOAD_HOOK(__sanitizer_cov_load8, uint64_t)
LOAD_HOOK(__sanitizer_cov_load16, __uint128_t)

void
fuzz_race_begin(struct fuzz_in *in)
{
	race.in = in;
	race_next();
}

void
fuzz_race_end(void)
{
	race.in = NULL;
}

/* ---- memory ---- */

void
fuzz_guest_make(bool packed, uint16_t size)
{
	const uint32_t sizes[FUZZ_AREAS] = { 16u * size, packed ? 4 : 6 + 2u * size,
		packed ? 4 : 6 + 8u * size, BUF_SIZE, BUF_SIZE, BUF3_SIZE };
	struct vstate_region table[FUZZ_AREAS];
	uint32_t at = GAP, i;

	if (block.pattern[1] == 0)
		for (i = 0; i < BLOCK_SIZE; i++)
			block.pattern[i] = i * 31 + 7;
	__asan_unpoison_memory_region(block.bytes, BLOCK_SIZE);
	for (i = 0; i < FUZZ_AREAS; i++) {
		fuzz_guest.areas[i].gpa = gpas[i];
		fuzz_guest.areas[i].size = sizes[i];
		fuzz_guest.areas[i].hva = block.bytes + at;
		fuzz_guest.areas[i].copy = block.copy + at;
		table[i] = (struct vstate_region){ gpas[i], sizes[i], block.bytes + at };
		if (i <= FUZZ_DEVICE)
			memset(block.bytes + at, 0, sizes[i]);
		else
			memcpy(block.bytes + at, block.pattern, sizes[i]);
		at = RTE_ALIGN_CEIL(at + sizes[i], 64) + GAP;
	}
	fuzz_require(at <= BLOCK_SIZE, "the guest's memory has room");
	block.used = at;
	for (i = 0; i < FUZZ_AREAS; i++) {
		uint8_t *end = fuzz_guest.areas[i].hva + sizes[i];

		__asan_poison_memory_region(end, (i + 1 < FUZZ_AREAS ? fuzz_guest.areas[i + 1].hva :
				block.bytes + at) - end);
	}
	__asan_poison_memory_region(block.bytes, GAP);
	fuzz_guest.log = block.log;
	memset(block.log, 0, sizeof(block.log));
	fuzz_require(vstate_mem_build(&fuzz_guest.mem, table, FUZZ_AREAS) == 0,
			"the table of regions is right");
}

static int
area_of(uint64_t gpa)
{
	int i;

	for (i = 0; i < FUZZ_AREAS; i++) {
		if (gpa >= gpas[i] && gpa - gpas[i] < fuzz_guest.areas[i].size)
			return i;
	}
	return -1;
}

uint8_t *
fuzz_guest_at(uint64_t gpa, uint32_t len)
{
	int i = area_of(gpa);

	if (i < 0 || len > fuzz_guest.areas[i].size - (gpa - gpas[i]))
		return NULL;
	return fuzz_guest.areas[i].hva + (gpa - gpas[i]);
}

void
fuzz_guest_write(uint64_t gpa, const void *bytes, uint32_t len)
{
	const uint8_t *from = bytes;
	uint8_t *p = fuzz_guest_at(gpa, len);

	if (p != NULL) {
		memcpy(p, bytes, len);
		return;
	}
	for (; len > 0; len--, from++, gpa++) {
		p = fuzz_guest_at(gpa, 1);
		if (p != NULL)
			*p = *from;
	}
}

bool
fuzz_guest_read(uint64_t gpa, void *bytes, uint32_t len)
{
	uint8_t *to = bytes, *p = fuzz_guest_at(gpa, len);

	if (p != NULL) {
		memcpy(bytes, p, len);
		return true;
	}
	for (; len > 0; len--, gpa++) {
		p = fuzz_guest_at(gpa, 1);
		if (p == NULL)
			return false;
		*to++ = *p;
	}
	return true;
}

uint64_t
fuzz_guest_addr(struct fuzz_in *in)
{
	const uint8_t how = fuzz_u8(in);
	const uint32_t off = how & 8 ? fuzz_u16(in) : fuzz_u8(in);
	const unsigned int area = how & 7;

	if (area >= FUZZ_AREAS)
		return area == FUZZ_AREAS ? UINT64_MAX - off : fuzz_u64(in);
	if (how & 16)
		return gpas[area] + fuzz_guest.areas[area].size - (off & 1023);
	if (how & 32)
		return gpas[area] - (off & 31);
	return gpas[area] + off;
}

void
fuzz_guest_snapshot(void)
{
	int i;

	for (i = 0; i < FUZZ_AREAS; i++)
		memcpy(fuzz_guest.areas[i].copy, fuzz_guest.areas[i].hva, fuzz_guest.areas[i].size);
}

void
fuzz_guest_allow(uint64_t gpa, uint32_t len)
{
	uint32_t n;
	int i;

	for (; len > 0; gpa += n, len -= n) {
		i = area_of(gpa);
		if (i < 0)
			return;
		n = RTE_MIN(len, fuzz_guest.areas[i].size - (uint32_t)(gpa - gpas[i]));
		memcpy(fuzz_guest.areas[i].copy + (gpa - gpas[i]),
				fuzz_guest.areas[i].hva + (gpa - gpas[i]), n);
	}
}

void
fuzz_guest_require_unchanged(const char *what)
{
	int i;

	for (i = 0; i < FUZZ_AREAS; i++)
		fuzz_require(memcmp(fuzz_guest.areas[i].hva, fuzz_guest.areas[i].copy,
				fuzz_guest.areas[i].size) == 0, what);
}

void
fuzz_guest_require_logged(void)
{
	uint64_t page;
	uint32_t at;
	int i;

	for (i = 0; i < FUZZ_AREAS; i++) {
		if (memcmp(fuzz_guest.areas[i].hva, fuzz_guest.areas[i].copy,
				fuzz_guest.areas[i].size) == 0)
			continue;
		for (at = 0; at < fuzz_guest.areas[i].size; at++) {
			page = (gpas[i] + at) / 4096;
			fuzz_require(fuzz_guest.areas[i].hva[at] == fuzz_guest.areas[i].copy[at] ||
					fuzz_guest.log[page / 8] >> page % 8 & 1,
					"what is written is in the dirty log");
		}
	}
}
