/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_DISK_CODEC_H
#define GUEST_DISK_CODEC_H

/**
 * @file
 * How the requests of a disk's driver look on the ring. Model, checks, connections and traffic are
 * the same for each class of disks; a class brings one table of this kind.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk;
struct disk_queue;
struct disk_slot;

/** Places in the memory of a request: its header is before its response, then comes its data. */
#define DISK_RESP_AT 64

/** What a request does. */
enum disk_op {
	DISK_READ,
	DISK_WRITE,
	/** Of the whole disk; it has no data. */
	DISK_FLUSH,
	/** The block becomes zeros: WRITE ZEROES, WRITE SAME. */
	DISK_ZERO,
};

/** What a response means to the driver. */
enum disk_verdict {
	DISK_DONE,
	/** The device reported a unit attention instead: the driver sends the request again. */
	DISK_AGAIN,
	DISK_FAILED,
};

struct disk_codec {
	/** Name of the class, as in "blk_vstate0". */
	const char *name;
	/** Features to ask for; features that a driver with some queues needs. */
	uint64_t features, mq_features;
	/** Protocol features of vhost-user that not each class has. */
	uint64_t protocol;
	/** Virtqueues before the first queue of requests. */
	uint16_t first_vq;
	/** Feature that DISK_ZERO needs; 0: none. */
	uint64_t zero_feature;
	/** Bytes that the driver sends with DISK_ZERO, up to 64. */
	uint16_t zero_len;
	/** Bytes of the header, up to DISK_RESP_AT, and of the response. */
	uint16_t hdr_len, resp_len;
	/** Front ends carry its in-flight region: bit 20 of the protocol. */
	bool carries_region;
	/** Device argument of the file of the first disk. */
	const char *file_arg;
	/** A response lies before the data of a read, not behind it. */
	bool resp_first;
	/**
	 * Write a header.
	 * @param number  number of the slot's block on the disk, of DISK_BLOCK bytes
	 * @param hdr     hdr_len zeros
	 */
	void (*hdr_fill)(struct disk_queue *dq, const struct disk_slot *s, uint64_t number,
			void *hdr);
	/**
	 * The queues before the first queue of requests; NULL: there are none. Reserve their
	 * memory; make available what they have; take back what returned; check it, after the
	 * requests that had returned at that time were taken, too.
	 */
	int (*own_reserve)(struct disk *d);
	void (*own_fill)(struct disk *d);
	unsigned int (*own_drain)(struct disk *d);
	void (*own_check)(struct disk *d);
	/** Write the zero_len bytes of DISK_ZERO, which are zeros; NULL: there are none. */
	void (*zero_fill)(uint64_t number, void *data);
	/** Judge a response. @param why  of @p size bytes: written for DISK_FAILED */
	enum disk_verdict (*resp_judge)(const void *resp, char *why, size_t size);
};

extern const struct disk_codec disk_codec_blk, disk_codec_scsi;

/** Return the table of a class; NULL: it is no class of disks. */
const struct disk_codec *disk_codec_find(const char *name);

#endif /* GUEST_DISK_CODEC_H */
