/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Runs hostile cases of a disk and checks the back end after each of them. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_blk.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "guest_disk.h"
#include "guest_disk_codec.h"
#include "hostile.h"
#include "hostile_blk.h"
#include "hostile_blk_chain.h"
#include "hostile_blk_env.h"
#include "hostile_blk_region.h"
#include "hostile_blk_ring.h"
#include "hostile_case.h"
#include "hostile_tally.h"
#include "vhost_user_fe.h"

#define MAX_CASES 200
#define SECTOR 512
#define GUARD_BYTE 0x5b
#define GUARD_BYTES (HOSTILE_BLK_GUARD * SECTOR)
/* Sectors that the cases need. */
#define SECTORS_MIN 8192
/* Requests of the witness under way: some, and little for a busy machine. */
#define WITNESS_DEPTH 2

struct run {
	struct hostile_tally tally;
	/** A good driver of the second device; NULL: there is none. */
	struct disk *witness;
	uint16_t queues;
	uint64_t capacity;
};

static struct hostile_blk_env
env_make(const struct run *r, bool packed)
{
	return (struct hostile_blk_env){ .conf = r->tally.conf, .packed = packed,
		.queues = r->queues, .capacity = r->capacity };
}

/* ---- the second device ---- */

static int
witness_open(struct run *r)
{
	struct disk_conf conf = { .codec = &disk_codec_blk, .queues = 1, .seed = 2 };
	int ret;

	if (r->tally.conf->witness == NULL)
		return 0;
	disk_conf_size(&conf, WITNESS_DEPTH);
	r->witness = disk_create(&conf);
	if (r->witness == NULL)
		return -rte_errno;
	ret = disk_connect(r->witness, 0, r->tally.conf->witness, HOSTILE_BLK_WAIT_MS);
	if (ret == 0)
		ret = disk_prepare(r->witness, 0);
	if (ret == 0)
		ret = disk_run(r->witness, 0);
	if (ret == 0)
		ret = disk_start(r->witness);
	return ret == 0 ? disk_wait_flow(r->witness, HOSTILE_BLK_WAIT_MS) : ret;
}

/* Its requests must return, and be right. After a failure the next case begins with a new one. */
static int
witness_check(struct run *r, struct hostile_blk_env *e)
{
	struct disk_counts counts;
	int ret;

	if (r->tally.conf->witness == NULL)
		return 0;
	ret = r->witness != NULL ? 0 : witness_open(r);
	if (ret == 0)
		ret = disk_wait_flow(r->witness, HOSTILE_BLK_WAIT_MS);
	if (ret == 0) {
		disk_counts_get(r->witness, &counts);
		if (!disk_counts_are_wrong(&counts))
			return 0;
	}
	hostile_blk_fail(e, "the second device: %s", r->witness == NULL ? strerror(-ret) :
		disk_error(r->witness) != NULL ? disk_error(r->witness) : strerror(-ret));
	disk_destroy(r->witness);
	r->witness = NULL;
	return -EPROTO;
}

/* ---- the disk at rest ---- */

/* Write the sectors that no case may change, which are the first and the last ones. */
static int
guard_write(struct hostile_blk_env *e)
{
	static uint8_t bytes[GUARD_BYTES];

	memset(bytes, GUARD_BYTE, sizeof(bytes));
	guest_mem_write(&e->d->mem, hostile_blk_at(e, HOSTILE_BLK_DATA_AT), bytes, sizeof(bytes));
	if (hostile_blk_do(e, 0, VIRTIO_BLK_T_OUT, 0, GUARD_BYTES) != VIRTIO_BLK_S_OK ||
			hostile_blk_do(e, 0, VIRTIO_BLK_T_OUT, e->capacity - 8, 8 * SECTOR) !=
			VIRTIO_BLK_S_OK)
		return hostile_blk_fail(e, "the disk cannot be written");
	return 0;
}

