/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_BLK_ENV_H
#define HOSTILE_BLK_ENV_H

/**
 * @file
 * The driver of a hostile case of a disk. It has up to two queues. Queue 0 is attacked; queue 1, if
 * the device has it, must still be served. Requests are written descriptor by descriptor.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_blk.h>

#include <rte_common.h>

#include "guest_disk_core.h"
#include "guest_mem.h"
#include "hostile_put.h"
#include "reason.h"

/** Descriptors of a ring, and of an attack, at most. */
#define HOSTILE_BLK_RING 2048
/** Bytes of memory for requests, in two regions of the same length. */
#define HOSTILE_BLK_MEMORY (5u << 19)
/** What a status byte has before the device writes it. */
#define HOSTILE_BLK_NO_STATUS 0xee
/** Longest wait in ms: on a loaded machine a thread may not run for seconds. */
#define HOSTILE_BLK_WAIT_MS 10000
/** Time in us that the back end gets to process an attack that it does not answer. */
#define HOSTILE_BLK_SETTLE_US 30000
/** Places in memory, behind disk->scratch_gpa. */
#define HOSTILE_BLK_HDR_AT 0
#define HOSTILE_BLK_STATUS_AT 64
#define HOSTILE_BLK_RANGE_AT 128
#define HOSTILE_BLK_TABLE_AT 0x1000
#define HOSTILE_BLK_DATA_AT 0x20000
#define HOSTILE_BLK_BORDER_AT (HOSTILE_BLK_MEMORY / 2)
/** Sectors that an attack may write; those before HOSTILE_BLK_GUARD keep their contents. */
#define HOSTILE_BLK_FREE 2048
#define HOSTILE_BLK_GUARD 128

/** Kinds of case, besides HOSTILE_SPLIT and HOSTILE_PACKED: the front end has a region. */
#define HOSTILE_BLK_REGION 0x1000u

struct hostile_conf;

struct hostile_blk_env {
	const struct hostile_conf *conf;
	bool packed;
	/** Queues of requests that are used, 1 or 2; sectors of the disk. */
	uint16_t queues;
	uint64_t capacity;
	struct disk *d;
	/** Split: next free descriptor of each queue. */
	uint16_t base[2];
	/** Memory that the device may write, and all memory before the attack. */
	struct guest_mem_range lent[64];
	uint32_t nb_lent;
	uint8_t *snapshot;
	/** What the back end did, and what is wrong, as text. */
	char did[80], why[240];
};

struct hostile_blk_case {
	const char *name, *what;
	uint32_t flags;
	/** Feature bit that the driver must have negotiated; 0: none. */
	unsigned int needs;
	/** Attack and judge. @return 0, or -EPROTO with e->why */
	int (*run)(struct hostile_blk_env *e, const struct hostile_blk_case *c);
	/** Table entry for run. */
	const void *arg;
};

/** A request that was made available. */
struct hostile_blk_sent {
	uint16_t q;
	/** Split: used index before it. Packed: its first descriptor, and its wrap counter. */
	uint16_t used;
	const struct vring_packed_desc *head;
	bool wrap;
};

/** Record what is wrong. Only the first reason is kept. @return -EPROTO */
#define hostile_blk_fail(e, ...) \
	reason_keep(-EPROTO, (e)->why, sizeof((e)->why), __VA_ARGS__)

/** Connect, with a region or without one, and set up all queues. @return 0 or -EPROTO */
int hostile_blk_open(struct hostile_blk_env *e, bool region);
/** The same with the driver's present memory, rings and region. @return 0 or -errno */
int hostile_blk_connect(struct hostile_blk_env *e);
void hostile_blk_close(struct hostile_blk_env *e);

/** Address in the memory for requests. */
uint64_t hostile_blk_at(const struct hostile_blk_env *e, uint32_t offset);
/** An address in the hole between two regions; the first one behind all regions before it. */
uint64_t hostile_blk_hole(const struct hostile_blk_env *e);
uint64_t hostile_blk_end_of_memory(const struct hostile_blk_env *e);
/** Fill the memory for requests with a pattern, so that zeros that the device writes are seen. */
void hostile_blk_fill(const struct hostile_blk_env *e);
/** Allow the device to write @p len bytes at @p gpa. */
void hostile_blk_lend(struct hostile_blk_env *e, uint64_t gpa, uint64_t len);
/** Record the memory for requests, which the device may write only where it was lent. */
void hostile_blk_snapshot(struct hostile_blk_env *e);
/** Compare with that. @return 0 or -EPROTO */
int hostile_blk_check_memory(struct hostile_blk_env *e);

/** Write a request's header, and reset its status byte. */
void hostile_blk_header(struct hostile_blk_env *e, uint32_t type, uint64_t sector);
/**
 * A usual request, with one piece of data.
 * @param d  of three: written
 * @return descriptors
 */
uint16_t hostile_blk_request(const struct hostile_blk_env *e, struct hostile_desc *d,
		uint32_t type, uint32_t len);
/** Make descriptors available in queue @p q and kick it. */
struct hostile_blk_sent hostile_blk_put(struct hostile_blk_env *e, uint16_t q,
		const struct hostile_desc *d, uint16_t nb);
/** Make visible what changed in the ring of queue @p q, and kick it. */
void hostile_blk_kick(struct hostile_blk_env *e, uint16_t q);
bool hostile_blk_returned(const struct hostile_blk_env *e, const struct hostile_blk_sent *s);
/** Wait up to @p ms. @return whether it returned */
bool hostile_blk_wait(const struct hostile_blk_env *e, const struct hostile_blk_sent *s, int ms);
/** Status byte of the last request. */
uint8_t hostile_blk_status(const struct hostile_blk_env *e);
/** Do a usual request in queue @p q. @return its status; -EPROTO with e->why */
int hostile_blk_do(struct hostile_blk_env *e, uint16_t q, uint32_t type, uint64_t sector,
		uint32_t len);

/** True if the device has set NEEDS_RESET; false also if the status cannot be read. */
bool hostile_blk_needs_reset(struct hostile_blk_env *e);
/** The queue must break: @p s does not return. @return 0 or -EPROTO */
int hostile_blk_breaks(struct hostile_blk_env *e, const struct hostile_blk_sent *s);
/** Give the back end the time for an attack that may break the queue or not. @return 0 */
int hostile_blk_settle(struct hostile_blk_env *e);

#endif /* HOSTILE_BLK_ENV_H */
