/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_OFFLOAD_H
#define VSTATE_NET_OFFLOAD_H

/**
 * @file
 * The virtio-net header and the offload flags of an mbuf, both ways
 * (VIRTIO 1.4 "Device Operation", network device).
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_net.h>

#include <rte_mbuf.h>

#include "vstate_net_vq.h"

/**
 * Apply the header of a frame that the driver sent. A partial checksum becomes
 * RTE_MBUF_F_RX_L4_CKSUM_NONE, or is completed if the port wants that. Segmentation becomes
 * RTE_MBUF_F_RX_LRO with tso_segsz. Then packet_type and the header lengths are set, to headers
 * that are complete in the first mbuf.
 * @return false: the header does not match the frame, asks for an offload that was not negotiated,
 *   or for segmentation that the port does not want
 */
bool vstate_net_offload_from_header(const struct vstate_net_vq *nq,
		const struct virtio_net_hdr_mrg_rxbuf *hdr, struct rte_mbuf *m);

/** Set RTE_MBUF_F_RX_IP_CKSUM_GOOD or _BAD in a frame of IPv4, with up to two VLAN tags. */
void vstate_net_offload_check_ip(struct rte_mbuf *m);

/**
 * Write the header for a frame to the driver. The sum of the pseudo header, or the whole checksum
 * if the driver did not negotiate partial ones, is stored in the frame itself: see
 * vstate_net_offload_own(). Nothing behind the first mbuf's data is read.
 * @param hdr  all zero before
 * @return false: the frame asks for an offload that the driver cannot take, or its header lengths
 *   are not those of the frame
 */
bool vstate_net_offload_to_header(const struct vstate_net_vq *nq, struct rte_mbuf *m,
		struct virtio_net_hdr_mrg_rxbuf *hdr);

/**
 * Return a frame whose bytes vstate_net_offload_to_header() may change: @p m itself, or a copy if
 * other frames share its bytes. The caller frees the copy.
 * @return NULL: no mbufs for a copy
 */
struct rte_mbuf *vstate_net_offload_own(const struct vstate_net_vq *nq, struct rte_mbuf *m);

/**
 * Return the pool that has the data of an mbuf, as the pool of a clone may have mbufs without data;
 * NULL if that pool has none either.
 */
struct rte_mempool *vstate_net_offload_pool(const struct rte_mbuf *m);

/** Whether the driver takes a frame with RTE_MBUF_F_TX_TCP_SEG or _UDP_SEG in one piece. */
bool vstate_net_offload_takes_gso(const struct vstate_net_vq *nq, const struct rte_mbuf *m);

/** Replace receive flags by the transmit flags that ask for the same, to forward a frame. */
void vstate_net_offload_turn(struct rte_mbuf *m);

/**
 * Check a frame with transmit flags, for tx_prepare. The frame is not changed.
 * @return 0; -ENOTSUP: an offload that the port does not have; -EINVAL: bad header lengths
 */
int vstate_net_offload_prepare(const struct rte_mbuf *m);

#endif /* VSTATE_NET_OFFLOAD_H */