static int
guard_check(struct hostile_blk_env *e, uint64_t sector, uint32_t len)
{
	static uint8_t bytes[GUARD_BYTES];
	uint32_t i;

	if (hostile_blk_do(e, 0, VIRTIO_BLK_T_IN, sector, len) != VIRTIO_BLK_S_OK)
		return hostile_blk_fail(e, "sector %" PRIu64 " cannot be read", sector);
	guest_mem_read(&e->d->mem, hostile_blk_at(e, HOSTILE_BLK_DATA_AT), bytes, len);
	for (i = 0; i < len && bytes[i] == GUARD_BYTE; i++)
		;
	return i == len ? 0 : hostile_blk_fail(e, "sector %" PRIu64 " was changed",
			sector + i / SECTOR);
}

/* A new driver writes and reads in each queue, and finds what was never written. */
static int
fresh_check(const struct run *r, struct hostile_blk_env *e)
{
	struct hostile_blk_env fresh = env_make(r, e->packed);
	uint16_t q;
	int ret = hostile_blk_open(&fresh, false);

	for (q = 0; q < fresh.queues && ret == 0; q++) {
		if (hostile_blk_do(&fresh, q, VIRTIO_BLK_T_OUT, HOSTILE_BLK_FREE, 4096) !=
				VIRTIO_BLK_S_OK)
			ret = hostile_blk_fail(&fresh, "a write in queue %u fails", q);
	}
	if (ret == 0)
		ret = guard_check(&fresh, 0, GUARD_BYTES);
	if (ret == 0)
		ret = guard_check(&fresh, e->capacity - 8, 8 * SECTOR);
	hostile_blk_close(&fresh);
	return ret == 0 ? 0 : hostile_blk_fail(e, "a new driver after the attack: %s", fresh.why);
}

/* ---- one case ---- */

/* What must hold at the end of an attack, unless the back end closed the connection. */
static int
attack_check(struct run *r, struct hostile_blk_env *e)
{
	int ret = hostile_blk_check_memory(e);

	if (ret == 0)
		ret = witness_check(r, e);
	if (ret < 0 || !e->d->links[0].open)
		return ret;
	/* only queue 0 was attacked */
	if (e->queues > 1 && hostile_blk_do(e, 1, VIRTIO_BLK_T_FLUSH, 0, 0) != VIRTIO_BLK_S_OK)
		return hostile_blk_fail(e, "a flush in the other queue fails");
	ret = disk_take_back(e->d, 0);
	if (ret < 0)
		return hostile_blk_fail(e, "GET_VRING_BASE or reset failed: %s", strerror(-ret));
	hostile_blk_lend(e, hostile_blk_at(e, HOSTILE_BLK_HDR_AT), HOSTILE_BLK_RANGE_AT);
	return hostile_blk_check_memory(e);
}

/* @return 0, -EPROTO or HOSTILE_SKIPPED */
static int
attack_run(struct run *r, struct hostile_blk_env *e, const struct hostile_blk_case *c)
{
	int ret = hostile_blk_open(e, (c->flags & HOSTILE_BLK_REGION) != 0);

	if (ret < 0)
		return ret;
	if (c->needs != 0 && (e->d->features & 1ull << c->needs) == 0)
		return HOSTILE_SKIPPED;
	hostile_blk_fill(e);
	ret = c->run(e, c);
	return ret == 0 ? attack_check(r, e) : ret;
}

