/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Fuzzer of block requests: of both layouts, from the ring through the checks of a request to a
 * store in memory and back, completed in any order, given up and submitted again. The driver
 * overwrites anything, and in half of the inputs it does so while a request is read.
 *
 * All pieces of a request are the guest's memory, no more is transferred than the driver offered,
 * marks and ring agree on what is in flight, and a request that was popped is used exactly once.
 */

#include <stdlib.h>
#include <string.h>

#include <sanitizer/asan_interface.h>

#include <linux/virtio_blk.h>

#include <rte_byteorder.h>

#include "fuzz_driver.h"
#include "block/vstate_blk_conf.h"
#include "block/vstate_blk_mem.h"
#include "block/vstate_blk_request.h"
#include "dev/vstate_conf.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_marks.h"
#include "ring/vstate_request.h"
#include "ring/vstate_ring.h"

#define DISK_SIZE 65536
#define STEPS_MAX 100
#define PIECES 64
#define OUT_MAX 16

static struct {
	struct vstate_vq vq;
	struct fuzz_driver d;
	struct vstate_blk_rules rules;
	struct vstate_blk_counters counters;
	struct vstate_blk_req reqs[OUT_MAX];
	struct iovec pieces[OUT_MAX][PIECES];
	bool busy[OUT_MAX];
	uint16_t nb_out;
	/** Descriptors (packed), or buffers, that the queue has and the driver has not. */
	uint32_t held;
	bool race;
} q;

static struct vstate_blk_store *store;

/* ---- the driver ---- */

/* A header at some place, data, and a status: mostly right. */
static void
request_add(struct fuzz_in *in)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_FLUSH,
		VIRTIO_BLK_T_GET_ID, VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES };
	const uint8_t how = fuzz_u8(in), which = fuzz_u8(in);
	const uint32_t type = (how & 7) < RTE_DIM(types) ? types[how & 7] :
		fuzz_u32(in);
	const bool writes = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
	struct virtio_blk_outhdr hdr = { .type = rte_cpu_to_le_32(type),
		.sector = rte_cpu_to_le_64(how & 8 ? fuzz_u64(in) : fuzz_u8(in)) };
	struct fuzz_desc descs[4] = { { fuzz_guest_addr(in), sizeof(hdr), 0, 0 } };
	uint16_t n = 1;

	fuzz_guest_write(descs[0].addr, &hdr, sizeof(hdr));
	if (how & 0x10)
		descs[0].len = fuzz_driver_len(&q.d, in);
	for (; n <= which % 3; n++)
		descs[n] = (struct fuzz_desc){ fuzz_guest_addr(in),
			which & 8 ? 512u * (which >> 4) : fuzz_driver_len(&q.d, in),
			writes ? VRING_DESC_F_WRITE : 0, 0 };
	if (type == VIRTIO_BLK_T_DISCARD || type == VIRTIO_BLK_T_WRITE_ZEROES)
		descs[1].len = how & 0x20 ? fuzz_u8(in) :
			sizeof(struct virtio_blk_discard_write_zeroes);
	if (!(how & 0x40))
		descs[n++] = (struct fuzz_desc){ fuzz_guest_addr(in), 1, VRING_DESC_F_WRITE, 0 };
	if (how & 0x80) {
		descs[0] = fuzz_driver_table(&q.d, descs, n);
		n = 1;
	}
	fuzz_driver_add(&q.d, descs, n);
}

/* ---- the device ---- */

static void
request_check(const struct vstate_blk_req *req)
{
	uint64_t bytes = 0;
	uint32_t i;

	fuzz_require(req->ring.nb_readable + req->ring.nb_writable <= PIECES, "pieces have room");
	for (i = 0; i < (uint32_t)req->ring.nb_readable + req->ring.nb_writable; i++) {
		const struct iovec *p = &req->ring.pieces[i];

		fuzz_require(p->iov_len > 0 && __asan_region_is_poisoned(p->iov_base,
				p->iov_len) == NULL, "a piece is the guest's memory");
		bytes += p->iov_len;
	}
	fuzz_require(bytes == req->ring.readable_bytes + req->ring.writable_bytes,
			"the sums are right");
}

