/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_vhost_state.h>
#include <rte_vhost_state_backend.h>

#include "backend.h"
#include "clock.h"
#include "conform_disk.h"
#include "conform_disk_io.h"
#include "guest_disk.h"
#include "guest_disk_core.h"
#include "guest_mem.h"
#include "guest_ring.h"

#define CONNECT_MS 5000
#define RING_SIZE 2048
#define SCRATCH_SIZE (2u << 20)

/* ---- memory: headers and answers, then data, whose middle is the border of two regions ---- */

uint64_t
conform_disk_hdr(const struct conform_disk *c)
{
	return c->disk->scratch_gpa;
}

uint64_t
conform_disk_data(const struct conform_disk *c)
{
	return c->disk->scratch_gpa + 4096;
}

uint64_t
conform_disk_border(const struct conform_disk *c)
{
	return c->disk->scratch_gpa + SCRATCH_SIZE / 2;
}

uint8_t
conform_disk_byte(const struct conform_disk *c, uint64_t gpa)
{
	uint8_t byte = 0;

	guest_mem_read(&c->disk->mem, gpa, &byte, 1);
	return byte;
}

static uint8_t
pattern_get(uint32_t i, uint8_t seed)
{
	return seed + i + i / 512;
}

void
conform_disk_fill(struct conform_disk *c, uint64_t gpa, uint32_t len, uint8_t seed)
{
	uint8_t *bytes = malloc(len);
	uint32_t i;

	if (bytes == NULL)
		return;
	for (i = 0; i < len; i++)
		bytes[i] = pattern_get(i, seed);
	guest_mem_write(&c->disk->mem, gpa, bytes, len);
	free(bytes);
}

int
conform_disk_check(struct conform_disk *c, uint64_t gpa, uint32_t len, uint8_t seed)
{
	uint8_t *bytes = malloc(len);
	uint32_t i;

	if (bytes == NULL)
		return conform_disk_no(c, "out of memory");
	guest_mem_read(&c->disk->mem, gpa, bytes, len);
	for (i = 0; i < len && bytes[i] == pattern_get(i, seed); i++)
		;
	free(bytes);
	return i == len ? 0 : conform_disk_no(c, "byte %u of %u is wrong", i, len);
}

/* ---- requests ---- */

struct disk_queue *
conform_disk_queue(const struct conform_disk *c)
{
	return &c->disk->queues[c->disk->first];
}

void
conform_disk_add_to(struct conform_disk *c, struct disk_queue *dq,
		const struct guest_seg *segs, uint16_t nb)
{
	const uint64_t one = 1;

	if (dq->ring.ops->add(&dq->ring, segs, nb, 0, false) != 0)
		conform_disk_no(c, "no room in the ring for %u descriptors", nb);
	if (dq->ring.ops->publish(&dq->ring) && write(dq->kick, &one, sizeof(one)) < 0 &&
			errno != EAGAIN)
		conform_disk_no(c, "cannot kick the queue");
}

void
conform_disk_add(struct conform_disk *c, const struct guest_seg *segs, uint16_t nb)
{
	conform_disk_add_to(c, conform_disk_queue(c), segs, nb);
}

int
conform_disk_wait_on(struct conform_disk *c, struct disk_queue *dq, int ms, uint32_t *len)
{
	const uint64_t end = clock_ns() + ms * UINT64_C(1000000);
	uint32_t cookie;
	int ret;

	for (;;) {
		ret = dq->ring.ops->take(&dq->ring, &cookie, len);
		if (ret < 0)
			return conform_disk_no(c, "the device used a buffer that it did not own");
		if (ret > 0)
			return 1;
		if (clock_ns() >= end)
			return 0;
		usleep(20);
	}
}

int
conform_disk_wait(struct conform_disk *c, int ms, uint32_t *len)
{
	return conform_disk_wait_on(c, conform_disk_queue(c), ms, len);
}

/* ---- connections ---- */

int
conform_disk_open(struct conform_disk *c)
{
	const uint64_t until = clock_ns() + CONNECT_MS * UINT64_C(1000000);
	struct rte_vhost_state_info info;
	int ret;

	/* The device may still be closing the last connection. */
	while (c->be->ops->info(c->be, &info) == 0 && info.connected && clock_ns() < until)
		usleep(200);
	ret = disk_connect(c->disk, 0, c->be->dev.socket, CONNECT_MS);
	if (ret == 0)
		ret = disk_prepare(c->disk, 0);
	if (ret == 0)
		ret = disk_run(c->disk, 0);
	return ret == 0 ? 0 : conform_disk_no(c, "cannot set up the device: %s", strerror(-ret));
}

/* The driver resets the device and begins with empty rings. */
int
conform_disk_restart(struct conform_disk *c)
{
	uint16_t q;

	disk_disconnect(c->disk, 0);
	if (c->disk->region != NULL)
		memset(c->disk->region, 0, c->disk->geometry.mmap_size);
	for (q = 0; q < c->disk->nb_vqs; q++) {
		guest_ring_reset(&c->disk->queues[q].ring);
		c->disk->queues[q].base = c->packed ? DISK_PACKED_FRESH_BASE : 0;
	}
	return conform_disk_open(c);
}

