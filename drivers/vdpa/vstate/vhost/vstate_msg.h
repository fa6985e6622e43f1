/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MSG_H
#define VSTATE_MSG_H

/**
 * @file
 * A gate before rte_vhost: messages that no honest front end sends, and that some
 * release of the library takes for good, do not reach it.
 */

#include <stdbool.h>

struct vstate_dev;

/**
 * Whether the library may see a message.
 * @param msg the message as the library hands it out, with its descriptors
 * @return false: refused, told in the log, and its descriptors closed
 */
bool vstate_msg_check(const struct vstate_dev *dev, void *msg);

/** Close the descriptors of a message that the library will not see. */
void vstate_msg_close_fds(void *msg);

#endif /* VSTATE_MSG_H */
