/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * The ring code is compiled for several instruction sets, and takes several descriptors at once
 * where the processor can. Here each build that this processor runs gets the same rings, good
 * and bad ones, and must do byte for byte what the plain C build does: to the frames, to the
 * guest's memory, to the queue, to the dirty log.
 */

#include <stdlib.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_vect.h>

#include <linux/virtio_net.h>

#include "ut_groups.h"
#include "ut_ring.h"
#include "net/vstate_net_mbuf.h"
#include "ring/vstate_mem.h"
#include "ring/vstate_vq.h"

#define ROUNDS 3000
#define MOST_FRAMES VSTATE_BURST
#define MOST_BYTES 2048

/* What a build made of a ring. */
struct outcome {
	struct vstate_net_vq nq;
	uint16_t nb;
	struct {
		uint32_t len, ol_flags, packet_type;
		uint16_t segs, port, tso_segsz, l2_len, l3_len;
		uint8_t bytes[MOST_BYTES];
	} frames[MOST_FRAMES];
	uint64_t calls;
	uint8_t log[RING_LOG_SIZE];
};

static struct outcome outcomes[2];

/* ---- rings ---- */

static uint32_t
random_len(void)
{
	static const uint32_t lens[] = { 0, 1, 11, 12, 13, 25, 26, 27, 43, 44, 76, 77, 107, 108,
		139, 140, 141, 204, 267, 268, 269, 300, 524, 525, 900 };

	return random() % 16 == 0 ? random() % 1000 : lens[random() % RTE_DIM(lens)];
}

/* Mostly in the first region; sometimes over its border, at its ends, or of nobody. */
static uint64_t
random_addr(void)
{
	switch (random() % 64) {
	case 0:
		return RING_BUF_BORDER - random() % 200;
	case 1:
		return RING_BUF_END - random() % 200;
	case 2:
		return RING_BUF_GPA - random() % 20;
	case 3:
		return UINT64_MAX - random() % 200;
	case 4:
		return RING_BUF_BORDER + random() % (RING_BUF_SIZE / 2);
	default:
		return RING_BUF_GPA + random() % (RING_BUF_SIZE - 1100);
	}
}

static struct piece
random_piece(void)
{
	struct piece p = { random_addr(), random_len() };

	return p;
}

/* A header that mostly says nothing, at the place of a buffer. */
static void
random_header(struct ring *r, uint64_t gpa)
{
	uint8_t hdr[RING_HDR] = { 0 };
	unsigned int i;

	if (gpa < RING_BUF_GPA || gpa > RING_BUF_END - RING_HDR)
		return;
	if (random() % 8 == 0) {
		hdr[0] = random() % 4;
		hdr[1] = random() % 8;
		for (i = 2; i < 10; i++)
			hdr[i] = i % 2 == 0 ? random() % 64 : 0;
	}
	guest_write(&r->guest, gpa, hdr, sizeof(hdr));
}

/* One buffer; @return descriptors in the ring. */
static uint16_t
random_buffer(struct ring *r, bool writable, uint16_t room, unsigned int wild)
{
	struct piece p[4];
	uint16_t n = 1, i;

	for (i = 0; i < 4; i++)
		p[i] = random_piece();
	random_header(r, p[0].gpa);
	if (random() % wild == 0) {
		/* anything */
		ring_add_raw(r, p[0].gpa, p[0].len, random() % 8, random() % (r->size + 1u));
		return 1;
	}
	switch (random() % 8) {
	case 0:
	case 1:
		n = 1 + random() % 3;
		break;
	case 2:
		n = 2;
		p[0].len = RING_HDR;
		break;
	case 3:
		n = 1 + random() % 3;
		if (n == 2)
			p[0].len = RING_HDR;
		ring_add_indirect(r, p, n, writable);
		r->table += 64;
		return 1;
	default:
		break;
	}
	n = RTE_MIN(n, room);
	ring_add(r, p, n, writable);
	return n;
}

