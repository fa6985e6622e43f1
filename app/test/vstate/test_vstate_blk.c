/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file A disk: its requests, their checks, its config space, its order of flushes. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>

#include <rte_byteorder.h>
#include <rte_common.h>

#include "ut_blk.h"
#include "ut_groups.h"
#include "block/vstate_blk.h"
#include "block/vstate_blk_class.h"
#include "block/vstate_blk_conf.h"
#include "block/vstate_blk_file.h"
#include "block/vstate_blk_order.h"
#include "dev/vstate_dev.h"

#define OK VIRTIO_BLK_S_OK
#define IOERR VIRTIO_BLK_S_IOERR
#define UNSUPP VIRTIO_BLK_S_UNSUPP
#define IN VIRTIO_BLK_T_IN
#define OUT VIRTIO_BLK_T_OUT
#define CAPACITY (DISK_SIZE / 512)

/* ---- requests that are right ---- */

static void
each_layout(void (*run)(struct disk *d))
{
	struct vstate_conf conf = disk_conf();
	struct disk d;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		disk_open(&d, "test_blk", &conf, packed);
		run(&d);
		assert_int_equal(d.vq->fault, VSTATE_FAULT_NONE);
		assert_int_equal(d.q->nb_out, 0);
		disk_close(&d);
	}
}

static void
data_returns(struct disk *d)
{
	uint8_t seed = 3;
	uint64_t sector;

	for (sector = 0; sector < CAPACITY; sector += CAPACITY / 8, seed += 7) {
		disk_data_fill(d, 0, 4096, seed);
		assert_int_equal(disk_do(d, OUT, sector, 4096, false), OK);
		disk_data_fill(d, 0, 4096, 0);
		disk_add(d, 0, IN, sector, 4096, true);
		assert_int_equal(disk_complete(d, 1), 4097);
		assert_int_equal(disk_status(d, 0), OK);
		disk_data_check(d, 0, 4096, seed);
	}
	assert_int_equal(disk_do(d, IN, CAPACITY - 1, 512, true), OK);
	assert_int_equal(disk_do(d, IN, CAPACITY, 0, true), OK);
	assert_int_equal(disk_do(d, VIRTIO_BLK_T_FLUSH, 0, 0, false), OK);
	assert_int_equal(d->q->counters.errors, 0);
	assert_int_equal(d->q->counters.flushes, 1);
	assert_int_equal(d->q->counters.write_bytes, 8 * 4096);
}

static void
what_was_written_is_read(void **state)
{
	each_layout(data_returns);
}

static void
identity_is_told(struct disk *d)
{
	char id[VSTATE_BLK_ID_SIZE + 4];

	disk_data_fill(d, 0, sizeof(id), 1);
	assert_int_equal(disk_do(d, VIRTIO_BLK_T_GET_ID, 0, VSTATE_BLK_ID_SIZE, true), OK);
	guest_read(&d->ring.guest, DISK_DATA(0), id, sizeof(id));
	assert_string_equal(id, "vstate");
	assert_int_equal(id[VSTATE_BLK_ID_SIZE - 1], 0);
	assert_int_not_equal(id[VSTATE_BLK_ID_SIZE], 0);
	/* shorter than it should be */
	assert_int_equal(disk_do(d, VIRTIO_BLK_T_GET_ID, 0, 3, true), OK);
	assert_int_equal(disk_do(d, VIRTIO_BLK_T_GET_ID, 0, 0, true), IOERR);
	/* longer: zeros follow, but not gigabytes of them */
	assert_int_equal(disk_do(d, VIRTIO_BLK_T_GET_ID, 0, 512, true), OK);
	assert_int_equal(*guest_at(&d->ring.guest, DISK_DATA(0) + 511), 0);
	assert_int_equal(disk_do(d, VIRTIO_BLK_T_GET_ID, 0, 513, true), IOERR);
}

