/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_blk.h>

#include <rte_common.h>

#include "conform_disk.h"
#include "conform_disk_io.h"
#include "guest_disk.h"
#include "guest_disk_core.h"
#include "guest_mem.h"
#include "guest_ring.h"

#define NO_STATUS 0xee
#define CAPACITY (CONFORM_DISK_SIZE / 512)

#define IN VIRTIO_BLK_T_IN
#define OUT VIRTIO_BLK_T_OUT
#define OK VIRTIO_BLK_S_OK
#define IOERR VIRTIO_BLK_S_IOERR
#define UNSUPP VIRTIO_BLK_S_UNSUPP

/* ---- requests ---- */

static uint64_t
status_gpa(const struct conform_disk *c)
{
	return c->disk->scratch_gpa + 64;
}

static void
header_write(struct conform_disk *c, uint32_t type, uint32_t reserved, uint64_t sector)
{
	const struct virtio_blk_outhdr hdr = { type, reserved, sector };
	const uint8_t none = NO_STATUS;

	guest_mem_write(&c->disk->mem, conform_disk_hdr(c), &hdr, sizeof(hdr));
	guest_mem_write(&c->disk->mem, status_gpa(c), &none, 1);
}

/* Do a request of these pieces. @return its status; -1 */
static int
pieces_do(struct conform_disk *c, const struct guest_seg *segs, uint16_t nb, uint32_t *len)
{
	int ret;

	conform_disk_add(c, segs, nb);
	ret = c->why[0] == '\0' ? conform_disk_wait(c, CONFORM_RETURN_MS, len) : -1;
	if (ret == 0)
		return conform_disk_no(c, "a request of %u descriptors does not return", nb);
	return ret < 0 ? -1 : conform_disk_byte(c, status_gpa(c));
}

/* A usual request: data in pieces of @p step bytes at @p gpa. @return its status; -1 */
static int
request_do(struct conform_disk *c, uint32_t type, uint64_t sector, uint64_t gpa, uint32_t size,
		uint32_t step, bool write)
{
	struct guest_seg segs[CONFORM_SEGS_MAX];
	uint32_t at, part, len;
	uint16_t n = 0;
	int status;

	header_write(c, type, 0, sector);
	segs[n++] = (struct guest_seg){ conform_disk_hdr(c), 16, false };
	for (at = 0; at < size; at += part) {
		part = RTE_MIN(step, size - at);
		segs[n++] = (struct guest_seg){ gpa + at, part, write };
	}
	segs[n++] = (struct guest_seg){ status_gpa(c), 1, true };
	status = pieces_do(c, segs, n, &len);
	if (status == OK && len != (write ? size : 0) + 1)
		return conform_disk_no(c, "used length %u of a request with %u bytes", len, size);
	return status;
}

/* What was written is read, in pieces. */
static int
data_pass(struct conform_disk *c, uint64_t sector, uint64_t gpa, uint32_t size, uint32_t step,
		uint8_t seed)
{
	conform_disk_fill(c, gpa, size, seed);
	if (request_do(c, OUT, sector, gpa, size, step, false) != OK)
		return conform_disk_no(c, "write of %u bytes in pieces of %u: status %u", size, step,
				conform_disk_byte(c, status_gpa(c)));
	conform_disk_fill(c, gpa, size, seed + 1);
	if (request_do(c, IN, sector, gpa, size, step, true) != OK)
		return conform_disk_no(c, "read of %u bytes in pieces of %u: status %u", size, step,
				conform_disk_byte(c, status_gpa(c)));
	return conform_disk_check(c, gpa, size, seed);
}

/* The disk works. */
static int
disk_pass(struct conform_disk *c)
{
	return data_pass(c, 100, conform_disk_data(c), 65536, 4096, 42);
}

static int
status_want(struct conform_disk *c, const char *what, uint64_t value, int status, int want)
{
	if (status == want)
		return 0;
	return conform_disk_no(c, "%s 0x%" PRIx64 ": status %d, not %d", what, value, status, want);
}

/* ---- items ---- */

