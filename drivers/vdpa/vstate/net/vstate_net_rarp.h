/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_RARP_H
#define VSTATE_NET_RARP_H

/**
 * @file
 * The announcement of a guest that was migrated here and cannot announce itself. The device sends a
 * RARP frame in its place, so that switches find the new location of its MAC address. A guest with
 * VIRTIO_NET_F_GUEST_ANNOUNCE announces itself.
 */

#include <stdint.h>

#include <rte_bitops.h>
#include <rte_ether.h>

struct rte_mbuf;
struct rte_mempool;
struct vstate_net;

/** Bit above the bytes of a MAC address; see struct vstate_net::rarp_due. */
#define VSTATE_NET_RARP_DUE RTE_BIT64(8 * RTE_ETHER_ADDR_LEN)

/**
 * Request the announcement of the guest. Any thread.
 * @param mac the first 6 bytes of this word are the MAC address of the guest
 */
void vstate_net_rarp_set(struct vstate_net *net, uint64_t mac);
/**
 * Make the RARP frame. Poll thread.
 * @param due written: argument for vstate_net_rarp_done() after the frame is sent
 * @return the frame; NULL without mbuf, or if no announcement is due
 */
struct rte_mbuf *vstate_net_rarp_make(const struct vstate_net *net, struct rte_mempool *pool,
		uint64_t *due);
/** The frame was sent. A request that was made in between stays due. Poll thread. */
void vstate_net_rarp_done(struct vstate_net *net, uint64_t due);

#endif /* VSTATE_NET_RARP_H */