static void
get_id_gives_the_serial(void **state)
{
	each_layout(identity_is_told);
}

static uint8_t
range_do(struct disk *d, uint32_t type, uint64_t sector, uint32_t nb, uint32_t flags)
{
	const struct virtio_blk_discard_write_zeroes range = {
		.sector = rte_cpu_to_le_64(sector), .num_sectors = rte_cpu_to_le_32(nb),
		.flags = rte_cpu_to_le_32(flags) };

	guest_write(&d->ring.guest, DISK_DATA(0), &range, sizeof(range));
	return disk_do(d, type, 0, sizeof(range), false);
}

static void
ranges_are_zeroed(struct disk *d)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES };
	unsigned int i, k;

	for (i = 0; i < RTE_DIM(types); i++) {
		disk_data_fill(d, 0, 2048, 9);
		assert_int_equal(disk_do(d, OUT, 16, 2048, false), OK);
		assert_int_equal(range_do(d, types[i], 17, 2, 0), OK);
		assert_int_equal(disk_do(d, IN, 16, 2048, true), OK);
		for (k = 512; k < 512 + 1024; k++)
			assert_int_equal(*guest_at(&d->ring.guest, DISK_DATA(0) + k), 0);
		disk_data_check(d, 0, 512, 9);
		assert_int_equal(range_do(d, types[i], CAPACITY - 1, 2, 0), IOERR);
		assert_int_equal(range_do(d, types[i], UINT64_MAX, 1, 0), IOERR);
		assert_int_equal(range_do(d, types[i], 0, 0, 0), IOERR);
		assert_int_equal(range_do(d, types[i], 0, UINT32_MAX, 0), IOERR);
		assert_int_equal(range_do(d, types[i], 0, 1, 2), UNSUPP);
		/* two ranges: the device offers one */
		assert_int_equal(disk_do(d, types[i], 0, 32, false), IOERR);
		assert_int_equal(disk_do(d, types[i], 0, 15, false), IOERR);
	}
	assert_int_equal(range_do(d, types[0], 0, 1, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP), UNSUPP);
	assert_int_equal(range_do(d, types[1], 0, 1, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP), OK);
}

static void
discard_and_write_zeroes_take_one_range(void **state)
{
	each_layout(ranges_are_zeroed);
}

/* ---- framing ---- */

/* A request in descriptors as small as the test likes, over a border of regions. */
static uint8_t
framed_do(struct disk *d, uint32_t type, uint32_t len, uint16_t hdr_step, uint16_t data_step,
		bool indirect)
{
	const uint64_t data = RING_BUF_BORDER - len / 2;
	const bool writable = type == IN;
	struct piece p[DISK_RING];
	uint16_t n = 0, readable;
	uint32_t at, part;

	disk_header(d, 0, type, 8);
	for (at = 0; at < 16; at += part) {
		part = RTE_MIN(hdr_step, 16 - at);
		p[n++] = (struct piece){ DISK_HDR(0) + at, part };
	}
	readable = n;
	for (at = 0; at < len; at += part) {
		part = RTE_MIN(data_step, len - at);
		p[n++] = (struct piece){ data + at, part };
	}
	if (!writable)
		readable = n;
	p[n++] = (struct piece){ DISK_STATUS(0), 1 };
	if (indirect)
		ring_add_mixed_indirect(&d->ring, p, readable, n);
	else
		ring_add_mixed(&d->ring, p, readable, n);
	disk_complete(d, 1);
	return disk_status(d, 0);
}

