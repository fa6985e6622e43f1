/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MSG_CHECK_H
#define VSTATE_MSG_CHECK_H

/**
 * @file
 * The check of a vhost-user message by its row in the table, before rte_vhost processes it. Some
 * releases of rte_vhost would accept messages that are refused here.
 */

#include <stdbool.h>

#include "vstate_msg_refused.h"

struct vstate_dev;
struct vstate_msg_context;

/**
 * Check a message before the device or rte_vhost processes it. A refused message is counted and
 * logged, and its descriptors are closed. Called by the thread that serves the front end.
 * @return whether it may be processed
 */
bool vstate_msg_check(struct vstate_dev *dev, struct vstate_msg_context *context);

/** Count and log a refusal, and close the descriptors. The same thread. */
void vstate_msg_refuse(struct vstate_dev *dev, struct vstate_msg_context *context,
		enum vstate_msg_refusal reason);

#endif /* VSTATE_MSG_CHECK_H */
