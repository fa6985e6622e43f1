/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_MEM_H
#define GUEST_MEM_H

/**
 * @file
 * The guest's "physical" memory: a memfd that back ends map.
 *
 * Use: reserve ranges of guest physical addresses (GPA), choose borders, commit. guest_mem_commit()
 * creates regions that are contiguous in GPA but not in the file. A buffer across a border is
 * therefore contiguous for the driver only. One more region, the island, lies behind a hole. No GPA
 * equals a virtual address.
 *
 * All memory that is not reserved (gaps between ranges, pages around regions in the file, the
 * island) holds a canary pattern. A device has no reason to write there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_MEM_PAGE 4096u
/** Most memory regions that a vhost-user back end must accept. */
#define GUEST_MEM_MAX_REGIONS 8

struct guest_mem_region {
	uint64_t gpa, size;
	/** Offset in the memfd. */
	uint64_t off;
};

/** A reserved range: [gpa, gpa + len). */
struct guest_mem_range {
	uint64_t gpa, len;
};

struct guest_mem {
	int fd;
	uint8_t *base;
	uint64_t file_size;
	uint32_t nb_regions;
	struct guest_mem_region regions[GUEST_MEM_MAX_REGIONS];
	/** Index of the region behind the hole. */
	uint32_t island;
	/** Next GPA to reserve. */
	uint64_t cursor;
	struct guest_mem_range *ranges;
	uint32_t nb_ranges, cap_ranges;
};

/** Initialise; no range is reserved. */
void guest_mem_init(struct guest_mem *m);
void guest_mem_free(struct guest_mem *m);

/** Reserve @p len bytes at a multiple of @p align. @return the GPA, or 0 if out of memory */
uint64_t guest_mem_reserve(struct guest_mem *m, uint64_t len, uint64_t align);

/**
 * Create the memfd and the regions.
 * @param borders ascending GPAs at which a region ends and the next begins; rounded down to pages
 * @param island bytes in the region behind the hole, rounded up to pages
 */
int guest_mem_commit(struct guest_mem *m, const uint64_t *borders, uint32_t nb_borders,
		uint64_t island);

/** Address of [gpa, gpa + len) in this process; NULL if not within one region. */
void *guest_mem_va(const struct guest_mem *m, uint64_t gpa, uint64_t len);
/** Front end's virtual address of @p gpa, for SET_VRING_ADDR. */
uint64_t guest_mem_user_addr(const struct guest_mem *m, uint64_t gpa);

/** Copy to or from guest memory, also across borders. @return false if a part is no memory */
bool guest_mem_write(const struct guest_mem *m, uint64_t gpa, const void *src, uint64_t len);
bool guest_mem_read(const struct guest_mem *m, uint64_t gpa, void *dst, uint64_t len);

/**
 * Compare all memory outside the reserved ranges with the canary pattern.
 * @return the file offset of the first changed byte; -1 if there is none
 */
int64_t guest_mem_canary_check(const struct guest_mem *m);

#endif /* GUEST_MEM_H */