static void
any_framing_is_served(struct disk *d)
{
	static const uint16_t hdr_steps[] = { 1, 5, 8, 16 }, data_steps[] = { 300, 512, 2048 };
	uint8_t bytes[2048], back[2048];
	unsigned int i, k, form;

	for (i = 0; i < RTE_DIM(hdr_steps); i++) {
		for (k = 0; k < RTE_DIM(data_steps); k++) {
			for (form = 0; form < 2; form++) {
				memset(bytes, 1 + i * 16 + k * 4 + form, sizeof(bytes));
				guest_write(&d->ring.guest, RING_BUF_BORDER - 1024, bytes, 2048);
				assert_int_equal(framed_do(d, OUT, 2048, hdr_steps[i],
						data_steps[k], form), OK);
				memset(back, 0, sizeof(back));
				guest_write(&d->ring.guest, RING_BUF_BORDER - 1024, back, 2048);
				assert_int_equal(framed_do(d, IN, 2048, hdr_steps[i],
						data_steps[k], form), OK);
				guest_read(&d->ring.guest, RING_BUF_BORDER - 1024, back, 2048);
				assert_memory_equal(bytes, back, 2048);
			}
		}
	}
}

static void
descriptors_may_cut_a_request_anywhere(void **state)
{
	each_layout(any_framing_is_served);
}

/* ---- requests that are wrong ---- */

static void
wrong_requests_get_a_status(struct disk *d)
{
	static const struct {
		const char *what;
		uint32_t type;
		uint64_t sector;
		uint32_t len;
		bool writable;
		uint8_t status;
	} bad[] = {
		{ "read behind the end", IN, CAPACITY, 512, true, IOERR },
		{ "read over the end", IN, CAPACITY - 1, 1024, true, IOERR },
		{ "read at the last sector there can be", IN, UINT64_MAX, 512, true, IOERR },
		{ "read that wraps", IN, UINT64_MAX / 512, 1024, true, IOERR },
		{ "write behind the end", OUT, CAPACITY, 512, false, IOERR },
		{ "write that wraps", OUT, UINT64_MAX - 1, 1024, false, IOERR },
		{ "read of half a sector", IN, 0, 256, true, IOERR },
		{ "write of half a sector", OUT, 0, 768, false, IOERR },
		{ "read whose data is readable", IN, 0, 512, false, IOERR },
		{ "write whose data is writable", OUT, 0, 512, true, IOERR },
		{ "flush with data", VIRTIO_BLK_T_FLUSH, 0, 512, false, IOERR },
		{ "identity that is readable", VIRTIO_BLK_T_GET_ID, 0, 20, false, IOERR },
		{ "SCSI command", 2, 0, 512, true, UNSUPP },
		{ "secure erase", 14, 0, 16, false, UNSUPP },
		{ "barrier", 0x80000000, 0, 512, true, UNSUPP },
		{ "no such type", UINT32_MAX, 0, 512, true, UNSUPP },
	};
	const uint64_t errors = d->q->counters.errors;
	unsigned int i, unsupp = 0;

	for (i = 0; i < RTE_DIM(bad); i++) {
		if (disk_do(d, bad[i].type, bad[i].sector, bad[i].len, bad[i].writable) !=
				bad[i].status)
			fail_msg("%s: status %u", bad[i].what, disk_status(d, 0));
		unsupp += bad[i].status == UNSUPP;
	}
	assert_int_equal(d->q->counters.unsupported, unsupp);
	assert_int_equal(d->q->counters.errors - errors, RTE_DIM(bad) - unsupp);
	/* the queue still works */
	assert_int_equal(disk_do(d, IN, 0, 512, true), OK);
}

static void
wrong_fields_end_as_errors_of_their_request(void **state)
{
	each_layout(wrong_requests_get_a_status);
}

