/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "bench.h"
#include "bench_case.h"
#include "bench_device.h"
#include "bench_ring.h"
#include "bench_roofline.h"
#include "vstate_compat.h"

#define MAX_BURST 64
/* Polls in a row without a frame after which a part ends: a device may rest for microseconds. */
#define IDLE_POLLS_MAX (1u << 20)

/* Allocate a frame as a chain of mbufs. @return NULL if the pool is empty */
static struct rte_mbuf *
chain_alloc(struct rte_mempool *pool, uint32_t frame)
{
	struct rte_mbuf *head = rte_pktmbuf_alloc(pool), *m = head;
	uint32_t n;

	while (m != NULL) {
		n = RTE_MIN(frame, rte_pktmbuf_tailroom(m));
		m->data_len = n;
		frame -= n;
		if (m != head) {
			head->pkt_len += n;
			head->nb_segs++;
		} else {
			head->pkt_len = n;
		}
		if (frame == 0)
			return head;
		m->next = rte_pktmbuf_alloc(pool);
		m = m->next;
	}
	rte_pktmbuf_free(head);
	return NULL;
}

int
bench_mbufs_prepare(struct bench_side *s, struct bench_mbufs *b, uint32_t want)
{
	uint32_t frame = s->c->frame, have = b->nb - b->next;

	memmove(b->m, &b->m[b->next], have * sizeof(b->m[0]));
	b->next = 0;
	for (b->nb = have; b->nb < RTE_MIN(want, RTE_DIM(b->m)); b->nb++) {
		struct rte_mbuf *m = chain_alloc(s->pool, frame);

		if (m == NULL)
			return -ENOMEM;
		bench_frame_head(rte_pktmbuf_mtod(m, uint8_t *), 0);
		b->m[b->nb] = m;
	}
	return 0;
}

void
bench_mbufs_drop(struct bench_mbufs *b)
{
	rte_pktmbuf_free_bulk(&b->m[b->next], b->nb - b->next);
	b->nb = b->next = 0;
}

static vstate_inline uint32_t
burst_dequeue(struct bench_side *s, uint16_t pair, uint16_t burst)
{
	struct rte_mbuf *m[MAX_BURST];
	uint16_t n = rte_eth_rx_burst(s->port.id, pair, m, burst);

	rte_pktmbuf_free_bulk(m, n);
	s->taken += n;
	return n;
}

static vstate_inline uint32_t
burst_enqueue(struct bench_side *s, struct bench_mbufs *b, uint16_t pair, uint16_t burst)
{
	uint16_t n = rte_eth_tx_burst(s->port.id, pair, &b->m[b->next],
			RTE_MIN(burst, b->nb - b->next));

	b->next += n;
	s->given += n;
	return n;
}

static vstate_inline uint32_t
burst_loop(struct bench_side *s, uint16_t pair, uint16_t burst)
{
	struct rte_mbuf *m[MAX_BURST];
	uint16_t n = rte_eth_rx_burst(s->port.id, pair, m, burst), sent = 0;

	if (n > 0)
		sent = rte_eth_tx_burst(s->port.id, pair, m, n);
	if (unlikely(sent < n)) {
		rte_pktmbuf_free_bulk(&m[sent], n - sent);
		s->dropped += n - sent;
	}
	s->taken += n;
	s->given += sent;
	return n;
}

uint32_t
bench_device_burst(struct bench_side *s, struct bench_mbufs *b, uint16_t pair, uint32_t want)
{
	uint16_t burst = RTE_MIN(want, s->c->burst);

	if (s->kind == BENCH_ROOFLINE)
		return bench_roof_burst(s, pair, burst);
	switch (s->c->op) {
	case BENCH_ENQUEUE:
		return burst_enqueue(s, b, pair, burst);
	case BENCH_LOOP:
		return burst_loop(s, pair, burst);
	default:
		return burst_dequeue(s, pair, burst);
	}
}

static uint32_t
polls_idle(struct bench_side *s, uint32_t polls)
{
	struct rte_mbuf *m[MAX_BURST];
	uint32_t got = 0;

	/* Two loops, so that the choice of the side costs nothing inside the loop. */
	if (s->kind == BENCH_ROOFLINE) {
		while (polls-- > 0)
			got += bench_roof_burst(s, 0, s->c->burst);
		return got;
	}
	while (polls-- > 0) {
		uint16_t n = rte_eth_rx_burst(s->port.id, 0, m, s->c->burst);

		if (unlikely(n > 0))
			rte_pktmbuf_free_bulk(m, n);
		got += n;
	}
	return got;
}

__rte_noinline uint32_t
bench_device_part(struct bench_side *s, struct bench_mbufs *b, uint32_t want)
{
	uint32_t left[BENCH_MAX_PAIRS], total = 0, idle = 0, moved, n;
	uint16_t pair;

	if (s->c->op == BENCH_IDLE)
		return polls_idle(s, want);
	for (pair = 0; pair < s->c->pairs; pair++)
		left[pair] = want;
	/* One burst of each queue pair in turn, as a poll thread does. */
	do {
		moved = 0;
		for (pair = 0; pair < s->c->pairs; pair++) {
			if (left[pair] == 0)
				continue;
			n = bench_device_burst(s, b, pair, left[pair]);
			left[pair] -= n;
			moved += n;
		}
		total += moved;
		idle = moved > 0 ? 0 : idle + 1;
	} while (idle < IDLE_POLLS_MAX && total < want * s->c->pairs);
	return total;
}
