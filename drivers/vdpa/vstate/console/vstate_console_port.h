/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONSOLE_PORT_H
#define VSTATE_CONSOLE_PORT_H

/**
 * @file
 * One port: bytes move between its two virtqueues and its host's side. The caller holds the lock of
 * the console.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_console_host.h"
#include "vstate_console_kept.h"
#include "vstate_console_vq.h"

/** Most bytes of returned buffers that wait for the host's side after a stop. */
#define VSTATE_CONSOLE_REST 32768

struct vstate_dev;

struct vstate_console_port {
	struct vstate_dev *dev;
	struct vstate_console_host host;
	/** Where the driver receives, and where it sends. */
	struct vstate_console_vq *to_guest, *to_host;
	uint16_t index;
	/** Keep bytes of the driver while nobody has the host's side open. */
	bool hold;
	/** The driver may get bytes. */
	bool guest_open;
	/** The driver is ready for the port. */
	bool ready;
	/** Control messages that are due, RTE_VHOST_STATE_CONSOLE_DUE_*. */
	uint8_t due;
	/** The driver knows the host's side as open, or the next message reports that. */
	bool reported_open;
	/**
	 * Bytes whose buffers the driver got back at a stop before the host's side took them. They
	 * are sent before all others.
	 */
	uint8_t *rest;
	uint32_t rest_nb, rest_done;
	uint64_t rest_dropped;
};

/** Why a queue stopped in a turn. */
enum vstate_console_turn {
	/** The driver has made nothing available. */
	VSTATE_CONSOLE_TURN_RING,
	/** The host's side has nothing, or no room. */
	VSTATE_CONSOLE_TURN_HOST,
	/** It may continue in the next turn. */
	VSTATE_CONSOLE_TURN_AGAIN,
	/** The queue does not run. */
	VSTATE_CONSOLE_TURN_STOPPED,
};

/** Allocate what a queue needs. @return 0 or -ENOMEM */
int vstate_console_port_vq_init(struct vstate_console_vq *q);
void vstate_console_port_vq_fini(struct vstate_console_vq *q);

/** Send the rest of returned buffers. @return whether none is left */
bool vstate_console_port_rest_send(struct vstate_console_port *p);
/** Add bytes behind the rest. @return 0; -EINVAL: no room; -ENOMEM */
int vstate_console_port_rest_add(struct vstate_console_port *p, const uint8_t *bytes, uint32_t nb);
/** Move what the driver sends, for one turn. Takes the lease. */
enum vstate_console_turn vstate_console_port_to_host(struct vstate_console_port *p);
/** Move what the driver receives, for one turn. Takes the lease. */
enum vstate_console_turn vstate_console_port_to_guest(struct vstate_console_port *p);

/** What becomes of the buffers of a queue that stops. */
enum vstate_console_end {
	/** The one that is transferred stays in flight. */
	VSTATE_CONSOLE_END_WAIT,
	/** All return to the driver. Bytes that the host's side does not take are kept. */
	VSTATE_CONSOLE_END_FINISH,
	/** The same, but bytes for which there is no room are dropped. */
	VSTATE_CONSOLE_END_DROP,
};

/**
 * End the transfers of a queue whose lease is revoked. Control lock held.
 * @return false: bytes of a buffer wait for the host's side, and there is no room for them
 */
bool vstate_console_port_end(struct vstate_console_port *p, struct vstate_console_vq *q,
		enum vstate_console_end end);

/**
 * Read ahead what the host's side has sent, while the device is suspended, so that a state has it.
 */
void vstate_console_port_read_ahead(struct vstate_console_port *p);
/** Replace the bytes that are read ahead; no queue runs. */
void vstate_console_port_ahead_set(struct vstate_console_port *p, const uint8_t *bytes,
		uint32_t nb);
/** Forget transfers: the driver was reset. */
void vstate_console_port_reset(struct vstate_console_port *p);

/** Keep what the driver has said for the next process. */
void vstate_console_port_keep(const struct vstate_console_port *p);
/** Return the port's part of the memory that outlives the process. */
struct vstate_console_kept_port *vstate_console_port_kept(const struct vstate_console_port *p);

#endif /* VSTATE_CONSOLE_PORT_H */
