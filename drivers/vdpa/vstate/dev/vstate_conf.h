/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONF_H
#define VSTATE_CONF_H

/** @file The device arguments as values. vstate_devargs.c reads them; they never change later. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

/** Most queues of a device, in units of struct vstate_class::vqs_per_queue. */
#define VSTATE_MAX_QUEUES 64

struct vstate_conf {
	/** Path of the socket; empty for vdpa_vstate. */
	char iface[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/** Queues, 1 to VSTATE_MAX_QUEUES; of net: queue pairs. */
	uint16_t queues;
	/** Connect to @p iface, and again when the connection is lost, instead of listening. */
	bool client;
	bool postcopy_support;
	/** Offer the state to front ends that ask for it (vhost-user DEVICE_STATE). */
	bool device_state;
	/** Directory of the state file; empty: none. */
	char state_dir[256];
	/** If another process owns the state file, ask it to hand the device over. */
	bool takeover;
	/** Take the front end's connection over with the device, if its owner can pass it. */
	bool keep_connection;
	/** An EAL service polls the rings. */
	bool service;
	/** NUMA node, or SOCKET_ID_ANY. */
	int numa;
	/** Arguments of the device class; see struct vstate_class::devargs. */
	uint64_t of_class[16];
};

#endif /* VSTATE_CONF_H */
