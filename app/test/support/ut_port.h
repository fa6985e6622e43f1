/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_PORT_H
#define UT_PORT_H

/**
 * @file
 * A port of a device, and a guest that is connected without a front end. The guest sends on the
 * ring of the second pair.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>

#include "ut_ring.h"
#include "dev/vstate_setup.h"
#include "net/vstate_net.h"

/** The guest's transmit queue. */
#define UT_PORT_QID VSTATE_TXQ(1)
/** Entries of its ring. */
#define UT_PORT_RING 16

struct ut_port {
	struct vstate_dev *dev;
	struct rte_mempool *pool;
	uint16_t port;
	struct ring ring;
	struct vstate_setup setup;
	/** The guest's eventfd for kicks. */
	int kickfd;
	bool event_idx;
};

extern struct ut_port ut_port;

/** Create the device with @p queues >= 2 pairs, and the port. */
void ut_port_open(unsigned int queues);
void ut_port_close(void);
/** Configure one queue in each direction, and set them up. */
void ut_port_configure(const struct rte_eth_conf *conf);

void ut_port_connect(bool packed, bool event_idx);
void ut_port_disconnect(void);

/** Make one frame of 64 bytes available, and kick if the device wants that. @return it did */
bool ut_port_send(void);
/** Receive and free frames. @return their number */
uint16_t ut_port_receive(void);

#endif /* UT_PORT_H */
