/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_CONSOLE_H
#define UT_CONSOLE_H

/**
 * @file
 * A console for a test, with a driver of one of its two queues and a peer at its socket, without a
 * vdev, a front end and a thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "console/vstate_console.h"
#include "dev/vstate_setup.h"
#include "ut_ring.h"

#define CONSOLE_RING 32
#define CONSOLE_TO_GUEST 0
#define CONSOLE_TO_HOST 1

struct con {
	struct ring ring;
	struct vstate_dev *dev;
	struct vstate_console *c;
	struct vstate_console_port *port;
	struct vstate_console_vq *q;
	struct vstate_setup setup;
	/** Queue that has the ring. */
	uint16_t qid;
	bool packed;
	/** The peer; -1: none. */
	int peer;
	char path[64];
};

/** Arguments of a console whose port is a socket at a new path. */
struct vstate_conf con_conf(struct con *k);
/** Make a device, connect it to a new ring, start it, and connect a peer. */
void con_open(struct con *k, const char *name, const struct vstate_conf *conf, uint16_t qid,
		bool packed);
void con_close(struct con *k);
/** The same with a ring that exists. */
void con_device_open(struct con *k, const char *name, const struct vstate_conf *conf);
void con_device_close(struct con *k);
/** Apply the set-up of the front end, with this base. */
void con_start(struct con *k, struct vstate_pos base);
/** Connect the peer, or close its connection. */
void con_peer_open(struct con *k);
void con_peer_close(struct con *k);
/** Serve the device until there is nothing to do. */
void con_work(struct con *k);
/** Make a buffer of @p len bytes at @p at of the buffers' memory available. @return its ID */
uint16_t con_add(struct con *k, uint32_t at, uint32_t len);
/** Read what the peer has got, up to @p max bytes. */
uint32_t con_peer_read(struct con *k, uint8_t *bytes, uint32_t max);

#endif /* UT_CONSOLE_H */