/* Do what the store does. */
static uint8_t
request_do(struct vstate_blk_req *req)
{
	uint64_t bytes = 0;
	uint8_t result;
	uint16_t i;

	if (!vstate_blk_request_parse(req, &q.rules, &q.counters, &result))
		return result;
	for (i = 0; i < req->io.nb_iov; i++) {
		fuzz_require(__asan_region_is_poisoned(req->io.iov[i].iov_base,
				req->io.iov[i].iov_len) == NULL, "data is the guest's memory");
		bytes += req->io.iov[i].iov_len;
	}
	fuzz_require(req->io.op > VSTATE_BLK_WRITE || bytes == req->io.len,
			"a transfer has its data");
	fuzz_require(req->io.len <= DISK_SIZE && req->io.offset <= DISK_SIZE - req->io.len,
			"the range is on the disk");
	vstate_blk_mem_do(store, &req->io);
	return vstate_blk_request_status(req->io.res);
}

static void
request_finish(uint16_t i)
{
	struct vstate_blk_req *req = &q.reqs[i];
	const uint32_t written = vstate_blk_request_finish(req, request_do(req));

	fuzz_require(written <= req->ring.writable_bytes, "no more is written than was offered");
	vstate_request_push(&q.vq, &req->ring, written);
	q.busy[i] = false;
	q.nb_out--;
	q.held -= req->ring.num;
}

/* Pop requests as long as there is room. */
static void
requests_pop(struct fuzz_in *in, uint16_t max)
{
	struct vstate_blk_req *req;
	uint16_t i;
	int ret;

	for (i = 0; i < OUT_MAX && max > 0; i++) {
		if (q.busy[i])
			continue;
		req = &q.reqs[i];
		memset(req, 0, sizeof(*req));
		req->ring.pieces = q.pieces[i];
		req->ring.max_pieces = PIECES;
		if (q.race)
			fuzz_race_begin(in);
		ret = vstate_request_pop(&q.vq, &req->ring);
		fuzz_race_end();
		if (ret != 0)
			break;
		request_check(req);
		q.busy[i] = true;
		q.nb_out++;
		q.held += req->ring.num;
		max--;
	}
}

/* Requests that are given up wait, and are popped again. */
static void
requests_requeue(void)
{
	uint16_t i;

	for (i = 0; i < OUT_MAX; i++) {
		if (!q.busy[i])
			continue;
		vstate_request_wait(&q.vq, &q.reqs[i].ring);
		q.busy[i] = false;
		q.held -= q.reqs[i].ring.num;
	}
	q.nb_out = 0;
	fuzz_require(vstate_request_requeue(&q.vq) == 0, "requests wait");
}

/* ---- a program ---- */

/* @param waiting  requests that were given up are in the list: the driver has not got them */
static void
queue_check(bool waiting)
{
	const struct vstate_vq *vq = &q.vq;
	uint16_t ahead = vq->avail.idx - vq->used.idx;

	if (q.d.packed && vq->avail.wrap != vq->used.wrap)
		ahead += vq->size;
	fuzz_require(vq->nb_shadow == 0, "everything is published");
	fuzz_require(waiting || vq->fault != VSTATE_FAULT_NONE || ahead == q.held,
			"available - used = requests that are out");
	fuzz_require(vq->marks->nb >= q.nb_out, "what is out is marked");
}

