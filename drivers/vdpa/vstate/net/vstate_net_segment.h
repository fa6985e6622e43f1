/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_SEGMENT_H
#define VSTATE_NET_SEGMENT_H

/**
 * @file
 * Segmentation in software (lib/gso), for frames with RTE_MBUF_F_TX_TCP_SEG to a driver that did
 * not negotiate segmentation.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

/** Most segments of one frame. */
#define VSTATE_NET_SEGMENTS 256

/** Whether lib/gso can segment such a frame: TCP over IPv4, and over IPv6 since DPDK 23.07. */
bool vstate_net_segment_can(const struct rte_mbuf *m);

/**
 * Cut a frame into segments that ask for their checksums. The segments share the frame's data, or
 * that of a copy if the first mbuf is a clone or has an external buffer. They come from the pool of
 * the frame. The caller frees the frame and the segments.
 * @param segs  written, up to VSTATE_NET_SEGMENTS
 * @return number of segments; -ENOTSUP: not TCP; -EINVAL: bad header lengths, headers that do not
 *   fit an mbuf of the pool, or too many segments; -ENOMEM: no mbufs
 */
int vstate_net_segment(struct rte_mbuf *m, struct rte_mbuf **segs);

#endif /* VSTATE_NET_SEGMENT_H */