static void
random_ring(struct ring *r, bool writable)
{
	/* some rings are plain throughout, some are wild */
	unsigned int wild = random() % 4 == 0 ? 20 : 100000, i;
	uint16_t left = random() % (r->size + 1u), n;
	bool plain = random() % 3 == 0;
	uint32_t len = random_len();

	ring_seek(r, random() % r->size, r->packed ? random() & 1 : 0);
	r->free_desc = random() % r->size;
	r->table = RING_TABLE_GPA;
	for (; left > 0; left -= n) {
		if (plain) {
			struct piece p = { RING_BUF_GPA + random() % (RING_BUF_SIZE - 1100), len };

			random_header(r, p.gpa);
			ring_add(r, &p, 1, writable);
			n = 1;
		} else {
			n = random_buffer(r, writable, left, wild);
		}
	}
	if (!r->packed && random() % 32 == 0) {
		/* a head out of range */
		for (i = 0; i < 2; i++)
			*guest_at(&r->guest, RING_DRIVER_GPA + 4 + 2 * (random() % r->size) + i) =
				random();
	}
	if (!r->packed && random() % 64 == 0)
		*guest_at(&r->guest, RING_DRIVER_GPA + 3) ^= 1 << random() % 8;
}

/* ---- what a build makes of them ---- */

static void
frame_note(struct outcome *o, const struct rte_mbuf *m)
{
	const struct rte_mbuf *seg;
	uint32_t at = 0;
	uint16_t i = o->nb++;

	o->frames[i].len = m->pkt_len;
	o->frames[i].ol_flags = m->ol_flags;
	o->frames[i].packet_type = m->packet_type;
	o->frames[i].segs = m->nb_segs;
	o->frames[i].port = m->port;
	if (m->ol_flags & RTE_MBUF_F_RX_LRO)
		o->frames[i].tso_segsz = m->tso_segsz;
	for (seg = m; seg != NULL; at += seg->data_len, seg = seg->next) {
		assert_int_equal(rte_mbuf_refcnt_read(seg), 1);
		if (at + seg->data_len <= MOST_BYTES)
			memcpy(o->frames[i].bytes + at, rte_pktmbuf_mtod(seg, void *),
					seg->data_len);
	}
	assert_int_equal(at, m->pkt_len);
}

static void
run_take(struct ring *r, struct outcome *o, uint16_t n, uint16_t back)
{
	struct rte_mbuf *pkts[VSTATE_BURST];
	uint16_t nb = r->nq->ops->take(r->nq, r->pool, pkts, n), i;

	assert_true(nb <= n);
	for (i = 0; i < nb; i++)
		frame_note(o, pkts[i]);
	r->nq->ops->give(r->nq, RTE_MIN(nb, back));
	rte_pktmbuf_free_bulk(pkts, nb);
}

/* Frames of the same random sequence for each build. */
static void
run_put(struct ring *r, struct outcome *o, uint16_t n, unsigned int seed, bool known)
{
	struct rte_mbuf *pkts[VSTATE_BURST], *m;
	uint16_t i, k;

	srandom(seed);
	for (i = 0; i < n; i++) {
		uint32_t len = seed % 3 == 0 ? 60 : RTE_ETHER_HDR_LEN + random_len();
		struct rte_mbuf *seg;

		m = pkts[i] = rte_pktmbuf_alloc(r->pool);
		assert_non_null(m);
		for (seg = m;; seg = seg->next) {
			seg->data_len = RTE_MIN(len, rte_pktmbuf_tailroom(seg));
			memset(rte_pktmbuf_mtod(seg, void *), 0x40 + i, seg->data_len);
			m->pkt_len += seg->data_len;
			len -= seg->data_len;
			if (len == 0)
				break;
			seg->next = rte_pktmbuf_alloc(r->pool);
			assert_non_null(seg->next);
			m->nb_segs++;
		}
		if (seed % 2 == 0 && random() % 32 == 0 && m->pkt_len >= 60) {
			m->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4;
			m->l2_len = 14;
			m->l3_len = 20;
		}
	}
	k = r->nq->ops->put(r->nq, pkts, n, known ? r->nq->ops->look(pkts, n) :
			VSTATE_NET_MBUF_UNKNOWN);
	assert_true(k <= n);
	o->nb = 0;
	o->frames[0].len = k;
	rte_pktmbuf_free_bulk(pkts, n);
}

/* The guest's memory goes back to what it was at the snapshot. */
static void
guest_restore(struct guest *g)
{
	unsigned int i;

	for (i = 0; i < g->nb_regions; i++)
		memcpy(g->regions[i].hva, g->regions[i].copy, g->regions[i].size);
}

/* What of a queue must not depend on the build. */
static void
queue_same(const struct vstate_net_vq *na, const struct vstate_net_vq *nb)
{
	const struct vstate_vq *a = &na->vq, *b = &nb->vq;

	assert_int_equal(a->fault, b->fault);
	assert_int_equal(a->avail.idx, b->avail.idx);
	assert_int_equal(a->avail.wrap, b->avail.wrap);
	assert_int_equal(a->used.idx, b->used.idx);
	assert_int_equal(a->used.wrap, b->used.wrap);
	assert_int_equal(a->nb_shadow, 0);
	assert_int_equal(b->nb_shadow, 0);
	assert_int_equal(a->look_value, b->look_value);
	assert_memory_equal(&a->counters, &b->counters, sizeof(a->counters));
	assert_memory_equal(&na->counters, &nb->counters, sizeof(na->counters));
}

