/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MSG_HANDLE_H
#define VSTATE_MSG_HANDLE_H

/**
 * @file
 * vhost-user messages that the device must see before or after rte_vhost does.
 */

#include <rte_vhost.h>

/** For rte_vhost_extern_callback_register(). */
extern const struct rte_vhost_user_extern_ops vstate_msg_ops;

#endif /* VSTATE_MSG_HANDLE_H */
