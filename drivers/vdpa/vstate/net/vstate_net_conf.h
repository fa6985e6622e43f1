/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_CONF_H
#define VSTATE_NET_CONF_H

/** @file Device arguments of the network class. They have net_vhost's names if it has them. */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_ether.h>

#include "dev/vstate_conf.h"
#include "dev/vstate_devarg.h"

/** Arguments of the network class, stored in struct vstate_conf::of_class. */
struct vstate_net_conf {
	/** Offer segmentation offloads. */
	bool tso;
	/** Offer to check the checksums of IPv4 headers. */
	bool ipv4_cksum;
	/** Make an ethdev port. */
	bool port;
	/** Serve the control virtqueue. */
	bool cvq;
	/** Count multicast and broadcast frames. */
	bool count_multicast;
	/** Drop frames that do not fit one mbuf. */
	bool linear_buffer;
	bool has_mac;
	struct rte_ether_addr mac;
	/** Largest MTU, 68 to 65535. */
	uint16_t mtu;
	/** Name of the port that the service bridges to; empty: the service loops frames back. */
	char uplink[64];
};

/** Help text for RTE_PMD_REGISTER_PARAM_STRING. */
#define VSTATE_NET_CONF_PARAMS \
	"tso=<0|1> " \
	"linear-buffer=<0|1> " \
	"count-multicast=<0|1> " \
	"port=<0|1> " \
	"ipv4-cksum=<0|1> " \
	"cvq=<0|1> " \
	"mac=<MAC address> " \
	"mtu=<68-65535> " \
	"uplink=<port> " \
	"ext-buffer=<0|1> "

/** Return the arguments of the network class, to write them. */
static inline struct vstate_net_conf *
vstate_net_conf(struct vstate_conf *conf)
{
	RTE_BUILD_BUG_ON(sizeof(struct vstate_net_conf) > sizeof(conf->of_class));
	return (struct vstate_net_conf *)(void *)conf->of_class;
}

/** Return the arguments of the network class, to read them. */
static inline const struct vstate_net_conf *
vstate_net_conf_const(const struct vstate_conf *conf)
{
	return (const struct vstate_net_conf *)(const void *)conf->of_class;
}

#define VSTATE_NET_NB_DEVARGS 10
extern const struct vstate_devarg vstate_net_devargs[VSTATE_NET_NB_DEVARGS];

/* Members of struct vstate_class, documented there. */
void vstate_net_conf_default(struct vstate_conf *conf);
int vstate_net_conf_check(const char *dev_name, const struct vstate_conf *conf);

#endif /* VSTATE_NET_CONF_H */
