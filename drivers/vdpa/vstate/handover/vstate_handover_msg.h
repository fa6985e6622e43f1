/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_HANDOVER_MSG_H
#define VSTATE_HANDOVER_MSG_H

/**
 * @file
 * Handover messages: what the owner of a device and the process that takes the device over say to
 * each other, over a socket next to the state file. A message has items, and an item has bytes and
 * descriptors. Both processes run as the same user. Their messages are checked all the same.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** What a message says; see vstate_takeover.h for the order. */
enum vstate_handover_kind {
	/** The new process asks for the device. Value: 1 if it can continue a connection. */
	VSTATE_HANDOVER_ASK = 1,
	/** The owner shows the front end's messages, and its connection and socket. */
	VSTATE_HANDOVER_OFFER,
	/** The new process has set the device up. Value: 1 if it continues the connection. */
	VSTATE_HANDOVER_READY,
	/** The owner's queues are quiescent, and the state file is free. */
	VSTATE_HANDOVER_GO,
	/** The new process serves the device. */
	VSTATE_HANDOVER_RUNNING,
	/** The sender ends the handover. Value: the errno. */
	VSTATE_HANDOVER_REFUSED,
};

/** Types of items. Smaller values are vhost-user requests of the front end, with their payload. */
enum vstate_handover_item_type {
	/** The connection of the front end: one descriptor. */
	VSTATE_HANDOVER_CONNECTION = 0x10000,
	/** The socket that front ends connect to: one descriptor. */
	VSTATE_HANDOVER_LISTENER,
	/** The begin of a message of the front end, with its descriptors. */
	VSTATE_HANDOVER_PARTIAL,
	/** A part of the class (struct vstate_passed), with its descriptors; of GO. */
	VSTATE_HANDOVER_CLASS,
};

struct vstate_handover_msg {
	uint32_t kind, value;
	uint8_t *bytes;
	size_t len, room;
	/** -1: the descriptor was taken. */
	int *fds;
	unsigned int nb_fds, fds_room;
};

/** No item has more bytes. */
#define VSTATE_HANDOVER_ITEM_MAX 1024

/** An item of a message. It points into the message. */
struct vstate_handover_item {
	uint32_t type;
	uint32_t size;
	const uint8_t *bytes;
	int *fds;
	unsigned int nb_fds;
};

/** A position in a message; all zero at its begin. */
struct vstate_handover_cursor {
	size_t at;
	unsigned int fd;
};

#define VSTATE_HANDOVER_MSG(kind, value) ((struct vstate_handover_msg){ kind, value })

/**
 * Add an item with copies of @p bytes and of the descriptors.
 * @return 0; -ENOMEM; -EMFILE or another -errno: the message is unchanged
 */
int vstate_handover_msg_add(struct vstate_handover_msg *msg, uint32_t type, const void *bytes,
		uint32_t size, const int *fds, unsigned int nb_fds);
/**
 * Read the item at the cursor, and move the cursor behind it.
 * @return 1: @p item is an item; 0: there are no more; -EBADMSG
 */
int vstate_handover_msg_next(const struct vstate_handover_msg *msg,
		struct vstate_handover_cursor *cursor, struct vstate_handover_item *item);
/** Take the one descriptor of an item. @return it, now the caller's; -1: it has not exactly one */
int vstate_handover_item_take(struct vstate_handover_item *item);
/** Close the descriptors of a message and free its bytes. The message is empty afterwards. */
void vstate_handover_msg_drop(struct vstate_handover_msg *msg);

/** Listen at @p path, and replace a file that is there. @return a descriptor, or -errno */
int vstate_handover_msg_listen(const char *path);
/**
 * Accept a connection from a process of the same user.
 * @return a descriptor; -EAGAIN: there is none; -EPERM: another user has connected
 */
int vstate_handover_msg_accept(int fd);
/**
 * Connect to a process of the same user: it is going to send descriptors of the guest's memory.
 * @return a descriptor; -ENOENT, -ECONNREFUSED: no process listens there; -EPERM: another user
 *   does; or another -errno
 */
int vstate_handover_msg_connect(const char *path);

/**
 * Send a message. Waits for room, until @p until milliseconds of vstate_clock_ms().
 * @return 0; -EPIPE: the peer is gone; -ETIMEDOUT; or another -errno
 */
int vstate_handover_msg_send(int fd, const struct vstate_handover_msg *msg, uint64_t until);
/**
 * Receive a message. Waits for it, until @p until milliseconds of vstate_clock_ms(), or until
 * @p wake is readable.
 * @param wake -1: none
 * @return 0; -EPIPE: the peer is gone; -EBADMSG: of another version, or no such message;
 *   -ETIMEDOUT; -ECANCELED; or another -errno. The message is empty unless 0 is returned.
 */
int vstate_handover_msg_receive(int fd, struct vstate_handover_msg *msg, uint64_t until, int wake);

#endif /* VSTATE_HANDOVER_MSG_H */
