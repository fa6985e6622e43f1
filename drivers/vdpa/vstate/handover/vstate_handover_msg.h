/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_HANDOVER_MSG_H
#define VSTATE_HANDOVER_MSG_H

/**
 * @file
 * Bytes and descriptors from the process that hands a device over to the one that gets it, through
 * a socket next to the state page. All of it is there before the other side is told to look: no
 * call waits.
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

/** Room for so much; it is empty still. 0 or -ENOMEM. */
int vstate_handover_msg_alloc(struct vstate_handover_msg *p, size_t len, unsigned int nb_fds);
/** Close and free all that is in it. */
void vstate_handover_msg_drop(struct vstate_handover_msg *p);

/**
 * A number that no other process has by chance, as a part of file names. Process IDs would not do:
 * two containers that share a directory may both have process 1.
 * @return 1 to INT32_MAX, always the same one in a process
 */
uint32_t vstate_handover_msg_token(void);

/** Be ready for one at @p path. @return a descriptor, or -errno */
int vstate_handover_msg_listen(const char *path);
/**
 * Take a connection that a process of the same user has made to it.
 * @return a descriptor; -EAGAIN: there is none; -EPERM: there is one of another user only
 */
int vstate_handover_msg_accept(int fd);
/** And be so no more. */
void vstate_handover_msg_unlisten(int fd, const char *path);
/**
 * Send one to a process of the same user. What is in it opens the guest's memory.
 * @return 0; -ENOENT, -ECONNREFUSED: nobody waits for it; -EPERM: another user listens there, and
 *   nothing was sent; or another negative errno
 */
int vstate_handover_msg_send(const char *path, const struct vstate_handover_msg *p);
/**
 * Take the one that a process of the same user sent.
 * @return 0; -EAGAIN: none was; -EPERM: by another user; -EBADMSG: of another version, or not
 *   all of it; or another negative errno. The parcel is empty then.
 */
int vstate_handover_msg_receive(int fd, struct vstate_handover_msg *p);

#endif /* VSTATE_HANDOVER_MSG_H */
