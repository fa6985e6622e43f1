/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Fuzzer of the datapath of a network queue. An input is a program: a queue with its features, then
 * steps of the driver and bursts of the device. The driver writes anything. In one half of the
 * inputs it also writes while a burst runs, between any two loads of the burst.
 *
 * Each instruction set that this processor has runs the program. It must not touch a byte outside
 * the guest's memory and the mbufs, must write only to what the driver offered, must log what it
 * writes, must publish what it took, in order, and must come to rest. Without changes during a
 * burst all instruction sets do the same, and frames have the bytes that fuzz_driver.c finds.
 */

#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <rte_vect.h>

#include "fuzz_driver.h"
#include "fuzz_pool.h"
#include "fuzz_ring_check.h"
#include "net/vstate_net_ops.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_ring.h"

#define STEPS_MAX 120
#define LONGEST_FRAME 66000

static struct rte_mempool *pool;
static const struct vstate_net_ops *builds[2][3];
static unsigned int nb_builds;
static uint8_t frame_bytes[LONGEST_FRAME];

/* ---- the queue ---- */

static void
features_draw(struct vstate_net_vq *nq, struct fuzz_in *in)
{
	const uint16_t bits = fuzz_u16(in);

	nq->hdr_len = bits & 1 ? 10 : 12;
	nq->mergeable = nq->hdr_len == 12 && (bits & 2);
	nq->vq.event_idx = bits & 4;
	nq->vq.indirect = bits & 8;
	nq->host_offloads = bits & 0x10;
	nq->guest_csum = bits & 0x20;
	nq->complete_csum = bits & 0x40;
	nq->linear = bits & 0x80;
	nq->frame_max = bits & 0x100 ? 1518 : VSTATE_MAX_FRAME;
	nq->lro_max = bits & 0x200 ? VSTATE_MAX_FRAME : 0;
	nq->features = RTE_BIT64(VIRTIO_NET_F_CSUM);
	if (bits & 0x400)
		nq->features |= RTE_BIT64(VIRTIO_NET_F_HOST_TSO4) |
			RTE_BIT64(VIRTIO_NET_F_HOST_TSO6) | RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) |
			RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6);
	if (bits & 0x800) {
		nq->vq.dirty.base = fuzz_guest.log;
		nq->vq.dirty.size = FUZZ_LOG_SIZE;
	}
	nq->port_id = bits >> 12;
}

static void
vq_map(struct vstate_vq *vq, bool packed)
{
	vq->is_packed = packed;
	vq->mem = &fuzz_guest.mem;
	vq->desc_addr = fuzz_guest.areas[FUZZ_DESC].gpa;
	vq->driver_addr = fuzz_guest.areas[FUZZ_DRIVER].gpa;
	vq->device_addr = fuzz_guest.areas[FUZZ_DEVICE].gpa;
	if (packed) {
		vq->packed.desc = (void *)fuzz_guest.areas[FUZZ_DESC].hva;
		vq->packed.driver = (void *)fuzz_guest.areas[FUZZ_DRIVER].hva;
		vq->packed.device = (void *)fuzz_guest.areas[FUZZ_DEVICE].hva;
		vq->used_gpa = vq->desc_addr;
		vq->event_gpa = vq->device_addr;
	} else {
		vq->split.desc = (void *)fuzz_guest.areas[FUZZ_DESC].hva;
		vq->split.avail = (void *)fuzz_guest.areas[FUZZ_DRIVER].hva;
		vq->split.used = (void *)fuzz_guest.areas[FUZZ_DEVICE].hva;
		vq->used_gpa = vq->device_addr;
	}
}

/* Buffers in flight, as a state or a region has them after its check. */
static void
inflight_attach(struct fuzz_run *r, struct fuzz_in *in)
{
	struct vstate_vq *vq = &r->nq.vq;
	uint16_t nb = RTE_MIN(1 + (fuzz_u8(in) & 3), (int)vq->size), i, k, num = 0;
	struct vstate_inflight *list = vstate_inflight_alloc(nb, nb * 2, r->d.packed);

	fuzz_require(list != NULL, "a list can be allocated");
	for (i = 0; i < nb; i++) {
		struct vstate_inflight_buf *b = &list->bufs[i];

		b->counter = i;
		b->slot = b->last = i;
		b->id = b->head = fuzz_u8(in) % vq->size;
		b->num = r->d.packed && num + (nb - i) < vq->size ? 1 + (fuzz_u8(in) & 1) : 1;
		b->first_desc = num;
		for (k = 0; r->d.packed && k < b->num; k++)
			list->descs[num + k] = (struct vstate_desc){
				.addr = fuzz_guest_addr(in), .len = fuzz_u16(in),
				.flags = (fuzz_u8(in) & 0x1c ? r->d.direction :
					VRING_DESC_F_WRITE) |
					(k + 1 < b->num ? VRING_DESC_F_NEXT : 0),
				.link = b->id };
		num += b->num;
	}
	list->shm = r->shm;
	list->left = &r->left;
	vstate_inflight_attach(vq, list);
	r->listed = nb;
}