static void
short_chains_return(struct disk *d)
{
	const struct piece whole[] = { { DISK_HDR(0), 15 }, { DISK_STATUS(0), 1 } };
	const struct piece no_status[] = { { DISK_HDR(0), 16 }, { DISK_DATA(0), 512 } };

	/* a header of 15 bytes */
	disk_header(d, 0, OUT, 0);
	ring_add_mixed(&d->ring, whole, 1, 2);
	assert_int_equal(disk_complete(d, 1), 1);
	assert_int_equal(disk_status(d, 0), IOERR);
	/* no header */
	disk_header(d, 0, OUT, 0);
	ring_add_mixed(&d->ring, whole + 1, 0, 1);
	assert_int_equal(disk_complete(d, 1), 1);
	assert_int_equal(disk_status(d, 0), IOERR);
	/* no byte for a status */
	disk_header(d, 0, OUT, 0);
	ring_add_mixed(&d->ring, no_status, 2, 2);
	assert_int_equal(disk_complete(d, 1), 0);
	assert_int_equal(disk_status(d, 0), DISK_NO_STATUS);
	assert_int_equal(d->q->counters.malformed, 1);
	assert_int_equal(disk_do(d, IN, 0, 512, true), OK);
}

static void
chains_that_are_too_short_return(void **state)
{
	each_layout(short_chains_return);
}

/* A table of an indirect descriptor with @p n pieces of @p len bytes of data, all at one place. */
static uint16_t
long_read_add(struct disk *d, uint16_t n, uint32_t len)
{
	struct piece *p = calloc(n + 2u, sizeof(*p));
	uint16_t i, id;

	assert_non_null(p);
	disk_header(d, 0, IN, 0);
	p[0] = (struct piece){ DISK_HDR(0), 16 };
	for (i = 1; i <= n; i++)
		p[i] = (struct piece){ DISK_DATA(0), len };
	p[n + 1] = (struct piece){ DISK_STATUS(0), 1 };
	id = ring_add_mixed_indirect(&d->ring, p, 1, n + 2);
	free(p);
	return id;
}

static void
chains_of_any_length(struct disk *d)
{
	static const uint16_t lengths[] = { 1, 2, 7, 8, 9, 126, 127, 1000, 1023, 1024 };
	unsigned int i;

	for (i = 0; i < RTE_DIM(lengths); i++) {
		long_read_add(d, lengths[i], 512);
		assert_int_equal(disk_complete(d, 1), lengths[i] * 512 + 1);
		assert_int_equal(disk_status(d, 0), OK);
	}
	/* more than the kernel takes at once */
	long_read_add(d, 1025, 512);
	disk_complete(d, 1);
	assert_int_equal(disk_status(d, 0), IOERR);
}

static void
chains_of_1_to_1024_segments_are_served(void **state)
{
	each_layout(chains_of_any_length);
}

/* Without the features that tell of them, these requests do not exist. */
static void
features_decide_what_there_is(void **state)
{
	struct vstate_conf conf = disk_conf();
	struct disk d;

	disk_open(&d, "test_blk", &conf, false);
	d.setup.features &= ~(RTE_BIT64(VIRTIO_BLK_F_FLUSH) | RTE_BIT64(VIRTIO_BLK_F_DISCARD) |
			RTE_BIT64(VIRTIO_BLK_F_WRITE_ZEROES));
	disk_start(&d, d.vq->avail);
	assert_int_equal(disk_do(&d, VIRTIO_BLK_T_FLUSH, 0, 0, false), UNSUPP);
	assert_int_equal(range_do(&d, VIRTIO_BLK_T_DISCARD, 0, 1, 0), UNSUPP);
	assert_int_equal(range_do(&d, VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 0), UNSUPP);
	assert_true(d.q->rules.write_through);
	disk_close(&d);
}

static void
read_only_disk_is_not_written(void **state)
{
	struct vstate_conf conf = disk_conf();
	struct disk d;

	vstate_blk_conf(&conf)->ro = true;
	disk_open(&d, "test_blk", &conf, false);
	assert_true(d.dev->features_offered & RTE_BIT64(VIRTIO_BLK_F_RO));
	assert_int_equal(disk_do(&d, OUT, 0, 512, false), IOERR);
	assert_int_equal(range_do(&d, VIRTIO_BLK_T_DISCARD, 0, 1, 0), UNSUPP);
	assert_int_equal(disk_do(&d, IN, 0, 512, true), OK);
	assert_int_equal(disk_do(&d, VIRTIO_BLK_T_FLUSH, 0, 0, false), OK);
	disk_close(&d);
}

