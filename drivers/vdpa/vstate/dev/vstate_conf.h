/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONF_H
#define VSTATE_CONF_H

/** @file The device arguments as values. vstate_devargs.c parses them once; they never change. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

/** Largest number of queues of a device, in units of struct vstate_class::vqs_per_queue. */
#define VSTATE_MAX_QUEUES 64

struct vstate_conf {
	/** Path of the socket; empty for vdpa_vstate. */
	char iface[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/** Number of queues, 1 to VSTATE_MAX_QUEUES. A queue of net is a pair. */
	uint16_t queues;
	/** Permission bits and group of the socket file; -1: by umask, and the process's group. */
	int socket_mode, socket_group;
	/** Connect to @p iface instead of listening, and reconnect if the connection is lost. */
	bool client;
	bool postcopy_support;
	/** Offer the state to front ends that ask for it (vhost-user DEVICE_STATE). */
	bool device_state;
	/** Directory of the state file. If empty, the device keeps no state file. */
	char state_dir[256];
	/** Path of the control socket of this process; empty: the device asks for none. */
	char control[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/** If another process owns the state file, ask it to hand the device over. */
	bool takeover;
	/** Take over the front end's connection with the device, if the old process can pass it. */
	bool keep_connection;
	/** An EAL service polls the rings. */
	bool service;
	/** NUMA node of the device, or SOCKET_ID_ANY. */
	int numa;
	/** Arguments of the device class; see struct vstate_class::devargs. */
	uint64_t of_class[304];
};

#endif /* VSTATE_CONF_H */