struct job {
	bool put;
	uint16_t n, back;
	unsigned int seed;
};

static void
job_run(struct ring *r, struct outcome *o, const struct job *job,
		const struct vstate_net_vq *before, const struct vstate_net_ops *ops, bool known)
{
	memset(o, 0, sizeof(*o));
	memcpy(r->nq, before, sizeof(*before));
	r->nq->ops = ops;
	if (job->seed % 4 == 0) {
		r->vq->dirty.base = o->log;
		r->vq->dirty.size = sizeof(o->log);
	}
	if (job->put)
		run_put(r, o, job->n, job->seed, known);
	else
		run_take(r, o, job->n, job->back);
	memcpy(&o->nq, r->nq, sizeof(o->nq));
	o->calls = ring_calls(r);
	assert_int_equal(ring_mbufs_out(r), 0);
}

static void
round_compare(struct ring *r, const struct vstate_net_ops *const ops[3], unsigned int nb_ops)
{
	static struct vstate_net_vq before;
	struct job job = {
		.put = random() % 2,
		.n = 1 + random() % VSTATE_BURST,
		.back = random() % 2 ? VSTATE_BURST : random() % VSTATE_BURST,
	};
	unsigned int i;

	random_ring(r, job.put);
	job.seed = random();
	r->nq->host_offloads = random() % 2;
	r->nq->mergeable = random() % 4 != 0;
	r->vq->indirect = random() % 8 != 0;
	r->nq->linear = random() % 8 == 0;
	r->nq->port_id = random() % 32;
	/* where the queue looked last: usually where the buffers are */
	if (random() % 8 != 0)
		vstate_window_move(&r->vq->win, &r->guest.mem, RING_BUF_GPA);
	memset(&r->vq->dirty, 0, sizeof(r->vq->dirty));
	memcpy(&before, r->nq, sizeof(before));

	guest_snapshot(&r->guest);
	job_run(r, &outcomes[0], &job, &before, ops[0], false);
	/*
	 * What the plain build made of the memory, knowing nothing of the frames, is what the
	 * others are held against.
	 */
	for (i = 0; i < nb_ops; i++) {
		struct guest plain = r->guest;
		unsigned int k;

		for (k = 0; k < plain.nb_regions; k++) {
			plain.regions[k].copy = malloc(plain.regions[k].size);
			assert_non_null(plain.regions[k].copy);
			memcpy(plain.regions[k].copy, plain.regions[k].hva, plain.regions[k].size);
		}
		guest_restore(&r->guest);
		job_run(r, &outcomes[1], &job, &before, ops[i], true);
		assert_int_equal(outcomes[0].nb, outcomes[1].nb);
		assert_int_equal(outcomes[0].calls, outcomes[1].calls);
		assert_memory_equal(outcomes[0].frames, outcomes[1].frames,
				sizeof(outcomes[0].frames));
		assert_memory_equal(outcomes[0].log, outcomes[1].log, sizeof(outcomes[0].log));
		queue_same(&outcomes[0].nq, &outcomes[1].nq);
		guest_assert_unchanged(&plain);
		for (k = 0; k < plain.nb_regions; k++)
			free(plain.regions[k].copy);
	}
}

static void
every_build_does_the_same_to_random_rings(void **state)
{
	static const uint16_t sizes[2][6] = { { 2, 4, 8, 32, 64, 256 }, { 1, 7, 8, 33, 64, 250 } };
	const struct vstate_net_ops *ops[3];
	unsigned int round, nb_ops;
	struct ring r;

	srandom(41);
	for (round = 0; round < ROUNDS; round++) {
		unsigned int packed = round / 50 % 2;

		nb_ops = vq_builds(packed, ops);
		if (nb_ops < 2)
			skip(); /* this processor has one build only */
		if (round % 50 == 0)
			ring_open(&r, packed, sizes[packed][round / 100 % 6]);
		round_compare(&r, ops, nb_ops);
		if (round % 50 == 49)
			ring_close(&r);
	}
}

int
test_vstate_simd(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_build_does_the_same_to_random_rings),
	};

	return cmocka_run_group_tests_name("vstate_simd", tests, NULL, NULL);
}