static void
blocks_of_4096_bytes_are_not_cut(void **state)
{
	struct vstate_conf conf = disk_conf();
	struct disk d;

	vstate_blk_conf(&conf)->blk_size = 4096;
	disk_open(&d, "test_blk", &conf, false);
	assert_int_equal(disk_do(&d, IN, 8, 4096, true), OK);
	assert_int_equal(disk_do(&d, IN, 1, 4096, true), IOERR);
	assert_int_equal(disk_do(&d, IN, 8, 512, true), IOERR);
	disk_close(&d);
}

/* A driver that makes a buffer available twice would get it back twice. */
static void
buffer_in_flight_is_not_taken_twice(void **state)
{
	struct vstate_conf conf = disk_conf();
	struct disk d;
	uint16_t id, idx;
	int packed;

	vstate_blk_conf(&conf)->delay_us = 1000000;
	for (packed = 0; packed < 2; packed++) {
		disk_open(&d, "test_blk", &conf, packed);
		id = disk_add(&d, 0, IN, 0, 512, true);
		vstate_blk_poll(d.dev);
		assert_int_equal(d.q->nb_out, 1);
		if (packed) {
			disk_add(&d, 1, IN, 0, 512, true);
			guest_write(&d.ring.guest, RING_DESC_GPA + 16 * 5 + 12, &id, 2);
		} else {
			guest_write(&d.ring.guest, RING_DRIVER_GPA + 4 + 2, &id, 2);
			idx = 2;
			guest_write(&d.ring.guest, RING_DRIVER_GPA + 2, &idx, 2);
		}
		vstate_blk_poll(d.dev);
		assert_int_equal(d.vq->fault, VSTATE_FAULT_IN_FLIGHT);
		assert_int_equal(d.q->nb_out, 1);
		disk_close(&d);
	}
}

/* ---- config space ---- */

static void
config_space_tells_the_disk(void **state)
{
	struct vstate_conf conf = disk_conf();
	struct virtio_blk_config c;
	struct disk d;
	uint8_t byte;

	disk_open(&d, "test_blk", &conf, false);
	assert_int_equal(vstate_blk_config_get(d.dev, (uint8_t *)&c, 60), 0);
	assert_int_equal(c.capacity, CAPACITY);
	assert_int_equal(c.blk_size, 512);
	assert_int_equal(c.seg_max, 126);
	assert_int_equal(c.num_queues, 1);
	assert_int_equal(c.wce, 1);
	assert_int_equal(c.max_discard_seg, 1);
	assert_int_equal(vstate_blk_config_get(d.dev, (uint8_t *)&c, 257), -EINVAL);
	/* the cache is off: writes are stable */
	byte = 0;
	assert_false(d.q->rules.write_through);
	assert_int_equal(vstate_blk_config_set(d.dev, &byte,
			offsetof(struct virtio_blk_config, wce), 1), 0);
	assert_int_equal(vstate_blk_config_get(d.dev, (uint8_t *)&c, 60), 0);
	assert_int_equal(c.wce, 0);
	assert_true(d.q->rules.write_through);
	byte = 2;
	assert_int_equal(vstate_blk_config_set(d.dev, &byte,
			offsetof(struct virtio_blk_config, wce), 1), -EINVAL);
	assert_int_equal(vstate_blk_config_set(d.dev, &byte, 0, 1), -EINVAL);
	vstate_blk_reset(d.dev);
	assert_int_equal(vstate_blk_config_get(d.dev, (uint8_t *)&c, 60), 0);
	assert_int_equal(c.wce, 1);
	disk_close(&d);
}

/* ---- order ---- */

