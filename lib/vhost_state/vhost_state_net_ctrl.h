/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_NET_CTRL_H
#define VHOST_STATE_NET_CTRL_H

/**
 * @file
 * Settings of the control virtqueue of a network device: its two parts of a state, and what
 * struct vhost_state_class needs of them.
 */

#include <stdbool.h>
#include <stdio.h>

#include "vhost_state_part.h"

/** Initializers of the parts: CVQ_CFG of VIRTIO 1.4, and the VLANs. */
#define VHOST_STATE_NET_CVQ_CFG { \
		.type = 0x0200, \
		.selectors = vhost_state_net_ctrl_selectors, \
		.nb_selectors = RTE_VHOST_STATE_NET_CTRL_MAX, \
		.unit = 1, .max_units = VHOST_STATE_NET_CVQ_CFG_MAX, \
		.units = vhost_state_net_ctrl_units, \
		.encode = vhost_state_net_ctrl_encode, .decode = vhost_state_net_ctrl_decode, \
	}
#define VHOST_STATE_NET_VLANS { \
		.type = 0xf011, \
		.unit = 2, .max_units = RTE_VHOST_STATE_NET_VLANS, \
		.units = vhost_state_net_vlans_units, \
		.encode = vhost_state_net_vlans_encode, .decode = vhost_state_net_vlans_decode, \
	}

/** Bytes of the longest value: two numbers of addresses, and the addresses. */
#define VHOST_STATE_NET_CVQ_CFG_MAX (8 + RTE_VHOST_STATE_NET_MACS * RTE_ETHER_ADDR_LEN)

/** Selector of each command: its class in the first byte, the command in the second. */
extern const uint16_t vhost_state_net_ctrl_selectors[RTE_VHOST_STATE_NET_CTRL_MAX];

/* Members of struct vhost_state_part, documented there. */
uint32_t vhost_state_net_ctrl_units(const struct rte_vhost_state *st, uint16_t cmd);
void vhost_state_net_ctrl_encode(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		uint16_t cmd);
int vhost_state_net_ctrl_decode(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e);
uint32_t vhost_state_net_vlans_units(const struct rte_vhost_state *st, uint16_t instance);
void vhost_state_net_vlans_encode(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		uint16_t instance);
int vhost_state_net_vlans_decode(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e);

/**
 * Check the settings: features, ranges, and that they agree with the other network data, which is
 * checked before. Return 0, or the -errno of the reason in @p e.
 */
int vhost_state_net_ctrl_check(const struct rte_vhost_state *st, struct rte_vhost_state_error *e);
/**
 * Check that the driver finds its control virtqueue at the destination: the device says by its
 * number of pairs where it is. Return 0, or the -errno of the reason in @p e.
 */
int vhost_state_net_ctrl_check_fit(const struct rte_vhost_state *st,
		const struct rte_vhost_state_limits *lim, struct rte_vhost_state_error *e);
/** Return true if all settings are the same. */
bool vhost_state_net_ctrl_equal(const struct rte_vhost_state_net_ctrl *a,
		const struct rte_vhost_state_net_ctrl *b);
/** Print the settings as lines; nothing if there are none. */
void vhost_state_net_ctrl_dump(const struct rte_vhost_state_net_ctrl *ctrl, FILE *f);
/** Print the settings as a JSON member, after a comma; nothing if there are none. */
void vhost_state_net_ctrl_dump_json(const struct rte_vhost_state_net_ctrl *ctrl, FILE *f);

#endif /* VHOST_STATE_NET_CTRL_H */
