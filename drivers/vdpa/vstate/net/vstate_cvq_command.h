/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CVQ_COMMAND_H
#define VSTATE_CVQ_COMMAND_H

/**
 * @file
 * The commands of the control virtqueue, as changes of plain data. The queue runs them, and so does
 * a restored state. Pure functions: any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>

#include "rte_vhost_state.h"

/** Bytes of the longest command: class, command, and the largest table of addresses. */
#define VSTATE_CVQ_COMMAND_MAX (2 + 8 + RTE_VHOST_STATE_NET_MACS * RTE_ETHER_ADDR_LEN)

/** Why a command is answered by an error: name and text. */
#define VSTATE_CVQ_REFUSALS(X) \
	X(NONE, "accepted") \
	X(UNKNOWN, "unknown class or command") \
	X(FEATURE, "its feature was not negotiated") \
	X(LENGTH, "its data is too short or too long") \
	X(VALUE, "its value is out of range") \
	X(ADDRESSES, "more addresses than the filter has room for")

enum vstate_cvq_refusal {
#define VSTATE_CVQ_REFUSAL_ENUM(name, text) VSTATE_CVQ_REFUSED_##name,
	VSTATE_CVQ_REFUSALS(VSTATE_CVQ_REFUSAL_ENUM)
#undef VSTATE_CVQ_REFUSAL_ENUM
	VSTATE_CVQ_REFUSED_MAX
};

/** Features of reception that a driver can switch while it runs. */
#define VSTATE_CVQ_OFFLOADS \
	(RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM) | RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) | \
	 RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6) | RTE_BIT64(VIRTIO_NET_F_GUEST_ECN) | \
	 RTE_BIT64(VIRTIO_NET_F_GUEST_UFO))

/** What decides whether a command is valid. */
struct vstate_cvq_rules {
	/** Features negotiated. */
	uint64_t features;
	/** Queue pairs of the device. */
	uint16_t pairs;
};

/**
 * Run a command: change @p ctrl if it is accepted.
 * @param cmd  class, command and data: @p len bytes of this process's memory
 * @return VSTATE_CVQ_REFUSED_NONE; else why not, and nothing changed
 */
enum vstate_cvq_refusal vstate_cvq_command_run(struct rte_vhost_state_net_ctrl *ctrl,
		const struct vstate_cvq_rules *rules, const uint8_t *cmd, uint32_t len);

/**
 * Run the commands that lead to @p to, from the default on, the number of queue pairs last.
 * @param ctrl  written if all commands are accepted
 * @return VSTATE_CVQ_REFUSED_NONE; else why one command is refused, and nothing changed
 */
enum vstate_cvq_refusal vstate_cvq_command_replay(struct rte_vhost_state_net_ctrl *ctrl,
		const struct vstate_cvq_rules *rules, const struct rte_vhost_state_net_ctrl *to);

/** Return whether a mode of reception is on. Until a driver says otherwise, only PROMISC is. */
static inline bool
vstate_cvq_mode_is_on(const struct rte_vhost_state_net_ctrl *ctrl, unsigned int mode)
{
	if (mode == RTE_VHOST_STATE_NET_CTRL_PROMISC && !(ctrl->accepted & RTE_BIT32(mode)))
		return true;
	return (ctrl->rx_mode >> mode & 1) != 0;
}

/** Return the name of a refusal, as "value"; never NULL. */
const char *vstate_cvq_refusal_name(enum vstate_cvq_refusal refusal);
/** Return the text of a refusal; never NULL. */
const char *vstate_cvq_refusal_text(enum vstate_cvq_refusal refusal);

#endif /* VSTATE_CVQ_COMMAND_H */
