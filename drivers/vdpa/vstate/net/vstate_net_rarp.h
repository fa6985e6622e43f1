/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_RARP_H
#define VSTATE_NET_RARP_H

/**
 * @file
 * The announcement of a guest that arrived by a move and cannot announce itself: a RARP frame from
 * where its frames come. VIRTIO_NET_F_GUEST_ANNOUNCE is for guests that can.
 */

#include <stdint.h>

#include <rte_bitops.h>
#include <rte_ether.h>

struct rte_mbuf;
struct rte_mempool;
struct vstate_net;

/** Above the bytes of a MAC address; see struct vstate_net::rarp_due. */
#define VSTATE_NET_RARP_DUE RTE_BIT64(8 * RTE_ETHER_ADDR_LEN)

/** Let the guest be announced. @param mac  its MAC address, in the bytes of the word. Any thread. */
void vstate_net_rarp_set(struct vstate_net *net, uint64_t mac);
/**
 * Make the frame. Poll thread.
 * @param due written, for vstate_net_rarp_done() when the frame is on its way
 * @return NULL: no mbuf, or it is not due any more
 */
struct rte_mbuf *vstate_net_rarp_make(const struct vstate_net *net, struct rte_mempool *pool,
		uint64_t *due);
/** It was announced; another announcement that came in between stays due. Poll thread. */
void vstate_net_rarp_done(struct vstate_net *net, uint64_t due);

#endif /* VSTATE_NET_RARP_H */