static void
flush_waits_for_what_is_before_it(void **state)
{
	static struct vstate_blk_vq q;
	struct vstate_blk_req r[6], f[3], *ready;
	unsigned int i;

	memset(&q, 0, sizeof(q));
	memset(r, 0, sizeof(r));
	memset(f, 0, sizeof(f));
	/* nothing is before it */
	assert_true(vstate_blk_order_flush(&q, &f[0]));
	/* 0 1 F0 2 F1 F2 3 */
	vstate_blk_order_begin(&q, &r[0]);
	vstate_blk_order_begin(&q, &r[1]);
	assert_false(vstate_blk_order_flush(&q, &f[0]));
	vstate_blk_order_begin(&q, &r[2]);
	assert_false(vstate_blk_order_flush(&q, &f[1]));
	assert_false(vstate_blk_order_flush(&q, &f[2]));
	vstate_blk_order_begin(&q, &r[3]);
	/* what is behind it does not matter, and a later group does not overtake */
	assert_null(vstate_blk_order_end(&q, &r[3]));
	assert_null(vstate_blk_order_end(&q, &r[2]));
	assert_null(vstate_blk_order_end(&q, &r[1]));
	ready = vstate_blk_order_end(&q, &r[0]);
	for (i = 0; ready != NULL; i++)
		ready = ready->next;
	assert_int_equal(i, 3);
	assert_true(vstate_blk_order_flush(&q, &f[0]));
}

/* Requests end in any order, but no flush overtakes a write. */
static void
flushes_return_in_their_place(void **state)
{
	struct vstate_conf conf = disk_conf();
	bool out[DISK_RING] = { 0 };
	uint16_t id, ids[DISK_RING];
	unsigned int i, k, n, round;
	struct disk d;
	uint32_t len;
	int packed;

	vstate_blk_conf(&conf)->delay_us = 200;
	vstate_blk_conf(&conf)->reorder = true;
	for (packed = 0; packed < 2; packed++) {
		disk_open(&d, "test_blk", &conf, packed);
		for (round = 0; round < 40; round++) {
			for (i = 0; i < 9; i++) {
				ids[i] = i % 3 == 2 ? disk_add(&d, i, VIRTIO_BLK_T_FLUSH, 0, 0,
						false) : disk_add(&d, i, OUT, i, 512, false);
				out[i] = true;
			}
			for (n = 0; n < 9; ) {
				vstate_blk_poll(d.dev);
				if (!ring_get_used(&d.ring, &id, &len))
					continue;
				for (i = 0; i < 9 && (!out[i] || ids[i] != id); i++)
					;
				assert_true(i < 9);
				out[i] = false;
				n++;
				/* a flush: all writes before it have returned */
				for (k = 0; i % 3 == 2 && k < i; k++)
					assert_true(!out[k] || k % 3 == 2);
			}
		}
		disk_close(&d);
	}
}

static void
too_many_flushes_wait_in_the_ring(void **state)
{
	static struct vstate_blk_vq q;
	struct vstate_blk_req r[VSTATE_BLK_GROUPS], f[VSTATE_BLK_GROUPS], *all;
	unsigned int i, n = 0;

	memset(&q, 0, sizeof(q));
	memset(r, 0, sizeof(r));
	memset(f, 0, sizeof(f));
	for (i = 0; vstate_blk_order_has_room(&q); i++) {
		assert_true(i < VSTATE_BLK_GROUPS);
		vstate_blk_order_begin(&q, &r[i]);
		assert_false(vstate_blk_order_flush(&q, &f[i]));
	}
	for (all = vstate_blk_order_drop(&q); all != NULL; all = all->next)
		n++;
	assert_int_equal(n, i);
	for (n = 0; n < i; n++)
		assert_null(vstate_blk_order_end(&q, &r[n]));
	assert_true(vstate_blk_order_has_room(&q));
}

/* ---- stores ---- */

