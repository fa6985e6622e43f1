/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_DEVARGS_H
#define VSTATE_DEVARGS_H

/**
 * @file
 * Device arguments. Names are those of net_vhost where it has them.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include <rte_ether.h>

/** What a device was asked to be. */
struct vstate_conf {
	/** Path of the socket; empty for vdpa_vstate. */
	char iface[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/** Queue pairs, 1 .. 64. */
	uint16_t queues;
	/** Connect to @p iface, and again when it is lost, instead of listening. */
	bool client;
	/** Offer segmentation offloads. */
	bool tso;
	bool postcopy_support;
	/** Offer the state to front ends that ask for it (vhost-user DEVICE_STATE). */
	bool device_state;
	/** Directory of the state page; empty: none. */
	char state_dir[256];
	/** Where another process owns the page, ask it to let go of the device. */
	bool takeover;
	/** Take the front end's connection over with the device, where its owner can pass it. */
	bool keep_connection;
	/** Drop frames that do not fit one mbuf. */
	bool linear_buffer;
	/** An EAL service polls the rings. */
	bool service;
	/** Port that the service bridges to; empty: loop back. */
	char uplink[64];
	bool has_mac;
	struct rte_ether_addr mac;
	/** Largest MTU, 68 .. 65535. */
	uint16_t mtu;
	/** NUMA node, or SOCKET_ID_ANY. */
	int numa;
};

/** The two drivers differ in which arguments they take. */
enum vstate_kind {
	VSTATE_KIND_NET,
	VSTATE_KIND_VDPA,
};

/** For RTE_PMD_REGISTER_PARAM_STRING. */
#define VSTATE_COMMON_PARAMS \
	"queues=<1-64> " \
	"tso=<0|1> " \
	"linear-buffer=<0|1> " \
	"mac=<MAC address> " \
	"mtu=<68-65535> " \
	"numa=<node> " \
	"state_dir=<directory> " \
	"service=<0|1> " \
	"uplink=<port>"
#define VSTATE_NET_PARAMS "iface=<path> client=<0|1> postcopy-support=<0|1> ext-buffer=<0|1> " \
	"iommu-support=<0> device-state=<0|1> takeover=<0|1> keep-connection=<0|1> " VSTATE_COMMON_PARAMS

/**
 * Read device arguments.
 * @param args may be NULL or empty
 * @return 0; -EINVAL for an unknown key or a bad value, which is named in the log
 */
int vstate_devargs_parse(enum vstate_kind kind, const char *name, const char *args,
		struct vstate_conf *conf);

#endif /* VSTATE_DEVARGS_H */
