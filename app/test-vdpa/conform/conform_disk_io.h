/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CONFORM_DISK_IO_H
#define CONFORM_DISK_IO_H

/** @file What the items of all classes of disks need: memory, requests, connections. */

#include <stddef.h>
#include <stdint.h>

#include <rte_common.h>

#include "guest_disk_core.h"
#include "reason.h"

struct conform_disk;
struct guest_seg;

/** A request that does not return in this time never does. */
#define CONFORM_RETURN_MS 10000
/** Time in which a queue that must rest would return something. */
#define CONFORM_REST_MS 100
/** Descriptors of a request, at most; bytes of its data, at most. */
#define CONFORM_SEGS_MAX 1030
#define CONFORM_DATA_MAX (640u << 10)

/** The item fails: keep the first reason. @return -1 */
#define conform_disk_no(c, ...) \
	reason_keep(-1, (c)->why, sizeof((c)->why), __VA_ARGS__)

/** Places in guest memory: 4,096 bytes for headers and answers; data; the border of two regions. */
uint64_t conform_disk_hdr(const struct conform_disk *c);
uint64_t conform_disk_data(const struct conform_disk *c);
uint64_t conform_disk_border(const struct conform_disk *c);
uint8_t conform_disk_byte(const struct conform_disk *c, uint64_t gpa);
/** Write a pattern that follows from the seed; compare with it. @return 0; -1: the item fails */
void conform_disk_fill(struct conform_disk *c, uint64_t gpa, uint32_t len, uint8_t seed);
int conform_disk_check(struct conform_disk *c, uint64_t gpa, uint32_t len, uint8_t seed);

/** The first queue of requests. */
struct disk_queue *conform_disk_queue(const struct conform_disk *c);
/** Make a buffer available: in that queue, or in any queue. */
void conform_disk_add(struct conform_disk *c, const struct guest_seg *segs, uint16_t nb);
void conform_disk_add_to(struct conform_disk *c, struct disk_queue *dq,
		const struct guest_seg *segs, uint16_t nb);
/** Wait for it. @return 1; 0: nothing returned in @p ms; -1: a wrong buffer returned */
int conform_disk_wait(struct conform_disk *c, int ms, uint32_t *len);
int conform_disk_wait_on(struct conform_disk *c, struct disk_queue *dq, int ms, uint32_t *len);

/** Connect and set up the device. @return 0; -1: the item fails */
int conform_disk_open(struct conform_disk *c);
/** The driver resets the device and begins with empty rings. */
int conform_disk_restart(struct conform_disk *c);
/** A chain that VIRTIO forbids does not return, and data is not written. @return as above */
int conform_disk_rests(struct conform_disk *c, const char *what, const struct guest_seg *segs,
		uint16_t nb);
/** Data of 1 to 1,024 pieces is served. @return as above */
int conform_disk_lengths(struct conform_disk *c);
/** Data that crosses the border of two regions is served. @return as above */
int conform_disk_borders(struct conform_disk *c);
/**
 * Read the config space, as a whole and in each length up to 256 bytes.
 * @param config  of @p size bytes: written
 * @return as above
 */
int conform_disk_config(struct conform_disk *c, void *config, size_t size);
/** Kill the connection again and again, with any bytes in the region. @param segs  a request */
int conform_disk_any_region(struct conform_disk *c, const struct guest_seg *segs, uint16_t nb);

#endif /* CONFORM_DISK_IO_H */