/* Random requests on a real file against a copy of what must be there. */
static void
store_keeps_what_it_gets(enum vstate_blk_store_kind kind, bool direct)
{
	struct vstate_conf conf = disk_conf();
	struct vstate_blk_conf *blk = vstate_blk_conf(&conf);
	static uint8_t model[DISK_SIZE];
	char path[] = "/var/tmp/vstate-blk-XXXXXX";
	struct disk d;
	unsigned int i;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DISK_SIZE), 0);
	blk->store = kind;
	blk->size = 0;
	blk->direct = direct;
	strcpy(blk->path, path);
	memset(model, 0, sizeof(model));
	disk_open(&d, "test_blk", &conf, true);
	srand(kind);
	for (i = 0; i < 500; i++) {
		const uint64_t sector = (unsigned int)rand() % (CAPACITY - 8);
		uint8_t bytes[4096];

		if (i % 3 == 0) {
			memset(bytes, i, sizeof(bytes));
			memcpy(model + sector * 512, bytes, sizeof(bytes));
			guest_write(&d.ring.guest, DISK_DATA(0), bytes, sizeof(bytes));
			assert_int_equal(disk_do(&d, OUT, sector, 4096, false), OK);
		} else if (i % 3 == 1) {
			assert_int_equal(disk_do(&d, IN, sector, 4096, true), OK);
			guest_read(&d.ring.guest, DISK_DATA(0), bytes, sizeof(bytes));
			assert_memory_equal(bytes, model + sector * 512, sizeof(bytes));
		} else {
			memset(model + sector * 512, 0, 1024);
			assert_int_equal(range_do(&d, VIRTIO_BLK_T_WRITE_ZEROES, sector, 2,
					i & 1), OK);
		}
	}
	assert_int_equal(disk_do(&d, VIRTIO_BLK_T_FLUSH, 0, 0, false), OK);
	assert_int_equal(pread(fd, model, 4096, 0), 4096);
	disk_close(&d);
	close(fd);
	unlink(path);
}

static void
file_behind_io_uring_keeps_data(void **state)
{
#ifdef VSTATE_HAS_LIBURING
	store_keeps_what_it_gets(VSTATE_BLK_STORE_URING, false);
#else
	skip();
#endif
}

static void
file_behind_threads_keeps_data(void **state)
{
	store_keeps_what_it_gets(VSTATE_BLK_STORE_THREADS, false);
}

