/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_VDPA_MSG_H
#define VSTATE_VDPA_MSG_H

/**
 * @file
 * Messages behind rte_vdpa: rte_vhost owns the connection, and shows each message to handlers
 * before and after it processes the message.
 */

#include <rte_vhost.h>

/** For rte_vhost_extern_callback_register(). */
extern const struct rte_vhost_user_extern_ops vstate_vdpa_msg_ops;

#endif /* VSTATE_VDPA_MSG_H */
