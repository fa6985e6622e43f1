/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_DISK_CORE_H
#define GUEST_DISK_CORE_H

/**
 * @file
 * The structures of the disk's driver: for its own files, and for tests that build requests
 * themselves (conform).
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_thread.h>

#include "guest_disk.h"
#include "guest_disk_codec.h"
#include "guest_mem.h"
#include "guest_ring.h"
#include "vhost_user_fe.h"
#include "vstate_compat.h"

#define DISK_LINKS 2
/** Virtqueues that a class has before its queues of requests, and bytes of a response, at most. */
#define DISK_MAX_FIRST 2
#define DISK_RESP_MAX 128
/** The base of a packed ring that was never used, both positions. */
#define DISK_PACKED_FRESH_BASE 0x80008000u

/** A request that is under way, or a free slot. */
struct disk_slot {
	enum disk_op op;
	uint32_t block;
	/** Write: the sequence number that it brings. */
	uint64_t seq;
	/** Requests that were made available before it; the device has it. */
	uint64_t order;
	bool out;
};

/** A virtqueue. If it is no queue of requests it has no slots and no blocks. */
struct disk_queue {
	struct guest_ring ring;
	uint64_t slots_gpa;
	struct disk_slot slots[DISK_MAX_DEPTH];
	uint16_t free[DISK_MAX_DEPTH], nb_free;
	/** Of each block: sequence number of the last write that returned; whether it is busy. */
	uint64_t *seq;
	bool *busy;
	/** Of each block: the last change made it zeros. */
	bool *zero;
	/** Requests that were added to the ring; those that the device may not see yet. */
	uint64_t added;
	unsigned int nb_sent;
	uint32_t base;
	int kick, call;
	uint64_t rnd;
};

/** What a class does in the queues that have no requests: control and events. */
struct disk_own {
	uint64_t gpa, rnd;
	/** Event buffers that were made available once. */
	uint32_t nb_events;
	/** The function that is under way, or was last. */
	uint32_t subtype;
	/** Requests after which the next one is sent. */
	uint64_t next;
	bool out;
	/** A reset was answered, and the requests before it are not checked yet. */
	bool reset;
	/** Requests of each queue that were made available before the function. */
	uint64_t before[DISK_MAX_FIRST + DISK_MAX_QUEUES];
};

struct disk_link {
	struct vu_fe fe;
	uint64_t features;
	bool open;
};

struct disk {
	struct disk_conf conf;
	struct guest_mem mem;
	/** conf.scratch bytes for requests of a test. */
	uint64_t scratch_gpa;
	uint64_t features;
	/** By queue number: nb_vqs, of which the first @p first have no requests. */
	struct disk_queue queues[DISK_MAX_FIRST + DISK_MAX_QUEUES];
	uint16_t first, nb_vqs;
	struct disk_own own;
	struct disk_link links[DISK_LINKS];
	/** In-flight region. */
	uint8_t *region;
	struct vu_inflight geometry;
	int region_fd;
	/** Socket at which back ends connect; -1: the driver connects. */
	int listener;
	struct disk_counts counts;
	uint64_t last_return;
	rte_thread_t thread;
	bool running, stop;
	char why[160];
};

/** Make visible to the device what was added to a queue. */
void disk_queue_publish(struct disk *d, uint16_t q);
/** Count one more, in a word of struct disk_counts. */
void disk_count(uint64_t *count);
/** Keep the first error. */
__rte_format_printf(2, 3)
void disk_complain(struct disk *d, const char *fmt, ...);

#endif /* GUEST_DISK_CORE_H */
