/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <linux/virtio_console.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include "ring/vstate_lease.h"
#include "ring/vstate_request.h"
#include "ring/vstate_ring.h"
#include "vstate_console.h"
#include "vstate_console_ctrl.h"

/* Most commands and most messages of one turn. */
#define TURN_MAX 64

#define DUE(name) RTE_VHOST_STATE_CONSOLE_DUE_##name

/** The longest message: a name. */
struct message {
	struct virtio_console_control head;
	uint8_t more[RTE_VHOST_STATE_CONSOLE_NAME];
	uint32_t len;
};

/* ---- commands ---- */

static void
device_ready(struct vstate_console *c, bool ready)
{
	uint16_t i;

	c->driver_ready = ready;
	for (i = 0; i < c->nb_ports; i++) {
		c->ports[i].guest_open = c->ports[i].ready = false;
		c->ports[i].due = ready ? DUE(ADD) : 0;
		vstate_console_port_keep(&c->ports[i]);
	}
}

/* The driver has the port: it learns all that is known of it. */
static void
port_ready(struct vstate_console_port *p, bool ready)
{
	p->ready = ready;
	p->due = 0;
	if (!ready)
		return;
	/* early consoles of Linux are port 0 */
	if (p->index == 0)
		p->due |= DUE(CONSOLE);
	if (p->index == 0 && p->host.cols != 0)
		p->due |= DUE(RESIZE);
	if (p->host.conf->name[0] != '\0')
		p->due |= DUE(NAME);
	if (p->reported_open)
		p->due |= DUE(OPEN);
}

bool
vstate_console_ctrl_run(struct vstate_console *c, const struct virtio_console_control *cmd)
{
	const uint32_t id = rte_le_to_cpu_32(cmd->id);
	const uint16_t value = rte_le_to_cpu_16(cmd->value);
	struct vstate_console_port *p = id < c->nb_ports ? &c->ports[id] : NULL;

	switch (rte_le_to_cpu_16(cmd->event)) {
	case VIRTIO_CONSOLE_DEVICE_READY:
		device_ready(c, value == 1);
		vstate_console_keep(c);
		return true;
	case VIRTIO_CONSOLE_PORT_READY:
		if (p == NULL || !c->driver_ready)
			return false;
		port_ready(p, value == 1);
		break;
	case VIRTIO_CONSOLE_PORT_OPEN:
		if (p == NULL || !p->ready)
			return false;
		p->guest_open = value == 1;
		break;
	default:
		return false;
	}
	vstate_console_port_keep(p);
	return true;
}

/* Copy the command from the guest's memory once. @return whether there is one */
static bool
command_read(const struct vstate_request *req, struct virtio_console_control *cmd)
{
	uint8_t *to = (uint8_t *)cmd;
	uint32_t n = 0, part;
	uint16_t i;

	for (i = 0; i < req->nb_readable && n < sizeof(*cmd); i++, n += part) {
		part = RTE_MIN(sizeof(*cmd) - n, req->pieces[i].iov_len);
		memcpy(to + n, req->pieces[i].iov_base, part);
	}
	return n == sizeof(*cmd);
}

/* @return whether a command was there */
static bool
command_process(struct vstate_console *c, struct vstate_console_vq *q)
{
	struct virtio_console_control cmd;

	if (vstate_request_pop(&q->vq, &q->req) != 0)
		return false;
	if (command_read(&q->req, &cmd) && vstate_console_ctrl_run(c, &cmd))
		q->counters.buffers++;
	else
		q->counters.malformed++;
	vstate_request_push(&q->vq, &q->req, 0);
	vstate_request_publish(&q->vq);
	return true;
}

/* ---- messages ---- */