static int
types_have_their_status(struct conform_disk *c)
{
	static const uint32_t unknown[] = { 2, 3, 5, 6, 7, 9, 10, 12, 14, 15, 0xff, 0x100,
		0x80000000, 0x80000001, UINT32_MAX };
	unsigned int i;

	if (request_do(c, VIRTIO_BLK_T_FLUSH, 0, 0, 0, 1, false) != OK)
		return conform_disk_no(c, "FLUSH is not served");
	if (request_do(c, VIRTIO_BLK_T_GET_ID, 0, conform_disk_data(c), 20, 20, true) != OK)
		return conform_disk_no(c, "GET_ID is not served");
	for (i = 0; i < RTE_DIM(unknown); i++) {
		if (status_want(c, "type", unknown[i], request_do(c, unknown[i], 0, conform_disk_data(c),
				512, 512, true), UNSUPP) < 0)
			return -1;
	}
	/* the driver has not negotiated them */
	if (request_do(c, VIRTIO_BLK_T_DISCARD, 0, conform_disk_data(c), 16, 16, false) !=
			UNSUPP || request_do(c, VIRTIO_BLK_T_WRITE_ZEROES, 0,
			conform_disk_data(c), 16, 16, false) != UNSUPP)
		return conform_disk_no(c, "DISCARD or WRITE_ZEROES is served, and not negotiated");
	return 0;
}

static int
reserved_field_is_ignored(struct conform_disk *c)
{
	static const uint32_t values[] = { 1, 0xffff, 0x80000000, UINT32_MAX };
	const struct guest_seg segs[3] = { { conform_disk_hdr(c), 16, false },
		{ conform_disk_data(c), 512, true }, { status_gpa(c), 1, true } };
	unsigned int i;
	uint32_t len;

	for (i = 0; i < RTE_DIM(values); i++) {
		header_write(c, IN, values[i], 0);
		if (status_want(c, "reserved", values[i], pieces_do(c, segs, 3, &len), OK) < 0)
			return -1;
	}
	return 0;
}

static int
sectors_are_checked(struct conform_disk *c)
{
	static const uint64_t bad[] = { CAPACITY, CAPACITY + 1, UINT32_MAX, 1ull << 32,
		UINT64_MAX / 512, UINT64_MAX / 512 + 1, UINT64_MAX - 1, UINT64_MAX };
	unsigned int i;

	if (data_pass(c, 0, conform_disk_data(c), 512, 512, 3) < 0 ||
			data_pass(c, CAPACITY - 1, conform_disk_data(c), 512, 512, 5) < 0)
		return -1;
	for (i = 0; i < RTE_DIM(bad); i++) {
		conform_disk_fill(c, conform_disk_data(c), 512, 99);
		if (status_want(c, "read of sector", bad[i], request_do(c, IN, bad[i],
				conform_disk_data(c), 512, 512, true), IOERR) < 0 ||
				status_want(c, "write of sector", bad[i], request_do(c, OUT, bad[i],
				conform_disk_data(c), 512, 512, false), IOERR) < 0)
			return -1;
	}
	/* over the end */
	if (status_want(c, "read over the end", 0, request_do(c, IN, CAPACITY - 1, conform_disk_data(c),
			1024, 512, true), IOERR) < 0)
		return -1;
	/* nothing was written */
	if (request_do(c, IN, CAPACITY - 1, conform_disk_data(c), 512, 512, true) != OK ||
			conform_disk_check(c, conform_disk_data(c), 512, 5) < 0 ||
			request_do(c, IN, 0, conform_disk_data(c), 512, 512, true) != OK)
		return conform_disk_no(c, "a refused write changed the disk");
	return conform_disk_check(c, conform_disk_data(c), 512, 3);
}

static int
lengths_are_checked(struct conform_disk *c)
{
	static const uint32_t bad[] = { 1, 16, 511, 513, 1023, 4095, 65537 };
	unsigned int i;

	for (i = 0; i < RTE_DIM(bad); i++) {
		if (status_want(c, "read of bytes", bad[i], request_do(c, IN, 0, conform_disk_data(c),
				bad[i], bad[i], true), IOERR) < 0 ||
				status_want(c, "write of bytes", bad[i], request_do(c, OUT, 0,
				conform_disk_data(c), bad[i], bad[i], false), IOERR) < 0)
			return -1;
	}
	/* data in the wrong direction */
	if (status_want(c, "read whose data is readable", 0, request_do(c, IN, 0, conform_disk_data(c),
			512, 512, false), IOERR) < 0 ||
			status_want(c, "write whose data is writable", 0, request_do(c, OUT, 0,
			conform_disk_data(c), 512, 512, true), IOERR) < 0 ||
			status_want(c, "flush with data", 0, request_do(c, VIRTIO_BLK_T_FLUSH, 0,
			conform_disk_data(c), 512, 512, false), IOERR) < 0)
		return -1;
	/* gigabytes that nobody has to fill */
	return status_want(c, "GET_ID of bytes", CONFORM_DATA_MAX, request_do(c, VIRTIO_BLK_T_GET_ID, 0,
			conform_disk_data(c), CONFORM_DATA_MAX, CONFORM_DATA_MAX, true), IOERR);
}

