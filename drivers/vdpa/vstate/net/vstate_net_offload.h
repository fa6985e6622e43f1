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
 * Obey the header of a frame that the driver sent.
 * Partial checksums become RTE_MBUF_F_RX_L4_CKSUM_NONE, or are completed if the port
 * wants that; segmentation becomes RTE_MBUF_F_RX_LRO with tso_segsz.
 * @return false: the header lies about the frame, or asks for what was not negotiated
 */
bool vstate_net_offload_from_header(const struct vstate_net_vq *nq,
		const struct virtio_net_hdr_mrg_rxbuf *hdr, struct rte_mbuf *m);

/**
 * Write the header for a frame to the driver. What the driver did not negotiate is
 * computed here where that can be done, in the frame itself: see vstate_net_offload_own().
 * @param hdr all zero before
 * @return false: the frame asks for what the driver cannot take
 */
bool vstate_net_offload_to_header(const struct vstate_net_vq *nq, struct rte_mbuf *m,
		struct virtio_net_hdr_mrg_rxbuf *hdr);

/**
 * The frame itself, or, where vstate_net_offload_to_header() has to change its bytes and others may
 * hold them too, a copy to be freed by the caller.
 * @return NULL: no mbufs for a copy
 */
struct rte_mbuf *vstate_net_offload_own(const struct vstate_net_vq *nq, struct rte_mbuf *m);

/** Turn receive flags into the transmit flags that ask for the same, for forwarding. */
void vstate_net_offload_turn(struct rte_mbuf *m);

/** Fill in the pseudo header checksum that frames with transmit flags must carry; as tx_prepare. */
int vstate_net_offload_prepare(struct rte_mbuf *m);

#endif /* VSTATE_NET_OFFLOAD_H */
