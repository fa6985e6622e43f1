/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_INFLIGHT_H
#define GUEST_INFLIGHT_H

/**
 * @file
 * The in-flight region of vhost-user ("Inflight I/O tracking"): memory that a back end creates, the
 * front end keeps, and the next back end gets. From it the next back end knows which buffers the
 * previous one held.
 */

#include <stdint.h>

struct guest;
struct guest_held;
struct guest_link;

/**
 * Get the region from the first back end, and send it to each back end before its rings.
 * @return 0, -ENOTSUP (the back end offers no region), -EPROTO (the region is too small), -errno
 */
int guest_inflight_hand_over(struct guest_link *l);
/** Unmap the region, if there is one. */
void guest_inflight_free(struct guest *g);
/**
 * Read the buffers that are marked for virtqueue @p vq, in the order of dequeue. The ring position
 * of a packed buffer is not in the region.
 * @param max entries of @p held and @p counter
 * @return number of buffers
 */
uint16_t guest_inflight_read(struct guest *g, uint16_t vq, struct guest_held *held,
		uint64_t *counter, uint16_t max);
/**
 * Mark a buffer that was just dequeued.
 * @return 0, -ENOTCONN (no region), -EPROTO (the region does not fit this ring)
 */
int guest_inflight_mark(struct guest *g, uint16_t vq, const struct guest_held *held,
		uint64_t counter);

#endif /* GUEST_INFLIGHT_H */