/* The header in pieces of each length, the first of another length than the others. */
static int
header_may_be_cut(struct conform_disk *c)
{
	struct guest_seg segs[20];
	uint32_t first, step, at, part, len;
	uint16_t n;

	for (first = 1; first < 16; first++) {
		for (step = 1; step <= 16; step += 5) {
			conform_disk_fill(c, conform_disk_data(c), 512, first + step);
			header_write(c, OUT, 0, first);
			for (n = 0, at = 0; at < 16; at += part) {
				part = at == 0 ? first : RTE_MIN(step, 16 - at);
				segs[n++] = (struct guest_seg){ conform_disk_hdr(c) + at, part,
					false };
			}
			segs[n++] = (struct guest_seg){ conform_disk_data(c), 512, false };
			segs[n++] = (struct guest_seg){ status_gpa(c), 1, true };
			if (status_want(c, "header cut at", first, pieces_do(c, segs, n, &len),
					OK) < 0)
				return -1;
			if (request_do(c, IN, first, conform_disk_data(c), 512, 512, true) != OK ||
					conform_disk_check(c, conform_disk_data(c), 512,
						first + step) < 0)
				return conform_disk_no(c, "wrong data behind a header in pieces");
		}
	}
	/* header and data in one descriptor */
	conform_disk_fill(c, conform_disk_data(c), 512, 77);
	header_write(c, OUT, 0, 9);
	guest_mem_write(&c->disk->mem, conform_disk_data(c) - 16,
			guest_mem_va(&c->disk->mem, conform_disk_hdr(c), 16), 16);
	segs[0] = (struct guest_seg){ conform_disk_data(c) - 16, 16 + 512, false };
	segs[1] = (struct guest_seg){ status_gpa(c), 1, true };
	if (status_want(c, "header with data", 0, pieces_do(c, segs, 2, &len), OK) < 0 ||
			request_do(c, IN, 9, conform_disk_data(c), 512, 512, true) != OK)
		return -1;
	return conform_disk_check(c, conform_disk_data(c), 512, 77);
}

static int
chains_of_any_length(struct conform_disk *c)
{
	if (conform_disk_lengths(c) < 0)
		return -1;
	/* more than the kernel takes at once */
	return status_want(c, "segments", 1025, request_do(c, IN, 0, conform_disk_data(c), 1025 * 512, 512,
			true), IOERR);
}

static int
status_is_the_last_writable_byte(struct conform_disk *c)
{
	struct guest_seg segs[4] = { { conform_disk_hdr(c), 16, false } };
	uint32_t len;

	/* in one descriptor with the data, over the border of two regions */
	header_write(c, IN, 0, 0);
	segs[1] = (struct guest_seg){ conform_disk_border(c) - 512, 513, true };
	if (pieces_do(c, segs, 2, &len) != NO_STATUS || len != 513 ||
			conform_disk_byte(c, conform_disk_border(c)) != OK)
		return conform_disk_no(c, "the status is not behind the data: used length %u", len);
	/* a descriptor of two bytes: the first one is data, so that the length is wrong */
	header_write(c, IN, 0, 0);
	segs[1] = (struct guest_seg){ conform_disk_data(c), 512, true };
	segs[2] = (struct guest_seg){ status_gpa(c) - 1, 2, true };
	if (pieces_do(c, segs, 3, &len) != IOERR)
		return conform_disk_no(c, "a status descriptor of two bytes is served");
	/* no header */
	header_write(c, IN, 0, 0);
	segs[0] = (struct guest_seg){ status_gpa(c), 1, true };
	if (pieces_do(c, segs, 1, &len) != IOERR || len != 1)
		return conform_disk_no(c, "a request without a header is served");
	/* no writable byte: it returns, and nothing is written */
	header_write(c, OUT, 0, 0);
	segs[0] = (struct guest_seg){ conform_disk_hdr(c), 16, false };
	segs[1] = (struct guest_seg){ conform_disk_data(c), 512, false };
	segs[2] = (struct guest_seg){ status_gpa(c), 1, false };
	if (pieces_do(c, segs, 3, &len) != NO_STATUS || len != 0)
		return conform_disk_no(c, "a request without a status was written to");
	return 0;
}