static void
message_fill(const struct vstate_console_port *p, uint8_t due, struct message *m)
{
	const uint16_t size[2] = { rte_cpu_to_le_16(p->host.cols), rte_cpu_to_le_16(p->host.rows) };
	uint16_t event = VIRTIO_CONSOLE_PORT_ADD, value = 1;

	m->len = sizeof(m->head);
	switch (due) {
	case DUE(CONSOLE):
		event = VIRTIO_CONSOLE_CONSOLE_PORT;
		break;
	case DUE(RESIZE):
		event = VIRTIO_CONSOLE_RESIZE;
		memcpy(m->more, size, sizeof(size));
		m->len += sizeof(size);
		break;
	case DUE(NAME):
		event = VIRTIO_CONSOLE_PORT_NAME;
		m->len += strlen(p->host.conf->name);
		memcpy(m->more, p->host.conf->name, m->len - sizeof(m->head));
		break;
	case DUE(OPEN):
		event = VIRTIO_CONSOLE_PORT_OPEN;
		value = p->reported_open;
		break;
	default:
		break;
	}
	m->head.id = rte_cpu_to_le_32(p->index);
	m->head.event = rte_cpu_to_le_16(event);
	m->head.value = rte_cpu_to_le_16(value);
}

static void
message_write(const struct vstate_request *req, const struct message *m)
{
	const struct iovec *piece = &req->pieces[req->nb_readable];
	const uint8_t *from = (const uint8_t *)m;
	uint32_t n = 0, part;

	for (; n < m->len; piece++, n += part) {
		part = RTE_MIN(m->len - n, piece->iov_len);
		memcpy(piece->iov_base, from + n, part);
	}
}

/* @return whether there was a buffer. One that is too short returns empty. */
static bool
message_send(struct vstate_console_port *p, struct vstate_console_vq *q, uint8_t due)
{
	struct message m = { .len = 0 };

	if (vstate_request_pop(&q->vq, &q->req) != 0)
		return false;
	message_fill(p, due, &m);
	if (q->req.writable_bytes < m.len) {
		q->counters.malformed++;
		m.len = 0;
	} else {
		message_write(&q->req, &m);
		q->counters.buffers++;
	}
	vstate_request_push(&q->vq, &q->req, m.len);
	vstate_request_publish(&q->vq);
	/* after the driver can see it: a kill in between sends it again, which does no harm */
	if (m.len > 0) {
		p->due &= ~due;
		vstate_console_port_keep(p);
	}
	return true;
}

/* @return the next port with messages that are due, or NULL */
static struct vstate_console_port *
port_due(struct vstate_console *c)
{
	uint16_t i;

	for (i = 0; i < c->nb_ports; i++)
		if (c->ports[i].due != 0)
			return &c->ports[i];
	return NULL;
}

/* ---- turns ---- */

bool
vstate_console_ctrl_commands(struct vstate_console *c)
{
	struct vstate_console_vq *q =
		vstate_console_vq_of(c->dev->vqs[VSTATE_CONSOLE_CTRL_TO_HOST]);
	unsigned int i;
	bool more;

	if (!vstate_lease_take(&q->vq.lease))
		return false;
	for (i = 0; i < TURN_MAX && command_process(c, q); i++)
		;
	vstate_request_publish(&q->vq);
	more = vstate_ring_kicks_request(&q->vq) && q->vq.fault == VSTATE_FAULT_NONE;
	vstate_lease_give(&q->vq.lease);
	return more;
}

bool
vstate_console_ctrl_messages(struct vstate_console *c)
{
	struct vstate_console_vq *q =
		vstate_console_vq_of(c->dev->vqs[VSTATE_CONSOLE_CTRL_TO_GUEST]);
	struct vstate_console_port *p;
	unsigned int i;
	bool more;

	if (!vstate_lease_take(&q->vq.lease))
		return false;
	for (i = 0; i < TURN_MAX && (p = port_due(c)) != NULL; i++)
		if (!message_send(p, q, RTE_BIT32(rte_bsf32(p->due))))
			break;
	vstate_request_publish(&q->vq);
	more = vstate_ring_kicks_request(&q->vq) && port_due(c) != NULL &&
		q->vq.fault == VSTATE_FAULT_NONE;
	vstate_lease_give(&q->vq.lease);
	return more;
}

void
vstate_console_ctrl_finish(struct vstate_console *c, struct vstate_vq *vq)
{
	struct vstate_console_vq *q = vstate_console_vq_of(vq);

	while (vq->inflight != NULL && vq->fault == VSTATE_FAULT_NONE) {
		if (vq->qid == VSTATE_CONSOLE_CTRL_TO_HOST) {
			if (!command_process(c, q))
				return;
			continue;
		}
		if (vstate_request_pop_waiting(vq, &q->req) != 0)
			return;
		vstate_request_push(vq, &q->req, 0);
		vstate_request_publish(vq);
	}
}
