/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_HANDOVER_MSG_H
#define VSTATE_HANDOVER_MSG_H

/**
 * @file
 * The handover message: bytes and descriptors from the old owner of a device to the new owner,
 * through a socket next to the state file. The old owner sends the whole message before it asks
 * the new owner to read it, so no call waits.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct vstate_handover_msg {
	/** The front end's connection; -1: none. */
	int connection;
	uint8_t *bytes;
	size_t len;
	int *fds;
	unsigned int nb_fds;
};

#define VSTATE_HANDOVER_MSG_EMPTY ((struct vstate_handover_msg){ .connection = -1 })

/** Allocate room; the message is empty. @return 0 or -ENOMEM */
int vstate_handover_msg_alloc(struct vstate_handover_msg *p, size_t len, unsigned int nb_fds);
/** Close the descriptors of a message and free its bytes. The message is empty afterwards. */
void vstate_handover_msg_drop(struct vstate_handover_msg *p);

/**
 * A random number of this process, as a part of file names. Process IDs are not unique: two
 * containers that share a directory may both have process 1.
 * @return 1 to INT32_MAX, the same number at each call in a process
 */
uint32_t vstate_handover_msg_token(void);

/** Listen at @p path. @return a descriptor, or -errno */
int vstate_handover_msg_listen(const char *path);
/**
 * Accept a connection from a process of the same user.
 * @return a descriptor; -EAGAIN: there is none; -EPERM: only another user has connected
 */
int vstate_handover_msg_accept(int fd);
/** Stop listening and remove the socket. A negative descriptor is ignored. */
void vstate_handover_msg_unlisten(int fd, const char *path);
/**
 * Send a message to a process of the same user. Its descriptors give access to the guest's memory.
 * @return 0; -ENOENT, -ECONNREFUSED: no process listens there; -EPERM: another user listens there,
 *   and nothing was sent; or another -errno
 */
int vstate_handover_msg_send(const char *path, const struct vstate_handover_msg *p);
/**
 * Receive a message that a process of the same user sent.
 * @return 0; -EAGAIN: there is none; -EPERM: only another user sent one; -EBADMSG: another version,
 *   or an incomplete message; or another -errno. The message is empty unless 0 is returned.
 */
int vstate_handover_msg_receive(int fd, struct vstate_handover_msg *p);

#endif /* VSTATE_HANDOVER_MSG_H */
