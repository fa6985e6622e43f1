/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_SAMPLE_H
#define VHOST_STATE_SAMPLE_H

/**
 * @file
 * Valid states for tests and for the golden files. All functions return a state to be freed. They
 * exit if memory is missing, because a test without its sample has no result.
 */

#include <rte_vhost_state.h>

#define SAMPLE_F_RING_PACKED	(UINT64_C(1) << 34)
#define SAMPLE_F_VERSION_1	(UINT64_C(1) << 32)
#define SAMPLE_F_EVENT_IDX	(UINT64_C(1) << 29)
#define SAMPLE_F_GUEST_CSUM	(UINT64_C(1) << 1)
#define SAMPLE_F_GUEST_TSO4	(UINT64_C(1) << 7)
/** CTRL_VQ, CTRL_RX, CTRL_VLAN, CTRL_RX_EXTRA, MQ, CTRL_MAC_ADDR, CTRL_GUEST_OFFLOADS. */
#define SAMPLE_F_CTRL		(UINT64_C(0xde0004))
#define SAMPLE_F_LOG_ALL	(UINT64_C(1) << 26)

/** Status byte of a suspended device. */
#define SAMPLE_SUSPENDED (RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER | \
		RTE_VHOST_STATE_S_FEATURES_OK | RTE_VHOST_STATE_S_SUSPEND)

/** Number of virtqueues of the states below, and index of the one with buffers in flight. */
#define SAMPLE_VQS 4
#define SAMPLE_BUSY_VQ 1
/** Index of the virtqueue that the driver never set up. */
#define SAMPLE_UNUSED_VQ 3
/** Bytes of port 0 that are pending in sample_console(). */
#define SAMPLE_PENDING 40

/**
 * Return a state in which every field has another value. The golden files have these states, so
 * the functions never change. A later format version gets functions of its own.
 */
struct rte_vhost_state *sample_split(void);
struct rte_vhost_state *sample_packed(void);

/** Return sample_packed() with the descriptors of its buffers in flight. Never changes. */
struct rte_vhost_state *sample_packed_descs(void);

/** Return sample_packed_descs() as the state of a disk. Never changes. */
struct rte_vhost_state *sample_blk(void);

/**
 * Return a packed state of two pairs and a control virtqueue, with a setting of each kind. Never
 * changes.
 */
struct rte_vhost_state *sample_net_ctrl(void);
/** Index of its control virtqueue. */
#define SAMPLE_CTRL_VQ 4

/** Return sample_split() as the state of a console with three ports. Never changes. */
struct rte_vhost_state *sample_console(void);

/** Return sample_packed_descs() as the state of a SCSI host with two units. Never changes. */
struct rte_vhost_state *sample_scsi(void);

/** Return sample_split() with all buffers of a large ring in flight, from @p used_idx on. */
struct rte_vhost_state *sample_split_full(uint16_t used_idx);

/** Return a valid state with sizes, indices, wraps and buffers in flight by @p seed. */
struct rte_vhost_state *sample_random(uint64_t seed);

/** Return what a destination must offer for sample_split() and sample_packed(). */
struct rte_vhost_state_limits sample_limits(void);
/** The same for sample_net_ctrl(). */
struct rte_vhost_state_limits sample_net_ctrl_limits(void);
/** The same for sample_blk(). */
struct rte_vhost_state_limits sample_blk_limits(void);
/** The same for sample_console(). */
struct rte_vhost_state_limits sample_console_limits(void);
/** The same for sample_scsi(). */
struct rte_vhost_state_limits sample_scsi_limits(void);

#endif /* VHOST_STATE_SAMPLE_H */
