/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_CTRL_H
#define GUEST_CTRL_H

/**
 * @file
 * The control queue driver of the guest (guest_conf.cvq): it sends commands, one at a time, and
 * keeps an own record of what they set, to be compared with the state of the device. Caller's
 * thread; an active link, unless noted.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_vhost_state.h>

struct guest;

/** Most bytes of a command, with its class and its number. */
#define GUEST_CTRL_MAX 8192
/** Longest time until a command is answered. */
#define GUEST_CTRL_MS 5000

/** Reserve the queue in guest memory, before it is committed. */
int guest_ctrl_reserve(struct guest *g);
/** Empty the queue, as at a reset. */
void guest_ctrl_reset(struct guest *g);
void guest_ctrl_free(struct guest *g);

/**
 * Send a command and wait for its answer.
 * @param data  command-specific data: @p len bytes
 * @return 0: accepted; 1: refused (VIRTIO_NET_ERR); -ETIMEDOUT: no answer; -EBADMSG: another
 *   answer, or a buffer that the device did not own
 */
int guest_ctrl_send(struct guest *g, uint8_t class, uint8_t command, const void *data,
		uint32_t len);

/** Make all queue pairs active, as the traffic needs it. Before the traffic. */
int guest_ctrl_begin(struct guest *g);
/**
 * Change some settings at random: modes, addresses, VLANs, offloads. The frames of the guest still
 * pass, and all pairs stay active. Commands that are not valid are among them; they must be
 * refused and change nothing.
 * @return 0; -EBADMSG: an answer is wrong, see guest_error()
 */
int guest_ctrl_change(struct guest *g);

/** What the commands set so far. */
const struct rte_vhost_state_net_ctrl *guest_ctrl_settings(const struct guest *g);
/**
 * Compare a state with the record.
 * @return NULL, or the name of the first setting that differs
 */
const char *guest_ctrl_differs(const struct guest *g, const struct rte_vhost_state *st);

#endif /* GUEST_CTRL_H */
