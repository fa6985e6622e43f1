/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_interrupts.h>

#include <ethdev_driver.h>

#include <vstate_compat.h>

#include "ring/vstate_kick.h"
#include "ring/vstate_ring.h"
#include "ring/vstate_vq.h"
#include "vstate_log.h"
#include "vstate_net.h"
#include "vstate_port.h"
#include "vstate_port_intr.h"

/* Data of an event of the port's own eventfd; the others have the index of a guest queue. */
#define EVENT_OF_PORT UINT32_MAX
#define EVENTS_MAX 16

struct vstate_port_intr {
	struct rte_intr_handle *handle;
	uint16_t nb;
	struct {
		/** The epoll instance, and the port's own eventfd in it. */
		int epfd, wakefd;
	} queues[];
};

/* ---- create and free ---- */

static void
intr_close(struct vstate_port_intr *intr)
{
	uint16_t i;

	for (i = 0; i < intr->nb; i++) {
		if (intr->queues[i].epfd >= 0)
			close(intr->queues[i].epfd);
		if (intr->queues[i].wakefd >= 0)
			close(intr->queues[i].wakefd);
	}
	rte_intr_vec_list_free(intr->handle);
	rte_intr_instance_free(intr->handle);
	free(intr);
}

static int
queue_open(struct vstate_port_intr *intr, uint16_t i)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u32 = EVENT_OF_PORT };

	intr->queues[i].epfd = epoll_create1(EPOLL_CLOEXEC);
	intr->queues[i].wakefd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (intr->queues[i].epfd < 0 || intr->queues[i].wakefd < 0 ||
			epoll_ctl(intr->queues[i].epfd, EPOLL_CTL_ADD, intr->queues[i].wakefd,
				&event) != 0)
		return -errno;
	if (rte_intr_efds_index_set(intr->handle, i, intr->queues[i].epfd) != 0 ||
			rte_intr_vec_list_index_set(intr->handle, i,
				RTE_INTR_VEC_RXTX_OFFSET + i) != 0)
		return -rte_errno;
	return 0;
}

static int
queues_open(struct vstate_port_intr *intr)
{
	uint16_t i;
	int ret = rte_intr_vec_list_alloc(intr->handle, "vstate intr", intr->nb);

	for (i = 0; i < intr->nb && ret == 0; i++)
		ret = queue_open(intr, i);
	if (ret == 0)
		ret = rte_intr_nb_efd_set(intr->handle, intr->nb);
	if (ret == 0)
		ret = rte_intr_max_intr_set(intr->handle, intr->nb + RTE_INTR_VEC_RXTX_OFFSET);
	/* EAL must not read the file descriptor: it is an epoll instance */
	if (ret == 0)
		ret = rte_intr_type_set(intr->handle, RTE_INTR_HANDLE_EXT);
	return ret;
}

int
vstate_port_intr_create(struct rte_eth_dev *eth, struct vstate_port_intr *earlier,
		struct vstate_port_intr **out)
{
	const uint16_t nb = eth->data->nb_rx_queues;
	struct vstate_port_intr *intr;
	uint16_t i;
	int ret;

	*out = NULL;
	if (eth->data->dev_conf.intr_conf.rxq == 0)
		return 0;
	if (earlier != NULL && earlier->nb == nb) {
		*out = earlier;
		return 0;
	}
	if (nb > RTE_MAX_RXTX_INTR_VEC_ID) {
		VSTATE_LOG(ERR, "%s: interrupts for at most %u receive queues, not %u",
				eth->data->name, RTE_MAX_RXTX_INTR_VEC_ID, nb);
		return -ENOTSUP;
	}
	intr = calloc(1, sizeof(*intr) + nb * sizeof(intr->queues[0]));
	if (intr == NULL)
		return -ENOMEM;
	for (i = 0; i < nb; i++)
		intr->queues[i].epfd = intr->queues[i].wakefd = -1;
	intr->nb = nb;
	intr->handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	ret = intr->handle != NULL ? queues_open(intr) : -ENOMEM;
	if (ret != 0) {
		intr_close(intr);
		return ret;
	}
	eth->intr_handle = intr->handle;
	*out = intr;
	return 0;
}

