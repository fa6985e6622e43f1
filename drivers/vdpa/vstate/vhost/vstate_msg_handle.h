/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MSG_HANDLE_H
#define VSTATE_MSG_HANDLE_H

/**
 * @file
 * What a device does with a vhost-user message: before rte_vhost processes it, instead of
 * rte_vhost, and after it. Both front doors call these functions, in this order, on the thread that
 * serves the front end.
 */

#include <stdint.h>

struct vstate_dev;
struct vstate_msg_context;

enum vstate_msg_result {
	/** rte_vhost must process the message; then vstate_msg_end() or vstate_msg_failed(). */
	VSTATE_MSG_PASS,
	/** The context has the answer. */
	VSTATE_MSG_ANSWERED,
	/** The device has processed the message, which has no answer. */
	VSTATE_MSG_DONE,
	/** The device refused the message. Its descriptors are closed. */
	VSTATE_MSG_REFUSED,
	/** CHECK_DEVICE_STATE: bytes of the state are under way. Call vstate_msg_wait() soon. */
	VSTATE_MSG_WAIT,
};

/** Check a message, quiesce the queues that it concerns, and process it if it is the device's. */
enum vstate_msg_result vstate_msg_begin(struct vstate_dev *dev, struct vstate_msg_context *context);
/** Continue a message that waits. It fails after a bounded time. */
enum vstate_msg_result vstate_msg_wait(struct vstate_dev *dev, struct vstate_msg_context *context);
/**
 * The message was processed and not refused, by whichever side. A request that the device answers
 * after rte_vhost gets its answer here.
 */
void vstate_msg_end(struct vstate_dev *dev, struct vstate_msg_context *context);
/** rte_vhost refused the message, and may have done a part of it: apply what it has. */
void vstate_msg_failed(struct vstate_dev *dev, struct vstate_msg_context *context);

#endif /* VSTATE_MSG_HANDLE_H */
