/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_TURN_H
#define BENCH_TURN_H

struct bench_guest;

/** One turn of a guest that has a core of its own: take back buffers, make buffers available. */
void bench_guest_turn(struct bench_guest *bg);
/** Take back used buffers, and make nothing available. */
void bench_guest_reap(struct bench_guest *bg);

#endif /* BENCH_TURN_H */
