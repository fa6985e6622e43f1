/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_BLK_H
#define UT_BLK_H

/** @file A disk for a test, and a driver of its one queue, without a vdev and a front end. */

#include <stdbool.h>
#include <stdint.h>

#include "dev/vstate_setup.h"
#include "handover/vstate_inflight_shm.h"
#include "block/vstate_blk_vq.h"
#include "ut_ring.h"

#define DISK_RING 32
#define DISK_SIZE (1u << 20)
/** Guest memory of request i: header, data, status. */
#define DISK_SLOT 8192
#define DISK_HDR(i) (RING_BUF_GPA + (i) * DISK_SLOT)
#define DISK_DATA(i) (DISK_HDR(i) + 512)
#define DISK_STATUS(i) (DISK_HDR(i) + 64)
/** A status that no device writes. */
#define DISK_NO_STATUS 0xee

struct disk {
	struct ring ring;
	struct vstate_dev *dev;
	struct vstate_blk_vq *q;
	struct vstate_vq *vq;
	struct vstate_setup setup;
	/** In-flight region of the front end, or NULL. */
	struct vstate_inflight_shm_geometry g;
	uint8_t *region;
	int region_fd;
	bool packed;
};

/** Arguments of a disk with a store in memory. */
struct vstate_conf disk_conf(void);
/** Make a device, connect it to a new ring, and start it. */
void disk_open(struct disk *d, const char *name, const struct vstate_conf *conf, bool packed);
void disk_close(struct disk *d);
/** The same with a ring that exists: of another process or host. */
void disk_device_open(struct disk *d, const char *name, const struct vstate_conf *conf);
void disk_device_close(struct disk *d);
/** Give the device an in-flight region, before disk_start(). */
void disk_region_open(struct disk *d);
/** Apply the set-up of the front end, with this base. */
void disk_start(struct disk *d, struct vstate_pos base);

/** Write the header of request @p i. */
void disk_header(struct disk *d, unsigned int i, uint32_t type, uint64_t sector);
/**
 * Make request @p i available: a header, @p len bytes of data that are @p writable or not, and a
 * status.
 * @return its ID
 */
uint16_t disk_add(struct disk *d, unsigned int i, uint32_t type, uint64_t sector, uint32_t len,
		bool writable);
/** Poll until @p n requests have returned. @return bytes of the last one */
uint32_t disk_complete(struct disk *d, unsigned int n);
/** The status of request @p i. */
uint8_t disk_status(const struct disk *d, unsigned int i);
/** Do one request alone. @return its status */
uint8_t disk_do(struct disk *d, uint32_t type, uint64_t sector, uint32_t len, bool writable);
/** Fill the data of request @p i with a pattern, or fail if it has another one. */
void disk_data_fill(struct disk *d, unsigned int i, uint32_t len, uint8_t seed);
void disk_data_check(const struct disk *d, unsigned int i, uint32_t len, uint8_t seed);

#endif /* UT_BLK_H */
