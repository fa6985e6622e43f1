/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_DISK_H
#define GUEST_DISK_H

/**
 * @file
 * The built-in driver of a disk, and a model of what each block may contain. It has memory, rings
 * and a front end as the network guest has, and shares no code with the device.
 *
 * A block has 4,096 bytes and at most one request under way. Each write has the next sequence
 * number of its block, in all its words. So a block that is read has exactly the sequence number of
 * the last write that returned: an older one is *stale* (a write was lost, or an older one was done
 * again), different ones in one block are *torn*, and another block's number is *misplaced*. A
 * flush that returns before a read or write which was made available before it is *unordered*.
 *
 * Traffic runs in a thread of the disk's own, also while no back end serves the rings. All other
 * functions are called from one thread. They return 0 or -errno unless they say otherwise.
 */

#include <stdbool.h>
#include <stdint.h>

#define DISK_BLOCK 4096
#define DISK_MAX_QUEUES 16
#define DISK_MAX_DEPTH 256

struct disk_codec;

struct disk_conf {
	/** How requests look: the class of the disk. */
	const struct disk_codec *codec;
	/** Queues of requests, 1 .. DISK_MAX_QUEUES. */
	uint16_t queues;
	/** Descriptors of each ring; split: a power of two. */
	uint16_t ring_size;
	bool packed;
	/** Requests of each queue under way, 1 .. DISK_MAX_DEPTH. */
	uint16_t depth;
	/** Blocks of the disk that are used, for each queue; at least twice the depth. */
	uint32_t blocks;
	uint64_t seed;
	/** Only reads, no calls, and a thread that never sleeps: for measurements. */
	bool reads_only;
	/** Chains of one table each (indirect descriptors). */
	bool indirect;
	/** Bytes of memory for requests of a test, in two regions; 0: none. */
	uint32_t scratch;
	/** Keep requests in the in-flight region, and ask for bit 20 of the protocol. */
	bool region, carried;
	/** Make blocks zeros, too, if the device can. */
	bool zeroes;
	/** Features to ask for if the device offers them, for requests of a test. */
	uint64_t optional;
	/** Do without the status byte, as front ends do whose back end does not have it. */
	bool no_status;
};

/** What the traffic found. */
struct disk_counts {
	uint64_t reads, writes, flushes, zeroes;
	/** Requests that failed; and that the device asked the driver to repeat. */
	uint64_t errors, repeated;
	/** SCSI: task management functions that returned, resets among them; events. */
	uint64_t functions, resets, events;
	/** Blocks read with other contents than the model allows. */
	uint64_t stale, torn, misplaced;
	/**
	 * Flushes that returned before a read or write that was made available before them, and
	 * resets that returned before any such request.
	 */
	uint64_t unordered;
	/** Buffers that the device used and did not own. */
	uint64_t doubled;
	/** Requests that never returned. Set by disk_stop(). */
	uint64_t lost;
	/** Longest time in ns between two requests that returned. */
	uint64_t gap_max;
	/** Requests under way now. */
	uint64_t under_way;
};

struct disk;

/** Write depth, and the blocks and descriptors that it needs. */
void disk_conf_size(struct disk_conf *conf, uint16_t depth);
/** @return NULL with rte_errno */
struct disk *disk_create(const struct disk_conf *conf);
void disk_destroy(struct disk *d);
/** The first error as text; NULL if there is none. */
const char *disk_error(const struct disk *d);

/** Listen at @p path: disk_connect() then accepts the next back end there. */
int disk_listen(struct disk *d, const char *path);
/** Connect link @p l (0 or 1) to @p path and negotiate. */
int disk_connect(struct disk *d, unsigned int l, const char *path, int timeout_ms);
/** Set up memory, in-flight region and rings on a connected link, with the bases of @p from. */
int disk_prepare(struct disk *d, unsigned int l);
/**
 * Return whether the driver has a status byte. Without one a device starts with the rings that
 * disk_prepare() sets up.
 */
bool disk_has_status(const struct disk *d);
/** Write DRIVER_OK and kick all queues. */
int disk_run(struct disk *d, unsigned int l);
/** Take the rings back: GET_VRING_BASE of all queues, then status 0. The bases are kept. */
int disk_take_back(struct disk *d, unsigned int l);
/** The back end died: bases are what a front end can know. */
void disk_back_end_died(struct disk *d);
void disk_disconnect(struct disk *d, unsigned int l);
/** Wait up to @p ms. @return whether the back end ended the connection */
bool disk_hung_up(const struct disk *d, unsigned int l, int ms);
/** Bytes of config space of a connected link. */
int disk_config(struct disk *d, unsigned int l, void *config, uint32_t size);
/** Marks in the region: requests in flight. */
unsigned int disk_marks(const struct disk *d);

/** The in-flight region, for planted faults. */
struct disk_region {
	uint8_t *bytes;
	/** Bytes of the part of one queue. */
	uint64_t stride;
	uint16_t queues, ring_size;
	bool packed;
};

/** @return false: there is no region */
bool disk_region_get(const struct disk *d, struct disk_region *r);

/** A write: number of the block on the disk, and the sequence number that it brings. */
struct disk_write {
	uint64_t number, seq;
};

/**
 * The writes that are under way, while no back end serves the rings and all slots are in use.
 * @return their number, up to @p max
 */
unsigned int disk_writes_get(const struct disk *d, struct disk_write *writes, unsigned int max);
/** The DISK_BLOCK bytes that a write brings. */
void disk_block_fill(void *block, const struct disk_write *w);

/** Start the traffic thread. */
int disk_start(struct disk *d);
/** Submit nothing more, wait for what is under way for up to @p timeout_ms, end the thread. */
int disk_stop(struct disk *d, int timeout_ms);
void disk_counts_get(const struct disk *d, struct disk_counts *c);
/** Return whether any request failed, was lost or doubled, or had wrong contents. */
bool disk_counts_are_wrong(const struct disk_counts *c);
/** Write count @p i for a report. @return its name; NULL: there is none */
const char *disk_count_get(const struct disk_counts *c, unsigned int i, uint64_t *value);
/** Reset the longest gap. */
void disk_gap_reset(struct disk *d);
/** Wait until requests return. @return -ETIMEDOUT */
int disk_wait_flow(struct disk *d, int timeout_ms);

/** Without a thread: submit until the depth is reached, or take what returned. @return requests */
unsigned int disk_fill(struct disk *d);
unsigned int disk_drain(struct disk *d);

#endif /* GUEST_DISK_H */