/* A chain that VIRTIO forbids breaks its queue, and harms nothing else. */
static int
chain_breaks(struct conform_disk *c, const char *what, const struct guest_seg *segs, uint16_t nb)
{
	header_write(c, OUT, 0, 0);
	if (conform_disk_rests(c, what, segs, nb) < 0)
		return -1;
	if (conform_disk_byte(c, status_gpa(c)) != NO_STATUS)
		return conform_disk_no(c, "%s: something was written", what);
	return conform_disk_restart(c);
}

static int
wrong_chains_break_their_queue(struct conform_disk *c)
{
	const struct disk *d = c->disk;
	const uint64_t none = d->mem.regions[d->mem.island].gpa - 4096;
	const struct guest_seg hdr = { conform_disk_hdr(c), 16, false },
		data = { conform_disk_data(c), 512, true }, status = { status_gpa(c), 1, true };
	const struct guest_seg early[] = { status, hdr }, split[] = { hdr, data,
		{ conform_disk_data(c) + 512, 512, false }, status };
	const struct guest_seg hole[] = { hdr, { none, 512, true }, status }, far[] = { hdr,
		{ UINT64_MAX - 511, 512, true }, status };
	const struct guest_seg wild_hdr[] = { { none, 16, false }, data, status },
		wild_status[] = { hdr, data, { none, 1, true } };

	return chain_breaks(c, "status before the header", early, 2) < 0 ||
		chain_breaks(c, "readable data behind writable data", split, 4) < 0 ||
		chain_breaks(c, "data that is no memory", hole, 3) < 0 ||
		chain_breaks(c, "data at the end of the address space", far, 3) < 0 ||
		chain_breaks(c, "header that is no memory", wild_hdr, 3) < 0 ||
		chain_breaks(c, "status that is no memory", wild_status, 3) < 0 ? -1 : 0;
}

static int
regions_with_any_bytes(struct conform_disk *c)
{
	header_write(c, VIRTIO_BLK_T_FLUSH, 0, 0);
	return conform_disk_any_region(c, (const struct guest_seg[]){
			{ conform_disk_hdr(c), 16, false }, { status_gpa(c), 1, true } }, 2);
}

static int
config_space_has_its_bounds(struct conform_disk *c)
{
	struct virtio_blk_config config;

	if (conform_disk_config(c, &config, sizeof(config)) < 0)
		return -1;
	if (config.capacity != CAPACITY || config.num_queues != 1 || config.blk_size != 512)
		return conform_disk_no(c, "capacity %" PRIu64 ", %u queues, block size %u",
				(uint64_t)config.capacity, config.num_queues, config.blk_size);
	return 0;
}

static const struct conform_disk_item items[] = {
	{ "B1", "each type of request has its status", false, types_have_their_status },
	{ "B2", "the reserved field is ignored", false, reserved_field_is_ignored },
	{ "B3", "sectors outside of the disk are refused", false, sectors_are_checked },
	{ "B4", "lengths and directions are checked", false, lengths_are_checked },
	{ "B5", "the header may lie in any descriptors", false, header_may_be_cut },
	{ "B6", "data of 1 to 1024 segments", false, chains_of_any_length },
	{ "B7", "data may cross regions of memory", false, conform_disk_borders },
	{ "B8", "the status is the last writable byte", false, status_is_the_last_writable_byte },
	{ "B9", "config space has its fields and bounds", false, config_space_has_its_bounds },
	{ "H1", "a wrong chain breaks its queue only", false, wrong_chains_break_their_queue },
	{ "H2", "an in-flight region may have any bytes", true, regions_with_any_bytes },
	{ NULL, NULL, false, NULL },
};

const struct conform_disk_class conform_blk = { &disk_codec_blk, items, disk_pass,
	data_pass };