void
vstate_port_intr_free(struct rte_eth_dev *eth, struct vstate_port_intr *intr)
{
	if (intr == NULL)
		return;
	if (eth->intr_handle == intr->handle)
		eth->intr_handle = NULL;
	/* the application may have them in its epoll instances */
	rte_intr_free_epoll_fd(intr->handle);
	intr_close(intr);
}

/* ---- control ---- */

void
vstate_port_intr_attach(struct vstate_dev *dev, struct vstate_port_intr *intr)
{
	uint16_t pair;
	int ret;

	for (pair = 0; pair < vstate_net_pairs(dev); pair++) {
		ret = vstate_kick_watch(dev->vqs[VSTATE_TXQ(pair)], intr != NULL ?
				intr->queues[pair % intr->nb].epfd : -1);
		if (ret != 0)
			VSTATE_LOG(WARNING, "%s: queue %u: kicks are not seen: %s", dev->name,
					VSTATE_TXQ(pair), strerror(-ret));
	}
}

static void
queue_wake(const struct vstate_port_intr *intr, uint16_t id)
{
	const uint64_t one = 1;

	/* It fails only if the counter is full: then it is signalled. */
	if (write(intr->queues[id].wakefd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		VSTATE_LOG(DEBUG, "wake-up %u: %s", id, strerror(errno));
}

void
vstate_port_intr_wake(struct vstate_dev *dev)
{
	const struct vstate_port *port = vstate_net_of(dev)->port;
	uint16_t i;

	for (i = 0; port != NULL && port->intr != NULL && i < port->intr->nb; i++)
		queue_wake(port->intr, i);
}

/* ---- poll threads ---- */

/* Forget earlier events. Each is edge-triggered, so this ends. */
static void
events_forget(const struct vstate_port_intr *intr, uint16_t id)
{
	struct epoll_event events[EVENTS_MAX];
	unsigned int i;

	for (i = 0; i < VSTATE_MAX_QUEUES; i++)
		if (epoll_wait(intr->queues[id].epfd, events, EVENTS_MAX, 0) < EVENTS_MAX)
			break;
}

/*
 * Ask for kicks on all guest queues that this queue serves. A queue whose lease is not granted is
 * left out: its next grant wakes this thread.
 * @return true: there is work already
 */
static bool
kicks_request(const struct vstate_port_rxq *rxq)
{
	bool work = rte_atomic_load_explicit(rxq->rarp_due, rte_memory_order_relaxed) != 0;
	struct vstate_vq *vq;
	uint16_t pair;

	for (pair = rxq->id; pair < vstate_net_pairs(rxq->dev); pair += rxq->nb_rxq) {
		vq = rxq->dev->vqs[VSTATE_TXQ(pair)];
		if (!vstate_lease_take(&vq->lease))
			continue;
		work |= vstate_ring_kicks_request(vq);
		vstate_lease_give(&vq->lease);
	}
	return work;
}

int
vstate_port_intr_enable(struct rte_eth_dev *eth, uint16_t id)
{
	const struct vstate_port_rxq *rxq = eth->data->rx_queues[id];

	if (rxq->intr == NULL)
		return -ENOTSUP;
	/* first, so that no event behind the look at the rings is forgotten */
	events_forget(rxq->intr, id);
	if (kicks_request(rxq))
		queue_wake(rxq->intr, id);
	return 0;
}

int
vstate_port_intr_disable(struct rte_eth_dev *eth, uint16_t id)
{
	const struct vstate_port_rxq *rxq = eth->data->rx_queues[id];
	struct vstate_vq *vq;
	uint16_t pair;

	if (rxq->intr == NULL)
		return -ENOTSUP;
	for (pair = id; pair < vstate_net_pairs(rxq->dev); pair += rxq->nb_rxq) {
		vq = rxq->dev->vqs[VSTATE_TXQ(pair)];
		if (!vstate_lease_take(&vq->lease))
			continue;
		vstate_ring_kicks_suppress(vq);
		vstate_lease_give(&vq->lease);
	}
	return 0;
}