/* tmpfs cannot write zeroes itself. Writes that must be stable are made stable. */
static void
zeroes_are_written_where_the_file_system_cannot(void **state)
{
#ifdef VSTATE_HAS_LIBURING
	struct vstate_conf conf = disk_conf();
	char path[] = "/dev/shm/vstate-blk-XXXXXX";
	static uint8_t bytes[DISK_SIZE];
	struct disk d;
	unsigned int i;
	uint8_t byte = 0;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	vstate_blk_conf(&conf)->store = VSTATE_BLK_STORE_URING;
	vstate_blk_conf(&conf)->size = 0;
	strcpy(vstate_blk_conf(&conf)->path, path);
	memset(bytes, 0xa5, sizeof(bytes));
	assert_int_equal(pwrite(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	disk_open(&d, "test_blk", &conf, false);
	assert_int_equal(vstate_blk_config_set(d.dev, &byte,
			offsetof(struct virtio_blk_config, wce), 1), 0);
	/* neither begin nor length is a multiple of what is written at once */
	assert_int_equal(range_do(&d, VIRTIO_BLK_T_WRITE_ZEROES, 1, CAPACITY - 3, 0), OK);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	for (i = 0; i < DISK_SIZE; i++)
		assert_int_equal(bytes[i], i < 512 || i >= DISK_SIZE - 1024 ? 0xa5 : 0);
	assert_int_equal(range_do(&d, VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 1), OK);
	assert_int_equal(range_do(&d, VIRTIO_BLK_T_DISCARD, CAPACITY - 1, 1, 0), OK);
	assert_int_equal(d.q->nb_out, 0);
	disk_close(&d);
	close(fd);
	unlink(path);
#else
	skip();
#endif
}

/* A cancellation interrupts operations that had begun: they must not end as errors. */
static void
interrupted_operations_are_repeated(void **state)
{
	struct vstate_blk_io io = { .op = VSTATE_BLK_READ, .len = 4096 };

	assert_int_equal(vstate_blk_file_result(0), 0);
	assert_int_equal(vstate_blk_file_result(-EIO), -EIO);
	assert_int_equal(vstate_blk_file_result(-EINTR), -ECANCELED);
	assert_int_equal(vstate_blk_file_transferred(&io, 4096), 0);
	assert_int_equal(vstate_blk_file_transferred(&io, -EINTR), -ECANCELED);
	assert_int_equal(vstate_blk_file_transferred(&io, -EFAULT), -EFAULT);
	/* short: once more, and then it is an error */
	assert_int_equal(vstate_blk_file_transferred(&io, 512), -ECANCELED);
	assert_int_equal(vstate_blk_file_transferred(&io, 4096), 0);
	assert_int_equal(vstate_blk_file_transferred(&io, 0), -EIO);
}

static void
file_that_grows_is_seen(void **state)
{
	struct vstate_conf conf = disk_conf();
	struct vstate_blk_conf *blk = vstate_blk_conf(&conf);
	char path[] = "/var/tmp/vstate-blk-XXXXXX";
	struct disk d;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DISK_SIZE), 0);
	blk->store = VSTATE_BLK_STORE_THREADS;
	blk->size = 0;
	strcpy(blk->path, path);
	disk_open(&d, "test_blk", &conf, false);
	assert_int_equal(disk_do(&d, IN, CAPACITY, 512, true), IOERR);
	assert_false(vstate_blk_watch(d.dev));
	assert_int_equal(ftruncate(fd, DISK_SIZE + 1023), 0);
	assert_true(vstate_blk_watch(d.dev));
	assert_false(vstate_blk_watch(d.dev));
	assert_int_equal(disk_do(&d, IN, CAPACITY, 512, true), OK);
	assert_int_equal(disk_do(&d, IN, CAPACITY + 1, 512, true), IOERR);
	/* a file that shrinks gives errors, and keeps its size for the driver */
	assert_int_equal(ftruncate(fd, 512), 0);
	assert_false(vstate_blk_watch(d.dev));
	assert_int_equal(disk_do(&d, IN, 8, 512, true), IOERR);
	disk_close(&d);
	close(fd);
	unlink(path);
}

int
test_vstate_blk(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(get_id_gives_the_serial),
		cmocka_unit_test(discard_and_write_zeroes_take_one_range),
		cmocka_unit_test(descriptors_may_cut_a_request_anywhere),
		cmocka_unit_test(wrong_fields_end_as_errors_of_their_request),
		cmocka_unit_test(chains_that_are_too_short_return),
		cmocka_unit_test(chains_of_1_to_1024_segments_are_served),
		cmocka_unit_test(features_decide_what_there_is),
		cmocka_unit_test(read_only_disk_is_not_written),
		cmocka_unit_test(blocks_of_4096_bytes_are_not_cut),
		cmocka_unit_test(buffer_in_flight_is_not_taken_twice),
		cmocka_unit_test(config_space_tells_the_disk),
		cmocka_unit_test(flush_waits_for_what_is_before_it),
		cmocka_unit_test(flushes_return_in_their_place),
		cmocka_unit_test(too_many_flushes_wait_in_the_ring),
		cmocka_unit_test(file_behind_io_uring_keeps_data),
		cmocka_unit_test(file_behind_threads_keeps_data),
		cmocka_unit_test(zeroes_are_written_where_the_file_system_cannot),
		cmocka_unit_test(interrupted_operations_are_repeated),
		cmocka_unit_test(file_that_grows_is_seen),
	};

	return cmocka_run_group_tests_name("vstate_blk", tests, NULL, NULL);
}