/* ---- items of all classes ---- */

int
conform_disk_rests(struct conform_disk *c, const char *what, const struct guest_seg *segs,
		uint16_t nb)
{
	uint32_t len;

	conform_disk_fill(c, conform_disk_data(c), 512, 1);
	conform_disk_add(c, segs, nb);
	if (c->why[0] != '\0')
		return -1;
	if (conform_disk_wait(c, CONFORM_REST_MS, &len) != 0)
		return conform_disk_no(c, "%s: the request returned", what);
	if (conform_disk_check(c, conform_disk_data(c), 512, 1) < 0)
		return conform_disk_no(c, "%s: something was written", what);
	return 0;
}

int
conform_disk_lengths(struct conform_disk *c)
{
	static const uint16_t lengths[] = { 1, 2, 3, 5, 8, 9, 64, 125, 126, 127, 128, 255, 256,
		257, 511, 513, 1000, 1023, 1024 };
	unsigned int i;

	for (i = 0; i < RTE_DIM(lengths); i++) {
		if (c->class->data_pass(c, i, conform_disk_data(c), lengths[i] * 512u, 512,
					i) < 0)
			return -1;
	}
	return 0;
}

int
conform_disk_borders(struct conform_disk *c)
{
	static const uint32_t before[] = { 1, 15, 511, 512, 513, 2048, 4095 };
	unsigned int i;
	uint64_t gpa;

	for (i = 0; i < RTE_DIM(before); i++) {
		gpa = conform_disk_border(c) - before[i];
		if (c->class->data_pass(c, 8 * i, gpa, 4096, 4096, i) < 0 ||
				c->class->data_pass(c, 8 * i, gpa, 4096, 700, i) < 0)
			return -1;
	}
	return 0;
}

int
conform_disk_config(struct conform_disk *c, void *config, size_t config_size)
{
	uint8_t whole[256], part[256];
	uint32_t size;

	memset(whole, 0xaa, sizeof(whole));
	if (disk_config(c->disk, 0, whole, sizeof(whole)) != 0)
		return conform_disk_no(c, "GET_CONFIG of 256 bytes is refused");
	for (size = 1; size < 256; size++) {
		memset(part, 0x55, sizeof(part));
		if (disk_config(c->disk, 0, part, size) != 0 || memcmp(part, whole, size) != 0 ||
				part[size] != 0x55)
			return conform_disk_no(c, "GET_CONFIG of %u bytes differs", size);
	}
	memcpy(config, whole, config_size);
	return 0;
}

/* Whatever is in the region, the disk answers, and serves a driver that begins again. */
int
conform_disk_any_region(struct conform_disk *c, const struct guest_seg *segs, uint16_t nb)
{
	struct disk *d = c->disk;
	uint64_t rnd = 1;
	unsigned int round, i;
	uint32_t len;

	for (round = 0; round < 60; round++) {
		conform_disk_add(c, segs, nb);
		if (c->why[0] != '\0' || conform_disk_wait(c, CONFORM_RETURN_MS, &len) != 1)
			return conform_disk_no(c, "round %u: a request does not return", round);
		disk_disconnect(d, 0);
		for (i = 0; i < 1 + round * round; i++)
			d->region[guest_rnd(&rnd, d->geometry.mmap_size)] = guest_rnd(&rnd, 256);
		/* nearly right, for the most part */
		for (i = 0; i < d->nb_vqs && round % 4 != 0; i++) {
			d->region[i * (d->geometry.mmap_size / d->nb_vqs) + 8] = 1;
			d->region[i * (d->geometry.mmap_size / d->nb_vqs) + 9] = 0;
		}
		disk_back_end_died(d);
		if (conform_disk_open(c) < 0 || conform_disk_restart(c) < 0)
			return conform_disk_no(c, "round %u: the device cannot be set up", round);
	}
	return 0;
}

/* ---- one item ---- */

static int
disk_begin(struct conform_disk *c, bool region)
{
	const struct disk_conf conf = { .codec = c->class->codec, .queues = 1,
		.ring_size = RING_SIZE, .packed = c->packed, .depth = 1, .blocks = 2, .seed = 1,
		.scratch = SCRATCH_SIZE, .region = region };

	c->disk = disk_create(&conf);
	if (c->disk == NULL)
		return conform_disk_no(c, "cannot create a guest: %s", strerror(rte_errno));
	return conform_disk_open(c);
}

int
conform_disk_run(struct conform_disk *c, const struct conform_disk_item *item)
{
	int ret = disk_begin(c, item->region);

	if (ret == 0)
		ret = item->run(c);
	/* the disk still works, and it has written nowhere else */
	if (ret == 0)
		ret = c->class->pass(c);
	if (ret == 0 && guest_mem_canary_check(&c->disk->mem) >= 0)
		ret = conform_disk_no(c, "the device wrote outside of all buffers");
	disk_destroy(c->disk);
	c->disk = NULL;
	return ret;
}