static void
run_begin(struct fuzz_run *r, struct fuzz_in *in)
{
	static const uint16_t split_sizes[] = { 2, 8, 16, 64, 256, 4, 1, 32 };
	static const uint16_t packed_sizes[] = { 7, 8, 16, 64, 256, 33, 1, 250 };
	const uint8_t how = fuzz_u8(in), which = fuzz_u8(in);
	struct vstate_vq *vq = &r->nq.vq;
	uint16_t at = fuzz_u16(in);

	memset(&r->nq, 0, offsetof(struct vstate_net_vq, taken_len));
	memset(&r->d, 0, sizeof(r->d));
	r->hash = r->listed = r->left = 0;
	r->frames = 0;
	r->tangled = false;
	r->d.packed = how & 1;
	r->put = how & 2;
	r->race = how & 4;
	r->d.size = (r->d.packed ? packed_sizes : split_sizes)[which & 7];
	r->d.direction = r->put ? VRING_DESC_F_WRITE : 0;
	r->nq.ops = builds[r->d.packed][r->build];
	fuzz_guest_make(r->d.packed, r->d.size);
	features_draw(&r->nq, in);
	r->d.hdr_len = r->nq.hdr_len;
	r->d.indirect = vq->indirect;
	vq->size = r->d.size;
	vq->callfd = vq->kickfd = vq->kick_epfd = -1;
	vq_map(vq, r->d.packed);
	vstate_vq_detach(vq);
	vq->avail.idx = r->d.packed ? at % vq->size : at;
	vq->avail.wrap = r->d.packed && (which & 8);
	vq->used = vq->avail;
	fuzz_driver_seek(&r->d, vq->avail.idx, vq->avail.wrap);
	r->shm = calloc(1, sizeof(*r->shm) + vq->size * (r->d.packed ?
			sizeof(struct vstate_inflight_packed_desc) :
			sizeof(struct vstate_inflight_split_desc)));
	fuzz_require(r->shm != NULL, "memory");
	if (how & 8) {
		inflight_attach(r, in);
		r->d.next = vq->avail.idx;
		r->d.wrap = vq->avail.wrap;
		if (!r->d.packed)
			fuzz_guest_write(fuzz_guest.areas[FUZZ_DRIVER].gpa + 2, &r->d.next, 2);
	}
	r->nb_held = how & 0x10 ? FUZZ_POOL_MBUFS - 8 : 0;
	vstate_ring_prime(vq);
}

/* ---- bursts ---- */

static void
race_begin(struct fuzz_run *r, struct fuzz_in *in)
{
	if (r->race)
		fuzz_race_begin(in);
}

static void
burst_take(struct fuzz_run *r, struct fuzz_in *in)
{
	struct rte_mbuf *pkts[VSTATE_BURST];
	struct vstate_net_vq *nq = &r->nq;
	uint16_t n = 1 + (fuzz_u8(in) & 63), got, back = fuzz_u8(in);

	race_begin(r, in);
	got = nq->ops->take(nq, pool, pkts, n);
	fuzz_race_end();
	fuzz_require(got <= n, "a burst takes no more than was asked for");
	back = back & 0x80 ? got : RTE_MIN(got, back);
	fuzz_taken_check(r, pkts, got, back);
	race_begin(r, in);
	nq->ops->give(nq, back);
	fuzz_race_end();
	rte_pktmbuf_free_bulk(pkts, got);
}

static const uint64_t tx_flags[] = { 0, 0, 0, 0, 0, RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4,
	RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV6, RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4 |
	RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM };

static uint16_t
frames_draw(struct fuzz_in *in, struct rte_mbuf **pkts, uint16_t n)
{
	const uint16_t len = 14 + fuzz_u16(in) % (LONGEST_FRAME - 600);
	const uint8_t how = fuzz_u8(in), seg_len = RTE_MAX(fuzz_u8(in), 15);
	uint16_t i;

	for (i = 0; i < n; i++) {
		uint32_t k = how & 1 ? (i * how) % 512 : 0;
		struct rte_mbuf *m;

		m = fuzz_frame_make(pool, frame_bytes + i, (how & 2 ? len : 14 + len % 1500) + k,
				how & 4 ? seg_len : FUZZ_POOL_ROOM);
		if (m == NULL)
			break;
		m->ol_flags |= tx_flags[how >> 5];
		m->l2_len = 14;
		m->l3_len = how & 8 ? 20 : 40;
		m->l4_len = how & 16 ? 20 : 8;
		m->tso_segsz = 100 + seg_len;
		pkts[i] = m;
		fuzz_frame_guard(m);
	}
	return i;
}

