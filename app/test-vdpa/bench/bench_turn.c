/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_common.h>

#include "bench_case.h"
#include "bench_guest.h"
#include "bench_ring.h"
#include "bench_turn.h"

/* The guest waits for this many buffers, because each batch moves a cache line back and forth. */
#define GUEST_BATCH 32u

static uint32_t
loop_window(const struct bench_vq *rx)
{
	uint32_t bufs = (rx->frame_len + rx->desc_len - 1) / rx->desc_len;

	/* Half of the frames that fit: even if the guest posts late, the device has buffers. */
	return rx->slots / bufs / 2;
}

static void
pair_turn(struct bench_guest *bg, uint16_t pair)
{
	struct bench_vq *rx = bench_guest_rx(bg, pair);
	struct bench_vq *tx = bench_guest_tx(bg, pair);
	uint32_t room = UINT32_MAX;

	if (bg->c->op != BENCH_DEQUEUE) {
		bench_vq_receive(rx);
		if (rx->nb_free >= GUEST_BATCH)
			bench_vq_post(rx);
	}
	if (bg->c->op == BENCH_ENQUEUE)
		return;
	bench_vq_reap(tx);
	if (bg->c->op == BENCH_LOOP)
		room = loop_window(rx) - (uint32_t)(tx->frames - rx->frames);
	room = RTE_MIN(room, tx->nb_free);
	if (room >= GUEST_BATCH)
		bench_vq_send(tx, room);
}

void
bench_guest_turn(struct bench_guest *bg)
{
	uint16_t pair;

	for (pair = 0; pair < bg->c->pairs; pair++)
		pair_turn(bg, pair);
}

void
bench_guest_reap(struct bench_guest *bg)
{
	uint16_t pair;

	for (pair = 0; pair < bg->c->pairs; pair++) {
		bench_vq_reap(bench_guest_tx(bg, pair));
		bench_vq_receive(bench_guest_rx(bg, pair));
	}
}
