/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_STATE_INFLIGHT_H
#define VSTATE_STATE_INFLIGHT_H

/** @file Move buffers in flight between a queue and a state. Control lock held. */

#include <stdbool.h>
#include <stdint.h>

struct rte_vhost_state;
struct rte_vhost_state_vq;
struct vstate_inflight;
struct vstate_vq;

/** Allocate a list of the last @p left buffers of a queue's state. NULL without memory. */
struct vstate_inflight *vstate_state_inflight_list(const struct rte_vhost_state_vq *sv, bool packed,
		uint16_t left);

/** Write the remaining buffers of @p vq to virtqueue @p i of a state. @return 0 or -ENOMEM */
int vstate_state_inflight_capture(const struct vstate_vq *vq, struct rte_vhost_state *st,
		uint16_t i);

#endif /* VSTATE_STATE_INFLIGHT_H */