static void
burst_put(struct fuzz_run *r, struct fuzz_in *in)
{
	const uint8_t how = fuzz_u8(in);
	struct vstate_net_vq *nq = &r->nq;
	struct rte_mbuf *pkts[VSTATE_BURST];
	uint16_t n = frames_draw(in, pkts, 1 + (how & 63)), i;
	uint8_t look = 0;

	if (n == 0)
		return;
	/* a frame that is changed by an offload is the caller's to change */
	if (r->build != 0 && !(how & 0x80))
		look = nq->ops->look(pkts, n);
	race_begin(r, in);
	if (how & 0x40) {
		i = nq->ops->fill(nq, pkts, n, look);
		nq->ops->flush(nq);
	} else {
		i = nq->ops->put(nq, pkts, n, look);
	}
	fuzz_race_end();
	fuzz_require(i <= n, "a burst puts no more frames than there are");
	fuzz_put_check(r, pkts, i);
	for (i = 0; i < n; i++)
		fuzz_frame_unguard(pkts[i]);
	rte_pktmbuf_free_bulk(pkts, n);
}

static void
burst_run(struct fuzz_run *r, struct fuzz_in *in)
{
	struct rte_mbuf *held[FUZZ_POOL_MBUFS];
	int out;

	if (r->nb_held > 0 && rte_pktmbuf_alloc_bulk(pool, held, r->nb_held) != 0)
		return;
	out = fuzz_pool_out(pool);
	fuzz_burst_begin(r);
	if (r->put)
		burst_put(r, in);
	else
		burst_take(r, in);
	fuzz_burst_end(r);
	fuzz_require(fuzz_pool_out(pool) == out, "all mbufs are back");
	if (r->nb_held > 0)
		rte_pktmbuf_free_bulk(held, r->nb_held);
}

/* ---- a program ---- */

static void
kicks_step(struct fuzz_run *r, uint8_t op)
{
	struct vstate_vq *vq = &r->nq.vq;

	fuzz_require(r->nq.ops->count(&r->nq, vq->size) <= vq->size,
			"no more is available than the ring holds");
	vstate_vq_is_empty(vq);
	vstate_ring_waiting(vq);
	if (op & 8)
		vstate_ring_kicks_request(vq);
	else
		vstate_ring_kicks_suppress(vq);
}

static void
program_run(struct fuzz_run *r, struct fuzz_in in)
{
	unsigned int step;
	uint8_t op;

	run_begin(r, &in);
	for (step = 0; step < STEPS_MAX && fuzz_has_more(&in); step++) {
		op = fuzz_u8(&in);
		if ((op & 7) < 6)
			fuzz_driver_step(&r->d, &in, op >> 3 | (op & 7) << 5);
		else if ((op & 0xf8) == 0xf8)
			kicks_step(r, op);
		else
			burst_run(r, &in);
	}
	burst_run(r, &in);
	fuzz_stop_check(r);
	vstate_inflight_drop(&r->nq.vq);
	free(r->shm);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint16_t widths[] = { RTE_VECT_SIMD_128, RTE_VECT_SIMD_256,
		RTE_VECT_SIMD_512 };
	unsigned int i;

	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_eal_start();
	pool = fuzz_pool_make();
	for (i = 0; i < RTE_DIM(widths); i++) {
		rte_vect_set_max_simd_bitwidth(widths[i]);
		builds[0][nb_builds] = vstate_net_ops_choose(false);
		builds[1][nb_builds] = vstate_net_ops_choose(true);
		if (nb_builds == 0 || builds[0][nb_builds] != builds[0][nb_builds - 1])
			nb_builds++;
	}
	for (i = 0; i < sizeof(frame_bytes); i++)
		frame_bytes[i] = i * 7 + i / 251;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_run runs[2];
	unsigned int b;

	for (b = 0; b < nb_builds; b++) {
		struct fuzz_run *r = &runs[b != 0];

		r->build = b;
		program_run(r, (struct fuzz_in){ data, data + size });
		if (b == 0)
			fuzz_memory_keep();
		else if (!r->race)
			fuzz_runs_same(&runs[0], r);
	}
	fuzz_pool_require_full(pool);
	return 0;
}
