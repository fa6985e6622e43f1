/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CONFORM_DISK_H
#define CONFORM_DISK_H

/**
 * @file
 * The items of VIRTIO 1.4 "Block Device", "SCSI Host Device" and "Message Framing", and what a
 * hostile driver or front end may do to a disk. Each item runs with split and with packed rings.
 * Behind each of them the disk still serves good requests, and has written nothing outside of the
 * driver's buffers.
 */

#include <stdbool.h>
#include <stdint.h>

struct backend;
struct disk;
struct disk_codec;

/** Bytes of the file of the disk. */
#define CONFORM_DISK_SIZE (4u << 20)

struct conform_disk_class;

struct conform_disk {
	const struct conform_disk_class *class;
	struct backend *be;
	/** Path of the file of the disk. */
	const char *file;
	bool packed;
	struct disk *disk;
	char why[256];
};

struct conform_disk_item {
	/** Such as "B3"; with H: hostile. */
	const char *name;
	const char *text;
	/** The front end has an in-flight region. */
	bool region;
	/** @return 0, or -1 with the reason in c->why */
	int (*run)(struct conform_disk *c);
};

/** A class of disks. */
struct conform_disk_class {
	const struct disk_codec *codec;
	/** All items; the last one has no name. */
	const struct conform_disk_item *items;
	/** Write and read good requests. As struct conform_disk_item::run. */
	int (*pass)(struct conform_disk *c);
	/**
	 * Write data at @p gpa, in pieces of @p step bytes, to the disk, and read it.
	 * @param block  first block of 512 bytes on the disk
	 * @param size   bytes, a multiple of 512
	 * @param seed   of the contents
	 * @return as above
	 */
	int (*data_pass)(struct conform_disk *c, uint64_t block, uint64_t gpa, uint32_t size,
			uint32_t step, uint8_t seed);
};

extern const struct conform_disk_class conform_blk, conform_scsi;

/** Run an item on a disk that no front end uses. @return 0, or -1 with the reason in c->why */
int conform_disk_run(struct conform_disk *c, const struct conform_disk_item *item);

#endif /* CONFORM_DISK_H */
