/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "dev/vstate_passed.h"
#include "vstate_console.h"
#include "vstate_console_pass.h"

/*
 * Two parts for each port: the descriptors of its host's side, and then the rest of returned
 * buffers, in pieces. Both processes are on one host.
 */
struct passed_head {
	uint16_t port;
	/** A piece of the rest, else the host's side. */
	uint8_t is_rest;
	uint8_t reserved;
	uint16_t cols, rows;
	/** Descriptors: the listening socket, and then the connection or terminal. */
	uint8_t has_listener, has_fd;
	uint8_t more_reserved[6];
};

#define REST_ROOM (VSTATE_PASSED_BYTES - sizeof(struct passed_head))

static void
host_pass(const struct vstate_console_port *p, struct vstate_passed *part)
{
	const struct passed_head head = {
		.port = p->index,
		.cols = p->host.cols,
		.rows = p->host.rows,
		.has_listener = p->host.listener.fd >= 0,
		.has_fd = p->host.fd >= 0,
	};

	part->size = sizeof(head);
	memcpy(part->bytes, &head, sizeof(head));
	part->nb_fds = 0;
	if (head.has_listener)
		part->fds[part->nb_fds++] = p->host.listener.fd;
	if (head.has_fd)
		part->fds[part->nb_fds++] = p->host.fd;
}

static void
rest_pass(const struct vstate_console_port *p, uint32_t from, struct vstate_passed *part)
{
	const struct passed_head head = { .port = p->index, .is_rest = 1 };
	const uint32_t nb = RTE_MIN(p->rest_nb - from, REST_ROOM);

	part->size = sizeof(head) + nb;
	memcpy(part->bytes, &head, sizeof(head));
	memcpy(part->bytes + sizeof(head), p->rest + from, nb);
	part->nb_fds = 0;
}

int
vstate_console_pass(struct vstate_dev *dev, unsigned int i, struct vstate_passed *part)
{
	struct vstate_console *c = vstate_console_of(dev);
	const struct vstate_console_port *p;
	uint32_t pieces;
	uint16_t n;
	int ret = 0;

	pthread_mutex_lock(&c->lock);
	for (n = 0; n < c->nb_ports && ret == 0; n++) {
		p = &c->ports[n];
		pieces = (p->rest_nb - p->rest_done + REST_ROOM - 1) / REST_ROOM;
		if (i == 0)
			host_pass(p, part);
		else if (i <= pieces)
			rest_pass(p, p->rest_done + (i - 1) * REST_ROOM, part);
		ret = i <= pieces;
		i -= pieces + 1;
	}
	pthread_mutex_unlock(&c->lock);
	return ret;
}

/* @return the descriptor that is taken, or -1 */
static int
fd_take(struct vstate_passed *part, unsigned int i)
{
	int fd = part->fds[i];

	part->fds[i] = -1;
	return fd;
}

static int
host_take(struct vstate_console_port *p, const struct passed_head *head,
		struct vstate_passed *part)
{
	const bool is_unix = p->host.conf->kind == VSTATE_CONSOLE_UNIX;
	int fd = -1, listener = -1;

	if (p->host.fd >= 0 || p->host.listener.fd >= 0 ||
			head->has_listener != is_unix || head->has_fd > 1 ||
			(!is_unix && !head->has_fd) ||
			part->nb_fds != (unsigned int)head->has_listener + head->has_fd)
		return -EINVAL;
	if (head->has_listener)
		listener = fd_take(part, 0);
	if (head->has_fd)
		fd = fd_take(part, head->has_listener);
	p->host.cols = head->cols;
	p->host.rows = head->rows;
	return vstate_console_host_adopt(&p->host, fd, listener);
}

int
vstate_console_take(struct vstate_dev *dev, struct vstate_passed *part)
{
	struct vstate_console *c = vstate_console_of(dev);
	struct passed_head head;
	int ret = -EINVAL;

	if (part->size < sizeof(head))
		return -EINVAL;
	memcpy(&head, part->bytes, sizeof(head));
	if (head.port >= c->nb_ports)
		return -EINVAL;
	pthread_mutex_lock(&c->lock);
	if (!c->host_made)
		ret = head.is_rest ? vstate_console_port_rest_add(&c->ports[head.port],
				part->bytes + sizeof(head), part->size - sizeof(head)) :
			host_take(&c->ports[head.port], &head, part);
	pthread_mutex_unlock(&c->lock);
	return ret;
}

void
vstate_console_left(struct vstate_dev *dev)
{
	struct vstate_console *c = vstate_console_of(dev);
	uint16_t i;

	pthread_mutex_lock(&c->lock);
	for (i = 0; i < c->nb_ports; i++) {
		vstate_console_host_close(&c->ports[i].host, false);
		c->ports[i].rest_nb = c->ports[i].rest_done = 0;
	}
	c->host_left = true;
	pthread_mutex_unlock(&c->lock);
}
