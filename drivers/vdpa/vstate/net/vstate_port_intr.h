/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PORT_INTR_H
#define VSTATE_PORT_INTR_H

/**
 * @file
 * Receive interrupts of the port: an application sleeps until a guest sends.
 *
 * A receive queue may serve several guest queues, whose kick eventfds change when a guest connects.
 * So the file descriptor of a receive queue is an epoll instance that has these eventfds, and an
 * eventfd of the port. It is readable when one of them was signalled. It is the same one from the
 * first start of the port with interrupts until the port is closed or has another number of queues.
 */

#include <stdint.h>

struct rte_eth_dev;
struct vstate_dev;
struct vstate_port_intr;

/**
 * Make the interrupts of @p eth, which is about to start, as its configuration says: those of an
 * earlier start, new ones, or NULL for none.
 * @param out  written
 * @return 0 or -errno
 */
int vstate_port_intr_create(struct rte_eth_dev *eth, struct vstate_port_intr *earlier,
		struct vstate_port_intr **out);
/** Free interrupts; the queues do not use them any more. NULL is ignored. Without a lock. */
void vstate_port_intr_free(struct rte_eth_dev *eth, struct vstate_port_intr *intr);
/** Let the interrupts of the port watch the kicks of the guest's queues. Control lock held. */
void vstate_port_intr_attach(struct vstate_dev *dev, struct vstate_port_intr *intr);
/** Wake all threads that sleep, to look at their queues again. Control lock held. */
void vstate_port_intr_wake(struct vstate_dev *dev);

/** For struct eth_dev_ops. By the poll thread of queue @p id. */
int vstate_port_intr_enable(struct rte_eth_dev *eth, uint16_t id);
int vstate_port_intr_disable(struct rte_eth_dev *eth, uint16_t id);

#endif /* VSTATE_PORT_INTR_H */
