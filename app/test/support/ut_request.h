/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_REQUEST_H
#define UT_REQUEST_H

/** @file Helpers for tests of requests (ring/vstate_request.h). */

#include <stdbool.h>
#include <stdint.h>

struct ring;
struct vstate_request;

/** Allocate a request of up to @p max_pieces pieces. The caller frees it with free(). */
struct vstate_request *request_new(uint16_t max_pieces);

/** Number of descriptors (packed) or buffers (split) that are popped and not published. */
uint32_t request_submitted_count(const struct ring *r);

/** A ring as ring_open() makes it, with marks of its requests. */
void request_ring_open(struct ring *r, bool packed, uint16_t size);
void request_ring_close(struct ring *r);

/** Call @p run with a split ring and with a packed ring of @p size descriptors. */
void request_each_layout(void (*run)(struct ring *r), uint16_t size);

#endif /* UT_REQUEST_H */