static void
run_case(struct run *r, const struct hostile_blk_case *c, bool packed)
{
	struct hostile_blk_env e = env_make(r, packed);
	struct hostile_tally *t = &r->tally;
	char why[200];
	int ret, fresh = 0;

	ret = attack_run(r, &e, c);
	hostile_blk_close(&e);
	if (hostile_tally_is_alive(t))
		fresh = fresh_check(r, &e);
	t->deaf = fresh < 0 ? t->deaf + 1 : 0;
	if (ret == 0)
		ret = fresh;
	if (!hostile_tally_is_alive(t)) {
		e.why[0] = '\0';
		ret = hostile_blk_fail(&e, "the back end's process ended");
	}
	if (ret == 0 && hostile_tally_usage(t, why, sizeof(why)) != 0)
		ret = hostile_blk_fail(&e, "%s", why);
	if (ret < 0)
		hostile_tally_renew(t);
	hostile_tally_add(t, c->name, packed ? " packed" : " split", ret, ret < 0 ? e.why :
			ret == 0 ? e.did : "the device does not offer the feature");
}

/* ---- all cases ---- */

static uint32_t
all_cases(struct hostile_blk_case *c)
{
	uint32_t n = 0;

	n += hostile_blk_chain_cases(c + n, MAX_CASES - n);
	n += hostile_blk_ring_cases(c + n, MAX_CASES - n);
	n += hostile_blk_region_cases(c + n, MAX_CASES - n);
	return n;
}

void
hostile_blk_list(void)
{
	static struct hostile_blk_case cases[MAX_CASES];
	uint32_t i, n = all_cases(cases);

	for (i = 0; i < n; i++)
		printf("%-26s %-7s %s\n", cases[i].name,
			(cases[i].flags & HOSTILE_BLK_REGION) != 0 ? "region" :
			(cases[i].flags & HOSTILE_ANY) == HOSTILE_ANY ? "ring" :
			(cases[i].flags & HOSTILE_SPLIT) != 0 ? "split" : "packed", cases[i].what);
}

/* What the device is like. The first connections may open descriptors that it keeps. */
static int
warm_up(struct run *r, bool packed)
{
	struct virtio_blk_config config = { 0 };
	struct hostile_blk_env e;
	int ret;

	r->queues = 1;
	e = env_make(r, packed);
	ret = hostile_blk_open(&e, false);
	if (ret == 0 && disk_config(e.d, 0, &config, sizeof(config)) < 0)
		ret = hostile_blk_fail(&e, "the config space cannot be read");
	e.capacity = r->capacity = config.capacity;
	if (config.num_queues > 1)
		r->queues = 2;
	if (ret == 0 && r->capacity < SECTORS_MIN)
		ret = hostile_blk_fail(&e, "a disk of %u MiB is needed", SECTORS_MIN / 2048);
	if (ret == 0)
		ret = guard_write(&e);
	if (ret == 0)
		hostile_tally_find(&r->tally, e.d->links[0].fe.fd);
	hostile_blk_close(&e);
	e.queues = r->queues;
	if (ret == 0)
		ret = fresh_check(r, &e);
	if (ret == 0)
		ret = witness_check(r, &e);
	return hostile_tally_begin(&r->tally, ret, e.why);
}

static int
ring_cases_run(struct run *r, const struct hostile_blk_case *cases, uint32_t nb, bool packed)
{
	struct hostile_tally *t = &r->tally;
	uint32_t i;

	if (warm_up(r, packed) < 0)
		return -EIO;
	for (i = 0; i < nb; i++) {
		if (!hostile_tally_wants(t, cases[i].name, cases[i].flags, packed))
			continue;
		run_case(r, &cases[i], packed);
		if (hostile_tally_go_on(t, cases[i].name) != 0)
			return -EIO;
	}
	return 0;
}

int
hostile_blk_run(const struct hostile_conf *conf)
{
	static struct hostile_blk_case cases[MAX_CASES];
	struct run r = { .tally = { .conf = conf } };
	uint32_t n = all_cases(cases);
	int packed, ret = 0;

	for (packed = 0; packed < 2 && ret == 0; packed++) {
		if (packed ? conf->packed : conf->split)
			ret = ring_cases_run(&r, cases, n, packed);
	}
	disk_destroy(r.witness);
	return hostile_tally_end(&r.tally) == 0 && ret == 0 ? 0 : -EPROTO;
}