static void
queue_begin(struct fuzz_in *in)
{
	static const uint16_t split_sizes[] = { 8, 16, 4, 32 }, packed_sizes[] = { 8, 7, 33, 16 };
	const uint8_t how = fuzz_u8(in);
	struct vstate_vq *vq = &q.vq;
	const uint16_t at = fuzz_u16(in);

	memset(vq, 0, offsetof(struct vstate_vq, shadow));
	memset(&q.d, 0, sizeof(q.d));
	memset(q.busy, 0, sizeof(q.busy));
	q.nb_out = q.held = 0;
	q.d.packed = how & 1;
	q.race = how & 2;
	q.d.hdr_len = 16;
	q.d.size = (q.d.packed ? packed_sizes : split_sizes)[how >> 2 & 3];
	q.rules = (struct vstate_blk_rules){ .store = store, .serial = "12345678901234567890",
		.flush = how & 0x10, .discard = how & 0x20, .write_zeroes = how & 0x20,
		.write_through = how & 0x40 };
	store->ro = how & 0x80 && at & 1;
	fuzz_guest_make(q.d.packed, q.d.size);
	vq->is_packed = q.d.packed;
	vq->indirect = !(at & 2);
	vq->event_idx = at & 4;
	vq->size = q.d.size;
	vq->mem = &fuzz_guest.mem;
	vq->callfd = vq->kickfd = vq->kick_epfd = -1;
	vq->desc_addr = fuzz_guest.areas[FUZZ_DESC].gpa;
	vq->used_gpa = fuzz_guest.areas[q.d.packed ? FUZZ_DESC : FUZZ_DEVICE].gpa;
	vq->event_gpa = fuzz_guest.areas[FUZZ_DEVICE].gpa;
	vq->packed.desc = (void *)fuzz_guest.areas[FUZZ_DESC].hva;
	vq->packed.driver = (void *)fuzz_guest.areas[FUZZ_DRIVER].hva;
	vq->packed.device = (void *)fuzz_guest.areas[FUZZ_DEVICE].hva;
	if (at & 8) {
		vq->dirty.base = fuzz_guest.log;
		vq->dirty.size = FUZZ_LOG_SIZE;
	}
	vq->avail.idx = q.d.packed ? at % vq->size : at;
	vq->avail.wrap = q.d.packed && (at & 0x100);
	vq->used = vq->avail;
	vstate_vq_detach(vq);
	fuzz_require(vstate_marks_setup(vq) == 0, "there are marks");
	vstate_marks_reset(vq);
	fuzz_driver_seek(&q.d, vq->avail.idx, vq->avail.wrap);
	vstate_ring_prime(vq);
}

static void
step_run(struct fuzz_in *in, uint8_t op)
{
	uint16_t i;

	switch (op & 7) {
	case 0:
	case 1:
		request_add(in);
		break;
	case 2:
		fuzz_driver_step(&q.d, in, op >> 3);
		break;
	case 3:
		fuzz_driver_step(&q.d, in, 3);
		break;
	case 4:
	case 5:
		requests_pop(in, 1 + (op >> 3 & 7));
		vstate_request_publish(&q.vq);
		queue_check(q.vq.inflight_own != NULL);
		break;
	case 6:
		for (i = 0; i < OUT_MAX; i++)
			if (q.busy[(i + (op >> 3)) % OUT_MAX] && (op >> 5 & 1 || i % 3 == 0))
				request_finish((i + (op >> 3)) % OUT_MAX);
		vstate_request_publish(&q.vq);
		queue_check(q.vq.inflight_own != NULL);
		break;
	default:
		requests_requeue();
		break;
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct vstate_conf conf;

	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_lasting(true);
	fuzz_eal_start();
	vstate_blk_conf_default(&conf);
	vstate_blk_conf(&conf)->store = VSTATE_BLK_STORE_RAM;
	vstate_blk_conf(&conf)->size = DISK_SIZE;
	store = vstate_blk_mem_open(vstate_blk_conf(&conf));
	fuzz_require(store != NULL, "there is a disk");
	fuzz_lasting(false);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	unsigned int step;

	queue_begin(&in);
	for (step = 0; step < STEPS_MAX && fuzz_has_more(&in); step++)
		step_run(&in, fuzz_u8(&in));
	/* a stop: nothing is lost */
	requests_requeue();
	fuzz_require((q.vq.inflight != NULL ? q.vq.inflight->nb : 0) == q.vq.marks->nb,
			"what is marked waits");
	vstate_inflight_drop(&q.vq);
	vstate_marks_free(&q.vq);
	return 0;
}
